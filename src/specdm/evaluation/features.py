"""The judge's own view of a spectrum: MNF components fitted on real training pixels.

The judge never borrows the codec's basis, so a codec that loses information cannot hide it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from specdm.models.spectral_basis import SpectralBasis

COMPONENTS = 24
FIT_VALUES = 12_000_000
"""Most image values the components are fitted on; the fit holds several double-precision copies of them."""


class SpectralFeatures:
    """Bands to components of unit variance over the real training pixels, best signal-to-noise first."""

    def __init__(self, basis: SpectralBasis) -> None:
        self.basis = basis

    @classmethod
    def fit(cls, images: np.ndarray, *, components: int = COMPONENTS) -> SpectralFeatures:
        """Fit on real training images.

        Args:
            images: `(n, channel, y, x)`, any units; pixels with a NaN are left out.
            components: most components; never more than there are channels.

        Raises:
            SceneError: fewer than two valid pixels.
        """
        from specdm.models.spectral_basis import SpectralBasis, spectra_statistics

        return cls(SpectralBasis(images.shape[1], components).fit(spectra_statistics(images)))

    @property
    def components(self) -> int:
        return self.basis.components

    def of_pixels(self, spectra: np.ndarray) -> np.ndarray:
        """`(..., channel)` to float32 `(..., component)`; NaN where a channel has no data."""
        import torch

        with torch.no_grad():
            flat = torch.as_tensor(np.ascontiguousarray(spectra, np.float32)).reshape(-1, spectra.shape[-1])
            components = (flat - self.basis.mean) @ self.basis.analysis.T
        found = components.numpy().reshape(*spectra.shape[:-1], self.components)
        found[~np.isfinite(found).all(axis=-1)] = np.nan
        return found
