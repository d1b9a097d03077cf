"""Files of a repository, from the cache or over the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specdm.hub.connection import Token, hub_api, plain_failures

if TYPE_CHECKING:
    from specdm.hub.names import HubName


@dataclass(frozen=True)
class Fetch:
    """How files are fetched.

    Attributes:
        token: access token, see `specdm.hub.connection.Token`.
        cache_dir: folder to keep them in; default: huggingface_hub's own, below `HF_HOME`.
        local_files_only: take what is in the cache, without a look at the network.
        force_download: fetch again what is there.
    """

    token: Token = None
    cache_dir: str | Path | None = None
    local_files_only: bool = False
    force_download: bool = False

    def file(self, name: HubName, path: str) -> Path:
        """One file of a repository, in a folder that has the commit's name.

        Raises:
            HubError: as `folder`, or there is no such file.
        """
        api = hub_api(self.token)
        with plain_failures(name, api, offline=self.local_files_only):
            found = api.hf_hub_download(
                name.repo_id,
                path,
                repo_type=name.kind,
                revision=name.revision,
                cache_dir=self.cache_dir,
                local_files_only=self.local_files_only,
                force_download=self.force_download,
            )
        return Path(found)

    def folder(self, name: HubName, patterns: Sequence[str], *, commit: str | None = None) -> Path:
        """A folder with all files of a repository that match, whole: huggingface_hub gives files their name in the end.

        Without a network it is what the cache has, if that is whole. The folder's name is the commit's.

        Args:
            name: of the repository.
            patterns: of paths in it.
            commit: the commit that the name's revision stands for, if something was fetched before: so all is of one.

        Raises:
            HubError: no such repository or revision, no access, no network, or a full disk.
        """
        api = hub_api(self.token)
        with plain_failures(name, api, offline=self.local_files_only):
            found = api.snapshot_download(
                name.repo_id,
                repo_type=name.kind,
                revision=commit or name.revision,
                cache_dir=self.cache_dir,
                local_files_only=self.local_files_only,
                force_download=self.force_download,
                allow_patterns=list(patterns),
            )
        return Path(found)
