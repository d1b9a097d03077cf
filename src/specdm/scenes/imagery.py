"""Imagery that nobody labelled: opened without any mask, and made to fit a labelled scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specdm.errors import SceneError
from specdm.scenes.catalog import without_nominal
from specdm.scenes.common_bands import bands_like
from specdm.scenes.common_truth import shared_sensors
from specdm.scenes.opening.build import build
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.sources import plan_opening
from specdm.scenes.pairs import Sources
from specdm.scenes.scene import Scene

PER_BAND = ("wavelength", "fwhm", "band_name")
IMAGE_OPTIONS = (
    "wavelengths", "fwhm", "bands", "nodata", "scale", "offset", "units", "variable", "rows", "columns", "order",
    "layout", "sensor", "sensors", "resolution", "quality", "bad_bands", "citation", "licence",
)  # fmt: skip
"""Options of `open_scene` that say something of images alone, so that they hold for imagery without labels too."""


def open_imagery(image: Sources, *, options: Mapping[str, Any], like: Scene) -> list[Scene]:
    """Open imagery without whatever masks lie beside it; it stays on disk and is read by window.

    Args:
        image: a file, a folder of a known layout, or a list with one file a date.
        options: of `open_scene`, as for the labelled scene; those of `IMAGE_OPTIONS` hold.
        like: the labelled scene, whose number of dates the imagery must have.

    Raises:
        FileFormatError, SceneError: as `open_scene`.
    """
    said = {key: value for key, value in without_nominal(options).items() if key in IMAGE_OPTIONS}
    # what dates are called is the labelled scene's affair; how many there are says how files are read
    dates = [f"date {i + 1}" for i in range(like.n_dates)] if like.n_dates > 1 else None
    given = OpenOptions(**said, dates=dates)
    plan = plan_opening(image, given)
    bare = [replace(scene, masks=(), mask_classes=None, split_map=None, split=None) for scene in plan.scenes]
    defaults = {key: value for key, value in plan.defaults.items() if key in IMAGE_OPTIONS}
    opened = build(replace(plan, scenes=tuple(bare), defaults=defaults), given, in_memory_bytes=0)
    return [opened] if isinstance(opened, Scene) else list(opened)


def imagery_like(imagery: Scene, labelled: Scene) -> Scene:
    """The images of a scene as those of a labelled one: its bands, in its order and under its names.

    Whatever mask the scene has is left away, and its dates are called as those of the labelled scene.

    Args:
        imagery: `(date, band, y, x)` of any size.
        labelled: whose dates, sensors, unit and bands it must have.

    Raises:
        SceneError: names the file and in what it differs: number of dates, sensors, unit, or which bands.
    """
    where, other = file_of(imagery), labelled.name
    if imagery.n_dates != labelled.n_dates:
        raise SceneError(
            f"{where}: imagery without labels has {imagery.n_dates} dates, {other} has {labelled.n_dates}; give "
            "imagery of as many dates"
        )
    if imagery.units and labelled.units and imagery.units != labelled.units:
        raise SceneError(
            f"{where}: imagery without labels is in {imagery.units!r}, {other} in {labelled.units!r}; bring both to "
            "one unit"
        )
    try:
        shared_sensors([labelled, imagery])
        bands = bands_like(imagery, labelled)
    except SceneError as error:
        raise SceneError(f"{where}: does not fit as imagery without labels; {error}") from error
    dataset = imagery.dataset.drop_vars(["mask", "amount", "split_map", "layer", "quantity"], errors="ignore")
    dataset = dataset.isel(band=bands).drop_vars([key for key in PER_BAND if key in dataset.coords])
    own = labelled.dataset
    # bare: with its own coordinates each would bring along where the labelled scene lies
    dataset = dataset.assign_coords({key: own[key].variable for key in ("date", *PER_BAND) if key in own.coords})
    return Scene(dataset)


def file_of(scene: Scene) -> str:
    """What messages call a scene: its first file, or its name if it came from none."""
    return scene.sources[0] if scene.sources else scene.name
