"""A change scene from one real date: date 2 is made from date 1, so every change is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.scene import Scene
from specdm.scenes.task import CHANGE_LAYER, derived_change
from specdm.simulation.change import CHANGE_CLASSES
from specdm.simulation.real_fields import ChangedFields, change_fields
from specdm.simulation.real_noise import second_look
from specdm.simulation.real_season import Season, season_factor, vegetation_share

MaskKind = Literal["change", "classes"]

SEASON = Season()
"""A few weeks of growth: a mean spectral angle of two to three degrees on Indian Pines."""

NOTE = "semi-synthetic: date 2 is made from date 1 by season, sensor noise and fields of other classes (real pixels)"
LEAK = (
    "ground of changed fields is copied from fields elsewhere in the scene, so that tiles of separate ground may "
    "show the same pixels at date 2; for trials, not for figures of a detector"
)
INDIAN_PINES_DARK = 1000.0
"""Image value of no light in Indian Pines: radiance is (value - 1000) / 500 (Purdue University)."""


def indian_pines_change(
    *,
    seed: int = 0,
    changed_share: float = 0.2,
    season: Season | None = SEASON,
    noise: bool = True,
    masks: MaskKind = "change",
) -> Scene:
    """Indian Pines at two dates, the second made from the first: a hyperspectral change scene with known truth.

    See `made_change` for what is done and for the options. 145 x 145 px, 200 bands, about 10 000 labelled pixels.

    Raises:
        SpecDMError: as `made_change`, or tensorly is not installed.
    """
    from specdm.scenes.samples import indian_pines

    return made_change(
        indian_pines(),
        seed=seed,
        changed_share=changed_share,
        season=season,
        noise=noise,
        masks=masks,
        dark=INDIAN_PINES_DARK,
        name="Indian Pines change",
    )


def made_change(
    scene: Scene,
    *,
    seed: int = 0,
    changed_share: float = 0.2,
    season: Season | None = SEASON,
    noise: bool = True,
    masks: MaskKind = "change",
    dark: float = 0.0,
    least_field: int = 15,
    date: str = "semi-synthetic",
    name: str | None = None,
) -> Scene:
    """A scene of two dates from a labelled scene of one, which is loaded whole.

    Date 1 is the scene as it is. Date 2 is made from it in three steps:

    1. Whole fields are turned into other classes by real pixels of those classes (`change_fields`): patches of
       real fields, turned or mirrored, so that texture and mixed pixels stay. Of unlabelled ground only the margin
       of a changed field changes with it.
    2. A season goes over all ground (`season_factor`): smooth over wavelength and ground, stronger where there is
       more vegetation, of its own strength for each class as it is at date 2.
    3. Sensor noise (`second_look`). A real image carries the noise of its date, which a second date cannot share.
       So the noise is first taken off, where neighbouring pixels allow it, and fresh noise of the scene's own
       covariance is put on at the end: the two dates differ by two noises, and neither is much noisier than the
       other. Where texture hides the noise, date 2 still has some of date 1's. With `noise=False` date 2
       repeats the noise of date 1, pixel by pixel.

    Args:
        scene: one date, with a mask of one layer, two classes or more, and (with a season) wavelengths.
        seed: of all that is drawn. Fields, season and noise are drawn apart: leaving one out keeps the others.
        changed_share: of the labelled pixels that change class, between 0 and 1; met to about half a field.
        season: what happens between the dates besides; None for nothing.
        noise: whether date 2 has noise of its own.
        masks: "change" for one layer of 0 unchanged and 1 changed; "classes" for a layer a date with the scene's
            classes. Unlabelled ground is unlabelled in both.
        dark: image value of no light; the season is a factor on what is above it.
        least_field: fields of fewer pixels do not change.
        date: label of date 2.
        name: of the new scene; default made of the scene's own.

    Returns:
        The scene. Its attributes say what it is: `note` (one sentence, for plots), `seed`, `changed_share` (as it
        came out), `changed_fields`, `season`. Its variable `donor (y, x)` holds the flat position (row times width
        plus column) in date 1 of the pixel that a pixel of date 2 was made from.

    Raises:
        SceneError: more than one date, no wavelengths for the season, no data, or no field that can change.
        MaskError: no mask, several layers, fewer than two classes, or another word for `masks`.
    """
    labels, classes = _labels(scene)
    _check(scene, season=season, changed_share=changed_share, masks=masks)
    image = scene.dataset["image"].isel(date=0).values
    random = {what: np.random.default_rng([seed, number]) for number, what in enumerate(("fields", "season", "noise"))}
    changed = change_fields(labels, image, share=changed_share, least_field=least_field, random=random["fields"])
    ground, fresh = second_look(image, random=random["noise"]) if noise else (image.astype(np.float64), None)
    ground = ground.reshape(len(ground), -1)[:, changed.donor]
    if season is not None and scene.wavelength is not None:
        share = vegetation_share(ground - dark, scene.wavelength)
        factor = season_factor(scene.wavelength, share, changed.labels, season=season, random=random["season"])
        ground = dark + (ground - dark) * factor
    second = ground if fresh is None else ground + fresh
    dates = [str(scene.dataset["date"].values[0]), date]
    after = np.where(changed.labels >= 0, changed.labels, UNLABELLED)
    made = _put_together(
        scene,
        image=np.stack([image, second.astype(np.float32)]),
        positions=np.stack([labels, after]),
        classes=classes,
        dates=dates,
        masks=masks,
        name=name or f"{scene.name} change",
    )
    made.dataset["donor"] = (("y", "x"), changed.donor.astype(np.int32))
    made.dataset.attrs |= _attributes(scene, changed, labels=labels, seed=seed, season=season, noise=noise)
    return made


def _put_together(
    scene: Scene,
    *,
    image: np.ndarray,
    positions: np.ndarray,
    classes: Classes,
    dates: Sequence[str],
    masks: MaskKind,
    name: str,
) -> Scene:
    """The scene of two dates with everything else as the given one has it."""
    if masks == "classes":
        mask, layers, meaning = classes.values_of(positions), list(dates), classes
    else:
        mask, layers, meaning = derived_change(positions)[None], [CHANGE_LAYER], CHANGE_CLASSES
    place = {key: scene.dataset[key] for key in ("x", "y", "spatial_ref") if key in scene.dataset.coords}
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x"), coords=place | {"date": list(dates)}),
        mask=xr.DataArray(mask.astype(np.int16), dims=("layer", "y", "x"), coords={"layer": layers}),
        classes=meaning,
        wavelength=scene.wavelength,
        fwhm=scene.fwhm,
        band_name=scene.band_name,
        name=name,
        sources=scene.sources,
        left_out=scene.left_out,
        units=scene.units,
        split_map=scene.split_map,
        problems=[*scene.dataset.attrs.get("problems", ()), f"{NOTE}; {LEAK}"],
    )


def _attributes(
    scene: Scene, changed: ChangedFields, *, labels: np.ndarray, seed: int, season: Season | None, noise: bool
) -> dict[str, Any]:
    known = labels >= 0
    said, attrs = ("citation", "licence", "wavelength_source"), scene.dataset.attrs
    kept = {key: attrs[key] for key in said if key in attrs}
    return kept | {
        "note": NOTE,
        "seed": seed,
        "changed_share": float((changed.labels != labels)[known].mean()),
        "changed_fields": changed.fields,
        "season": str(asdict(season)) if season is not None else "none",
        "own_noise": int(noise),
    }


def _labels(scene: Scene) -> tuple[np.ndarray, Classes]:
    """Class positions `(y, x)`, -1 where unlabelled, and what they mean; MaskError if there is not one layer."""
    classes = scene.classes
    if classes is None:
        raise MaskError(f"{scene.name}: no mask; a change scene is made from a scene with a class mask")
    if scene.dataset.sizes["layer"] != 1:
        raise MaskError(f"{scene.name}: the mask has {scene.dataset.sizes['layer']} layers; expected one, of classes")
    labels = classes.index_of(scene.dataset["mask"].values[0])
    if len(np.unique(labels[labels >= 0])) < 2:
        raise MaskError(f"{scene.name}: fewer than two classes are labelled; a field needs another class to become")
    return labels, classes


def _check(scene: Scene, *, season: Season | None, changed_share: float, masks: str) -> None:
    if scene.n_dates != 1:
        raise SceneError(f"{scene.name}: has {scene.n_dates} dates; date 2 is made from a scene of one date")
    if season is not None and scene.wavelength is None:
        raise SceneError(f"{scene.name}: no wavelengths, so no season can be made; give them, or season=None")
    if not 0 < changed_share < 1:
        raise SceneError(f"changed_share is {changed_share:g}; expected between 0 and 1, such as 0.2")
    if masks not in ("change", "classes"):
        raise MaskError(f"masks is {masks!r}; expected 'change' (one mask) or 'classes' (one a date)")
