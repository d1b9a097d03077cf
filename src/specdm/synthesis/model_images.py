"""Windows of a scene as a model sees them: its dates and its bands, unknown where the scene does not have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.imagery import IMAGE_OPTIONS
from specdm.scenes.images import IN_MEMORY_BYTES
from specdm.scenes.opening.build import build
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.sources import plan_opening
from specdm.scenes.scene import Scene
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.model_bands import BandPick, ImageBands, pick_bands


@dataclass(frozen=True)
class ModelImages:
    """A scene's images, read by window.

    Attributes:
        scene: read from.
        places: position in the model of each of the scene's dates.
        picks: how the bands of each date are picked.
        shape: dates and bands of the model.
    """

    scene: Scene
    places: tuple[int, ...]
    picks: tuple[BandPick, ...]
    shape: tuple[int, int]

    def window(self, y: int, x: int, height: int, width: int) -> np.ndarray:
        """float32 `(date, band, height, width)` with the model's dates and bands, NaN where unknown."""
        image, _ = self.scene.window(y, x, height, width)
        found = np.full((*self.shape, height, width), np.nan, np.float32)
        for position, (place, pick) in enumerate(zip(self.places, self.picks, strict=True)):
            found[place, pick.own] = pick.take(image[position])
        # a scene may hold infinite values where it is read lazily; models know NaN only
        found[~np.isfinite(found)] = np.nan
        return found


def model_images(
    scene: Scene, facts: TileFacts, *, places: Sequence[int] | None = None, resample: bool = False
) -> ModelImages:
    """A scene's images as those of a model.

    Args:
        scene: of any size; whatever mask it has is not looked at.
        facts: of the model.
        places: position in the model of each of the scene's dates; default: it has all of them, in their order.
        resample: compute bands that the scene has not from those around them.

    Raises:
        SceneError: another number of dates, another unit, or bands that are lacking; says which.
    """
    where = scene.sources[0] if scene.sources else scene.name
    chosen = tuple(range(len(facts.dates))) if places is None else tuple(places)
    if scene.n_dates != len(chosen):
        raise SceneError(
            f"{where}: has {scene.n_dates} date{'s' if scene.n_dates > 1 else ''}, expected {len(chosen)} "
            f"({', '.join(str(facts.dates[place]) for place in chosen)}), as the model has; give one image a date"
        )
    if scene.units and facts.image_units and scene.units != facts.image_units:
        raise SceneError(
            f"{where}: its values are in {scene.units!r}, those of the model in {facts.image_units!r}; convert them "
            f"(--scale, --offset), or say --units {facts.image_units!r} if it is the same unit"
        )
    picks = tuple(
        pick_bands(_bands(scene, date), facts, date=place, resample=resample, where=where)
        for date, place in enumerate(chosen)
    )
    return ModelImages(scene, chosen, picks, (len(facts.dates), len(facts.band_name)))


def open_images(files: Sequence[Path], options: Mapping[str, Any], *, dates: Sequence[str | int]) -> Scene:
    """The images of one scene without whatever masks lie beside them.

    Args:
        files: one a date, or one with all dates.
        options: of `open_scene`; those about masks are not looked at.
        dates: labels, as many as the scene shall have.

    Raises:
        FileFormatError, SceneError: as `open_scene`, or a folder.
    """
    said = {key: value for key, value in options.items() if key in IMAGE_OPTIONS}
    several = list(dates) if len(dates) > 1 else None
    given = OpenOptions(**said, dates=several)
    plan = plan_opening(list(files) if len(files) > 1 else files[0], given)
    if len(plan.scenes) != 1:
        raise SceneError(f"{files[0]}: holds {len(plan.scenes)} scenes; give the files of one")
    bare = replace(plan.scenes[0], masks=(), mask_classes=None, split_map=None, split=None)
    defaults = {key: value for key, value in plan.defaults.items() if key in IMAGE_OPTIONS}
    plan = replace(plan, scenes=(bare,), defaults=defaults, many=False)
    opened = build(plan, given, in_memory_bytes=IN_MEMORY_BYTES)
    if not isinstance(opened, Scene):
        raise SceneError(f"{files[0]}: holds several scenes; give the files of one")
    return opened


def _bands(scene: Scene, date: int) -> ImageBands:
    at = scene.bands_of(date)
    return ImageBands(
        at=at,
        name=[scene.band_name[i] for i in at],
        wavelength=None if scene.wavelength is None else scene.wavelength[at],
        fwhm=None if scene.fwhm is None else scene.fwhm[at],
        left_out=[f"{entry['band']} ({entry['reason']})" for entry in scene.left_out],
    )
