"""What the tiles of each split know: labelled pixels and known amounts, counted while they are cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.tiles.layout import TileLayout


class Tally:
    """Labelled pixels of each layer and class, and known pixels of each quantity, in each split."""

    def __init__(self, layout: TileLayout) -> None:
        self._classes = layout.classes
        self._layers = tuple(layout.layers)
        self._quantities = layout.quantities
        self._labels: dict[str, np.ndarray] = {}
        self._known: dict[str, np.ndarray] = {}

    def add(self, splits: np.ndarray, masks: np.ndarray, amounts: np.ndarray) -> None:
        """Count more tiles: their splits `(n,)`, masks `(n, layer, y, x)` and amounts `(n, quantity, y, x)`."""
        for split in map(str, np.unique(splits)):
            own = splits == split
            known = np.isfinite(amounts[own]).sum(axis=(0, 2, 3))
            self._known[split] = self._known.get(split, 0) + known
            if self._classes is not None:
                index = self._classes.index_of(masks[own])
                counts = [np.bincount(i[i >= 0], minlength=len(self._classes)) for i in np.moveaxis(index, 1, 0)]
                self._labels[split] = self._labels.get(split, 0) + np.stack(counts)

    def notes(self) -> list[str]:
        """What the user should know before training, one line each."""
        if self._classes is None and self._quantities is None:
            return ["no mask: no tile has a labelled pixel"]
        return [*self._label_notes(), *self._amount_notes()]

    def _label_notes(self) -> list[str]:
        if self._classes is None:
            return []
        names = self._classes.names
        by_class = {split: counts.sum(axis=0) for split, counts in self._labels.items()}
        train = by_class["train"]
        if not train.any():
            return ["no labelled pixel in the training tiles"]
        lines = []
        if (train > 0).sum() == 1:
            lines.append(f"a single class is labelled in the training tiles: {_where(names, train > 0)}")
        empty = self._labels["train"].sum(axis=1) == 0
        if empty.any():
            lines.append(f"mask layers without a labelled pixel in the training tiles: {_where(self._layers, empty)}")
        return lines + _elsewhere(by_class, names, "labelled pixel", "classes that no training tile has")

    def _amount_notes(self) -> list[str]:
        if self._quantities is None:
            return []
        names, train = self._quantities.names, self._known["train"]
        if not train.any():
            return ["no known amount in the training tiles"]
        return _elsewhere(self._known, names, "known amount", "quantities that no training tile knows")


def _elsewhere(counts: dict[str, np.ndarray], names: Sequence[str], what: str, lost_text: str) -> list[str]:
    """What training lacks that other splits have, and which splits have nothing."""
    lost = (counts["train"] == 0) & (np.sum(list(counts.values()), axis=0) > 0)
    lines = [f"{lost_text}: {_where(names, lost)}"] if lost.any() else []
    return lines + [f"no {what} in the {split} tiles" for split, n in counts.items() if not n.any()]


def _where(names: Sequence[str], which: np.ndarray) -> str:
    return ", ".join(name for name, shown in zip(names, which, strict=True) if shown)
