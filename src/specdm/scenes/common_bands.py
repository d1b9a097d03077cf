"""Which bands several scenes have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import SceneError

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

TOLERANCE = 0.5
"""Wavelengths (nm) that differ by no more are the same band, unless one scene has bands nearer than that."""


@dataclass(frozen=True)
class _Bands:
    """The bands that one sensor has in one scene.

    Attributes:
        scene: the scene's name.
        at: their positions in the scene, int64 `(n,)`.
        wavelength: in nm, `(n,)`, or None.
        names: one a band.
        left_out: bands of the scene that were not taken.
    """

    scene: str
    at: np.ndarray
    wavelength: np.ndarray | None
    names: list[str]
    left_out: int


def common_bands(scenes: Sequence[Scene]) -> list[list[int]]:
    """For each scene the positions of the bands usable in all, in the order of the first scene's bands.

    Two sensors on one grid are matched each on its own: they may well have bands at the same wavelengths.

    Args:
        scenes: at least one; all with the same sensors.

    Raises:
        SceneError: a scene lacks bands that it has not left out, so it is of another sensor; or no band is
            usable in all.
    """
    first = scenes[0].band_sensor
    sensors = [0] if first is None else list(dict.fromkeys(first.tolist()))
    common: list[list[int]] = [[] for _ in scenes]
    for sensor in sensors:
        for own, found in zip(common, _common([_bands(scene, sensor) for scene in scenes]), strict=True):
            own.extend(found)
    if first is not None:
        # the sensors' bands may be mixed along the axis; the first scene's order is the order of all
        order = np.argsort(common[0], kind="stable")
        common = [[own[i] for i in order] for own in common]
    return common


def bands_like(scene: Scene, reference: Scene) -> list[int]:
    """Positions of the scene's bands that are the reference's, in the reference's order: it must have all of them.

    Bands that the reference has left out as unusable are left out here too.

    Raises:
        SceneError: a band is lacking, or there are more than the reference has left out; says which. Does not name
            the scene.
    """
    found = np.zeros(reference.n_bands, np.int64)
    sensors = [0] if reference.band_sensor is None else list(dict.fromkeys(reference.band_sensor.tolist()))
    for sensor in sensors:
        own, wanted = _bands(scene, sensor), _bands(reference, sensor)
        (own_keys, wanted_keys), what = _keys([own, wanted])
        lacking, more = set(wanted_keys) - set(own_keys), set(own_keys) - set(wanted_keys)
        if lacking or len(more) > wanted.left_out:
            if what == "numbers of bands":
                raise SceneError(
                    f"it has {len(own.at)} bands, {wanted.scene} {len(wanted.at)}, and nothing tells which are the "
                    "same; give wavelengths or band names"
                )
            unit = " nm" if what == "wavelengths" else ""
            raise SceneError(
                f"it has other {what} than {wanted.scene}: only it has {_listed(more)}{unit if more else ''}, only "
                f"{wanted.scene} has {_listed(lacking)}{unit if lacking else ''}"
            )
        found[wanted.at] = [own.at[own_keys.index(key)] for key in wanted_keys]
    return found.tolist()


def _bands(scene: Scene, sensor: int) -> _Bands:
    at = np.arange(scene.n_bands)
    if scene.band_sensor is not None:
        at = np.flatnonzero(scene.band_sensor == sensor)
    wavelength = None if scene.wavelength is None else scene.wavelength[at]
    return _Bands(scene.name, at, wavelength, [scene.band_name[i] for i in at], len(scene.left_out))


def _common(bands: Sequence[_Bands]) -> list[list[int]]:
    keys, what = _keys(bands)
    every = set().union(*keys)
    for own, own_keys in zip(bands, keys, strict=True):
        lacking = every - set(own_keys)
        if len(lacking) > own.left_out:
            raise SceneError(_difference(own, set(own_keys), bands, keys, what))
    shared = every.intersection(*map(set, keys))
    if not shared:
        raise SceneError(
            f"no band is usable in all of {len(bands)} scenes; leave out the scenes with most bands missing"
        )
    ordered = [key for key in keys[0] if key in shared]
    return [
        [int(own.at[own_keys.index(key)]) for key in ordered] for own, own_keys in zip(bands, keys, strict=True)
    ]


def _keys(bands: Sequence[_Bands]) -> tuple[list[list[Hashable]], str]:
    """What tells the bands of each scene apart, equal for equal bands; and what that is."""
    known = [own.wavelength for own in bands if own.wavelength is not None]
    if len(known) == len(bands):
        return _wavelength_keys(known), "wavelengths"
    unique = all(len(set(own.names)) == len(own.names) for own in bands)
    # names that say nothing about the band, as of files that name bands after themselves, do not overlap
    if unique and set(bands[0].names).intersection(*(set(own.names) for own in bands)):
        return [list(own.names) for own in bands], "band names"
    return [list(range(len(own.at))) for own in bands], "numbers of bands"


def _wavelength_keys(wavelengths: Sequence[np.ndarray]) -> list[list[Hashable]]:
    gaps = (np.diff(np.unique(own)) for own in wavelengths)
    nearest = [own.min() for own in gaps if own.size]
    # overlapping spectrometers have bands 0.05 nm apart, which are two bands all the same
    tolerance = min([TOLERANCE, *(0.4 * gap for gap in nearest)])
    pool = np.sort(np.concatenate(wavelengths))
    starts = [pool[0]]
    for value in pool:
        if value - starts[-1] > tolerance:
            starts.append(value)
    cells = np.array(starts)
    places = (np.searchsorted(cells, own, "right") - 1 for own in wavelengths)
    return [_told_apart([round(float(cells[i]), 3) for i in own]) for own in places]


def _told_apart(numbers: list[float]) -> list[Hashable]:
    """Bands of one wavelength, as overlapping spectrometers have them when rounded, by their order."""
    found: list[Hashable] = []
    for place, number in enumerate(numbers):
        before = numbers[:place].count(number)
        found.append((number, before + 1) if before else number)
    return found


def _difference(
    scene: _Bands, own: set[Hashable], bands: Sequence[_Bands], keys: Sequence[list[Hashable]], what: str
) -> str:
    """One line that says in what the scene differs, from the scene most unlike it."""
    other, other_keys = max(zip(bands, keys, strict=True), key=lambda pair: len(own ^ set(pair[1])))
    if what == "numbers of bands":
        return (
            f"{scene.scene} has {len(scene.at)} bands, {other.scene} {len(other.at)}, and nothing tells which "
            "are the same; give wavelengths or band names"
        )
    unit = " nm" if what == "wavelengths" else ""
    mine, theirs = _listed(own - set(other_keys)), _listed(set(other_keys) - own)
    return (
        f"{scene.scene} and {other.scene} have different {what}: only {scene.scene} has {mine}{unit}, "
        f"only {other.scene} {theirs}{unit}; open scenes of different sensors apart"
    )


def _listed(keys: set[Hashable]) -> str:
    ordered = sorted(keys, key=lambda key: (str(type(key)), key))  # type: ignore[return-value]
    texts = [_shown(key) for key in ordered]
    return (
        ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "") if texts else "none"
    )


def _shown(key: Hashable) -> str:
    if isinstance(key, tuple):
        return f"{key[0]:g} (number {key[1]})"
    return f"{key:g}" if isinstance(key, float) else str(key)
