"""FreeNet, a network made for hyperspectral images: it weighs its spectral features before it looks around.

After Zheng, Zhong, Ma and Zhang 2020, "FPGA: Fast Patch-Free Global Learning Framework for Fully End-to-End
Hyperspectral Image Classification", IEEE TGRS 58(8): an encoder of spectral attention and 3x3 convolutions with group
norm, halved by strided convolutions; a light decoder that goes up by nearest neighbours, adds lateral 1x1 convolutions
and refines with one 3x3 convolution a level.

What differs: a 1x1 convolution to 32 channels comes first, where the paper goes from all bands by 3x3; widths 32 to 128
rather than 96 to 256, 32 rather than 128 in the decoder, 8 rather than 16 groups, attention squeezed 4 rather than
16 times. The paper trains on one whole scene with its global stochastic stratified sampling; that belongs to the
training and is not here.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from specdm.evaluation.usefulness.networks.layers import STEM
from specdm.evaluation.usefulness.networks.padded import Padded

WIDTHS = (32, 64, 96, 128)
"""Channels from full resolution down."""

LATERAL = 32
GROUPS = 8
SQUEEZED = 4
"""How many times fewer numbers the spectral attention decides by than there are channels."""


class SpectralAttention(nn.Module):
    """Scales each channel by what the tile shows on average (squeeze and excitation, Hu et al. 2018)."""

    def __init__(self, width: int):
        super().__init__()
        self.squeeze = nn.Linear(width, width // SQUEEZED)
        self.excite = nn.Linear(width // SQUEEZED, width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        weights = torch.sigmoid(self.excite(F.relu(self.squeeze(features.mean(dim=(2, 3))))))
        return features * weights[:, :, None, None]


def _convolution(width: int, wider: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, wider, 3, padding=1), nn.GroupNorm(GROUPS, wider), nn.ReLU(inplace=True))


def _halving(width: int, wider: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, wider, 3, stride=2, padding=1), nn.ReLU(inplace=True))


class FreeNet(nn.Module):
    """Encoder with spectral attention, decoder with lateral connections.

    Args:
        channels: of the input.
        outputs: channels of the output.
    """

    def __init__(self, *, channels: int, outputs: int):
        super().__init__()
        self.stem = nn.Conv2d(channels, STEM, 1)
        self.first = _convolution(STEM, WIDTHS[0])
        self.stages = nn.ModuleList(
            nn.Sequential(SpectralAttention(width), _convolution(width, width)) for width in WIDTHS
        )
        self.halvings = nn.ModuleList(_halving(*pair) for pair in pairwise(WIDTHS))
        self.laterals = nn.ModuleList(nn.Conv2d(width, LATERAL, 1) for width in WIDTHS)
        self.refinements = nn.ModuleList(nn.Conv2d(LATERAL, LATERAL, 3, padding=1) for _ in WIDTHS)
        self.last = nn.Conv2d(LATERAL, outputs, 1)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        features = self.first(self.stem(tiles))
        lateral = []
        for level, stage in enumerate(self.stages):
            features = stage(self.halvings[level - 1](features) if level else features)
            lateral.append(self.laterals[level](features))
        decoded = self.refinements[-1](lateral[-1])
        for shown, refine in zip(lateral[-2::-1], self.refinements[-2::-1], strict=True):
            decoded = refine(shown + F.interpolate(decoded, scale_factor=2.0, mode="nearest"))
        return self.last(decoded)


def build_freenet(*, channels: int, outputs: int) -> nn.Module:
    """FreeNet for tiles of any size.

    Args:
        channels: of the input, all dates together.
        outputs: channels of the output.
    """
    return Padded(FreeNet(channels=channels, outputs=outputs), multiple=2 ** (len(WIDTHS) - 1))
