"""The yardstick, fitted on real training tiles only: what they say about spectra and classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.agreement import LabelJudge
from specdm.evaluation.features import FIT_VALUES, SpectralFeatures
from specdm.evaluation.frechet import SpectralSpace
from specdm.evaluation.looks import Looks
from specdm.evaluation.reading import most_tiles, some
from specdm.evaluation.spectra import SpectraStatistics
from specdm.evaluation.views import view

TILE_LIMIT, PIXEL_LIMIT = 2048, 2_097_152
"""Most training tiles, and pixels in them, whose images are read."""

JUDGE_PIXELS = 200_000
"""Most labelled training pixels the classifier is fitted on."""


@dataclass(frozen=True)
class Reference:
    """Real training ground, each pixel once however many windows show it.

    Overlapping windows show the middle of a scene more often than its edge; a generator that copied that
    would not have the classes as often as the ground has them.

    Attributes:
        looks: at all real training tiles.
        features: MNF of the training spectra.
        judge: the classifier; None if fewer than two classes are labelled.
        ground_counts: labelled pixels of each class, `(classes,)`, of every date with labels of its own.
        ground_pixels: different pixels of ground.
        statistics: of the spectra, by class and over all.
        by_kind: the same for each kind of look.
        space: where Fréchet distances are taken; None if the spectra do not vary.
        sample: spectra of some pixels, `(m, channel)`.
    """

    looks: Looks
    features: SpectralFeatures
    judge: LabelJudge | None
    ground_counts: np.ndarray
    ground_pixels: int
    statistics: SpectraStatistics
    by_kind: list[SpectraStatistics]
    space: SpectralSpace | None
    sample: np.ndarray

    @classmethod
    def fit(cls, looks: Looks, *, seed: int) -> Reference:
        """Read the training tiles and fit.

        Args:
            looks: at real training tiles, at least one.
            seed: of the draws that keep this bounded.

        Raises:
            SceneError: fewer than two pixels have data in every band.
        """
        random = np.random.default_rng(seed)
        features = fit_features(looks, random=random)
        most = most_tiles(looks.tiles, tile_limit=TILE_LIMIT, pixel_limit=PIXEL_LIMIT)
        index = some(len(looks.tiles), max(1, most // looks.kinds), random=random)
        seen = view(looks, index, features=features, seed=seed)
        labelled = np.flatnonzero(seen.fresh & (seen.labels >= 0))
        ground_counts = np.bincount(seen.labels.ravel()[labelled], minlength=looks.n_classes)
        chosen = labelled[some(len(labelled), JUDGE_PIXELS, random=random)]
        judge = LabelJudge.fit(
            seen.features.reshape(-1, features.components)[chosen],
            seen.labels.ravel()[chosen],
            n_classes=looks.n_classes,
        )
        return cls(
            looks=looks,
            features=features,
            judge=judge,
            ground_counts=ground_counts,
            ground_pixels=int(seen.fresh.sum()) // looks.kinds,
            statistics=seen.statistics,
            by_kind=seen.by_kind,
            space=SpectralSpace.fit(seen.sample),
            sample=seen.sample,
        )


def fit_features(looks: Looks, *, random: np.random.Generator) -> SpectralFeatures:
    """MNF of the spectra of some training tiles.

    Raises:
        SceneError: fewer than two pixels have data in every band.
    """
    tiles = looks.tiles
    most = max(1, FIT_VALUES // (tiles.n_dates * tiles.n_bands * tiles.size**2))
    return SpectralFeatures.fit(np.moveaxis(looks.spectra(some(len(tiles), most, random=random)), -1, 1))
