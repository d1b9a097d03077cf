"""What a run folder and a model folder hold, in words: for `specdm info`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from specdm.errors import SpecDMError
from specdm.report.run_folder import RunFolder
from specdm.report.tile_set_facts import wavelength_words
from specdm.synthesis.model_files import INDEX, read_index
from specdm.tiles.unfinished import unfinished_words


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / INDEX).is_file()


def describe_run(path: Path) -> dict[str, str]:
    """What is there of a run, and what comes next; what is damaged says so."""
    run = RunFolder(path)
    facts = {"format": "run folder"} | _made_from(run) | {"real tiles": _tiles(run.tiles)}
    if is_model(run.model):
        facts["model"] = _model(run.model)
    else:
        facts["model"] = f"not finished; go on with: specdm train {shlex.quote(str(path))}"
    facts["synthetic tiles"] = _tiles(
        run.synthetic, missing=f"none; draw some with: specdm sample {shlex.quote(str(path))}"
    )
    found = [
        words
        for place, words in (
            (run.evaluation, "evaluation.json"), (run.reliability, "reliability.json"),
            (run.usefulness, "usefulness/"), (run.report, "report.html"),
        )
        if place.exists()
    ]  # fmt: skip
    return facts | {"figures": ", ".join(found) or "none"}


def describe_model(path: Path) -> dict[str, str]:
    """What a model draws.

    Raises:
        ModelError: its index is damaged, or of a newer version of SpecDM.
    """
    index = read_index(path)
    tiles: dict[str, Any] = index.get("tiles", {})
    names = (tiles.get("classes") or {}).get("names", [])
    quantities = (tiles.get("quantities") or {}).get("names", [])
    facts = {
        "format": "model (SpecDMPipeline)",
        "tiles": f"{tiles.get('size')} x {tiles.get('size')} px, {len(tiles.get('band_name', []))} bands",
        "wavelengths": wavelength_words(tiles.get("wavelength")),
        "dates": ", ".join(map(str, tiles.get("dates", []))),
        "classes": ", ".join(map(str, names)) or "none",
    }
    if quantities:
        facts["quantities"] = ", ".join(map(str, quantities))
    if units := tiles.get("image_units"):
        facts["units"] = str(units)
    facts["steps of sampling"] = str(index.get("sampling", {}).get("steps", "unknown"))
    facts["distilled to"] = ", ".join(f"{count} evaluations" for count in index.get("distilled", {})) or "nothing"
    facts["reads masks off images"] = "yes" if index.get("reads_masks") else "no"
    return facts | {"written by SpecDM": str(index.get("specdm_version", "unknown"))}


def _made_from(run: RunFolder) -> dict[str, str]:
    """The command of training, and its preset."""
    import yaml

    facts = {}
    for name, file, key in (("made by", run.source, "command"), ("preset", run.config, "preset")):
        try:
            value = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get(key)
        except (OSError, ValueError, AttributeError, yaml.YAMLError):
            value = None
        if value:
            facts[name] = str(value)
    return facts


def _tiles(path: Path, *, missing: str = "none") -> str:
    """ "480 of 32 x 32 px, 200 bands", from the metadata alone: nothing is opened."""
    try:
        if not path.exists():
            return unfinished_words(path) or missing
        record = json.loads((path / "image" / "zarr.json").read_text(encoding="utf-8"))
        count, _, bands, size, _ = record["shape"]
    except SpecDMError as error:
        return str(error)
    except (OSError, ValueError, KeyError, TypeError):
        return f"damaged; specdm info {shlex.quote(str(path))} says more"
    return f"{count:,} of {size} x {size} px, {bands} bands"


def _model(path: Path) -> str:
    try:
        facts = describe_model(path)
    except SpecDMError as error:
        return str(error)
    return f"{facts['tiles']}; distilled to {facts['distilled to']}"
