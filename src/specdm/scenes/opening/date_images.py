"""The images of a scene's dates as one: checked against each other, bands chosen, put on one band axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.dates import DateLabel
from specdm.scenes.georeference import check_same_place
from specdm.scenes.images import Image, bands_to_leave_out
from specdm.scenes.raster import Raster

TOLERANCE = 0.5
"""Nanometres by which the wavelengths of two dates of one sensor may differ: files round."""


@dataclass(frozen=True)
class SceneImage:
    """The image of a scene, of all dates.

    Attributes:
        values: `(date, band, y, x)` float32, NaN where no data and where a date has not a band.
        wavelength, fwhm: nm, `(band,)`, or None.
        band_name: one a band.
        left_out: bands of the files that are not in `values`, with the reason.
        date_sensor, band_sensor: which sensor a date and a band are of; None if there is one.
    """

    values: xr.DataArray
    wavelength: np.ndarray | None
    fwhm: np.ndarray | None
    band_name: list[str]
    left_out: list[dict[str, str]]
    date_sensor: list[int] | None = None
    band_sensor: list[int] | None = None


def check_same_grid(rasters: Sequence[Raster], labels: Sequence[DateLabel]) -> None:
    """Make sure that all dates lie on the same pixels.

    Raises:
        SceneError: another size or another place than the first date.
    """
    first = rasters[0]
    for raster, label in zip(rasters[1:], labels[1:], strict=True):
        if raster.grid != first.grid:
            raise SceneError(
                f"{raster.path} (date {label}) has {raster.grid[0]} x {raster.grid[1]} px, {first.path} (date "
                f"{labels[0]}) has {first.grid[0]} x {first.grid[1]} px (rows x columns); all dates of a scene lie on "
                "one grid, resample one onto the other"
            )
        check_same_place(
            first.values, raster.values, image_name=str(first.path), mask_name=str(raster.path), what="date"
        )


def check_same_bands(images: Sequence[Image], rasters: Sequence[Raster], labels: Sequence[DateLabel]) -> None:
    """Make sure that all dates have the same bands, as dates of one sensor have.

    Raises:
        SceneError: another number of bands, other wavelengths, or the same band names in another order.
    """
    advice = 'if the dates are of two sensors say sensors="each", else choose the common bands with bands='
    first, name = images[0], f"{rasters[0].path} (date {labels[0]})"
    for image, raster, label in zip(images[1:], rasters[1:], labels[1:], strict=True):
        other = f"{raster.path} (date {label})"
        if len(image.chosen) != len(first.chosen):
            raise SceneError(f"{other} has {len(image.chosen)} bands, {name} {len(first.chosen)}; {advice}")
        here, there = first.facts.wavelength, image.facts.wavelength
        if here is not None and there is not None:
            here, there = here[first.chosen], there[image.chosen]
            worst = int(np.abs(here - there).argmax())
            if abs(here[worst] - there[worst]) > TOLERANCE:
                raise SceneError(
                    f"{other} has other wavelengths than {name}: its band {worst + 1} lies at {there[worst]:g} nm, "
                    f"there at {here[worst]:g} nm; {advice}"
                )
            continue
        names = [[i.facts.label(band) for band in i.chosen] for i in (first, image)]
        if names[0] != names[1] and set(names[0]) == set(names[1]):
            raise SceneError(
                f"{other} has its bands in another order than {name}: {', '.join(names[1][:4])} ... and "
                f"{', '.join(names[0][:4])} ...; save both in one order"
            )


def bands_left_out(scenes: Sequence[Sequence[Image]], *, each: bool) -> list[list[dict[int, str]]]:
    """For each scene and date the chosen bands that carry nothing, by their place among the chosen, with the reason.

    Dates of one sensor share their bands: what one date lacks is left out of all.

    Args:
        scenes: the images of each scene, one a date.
        each: whether each date has its own sensor.
    """
    if each:
        of_dates = [bands_to_leave_out([scene[d] for scene in scenes]) for d in range(len(scenes[0]))]
        reasons = [[of_dates[d][s] for d in range(len(scene))] for s, scene in enumerate(scenes)]
    else:
        flat = iter(bands_to_leave_out([image for scene in scenes for image in scene]))
        reasons = [[next(flat) for _ in scene] for scene in scenes]
    placed = [
        [{image.chosen.index(band): why for band, why in own.items()} for image, own in zip(scene, dates, strict=True)]
        for scene, dates in zip(scenes, reasons, strict=True)
    ]
    if each:
        return placed
    return [[{k: why for own in dates for k, why in own.items()}] * len(dates) for dates in placed]


def joined(
    images: Sequence[Image],
    reasons: Sequence[dict[int, str]],
    *,
    rasters: Sequence[Raster],
    labels: Sequence[DateLabel],
    each: bool,
) -> SceneImage:
    """The dates as one image.

    Args:
        images: one a date.
        reasons: for each, the places among its chosen bands that are left out; see `bands_left_out`.
        rasters: for messages.
        labels: of the dates.
        each: whether each date has its own sensor, and so its own part of the band axis.

    Raises:
        SceneError: no band is left.
    """
    parts = [
        _usable(image, own, raster) for image, own, raster in zip(images, reasons, rasters, strict=True)
    ]
    if each and len(images) > 1:
        return _side_by_side(parts, labels)
    first = parts[0]
    return replace(
        first,
        values=_on_one_grid([part.values for part in parts]),
        wavelength=next((part.wavelength for part in parts if part.wavelength is not None), None),
        fwhm=next((part.fwhm for part in parts if part.fwhm is not None), None),
    )


def _usable(image: Image, reasons: dict[int, str], raster: Raster) -> SceneImage:
    """One date with the bands that carry something."""
    kept = [k for k in range(len(image.chosen)) if k not in reasons]
    if not kept:
        why = ", ".join(sorted(set(reasons.values())))
        raise SceneError(f"{raster.path}: none of its {len(image.chosen)} bands can be used ({why})")
    bands = [image.chosen[k] for k in kept]
    facts = image.facts
    return SceneImage(
        values=image.values if not reasons else image.values.isel(band=kept),
        wavelength=None if facts.wavelength is None else facts.wavelength[bands],
        fwhm=None if facts.fwhm is None else facts.fwhm[bands],
        band_name=[facts.label(band) for band in bands],
        left_out=[{"band": facts.label(image.chosen[k]), "reason": why} for k, why in sorted(reasons.items())],
    )


def _side_by_side(parts: Sequence[SceneImage], labels: Sequence[DateLabel]) -> SceneImage:
    """Dates of different sensors: the bands of all one after the other, NaN where a date has not the band."""
    sizes = [len(part.band_name) for part in parts]
    names = [[*part.band_name] for part in parts]
    if len({name for own in names for name in own}) < sum(sizes):
        names = [[f"{name} ({label})" for name in own] for own, label in zip(names, labels, strict=True)]
    return SceneImage(
        values=_on_one_grid([_among(part.values, sizes, position) for position, part in enumerate(parts)]),
        wavelength=_all([part.wavelength for part in parts]),
        fwhm=_all([part.fwhm for part in parts]),
        band_name=[name for own in names for name in own],
        left_out=[
            {**entry, "band": f"{entry['band']} ({label})"}
            for part, label in zip(parts, labels, strict=True)
            for entry in part.left_out
        ],
        date_sensor=list(range(len(parts))),
        band_sensor=[position for position, size in enumerate(sizes) for _ in range(size)],
    )


def _among(part: xr.DataArray, sizes: Sequence[int], position: int) -> xr.DataArray:
    """The bands of one date in their place on the band axis of all, NaN elsewhere; lazy if they are."""
    before, after = sum(sizes[:position]), sum(sizes[position + 1 :])
    return part.pad(band=(before, after), mode="constant", constant_values=np.nan)


def _on_one_grid(parts: Sequence[xr.DataArray]) -> xr.DataArray:
    """Dates after each other, with the place of the first that has one."""
    if len(parts) == 1:
        return parts[0]
    placed = next((part for part in parts if "spatial_ref" in part.coords), parts[0])
    bare = [part.drop_vars([c for c in part.coords if c != "date"]) for part in parts]
    whole = xr.concat(bare, dim="date", join="override")
    return whole.assign_coords({key: value for key, value in placed.coords.items() if key in ("x", "y", "spatial_ref")})


def _all(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None
