"""SpecDM: synthetic image-mask pairs from a little labelled spectral imagery.

Example:
    >>> import specdm
    >>> scene = specdm.open_scene("scene.hdr", mask="labels.tif")
    >>> tiles = scene.tile(size=32, split="blocks")
    >>> model = specdm.fit(tiles, preset="tiny")
    >>> synthetic = model.sample(256, seed=0)
    >>> specdm.evaluate(synthetic, real=tiles).to_html("report.html")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from specdm.version import __version__

if TYPE_CHECKING:
    from specdm.evaluation import evaluate
    from specdm.evaluation.reliability import reliability
    from specdm.report.usefulness_run import usefulness
    from specdm.scenes.collection import SceneCollection
    from specdm.scenes.open import open_scene
    from specdm.scenes.scene import Scene
    from specdm.synthesis.distill import distill
    from specdm.synthesis.fit import fit
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.store import open_tiles
    from specdm.tiles.tileset import TileSet
    from specdm.tiles.tiling import tile_scenes

__all__ = [
    "Scene",
    "SceneCollection",
    "SpecDMPipeline",
    "TileSet",
    "__version__",
    "distill",
    "evaluate",
    "fit",
    "open_scene",
    "open_tiles",
    "reliability",
    "tile_scenes",
    "usefulness",
]

_HOMES = {
    "Scene": "specdm.scenes.scene",
    "SceneCollection": "specdm.scenes.collection",
    "SpecDMPipeline": "specdm.synthesis.pipeline",
    "TileSet": "specdm.tiles.tileset",
    "distill": "specdm.synthesis.distill",
    "evaluate": "specdm.evaluation",
    "fit": "specdm.synthesis.fit",
    "open_scene": "specdm.scenes.open",
    "open_tiles": "specdm.tiles.store",
    "reliability": "specdm.evaluation.reliability",
    "tile_scenes": "specdm.tiles.tiling",
    "usefulness": "specdm.report.usefulness_run",
}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562): `import specdm` and `specdm --help` must not wait for torch
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
