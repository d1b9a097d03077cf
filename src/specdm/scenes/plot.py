"""Pictures of images, masks and spectra; tiles and the report draw with the same functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.classes import Classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNLABELLED_COLOR = "#e8e8e8"
NODATA_GREY = 0.5
"""Where an image has no data: a grey that no palette colour and no unlabelled pixel has."""

CHANGE_COLORS = ("#39424d", "#ff2f6d")
"""Unchanged and changed, where change is derived from two masks and so has no class colours of its own."""

# red, green, blue in nm: natural colours, then the usual composites for sensors that see less
COMPOSITES = ((660.0, 560.0, 480.0), (860.0, 650.0, 550.0), (1650.0, 860.0, 660.0))
NEAR_ENOUGH = 40.0
"""Farthest a band centre may lie (nm) from the wavelength it stands for."""

GAP_STEPS = 3.0
GAP_BANDS = 16
"""A spectrum is left open where the wavelength jumps by more than `GAP_STEPS` median steps. Sensors of fewer
than `GAP_BANDS` bands have jumps by design, nothing is missing there, and their points are joined."""

MOST_SPECTROMETERS = 6


def composite_bands(wavelength: np.ndarray | None, n_bands: int) -> tuple[int, int, int]:
    """Band positions shown as red, green and blue.

    The bands nearest to 660, 560 and 480 nm if the sensor covers them, else those of an infrared composite,
    else three spread evenly over all (which is also the choice without wavelengths; longest first, as red).

    Args:
        wavelength: band centres in nm, `(n_bands,)`, or None.
        n_bands: number of bands, at least 1.
    """
    if wavelength is not None:
        wavelength = np.asarray(wavelength, np.float64)
        for wanted in COMPOSITES:
            distance = np.abs(wavelength[None, :] - np.array(wanted)[:, None])
            nearest = distance.argmin(axis=1)
            if distance.min(axis=1).max() <= NEAR_ENOUGH and len(set(nearest.tolist())) == 3:
                red, green, blue = (int(band) for band in nearest)
                return red, green, blue
    order = np.arange(n_bands) if wavelength is None else np.argsort(wavelength)
    spread = order[[round(share * (n_bands - 1)) for share in (5 / 6, 1 / 2, 1 / 6)]]
    return int(spread[0]), int(spread[1]), int(spread[2])


def stretch_of(
    image: np.ndarray, wavelength: np.ndarray | None = None, *, percent: tuple[float, float] = (2.0, 98.0)
) -> np.ndarray:
    """Values shown as black and as white, from an image or many, for `false_colour(..., stretch=...)`.

    Take it from the real data and hand it to both, and real and synthetic pictures compare.

    Args:
        image: `(..., band, h, w)`, any units, NaN where no data.
        wavelength: band centres in nm, or None.
        percent: percentiles of the shown bands that become black and white.

    Returns:
        float64 `(3, 2)`: low and high for red, green, blue.
    """
    image = np.asarray(image)
    bands = composite_bands(wavelength, image.shape[-3])
    return composite_stretch(image[..., list(bands), :, :], percent=percent)


def composite_stretch(shown: np.ndarray, *, percent: tuple[float, float] = (2.0, 98.0)) -> np.ndarray:
    """Values shown as black and as white, from three given bands of an image or many.

    Args:
        shown: `(..., 3, h, w)`, any units, NaN where no data.
        percent: percentiles that become black and white.

    Returns:
        float64 `(3, 2)`: low and high for red, green, blue; 0 and 1 where nothing is valid.
    """
    planes = np.moveaxis(np.asarray(shown), -3, 0)
    valid = [plane[np.isfinite(plane)] for plane in planes]
    return np.array([np.percentile(plane, percent) if plane.size else (0.0, 1.0) for plane in valid])


def false_colour(
    image: np.ndarray, wavelength: np.ndarray | None = None, *, stretch: np.ndarray | None = None
) -> np.ndarray:
    """Three bands as red, green and blue.

    Args:
        image: `(band, h, w)` in any units, NaN where no data.
        wavelength: band centres in nm, or None.
        stretch: `(3, 2)` from `stretch_of`; by default the image's own 2nd and 98th percentiles.

    Returns:
        float32 `(h, w, 3)` in 0..1; grey where a shown band has no data.
    """
    image = np.asarray(image)
    return composite_picture(image[list(composite_bands(wavelength, image.shape[0]))], stretch=stretch)


def composite_picture(shown: np.ndarray, *, stretch: np.ndarray | None = None) -> np.ndarray:
    """Three given bands as red, green and blue.

    Args:
        shown: `(3, h, w)` in any units, NaN where no data.
        stretch: `(3, 2)` from `stretch_of`; by default the bands' own 2nd and 98th percentiles.

    Returns:
        float32 `(h, w, 3)` in 0..1; grey where a shown band has no data.
    """
    stretch = composite_stretch(shown) if stretch is None else stretch
    shown = np.moveaxis(np.asarray(shown, np.float32), 0, -1)
    low, high = np.asarray(stretch, np.float32).T
    # a band of one value would divide by zero; it becomes black or white as a whole
    with np.errstate(over="ignore"):
        picture = np.clip((shown - low) / np.maximum(high - low, np.finfo(np.float32).tiny), 0.0, 1.0)
    picture[~np.isfinite(shown).all(axis=-1)] = NODATA_GREY
    return picture


def coloured_mask(mask: np.ndarray, classes: Classes) -> np.ndarray:
    """A mask in the colours of its classes.

    Args:
        mask: `(h, w)` class values, `UNLABELLED` where there is no class.
        classes: what the values mean.

    Returns:
        float32 `(h, w, 3)` in 0..1; light grey where unlabelled.
    """
    palette = np.array([rgb(color) for color in (*classes.colors, UNLABELLED_COLOR)], np.float32)
    # the grey of unlabelled pixels stands last, where index -1 finds it
    return palette[classes.index_of(mask)]


def coloured_change(change: np.ndarray) -> np.ndarray:
    """A derived change map in `CHANGE_COLORS`.

    Args:
        change: `(h, w)` from `derived_change`: 0 unchanged, 1 changed, -1 unknown.

    Returns:
        float32 `(h, w, 3)` in 0..1; light grey where unknown.
    """
    palette = np.array([rgb(color) for color in (*CHANGE_COLORS, UNLABELLED_COLOR)], np.float32)
    return palette[change]


def rgb(color: str) -> tuple[float, float, float]:
    """A colour "#rrggbb" as three numbers in 0..1."""
    return int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255


def spectra_axis(
    ax: Axes,
    wavelength: np.ndarray | None,
    mean: np.ndarray,
    std: np.ndarray | None,
    colour: str,
    label: str | None,
    *,
    linestyle: str = "-",
) -> None:
    """Draw one mean spectrum with its spread, open where bands are missing.

    Args:
        ax: matplotlib axes; gets its axis label too.
        wavelength: band centres in nm, `(band,)`, in any order, or None (band numbers from 1 instead).
        mean: mean spectrum `(band,)`.
        std: standard deviation `(band,)` for a band of +-1 around the mean, or None.
        colour: "#rrggbb".
        label: for the legend, or None.
        linestyle: matplotlib's; tell real from synthetic by it.
    """
    ax.set_xlabel("band" if wavelength is None else "wavelength (nm)")
    for piece in _pieces(wavelength, len(mean)):
        across = (piece + 1) if wavelength is None else np.asarray(wavelength)[piece]
        # a band alone between two gaps has no line to draw, and few bands are points rather than a curve
        marker = "o" if len(piece) == 1 or len(mean) < GAP_BANDS else ""
        ax.plot(across, mean[piece], color=colour, lw=1.2, ls=linestyle, marker=marker, ms=3, label=label)
        if std is not None:
            ax.fill_between(
                across, mean[piece] - std[piece], mean[piece] + std[piece], color=colour, alpha=0.15, lw=0
            )
        label = None  # one legend entry for all pieces


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure to a picture file; the suffix says the format."""
    figure.savefig(Path(path), dpi=130)


def _pieces(wavelength: np.ndarray | None, n_bands: int) -> list[np.ndarray]:
    """Band positions as lines to draw, each of rising wavelength: cut where bands are missing."""
    if wavelength is None:
        return [np.arange(n_bands)]
    wavelength = np.asarray(wavelength)
    runs = _rising_runs(wavelength)
    if n_bands < GAP_BANDS:
        return runs
    rising = np.concatenate([np.diff(wavelength[run]) for run in runs])
    widest = GAP_STEPS * np.median(rising)
    return [
        piece
        for run in runs
        for piece in np.split(run, np.flatnonzero(np.diff(wavelength[run]) > widest) + 1)
    ]


def _rising_runs(wavelength: np.ndarray) -> list[np.ndarray]:
    """Band positions by spectrometer: where their ranges overlap, one line through both would zigzag."""
    order = np.arange(len(wavelength))
    if len(wavelength) > 1 and np.median(np.diff(wavelength)) < 0:
        order = order[::-1]
    runs = np.split(order, np.flatnonzero(np.diff(wavelength[order]) <= 0) + 1)
    # more runs than any instrument has spectrometers: the bands are simply in no order
    return runs if len(runs) <= MOST_SPECTROMETERS else [np.argsort(wavelength, kind="stable")]
