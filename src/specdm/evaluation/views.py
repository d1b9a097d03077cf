"""Tile sets as the judges see them: features and labels of each pixel, before and after the codec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from specdm.evaluation.features import SpectralFeatures
from specdm.evaluation.frechet import SAMPLE_PIXELS
from specdm.evaluation.reading import batches, channels, positions
from specdm.evaluation.spectra import SpectraStatistics, spectral_angle_deg
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet


class Reconstructs(Protocol):
    """A model that can send tiles through its codecs, such as a `SpecDMPipeline`."""

    def reconstruct(self, tiles: TileSet) -> TileSet:
        """Images and masks after encoding and decoding, same coordinates."""


@dataclass(frozen=True)
class View:
    """Tiles, pixel by pixel.

    Attributes:
        features: `(n, y, x, component)`, NaN where no data.
        labels: class positions `(n, y, x)`, -1 where unlabelled.
        fresh: where a tile shows ground that no tile before it shows, `(n, y, x)`; all true for synthetic ones.
        statistics: of the spectra of fresh pixels, by class and over all.
        sample: spectra of some fresh pixels, `(m, channel)`.
    """

    features: np.ndarray
    labels: np.ndarray
    fresh: np.ndarray
    statistics: SpectraStatistics
    sample: np.ndarray


@dataclass(frozen=True)
class CodecView:
    """Real tiles as they are and after the codec.

    Attributes:
        features, decoded_features: `(n, y, x, component)`, NaN where no data.
        labels, decoded_labels: class positions `(n, y, x)`, -1 where unlabelled.
        angle_sum, angle_count: spectral angles (degrees) between the two, summed over pixels with data.
    """

    features: np.ndarray
    decoded_features: np.ndarray
    labels: np.ndarray
    decoded_labels: np.ndarray
    angle_sum: float
    angle_count: int


def view(tiles: TileSet, index: np.ndarray, *, features: SpectralFeatures, seed: int) -> View:
    """Look at some tiles of a set, in bounded batches."""
    random = np.random.default_rng(seed)
    n_classes = len(tiles.classes) if tiles.classes else 0
    statistics = SpectraStatistics(n_classes, tiles.n_dates * tiles.n_bands)
    ground = GroundSeen(tiles)
    draw = min(1.0, SAMPLE_PIXELS / max(1, len(index) * tiles.size**2))
    found, labels, fresh, sample = [], [], [], []
    for part in batches(tiles, index):
        images = np.moveaxis(channels(tiles.images(part)), 1, -1)
        label = positions(tiles, tiles.masks(part))
        new = ground.fresh(part)
        spectra = images[new]
        statistics.add(spectra, label[new])
        found.append(features.of_pixels(images))
        labels.append(label)
        fresh.append(new)
        drawn = spectra[random.random(len(spectra)) < draw]
        sample.append(drawn[np.isfinite(drawn).all(axis=1)])
    return View(
        np.concatenate(found), np.concatenate(labels), np.concatenate(fresh), statistics, np.concatenate(sample)
    )


def codec_view(
    tiles: TileSet, index: np.ndarray, *, model: Reconstructs, features: SpectralFeatures
) -> CodecView:
    """Send some tiles through a model's codecs and look at both, in bounded batches."""
    pairs: list[tuple[np.ndarray, ...]] = []
    angle_sum, angle_count = 0.0, 0
    for part in batches(tiles, index):
        originals = tiles.select(part)
        decoded = model.reconstruct(originals)
        images, decoded_images = (np.moveaxis(channels(one.images()), 1, -1) for one in (originals, decoded))
        angles = spectral_angle_deg(images, decoded_images)
        angle_sum += float(np.nansum(angles))
        angle_count += int(np.isfinite(angles).sum())
        # the codec gives values where there was no data; nothing is there to judge them by
        decoded_images[~np.isfinite(images).all(axis=-1)] = np.nan
        pairs.append(
            (
                features.of_pixels(images),
                features.of_pixels(decoded_images),
                positions(originals, originals.masks()),
                positions(decoded, decoded.masks()),
            )
        )
    before, after, labels, decoded_labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return CodecView(before, after, labels, decoded_labels, angle_sum, angle_count)
