"""One table of features for every pixel, comparable between data sets, from all evidences that there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.change_map import change_map, has_change_map
from specdm.evaluation.looks import Looks, layer_groups
from specdm.evaluation.reliability.amount_evidence import AmountEvidence
from specdm.evaluation.reliability.change_evidence import ChangeEvidence
from specdm.evaluation.reliability.class_evidence import ClassEvidence
from specdm.evaluation.reliability.class_features import log_odds
from specdm.evaluation.reliability.consistency import posterior_logits
from specdm.evaluation.reliability.neighbourhood import alike_mean, all_regions, group_mean
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet

EVIDENCES = ("spectral", "edge", "consistency", "change", "amounts")
"""Names of the evidences: the first part of a feature's name, before the dot; "a+b" needs both."""

Features = dict[str, np.ndarray]


@dataclass(frozen=True)
class RealEvidence:
    """What real labelled tiles teach, with which the labels of other tiles are judged.

    Attributes:
        classes: the layers that are judged together, and the evidence, None where fewer than two classes are labelled.
        change: None where masks do not say what changed.
        amounts: None without amounts.
    """

    classes: list[tuple[tuple[int, ...], ClassEvidence | None]]
    change: ChangeEvidence | None
    amounts: AmountEvidence | None

    @classmethod
    def fit(cls, real: TileSet, *, seed: int = 0) -> RealEvidence:
        """Fit on the training tiles of a real tile set (on all of its tiles if it has no split).

        Raises:
            TileError: there is no tile, or nothing to learn from.
        """
        train = real.train if (real.split == "train").any() else real
        if not len(train):
            raise TileError(f"{real.where} has no tile; give real tiles with labels")
        groups = layer_groups(train) if train.classes is not None else []
        classes = [(layers, ClassEvidence.fit(Looks(train, layers), seed=seed)) for layers in groups if layers]
        amounts = AmountEvidence.fit(train, seed=seed) if train.quantities is not None else None
        if amounts is None and not any(evidence for _, evidence in classes):
            raise TileError(
                f"{real.where} has neither two labelled classes nor amounts in its training tiles, so nothing can be "
                "learnt about labels; give real tiles with labels"
            )
        change = ChangeEvidence.fit(train, seed=seed) if has_change_map(train) else None
        return cls(classes, change, amounts)

    def class_features(self, tiles: TileSet, *, posterior: Posterior | None = None) -> Features:
        """Features of mask labels.

        Args:
            tiles: with the classes, dates and bands of the real ones.
            posterior: of these tiles.

        Returns:
            Name -> float32 `(tile, layer, y, x)`, NaN where unlabelled or where nothing could be learnt, as of a class
            that no real tile shows. Log odds within 8, ranks as log odds, differences of probabilities: larger is
            better, but for `edge.distance` and `consistency.entropy`.
        """
        found: Features = {}
        shape = (len(tiles), len(tiles.layers), tiles.size, tiles.size)
        for layers, evidence in self.classes:
            if evidence is None:
                continue
            for layer in layers:
                looks = Looks(tiles, (layer,))
                for part in looks.batches(np.arange(len(tiles))):
                    labels = looks.labels(part)
                    judged = (labels >= 0) & evidence.spectral.known[np.maximum(labels, 0)]
                    components = evidence.components(looks.spectra(part))
                    said = None if posterior is None else posterior_logits(posterior, layer, part)
                    values = evidence.features(components, labels, posterior=said)
                    values |= self._change(tiles, part, components * evidence.ground.noise_scale, evidence.scale)
                    for name, value in values.items():
                        rows = found.setdefault(name, np.full(shape, np.nan, np.float32))
                        rows[part, layer] = np.where(judged, value, np.nan)
        return found

    def amount_features(self, tiles: TileSet, *, posterior: Posterior | None = None) -> Features:
        """Features of amounts, as `class_features`: name -> float32 `(tile, 1, y, x)`, NaN where unknown."""
        found: Features = {}
        if self.amounts is None or tiles.quantities is None:
            return found
        looks = Looks(tiles, ())
        shape = (len(tiles), 1, tiles.size, tiles.size)
        for part in looks.batches(np.arange(len(tiles))):
            known = np.isfinite(tiles.amounts(part)).any(axis=1)
            for name, value in self.amounts.features(tiles, part, posterior=posterior).items():
                rows = found.setdefault(name, np.full(shape, np.nan, np.float32))
                rows[part, 0] = np.where(known, value, np.nan)
        return found

    def _change(self, tiles: TileSet, part: np.ndarray, spectra: np.ndarray, scale: float) -> Features:
        if self.change is None or not has_change_map(tiles):
            return {}
        said = change_map(tiles, part).astype(np.int64)
        logits = self.change.log_probabilities(tiles, part)
        near = alike_mean(logits, spectra, radius=2, scale=4 * scale)
        region = np.nan_to_num(group_mean(logits, all_regions(said)))
        parts = {"pixel": logits, "near": near, "region": region}
        return {f"change.{name}": log_odds(values, said) for name, values in parts.items()}


def needed(name: str) -> tuple[str, ...]:
    """The evidences that a feature is made of."""
    return tuple(name.split(".", 1)[0].split("+"))


def chosen(names: tuple[str, ...] | list[str], evidences: tuple[str, ...]) -> list[str]:
    """Those features that these evidences alone can make, in order of their names."""
    return sorted(name for name in names if set(needed(name)) <= set(evidences))


def table(features: Features, names: list[str], where: np.ndarray) -> np.ndarray:
    """Some pixels' features side by side, float32 `(pixel, feature)`.

    Args:
        features: name -> `(tile, layer, y, x)`.
        names: which, in order.
        where: bool `(tile, layer, y, x)`, which pixels.
    """
    return np.stack([features[name][where] for name in names], axis=1)
