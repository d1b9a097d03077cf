"""Files that overlap on the map: what one is tested on, the other does not train on."""

import numpy as np
import pytest
from made_scenes import made_scene
from rasterio.transform import Affine

from specdm.errors import TileError
from specdm.scenes.georeference import georeferenced
from specdm.scenes.scene import Scene
from specdm.tiles.tiling import tile_scenes

SIZE = 8


def placed(name: str, *, x: float, y: float = 0.0, pixel: float = 10.0, crs: str = "EPSG:32633") -> Scene:
    """A scene of 40 px whose upper left corner is so many metres from a point."""
    scene = made_scene(40, 40, name=name, seed=len(name))
    image = georeferenced(
        scene.dataset["image"], crs=crs, transform=Affine(pixel, 0, 500_000 + x, 0, -pixel, 5_800_000 - y)
    )
    return Scene(scene.dataset.assign_coords({key: image.coords[key] for key in ("x", "y", "spatial_ref")}))


def ground(tiles, places: dict[str, tuple[float, float, float]]) -> set[tuple[float, float]]:
    """Centres of 5 m squares that tiles show."""
    found = set()
    windows = (tiles.dataset[key].values for key in ("source", "window_y", "window_x"))
    for source, row, column in zip(*windows, strict=True):
        x, y, pixel = places[str(source)]
        steps = np.arange(2.5, SIZE * pixel, 5.0)
        found |= {(x + column * pixel + dx, y + row * pixel + dy) for dx in steps for dy in steps}
    return found


@pytest.mark.parametrize("pixel", [10.0, 20.0])
@pytest.mark.parametrize("shift", [0.0, 200.0, 385.0])
def test_no_ground_is_shared(pixel: float, shift: float) -> None:
    scenes = [placed("first", x=0), placed("second", x=shift, y=100, pixel=pixel)]
    tiles = tile_scenes(scenes, size=SIZE, stride=3, seed=1)
    places = {"first": (0.0, 0.0, 10.0), "second": (shift, 100.0, pixel)}
    train, val, test = (ground(part, places) for part in (tiles.train, tiles.val, tiles.test))
    assert train and test
    assert not train & test and not train & val and not val & test
    assert any("training tiles" in line and "overlap on the map" in line for line in tiles.problems)


def test_imagery_without_labels_of_the_same_ground() -> None:
    first, bare = placed("first", x=0), placed("bare", x=0)
    tiles = tile_scenes(first, size=SIZE, unlabelled=bare, seed=1)
    places = dict.fromkeys(("first", "bare"), (0.0, 0.0, 10.0))
    assert "bare" in tiles.train.dataset["source"].values
    assert not ground(tiles.train, places) & ground(tiles.test, places)


@pytest.mark.parametrize("other", [{"x": 400.0}, {"x": 0.0, "crs": "EPSG:32634"}, {"x": 399.0}])
def test_neighbours_and_other_systems_are_left_alone(other: dict) -> None:
    tiles = tile_scenes([placed("first", x=0), placed("second", **other)], size=SIZE, seed=1)
    assert not any("overlap" in line for line in tiles.problems)


def test_nothing_left_to_train_on() -> None:
    scenes = [placed("first", x=0), placed("second", x=0)]
    with pytest.raises(TileError, match="so none is left for training; name the files"):
        tile_scenes(scenes, size=SIZE, split={"train": ["first"], "test": ["second"]})
