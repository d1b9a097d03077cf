"""Whether a scene shows where its tiles were put together: spectral gradients across their borders and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.scene import Scene

WINDOW = 256
"""Pixels along the parts in which a scene is looked at."""


@dataclass(frozen=True)
class Seams:
    """Mean spectral gradients of a scene; a gradient is the length of the difference of neighbouring spectra.

    Attributes:
        at_borders: mean over pairs of neighbours on two sides of a border, in the image's units.
        elsewhere: over all other pairs; with cells over other pairs in two cells.
        by_phase: float64 `(spacing,)`, over pairs by how far behind a border they lie, in pixels; 0 is across it.
    """

    at_borders: float
    elsewhere: float
    by_phase: np.ndarray

    @property
    def ratio(self) -> float:
        """Gradient at borders over that elsewhere: 1 without seams, more with seams, less if they are blurred."""
        return self.at_borders / self.elsewhere


def measure_seams(
    scene: Scene, *, spacing: int, cell: int = 1, date: int = 0, bands: np.ndarray | None = None
) -> Seams:
    """Compare gradients across the lines of a lattice with those everywhere else, along rows and along columns.

    Pairs with a pixel that has no data do not count. The scene is read part by part.

    Args:
        scene: real or drawn.
        spacing: pixels from one border to the next; borders are left of columns, and above rows, that are multiples
            of it.
        cell: pixels along a cell of the model's codec, a divisor of the spacing. Within a cell spectra are more alike
            than across its border, in every tile, so that borders of tiles, which are borders of cells too, have to
            be held against other borders of cells; 1 holds them against everything.
        date: position of the date.
        bands: positions of the bands that count; default: those of the date.

    Raises:
        SceneError: the scene is too small to have a border, or has no neighbouring pixels with data.
    """
    if not 2 * cell <= spacing < max(scene.height, scene.width) or spacing % cell:
        raise SceneError(
            f"{scene.name}: no border every {spacing} px within {scene.height} x {scene.width} px and cells of {cell} "
            "px; expected a multiple of these, twice or more, and less than the longer side"
        )
    chosen = scene.bands_of(date) if bands is None else bands
    sums, counts = np.zeros(spacing), np.zeros(spacing)
    for y in range(0, scene.height, WINDOW):
        for x in range(0, scene.width, WINDOW):
            # one row and column more, so that the pair across the part's own border counts too
            top, left = max(0, y - 1), max(0, x - 1)
            height, width = min(y + WINDOW, scene.height) - top, min(x + WINDOW, scene.width) - left
            image = scene.window(top, left, height, width)[0][date, chosen].astype(np.float64)
            # pairs along rows, then along columns; none is counted in two parts
            for values, first, axis in ((image[:, y - top :], left, 2), (image[:, :, x - left :], top, 1)):
                length = np.sqrt(np.square(np.diff(values, axis=axis)).sum(axis=0))
                lines = length if axis == 2 else length.T
                phase = (first + 1 + np.arange(lines.shape[1])) % spacing
                there = np.isfinite(lines)
                np.add.at(sums, phase, np.where(there, lines, 0.0).sum(axis=0))
                np.add.at(counts, phase, there.sum(axis=0))
    others = slice(cell, None, cell)
    if not counts[0] or not counts[others].sum():
        raise SceneError(f"{scene.name}: has no neighbouring pixels with data, so that seams cannot be told")
    by_phase = np.divide(sums, counts, out=np.full(spacing, np.nan), where=counts > 0)
    return Seams(float(by_phase[0]), float(sums[others].sum() / counts[others].sum()), by_phase)
