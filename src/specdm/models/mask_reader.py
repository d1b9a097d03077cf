"""Reads masks off images: class probabilities and amounts of every pixel from spectra and their surroundings.

The joint denoiser can be asked for masks given an image too, but it learns that from few of its training tiles: after
five minutes on Indian Pines it labelled 0.6 of the test pixels right, where this small network reaches 0.9 in a minute
(`benchmarks/NOTES.md`). It is normalised pixel by pixel, so that a scene reads the same in windows of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional as F

from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.neighbourhood import with_neighbours
from specdm.models.spectral_reader import WINDOW, SpectralReader, counted_with_changes, with_changes

SPREAD = 1e-5
LEAST_CHANCE = 1e-6


@dataclass(frozen=True)
class MaskReading:
    """What a reader says of tiles.

    Attributes:
        logits: `(n, layer, classes, y, x)`.
        amounts: `(n, quantity, y, x)`, in units of their own spread; abundances as they are.
    """

    logits: torch.Tensor
    amounts: torch.Tensor


class PixelNorm(nn.Module):
    """Each pixel's channels to zero mean and unit variance."""

    def __init__(self, channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        return centred * torch.rsqrt(centred.square().mean(dim=1, keepdim=True) + SPREAD) * self.scale + self.shift


class DilatedBlock(nn.Module):
    """A dilated 3x3 convolution and a 1x1 convolution around a skip."""

    def __init__(self, channels: int, *, dilation: int):
        super().__init__()
        self.norm = PixelNorm(channels)
        self.around = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.mixed = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.mixed(F.silu(self.around(F.silu(self.norm(x)))))


class MaskReader(ModelMixin, ConfigMixin):
    """Components of the images of all dates to what masks say.

    Args:
        components: of all dates together.
        layers: mask layers.
        classes: of each layer.
        quantities: of a continuous mask.
        closed: whether the quantities are abundances.
        width: channels.
        dilations: of the blocks, one each; they look 1 + the sum of these pixels around.
        points: labelled pixels that a machine of single spectra beside the network remembers; 0: there is none, and
            no pixel listens to its neighbours.
        dates: with equally many components each, whose changes are looked at too; 1: no changes are.
    """

    config_name = "config.json"  # type: ignore[assignment]
    amount_mean: torch.Tensor
    amount_std: torch.Tensor
    temperature: torch.Tensor
    spectral_share: torch.Tensor
    neighbourhood: torch.Tensor

    @register_to_config
    def __init__(
        self,
        components: int,
        layers: int,
        classes: int,
        quantities: int = 0,
        closed: bool = False,
        width: int = 64,
        dilations: Sequence[int] = (1, 2, 3),
        points: int = 0,
        dates: int = 1,
    ):
        super().__init__()
        self.first = nn.Conv2d(counted_with_changes(components, dates=dates) + 1, width, 1)
        self.blocks = nn.Sequential(*[DilatedBlock(width, dilation=dilation) for dilation in dilations])
        self.last = nn.Conv2d(width, layers * classes + quantities, 1)
        self.register_buffer("amount_mean", torch.zeros(quantities))
        self.register_buffer("amount_std", torch.ones(quantities))
        self.register_buffer("temperature", torch.ones(()))
        self.spectral: SpectralReader | None = None
        kept = bool(points and layers and classes)
        # not saved without the machine, as readers from before it have none
        self.register_buffer("neighbourhood", torch.zeros(layers, dtype=torch.int64), persistent=kept)
        if kept:
            self.spectral = SpectralReader(
                components=components, dates=dates, layers=layers, classes=classes, points=points
            )
            self.register_buffer("spectral_share", torch.zeros(layers))

    @property
    def reach(self) -> int:
        """Pixels around a pixel that its reading depends on."""
        around = max(sum(self.config["dilations"]), WINDOW // 2 if self.spectral is not None else 0)
        return around + max([0, *self.neighbourhood.tolist()])

    def forward(self, components: torch.Tensor) -> MaskReading:
        """What masks say where images look so.

        Args:
            components: `(n, components, y, x)`, NaN where there are no data.
        """
        valid = components.isfinite().all(dim=1, keepdim=True)
        shown = with_changes(torch.where(valid, components, 0.0), dates=self.config["dates"])
        found = self.last(F.silu(self.blocks(self.first(torch.cat([shown, valid.to(shown.dtype)], dim=1)))))
        layers, classes = self.config["layers"], self.config["classes"]
        logits, amounts = found.split([layers * classes, self.config["quantities"]], dim=1)
        if self.config["closed"]:
            amounts = amounts.softmax(dim=1)
        return MaskReading(logits.unflatten(1, (layers, classes)), amounts)

    def chances(self, reading: MaskReading) -> torch.Tensor:
        """Class probabilities `(n, layer, classes, y, x)`: logits over a temperature that held-out ground has set.

        Guo et al. 2017, "On calibration of modern neural networks", section 4.2.
        """
        return (reading.logits / self.temperature).softmax(dim=2)

    @torch.no_grad()
    def pooled(self, chances: torch.Tensor, components: torch.Tensor) -> torch.Tensor:
        """Class probabilities of the network, of single spectra, and of neighbours that look alike put together.

        The logarithms of the first two are averaged, weighted by what held-out ground says of each layer: a logarithmic
        opinion pool, Genest and Zidek 1986, "Combining probability distributions", Statistical Science 1, eq. 3.4.

        Args:
            chances: of the network, `(n, layer, classes, y, x)`.
            components: `(n, components, y, x)`, which it has read.
        """
        if self.spectral is not None and bool(self.spectral_share.any()):
            network = chances.clamp(min=LEAST_CHANCE).log()
            chances = pool(network, self.spectral(components), share=self.spectral_share)
        return with_neighbours(chances, components, reach=self.neighbourhood, dates=self.config["dates"])

    def loss(
        self, components: torch.Tensor, positions: torch.Tensor, amounts: torch.Tensor, *, share: BatchShare = WHOLE
    ) -> torch.Tensor:
        """Cross-entropy of labelled pixels plus squared error of known amounts in units of their spread.

        Args:
            components: `(n, components, y, x)`.
            positions: `(n, layer, y, x)`, -1 where unlabelled.
            amounts: `(n, quantity, y, x)`, NaN where unknown.
            share: which part of a batch this is.
        """
        reading = self(components)
        total = reading.logits.sum() * 0.0 + reading.amounts.sum() * 0.0
        # not only where something is known: all processes that share a batch must ask for its counts
        if positions.shape[1]:
            logits, truth = reading.logits.flatten(0, 1), positions.flatten(0, 1)
            entropy = F.cross_entropy(logits, truth, ignore_index=-1, reduction="sum")
            total = total + share.mean(entropy, (positions >= 0).sum())
        known = amounts.isfinite()
        if amounts.shape[1]:
            mean, std = self.amount_mean[:, None, None], self.amount_std[:, None, None]
            wanted = amounts if self.config["closed"] else (amounts - mean) / std
            scale = std if self.config["closed"] else torch.ones_like(std)
            error = ((reading.amounts - wanted) / scale).masked_fill(~known, 0.0).square()
            total = total + share.mean(error.sum(), known.sum())
        return total

    @torch.no_grad()
    def fit_amounts(self, amounts: torch.Tensor) -> None:
        """Take mean and spread of each quantity over its known pixels, from `(n, quantity, y, x)`."""
        for q, values in enumerate(amounts.movedim(1, 0)):
            known = values[values.isfinite()]
            if len(known) > 1:
                self.amount_mean[q], self.amount_std[q] = known.mean(), known.std().clamp(min=1e-6)

    def amounts_of(self, reading: MaskReading) -> torch.Tensor:
        """Amounts in the user's units, `(n, quantity, y, x)`."""
        if self.config["closed"]:
            return reading.amounts
        return reading.amounts * self.amount_std[:, None, None] + self.amount_mean[:, None, None]


def pool(network: torch.Tensor, spectral: torch.Tensor, *, share: torch.Tensor) -> torch.Tensor:
    """Class probabilities from two sets of their logarithms `(n, layer, classes, y, x)`.

    Args:
        network, spectral: the two.
        share: of the second, 0 to 1, `(layers,)`.
    """
    second = share[:, None, None, None]
    return ((1 - second) * network + second * spectral).softmax(dim=2)
