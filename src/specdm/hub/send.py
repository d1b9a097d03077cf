"""A folder to the Hub: one commit, so that a repository is never half-changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from specdm.hub.connection import Token, hub_api, plain_failures

if TYPE_CHECKING:
    from specdm.hub.names import HubName


@dataclass(frozen=True)
class Send:
    """Where a folder goes.

    Attributes:
        name: of the repository; a revision is a branch, and is made where it is not there.
        private: who may see a new repository; None: as the Hub has it for its owner, mostly everyone.
        token: access token, see `specdm.hub.connection.Token`.
        message: of the commit.
    """

    name: HubName
    private: bool | None = None
    token: Token = None
    message: str | None = None

    def prepare(self) -> None:
        """Make the repository and the branch where they are not there: what forbids it is told before work begins.

        Raises:
            HubError: no access, or no network.
        """
        api, name = hub_api(self.token), self.name
        with plain_failures(name, api, sending=True):
            api.create_repo(name.repo_id, repo_type=name.kind, private=self.private, exist_ok=True)
            if name.revision is not None:
                api.create_branch(name.repo_id, branch=name.revision, repo_type=name.kind, exist_ok=True)

    def commit(self, folder: Path, *, replaces: Sequence[str]) -> str:
        """Send all files of a folder, and take away what an earlier one has left.

        Args:
            folder: becomes the top of the repository.
            replaces: patterns of files that go if they are not in the folder, `*` for any name at one level; all others
                stay.

        Returns:
            The address of the commit.

        Raises:
            HubError: no access, or no network; the repository is then as it was.
        """
        # not upload_folder, which makes several commits of a large folder: a reader would find a half of each
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        api, name = hub_api(self.token), self.name
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        with plain_failures(name, api, sending=True):
            there = api.list_repo_files(name.repo_id, repo_type=name.kind, revision=name.revision)
            gone = [old for old in there if old not in files and any(_is_like(old, one) for one in replaces)]
            done = api.create_commit(
                name.repo_id,
                [
                    *(CommitOperationAdd(path_in_repo=place, path_or_fileobj=path) for place, path in files.items()),
                    *(CommitOperationDelete(path_in_repo=old) for old in gone),
                ],
                commit_message=self.message or "Upload with SpecDM",
                repo_type=name.kind,
                revision=name.revision,
            )
        return str(done.commit_url)


def _is_like(path: str, pattern: str) -> bool:
    names, wanted = path.split("/"), pattern.split("/")
    return len(names) == len(wanted) and all(map(fnmatch, names, wanted))
