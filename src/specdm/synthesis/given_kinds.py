"""What a file that a user names is: a tile set, images of one or several dates, or masks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specdm.models.streams import Stream
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.plan import one_file
from specdm.scenes.opening.read import read_source
from specdm.scenes.readers import array_shapes
from specdm.scenes.readers.detect import detect_format
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.model_bands import own_bands


def is_tile_set(path: Path) -> bool:
    """Whether a path is a tile set that SpecDM has written."""
    try:
        return "specdm_version" in json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def are_masks(
    files: Sequence[Path],
    facts: TileFacts,
    *,
    numbers: Sequence[int] | None,
    streams: Sequence[Stream],
    options: Mapping[str, Any],
) -> bool:
    """Whether files without others beside them are masks: by what is said to be known, else by their bands.

    Args:
        files: all masks or all images.
        facts, streams: of the model.
        numbers: of the streams that are said to be known, or None.
        options: of `open_scene`, about arrays.

    Raises:
        FileFormatError: the first file cannot be read.
    """
    if numbers is not None:
        kinds = {streams[number].kind for number in numbers}
        if kinds == {"image"} or "image" not in kinds:
            return "image" not in kinds
    first = files[0]
    image_bands = {len(own_bands(facts, date)) for date in range(len(facts.dates))}
    mask_bands = 1 if facts.layers else len(facts.quantities or ())
    shapes = [shape for name, shape in array_shapes(first).items() if options.get("variable") in (None, name)]
    if any(len(shape) == 4 for shape in shapes):
        return False
    said = {key: options[key] for key in ("rows", "columns", "order", "layout") if key in options}
    variable = options.get("variable")
    source = one_file(first, variable=variable if isinstance(variable, str) else None)
    if detect_format(first) == "picture":
        # no image of a model comes as a picture unless it has as many channels
        return read_source(source, OpenOptions(**said).array(role="image")).n_bands not in image_bands - {mask_bands}
    if not isinstance(variable, str | None):
        return False
    bands = read_source(source, OpenOptions(**said).array(role="image")).n_bands
    return bands == mask_bands and bands not in image_bands


def dates_in(path: Path, options: Mapping[str, Any]) -> int:
    """How many dates a file holds; 1 if it does not say."""
    variable = options.get("variable")
    if variable is not None and not isinstance(variable, str):
        return len(variable)
    four = [s for name, s in array_shapes(path).items() if len(s) == 4 and variable in (None, name)]
    return four[0][0] if len(four) == 1 else 1
