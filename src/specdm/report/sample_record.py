"""What a sampled tile set is made of: model, seed and options, kept with it, so that only the same goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError, TileError
from specdm.report.file_prints import print_of
from specdm.report.run_folder import check_writable
from specdm.report.sample_question import Question
from specdm.tiles.store_lock import store_lock
from specdm.tiles.unfinished import differences, unfinished_folder, unfinished_words
from specdm.version import __version__

if TYPE_CHECKING:
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.synthesis.scale.shard import Shard

TILES, SHARD, OF_TILES, FIRST = "tiles", "shard", "of tiles", "from tile"


def sampling_record(
    pipeline: SpecDMPipeline,
    *,
    seed: int,
    drawing: Mapping[str, Any],
    question: Question,
    shard: Shard | None = None,
    n: int | None = None,
    first: int = 0,
) -> dict[str, Any]:
    """All that tiles depend on beside their index, as plain values with names for messages.

    Args:
        pipeline: the model.
        seed: of the set.
        drawing: options of `SpecDMPipeline.sample` that were said.
        question: what is given.
        shard, n: which part of how many tiles; None for a whole set.
        first: tile that the part begins with.
    """
    model = pipeline.id_of(drawing.get("evaluations"))
    found: dict[str, Any] = {"model": model, "seed": seed, "specdm": __version__}
    options = {"composition": None, "balance": False, "paste": True} | pipeline.defaults.__dict__
    options |= {key: value for key, value in drawing.items() if value is not None}
    found |= {key.replace("_", " "): value for key, value in options.items()}
    if question.files:
        found |= {"given": [print_of(Path(file)) for file in question.files], **_said(question)}
    if shard is not None:
        found |= {SHARD: str(shard), OF_TILES: n, FIRST: first}
    return json.loads(json.dumps(found, default=str))


def record_of(store: Path) -> dict[str, Any] | None:
    """Record of a tile set on disk, with its number of tiles as `TILES`; None if it has none, or is no tile set."""
    from specdm.tiles.layout import SAMPLING

    try:
        return json.loads(json.loads((store / "zarr.json").read_text(encoding="utf-8"))["attributes"][SAMPLING])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise RunError unless a tile set may be written there."""
    if output.exists() and not overwrite:
        raise RunError(f"{output} exists already; add --overwrite to replace it, or choose another name with -o")
    if output.exists() and not (output / "zarr.json").is_file():
        raise RunError(f"{output} is no tile set, so it is not overwritten; choose another name with -o")
    check_writable(output.parent)


def check_sampling_output(
    output: Path, *, overwrite: bool, asked: Mapping[str, Any], n: int | None, grows: bool = True
) -> None:
    """Check what can be known of the place for a sampled set, be it before a model is loaded.

    A set that is there may stay without `overwrite` if it is what is asked for, or the first tiles of it.

    Args:
        output: where.
        overwrite: it may be replaced.
        asked: record of what is to be drawn, or some of it.
        n: its tiles, if known.
        grows: whether a set that is there may be made larger.

    Raises:
        RunError: something else is there, or the place cannot be written.
    """
    there = record_of(output)
    if overwrite or there is None:
        check_output(output, overwrite=overwrite)
        return
    fits = n is None or (there[TILES] <= n if grows else there[TILES] == n)
    asked = {**asked, TILES: there[TILES] if fits else n}
    # a record that names its model is a whole one: what it lacks must be lacking there, too
    keys = dict.fromkeys([*asked, *(there if "model" in asked else ())])
    if what := differences({key: there.get(key) for key in keys}, asked):
        raise RunError(
            f"{output} exists already, of other settings ({what}); add --overwrite to replace it, or choose another "
            "name with -o"
        )
    check_writable(output.parent)


def check_finished(output: Path) -> None:
    """Raise RunError if the tile set is not there because it is not finished."""
    if not output.exists() and (unfinished := unfinished_words(output)) is not None:
        raise RunError(unfinished)


def has_all(output: Path, *, n: int) -> bool:
    """Whether the tile set there, which was checked, has `n` tiles already."""
    there = record_of(output)
    return there is not None and there[TILES] == n


def sweep_finished(output: Path) -> None:
    """Take away what a writer that was killed right after its end has left beside a finished set."""
    folder = unfinished_folder(output)
    if not folder.is_dir() or any((folder / name).exists() for name in ("image", "head")):
        return
    # whoever puts scores into the set holds its lock there
    with suppress(TileError), store_lock(output):
        shutil.rmtree(folder, ignore_errors=True)


def _said(question: Question) -> dict[str, Any]:
    masks = question.mask
    files = list(masks.values()) if isinstance(masks, Mapping) else [masks] if isinstance(masks, (str, Path)) else masks
    return {
        "known": None if question.known is None else list(question.known),
        "given masks": [print_of(Path(file)) for file in files or ()],
        "mask classes": list(masks) if isinstance(masks, Mapping) else None,
        "area": None if question.area is None else print_of(Path(question.area)),
        "resample": question.resample,
        "reading": dict(question.options),
    }
