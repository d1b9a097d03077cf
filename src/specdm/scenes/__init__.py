"""Files to scenes: images, masks, wavelengths and classes of one place, checked and on one grid."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.scenes import samples
    from specdm.scenes.classes import UNLABELLED, Classes
    from specdm.scenes.collection import SceneCollection
    from specdm.scenes.open import open_scene
    from specdm.scenes.quantities import Quantities
    from specdm.scenes.scene import Scene

__all__ = ["UNLABELLED", "Classes", "Quantities", "Scene", "SceneCollection", "open_scene", "samples"]

_HOMES = {
    "UNLABELLED": "classes",
    "Classes": "classes",
    "Quantities": "quantities",
    "Scene": "scene",
    "SceneCollection": "collection",
    "open_scene": "open",
    "samples": "samples",
}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562), so that `import specdm` needs neither xarray nor any reader
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return home if name == _HOMES[name] else getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
