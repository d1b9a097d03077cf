"""When two tile sets, drawn in batches of other sizes or by other processes, are the same tiles."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-4
"""Of the spread of the values: sums in float32 hang on the batch, and on the processor, by their last digits."""


def assert_same_images(found: np.ndarray, expected: np.ndarray, *, tolerance: float = TOLERANCE) -> None:
    """Values of two stacks of tiles, alike but for rounding; gaps in the same places."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * float(np.nanstd(expected)))
