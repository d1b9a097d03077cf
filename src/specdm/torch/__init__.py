"""Tile sets in PyTorch training loops: a dataset, transforms, a mixture of real and synthetic, a Lightning data module.

Within this folder `import torch` is PyTorch: imports are absolute.

Example:
    >>> from torch import nn
    >>> from specdm.torch import FillNoData, MixedDataset, RandomOrientation, Standardize, TileDataset
    >>> real = TileDataset("run/tiles/tiles.zarr", split="train")
    >>> real.transform = nn.Sequential(Standardize.fit(real), FillNoData(0.0), RandomOrientation())
    >>> synthetic = TileDataset("run/synthetic/tiles.zarr", transform=real.transform)
    >>> mixed = MixedDataset(real, synthetic, ratio=0.5)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.torch.data_module import TileDataModule
    from specdm.torch.dataset import TileDataset
    from specdm.torch.mixed import EpochSampler, MixedDataset
    from specdm.torch.transforms import FillNoData, RandomOrientation, Standardize

__all__ = [
    "EpochSampler",
    "FillNoData",
    "MixedDataset",
    "RandomOrientation",
    "Standardize",
    "TileDataModule",
    "TileDataset",
]

_HOMES = {
    "EpochSampler": "mixed",
    "FillNoData": "transforms",
    "MixedDataset": "mixed",
    "RandomOrientation": "transforms",
    "Standardize": "transforms",
    "TileDataModule": "data_module",
    "TileDataset": "dataset",
}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562): a plain loop need not wait for Lightning
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
