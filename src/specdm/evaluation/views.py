"""Features and labels of each pixel of a tile set, before and after the codec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from specdm.evaluation.features import SpectralFeatures
from specdm.evaluation.frechet import SAMPLE_PIXELS
from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.spectra import SpectraStatistics, spectral_angle_deg
from specdm.tiles.tileset import TileSet


class Reconstructs(Protocol):
    """A model that can send tiles through its codecs, such as a `SpecDMPipeline`."""

    def reconstruct(self, tiles: TileSet) -> TileSet:
        """Images, masks and amounts after encoding and decoding, same coordinates."""


@dataclass(frozen=True)
class View:
    """Looks at tiles, pixel by pixel; `n` looks.

    Attributes:
        features: `(n, y, x, component)`, NaN where no data.
        labels: class positions `(n, y, x)`, -1 where unlabelled.
        fresh: where a look shows ground that none before it shows, `(n, y, x)`; all true for synthetic ones.
        statistics: of the spectra of fresh pixels, by class and over all.
        by_kind: the same for each kind of look.
        sample: spectra of some fresh pixels, `(m, channel)`.
    """

    features: np.ndarray
    labels: np.ndarray
    fresh: np.ndarray
    statistics: SpectraStatistics
    by_kind: list[SpectraStatistics]
    sample: np.ndarray


@dataclass(frozen=True)
class CodecView:
    """Looks at real tiles as they are and after the codec; `n` looks.

    Attributes:
        tile: position of each look's tile, `(n,)`.
        features, decoded_features: `(n, y, x, component)`, NaN where no data.
        labels, decoded_labels: class positions `(n, y, x)`, -1 where unlabelled.
        angle_sum, angle_count: spectral angles (degrees) between the two, each date's own, summed over pixels
            with data.
    """

    tile: np.ndarray
    features: np.ndarray
    decoded_features: np.ndarray
    labels: np.ndarray
    decoded_labels: np.ndarray
    angle_sum: float
    angle_count: int


def view(looks: Looks, index: np.ndarray, *, features: SpectralFeatures, seed: int) -> View:
    """Look at the tiles at some positions, in bounded batches."""
    random = np.random.default_rng(seed)
    statistics = SpectraStatistics(looks.n_classes, looks.n_channels)
    by_kind = [statistics]
    if looks.kinds > 1:
        by_kind = [SpectraStatistics(looks.n_classes, looks.n_channels) for _ in range(looks.kinds)]
    ground = FreshLooks(looks)
    draw = min(1.0, SAMPLE_PIXELS / max(1, count_fresh(looks, index)))
    found, labels, fresh, sample = [], [], [], []
    for part in looks.batches(index):
        images, label, new = looks.spectra(part), looks.labels(part), ground.fresh(part)
        spectra = images[new]
        statistics.add(spectra, label[new])
        if looks.kinds > 1:
            for kind, parts in zip(by_kind, looks.split(images, label, new), strict=True):
                kind.add(parts[0][parts[2]], parts[1][parts[2]])
        found.append(features.of_pixels(images))
        labels.append(label)
        fresh.append(new)
        drawn = spectra[random.random(len(spectra)) < draw]
        sample.append(drawn[np.isfinite(drawn).all(axis=1)])
    return View(
        features=np.concatenate(found),
        labels=np.concatenate(labels),
        fresh=np.concatenate(fresh),
        statistics=statistics,
        by_kind=by_kind,
        sample=np.concatenate(sample),
    )


def count_fresh(looks: Looks, index: np.ndarray) -> int:
    """Pixels of the tiles at some positions, each pixel of ground once; where windows overlap, far fewer than all."""
    ground = FreshLooks(looks)
    return sum(int(ground.fresh(part).sum()) for part in looks.batches(index))


def codec_view(looks: Looks, index: np.ndarray, *, model: Reconstructs, features: SpectralFeatures) -> CodecView:
    """Send the tiles at some positions through a model's codecs and look at both, in bounded batches."""
    pairs: list[tuple[np.ndarray, ...]] = []
    angle_sum, angle_count = 0.0, 0
    for part in looks.batches(index):
        originals = looks.of(looks.tiles.select(part))
        decoded = looks.of(model.reconstruct(originals.tiles))
        everything = np.arange(len(part))
        images, decoded_images = originals.spectra(everything), decoded.spectra(everything)
        for own in looks.date_channels:
            angles = spectral_angle_deg(images[..., own], decoded_images[..., own])
            angle_sum += float(np.nansum(angles))
            angle_count += int(np.isfinite(angles).sum())
        # the codec gives values where there was no data; nothing is there to judge them by
        decoded_images[~np.isfinite(images).all(axis=-1)] = np.nan
        pairs.append(
            (
                looks.repeat(part),
                features.of_pixels(images),
                features.of_pixels(decoded_images),
                originals.labels(everything),
                decoded.labels(everything),
            )
        )
    tile, before, after, labels, decoded_labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return CodecView(tile, before, after, labels, decoded_labels, angle_sum, angle_count)
