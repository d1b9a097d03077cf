"""Tile sets on disk: one Zarr v3 store that plain `xarray.open_zarr` opens."""

from __future__ import annotations

import warnings
from pathlib import Path

import xarray as xr

from specdm.errors import TileError
from specdm.hub.fetch import Fetch
from specdm.hub.names import hub_name
from specdm.hub.versions import check_not_newer
from specdm.tiles.layout import TileLayout
from specdm.tiles.scores import TILE_SCORES, without_scores
from specdm.tiles.store_whole import NEXT_STEP, check_arrays, check_coordinates, has_whole_scores
from specdm.tiles.tile_coords import as_text, coords_of
from specdm.tiles.tileset import TileSet
from specdm.tiles.unfinished import unfinished_words
from specdm.tiles.writer import TileStoreWriter, batch_tiles

__all__ = ["TileStoreWriter", "open_tiles", "save_tiles"]


def save_tiles(tiles: TileSet, path: str | Path, *, overwrite: bool = False) -> TileSet:
    """Write a tile set, in bounded memory if it is lazy, with its scores if it has any, and open it from its store.

    Raises:
        TileError: the path exists and `overwrite` is off, or cannot be written, or the set is empty.
    """
    layout = TileLayout.of(tiles.dataset)
    batch = batch_tiles(layout)
    coords = coords_of(tiles.dataset) | ({TILE_SCORES: tiles.dataset[TILE_SCORES].values} if tiles.scored else {})
    with TileStoreWriter(path, layout, len(tiles), overwrite=overwrite, scored=tiles.scored) as writer:
        for number, (images, masks) in enumerate(tiles.batches(batch)):
            part = slice(number * batch, number * batch + len(images))
            part_coords = {key: values[part] for key, values in coords.items()}
            scores = tiles.reliability(part) if tiles.scored else None
            writer.write(part.start, images, masks, part_coords, tiles.amounts(part), scores)
    return open_tiles(path)


def open_tiles(
    path: str | Path,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
) -> TileSet:
    """Open a tile set; images, masks, amounts and score maps are read when they are asked for.

    Scores that are not whole, because what wrote them was killed, are left out.

    Args:
        path: a store, or a name on the Hugging Face Hub, "hf://datasets/owner/name", with or without "@revision":
            what `TileSet.push_to_hub` has sent. It is fetched and made a store once, below `HF_HOME`.
        revision, token, cache_dir: branch, tag or commit, access token and cache folder, for the Hub.

    Raises:
        TileError: there is nothing, or no tile set, or parts of it are missing, or it is not finished yet, or a newer
            version of SpecDM has written it.
        HubError: it cannot be fetched.
        ConfigError: the package pyarrow is missing, which tile sets of the Hub need.
    """
    if (name := hub_name(path, kind="dataset", revision=revision)) is not None:
        # here, not above: a package of its own, which knows stores
        from specdm.tiles.hub import hub_store

        path = hub_store(name, fetch=Fetch(token=token, cache_dir=cache_dir))
    path = Path(path)
    if not (path / "zarr.json").is_file() and (unfinished := unfinished_words(path)) is not None:
        raise TileError(unfinished)
    if not path.exists():
        raise TileError(f"{path} does not exist; expected a tile set that specdm has written")
    if not (path / "zarr.json").is_file():
        raise TileError(f"{path} is no tile set: it has no zarr.json; expected a store written by specdm")
    try:
        with warnings.catch_warnings():
            # a store that another program has written anew may have no consolidated metadata
            warnings.simplefilter("ignore", RuntimeWarning)
            dataset = xr.open_dataset(path, engine="zarr", chunks=None, cache=False)
        # the coordinates are small and used all the time, and numpy's own strings suit every consumer
        dataset = dataset.assign_coords(
            {
                name: (coord.dims, as_text(coord.values)) if coord.dtype.kind in "OTU" else coord.load()
                for name, coord in dataset.coords.items()
            }
        )
    except Exception as error:  # zarr, xarray and json raise about everything on broken metadata
        raise TileError(f"{path}: the tile set is damaged and cannot be opened ({error}); {NEXT_STEP}") from error
    check_not_newer(dataset.attrs.get("specdm_version"), where=str(path), error=TileError)
    check_coordinates(path, dataset)
    if not has_whole_scores(path, dataset):
        dataset = without_scores(dataset)
    tiles = TileSet(dataset, where=str(path))
    check_arrays(path, dataset)
    return tiles
