"""A Swin transformer for spectral tiles, with the decoder of a U-Net.

Encoder after Liu et al. 2021, "Swin Transformer", ICCV (windowed attention, shifted every second block, patches merged
between stages); decoder with skip connections from every stage and from full resolution as in Hatamizadeh et al. 2022,
"Swin UNETR". MONAI's own SwinUNETR halves a tile five times, which leaves one token of a 32 px tile, and normalises by
instance; here are three stages with windows of 4 x 4 tokens, put together from MONAI's blocks.
"""

from __future__ import annotations

import torch
from monai.networks.nets.basic_unet import TwoConv, UpCat
from monai.networks.nets.swin_unetr import PatchMergingV2, SwinTransformerBlock, compute_mask, get_window_size
from torch import nn

from specdm.evaluation.usefulness.networks.layers import ACTIVATION, NORM, STEM
from specdm.evaluation.usefulness.networks.padded import Padded

PATCH = 2
"""Pixels along a token."""

WINDOW = 4
"""Tokens along a window of attention."""

WIDTHS = (32, 64, 128)
HEAD = 16
DETAIL = 32
"""Channels at full resolution."""


class Stage(nn.Module):
    """A block of attention in windows, then one in windows shifted by half.

    Args:
        width: channels of a token.
    """

    def __init__(self, width: int):
        super().__init__()
        self.blocks = nn.ModuleList(
            SwinTransformerBlock(
                dim=width, num_heads=width // HEAD, window_size=(WINDOW, WINDOW), shift_size=(shift, shift)
            )
            for shift in (0, WINDOW // 2)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens `(n, y, x, width)` to the same."""
        across = tuple(tokens.shape[1:3])
        window, shift = get_window_size(across, (WINDOW, WINDOW), (WINDOW // 2, WINDOW // 2))
        # a shifted window that wraps around the edge must not see both sides of it
        mask = compute_mask(across, window, shift, tokens.device)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens


class SwinUNet(nn.Module):
    """Tokens in three stages, each half as many along a side, and convolutions back up.

    Args:
        channels: of the input.
        outputs: channels of the output.
    """

    def __init__(self, *, channels: int, outputs: int):
        super().__init__()
        self.stem = nn.Conv2d(channels, STEM, 1)
        self.detail = TwoConv(2, STEM, DETAIL, ACTIVATION, NORM, True)
        self.patches = nn.Conv2d(STEM, WIDTHS[0], PATCH, stride=PATCH)
        self.stages = nn.ModuleList(Stage(width) for width in WIDTHS)
        self.merging = nn.ModuleList(PatchMergingV2(width, spatial_dims=2) for width in WIDTHS[:-1])
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in WIDTHS)
        below, above = WIDTHS[::-1], (*WIDTHS[-2::-1], DETAIL)
        self.decoders = nn.ModuleList(
            UpCat(2, low, high, high, ACTIVATION, NORM, True) for low, high in zip(below, above, strict=True)
        )
        self.last = nn.Conv2d(DETAIL, outputs, 1)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        stem = self.stem(tiles)
        skips = [self.detail(stem)]
        tokens = self.patches(stem).movedim(1, -1)
        for index, (stage, norm) in enumerate(zip(self.stages, self.norms, strict=True)):
            if index:
                tokens = self.merging[index - 1](tokens)
            tokens = stage(tokens)
            skips.append(norm(tokens).movedim(-1, 1))
        decoded = skips.pop()
        for decoder in self.decoders:
            decoded = decoder(decoded, skips.pop())
        return self.last(decoded)


def build_swin(*, channels: int, outputs: int) -> nn.Module:
    """The transformer for tiles of any size.

    Args:
        channels: of the input, all dates together.
        outputs: channels of the output.
    """
    # whole windows in every stage: the relative positions that MONAI's attention learns hold for these only
    return Padded(SwinUNet(channels=channels, outputs=outputs), multiple=PATCH * 2 ** (len(WIDTHS) - 1) * WINDOW)
