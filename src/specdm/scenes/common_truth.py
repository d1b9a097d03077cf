"""What several scenes must have in common besides bands and classes: sensors, kind of mask, quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED
from specdm.scenes.quantities import Quantities

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

A_LAYER_A_DATE = "one mask a date"
"""Kind of mask with one layer a date; the other kinds go by the name of their one layer."""


def shared_sensors(scenes: Sequence[Scene]) -> None:
    """Make sure that the dates of all scenes are of the same sensors.

    Raises:
        SceneError: they are not.
    """
    for scene in scenes:
        mine, first = (_sensors(s) for s in (scene, scenes[0]))
        if mine != first:
            raise SceneError(
                f"the dates of {scene.name} are of {_listed(mine)}, those of {scenes[0].name} of {_listed(first)}; "
                "scenes used together must agree, open them apart"
            )


def shared_layers(scenes: Sequence[Scene]) -> str | None:
    """The kind of mask that all scenes with a mask have: "class", "change" or `A_LAYER_A_DATE`; None without.

    Raises:
        MaskError: two scenes have different kinds.
    """
    kinds = [(_kind(scene), scene) for scene in scenes if scene.layers]
    for kind, scene in kinds:
        if kind != kinds[0][0]:
            raise MaskError(
                f"the mask of {scene.name} is {_worded(kind)}, that of {kinds[0][1].name} {_worded(kinds[0][0])}; "
                "scenes used together must have the same kind of mask"
            )
    return kinds[0][0] if kinds else None


def shared_quantities(scenes: Sequence[Scene]) -> Quantities | None:
    """The quantities that all scenes with amounts have; None without amounts.

    Raises:
        MaskError: names, units or their sum differ between two scenes.
    """
    known = [(scene.quantities, scene) for scene in scenes if scene.quantities is not None]
    for quantities, scene in known:
        first, where = known[0]
        if quantities != first:
            raise MaskError(
                f"{scene.name} has {_described(quantities)}, {where.name} {_described(first)}; "
                "scenes used together must have the same quantities in the same order and units"
            )
    return known[0][0] if known else None


def unlabelled_mask(scene: Scene, kind: str | None) -> xr.DataArray:
    """A mask of this kind for a scene that has none: int16 `(layer, y, x)`, unlabelled everywhere."""
    layers = [str(date) for date in scene.dates] if kind == A_LAYER_A_DATE else [kind or "class"]
    # one value seen everywhere: imagery may be large, and this takes no memory
    values = np.broadcast_to(np.array(UNLABELLED, MASK_DTYPE), (len(layers), scene.height, scene.width))
    return xr.DataArray(values, dims=("layer", "y", "x"), coords={"layer": layers})


def unknown_amounts(scene: Scene, quantities: Quantities) -> xr.DataArray:
    """Amounts for a scene that has none: float32 `(quantity, y, x)`, NaN everywhere."""
    values = np.broadcast_to(np.array(np.nan, np.float32), (len(quantities), scene.height, scene.width))
    coords = {"quantity": list(quantities.names)}
    return xr.DataArray(values, dims=("quantity", "y", "x"), coords=coords, attrs=quantities.to_attrs())


def _kind(scene: Scene) -> str:
    return A_LAYER_A_DATE if scene.layers == tuple(str(date) for date in scene.dates) else scene.layers[0]


def _worded(kind: str) -> str:
    return kind if kind == A_LAYER_A_DATE else f"one of {kind}"


def _sensors(scene: Scene) -> list[int]:
    return [0] * scene.n_dates if scene.date_sensor is None else scene.date_sensor.tolist()


def _listed(sensors: list[int]) -> str:
    return "one sensor" if len(set(sensors)) == 1 else "sensors " + ", ".join(map(str, sensors))


def _described(quantities: Quantities) -> str:
    names = ", ".join(quantities.label(i) for i in range(len(quantities)))
    return f"{'abundances' if quantities.sum_to_one else 'free values'} {names}"
