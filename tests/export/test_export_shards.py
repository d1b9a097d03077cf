"""WebDataset and Hugging Face: what tarfile, webdataset and datasets find."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from export_tile_sets import CLASSES, amount_tiles, exported, mixed_tiles, plain_tiles

from specdm.errors import ConfigError
from specdm.tiles.export import export_tiles, huggingface, webdataset


def test_tar_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdataset, "SHARD_TILES", 2)
    tiles = plain_tiles()
    folder, lines = exported(tiles, "webdataset", tmp_path / "out")
    assert [line["files"] for line in lines] == [
        "train-000000.tar", "train-000000.tar", "train-000001.tar", "synthetic-000000.tar", "synthetic-000000.tar",
    ]  # fmt: skip
    for i, line in enumerate(lines):
        with tarfile.open(folder / line["files"]) as tar:
            own = [name for name in tar.getnames() if name.startswith(f"tile_{i:05d}.")]
            read = {name.split(".", 1)[1]: tar.extractfile(name).read() for name in own}
        np.testing.assert_array_equal(np.load(io.BytesIO(read["image.npy"])), tiles.images(i)[0, 0])
        np.testing.assert_array_equal(np.load(io.BytesIO(read["mask.npy"])), tiles.masks(i)[0, 0])
        facts = json.loads(read["json"])
        assert (facts["tile_name"], facts["class_name"]) == (line["name"], list(CLASSES.names))
        assert facts["wavelength"] == list(tiles.wavelength)


def test_shards_in_webdataset(tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    tiles = amount_tiles()
    folder, _ = exported(tiles, "webdataset", tmp_path / "out")
    samples = list(wds.WebDataset(str(folder / "synthetic-000000.tar"), shardshuffle=False).decode())
    assert [sample["__key__"] for sample in samples] == ["tile_00000", "tile_00001", "tile_00002"]
    for i, sample in enumerate(samples):
        np.testing.assert_array_equal(sample["image.npy"], tiles.images(i)[0, 0])
        np.testing.assert_array_equal(sample["amount.npy"], tiles.amounts(i)[0])
        np.testing.assert_array_equal(sample["reliability.npy"], tiles.reliability(i)[0, 0])
    assert [sample["json"]["tile_reliability"] for sample in samples] == [0.25, 0.5, None]


def test_the_same_tiles_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        exported(plain_tiles(), "webdataset", tmp_path / name)
    assert (tmp_path / "a" / "train-000000.tar").read_bytes() == (tmp_path / "b" / "train-000000.tar").read_bytes()


def test_parquet_in_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(huggingface, "SHARD_TILES", 2)
    tiles = plain_tiles()
    folder, lines = exported(tiles, "hf", tmp_path / "out")
    assert lines[2]["files"] == "data/train-00001-of-00002.parquet"
    assert all((folder / line["files"]).is_file() for line in lines)
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert set(found) == {"train", "synthetic"}
    rows = [row for split in ("train", "synthetic") for row in found[split].with_format("numpy")]
    assert len(rows) == len(tiles)
    for i, row in enumerate(rows):
        assert row["image"].dtype == np.float32
        np.testing.assert_array_equal(row["image"], tiles.images(i)[0, 0])
        np.testing.assert_array_equal(row["mask"], tiles.masks(i)[0, 0])
        assert (row["tile_name"], row["window_y"]) == (lines[i]["name"], int(lines[i]["window_y"] or -1))


@pytest.mark.parametrize("make", [mixed_tiles, amount_tiles])
def test_dates_amounts_and_scores_in_datasets(tmp_path: Path, make) -> None:
    datasets = pytest.importorskip("datasets")
    tiles = make()
    folder, _ = exported(tiles, "hf", tmp_path / "out")
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    for i, row in enumerate(next(iter(found.values())).with_format("numpy")):
        np.testing.assert_array_equal(row["image"], tiles.images(i)[0].squeeze())
        if tiles.layers:
            np.testing.assert_array_equal(row["mask"], tiles.masks(i)[0])
        else:
            np.testing.assert_array_equal(row["amount"], tiles.amounts(i)[0])
            np.testing.assert_array_equal(row["reliability"], tiles.reliability(i)[0, 0])


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "find_spec", lambda package: None)
    with pytest.raises(ConfigError, match=r'needs the package datasets.*pip install "specdm\[export\]"'):
        export_tiles(plain_tiles(), format="hf", folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_lists_nest_as_the_axes_do() -> None:
    pytest.importorskip("pyarrow")
    values = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    # datasets shapes what it reads anew, other readers of Parquet see the lists
    assert huggingface.nested_lists(values).to_pylist() == values.tolist()
