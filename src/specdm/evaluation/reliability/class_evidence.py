"""All that real labelled ground teaches about class labels, and the table of features that comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.looks import Looks
from specdm.evaluation.reliability.class_features import (
    LIMIT,
    LabelContext,
    edge_features,
    joint_features,
    opinion_features,
    tile_mean,
)
from specdm.evaluation.reliability.consistency import sureness
from specdm.evaluation.reliability.neighbourhood import neighbour_scale
from specdm.evaluation.reliability.real_ground import RealGround
from specdm.evaluation.reliability.spectral_evidence import SpectralEvidence, fit_spectral_evidence

FIT_PIXELS = 30_000
RANKED = ("pixel", "window", "region")
"""Features that are also given by their rank among real labels of the same class: some classes are hard to tell."""

LEAST_RANKED = 30


@dataclass(frozen=True)
class ClassEvidence:
    """Fitted on real labelled ground.

    Attributes:
        ground: real windows.
        spectral: p(class | spectrum).
        scale: mean squared difference of neighbouring spectra.
        ranks: by feature, the sorted values of right labels on held-out ground, of each class and, last, of all.
    """

    ground: RealGround
    spectral: SpectralEvidence
    scale: float
    ranks: dict[str, list[np.ndarray]]

    @classmethod
    def fit(cls, train: Looks, *, seed: int) -> ClassEvidence | None:
        """Fit on real training tiles; None if fewer than two classes are labelled there."""
        ground = RealGround.read(train, seed=seed)
        components, labels, blocks = ground.sample(most=FIT_PIXELS, seed=seed)
        if len(np.unique(labels)) < 2 or len(np.unique(blocks)) < 2:
            return None
        spectral, held = fit_spectral_evidence(components, labels, blocks, n_classes=train.n_classes, seed=seed)
        scale = neighbour_scale(ground.components * ground.noise_scale)
        found = cls(ground, spectral, scale, {})
        # held out, since on ground that it was fitted on the evidence is surer than it will ever be again
        logits = held.log_probabilities(ground.components, ground.blocks)
        distance = held.distance(ground.components, ground.blocks)
        context = LabelContext(ground.labels, ground.components * ground.noise_scale, scale=scale)
        features = opinion_features(logits, context)
        features["typical"] = _own(distance, ground.labels)
        # a class that lies in one block only is strange to the fold that has not seen it, and says nothing of itself
        usable = ground.fresh & (ground.labels >= 0) & np.isfinite(features["typical"])
        for name in (*RANKED, "typical"):
            values, own = features[name][usable], ground.labels[usable]
            finite = np.isfinite(values)
            values, own = values[finite], own[finite]
            by_class = [np.sort(values[own == position]) for position in range(train.n_classes)]
            found.ranks[name] = [*by_class, np.sort(values)]
        return found

    def components(self, spectra: np.ndarray) -> np.ndarray:
        """`(..., channel)` to `(..., component)`."""
        return self.ground.features.of_pixels(spectra)

    def features(
        self, components: np.ndarray, labels: np.ndarray, *, posterior: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All features of pixels, by name, float32 `(tile, y, x)`.

        Args:
            components: `(tile, y, x, component)`, NaN where no data.
            labels: class positions `(tile, y, x)`, -1 where unlabelled.
            posterior: logarithms of the probabilities by a model that saw the images alone, `(tile, y, x, class)`.
        """
        context = LabelContext(labels, components * self.ground.noise_scale, scale=self.scale)
        logits = self.spectral.log_probabilities(components)
        spectral = opinion_features(logits, context)
        distance = _own(self.spectral.distance(components), labels)
        found = {f"spectral.{name}": values for name, values in spectral.items()}
        for name in RANKED:
            found[f"spectral.{name}_rank"] = self._rank(name, spectral[name], labels)
        found["spectral.typical_rank"] = -self._rank("typical", distance, labels)
        found["spectral.rank_off"] = tile_mean(found["spectral.window_rank"], labels)
        found |= {f"edge.{name}": values for name, values in edge_features(context).items()}
        found |= {f"spectral+edge.{name}": values for name, values in joint_features(logits, context).items()}
        if posterior is not None:
            found |= {f"consistency.{name}": values for name, values in opinion_features(posterior, context).items()}
            margin, entropy = sureness(posterior)
            found |= {"consistency.margin": margin, "consistency.entropy": entropy}
            both = joint_features(posterior, context)
            found |= {f"consistency+edge.{name}": values for name, values in both.items()}
        return found

    def _rank(self, name: str, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Logit of the part of real labels of the same class with smaller values, float32, within `LIMIT`.

        0 where held-out ground says nothing: every class lies in one block only.
        """
        found = np.zeros(values.shape, np.float32)
        *by_class, every = self.ranks[name]
        if not len(every):
            return found
        for position in np.unique(labels[labels >= 0]):
            known = by_class[position] if len(by_class[position]) >= LEAST_RANKED else every
            own = labels == position
            seen = np.nan_to_num(values[own], nan=float(known[len(known) // 2]))
            # in the middle of equal values, of which there are many at the limits
            below = (np.searchsorted(known, seen) + np.searchsorted(known, seen, side="right")) / 2
            part = (below + 0.5) / (len(known) + 1)
            found[own] = np.clip(np.log(part) - np.log1p(-part), -LIMIT, LIMIT)
        return found


def _own(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, np.maximum(labels, 0)[..., None], axis=-1)[..., 0]
