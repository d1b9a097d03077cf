"""The two ends of writing a store: whether its name is free, and the move to that name when it is whole."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from specdm.errors import TileError
from specdm.tiles.layout import TileLayout
from specdm.tiles.leftovers import take_place
from specdm.tiles.store_whole import fill_of


def check_free(path: Path, overwrite: bool) -> None:
    """Raise TileError unless a store may be written at `path`."""
    if not path.exists():
        return
    if not overwrite:
        raise TileError(f"{path} exists already; choose another name or ask to overwrite it")
    if not is_tile_store(path):
        raise TileError(f"{path} is no tile set, so it is not overwritten; choose another name")


def write_frame(folder: Path, layout: TileLayout, blocks: Iterable[Mapping[str, np.ndarray]]) -> None:
    """Write all but images, masks and amounts into a folder, as Zarr.

    Args:
        folder: with or without arrays of tiles.
        layout: of the tile set.
        blocks: coordinates of all tiles, block after block, so that those of very many need never be in memory.
    """
    with warnings.catch_warnings():
        # strings are newer than the Zarr v3 core; every reader in use has them
        warnings.simplefilter("ignore")
        for number, tiles in enumerate(blocks):
            frame = layout.frame(tiles)
            texts = [name for name, coord in frame.coords.items() if coord.dtype.kind in "UT"]
            frame = frame.assign_coords({name: frame[name].astype(object) for name in texts})
            frame.to_zarr(
                folder,
                mode="a",
                append_dim="tile" if number else None,
                zarr_format=3,
                consolidated=False,
                encoding={} if number else {name: {"fill_value": fill_of(frame[name])} for name in frame.variables},
            )


def put_in_place(folder: Path, path: Path, *, overwrite: bool) -> None:
    """Gather the metadata of a store that is whole in `folder`, and rename it to `path`.

    Raises:
        TileError: the name is taken.
        OSError: it cannot be renamed; what was at `path` is there as before.
    """
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # consolidated metadata, as above
        zarr.consolidate_metadata(str(folder))
    check_free(path, overwrite)
    take_place(folder, path)


def is_tile_store(path: Path) -> bool:
    """Whether a tile set is at `path`, be it damaged."""
    try:
        return "specdm_version" in json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError):
        return False
