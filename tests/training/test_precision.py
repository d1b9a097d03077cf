"""What is trained in bfloat16, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from specdm.models.denoiser import JointDenoiser
from specdm.models.mask_reader import MaskReader
from specdm.synthesis.fit import train_run
from specdm.tiles.tileset import TileSet
from specdm.training import precision
from specdm.training.config import TrainingConfig, load_config
from specdm.training.precision import cpu_has_bfloat16, precision_of


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize(("has", "coarse", "wanted"), [
    (True, True, "bf16-mixed"), (True, False, "32-true"), (False, True, "32-true"),
])  # fmt: skip
def test_by_itself_only_what_may_be_coarse_where_the_cpu_can(no_gpu, monkeypatch, has, coarse, wanted) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has)
    assert precision_of(TrainingConfig(), coarse=coarse) == wanted
    assert precision_of(TrainingConfig(accelerator="cpu"), coarse=coarse) == wanted


def test_what_is_asked_for_is_taken_for_everything(no_gpu) -> None:
    asked = TrainingConfig(precision="16-mixed")
    assert {precision_of(asked, coarse=coarse) for coarse in (True, False)} == {"16-mixed"}


def test_a_gpu_trains_in_full(monkeypatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert precision_of(TrainingConfig(), coarse=True) == "32-true"
    assert precision_of(TrainingConfig(accelerator="cpu"), coarse=True) == "bf16-mixed"


@pytest.mark.parametrize(("allowed", "has", "wanted"), [
    ("AVX512", {"avx512_bf16": True}, True), ("AVX512", {"amx_bf16": True}, True), ("AVX512", {}, False),
    ("AVX512", {"avx512_f": True}, False), ("AVX2", {"avx512_bf16": True}, False),
])  # fmt: skip
def test_which_processors_do(monkeypatch, allowed: str, has: dict[str, bool], wanted: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: allowed)
    assert cpu_has_bfloat16() is wanted


def test_a_torch_that_cannot_tell(monkeypatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert cpu_has_bfloat16() is False


def test_of_a_run_the_denoiser_alone(
    no_gpu, monkeypatch, tmp_path: Path, little_tiles: TileSet, little_settings: dict[str, object]
) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    found: dict[type, set[bool]] = {JointDenoiser: set(), MaskReader: set()}
    for kind in found:
        forward = kind.forward

        def seen(self, *args, _forward=forward, _kind=kind, **kwargs):
            if torch.is_grad_enabled():
                found[_kind].add(torch.is_autocast_enabled("cpu"))
            return _forward(self, *args, **kwargs)

        monkeypatch.setattr(kind, "forward", seen)
    settings = little_settings | {"codec.steps": 2, "reader.steps": 2, "denoiser.steps": 2}
    model = train_run(tmp_path / "run", tiles=little_tiles, config=load_config(overrides=settings), show_progress=False)
    assert found == {JointDenoiser: {True}, MaskReader: {False}}
    # what is kept is in full
    assert {parameter.dtype for parameter in model.model.denoiser.parameters()} == {torch.float32}


@pytest.mark.parametrize("has", [True, False])
def test_doctor_tells(monkeypatch, has: bool) -> None:
    from specdm.report.machine import describe_machine

    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has)
    assert ("bfloat16" in describe_machine()["devices"]) is has
