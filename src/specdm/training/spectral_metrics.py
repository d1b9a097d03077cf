"""How far apart two spectra are: ways to measure it, of which ground that is left out chooses."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from specdm.models.joint_model import JointModel

MOST_SNR = 1000.0
"""Components far above the noise, such as those of bands that are computed from others, weigh no more than this."""


@dataclass(frozen=True)
class Metric:
    """Distances along axes of the components of all dates.

    Attributes:
        axes: one a row, orthonormal, of one date each, `(components, components)`.
        weights: of distances along them, `(components,)`.
    """

    axes: torch.Tensor
    weights: torch.Tensor


def metrics_of(model: JointModel) -> list[Metric]:
    """In units of the sensor's noise first, then in spreads of the bands.

    The first tells crops apart that differ by little more than the noise (Indian Pines: mean IoU 0.41 to 0.51 with a
    tenth of the labels, 0.31 to 0.37 by the second), the second what differs as a whole (Jasper Ridge, three
    seeds of four: 0.70 to 0.95, 0.68 to 0.91 by the first; `benchmarks/NOTES.md`).
    """
    return [noise_units(model.component_snr), standard_bands(model)]


def noise_units(snr: torch.Tensor) -> Metric:
    """Components in units of the noise, from their variances in such units, `(components,)`."""
    snr = snr.cpu()
    return Metric(torch.eye(len(snr)), snr.clamp(max=MOST_SNR).sqrt())


def standard_bands(model: JointModel) -> Metric:
    """Bands in units of their spread, as far as the components carry them."""
    found = [basis.standard_bands() for basis in model.bases]
    axes, weights = zip(*found, strict=True) if found else ((), ())
    return Metric(torch.block_diag(*axes).cpu(), torch.cat([torch.zeros(0), *weights]).cpu())
