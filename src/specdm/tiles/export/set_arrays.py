"""What all tiles of a set share, as plain arrays and as JSON: bands, dates, classes, quantities."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.scenes.classes import UNLABELLED
from specdm.tiles.layout import TileLayout


def set_facts(layout: TileLayout) -> dict[str, Any]:
    """JSON-ready, absent where unknown.

    Returns:
        `wavelength`, `fwhm` (nm), `band_name`, `date`, `date_sensor`, `band_sensor`, `image_units`, and with masks
        `layer`, `unlabelled_value`, `class_value`, `class_name`, `class_color`, with amounts `quantity_name`,
        `quantity_unit`, `sum_to_one`.
    """
    facts: dict[str, Any] = {
        "band_name": [str(name) for name in layout.band_name or ()],
        "date": list(layout.dates),
    }
    for key, numbers in (("wavelength", layout.wavelength), ("fwhm", layout.fwhm)):
        if numbers is not None:
            facts[key] = [float(number) if np.isfinite(number) else None for number in numbers]
    for key, sensors in (("date_sensor", layout.date_sensor), ("band_sensor", layout.band_sensor)):
        if sensors is not None:
            facts[key] = [int(number) for number in sensors]
    if layout.image_units:
        facts["image_units"] = layout.image_units
    if layout.layers:
        facts |= {"layer": list(layout.layers), "unlabelled_value": UNLABELLED}
    if layout.classes is not None:
        classes = layout.classes
        facts |= {
            "class_value": list(classes.values),
            "class_name": list(classes.names),
            "class_color": list(classes.colors),
        }
    if layout.quantities is not None:
        quantities = layout.quantities
        facts |= {
            "quantity_name": list(quantities.names),
            "quantity_unit": list(quantities.units),
            "sum_to_one": quantities.sum_to_one,
        }
    return facts


def set_arrays(layout: TileLayout) -> dict[str, np.ndarray]:
    """`set_facts` as arrays: numbers, or numpy's own text."""
    arrays = {}
    for key, value in set_facts(layout).items():
        if key in ("wavelength", "fwhm"):
            value = [np.nan if number is None else number for number in value]
        arrays[key] = np.asarray(value)
    return arrays
