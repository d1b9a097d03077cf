"""How published data sets lie in folders: one file a layout.

A layout is a module with `plan(folder, given) -> OpeningPlan | None`: None if the folder is not of that layout, else
the sources of every scene. `given` holds the options of `open_scene` that the user gave (`mask`, `dates`, `bands`,
`wavelengths` ...); a layout may ask for one with an error. What a layout itself knows, such as the sensor or the names
of the classes, goes into `OpeningPlan.defaults`; `open_scene` then opens the plan like any other.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specdm.scenes.opening.plan import OpeningPlan

# the most particular first: a folder that two know is the first one's
LAYOUTS = ("oscd", "segmunich", "change_folders")


def plan_folder(folder: Path, given: Mapping[str, Any]) -> OpeningPlan | None:
    """The plan of the layout that knows this folder, or None if it is a plain folder of images.

    Raises:
        SceneError: a layout knows the folder, but something in it is missing.
    """
    for name in LAYOUTS:
        found = importlib.import_module(f"{__name__}.{name}").plan(folder, given)
        if found is not None:
            return found
    return None
