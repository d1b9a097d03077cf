"""Tile sets on the Hub: Parquet files with a data set card, which anyone opens with `datasets.load_dataset`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from specdm.errors import TileError
from specdm.hub.fetch import Fetch
from specdm.hub.names import HubName, new_name
from specdm.hub.send import Send
from specdm.tiles.export.card_parts import with_licence
from specdm.tiles.export.exporting import CARD, export_tiles
from specdm.tiles.export.manifest import MANIFEST
from specdm.tiles.export.parquet_store import read_record, store_parquet
from specdm.tiles.export.place import RECORD
from specdm.tiles.tileset import TileSet

DATA = "data/*.parquet"


def push_tiles(
    tiles: TileSet,
    repo_id: str,
    *,
    private: bool | None = None,
    token: str | bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    licence: str | None = None,
    callback: Callable[[int, int], None] | None = None,
) -> str:
    """Send a tile set to the Hub, see `TileSet.push_to_hub`.

    Args:
        callback: called with (tiles written, all), before they are sent.
    """
    from huggingface_hub import cached_assets_path

    send = Send(
        new_name(repo_id, kind="dataset", revision=revision),
        private=private,
        token=token,
        message=commit_message or f"Upload {len(tiles)} tiles",
    )
    # not the system's own place, which often is small or in memory
    with tempfile.TemporaryDirectory(dir=cached_assets_path("specdm", namespace="sending")) as place:
        folder = Path(place) / "tiles"
        export_tiles(tiles, format="hf", folder=folder, callback=callback, before=send.prepare)
        if licence is not None:
            card = folder / CARD
            text = with_licence(card.read_text(encoding="utf-8"), licence)
            card.write_text(text, encoding="utf-8", newline="\n")
        return send.commit(folder, replaces=[DATA])


def hub_store(name: HubName, *, fetch: Fetch | None = None) -> Path:
    """The store of a tile set of the Hub; made of its files the first time, and kept beside huggingface_hub's cache.

    Raises:
        HubError: the tile set cannot be fetched.
        TileError: what is there is no tile set, is damaged, or is of a newer version of SpecDM.
        ConfigError: the package pyarrow is missing.
    """
    from huggingface_hub import cached_assets_path

    fetch = fetch or Fetch()
    first = fetch.file(name, RECORD).parent
    read_record(first, where=str(name))
    places = cached_assets_path(
        "specdm",
        namespace="tiles",
        subfolder=name.repo_id,
        assets_dir=None if fetch.cache_dir is None else Path(fetch.cache_dir) / "assets",
    )
    store = places / f"{first.name}.zarr"
    if not (store / "zarr.json").is_file():
        folder = fetch.folder(name, [RECORD, MANIFEST, DATA], commit=first.name)
        try:
            store_parquet(folder, store, where=str(name))
        except TileError:
            # another process may have been faster
            if not (store / "zarr.json").is_file():
                raise
    return store
