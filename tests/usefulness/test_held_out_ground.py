"""No label of ground that judges is where anything learns: poisoned, it changes scores and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_bench import RUN, SPLIT, Benches, field, job, predicted_of, record_of

from specdm.evaluation.usefulness.jobs import Group
from specdm.evaluation.usefulness.workbench import Bench, GroupBench, without_labels_of


@pytest.fixture
def bench_of(tmp_path: Path, little_settings: dict) -> Benches:
    """A bench in a folder of its own."""
    return Benches(tmp_path, little_settings)


def shown(bench: Bench, group: Group) -> list[np.ndarray]:
    """All that generators, networks and rivals learn from, and which labels stay."""
    made = GroupBench(bench, group)
    material, part = made.material, made.part("real")
    found = [values.numpy() for values in (part.images, part.targets, part.weights)]
    for tiles in (material.labelled, material.seen):
        assert not set(tiles.split) & {"test", "synthetic"}
        found += [tiles.dataset[name].values for name in ("image", "mask", "split", "source", "window_y", "window_x")]
    record = json.dumps(made.labels.to_record())
    return [*found, made.standard.mean, made.standard.std, np.array(record)]


def alike(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, other, strict=True))


SIGHTS_OF_POLICIES = [
    ("left_out", "run"), ("left_out", "seen"), ("spectra_seen", "run"), ("spectra_seen", "unseen"),
]  # fmt: skip
"""Those that differ."""


@pytest.mark.parametrize(("policy", "sight"), SIGHTS_OF_POLICIES)
def test_test_labels_teach_nothing(bench_of, policy: str, sight: str):
    group = Group(0.5, 0, sight)
    benches = [bench_of(field(policy=policy, other=other), str(other)) for other in (None, "test", "val")]
    clean, test, val = (shown(bench, group) for bench in benches)
    assert alike(clean, test)
    hidden = np.isnan(GroupBench(benches[0], group).material.seen.images()).any(axis=(1, 2, 3, 4))
    assert hidden.any() == (sight == "unseen")
    assert not alike(clean, val), "validation ground is trained on where test ground judges"


@pytest.mark.parametrize(("judge", "task"), [("test", "segmentation"), ("val", "segmentation"), ("test", "regression")])
def test_only_the_ground_that_judges_changes_scores(bench_of, judge: str, task: str):
    # where test ground judges, labels of validation ground are learnt from
    unread = "test" if judge == "val" else None
    clean, same, changed = (
        bench_of(field(task=task, other=split), name, judge=judge)
        for name, split in (("clean", None), ("same", unread), ("changed", judge))
    )
    for bench in (clean, same, changed):
        assert GroupBench(bench, RUN).run() == []
    for arm in ("real", "svm"):
        assert record_of(same, arm) == record_of(clean, arm)
        assert record_of(changed, arm)["scores"] != record_of(clean, arm)["scores"]
        # what judges is not learnt from, so the prediction is the same
        for bench in (same, changed):
            np.testing.assert_array_equal(predicted_of(bench, arm), predicted_of(clean, arm))
        if task == "segmentation":
            right, wrong = (record_of(bench, arm)["scores"]["overall_accuracy"] for bench in (clean, changed))
            assert right + wrong == pytest.approx(1)
    assert record_of(clean, "svm")["held_out"] == {"tiles": 2, "of": judge}


@pytest.mark.parametrize(("policy", "sight"), SIGHTS_OF_POLICIES)
def test_where_validation_ground_judges_it_has_no_labels(bench_of, policy: str, sight: str, tmp_path: Path):
    benches = [
        bench_of(field(policy=policy, other=other), str(other), judge="val", model=tmp_path / "model")
        for other in (None, "test", "val")
    ]
    group = Group(1.0, 0, sight)
    clean, test, val = (shown(bench, group) for bench in benches)
    assert alike(clean, test) and alike(clean, val)
    material = GroupBench(benches[0], group).material
    assert set(material.labelled.split) == {"train"}
    assert (material.seen.val.masks() == -1).all() and len(material.seen.val) == 2
    assert (material.seen.train.select(np.arange(4)).masks() >= 0).any()
    # the run's model has seen the labels of validation ground
    assert material.model is None and material.folder.name == f"val-{group.name}"


def test_both_judges_have_records_of_their_own(bench_of):
    test, val = (bench_of(field(), judge=judge) for judge in ("test", "val"))
    for bench in (test, val):
        assert GroupBench(bench, RUN).run() == []
    assert val.record_of(job("svm")).name == "val-svm-spectra-100pc-seed0-run.json"
    assert record_of(test, "svm")["held_out"]["of"] == "test" and record_of(val, "svm")["held_out"]["of"] == "val"
    assert {path.name for path in (test.folder / "splits").iterdir()} == {
        "100pc-seed0-run.json", "val-100pc-seed0-run.json",
    }  # fmt: skip


def test_labels_of_a_split_are_taken_away(tmp_path: Path):
    for task in ("segmentation", "regression"):
        tiles = field(task=task)
        known = np.isfinite(tiles.amounts()) if task == "regression" else tiles.masks() >= 0
        blank = without_labels_of(tiles, "val")
        found = np.isfinite(blank.amounts()) if task == "regression" else blank.masks() >= 0
        of_val = np.array(SPLIT) == "val"
        assert not found[of_val].any() and known[of_val].any()
        np.testing.assert_array_equal(found[~of_val], known[~of_val])
        np.testing.assert_array_equal(blank.images(), tiles.images())
        again = np.isfinite(tiles.amounts()) if task == "regression" else tiles.masks() >= 0
        np.testing.assert_array_equal(again, known)
        blank.save(tmp_path / f"{task}.zarr")


def test_seeds_are_of_everything(bench_of):
    bench = bench_of(field(), seeds=(0, 3))
    first, other = (GroupBench(bench, Group(0.5, seed, "run")) for seed in (0, 3))
    assert first.labels.digest != other.labels.digest
    seed = bench.config.seed
    for group, added in ((first, 0), (other, 3)):
        material = group.material
        assert (material.config.seed, material.baseline.seed, material.seed) == (seed + added, seed + added, added)
        assert material.config.model_copy(update={"seed": seed}) == bench.config
