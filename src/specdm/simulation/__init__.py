"""Scenes with known truth: real spectra mixed by known amounts, for tests, demonstrations and validation."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.simulation.change import SimulatedChange, simulate_change
    from specdm.simulation.noise import SensorNoise
    from specdm.simulation.real_change import indian_pines_change, made_change
    from specdm.simulation.scene import Simulated, simulate_scene

__all__ = [
    "SensorNoise",
    "Simulated",
    "SimulatedChange",
    "indian_pines_change",
    "made_change",
    "simulate_change",
    "simulate_scene",
]

_HOMES = {
    "SensorNoise": "noise",
    "Simulated": "scene",
    "SimulatedChange": "change",
    "indian_pines_change": "real_change",
    "made_change": "real_change",
    "simulate_change": "change",
    "simulate_scene": "scene",
}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562), as in specdm.scenes
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
