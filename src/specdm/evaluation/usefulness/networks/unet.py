"""A U-Net for spectral tiles."""

from __future__ import annotations

from monai.networks.nets.basic_unet import BasicUNet
from torch import nn

from specdm.evaluation.usefulness.networks.layers import ACTIVATION, NORM, STEM
from specdm.evaluation.usefulness.networks.padded import Padded

FEATURES = (32, 32, 64, 128, 128, 16)
"""Channels of the five levels from full resolution down, and of the last layer but one."""

HALVINGS = len(FEATURES) - 2


def build_unet(*, channels: int, outputs: int) -> nn.Module:
    """MONAI's BasicUNet (Ronneberger et al. 2015; Falk et al. 2019) behind a 1x1 convolution.

    Args:
        channels: of the input, all dates together.
        outputs: channels of the output.
    """
    network = nn.Sequential(
        nn.Conv2d(channels, STEM, 1),
        BasicUNet(spatial_dims=2, in_channels=STEM, out_channels=outputs, features=FEATURES, act=ACTIVATION, norm=NORM),
    )
    return Padded(network, multiple=2**HALVINGS)
