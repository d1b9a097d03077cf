"""The spectral basis: a closed-form linear map from bands to a few components, and back.

MNF (minimum noise fraction): Green, Berman, Switzer, Craig (1988), "A transformation for ordering
multispectral data in terms of image quality with implications for noise removal", IEEE TGRS 26(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.linalg import eigh
from torch import nn

from specdm.errors import SceneError

BasisKind = Literal["mnf", "pca", "none"]


@dataclass(frozen=True)
class BasisStatistics:
    """What a basis is computed from.

    Attributes:
        mean: mean spectrum, `(bands,)`, in the user's units.
        covariance: covariance of the spectra, `(bands, bands)`.
        noise: covariance of the noise of one pixel, `(bands, bands)`.
    """

    mean: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray


def spectra_statistics(images: np.ndarray, *, homogeneous_share: float = 0.5) -> BasisStatistics:
    """Mean, covariance and noise covariance of images.

    The noise of a pixel is estimated from differences of horizontal and vertical neighbours on
    homogeneous ground: of all neighbour pairs, the share with the smallest difference (in units of each
    band's own median difference) is kept, so that edges and texture count little. The halved covariance of
    the kept differences is then scaled so that its band variances match the robust (median) ones.

    Args:
        images: `(n, bands, y, x)`, any units; pixels with a NaN in any band are left out.
        homogeneous_share: share of the neighbour pairs that counts as homogeneous ground, in (0, 1].

    Raises:
        SceneError: fewer than two valid pixels.
    """
    bands = images.shape[1]
    pixels = np.moveaxis(images, 1, -1).reshape(-1, bands).astype(np.float64)
    pixels = pixels[np.isfinite(pixels).all(axis=1)]
    if len(pixels) < 2:
        raise SceneError(
            f"found {len(pixels)} pixels that are valid in all {bands} bands, expected at least 2: "
            "check the nodata value, or leave out the bands that have no data (bands=...)"
        )
    covariance = np.atleast_2d(np.cov(pixels, rowvar=False))
    pairs = [images[..., :, 1:] - images[..., :, :-1], images[..., 1:, :] - images[..., :-1, :]]
    differences = np.concatenate([np.moveaxis(p, 1, -1).reshape(-1, bands) for p in pairs]).astype(np.float64)
    differences = differences[np.isfinite(differences).all(axis=1)]
    if len(differences) < 2:
        noise = covariance * 1e-2
    else:
        # 0.6745: median of |N(0, 1)|, so that `spread` estimates a standard deviation.
        spread = np.median(np.abs(differences), axis=0) / 0.6745
        spread = np.maximum(spread, 1e-6 * np.sqrt(np.diag(covariance)) + 1e-12)
        size = np.square(differences / spread).mean(axis=1)
        kept = differences[size <= np.quantile(size, homogeneous_share)]
        noise = kept.T @ kept / len(kept) / 2
        truncation = np.median(np.square(spread) / 2 / np.maximum(np.diag(noise), 1e-30))
        noise = noise * truncation
    return BasisStatistics(mean=pixels.mean(axis=0), covariance=covariance, noise=noise)


class SpectralBasis(nn.Module):
    """Linear map between bands and components of unit variance, ordered by signal-to-noise (or variance).

    Buffers (so that they are saved with the codec):
        mean `(bands,)`; analysis `(components, bands)`; synthesis `(bands, components)`;
        snr `(components,)`, variance of each component in units of the noise variance, at least 1;
        noise_factor `(bands, bands)`, a factor L of the residual noise covariance L L^T: the part of the
        sensor noise that the kept components do not carry.
    """

    mean: torch.Tensor
    analysis: torch.Tensor
    synthesis: torch.Tensor
    snr: torch.Tensor
    noise_factor: torch.Tensor

    def __init__(self, bands: int, components: int):
        super().__init__()
        components = min(components, bands)
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("analysis", torch.zeros(components, bands))
        self.register_buffer("synthesis", torch.zeros(bands, components))
        self.register_buffer("snr", torch.ones(components))
        self.register_buffer("noise_factor", torch.zeros(bands, bands))

    @property
    def components(self) -> int:
        return self.analysis.shape[0]

    @torch.no_grad()
    def fit(self, statistics: BasisStatistics, *, kind: BasisKind = "mnf") -> SpectralBasis:
        """Compute the basis in closed form.

        MNF solves the generalised eigenproblem S v = snr N v of signal-plus-noise covariance S against
        noise covariance N (Green et al. 1988, eq. 7 with components in descending order); PCA is the same
        with N = identity, its `snr` still counted against the noise. "none" only standardises the bands, all of
        which it needs as components.
        """
        covariance, noise = statistics.covariance, statistics.noise
        ridge = np.diag(np.diag(noise)) * 1e-3 + np.eye(len(noise)) * (1e-9 * np.trace(covariance) / len(noise) + 1e-20)
        if kind == "none":
            kept = np.eye(len(noise))[:, : self.components]
        else:
            values, vectors = eigh(covariance, noise + ridge if kind == "mnf" else np.eye(len(noise)))
            kept = vectors[:, np.argsort(values)[::-1][: self.components]]
        noise_variance = np.einsum("bk,bc,ck->k", kept, noise + ridge, kept)
        # Equal bands or few pixels leave components without variance; unit variance would blow up rounding.
        variance = np.maximum(np.einsum("bk,bc,ck->k", kept, covariance, kept), 1e-4 * noise_variance)
        analysis = (kept / np.sqrt(variance)).T
        # The least-squares inverse in the data's own covariance, so that decoded spectra are the
        # conditional mean of the spectrum given its components.
        synthesis = covariance @ analysis.T @ np.linalg.pinv(
            analysis @ covariance @ analysis.T, rcond=1e-8, hermitian=True
        )
        left_out = np.eye(len(noise)) - synthesis @ analysis
        residual = left_out @ covariance @ left_out.T
        residual_values, residual_vectors = np.linalg.eigh((residual + residual.T) / 2)
        factor = residual_vectors * np.sqrt(np.maximum(residual_values, 0.0))
        for name, value in {
            "mean": statistics.mean,
            "analysis": analysis,
            "synthesis": synthesis,
            "snr": np.maximum(variance / noise_variance, 1.0),
            "noise_factor": factor,
        }.items():
            getattr(self, name).copy_(torch.as_tensor(value))
        return self

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Bands `(n, bands, y, x)` to components `(n, components, y, x)`."""
        centred = images - self.mean[:, None, None]
        return torch.einsum("kb,nbyx->nkyx", self.analysis, centred)

    def decode(self, components: torch.Tensor) -> torch.Tensor:
        """Components `(n, components, y, x)` to bands `(n, bands, y, x)`."""
        return torch.einsum("bk,nkyx->nbyx", self.synthesis, components) + self.mean[:, None, None]

    def standard_bands(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Axes of the components, one a row, and weights along them that give distances of standardised bands.

        With S the synthesis over each band's spread, |S (a - b)| is the distance of two pixels with components a and
        b; the eigenvectors of S^T S are axes along which it has a weight each. `(components, components)` orthonormal,
        `(components,)`.
        """
        spread = (self.synthesis.square().sum(dim=1) + self.noise_factor.square().sum(dim=1)).sqrt()
        standard = (self.synthesis / spread.clamp(min=1e-12)[:, None]).double()
        values, vectors = torch.linalg.eigh(standard.T @ standard)
        return vectors.T.float(), values.clamp(min=0.0).sqrt().float()

    def residual_noise(self, shape: tuple[int, int, int], *, generator: torch.Generator) -> torch.Tensor:
        """A draw of what the basis leaves out, `(n, bands, y, x)` for shape `(n, y, x)`, independent by pixel."""
        n, height, width = shape
        white = torch.randn(n, self.mean.shape[0], height, width, generator=generator)
        return torch.einsum("bc,ncyx->nbyx", self.noise_factor, white.to(self.noise_factor.device))
