"""Randomness of a simulation: one generator a purpose, and smooth random fields."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that one more draw here changes nothing there."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def smooth_field(
    random: np.random.Generator, shape: tuple[int, int], *, length: float, count: int | None = None
) -> np.ndarray:
    """Gaussian random fields, mean 0 and standard deviation 1, that wrap around at their edges.

    White noise filtered in the Fourier domain by a Gaussian; the correlation falls to exp(-1/4) at distance
    `length`.

    Args:
        random: where the numbers come from.
        shape: rows and columns.
        length: correlation length in pixels.
        count: number of fields; None gives one without that axis.

    Returns:
        float32 `(y, x)`, or `(count, y, x)`.
    """
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None, :]
    filtered = np.exp(-((np.pi * length) ** 2) * (rows**2 + columns**2))
    noise = random.standard_normal((count or 1, *shape))
    fields = np.fft.irfft2(np.fft.rfft2(noise) * filtered, s=shape)
    fields -= fields.mean(axis=(1, 2), keepdims=True)
    spread = fields.std(axis=(1, 2), keepdims=True)
    fields /= np.maximum(spread, 1e-12)  # a field of one pixel, or far smoother than its area, is flat
    return fields.astype(np.float32)[0 if count is None else slice(None)]
