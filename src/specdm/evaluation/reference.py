"""The yardstick, fitted on real training tiles only: what they say about spectra and classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.agreement import LabelJudge
from specdm.evaluation.features import FIT_VALUES, SpectralFeatures
from specdm.evaluation.frechet import SpectralSpace
from specdm.evaluation.reading import channels, most_tiles, some
from specdm.evaluation.spectra import SpectraStatistics
from specdm.evaluation.views import view
from specdm.tiles.tileset import TileSet

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
        tiles: all real training tiles.
        features: MNF of the training spectra.
        judge: the classifier; None if fewer than two classes are labelled.
        ground_counts: labelled pixels of each class, `(classes,)`.
        ground_pixels: different pixels of ground.
        statistics: of the spectra, by class and over all.
        space: where Fréchet distances are taken; None if the spectra do not vary.
        sample: spectra of some pixels, `(m, channel)`.
    """

    tiles: TileSet
    features: SpectralFeatures
    judge: LabelJudge | None
    ground_counts: np.ndarray
    ground_pixels: int
    statistics: SpectraStatistics
    space: SpectralSpace | None
    sample: np.ndarray

    @classmethod
    def fit(cls, train: TileSet, *, seed: int) -> Reference:
        """Read the training tiles and fit.

        Args:
            train: real training tiles, at least one.
            seed: of the draws that keep this bounded.

        Raises:
            SceneError: fewer than two pixels have data in every band.
        """
        random = np.random.default_rng(seed)
        n_classes = len(train.classes) if train.classes else 0
        fit_tiles = max(1, FIT_VALUES // (train.n_dates * train.n_bands * train.size**2))
        features = SpectralFeatures.fit(channels(train.images(some(len(train), fit_tiles, random=random))))

        most = most_tiles(train, tile_limit=TILE_LIMIT, pixel_limit=PIXEL_LIMIT)
        index = some(len(train), most, random=random)
        seen = view(train, index, features=features, seed=seed)
        labelled = np.flatnonzero(seen.fresh & (seen.labels >= 0))
        ground_counts = np.bincount(seen.labels.ravel()[labelled], minlength=n_classes)
        chosen = labelled[some(len(labelled), JUDGE_PIXELS, random=random)]
        judge = LabelJudge.fit(
            seen.features.reshape(-1, features.components)[chosen],
            seen.labels.ravel()[chosen],
            n_classes=n_classes,
        )
        return cls(
            tiles=train,
            features=features,
            judge=judge,
            ground_counts=ground_counts,
            ground_pixels=int(seen.fresh.sum()),
            statistics=seen.statistics,
            space=SpectralSpace.fit(seen.sample),
            sample=seen.sample,
        )
