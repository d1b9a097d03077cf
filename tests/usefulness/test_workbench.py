"""A group of jobs: records on disk, nothing done twice, and networks trained as their arms say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bench import RUN, SIZE, TWO_STEPS, Benches, field, files, job, predicted_of, record_of

from specdm.errors import TileError
from specdm.evaluation.usefulness import workbench
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.jobs import Group
from specdm.evaluation.usefulness.judging import judged
from specdm.evaluation.usefulness.workbench import GroupBench, without_labels_of
from specdm.tiles.store import open_tiles


@pytest.fixture
def bench_of(tmp_path: Path, little_settings: dict) -> Benches:
    """A bench in a folder of its own."""
    return Benches(tmp_path, little_settings)


# -- records ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["segmentation", "regression"])
def test_every_job_leaves_a_record_and_a_prediction(bench_of, task: str):
    bench, lines = bench_of(field(task=task)), []
    assert GroupBench(bench, RUN, lines.append).run() == []
    assert lines == [job("real").name, job("svm").name]
    assert sorted(files(bench.folder)) == [
        "records/real-unet-100pc-seed0-run.json", "records/real-unet-100pc-seed0-run.npz",
        "records/svm-spectra-100pc-seed0-run.json", "records/svm-spectra-100pc-seed0-run.npz",
        "splits/100pc-seed0-run.json",
    ]  # fmt: skip
    test = open_tiles(bench.tiles).test
    for arm in ("real", "svm"):
        record, predicted = record_of(bench, arm), predicted_of(bench, arm)
        assert predicted.dtype == (np.float32 if task == "regression" else np.int16)
        expected = judged(test, predicted.astype(np.float32 if task == "regression" else np.int64))
        assert record["scores"] == json.loads(json.dumps(expected)) and record["scores"]["task"] == task
        assert (record["arm"], record["network"], record["share"], record["seed"], record["test_spectra"]) == (
            arm, job(arm).network, 1.0, 0, "run",
        )  # fmt: skip
        assert record["settings"] == bench.grid.record() and record["held_out"] == {"tiles": 2, "of": "test"}
        assert record["generator"]["denoiser"] == {"minutes": None, "steps": 30}
        split = json.loads((bench.folder / record["split"]["file"]).read_text())
        assert split["digest"] == record["split"]["digest"] and record["share_kept"] == 1
    assert record_of(bench, "svm")["scores"]["main"] > 0.8


def test_a_rerun_does_nothing(bench_of):
    bench = bench_of(field())
    GroupBench(bench, RUN).run()
    before, lines = files(bench.folder), []
    assert GroupBench(bench, RUN, lines.append).run() == [] and lines == []
    assert files(bench.folder) == before and bench.open_jobs(RUN) == []


def test_only_what_has_no_record_is_done(bench_of):
    bench, lines = bench_of(field()), []
    GroupBench(bench, RUN).run()
    before, record = files(bench.folder), record_of(bench, "real")
    # killed after the prediction was written, before the record was
    bench.record_of(job("real")).unlink()
    assert GroupBench(bench, RUN, lines.append).run() == [] and lines == [job("real").name]
    after = files(bench.folder)
    assert record_of(bench, "real") == record and set(after) == set(before)
    assert all(after[name] == before[name] for name in before if name.startswith("records/svm"))


def test_a_job_that_fails_is_told_and_others_run(bench_of, tmp_path: Path):
    bench = bench_of(field(), model=tmp_path / "nowhere", arms=("dense", "real", "svm"))
    failed = GroupBench(bench, RUN).run()
    (line,) = failed
    assert line.startswith(f"{job('dense').name}: ") and "nowhere" in line
    assert bench.record_of(job("real")).exists() and bench.record_of(job("svm")).exists()
    assert not any("dense" in name or "partial" in name for name in files(bench.folder))
    assert bench.open_jobs(RUN) == [job("dense")]
    assert GroupBench(bench, RUN).run() == failed


def test_a_network_that_fails_is_told(bench_of):
    bench = bench_of(field(), networks=("vgg", "unet"), arms=("real",))
    (line,) = GroupBench(bench, RUN).run()
    assert line.startswith("real-vgg-100pc-seed0-run: there is no network 'vgg'")
    assert bench.record_of(job("real")).exists()


def test_an_error_that_is_not_ours_is_told_too(bench_of, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("out of\nmemory")

    bench = bench_of(field(), arms=("real", "svm"))
    monkeypatch.setattr(workbench, "trained_network", fails)
    assert GroupBench(bench, RUN).run() == [f"{job('real').name}: RuntimeError: out of memory"]
    assert bench.record_of(job("svm")).exists()


def test_nothing_to_judge_on(bench_of):
    bench = bench_of(without_labels_of(field(), "test"))
    failed = GroupBench(bench, RUN).run()
    assert len(failed) == 2 and all("no labelled test tile" in line for line in failed)
    assert not bench.folder.joinpath("records").exists()


def test_half_written_files_are_no_records(bench_of, monkeypatch):
    bench = bench_of(field(), arms=("real",))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(workbench.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            GroupBench(bench, RUN).run()
    assert bench.open_jobs(RUN) == [job("real")]
    assert GroupBench(bench, RUN).run() == [] and bench.open_jobs(RUN) == []


# -- how it is trained -----------------------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What networks were trained on, without training them; parts are the names of their sources."""
    calls: list[dict[str, Any]] = []

    def fake(network: torch.nn.Module, **options: Any) -> torch.nn.Module:
        weights = {name: values.clone() for name, values in network.state_dict().items()}
        calls.append({"weights": weights, **options})
        return network

    monkeypatch.setattr(workbench, "trained_network", fake)
    monkeypatch.setattr(GroupBench, "part", lambda self, source: source)
    return calls


def test_arms_are_trained_as_they_say(bench_of, trained):
    bench = bench_of(field(), arms=tuple(ARMS))
    assert GroupBench(bench, RUN).run() == []
    for arm, call in zip(ARMS.values(), trained, strict=True):
        *before, last = call["phases"]
        assert last.parts == tuple((portion.source, portion.share) for portion in arm.portions) and last.until == 1
        expected = [(tuple((portion.source, portion.share) for portion in arm.before), 0.5)] if arm.before else []
        assert [(phase.parts, phase.until) for phase in before] == expected
        assert call["augmentation"] == arm.augmentation and call["seed"] == 0
        assert call["schedule"] == replace(TWO_STEPS, steps=2 * arm.longer)


def test_first_weights_are_those_of_the_seed(bench_of, trained):
    for place, (seed, arm) in enumerate([(0, "real"), (0, "dense"), (1, "real"), (1, "dense")]):
        # whatever was drawn before
        torch.manual_seed(place + 10)
        GroupBench(bench_of(field(), arms=(arm,)), Group(1.0, seed, "run")).run()
    first, same, other, again = (call["weights"] for call in trained)
    assert all(torch.equal(first[name], same[name]) and torch.equal(other[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_tiles_in_memory_are_few_and_kept(bench_of, monkeypatch):
    group = GroupBench(bench_of(field()), RUN)
    part = group.part("real")
    assert len(part) == 6 and group.part("real") is part
    monkeypatch.setattr(workbench, "PART_BYTES", 2 * 4 * 3 * SIZE**2)
    assert len(GroupBench(group.bench, RUN).part("real")) == 6, "the generator sees all real tiles"
    monkeypatch.setattr(workbench, "REAL_BYTES", 2 * 4 * 3 * SIZE**2)
    said: list[str] = []
    assert len(GroupBench(group.bench, RUN, said.append).part("real")) == 2
    assert said == ["2 of 6 real tiles fit into memory; networks train on these"]


def test_a_source_without_labels_is_said(bench_of):
    group = GroupBench(bench_of(field()), RUN)
    blank = without_labels_of(without_labels_of(group.material.labelled, "train"), "val")
    group.material.tiles = lambda source: (blank, None)  # type: ignore[method-assign]
    group.__dict__.update(targets=GroupBench(group.bench, RUN).targets)
    with pytest.raises(TileError, match=r"no pixel is labelled in synthetic tiles, labelled by .*'sure'"):
        group.part("sure")
