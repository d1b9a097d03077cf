"""A second look of the same sensor at the same ground: sensor noise taken off and drawn anew."""

from __future__ import annotations

import numpy as np

from specdm.errors import SceneError

WINDOW_PX = 3
"""Window of the noise filter: the least there is, because fields can be a few pixels wide."""

LEAST_NOISE = 0.25
"""Share of the semivariance of neighbours that is taken as noise at least."""


def second_look(image: np.ndarray, *, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The ground without most of its noise, and fresh sensor noise to put on it.

    An image of one date carries that date's noise; copied into another date it would make two dates agree in what
    no two dates share. So it is taken off and drawn anew, in the components of the maximum noise fraction
    (`specdm.models.spectral_basis`, noise from neighbour differences), where noise is white and its variance
    known. It is taken off by the local statistics filter (Lee 1980, "Digital image enhancement and noise filtering
    by use of local statistics", IEEE TPAMI 2(2)), which averages where neighbours differ by no more than noise and
    leaves edges and texture as they are: there some of the old noise stays. Noise is taken as Gaussian,
    independent from pixel to pixel and the same for bright and dark ground.

    Args:
        image: `(band, y, x)`, any units; pixels with a NaN in any band stay NaN in all.
        random: draws the noise.

    Returns:
        ground and noise, float64 `(band, y, x)`, in the units of the image.

    Raises:
        SceneError: fewer than two pixels have data in all bands.
    """
    import torch

    from specdm.models.spectral_basis import SpectralBasis, spectra_statistics

    bands = image.shape[0]
    valid = np.isfinite(image).all(axis=0)
    if valid.sum() < 2:
        raise SceneError("fewer than two pixels have data in all bands, so no noise can be estimated; use noise=False")
    basis = SpectralBasis(bands, bands).double().fit(spectra_statistics(image[None]))
    with torch.no_grad():
        components = basis.encode(torch.as_tensor(np.asarray(image, np.float64)[None]))[0].numpy()
        noise_variance = [_noise_variance(c, float(snr)) for c, snr in zip(components, basis.snr, strict=True)]
        ground = np.stack([_filtered(c, valid, v) for c, v in zip(components, noise_variance, strict=True)])
        noise = np.sqrt(np.array(noise_variance))[:, None, None] * random.standard_normal(components.shape)
        decoded = basis.decode(torch.as_tensor(np.stack([ground, noise]))).numpy()
    return decoded[0], decoded[1] - basis.mean.numpy()[:, None, None]


def _noise_variance(component: np.ndarray, snr: float) -> float:
    """Noise variance of a component `(y, x)` of variance 1, signal-to-noise ratio `snr` and noise 1 / snr by MNF.

    Differences of neighbours hold fine texture too, which would come back as grain. What is left of their
    semivariance at no distance, by a line through one and two pixels (the nugget), is the noise of components that
    have signal; components without have nothing but noise.
    """
    near, far = (_semivariance(component, lag) for lag in (1, 2))
    nugget = min(max(2 * near - far, LEAST_NOISE * near), 1 / snr)
    return (1 / snr) * (1 / snr) + nugget * (1 - 1 / snr)


def _semivariance(component: np.ndarray, lag: int) -> float:
    """Half the squared difference of pixels so far apart in rows and columns, by the median of its size."""
    steps = (component[:, lag:] - component[:, :-lag], component[lag:] - component[:-lag])
    sizes = np.concatenate([np.abs(step[np.isfinite(step)]) for step in steps])
    # 0.6745: median of |N(0, 1)|
    return float(np.square(np.median(sizes) / 0.6745) / 2) if sizes.size else 0.0


def _filtered(component: np.ndarray, valid: np.ndarray, noise_variance: float) -> np.ndarray:
    """One component `(y, x)` of mean 0 and variance 1 without its noise; NaN where not valid."""
    from scipy.ndimage import uniform_filter

    weight = uniform_filter(valid.astype(np.float64), WINDOW_PX)
    values = np.where(valid, component, 0.0)
    weight = np.maximum(weight, 1e-9)
    mean = uniform_filter(values, WINDOW_PX) / weight
    variance = np.maximum(uniform_filter(values**2, WINDOW_PX) / weight - mean**2, 1e-12)
    # what a mean over the window keeps of the noise is shrunk by the component's own signal to noise
    left = noise_variance / WINDOW_PX**2
    signal = max(1.0 - noise_variance, 0.0)
    local = np.maximum(1.0 - noise_variance / variance, 0.0) * (component - mean) if signal else 0.0
    return np.where(valid, mean * signal / (signal + left) + local, np.nan)
