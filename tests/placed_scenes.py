"""Scenes with a place, turned, upright and without one, cut into one tile set."""

from __future__ import annotations

import math
from pathlib import Path

from little_scenes import make_little_scene
from rasterio.crs import CRS
from rasterio.transform import Affine

from specdm.scenes.collection import SceneCollection
from specdm.scenes.georeference import georeferenced
from specdm.scenes.scene import Scene
from specdm.tiles.georeference import Place
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes

SIZE = 16
UPRIGHT = Affine(0.0001, 0.0, 11.5, 0.0, -0.0001, 48.25)
TURNED = Affine(
    30 * math.cos(0.4), 30 * math.sin(0.4), 500_000.5, 30 * math.sin(0.4), -30 * math.cos(0.4), 4_100_000.25
)
SHEARED = Affine(30.0, 4.0, 500_000.0, 0.0, -20.0, 4_100_000.0)
PLACES = {"north": (4326, UPRIGHT), "turned": (32633, TURNED)}


def placed(scene: Scene, *, epsg: int | None, transform: Affine) -> Scene:
    """The scene at a place."""
    crs = None if epsg is None else CRS.from_epsg(epsg)
    image = georeferenced(scene.dataset["image"], crs=crs, transform=transform)
    return Scene(scene.dataset.assign(image=image))


def placed_scenes() -> SceneCollection:
    """ "north" in degrees, "turned" in metres on a turned grid, "nowhere"."""
    scenes = [placed(make_little_scene(name=name), epsg=epsg, transform=at) for name, (epsg, at) in PLACES.items()]
    return SceneCollection.create([*scenes, make_little_scene(name="nowhere", seed=1)], name="three")


def placed_tiles(path: Path | None = None) -> TileSet:
    """Tiles of the three, some beyond a corner of the first one's, read from disk if a path is given."""
    return tile_scenes(placed_scenes(), size=SIZE, stride=SIZE, split="none", path=path)


def expected_place(tiles: TileSet, i: int) -> tuple[int, Affine] | None:
    """EPSG code and transform of a tile, worked out by rasterio from its scene's."""
    source, y, x = (tiles.dataset[key].values[i] for key in ("source", "window_y", "window_x"))
    if str(source) not in PLACES:
        return None
    epsg, scene = PLACES[str(source)]
    return epsg, scene @ Affine.translation(int(x), int(y))


def is_there(place: Place | None, expected: tuple[int, Affine] | None) -> bool:
    """Whether a place is that of `expected_place`, to a thousandth of a pixel."""
    if place is None or expected is None:
        return place is expected
    return CRS.from_wkt(place.crs_wkt) == CRS.from_epsg(expected[0]) and is_same(place.transform, expected[1])


def is_same(transform, expected: Affine) -> bool:
    """Whether all corners of a tile are the same to a thousandth of a pixel."""
    pixel = abs(expected.a) + abs(expected.b)
    found = Affine(*tuple(transform)[:6])
    corners = [(0, 0), (SIZE, 0), (0, SIZE), (SIZE, SIZE)]
    pairs = [(found @ corner, expected @ corner) for corner in corners]
    return all(math.dist(*pair) < 1e-3 * pixel for pair in pairs)
