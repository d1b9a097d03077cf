"""Tile sets on the Hub: sent and opened, the same set; what datasets finds; what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import specdm
from specdm.errors import ConfigError, HubError, TileError
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.export import export_tiles, huggingface
from specdm.tiles.export.parquet_store import store_parquet
from specdm.tiles.scores import with_scores
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

pytest.importorskip("datasets")
NAME = "me/tiles"
SIZE = 8
CLASSES = Classes.create([0, 3, 7], ["Wiese (grün)", "roof", "open water"])


def class_tiles() -> TileSet:
    """Splits in turn, so that files by split lose the order; from files in somebody's folder."""
    rng = np.random.default_rng(1)
    images = rng.normal(0, 4000, (7, 1, 4, SIZE, SIZE)).astype(np.float32)
    images[2, :, 1:, 3] = np.nan
    sources = {"name": "Place", "sources": ["/home/me/secret/place.tif"], "height": 90, "width": 80}
    return TileSet.from_arrays(
        images=images, masks=rng.choice(np.array([-1, 0, 3, 7], np.int16), (7, 1, SIZE, SIZE)), classes=CLASSES,
        wavelength=[450.5, 560.25, 665.0, 1600.0], fwhm=[20.0, 30.0, 40.0, 90.0],
        split=["train", "test", "val", "train", "test", "synthetic", "train"], source="place",
        window_y=[0, 8, 16, 24, 32, -1, 40], window_x=4,
        seed=[-1] * 5 + [0, -1], index=[-1] * 5 + [9, -1], image_units="reflectance",
        attrs={"provenance": {"scenes": [sources], "tiling": {"split": "/home/me/secret/split.tif"}},
               "citation": "Me (2020), Place", "note": "semi-synthetic", "problems": ["few labels"],
               "unlabelled_sources": [], "georeference": {"crs": "EPSG:32632"}},
    )  # fmt: skip


def dated_tiles() -> TileSet:
    """Two dates of two sensors, a mask a date, all judged but one tile."""
    rng = np.random.default_rng(2)
    images = rng.normal(size=(3, 2, 5, SIZE, SIZE)).astype(np.float32)
    images[:, 0, 3:] = images[:, 1, :3] = np.nan
    tiles = TileSet.from_arrays(
        images=images, masks=rng.choice(np.array([-1, 0, 3, 7], np.int16), (3, 2, SIZE, SIZE)), classes=CLASSES,
        dates=[2020, 2021], layers=["2020", "2021"], date_sensor=[0, 1], band_sensor=[0, 0, 0, 1, 1], split="synthetic",
        source="model", seed=3, index=[0, 1, 2],
    )  # fmt: skip
    maps = rng.random((3, 2, SIZE, SIZE)).astype(np.float32)
    return with_scores(tiles, maps, np.array([0.25, 0.5, np.nan], np.float32))


def amount_tiles() -> TileSet:
    rng = np.random.default_rng(3)
    amounts = rng.uniform(0, 40, (3, 2, SIZE, SIZE)).astype(np.float32)
    amounts[:, :, 0, 1] = np.nan
    return TileSet.from_arrays(
        images=rng.normal(size=(3, 1, 3, SIZE, SIZE)).astype(np.float32), amounts=amounts,
        quantities=Quantities.create(["height", "cover"], units=["m", "%"]), split="train", source="s", window_y=0,
        window_x=[0, 8, 16],
    )  # fmt: skip


def same_sets(found: TileSet, expected: TileSet) -> None:
    """All but the folders of whoever sent it."""
    import xarray as xr

    a, b = found.dataset.load(), expected.dataset.load()
    provenance = [json.loads(one.attrs.pop("provenance")) for one in (a, b)]
    xr.testing.assert_identical(a, b)
    assert provenance[0].keys() == provenance[1].keys()


@pytest.mark.parametrize("make", [class_tiles, dated_tiles, amount_tiles])
def test_sent_and_opened(hub, make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "SHARD_TILES", 2)
    stored = make().save(tmp_path / "tiles.zarr")
    assert stored.push_to_hub(NAME).startswith(hub.endpoint)
    for name in (f"hf://datasets/{NAME}", f"hf://{NAME}@main", Path(f"hf://datasets/{NAME}")):
        same_sets(specdm.open_tiles(name), open_tiles(tmp_path / "tiles.zarr"))


def test_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of the store and groups of rows that do not fit each other."""
    monkeypatch.setattr(huggingface, "ROW_GROUP_TILES", 2)
    monkeypatch.setattr("specdm.tiles.export.parquet_store.batch_tiles", lambda layout: 3)
    class_tiles().save(tmp_path / "tiles.zarr")
    export_tiles(class_tiles(), format="hf", folder=tmp_path / "out")
    store_parquet(tmp_path / "out", tmp_path / "again.zarr", where="out")
    found, expected = open_tiles(tmp_path / "again.zarr"), open_tiles(tmp_path / "tiles.zarr")
    for one in (found, expected):
        del one.dataset.attrs["created"]
    same_sets(found, expected)


def test_what_datasets_finds(hub, tmp_path: Path) -> None:
    """The very files of the Hub, under the header of its card."""
    import datasets

    tiles = class_tiles()
    tiles.push_to_hub(NAME)
    for path, content in hub.dataset(NAME).files().items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(content)
    found = datasets.load_dataset(str(tmp_path / "copy"), split="train", cache_dir=str(tmp_path / "cache"))
    rows = list(found.with_format("numpy"))
    for row, i in zip(rows, (0, 3, 6), strict=True):
        np.testing.assert_array_equal(row["image"], tiles.images(i)[0, 0])


def test_the_card(hub) -> None:
    from huggingface_hub import DatasetCard

    class_tiles().push_to_hub(NAME, licence="cc-by-4.0")
    text = hub.dataset(NAME).files()["README.md"].decode()
    data = DatasetCard(text).data
    assert (data.license, data.size_categories) == ("cc-by-4.0", ["n<1K"])
    assert data.task_categories == ["image-segmentation"] and "remote-sensing" in data.tags
    for said in ("Me (2020), Place", "| 3 | roof |", "| 1 | band 1 | 450.5 | 20 |", "semi-synthetic", "few labels"):
        assert said in text
    assert 'specdm.open_tiles("hf://datasets/OWNER/NAME")' in text


def test_no_folder_of_the_sender_is_told(hub) -> None:
    class_tiles().push_to_hub(NAME)
    files = hub.dataset(NAME).files()
    assert b"place.tif" in files["export.json"] and not any(b"secret" in content for content in files.values())


def test_one_commit_and_no_leftovers(hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "SHARD_TILES", 2)
    class_tiles().push_to_hub(NAME)
    class_tiles().select(slice(0, 2)).push_to_hub(NAME, commit_message="fewer")
    repository = hub.dataset(NAME)
    assert len(repository.messages) == 3 and repository.messages[-1] == "fewer"
    data = {path for path in repository.files() if path.startswith("data/")}
    assert data == {"data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"}
    assert not list(hub_home.rglob("*.parquet")), "what was sent is not kept here"
    assert len(open_tiles(f"hf://{NAME}")) == 2


def test_fetched_and_made_once(hub, hub_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_tiles().push_to_hub(NAME, revision="v1")
    first = open_tiles(f"hf://{NAME}@v1")
    hub.asked.clear()
    assert open_tiles(f"hf://{NAME}", revision="v1").where == first.where
    assert hub_home in Path(first.where).parents
    assert not [line for line in hub.asked if "parquet" in line]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert len(open_tiles(f"hf://{NAME}@v1")) == 7, "without a network"
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    other = open_tiles(f"hf://{NAME}@v1", cache_dir=tmp_path / "cache")
    assert tmp_path / "cache" in Path(other.where).parents


def test_nothing_half_made(hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_tiles().push_to_hub(NAME)
    whole = hub.dataset(NAME).files()
    name = next(path for path in whole if path.startswith("data/train"))
    hub.dataset(NAME).commit({**whole, name: whole[name][:-50]}, "main", "cut")
    with pytest.raises(TileError, match=r"hf://datasets/me/tiles: the tile files are damaged"):
        open_tiles(f"hf://{NAME}")
    manifest = whole["manifest.csv"] + whole["manifest.csv"].splitlines()[-1] + b"\n"
    hub.dataset(NAME).commit({**whole, "manifest.csv": manifest}, "main", "a tile more")
    with pytest.raises(TileError, match="tiles are missing"):
        open_tiles(f"hf://{NAME}")
    assert not list((hub_home / "assets").rglob("zarr.json"))


class TestRefused:
    def test_a_newer_version(self, hub) -> None:
        class_tiles().push_to_hub(NAME)
        files = hub.dataset(NAME).files()
        record = json.loads(files["export.json"]) | {"specdm_version": "99.1"}
        hub.dataset(NAME).commit({**files, "export.json": json.dumps(record).encode()}, "main", "newer")
        with pytest.raises(TileError, match=r"written by SpecDM 99\.1, .*pip install -U specdm"):
            open_tiles(f"hf://{NAME}")

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ({"data.csv": b"1,2"}, "no tile set of SpecDM: it has no export.json"),
            ({"export.json": b"{"}, "export.json is damaged"),
            ({"export.json": b'{"format": "npz"}'}, "in the format npz"),
            ({"export.json": b'{"format": "hf"}'}, "damaged"),
        ],
    )
    def test_other_data_sets(self, hub, files: dict[str, bytes], said: str) -> None:
        hub.add("dataset", "me/other", files)
        with pytest.raises(HubError if "no tile" in said else TileError, match=said):
            open_tiles("hf://datasets/me/other")

    def test_an_empty_set_makes_no_repository(self, hub) -> None:
        with pytest.raises(TileError, match="no tiles"):
            class_tiles().select(slice(0, 0)).push_to_hub(NAME)
        assert not hub.repositories

    def test_a_missing_package_makes_no_repository(self, hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(huggingface, "find_spec", lambda package: None)
        with pytest.raises(ConfigError, match=r'pip install "specdm\[export\]"'):
            class_tiles().push_to_hub(NAME)
        assert not hub.repositories

    def test_a_path_is_no_name(self, hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(TileError, match="does not exist"):
            open_tiles(NAME)
        with pytest.raises(HubError, match="no such tile set"):
            open_tiles(f"hf://{NAME}")
