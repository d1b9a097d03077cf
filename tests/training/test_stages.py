"""A run from tiles to a model: what is written, and what stops it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch

from specdm.errors import RunError, TrainingError
from specdm.models.joint_model import JointModel
from specdm.models.pixels import Pixels
from specdm.synthesis.fit import train_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.codec_training import CodecTraining
from specdm.training.compositions import compositions
from specdm.training.config import load_config
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.reader_training import ReaderTraining
from specdm.training.stage_fitting import check_checkpoint
from specdm.training.stages import train_stages
from specdm.training.tile_tensors import ENCODED, encode_tiles, load_part


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def run(little_run: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(little_run, tmp_path / "run")


def one_line(error: pytest.ExceptionInfo) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_a_run_leaves(little_run: Path) -> None:
    assert {path.name for path in (little_run / "model").iterdir()} == {
        *("model_index.json", "image_codec", "mask_codec", "labelled_codec", "denoiser", "composition_prior"),
        *("calibration", "reader"),
    }
    assert list((little_run / "log" / "tensorboard").glob("events.out.tfevents*"))
    assert not (little_run / "checkpoints" / "codec.ckpt").exists()


def test_noise_of_images_is_coloured_unless_white_noise_is_asked_for(little_run, little_tiles, tmp_path) -> None:
    denoiser = SpecDMPipeline.from_pretrained(little_run / "model").model.denoiser
    reach = little_tiles.size // 2 * 3 // 4
    assert denoiser.noise_reach == reach, "three quarters of a tile"
    middle = denoiser.noise_kernels[:, reach, reach]
    images = denoiser.stream_channels[0]
    assert (middle[:images] < 0.999).all() and (middle[images:] == 1).all()
    overrides = {"tiles.size": little_tiles.size, "denoiser.coloured_noise": False}
    overrides |= {f"{stage}.steps": 1 for stage in ("codec", "reader", "denoiser")}
    config = load_config(overrides=overrides | {"sampling.calibration_tiles": 0})
    plain = train_run(tmp_path / "run", tiles=little_tiles, config=config, show_progress=False)
    assert plain.model.denoiser.noise_reach == 0


def test_masks_by_themselves_have_a_network_unless_none_is_asked_for(little_run, little_tiles, tmp_path) -> None:
    denoiser = SpecDMPipeline.from_pretrained(little_run / "model").model.denoiser
    assert denoiser.config["mask_streams"] == [1, 2] and denoiser.config["mask_patch"] == 2
    for key, value in (("mask_widths", []), ("masks_first", False)):
        overrides = {"tiles.size": little_tiles.size, f"denoiser.{key}": value, "sampling.calibration_tiles": 0}
        overrides |= {f"{stage}.steps": 1 for stage in ("codec", "reader", "denoiser")}
        run = tmp_path / key
        plain = train_run(run, tiles=little_tiles, config=load_config(overrides=overrides), show_progress=False)
        assert plain.model.denoiser.masks_alone is None
        assert len(plain.sample(2)) == 2


def test_losses_are_written_and_fall(little_run: Path) -> None:
    with (little_run / "log" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["stage"], row["step"]) for row in rows] == [
        (stage, str(step)) for stage in ("codec", "reader", "denoiser") for step in (10, 20, 30)
    ]
    assert float(rows[2]["mask_codec_loss"]) < float(rows[0]["mask_codec_loss"])
    assert float(rows[5]["reader_loss"]) < float(rows[3]["reader_loss"])
    assert float(rows[8]["denoiser_loss"]) < float(rows[6]["denoiser_loss"])
    assert float(rows[8]["learning_rate"]) < float(rows[6]["learning_rate"])


def test_a_finished_run_is_loaded_not_trained(run: Path, little_tiles, little_settings, monkeypatch) -> None:
    monkeypatch.setattr("specdm.synthesis.fit.train_stages", None)
    before = snapshot(run)
    train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings))
    assert snapshot(run) == before


@pytest.mark.parametrize(
    ("key", "value"), [("seed", 1), ("denoiser.layers", 2), ("codec.basis", "pca"), ("tiles.stride", 4)]
)
def test_a_run_of_another_configuration(run, little_tiles, little_settings, key: str, value: object) -> None:
    before = snapshot(run)
    with pytest.raises(RunError) as error:
        train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings | {key: value}))
    assert key in one_line(error) and "another configuration" in str(error.value)
    assert snapshot(run) == before


@pytest.mark.parametrize("key", ["denoiser.steps", "codec.steps", "reader.steps", "sampling.steps"])
def test_budgets_may_change_until_it_is_finished(run: Path, little_tiles, little_settings, key: str) -> None:
    other = load_config(overrides=little_settings | {key: 5})
    with pytest.raises(RunError, match=f"holds a finished run of another configuration .{key} is"):
        train_run(run, tiles=little_tiles, config=other)
    shutil.rmtree(run / "model")
    assert train_run(run, tiles=little_tiles, config=other, show_progress=False) is not None


def test_the_machine_may_change(run: Path, little_tiles, little_settings) -> None:
    train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings | {"training.log_every_steps": 5}))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint(run: Path, little_tiles, little_settings, content: bytes | None) -> None:
    shutil.rmtree(run / "model")
    checkpoint = run / "checkpoints" / "denoiser.ckpt"
    if content is None:
        whole = run / "whole.pt"
        torch.save({"state_dict": {"a": torch.zeros(1000)}}, whole)
        content = whole.read_bytes()[:-500]
    checkpoint.write_bytes(content)
    with pytest.raises(RunError) as error:
        train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False)
    assert "denoiser.ckpt" in one_line(error) and "damaged" in str(error.value)
    assert checkpoint.read_bytes() == content


def test_a_checkpoint_of_another_version(run: Path, little_tiles, little_settings, tmp_path: Path) -> None:
    """Such as one of before noise had kernels; it is not torch that says so."""
    checkpoint = run / "checkpoints" / "denoiser.ckpt"
    model = SpecDMPipeline.from_pretrained(shutil.move(run / "model", tmp_path / "model")).model
    weights = {f"denoiser.{name}": value for name, value in model.denoiser.state_dict().items() if "noise" not in name}
    torch.save({"state_dict": weights}, checkpoint)
    with pytest.raises(RunError) as error:
        train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False)
    assert all(words in one_line(error) for words in ("denoiser.ckpt", "another version", "delete it"))


def test_a_checkpoint_of_another_optimizer(tmp_path: Path) -> None:
    module = L.LightningModule()
    module.weight = torch.nn.Parameter(torch.zeros(2))
    module.configure_optimizers = lambda: torch.optim.SGD([module.weight], lr=1.0)
    for groups in ([1], [1, 1], [2]):
        optimizer = {"state": {}, "param_groups": [{"params": list(range(count))} for count in groups]}
        torch.save({"state_dict": module.state_dict(), "optimizer_states": [optimizer]}, tmp_path / "denoiser.ckpt")
        if groups == [1]:
            check_checkpoint(tmp_path / "denoiser.ckpt", module)
            continue
        with pytest.raises(RunError) as error:
            check_checkpoint(tmp_path / "denoiser.ckpt", module)
        assert "denoiser.ckpt" in one_line(error) and "learnt in another way" in str(error.value)


def test_no_checkpoint_can_run_code(run: Path, little_tiles, little_settings, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    shutil.rmtree(run / "model")
    torch.save({"state_dict": Bomb()}, run / "checkpoints" / "denoiser.ckpt")
    with pytest.raises(RunError):
        train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False)
    assert not (tmp_path / "exploded").exists()


def test_no_labelled_pixel(little_tiles: TileSet, little_settings, tmp_path: Path) -> None:
    bare = TileSet(
        little_tiles.dataset.assign(mask=little_tiles.dataset["mask"].copy(data=np.full_like(little_tiles.masks(), -1)))
    )
    with pytest.raises(TrainingError) as error:
        train_run(tmp_path / "run", tiles=bare, config=load_config(overrides=little_settings))
    assert "no labelled pixel" in one_line(error)
    assert not (tmp_path / "run").exists()


def test_no_tile(little_tiles: TileSet, little_settings, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training tile"):
        train_run(tmp_path / "run", tiles=little_tiles.select([]), config=load_config(overrides=little_settings))


@pytest.mark.parametrize("module", [CodecTraining, ReaderTraining, DenoiserTraining])
def test_a_loss_that_is_not_finite(
    module: type, little_tiles: TileSet, little_settings, tmp_path: Path, monkeypatch
) -> None:
    """A weight that is NaN, as after a step that went too far."""
    begin = module.on_train_batch_start

    def spoil(self, batch, batch_idx):
        if self.global_step == 2:
            next(self.parameters()).data.fill_(float("nan"))
        return begin(self, batch, batch_idx)

    monkeypatch.setattr(module, "on_train_batch_start", spoil)
    with pytest.raises(TrainingError) as error:
        train_run(
            tmp_path / "run", tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False
        )
    assert "nan at step 2" in one_line(error) and "learning_rate" in str(error.value)
    assert not (tmp_path / "run" / "model").exists()


def test_minutes_end_a_stage_and_pictures_are_drawn(little_tiles, little_settings, tmp_path: Path) -> None:
    config = load_config(
        overrides=little_settings
        | {"codec.steps": 2, "denoiser.steps": None, "denoiser.minutes": 0.02, "training.picture_seconds": 0.3}
    )
    drawn = []

    def draw(model: JointModel, latents, path: Path) -> None:
        drawn.append(model)
        path.write_text("picture")

    trained = train_stages(
        tmp_path, tiles=little_tiles, held_out=little_tiles.val, config=config, show_progress=False, draw_samples=draw
    )
    assert drawn and list((tmp_path / "log").glob("samples_*.png"))
    assert not trained.model.training
    with (tmp_path / "log" / "metrics.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    # it ran for its minutes and the rate had fallen with them; how much longer the last step took is not asked
    assert float(last["seconds"]) >= 1.2 and float(last["learning_rate"]) < 2e-3 / 2


def test_latents_are_standard_and_know_what_is_labelled(little_run: Path, little_tiles: TileSet) -> None:
    from specdm.synthesis.pipeline import SpecDMPipeline

    model = SpecDMPipeline.from_pretrained(little_run / "model").model
    latents = encode_tiles(model, little_tiles, seed=0)
    assert len(latents) == ENCODED * len(little_tiles)
    known = latents.encoded.known
    assert set(known.unique().tolist()) == {0.0, 1.0}
    # 2 x 2 cells over 3 x 1 pixels without data, in each orientation of tile 3; masks are rarely unknown by cell
    assert (known[:, 0] == 0).sum() == ENCODED * 2
    for stream, part in enumerate(latents.encoded.latents.split(model.stream_channels, dim=1)):
        cells = part.movedim(1, -1)[known[:, stream] > 0]
        torch.testing.assert_close(cells.mean(dim=0), torch.zeros(cells.shape[1]), atol=0.15, rtol=0)
        torch.testing.assert_close(cells.std(dim=0), torch.ones(cells.shape[1]), atol=0.15, rtol=0)
    torch.testing.assert_close(latents.shares.sum().float(), torch.tensor(1.0))


def pixels(*, positions: torch.Tensor | None = None, amounts: torch.Tensor | None = None) -> Pixels:
    first = positions if positions is not None else amounts
    n, size = len(first), first.shape[-1]
    return Pixels(
        torch.zeros(n, 1, 1, size, size),
        torch.zeros(n, 0, size, size, dtype=torch.int64) if positions is None else positions,
        torch.zeros(n, 0, size, size) if amounts is None else amounts,
    )


def test_composition_of_tiles() -> None:
    positions = torch.tensor([[[[0, 0], [1, -1]]], [[[-1, -1], [-1, -1]]]])
    found = compositions(pixels(positions=positions), classes=3, abundances=False)
    torch.testing.assert_close(found[0], torch.tensor([2 / 3, 1 / 3, 0]))
    assert found[1].isnan().all()
    few = torch.full((1, 1, 8, 8), -1)
    few[0, 0, 0, :3] = 1
    few_found = compositions(pixels(positions=few), classes=3, abundances=False)
    assert few_found.isnan().all(), "5 % of a tile say little about it"


def test_composition_of_several_layers_and_of_abundances() -> None:
    positions = torch.tensor([[[[0, 0], [1, 1]], [[1, 1], [1, 0]]]])
    found = compositions(pixels(positions=positions), classes=2, abundances=False)
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5, 0.25, 0.75]]))
    amounts = torch.tensor([[[[0.2, 0.4], [0.6, float("nan")]], [[0.8, 0.6], [0.4, float("nan")]]]])
    found = compositions(pixels(amounts=amounts), classes=0, abundances=True)
    torch.testing.assert_close(found, torch.tensor([[0.4, 0.6]]))
    assert compositions(pixels(amounts=amounts), classes=0, abundances=False).shape == (1, 0)


def test_no_more_tiles_than_memory_allows(little_tiles: TileSet) -> None:
    each = 4 * little_tiles.n_bands * little_tiles.size**2
    part = load_part(little_tiles, seed=0, max_bytes=5 * each)
    again, other = (load_part(little_tiles, seed=seed, max_bytes=5 * each) for seed in (0, 1))
    assert len(part.images) == len(part.positions) == 5
    assert torch.equal(part.positions, again.positions) and not torch.equal(part.positions, other.positions)
    assert len(load_part(little_tiles, seed=0).images) == len(little_tiles)


def test_settings_that_came_later_do_not_tell_runs_apart(little_tiles: TileSet, tmp_path: Path) -> None:
    """A run of preset base from before there was a network for masks; its preset has another one than the default."""
    import yaml

    from specdm.synthesis.fit import _check_fits

    config = load_config(preset="base", overrides={"tiles.size": little_tiles.size})
    written = yaml.safe_load(config.to_yaml())
    written["denoiser"] = {key: value for key, value in written["denoiser"].items() if not key.startswith("mask_")}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(written))
    _check_fits(tmp_path, little_tiles, config=config)
    other = config.model_copy(update={"seed": 1})
    with pytest.raises(RunError, match="another configuration"):
        _check_fits(tmp_path, little_tiles, config=other)
