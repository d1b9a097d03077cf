"""Exported tiles lie where they were cut: upright, turned and sheared grids, and tiles that lie nowhere."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from export_tile_sets import amount_tiles, exported
from little_scenes import make_little_scene
from placed_scenes import SHEARED, expected_place, is_same, is_there, placed, placed_tiles
from rasterio.crs import CRS
from rasterio.transform import Affine
from scipy.io import loadmat

from specdm.scenes.georeference import georeference_of
from specdm.scenes.readers.envi import read_envi
from specdm.scenes.readers.geotiff import open_quietly
from specdm.tiles.export import FORMATS
from specdm.tiles.export.parquet_store import store_parquet
from specdm.tiles.export.protocol import Source
from specdm.tiles.georeference import Place, completed_ground
from specdm.tiles.scores import with_scores
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes

TILES = placed_tiles()
EXPECTED = [expected_place(TILES, i) for i in range(len(TILES))]
SAMPLE = [0, 5, next(i for i, one in enumerate(EXPECTED) if one and one[0] == 32633) + 4, len(TILES) - 1]
"""Tiles of each scene, not all in its corner."""


def lies(transform, crs, i: int) -> bool:
    """Whether what a reader found is the place of tile i."""
    epsg, expected = EXPECTED[i]
    return is_same(transform, expected) and CRS.from_user_input(crs) == CRS.from_epsg(epsg)


def scored(tiles: TileSet) -> TileSet:
    maps = np.full((len(tiles), 1, tiles.size, tiles.size), 0.5, np.float32)
    return with_scores(tiles, maps, np.full(len(tiles), 0.5, np.float32))


def test_geotiff_in_rasterio(tmp_path: Path) -> None:
    folder, lines = exported(scored(TILES), "geotiff", tmp_path / "out")
    for i in SAMPLE:
        names = lines[i]["files"].split(";")
        assert len(names) == 3
        for name in names:
            with open_quietly(folder / name) as file:
                if EXPECTED[i] is None:
                    assert file.crs is None and file.transform.is_identity
                else:
                    assert lies(file.transform, file.crs, i)
        with open_quietly(folder / names[0]) as file:
            np.testing.assert_array_equal(file.read(), TILES.images(i)[0, 0])


def test_amounts_in_rasterio(tmp_path: Path) -> None:
    tiles = amount_tiles()
    ground = {"window_y": [0, 8, 8], "window_x": [0, 0, 8], "scene": ["north", "", "north"]}
    coords = {key: ("tile", values) for key, values in ground.items()}
    at = TileSet(tiles.dataset.assign_coords(coords).assign_attrs(georeference=TILES.dataset.attrs["georeference"]))
    folder, _ = exported(at, "geotiff", tmp_path / "out")
    with open_quietly(folder / "amount_00002.tif") as file:
        assert is_same(file.transform, Affine(0.0001, 0, 11.5 + 8e-4, 0, -0.0001, 48.25 - 8e-4))
    with open_quietly(folder / "amount_00001.tif") as file:
        assert file.crs is None


@pytest.mark.parametrize("reader", ["gdal", "specdm"])
def test_envi_in_gdal_and_in_the_reader(tmp_path: Path, reader: str) -> None:
    folder, lines = exported(TILES, "envi", tmp_path / "out")
    for i in SAMPLE:
        header, image, mask_header, _ = lines[i]["files"].split(";")
        assert ("map info" in (folder / mask_header).read_text()) == (EXPECTED[i] is not None)
        if reader == "specdm":
            found = georeference_of(read_envi(folder / header).values)
            assert found is None if EXPECTED[i] is None else lies(found["transform"], found["crs"], i)
            continue
        with open_quietly(folder / image) as file:
            np.testing.assert_array_equal(file.read(), TILES.images(i)[0, 0])
            assert EXPECTED[i] is None or lies(file.transform, file.crs, i)


def test_envi_in_spectral_python(tmp_path: Path) -> None:
    spectral = pytest.importorskip("spectral")
    folder, lines = exported(TILES, "envi", tmp_path / "out")
    for i in SAMPLE:
        metadata = spectral.open_image(str(folder / lines[i]["files"].split(";")[0])).metadata
        if EXPECTED[i] is None:
            assert "map info" not in metadata
            continue
        epsg, expected = EXPECTED[i]
        info = metadata["map info"]
        assert info[0] == {4326: "Geographic Lat/Lon", 32633: "UTM"}[epsg] and info[1:3] == ["1", "1"]
        assert [float(number) for number in info[3:5]] == pytest.approx([expected.c, expected.f], rel=1e-12)
        side = (expected.a**2 + expected.d**2) ** 0.5
        assert [float(number) for number in info[5:7]] == pytest.approx([side, side])
        assert any(item.startswith("rotation=") for item in info) == (epsg == 32633)
        wkt = ",".join(metadata["coordinate system string"])
        assert CRS.from_wkt(wkt, morph_from_esri_dialect=True).to_epsg() == epsg


def test_what_envi_cannot_say_is_told_and_left_out(tmp_path: Path) -> None:
    tiles = tile_scenes(placed(make_little_scene(), epsg=32633, transform=SHEARED), size=16, stride=16, split="none")
    said: list[str] = []
    folder, lines = exported(tiles, "envi", tmp_path / "out", say=said.append)
    assert len(said) == 1 and "sheared" in said[0] and "manifest.csv" in said[0]
    assert "map info" not in (folder / "image_00000.hdr").read_text()
    assert [float(number) for number in lines[0]["transform"].split()] == list(SHEARED)[:6]
    folder, _ = exported(tiles, "geotiff", tmp_path / "tif")
    with open_quietly(folder / "image_00001.tif") as file:
        assert is_there(tiles.place(1), (32633, file.transform))


def test_npz_in_numpy(tmp_path: Path) -> None:
    folder, lines = exported(TILES, "npz", tmp_path / "out")
    for i in SAMPLE:
        found = np.load(folder / lines[i]["files"], allow_pickle=False)
        if EXPECTED[i] is None:
            assert "transform" not in found and "crs_wkt" not in found
        else:
            assert found["transform"].shape == (6,) and lies(found["transform"], str(found["crs_wkt"]), i)


def test_mat_in_scipy(tmp_path: Path) -> None:
    folder, lines = exported(TILES, "mat", tmp_path / "out")
    for i in SAMPLE:
        found = loadmat(folder / lines[i]["files"], simplify_cells=True)
        if EXPECTED[i] is None:
            assert "transform" not in found and "crs_wkt" not in found
        else:
            assert lies(found["transform"], found["crs_wkt"], i)


def test_webdataset_in_tarfile(tmp_path: Path) -> None:
    folder, lines = exported(TILES, "webdataset", tmp_path / "out")
    for i in SAMPLE:
        with tarfile.open(folder / lines[i]["files"]) as tar:
            found = json.loads(tar.extractfile(f"tile_{i:05d}.json").read())
            image = np.load(io.BytesIO(tar.extractfile(f"tile_{i:05d}.image.npy").read()))
        np.testing.assert_array_equal(image, TILES.images(i)[0, 0])
        if EXPECTED[i] is None:
            assert found["transform"] is None and found["crs_wkt"] is None
        else:
            assert lies(found["transform"], found["crs_wkt"], i)


def test_hugging_face_in_datasets_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    folder, _ = exported(TILES, "hf", tmp_path / "out")
    rows = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    for i in SAMPLE:
        row = rows[i]
        np.testing.assert_array_equal(np.array(row["image"], np.float32), TILES.images(i)[0, 0])
        if EXPECTED[i] is None:
            assert row["transform"] is None and row["crs_wkt"] is None
        else:
            assert lies(row["transform"], row["crs_wkt"], i)
    store_parquet(folder, tmp_path / "again.zarr", where="the export")
    again = open_tiles(tmp_path / "again.zarr")
    assert all(is_there(again.place(i), EXPECTED[i]) for i in range(len(TILES)))


@pytest.mark.parametrize("form", list(FORMATS))
def test_manifest_card_and_estimate(tmp_path: Path, form: str) -> None:
    if form == "hf":
        pytest.importorskip("datasets")
    folder, lines = exported(TILES, form, tmp_path / "out")
    for line, expected in zip(lines, EXPECTED, strict=True):
        if expected is None:
            assert line["crs_wkt"] == line["transform"] == ""
        else:
            place = Place(line["crs_wkt"], tuple(float(number) for number in line["transform"].split()))
            assert is_there(place, expected)
    card = (folder / "README.md").read_text(encoding="utf-8")
    n = sum(expected is not None for expected in EXPECTED)
    assert f"{n} tiles are georeferenced: EPSG:4326, EPSG:32633." in card
    assert "The other tiles have no coordinate reference system" in card and "crs_wkt" in card
    written = sum((folder / name).stat().st_size for name in {n for line in lines for n in line["files"].split(";")})
    assert written <= FORMATS[form].tile_bytes(Source.of(TILES)) * len(TILES)


@pytest.mark.parametrize("form", list(FORMATS))
def test_completed_tiles_name_their_scene(tmp_path: Path, form: str) -> None:
    if form == "hf":
        pytest.importorskip("datasets")
    index = np.array([SAMPLE[2], SAMPLE[1], SAMPLE[3]])
    drawn = TileSet.from_arrays(
        images=TILES.images(index), masks=TILES.masks(index), classes=TILES.classes, split="synthetic", source="model",
        seed=0, index=np.arange(3), attrs={"georeference": TILES.dataset.attrs["georeference"]},
    )  # fmt: skip
    ground = {key: ("tile", values) for key, values in completed_ground(TILES.dataset, index).items()}
    tiles = TileSet(drawn.dataset.assign_coords(ground))
    folder, lines = exported(tiles, form, tmp_path / "out")
    assert [line["scene"] for line in lines] == ["turned", "north", "nowhere"]
    assert [bool(line["transform"]) for line in lines] == [True, True, False]
    assert "no measurement of that place" in " ".join((folder / "README.md").read_text().split())
    if form == "hf":
        store_parquet(folder, tmp_path / "again.zarr", where="the export")
        again = open_tiles(tmp_path / "again.zarr")
        assert all(is_there(again.place(i), EXPECTED[was]) for i, was in enumerate(index))


def test_sets_without_a_place_have_no_columns_for_it(tmp_path: Path) -> None:
    tiles = tile_scenes(make_little_scene(), size=16, stride=16, split="none")
    folder, _ = exported(tiles, "npz", tmp_path / "out")
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        assert not {"scene", "crs_wkt", "transform"} & set(next(csv.reader(file)))
    assert "Tiles have no coordinate reference system" in (folder / "README.md").read_text()
