"""A tile set with a share of its labels: whole labelled regions stay or go, never single pixels.

What a user with fewer labels would have is fewer fields and houses, not every tenth pixel of each: single pixels
left of a region would still tell where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.label_regions import Pieces, SourceGround, find_pieces, grounds_of
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import COUNT_BATCH, TileSet

THINNED_SPLITS = ("train", "val")
NESTED_SHARES = (0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
"""Shares whose labels are contained in each other; those of a usual learning curve."""

AMOUNT_LAYER, KNOWN_AMOUNTS = "amount", "known amounts"
REGION_COLUMNS = ("source", "layer", "class", "y", "x", "pixels", "cell")


@dataclass(frozen=True)
class KeptClass:
    """What stays of a class, over all layers and sources, each pixel of ground once.

    Attributes:
        regions: labelled regions there were to choose from, too large ones already cut.
        kept_regions: of these, those that stay.
        pixels, kept_pixels: labelled pixels of ground, before and after.
    """

    regions: int
    kept_regions: int
    pixels: int
    kept_pixels: int


@dataclass(frozen=True)
class FewerLabels:
    """A tile set with fewer labels, and which they are.

    Attributes:
        tiles: the same tiles; masks and amounts of training and validation tiles are thinned.
        share: what was asked for, above 0 to 1.
        seed: of the choice.
        kept: by name of the class; `KNOWN_AMOUNTS` for amounts.
        regions: what stays, as `REGION_COLUMNS`: source, layer, class, first pixel in the scene, pixels, and the side
            of the grid cell where it is the part of a larger region in one cell (0: a whole region).
    """

    tiles: TileSet
    share: float
    seed: int
    kept: dict[str, KeptClass]
    regions: tuple[tuple[str, str, str, int, int, int, int], ...]

    @property
    def share_kept(self) -> float:
        """Of the labelled pixels of ground over all classes, 0..1."""
        return sum(one.kept_pixels for one in self.kept.values()) / sum(one.pixels for one in self.kept.values())

    @property
    def digest(self) -> str:
        """Short SHA-256 of the record: the same for the same labels kept."""
        return sha256(json.dumps(self._facts(), sort_keys=True).encode()).hexdigest()[:12]

    def to_record(self) -> dict[str, Any]:
        """Everything but the tiles, JSON-ready: a split file."""
        return {"digest": self.digest, **self._facts()}

    def _facts(self) -> dict[str, Any]:
        return {
            "share": self.share,
            "seed": self.seed,
            "share_kept": self.share_kept,
            "classes": {name: asdict(one) for name, one in self.kept.items()},
            "region_columns": list(REGION_COLUMNS),
            "regions": [list(region) for region in self.regions],
        }


def keep_labels(tiles: TileSet, *, share: float, seed: int) -> FewerLabels:
    """Keep about a share of the labelled ground of every class, by whole regions.

    Regions are connected pixels of a class on the ground that training and validation tiles show, whatever tiles they
    go through; each mask layer is thinned by itself. Regions are taken in a random order; one that is more than what
    is still missing is passed over for smaller ones behind it, and the smallest of those passed over is taken at the
    end if it brings the class nearer to its share. A region larger than the whole share is cut first, see
    `find_pieces`. At least one region of every class stays, one that a training tile shows if there is such. Amounts
    are thinned alike: known ground, where all quantities are finite, is one class that is always cut into cells; a
    pixel where only some are finite belongs to none and becomes unknown.

    Less is contained in more: with one seed, what stays at a share is chosen from what stays at the next larger one of
    `NESTED_SHARES`, and so on. Two shares between the same two of these have most in common, but not all.

    Args:
        tiles: real tiles. Test and synthetic ones stay as they are, as do images, which are not read.
        share: of the labelled pixels of ground, above 0 to 1; 1 gives the tiles back as they are.
        seed: of the order, 0 or above.

    Raises:
        TileError: a share out of range, or no label in training and validation tiles.
    """
    if not 0 < share <= 1:
        raise TileError(f"share is {share}; expected above 0, to 1 for all labels")
    ground = _LabelledGround(tiles, seed=seed)
    if not ground.totals.any():
        raise TileError(
            f"{tiles.where} has no labels in training and validation tiles, so there are none to keep a share of; "
            "give a tile set of labelled scenes"
        )
    found, kept = _chosen(ground, share)
    return FewerLabels(
        tiles=tiles if share == 1 else _thinned(tiles, ground, found, kept),
        share=float(share),
        seed=int(seed),
        kept=_summary(ground, found, kept),
        regions=tuple(_listed(ground, found, kept)),
    )


class _LabelledGround:
    """The labels of training and validation tiles, of which ground is made source by source."""

    def __init__(self, tiles: TileSet, *, seed: int) -> None:
        index = np.flatnonzero(np.isin(tiles.split, THINNED_SPLITS) & tiles.annotated)
        self.seed = seed
        n_layers, with_amounts = len(tiles.layers) if tiles.classes is not None else 0, tiles.quantities is not None
        self.layers = [*tiles.layers[:n_layers], *([AMOUNT_LAYER] if with_amounts else [])]
        self.gridded = np.array([False] * n_layers + [True] * with_amounts, bool)
        self.class_names = tiles.classes.names if tiles.classes is not None else ()
        self._train = tiles.split[index] == "train"
        self._place = np.full(len(tiles), -1)
        self._place[index] = np.arange(len(index))
        self._labels = np.full((len(index), len(self.layers), tiles.size, tiles.size), -1, np.int16)
        for start in range(0, len(index), COUNT_BATCH):
            part = slice(start, start + COUNT_BATCH)
            if tiles.classes is not None:
                self._labels[part, :n_layers] = tiles.classes.index_of(tiles.masks(index[part]))
            if with_amounts:
                known = np.isfinite(tiles.amounts(index[part])).all(axis=1)
                self._labels[part, -1] = np.where(known, 0, -1)
        self.grounds = grounds_of(tiles, index)
        self.totals = np.zeros((len(self.layers), max(1, len(self.class_names))), np.int64)
        for ground in self.grounds:
            for layer, labels in enumerate(ground.mosaic(self._labels[self._place[ground.index]])):
                self.totals[layer] += np.bincount(labels[labels >= 0], minlength=self.totals.shape[1])

    def pieces(self, ground: SourceGround, largest: np.ndarray) -> Pieces:
        """The pieces of a source, none larger than `(layer, classes)` pixels if it can be cut."""
        place = self._place[ground.index]
        labels = self._labels[place]
        mosaic = ground.mosaic(labels)
        trained = ground.mosaic(labels, only=self._train[place]) >= 0
        return find_pieces(ground, mosaic, trained, largest=largest, gridded=self.gridded, seed=self.seed)

    def name_of(self, layer: int, label: int) -> str:
        """What a class of a layer is called."""
        return KNOWN_AMOUNTS if self.gridded[layer] else self.class_names[label]


def _chosen(ground: _LabelledGround, share: float) -> tuple[list[Pieces], list[np.ndarray]]:
    """The pieces of each source, and which of them stay, bool `(n,)` a source."""
    before: list[np.ndarray] | None = None
    for step in [*(larger for larger in NESTED_SHARES if larger > share), share]:
        targets = step * ground.totals
        found = [ground.pieces(source, targets) for source in ground.grounds]
        # smaller pieces lie in those of larger shares, so one pixel tells whether all of a piece has stayed
        able = [pieces.first_of(stays) for pieces, stays in zip(found, before, strict=True)] if before else None
        kept = _choose(found, targets, able=able)
        before = [pieces.on_ground(stays) for pieces, stays in zip(found, kept, strict=True)]
    return found, kept


def _choose(found: list[Pieces], targets: np.ndarray, *, able: list[np.ndarray] | None) -> list[np.ndarray]:
    """Which pieces of each source stay, of those that are `able` to if given; bool `(n,)` a source."""
    layer, label, pixels, trained, key = (
        np.concatenate([getattr(pieces, name) for pieces in found])
        for name in ("layer", "label", "pixels", "trained", "key")
    )
    free = np.ones(len(pixels), bool) if able is None else np.concatenate(able)
    kept = np.zeros(len(pixels), bool)
    for (at_layer, at_label), target in np.ndenumerate(targets):
        own = np.flatnonzero(free & (layer == at_layer) & (label == at_label))
        if len(own):
            own = own[np.argsort(key[own], kind="stable")]
            kept[own] = walk(pixels[own], trained[own], target=target)
    return np.split(kept, np.cumsum([len(pieces) for pieces in found])[:-1])


def walk(pixels: np.ndarray, trained: np.ndarray, *, target: float) -> np.ndarray:
    """Which pieces of a class stay.

    Args:
        pixels: of the pieces in the order of their turns, `(n,)`, at least one.
        trained: those that a training tile shows, bool `(n,)`.
        target: pixels wanted.

    Returns:
        bool `(n,)`, true at least once, and for a trained one if there is any.
    """
    able = np.flatnonzero(trained) if trained.any() else np.arange(len(pixels))
    fitting = able[pixels[able] <= target]
    # one piece is certain: the first that is not more than all that is wanted, or the smallest if all are
    certain = fitting[0] if len(fitting) else able[np.argmin(pixels[able])]
    kept = np.zeros(len(pixels), bool)
    kept[certain] = True
    missing = target - pixels[certain]
    for piece in np.flatnonzero(pixels <= missing):
        if not kept[piece] and pixels[piece] <= missing:
            kept[piece] = True
            missing -= pixels[piece]
    passed = np.flatnonzero(~kept)
    if len(passed) and pixels[least := passed[np.argmin(pixels[passed])]] < 2 * missing:
        kept[least] = True
    if kept.sum() == 1:
        # a sliver beside pieces that are a little too large would be all there is of the class
        kept[:] = False
        kept[able[np.argmin(np.abs(pixels[able] - target))]] = True
    return kept


def _thinned(tiles: TileSet, ground: _LabelledGround, found: list[Pieces], kept: list[np.ndarray]) -> TileSet:
    """The tiles with what is not kept made unlabelled, -1 in masks and NaN in amounts."""
    n_layers = int((~ground.gridded).sum())
    masks = tiles.masks().copy() if n_layers else None
    amounts = tiles.amounts().copy() if ground.gridded.any() else None
    for source, pieces, stays in zip(ground.grounds, found, kept, strict=True):
        for at, window in source.cut(~pieces.on_ground(stays)):
            if masks is not None:
                masks[at][window[:n_layers]] = UNLABELLED
            if amounts is not None:
                amounts[at][:, window[-1]] = np.nan
    changed = {name: values for name, values in (("mask", masks), ("amount", amounts)) if values is not None}
    return with_values(tiles, changed)


def _summary(ground: _LabelledGround, found: list[Pieces], kept: list[np.ndarray]) -> dict[str, KeptClass]:
    numbers = np.zeros((*ground.totals.shape, 4), np.int64)
    for pieces, stays in zip(found, kept, strict=True):
        counts = np.stack([np.ones_like(stays), stays, pieces.pixels, pieces.pixels * stays], axis=1).astype(np.int64)
        np.add.at(numbers, (pieces.layer, pieces.label), counts)
    summary: dict[str, np.ndarray] = {}
    for layer in range(len(ground.layers)):
        for label in range(1 if ground.gridded[layer] else len(ground.class_names)):
            name = ground.name_of(layer, label)
            summary[name] = summary.get(name, np.zeros(4, np.int64)) + numbers[layer, label]
    return {name: KeptClass(*counts.tolist()) for name, counts in summary.items()}


def _listed(
    ground: _LabelledGround, found: list[Pieces], kept: list[np.ndarray]
) -> Iterator[tuple[str, str, str, int, int, int, int]]:
    for own, pieces, stays in zip(ground.grounds, found, kept, strict=True):
        for i in np.flatnonzero(stays):
            layer, label = int(pieces.layer[i]), int(pieces.label[i])
            place = (int(getattr(pieces, name)[i]) for name in ("y", "x", "pixels", "cell"))
            yield (own.name, ground.layers[layer], ground.name_of(layer, label), *place)  # type: ignore[misc]
