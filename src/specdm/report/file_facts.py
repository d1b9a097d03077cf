"""What lies in a folder, and how many dates in a file: for `specdm info`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from specdm.report.run_facts import describe_model, describe_run, is_model
from specdm.report.run_folder import RunFolder
from specdm.report.tile_set_facts import describe_tile_set, some_names
from specdm.scenes.layouts import plan_folder
from specdm.scenes.opening.plan import OpeningPlan, RasterSource
from specdm.scenes.pairs import is_many
from specdm.scenes.readers import array_shapes
from specdm.scenes.readers.products.detect import is_product
from specdm.tiles.store_ends import is_tile_store


def dates_in(path: Path, *, variable: str | None = None) -> int | None:
    """How many dates the array `(date, y, x, band)` of a file has; None if it has no such array, or several.

    Raises:
        FileFormatError: the file cannot be read.
    """
    shapes = array_shapes(path)
    four = [shape for name, shape in shapes.items() if len(shape) == 4 and variable in (None, name)]
    return four[0][0] if len(four) == 1 else None


def own_facts(path: Path) -> dict[str, str] | None:
    """What a folder holds: a tile set, a run, a model or scenes; None for what is one file to its users.

    Raises:
        SpecDMError: it is damaged.
    """
    if is_tile_store(path):
        return describe_tile_set(path)
    if is_model(path):
        return describe_model(path)
    # a Zarr store is a folder too, but a file to its users
    if not is_many(path):
        return None
    return describe_run(path) if RunFolder(path).is_run() else describe_folder(path)


def describe_folder(folder: Path) -> dict[str, str]:
    """The scenes of a folder in a known layout, or what files a plain one holds; reads no image.

    Raises:
        SceneError: the layout is known, but something in it is missing or has to be said.
        FileFormatError: an archive in it is damaged or truncated.
    """
    plan = plan_folder(folder, {})
    if plan is not None:
        return _plan_facts(plan)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    kinds = Counter(path.suffix.lower() or "no ending" for path in files)
    products = [path for path in sorted(folder.iterdir()) if is_product(path)]
    folders = [path.name for path in sorted(folder.iterdir()) if path.is_dir() and path not in products]
    facts = {"layout": "a plain folder; each image file is a scene, unless --dates or a list says otherwise"}
    if kinds:
        facts["files"] = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    if products:
        facts["products"] = f"{len(products)}: {some_names([path.name for path in products])}"
    if folders:
        facts["folders"] = some_names(folders)
    return facts


def _plan_facts(plan: OpeningPlan) -> dict[str, str]:
    first = plan.scenes[0]
    dates = plan.dates or first.dates
    facts = {
        "layout": plan.name,
        "scenes": f"{len(plan.scenes)}: {some_names([scene.name for scene in plan.scenes])}",
        "dates": ", ".join(map(str, dates)) if dates else str(len(first.images)),
        "images of the first": _sources(first.images),
        "masks of the first": _sources(first.masks) or "none",
    }
    splits = Counter(scene.split for scene in plan.scenes if scene.split)
    if splits:
        facts["published split"] = ", ".join(f"{count} {split}" for split, count in splits.items())
    for key, value in plan.defaults.items():
        facts[key.replace("_", " ")] = str(value)
    if plan.remarks:
        facts["note"] = "\n".join(plan.remarks)
    return facts


def _sources(sources: Sequence[RasterSource]) -> str:
    return "\n".join(source.name for source in sources)
