"""The files of a model: their index, and how they come from the Hub. Loads no weights, so the command line may ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specdm.errors import HubError, ModelError
from specdm.hub.fetch import Fetch
from specdm.hub.names import hub_name
from specdm.hub.versions import check_not_newer
from specdm.models.plain_files import CONFIG, WEIGHTS, read_json

INDEX = "model_index.json"
KIND = "SpecDMPipeline"

PART_FILES = (f"*/{CONFIG}", f"*/{WEIGHTS}")
"""Of each part. Nothing else is fetched, so no pickled weights and no code."""


def read_index(folder: Path, *, where: str | None = None) -> dict[str, Any]:
    """The index of a model folder.

    Args:
        folder: of the model.
        where: what messages call the index; default: its path.

    Raises:
        ModelError: it is missing or damaged, of something else, or of a newer version of SpecDM.
    """
    where = where or str(folder / INDEX)
    index = read_json(folder / INDEX)
    if index.get("_class_name") != KIND:
        raise ModelError(f"{where}: found {index.get('_class_name')!r}, expected {KIND!r}")
    check_not_newer(index.get("specdm_version"), where=where, error=ModelError)
    return index


def model_place(source: str | Path, *, revision: str | None = None, fetch: Fetch | None = None) -> Path:
    """The folder of a model: itself, or where the files of a model of the Hub are kept.

    Args:
        source: folder, or a name on the Hub, see `specdm.hub.names.hub_name`.
        revision: branch, tag or commit there.
        fetch: how files are fetched.

    Raises:
        HubError: the model cannot be fetched.
        ModelError: what is there is no model, or one of a newer version of SpecDM.
    """
    name, fetch = hub_name(source, kind="model", revision=revision), fetch or Fetch()
    if name is None:
        return Path(source)
    try:
        # the index first: gigabytes of another kind of model are not worth waiting for
        first = fetch.file(name, INDEX).parent
        read_index(first, where=str(name))
        return fetch.folder(name, [INDEX, *PART_FILES], commit=first.name)
    except HubError as error:
        if str(source).startswith("hf:/"):
            raise
        raise HubError(f"there is no folder {source}; on the Hub, {error}") from error
