"""Bands of an image as a model has them: picked from those that are there, or resampled from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.band_names import are_default
from specdm.scenes.resampling import beyond, resampling_weights, weighted_bands
from specdm.synthesis.facts import NEAR_NM, TileFacts, band_difference

MOST_NAMED = 6


@dataclass(frozen=True)
class ImageBands:
    """What is known of the bands of one date of an image.

    Attributes:
        at: their positions in the image, int64 `(band,)`.
        name: one a band.
        wavelength, fwhm: nm, or None.
        left_out: bands of the file that were not taken, "NAME (reason)".
    """

    at: np.ndarray
    name: Sequence[str]
    wavelength: np.ndarray | None
    fwhm: np.ndarray | None
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class BandPick:
    """How the bands of one date of a model come from those of an image.

    Attributes:
        own: positions among the model's bands, int64 `(n,)`.
        at: positions in the image of the bands that are needed.
        weights: `(n, len(at))`; None if they are the model's as they are.
    """

    own: np.ndarray
    at: np.ndarray
    weights: np.ndarray | None

    def take(self, image: np.ndarray) -> np.ndarray:
        """The model's bands, float32 `(..., n, y, x)`, of an image `(..., band, y, x)`."""
        found = image[..., self.at, :, :]
        return found.astype(np.float32, copy=False) if self.weights is None else weighted_bands(found, self.weights)


def own_bands(facts: TileFacts, date: int) -> np.ndarray:
    """Positions of the bands that the date at a position has in a model, int64."""
    if facts.band_sensor is None or facts.date_sensor is None:
        return np.arange(len(facts.band_name))
    return np.flatnonzero(np.asarray(facts.band_sensor) == facts.date_sensor[date])


def pick_bands(image: ImageBands, facts: TileFacts, *, date: int, resample: bool, where: str) -> BandPick:
    """The model's bands of a date from those of an image; it may have more of them.

    Args:
        image: the bands that are there.
        facts: of the model.
        date: position of the date in the model.
        resample: compute bands that are not there from those around them, see `resampling_weights`.
        where: what messages call the image.

    Raises:
        SceneError: bands are lacking; says which, and whether resampling would help.
    """
    own = own_bands(facts, date)
    names = [facts.band_name[i] for i in own]
    wavelength = None if facts.wavelength is None else np.asarray(facts.wavelength)[own]
    if _same(image, names, wavelength):
        return BandPick(own, image.at, None)
    if image.wavelength is None or wavelength is None:
        return BandPick(own, image.at[_by_name(image, names, where=where)], None)
    distance = np.abs(image.wavelength[None, :] - wavelength[:, None])
    nearest = distance.argmin(axis=1)
    lacking = np.flatnonzero(distance.min(axis=1) > NEAR_NM)
    # bands of the same centre may be far narrower; whoever asks for resampling gets the model's widths
    if not resample and not lacking.size and len(set(nearest.tolist())) == len(nearest):
        return BandPick(own, image.at[nearest], None)
    if not resample or beyond(wavelength, image.wavelength).size:
        raise SceneError(f"{where}: {_lacking(image, wavelength, lacking, asked=resample)}")
    fwhm = None if facts.fwhm is None else np.asarray(facts.fwhm)[own]
    weights = resampling_weights(
        wavelength=image.wavelength, fwhm=image.fwhm, target_wavelength=wavelength, target_fwhm=fwhm
    )
    needed = np.flatnonzero((weights != 0).any(axis=0))
    return BandPick(own, image.at[needed], weights[:, needed])


def _same(image: ImageBands, names: Sequence[str], wavelength: np.ndarray | None) -> bool:
    if len(image.at) != len(names):
        return False
    listed = None if wavelength is None else wavelength.tolist()
    return band_difference(image.name, image.wavelength, names, listed) is None


def _by_name(image: ImageBands, names: Sequence[str], *, where: str) -> list[int]:
    """Without wavelengths names decide, or the mere number of bands where names say nothing."""
    lacking = [name for name in names if name not in image.name]
    if not lacking and len(set(image.name)) == len(image.name):
        return [list(image.name).index(name) for name in names]
    if len(image.name) == len(names) and (are_default(image.name) or are_default(names)):
        return list(range(len(names)))
    raise SceneError(
        f"{where}: has {len(image.name)} bands ({_listed(image.name)}), the model has {len(names)}; lacking "
        f"are {_listed(lacking)}. Give an image of the same bands, or wavelengths (--wavelengths) if they differ in "
        "name only"
    )


def _lacking(image: ImageBands, wavelength: np.ndarray, lacking: np.ndarray, *, asked: bool) -> str:
    """In what the bands differ, and what to do."""
    there = np.asarray(image.wavelength)
    missing = [f"{wavelength[i]:.1f}" for i in lacking]
    outside = beyond(wavelength, there)
    text = (
        f"has {len(there)} bands of {there.min():.1f} to {there.max():.1f} nm and lacks {len(lacking)} of the model's "
        f"{len(wavelength)} bands: {_listed(missing)} nm"
        if lacking.size
        else f"has {len(there)} bands, of which the same is nearest to two of the model's {len(wavelength)}"
    )
    if image.left_out and lacking.size:
        text += f" (left out of the file: {_listed(image.left_out)})"
    if not outside.size:
        return f"{text}. Its spectra can be resampled to the model's bands: add --resample"
    beyond_it = f"{_listed([f'{wavelength[i]:.1f}' for i in outside])} nm lie outside its spectrum"
    if len(outside) == len(wavelength):
        beyond_it = "their ranges do not overlap"
    cannot = "it cannot be resampled" if asked else "resampling does not help"
    return f"{text}; {beyond_it}, so {cannot}. Give an image of the model's bands"


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return (", ".join(items[:MOST_NAMED]) + more) if items else "none"
