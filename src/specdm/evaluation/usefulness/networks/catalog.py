"""The networks that come with the benchmark, each with the tasks it is for."""

from __future__ import annotations

from dataclasses import dataclass

_ALL = ("segmentation", "change", "regression")


@dataclass(frozen=True)
class NetworkInfo:
    """What a user chooses a network by.

    Attributes:
        about: one line.
        tasks: some of segmentation, change, regression.
    """

    about: str
    tasks: tuple[str, ...]


NETWORKS = {
    "unet": NetworkInfo("U-Net; change by early fusion, the dates stacked as channels", _ALL),
    "swin": NetworkInfo("Swin transformer with a U-Net's decoder; change by early fusion", _ALL),
    "freenet": NetworkInfo("FreeNet, a spectral-spatial network for hyperspectral images", ("segmentation",)),
    "siamese": NetworkInfo("FC-Siam-diff, a U-Net that sees how two dates differ", ("change",)),
}
"""Names of networks, for `build_network`."""
