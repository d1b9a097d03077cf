"""A run's model, or a tile set, to the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from specdm.hub.names import Kind
from specdm.report.run_folder import RunFolder, model_folder


@dataclass(frozen=True)
class Pushed:
    """What was sent.

    Attributes:
        kind: "model" or "dataset", a tile set.
        name: "hf://owner/name" or "hf://datasets/owner/name", with the branch if one was named.
        url: address of the commit.
    """

    kind: Kind
    name: str
    url: str


def push_run(
    inputs: str | Path,
    repo_id: str,
    *,
    private: bool | None = None,
    token: str | bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    licence: str | None = None,
    callback: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Send the model of a run with what the run has found out about it, a model folder, or a tile set.

    Args:
        inputs: run folder, model folder or tile set.
        repo_id: "owner/name".
        private, token, revision, commit_message, licence: as those of `SpecDMPipeline.push_to_hub` and
            `TileSet.push_to_hub`.
        callback: called with (tiles written, all) for a tile set, before they are sent.

    Raises:
        RunError: there is nothing of the kind, or the run has no finished model.
        HubError: no access, or no network.
        SpecDMError: the model or the tiles cannot be read, or the disk does not take the files on their way.
    """
    from specdm.hub.names import new_name

    inputs = Path(inputs)
    tiles = (inputs / "zarr.json").is_file()
    name = new_name(repo_id, kind="dataset" if tiles else "model", revision=revision)
    if tiles:
        from specdm.tiles.hub import push_tiles
        from specdm.tiles.store import open_tiles

        url = push_tiles(
            open_tiles(inputs), repo_id, private=private, token=token, revision=revision,
            commit_message=commit_message, licence=licence, callback=callback,
        )  # fmt: skip
        return Pushed("dataset", str(name), url)
    model = model_folder(inputs)
    # here, not above: mistakes are told before torch is loaded
    from specdm.report.card_figures import run_figures
    from specdm.synthesis.pipeline import SpecDMPipeline

    pipeline = SpecDMPipeline.from_pretrained(model)
    figures = run_figures(inputs, model_id=pipeline.model_id) if RunFolder(inputs).is_run() else None
    url = pipeline.push_to_hub(
        repo_id, private=private, token=token, revision=revision, commit_message=commit_message, licence=licence,
        figures=figures,
    )  # fmt: skip
    return Pushed("model", str(name), url)
