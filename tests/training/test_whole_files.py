"""Killed between two files, or in the middle of one, a run is still gone on with by the same command."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from file_limits import files_of_at_most, names

from specdm.errors import RunError
from specdm.report import workflow
from specdm.report.scene_source import SceneSource
from specdm.synthesis.fit import train_run
from specdm.tiles.store import open_tiles
from specdm.training.checkpoint_files import WholeCheckpoints
from specdm.training.config import load_config


class Killed(BaseException):
    """The end of a process, which no handler is ready for."""


@pytest.fixture
def source(little_scene, tmp_path: Path) -> SceneSource:
    image, mask = little_scene.window(0, 0, little_scene.height, little_scene.width)
    np.save(tmp_path / "image.npy", np.moveaxis(image[0], 0, -1))
    np.save(tmp_path / "mask.npy", mask[0])
    return SceneSource.of([tmp_path / "image.npy"], {"mask": tmp_path / "mask.npy"})


@pytest.mark.parametrize("before", ["source.yaml", "config.yaml", "tiles.zarr"])
def test_killed_after_the_tiles_were_cut(source, tmp_path: Path, monkeypatch, before: str) -> None:
    config = load_config(overrides={"tiles.size": 16})
    run, write_text = tmp_path / "run", workflow.write_text

    def write(path: Path, text: str) -> None:
        if path.name == before:
            path.with_name(f".{path.name}.partial").write_text(text[:9])
            raise Killed
        write_text(path, text)

    def replace(old: Path, new: Path) -> None:
        assert new.name == before
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(workflow, "write_text", write)
        patch.setattr(workflow, "os", SimpleNamespace(replace=replace))
        with pytest.raises(Killed):
            workflow.prepare_tiles(run, source, config=config)
    tiles = workflow.prepare_tiles(run, source, config=config)
    assert len(tiles) == len(open_tiles(run / "tiles" / "tiles.zarr")) > 0
    assert [path.name for path in (run / "tiles").iterdir()] == ["tiles.zarr"]
    assert not list(run.glob(".*"))
    assert (run / "source.yaml").is_file() and (run / "config.yaml").is_file()


def test_files_that_have_changed_are_told(source, tmp_path: Path) -> None:
    config, mask = load_config(overrides={"tiles.size": 16}), tmp_path / "mask.npy"
    workflow.prepare_tiles(tmp_path / "run", source, config=config)
    labels = np.load(mask)
    mask.touch()  # another time alone is no other file
    workflow.prepare_tiles(tmp_path / "run", source, config=config)
    np.save(mask, np.where(labels == labels.max(), labels.min(), labels))
    with pytest.raises(RunError, match=r"mask\.npy has changed since .*run was made of it; choose another folder"):
        workflow.prepare_tiles(tmp_path / "run", source, config=config)
    mask.unlink()  # tiles are enough
    workflow.prepare_tiles(tmp_path / "run", source, config=config)


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "stage.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 1}, path)

    def full(content, file) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RunError, match=r"stage\.ckpt: cannot be written \(No space left on device\); once it can be"):
        WholeCheckpoints().save_checkpoint({"step": 2}, path)
    assert names(tmp_path) == ["stage.ckpt"] and torch.load(path, weights_only=True) == {"step": 1}


def test_what_torch_makes_of_a_full_disk_is_told_in_a_line(tmp_path: Path) -> None:
    """It raises RuntimeError about its own position in the file."""
    with files_of_at_most(20_000), pytest.raises(RunError, match=r"stage\.ckpt: cannot be written \(File too large\)"):
        WholeCheckpoints().save_checkpoint({"weights": torch.randn(10_000)}, tmp_path / "stage.ckpt")
    assert names(tmp_path) == []


def test_training_writes_such_checkpoints_and_leaves_no_half_model(
    little_tiles, little_settings, tmp_path: Path, monkeypatch
) -> None:
    written: list[str] = []
    save = WholeCheckpoints.save_checkpoint

    def noted(self, checkpoint, path, storage_options=None) -> None:
        written.append(Path(path).name)
        save(self, checkpoint, path, storage_options)

    monkeypatch.setattr(WholeCheckpoints, "save_checkpoint", noted)
    settings = {f"{stage}.steps": 3 for stage in ("codec", "reader", "denoiser")}
    settings |= {"training.checkpoint_seconds": 0.001, "sampling.calibration_tiles": 0}
    (tmp_path / "run" / ".model.0123abcd.partial" / "denoiser").mkdir(parents=True)
    train_run(tmp_path / "run", tiles=little_tiles, config=load_config(overrides=little_settings | settings))
    assert set(written) == {"codec.ckpt", "reader.ckpt", "denoiser.ckpt"}
    assert not list((tmp_path / "run").glob(".*"))


def test_the_configuration_is_never_half_written(little_tiles, little_settings, tmp_path: Path, monkeypatch) -> None:
    config, run = load_config(overrides=little_settings), tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(config.to_yaml())

    def half(self, text: str, *arguments, **options) -> None:
        self.write_bytes(text[: len(text) // 2].encode())
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", half)
        with pytest.raises(Killed):
            train_run(run, tiles=little_tiles, config=config, show_progress=False)
    assert (run / "config.yaml").read_text() == config.to_yaml()
