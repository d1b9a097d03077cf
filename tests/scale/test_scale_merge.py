"""Shards of a job array, and what is made of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from scale_stores import OPTIONS, N, assert_equal_stores

from specdm.errors import RunError, TileError
from specdm.report.merge_run import merge_run
from specdm.report.sample_run import sample_run
from specdm.report.sample_writing import copy_into
from specdm.synthesis.scale.parts import PartDrawer
from specdm.synthesis.scale.shard import Shard, shards_beside
from specdm.tiles.store import open_tiles


@pytest.fixture(scope="module")
def three_shards(little_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the shards of `all.zarr`."""
    folder = tmp_path_factory.mktemp("shards")
    for number in (1, 2, 3):
        sample_run(little_run, output=folder / "all.zarr", shard=f"{number}/3", **OPTIONS)
    return folder


@pytest.fixture
def shards(three_shards: Path, tmp_path: Path) -> Path:
    """A copy of `three_shards`."""
    return Path(shutil.copytree(three_shards, tmp_path / "shards"))


def test_shards_make_the_whole(shards: Path, whole_set: Path) -> None:
    names = [f"all.shard-{number}-of-3.zarr" for number in (1, 2, 3)]
    assert [path.name for path in shards_beside(shards / "all.zarr")] == names
    assert [len(open_tiles(shards / name)) for name in names] == [13, 13, 14]
    assert open_tiles(shards / names[1]).dataset["index"].values.tolist() == list(range(13, 26))
    done: list[tuple[int, int]] = []
    merge_run(shards / "all.zarr", callback=lambda *counts: done.append(counts))
    assert done[-1] == (N, N)
    assert_equal_stores(shards / "all.zarr", whole_set)
    assert all((shards / name).exists() for name in names)
    # what is there is as good as sampled at once
    said: list[str] = []
    merge_run(shards / "all.zarr", say=said.append)
    assert "is there already" in said[0]


def test_shards_are_named_in_any_order(shards: Path, whole_set: Path, tmp_path: Path) -> None:
    paths = list(shards_beside(shards / "all.zarr"))
    merge_run(tmp_path / "out.zarr", paths[::-1])
    assert_equal_stores(tmp_path / "out.zarr", whole_set)


def test_a_shard_goes_on_and_is_done_once(little_run: Path, shards: Path, whole_set: Path, monkeypatch) -> None:
    path = Shard(2, 3).path(shards / "all.zarr")
    shutil.rmtree(path)
    draw, calls = PartDrawer.__call__, []

    def stopping(self, part):
        calls.append(part)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw(self, part)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PartDrawer, "__call__", stopping)
        sample_run(little_run, output=shards / "all.zarr", shard="2/3", again="specdm sample ...", **OPTIONS)
    # whole batches of the whole set, so that arithmetic is the same
    assert [(part.first, part.n) for part in calls] == [(12, 6), (18, 6), (24, 6)]
    with pytest.raises(RunError, match=r"missing 2/3; .*2-of-3.zarr is not finished: 8 of 13 tiles are there; go on"):
        merge_run(shards / "all.zarr")
    sample_run(little_run, output=shards / "all.zarr", shard="2/3", **OPTIONS)
    said: list[str] = []
    sample_run(little_run, output=shards / "all.zarr", shard="2/3", say=said.append, **OPTIONS)
    assert "is there already" in said[0]
    merge_run(shards / "all.zarr")
    assert_equal_stores(shards / "all.zarr", whole_set)


def test_a_merge_that_is_killed_goes_on(shards: Path, whole_set: Path, monkeypatch) -> None:
    class Stop(BaseException):
        pass

    def stopping(writer, tiles, *, first, callback):
        if first > 13:
            raise Stop
        copy_into(writer, tiles, first=first)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr("specdm.report.merge_run.copy_into", stopping)
        merge_run(shards / "all.zarr", again="specdm merge all.zarr")
    with pytest.raises(TileError, match="24 of 40 tiles are there; go on with: specdm merge all"):
        open_tiles(shards / "all.zarr")
    merge_run(shards / "all.zarr")
    assert_equal_stores(shards / "all.zarr", whole_set)


class TestRefusals:
    def test_a_missing_shard(self, shards: Path) -> None:
        shutil.rmtree(Shard(1, 3).path(shards / "all.zarr"))
        with pytest.raises(RunError, match=r"2 of 3 shards are there, missing 1/3; draw them with .* --shard 1/3"):
            merge_run(shards / "all.zarr")
        with pytest.raises(
            RunError, match=r"no shards of .*none.zarr are beside it; .* such as none.shard-1-of-2"
        ):
            merge_run(shards / "none.zarr")

    def test_a_shard_twice(self, shards: Path) -> None:
        paths = list(shards_beside(shards / "all.zarr"))
        shutil.copytree(paths[0], shards / "copy.zarr")
        with pytest.raises(RunError, match=r"overlap: both are shard 1/3"):
            merge_run(shards / "all.zarr", [*paths, shards / "copy.zarr"])

    @pytest.mark.parametrize(
        ("other", "words"),
        [
            ({"seed": 8}, "seed 8, not 3"),
            ({"steps": 2}, "steps 2, not 1"),
            ({"n": 39}, "tiles 39, not 40"),
            ({"shard": "3/4"}, "shards 4, not 3"),
        ],
    )
    def test_a_shard_of_another_set(self, other: dict, words: str, little_run: Path, shards: Path) -> None:
        shutil.rmtree(Shard(3, 3).path(shards / "all.zarr"))
        options = {**OPTIONS, "shard": "3/3", **other}
        sample_run(little_run, output=shards / "all.zarr", **options)
        with pytest.raises(RunError, match="is no shard of the same set as") as found:
            merge_run(shards / "all.zarr")
        assert words in str(found.value) and "\n" not in str(found.value)

    def test_no_shard_at_all(self, shards: Path, whole_set: Path) -> None:
        with pytest.raises(RunError, match="is no shard"):
            merge_run(shards / "all.zarr", [whole_set])

    def test_a_damaged_shard(self, shards: Path) -> None:
        (Shard(2, 3).path(shards / "all.zarr") / "mask" / "c.0.0.0.0").unlink()
        with pytest.raises(TileError, match="1 of 1 mask chunks are missing"):
            merge_run(shards / "all.zarr")

    @pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0"])
    def test_nonsense(self, text: str, little_run: Path, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="expected a number from 1 on and their count"):
            sample_run(little_run, output=tmp_path / "all.zarr", shard=text, **OPTIONS)

    def test_more_shards_than_tiles(self, little_run: Path, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="50 shards of 40 tiles"):
            sample_run(little_run, output=tmp_path / "all.zarr", shard="1/50", **OPTIONS)
