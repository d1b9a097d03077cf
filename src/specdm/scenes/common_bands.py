"""Which bands several scenes have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import SceneError

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

TOLERANCE = 0.5
"""Wavelengths (nm) that differ by no more are the same band, unless one scene has bands nearer than that."""


def common_bands(scenes: Sequence[Scene]) -> list[list[int]]:
    """For each scene the positions of the bands usable in all, in the order of the first scene's bands.

    Raises:
        SceneError: a scene lacks bands that it has not left out, so it is of another sensor; or no band is
            usable in all.
    """
    keys, what = _keys(scenes)
    every = set().union(*keys)
    for scene, own in zip(scenes, keys, strict=True):
        lacking = every - set(own)
        if len(lacking) > len(scene.left_out):
            raise SceneError(_difference(scene, set(own), scenes, keys, what))
    shared = every.intersection(*map(set, keys))
    if not shared:
        raise SceneError(
            f"no band is usable in all of {len(scenes)} scenes; leave out the scenes with most bands missing"
        )
    return [[own.index(key) for key in keys[0] if key in shared] for own in keys]


def _keys(scenes: Sequence[Scene]) -> tuple[list[list[Hashable]], str]:
    """What tells the bands of each scene apart, equal for equal bands; and what that is."""
    wavelengths = [scene.wavelength for scene in scenes]
    known = [wavelength for wavelength in wavelengths if wavelength is not None]
    if len(known) == len(scenes):
        return _wavelength_keys(known), "wavelengths"
    names = [list(scene.band_name) for scene in scenes]
    unique = all(len(set(own)) == len(own) for own in names)
    # names that say nothing about the band, as of files that name bands after themselves, do not overlap
    if unique and set(names[0]).intersection(*map(set, names)):
        return [list(own) for own in names], "band names"
    return [list(range(scene.n_bands)) for scene in scenes], "numbers of bands"


def _wavelength_keys(wavelengths: Sequence[np.ndarray]) -> list[list[Hashable]]:
    nearest = [np.diff(np.sort(own)).min() for own in wavelengths if own.size > 1]
    # overlapping spectrometers have bands 0.05 nm apart, which are two bands all the same
    tolerance = min([TOLERANCE, *(0.4 * gap for gap in nearest)])
    pool = np.sort(np.concatenate(wavelengths))
    starts = [pool[0]]
    for value in pool:
        if value - starts[-1] > tolerance:
            starts.append(value)
    cells = np.array(starts)
    return [
        [round(float(cells[i]), 3) for i in np.searchsorted(cells, own, "right") - 1] for own in wavelengths
    ]


def _difference(
    scene: Scene, own: set[Hashable], scenes: Sequence[Scene], keys: Sequence[list[Hashable]], what: str
) -> str:
    """One line that says in what the scene differs, from the scene most unlike it."""
    other, other_keys = max(zip(scenes, keys, strict=True), key=lambda pair: len(own ^ set(pair[1])))
    if what == "numbers of bands":
        return (
            f"{scene.name} has {scene.n_bands} bands, {other.name} {other.n_bands}, and nothing tells which "
            "are the same; give wavelengths or band names"
        )
    unit = " nm" if what == "wavelengths" else ""
    mine, theirs = _listed(own - set(other_keys)), _listed(set(other_keys) - own)
    return (
        f"{scene.name} and {other.name} have different {what}: only {scene.name} has {mine}{unit}, "
        f"only {other.name} {theirs}{unit}; open scenes of different sensors apart"
    )


def _listed(keys: set[Hashable]) -> str:
    ordered = sorted(keys, key=lambda key: (str(type(key)), key))  # type: ignore[return-value]
    texts = [f"{key:g}" if isinstance(key, float) else str(key) for key in ordered]
    return (
        ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "") if texts else "none"
    )
