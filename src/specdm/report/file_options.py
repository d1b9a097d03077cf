"""How files that a model is asked about are read: as its training files were, but for what the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specdm.errors import SpecDMError
from specdm.report.run_folder import RunFolder
from specdm.report.scene_source import read_source
from specdm.scenes.catalog import without_nominal

OF_TRAINING = (
    "wavelengths", "fwhm", "bands", "nodata", "scale", "offset", "units", "sensor", "sensors", "order", "layout",
    "unlabelled", "resolution", "quality", "bad_bands",
)  # fmt: skip
"""Options of `open_scene` that hold for other files of the same kind too."""

OF_BANDS = ("wavelengths", "fwhm", "bands", "sensor")
"""Of these one that the user gives puts those of training out of force: they go together."""


def file_options(run: Path, said: Mapping[str, Any], *, files: Sequence[Path]) -> dict[str, Any]:
    """Options of `open_scene` for files that are given to the model of a run.

    Args:
        run: run folder; a model folder knows nothing of files.
        said: what the user says, which goes before all else.
        files: the files; arrays and grids named in training hold only where the file has them.
    """
    trained = _of_training(run)
    bands_said = any(key in said for key in OF_BANDS)
    kept = {key: value for key, value in trained.items() if key in OF_TRAINING}
    if bands_said:
        kept = {key: value for key, value in kept.items() if key not in OF_BANDS}
    if files and "variable" not in said:
        kept |= _arrays(trained, files[0])
    return {**kept, **said}


def _of_training(run: Path) -> Mapping[str, Any]:
    folder = RunFolder(run)
    if not folder.source.is_file():
        return {}
    options = read_source(folder.source).get("options")
    return without_nominal(options) if isinstance(options, Mapping) else {}


def _arrays(trained: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Names of arrays and the grid of a flattened matrix, where the file has such."""
    from specdm.scenes.readers import array_shapes

    variable, grid = trained.get("variable"), (trained.get("rows"), trained.get("columns"))
    if variable is None and None in grid:
        return {}
    try:
        shapes = array_shapes(file)
    except SpecDMError:  # told when the file is opened
        return {}
    found: dict[str, Any] = {}
    names = [variable] if isinstance(variable, str) else list(variable or ())
    if names and all(name in shapes for name in names):
        found["variable"] = variable
    rows, columns = grid
    if rows is not None and columns is not None:
        flat = [shape for shape in shapes.values() if len(shape) == 2 and rows * columns in shape]
        found |= {"rows": rows, "columns": columns} if flat else {}
    return found
