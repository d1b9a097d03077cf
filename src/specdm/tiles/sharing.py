"""The part of a tile set that writes it to a store or sends it to others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from specdm.tiles.facts import TileSetFacts

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet


class TileSetSharing(TileSetFacts):
    """Stores and the Hugging Face Hub."""

    def save(self, path: str | Path, *, overwrite: bool = False) -> TileSet:
        """Write to a Zarr store and open it from there.

        Raises:
            TileError: the path exists and `overwrite` is off, or cannot be written.
        """
        from specdm.tiles.store import save_tiles

        return save_tiles(cast("TileSet", self), path, overwrite=overwrite)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool | None = None,
        token: str | bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
        licence: str | None = None,
    ) -> str:
        """Send the tiles to the Hugging Face Hub, as Parquet files with a data set card.

        `specdm.open_tiles("hf://datasets/owner/name")` gives the same set back, and `datasets.load_dataset` its
        numbers. Files of scenes are named, but not where they lay on the disk. All comes in one commit: whoever reads
        the repository finds the earlier tiles or these.

        Args:
            repo_id: "owner/name"; the repository is made if it is not there.
            private: who may see a new repository: True, its owner alone.
            token: access token; default: that of `hf auth login` or `HF_TOKEN`.
            revision: branch; made if it is not there.
            commit_message: what the commit says.
            licence: of the tiles, as the Hub knows it, such as "cc-by-4.0"; default: "other". That of the source data
                stands on the card.

        Returns:
            The address of the commit.

        Raises:
            HubError: no access, or no network; the repository is then as it was, a new one empty.
            ConfigError: a package that Parquet needs is missing.
            TileError: the set is empty or damaged, or the disk does not take the files on their way.
        """
        from specdm.tiles.hub import push_tiles

        return push_tiles(
            cast("TileSet", self), repo_id, private=private, token=token, revision=revision,
            commit_message=commit_message, licence=licence,
        )  # fmt: skip
