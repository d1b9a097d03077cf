"""Whether a store has all of its parts: what is missing would silently read as the fill value of its array.

The writer puts every chunk of images, masks and amounts on the disk, so these are counted. Coordinates have fill values
that none of them can have, so theirs are looked at. A store that another program has written anew may have others.
"""

from __future__ import annotations

import os
from math import prod
from pathlib import Path

import numpy as np
import xarray as xr

from specdm.errors import TileError
from specdm.tiles.scores import SCORES, TILE_SCORES
from specdm.tiles.tile_coords import SPLITS

NO_NUMBER = np.iinfo(np.int64).min
NO_AMOUNT = -np.inf
NO_TEXT = "\N{REPLACEMENT CHARACTER} missing"

NEXT_STEP = "copy it anew from where it is whole, or write it again (the command that made it, with --overwrite)"


def fill_of(coord: xr.DataArray) -> int | float | str:
    """Fill value for a coordinate of a store: one that it cannot have."""
    if coord.dtype.kind in "iu":
        return NO_NUMBER
    return NO_AMOUNT if coord.dtype.kind == "f" else NO_TEXT


def check_coordinates(path: Path, dataset: xr.Dataset) -> None:
    """Raise TileError if a coordinate of a store, loaded, is not all there; scores are not looked at."""
    missing = [str(name) for name, coord in dataset.coords.items() if name not in SCORES and _has_fill(coord)]
    if missing:
        raise TileError(f"{path}: the tile set is damaged, parts of {', '.join(missing)} are missing; {NEXT_STEP}")
    strange = sorted(set(dataset["split"].values) - set(SPLITS)) if "split" in dataset else []
    if strange:
        raise TileError(f"{path}: the tile set is damaged, a tile has the split {str(strange[0])!r}; {NEXT_STEP}")


def check_arrays(path: Path, dataset: xr.Dataset) -> None:
    """Raise TileError unless every chunk of images, masks and amounts is there."""
    for name in (name for name in ("image", "mask", "amount") if name in dataset):
        expected, found = _chunks(path, dataset, name)
        if found < expected:
            missing = f"{expected - found} of {expected} {name} chunks"
            raise TileError(f"{path}: the tile set is damaged, {missing} are missing; {NEXT_STEP}")


def has_whole_scores(path: Path, dataset: xr.Dataset) -> bool:
    """Whether a store has scores, and all of them."""
    maps = [name for name in SCORES if name in dataset.data_vars]
    if TILE_SCORES not in dataset.coords or not maps or _has_fill(dataset[TILE_SCORES]):
        return False
    return all(found >= expected for expected, found in (_chunks(path, dataset, name) for name in maps))


def _has_fill(coord: xr.DataArray) -> bool:
    return bool((coord.values == fill_of(coord)).any())


def _chunks(path: Path, dataset: xr.Dataset, name: str) -> tuple[int, int]:
    """Chunks that an array of a store should have, and has."""
    variable = dataset[name]
    # every axis of a chunk, for stores that another program has written anew
    of_file = variable.encoding.get("shards") or variable.encoding["chunks"]
    expected = prod(-(-n // c) for n, c in zip(variable.shape, of_file, strict=True))
    found = sum(_is_chunk(Path(folder) / file) for folder, _, files in os.walk(path / name) for file in files)
    return expected, found


def _is_chunk(file: Path) -> bool:
    # files of the suffix ".partial" are what a killed writer of zarr has left
    return file.name != "zarr.json" and file.suffix != ".partial" and file.stat().st_size > 0
