"""What can be asked of tiling, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specdm.errors import TileError
from specdm.tiles.layout import PIXEL_POLICIES

SPLIT_KINDS = ("blocks", "map", "none")


@dataclass(frozen=True)
class TilingOptions:
    """The options of `tile_scenes`, with its meanings.

    Raises:
        TileError: a value out of range, or values that contradict each other.
    """

    size: int
    stride: int | None
    split: str | Mapping[str, Sequence[str]]
    test_share: float
    val_share: float
    pixel_policy: str | None
    max_nodata: float
    max_train_tiles: int | None
    seed: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise TileError(f"size is {self.size}; expected at least 1 px")
        if self.stride is not None and not 1 <= self.stride <= self.size:
            raise TileError(f"stride is {self.stride}; expected 1 to the tile size, {self.size} px")
        if not isinstance(self.split, Mapping) and self.split not in SPLIT_KINDS:
            raise TileError(
                f"split is {self.split!r}; expected {', '.join(SPLIT_KINDS)} or the scenes' names by split"
            )
        for name in ("test_share", "val_share", "max_nodata"):
            if not 0 <= getattr(self, name) <= 1:
                raise TileError(f"{name} is {getattr(self, name)}; expected 0 to 1")
        if self.test_share + self.val_share >= 1:
            raise TileError(
                f"test_share {self.test_share} and val_share {self.val_share} leave nothing for training; "
                "expected a sum below 1"
            )
        if self.pixel_policy not in (None, *PIXEL_POLICIES):
            raise TileError(f"pixel_policy is {self.pixel_policy!r}; expected {' or '.join(PIXEL_POLICIES)}")
        if self.pixel_policy == "spectra_seen" and self.split != "map":
            raise TileError(
                "pixel_policy 'spectra_seen' goes with split='map' only; every other split keeps training "
                "tiles off test ground, so leave it away"
            )
        if self.max_train_tiles is not None and self.max_train_tiles < 1:
            raise TileError(f"max_train_tiles is {self.max_train_tiles}; expected at least 1")

    @property
    def policy(self) -> str:
        """The pixel policy in force."""
        return self.pixel_policy or ("spectra_seen" if self.split == "map" else "left_out")

    def recorded(self) -> dict[str, Any]:
        """The options as provenance keeps them, JSON-ready."""
        named = isinstance(self.split, Mapping)
        return {
            "size": self.size,
            "split": "by name" if named else self.split,
            "test_share": self.test_share,
            "val_share": self.val_share,
            "pixel_policy": self.policy,
            "max_nodata": self.max_nodata,
            "max_train_tiles": self.max_train_tiles,
            "seed": self.seed,
        }
