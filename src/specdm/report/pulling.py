"""A model or a tile set of the Hugging Face Hub as files of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from specdm.errors import RunError
from specdm.hub.names import Kind, new_name
from specdm.report.run_folder import check_writable


def pull(name: str, output: str | Path, *, revision: str | None = None, token: str | bool | None = None) -> Kind:
    """Fetch what `push_run` has sent.

    Args:
        name: "owner/name" for a model, "hf://datasets/owner/name" for a tile set.
        output: new model folder, or new store.
        revision: branch, tag or commit.
        token: access token; default: that of `hf auth login` or `HF_TOKEN`.

    Returns:
        What it is: "model" or "dataset", a tile set.

    Raises:
        RunError: the output exists, or cannot be written.
        HubError: it cannot be fetched.
        SpecDMError: it is neither, or of a newer version of SpecDM, or damaged.
    """
    output = Path(output)
    kind: Kind = "dataset" if str(name).replace("hf:/", "").lstrip("/").startswith("datasets/") else "model"
    there = new_name(name, kind=kind, revision=revision)
    if output.exists():
        raise RunError(f"{output} exists already; choose another name with -o")
    check_writable(output.parent)
    if kind == "dataset":
        from specdm.tiles.store import open_tiles

        open_tiles(str(there), token=token).save(output)
        return kind
    from specdm.hub.fetch import Fetch
    from specdm.synthesis.folders import replacing_folder
    from specdm.synthesis.model_files import model_place

    place = model_place(str(there), fetch=Fetch(token=token))
    with replacing_folder(output) as partial:
        # the cache holds links
        shutil.copytree(place, partial, symlinks=False, dirs_exist_ok=True)
    return kind
