"""What is given of tiles before the rest is drawn: latents that stay, and images that drawn ones begin at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from specdm.models.flow import interpolate
from specdm.models.read_masks import ReadMasks


@dataclass(frozen=True)
class Start:
    """Images that are varied: what is drawn begins at them with some noise, not at noise alone.

    SDEdit (Meng et al. 2022, section 3) for a rectified flow: z_t = (1 - t) z + t e at the level t, from which the
    solver goes on.

    Attributes:
        latents: `(n, channels, y, x)`, of the given images, standardised as the denoiser has them.
        level: t, above 0 to 1; at 1 nothing of the given images is left.
    """

    latents: torch.Tensor
    level: float

    def noisy(self, noise: torch.Tensor) -> torch.Tensor:
        """What the solver begins with, `(n, channels, y, x)`."""
        return interpolate(self.latents, noise, torch.full_like(noise, self.level))

    def grid(self, levels: Sequence[float]) -> list[float]:
        """The noise levels below the start's, and the start's first."""
        return [self.level, *(level for level in levels if level < self.level)]


@dataclass(frozen=True)
class KnownLatents:
    """What is given of tiles before the rest is drawn.

    Attributes:
        latents: `(n, channels, y, x)`, standardised as the denoiser has them; anything where not known.
        cells: `(n, streams, y, x)` boolean, True where a stream's cell is given.
        read: masks that were read off what is given, of all pixels; None if nothing was.
        start: of the images that are drawn; None for noise.
    """

    latents: torch.Tensor
    cells: torch.Tensor
    read: ReadMasks | None = None
    start: Start | None = None
