"""What planning a split knows of a scene: which pixels are labelled with what, counted in cells.

The labels are the mask's classes. A scene with amounts only has others, just for planning, so that reserved
ground holds what the rest holds: where amounts are parts of a whole, the one with the most in a pixel; else a
single class for all pixels whose amounts are known.
"""

from __future__ import annotations

import numpy as np

from specdm.errors import TileError
from specdm.scenes.scene import Scene
from specdm.tiles.ground import Ground, cell_size

CELL_BUDGET = 250_000
CELLS_PER_SCENE = (16, 90_000)
STRIP_PIXELS = 2_000_000
TRAIN_GROUND, TEST_GROUND = 1, 2
"""Values of a scene's `split_map`."""
KNOWN = ("known",)


def planning_classes(scene: Scene) -> tuple[str, ...]:
    """Names of the labels that planning counts; none if nothing is labelled."""
    if scene.classes is not None:
        return scene.classes.names
    if scene.quantities is None:
        return ()
    return scene.quantities.names if scene.quantities.sum_to_one else KNOWN


def planning_labels(scene: Scene, top: int, bottom: int) -> np.ndarray:
    """Positions in `planning_classes` for some rows of a scene, int64 `(layer, rows, x)`, -1 where unlabelled."""
    rows = slice(top, bottom)
    if scene.classes is not None:
        return scene.classes.index_of(scene.dataset["mask"].isel(y=rows).values)
    if scene.quantities is None:
        return np.zeros((0, bottom - top, scene.width), np.int64)
    amounts = scene.dataset["amount"].isel(y=rows).values
    known = np.isfinite(amounts)
    if not scene.quantities.sum_to_one:
        return np.where(known.any(axis=0), 0, -1)[None]
    dominant = np.argmax(np.where(known, amounts, -np.inf), axis=0)
    return np.where(known.all(axis=0), dominant, -1)[None]


def map_of(scene: Scene) -> np.ndarray:
    """The scene's train/test map `(y, x)`.

    Raises:
        TileError: it has none.
    """
    ground_map = scene.split_map
    if ground_map is None:
        raise TileError(
            f"{scene.name} has no train/test map, which split='map' needs; give one when opening the "
            "scene or use split='blocks'"
        )
    return ground_map


def scene_ground(
    scene: Scene, *, size: int, stride: int, n_scenes: int, shut_test: bool = False, mapped: bool = False
) -> Ground:
    """Count the scene's labels (`mapped`: on training ground only) in cells, reading it in strips."""
    budget = int(np.clip(CELL_BUDGET // n_scenes, *CELLS_PER_SCENE))
    cell = cell_size(scene.height, scene.width, size, budget)
    rows, columns = scene.height // cell, scene.width // cell
    n_classes = len(planning_classes(scene))
    labels = np.zeros((rows, columns, n_classes), np.int64)
    forbidden = np.zeros((rows, columns), bool)
    ground_map = map_of(scene) if mapped else None
    # pixels left over at the far borders count in the last cell
    cell_x = np.minimum(np.arange(scene.width) // cell, columns - 1)
    strip = max(1, STRIP_PIXELS // scene.width)
    for top in range(0, scene.height, strip):
        bottom = min(top + strip, scene.height)
        cell_y = np.minimum(np.arange(top, bottom) // cell, rows - 1)
        cells = cell_y[:, None] * columns + cell_x
        if n_classes:
            index = planning_labels(scene, top, bottom)
            if ground_map is not None:
                index = np.where(ground_map[top:bottom] == TRAIN_GROUND, index, -1)
            flat = (cells * n_classes + index)[index >= 0]
            first = int(cell_y[0]) * columns * n_classes
            counts = np.bincount(flat - first)
            labels.reshape(-1)[first : first + len(counts)] += counts
        if shut_test and ground_map is not None:
            np.logical_or.at(forbidden.reshape(-1), cells, ground_map[top:bottom] == TEST_GROUND)
    return Ground(
        height=scene.height,
        width=scene.width,
        size=size,
        stride=stride,
        cell=cell,
        labels=labels,
        forbidden=forbidden,
    )
