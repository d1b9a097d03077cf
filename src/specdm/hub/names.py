"""Names of repositories of the Hub, as people type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from specdm.errors import HubError

Kind = Literal["model", "dataset"]

_PREFIX = r"(?P<prefix>hf:/{1,2})?"  # a name that went through pathlib has lost a slash
_NAME = re.compile(_PREFIX + r"(?:(?P<kind>datasets|models)/)?(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?:@(?P<at>.+))?")


@dataclass(frozen=True)
class HubName:
    """A repository.

    Attributes:
        repo_id: "owner/name".
        kind: what it holds: "model", or "dataset" for tile sets.
        revision: branch, tag or commit; None for the default branch.
    """

    repo_id: str
    kind: Kind
    revision: str | None = None

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"hf://{'datasets/' if self.kind == 'dataset' else ''}{self.repo_id}{at}"


def hub_name(text: str | Path, *, kind: Kind, revision: str | None = None) -> HubName | None:
    """What a text names on the Hub; None if it names a place on the disk.

    "hf://owner/name", "hf://datasets/owner/name" and either with "@revision" are names, as elsewhere in the world of
    the Hub. A model may go by "owner/name" alone where neither that nor a folder `owner` is there.

    Args:
        text: a name or a path.
        kind: what is wanted.
        revision: branch, tag or commit, if it is not in the text.

    Raises:
        HubError: a name that cannot be one, of the other kind, or two revisions.
    """
    text = str(text)
    match = _NAME.fullmatch(text)
    if match is None or match["prefix"] is None:
        plain = match is not None and kind == "model" and match["kind"] is None
        if match is None or not plain or match["owner"] in (".", "..") or match["name"] in (".", ".."):
            if text.startswith("hf:/"):
                raise HubError(f"{text} is no name on the Hugging Face Hub; expected hf://owner/name")
            return None
        if Path(text).exists() or Path(match["owner"]).exists():
            return None
    of = "dataset" if match["kind"] == "datasets" else "model"
    if match["kind"] is not None and of != kind:
        wanted = "a tile set, hf://datasets/owner/name" if kind == "dataset" else "a model, hf://owner/name"
        raise HubError(f"{text} names a {of} on the Hugging Face Hub; expected {wanted}")
    if revision is not None and match["at"] not in (None, revision):
        raise HubError(f"{text} names the revision {match['at']}, but {revision} is asked for; name one of them")
    return HubName(f"{match['owner']}/{match['name']}", kind, revision or match["at"])


def new_name(repo_id: str, *, kind: Kind, revision: str | None = None) -> HubName:
    """A name to send something to: "owner/name", "hf://" before it or not.

    Raises:
        HubError: it cannot be one.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    text = str(repo_id)
    match = _NAME.fullmatch(text)
    wrong = f"{text} cannot be a name on the Hugging Face Hub"
    local = f"to write a folder, use {'save_pretrained' if kind == 'model' else 'save'}"
    if match is None:
        raise HubError(f"{wrong}; expected owner/name, the owner being you or your organisation; {local}")
    name = hub_name(text if match["prefix"] else f"hf://{text}", kind=kind, revision=revision)
    if name is None:
        raise HubError(f"{wrong}; expected owner/name")
    try:
        validate_repo_id(name.repo_id)
    except HFValidationError as error:
        raise HubError(f"{wrong}: {error} ({local})") from None
    return name
