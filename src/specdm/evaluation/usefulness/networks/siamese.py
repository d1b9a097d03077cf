"""A Siamese U-Net for change: both dates through one encoder, differences to the decoder.

FC-Siam-diff of Daudt, Le Saux and Boulch 2018, "Fully Convolutional Siamese Networks for Change Detection", ICIP.
As in the authors' code, the decoder starts from the deepest features of the later date, so that the direction of a
change is not lost, and every skip connection carries the absolute difference of both dates.

What differs: encoder and decoder are those of our `unet` (a 1x1 convolution first, five levels of 32 to 128 channels
rather than four of 16 to 128, no dropout), so that the two differ in how they fuse dates and in nothing else.
"""

from __future__ import annotations

import torch
from monai.networks.nets.basic_unet import BasicUNet
from torch import nn

from specdm.evaluation.usefulness.networks.layers import ACTIVATION, NORM, STEM
from specdm.evaluation.usefulness.networks.padded import Padded
from specdm.evaluation.usefulness.networks.unet import FEATURES, HALVINGS


class SiameseDifference(nn.Module):
    """Compares the first date with the last; dates between are not looked at.

    Args:
        bands: channels of one date.
        outputs: channels of the output.
    """

    def __init__(self, *, bands: int, outputs: int):
        super().__init__()
        self.bands = bands
        self.stem = nn.Conv2d(bands, STEM, 1)
        self.unet = BasicUNet(
            spatial_dims=2, in_channels=STEM, out_channels=outputs, features=FEATURES, act=ACTIVATION, norm=NORM
        )

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        # one batch of both dates: one pass through the encoder, and the same normalisation for both
        both = self._encode(torch.cat([tiles[:, : self.bands], tiles[:, -self.bands :]]))
        first, last = zip(*(features.chunk(2) for features in both), strict=True)
        decoded = last[-1]
        decoders = (self.unet.upcat_4, self.unet.upcat_3, self.unet.upcat_2, self.unet.upcat_1)
        for level, decoder in zip(reversed(range(HALVINGS)), decoders, strict=True):
            decoded = decoder(decoded, (first[level] - last[level]).abs())
        return self.unet.final_conv(decoded)

    def _encode(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features from full resolution down, of images `(n, band, y, x)`."""
        features = [self.unet.conv_0(self.stem(images))]
        for down in (self.unet.down_1, self.unet.down_2, self.unet.down_3, self.unet.down_4):
            features.append(down(features[-1]))
        return features


def build_siamese(*, channels: int, outputs: int, dates: int) -> nn.Module:
    """FC-Siam-diff for tiles of two or more dates.

    Args:
        channels: of the input, a multiple of `dates`.
        outputs: channels of the output.
        dates: at least 2.
    """
    return Padded(SiameseDifference(bands=channels // dates, outputs=outputs), multiple=2**HALVINGS)
