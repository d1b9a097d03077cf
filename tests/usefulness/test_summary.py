"""What records say together: which arm is the rival of which, and what gains are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import SETTINGS, make_records, write_records

from specdm.errors import RunError
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.paired import paired_interval
from specdm.evaluation.usefulness.summary import ArmSummary, Summary, read_records, summary


def arm(found: Summary, name: str, **facts) -> ArmSummary:
    """The one arm of a name, and of what else is told of it."""
    (one,) = [
        one for one in found.arms if one.arm == name and all(getattr(one, key) == value for key, value in facts.items())
    ]
    return one


def test_a_gain_is_that_over_the_best_arm_of_real_tiles() -> None:
    scores = {
        "real": [0.40, 0.50, 0.45], "real+mixup": [0.44, 0.55, 0.42], "real+copy-paste": [0.60, 0.30, 0.40],
        "real+sure": [0.50, 0.58, 0.47],
    }  # fmt: skip
    one = arm(summary(make_records(scores)), "real+sure")
    assert one.rival == "real+mixup", "the best by its mean, neither the plain one nor that of the best single seed"
    assert one.gain == paired_interval(scores["real+sure"], scores["real+mixup"])
    assert one.gain.mean == pytest.approx(np.mean([0.06, 0.03, 0.05]))


def test_losses_are_gains_below_zero() -> None:
    found = summary(
        make_records({"real": [0.5, 0.6, 0.7], "real+drawn": [0.4, 0.51, 0.59], "pretrained": [0.5, 0.6, 0.7]})
    )
    lost = arm(found, "real+drawn").gain
    assert lost is not None and lost.mean == pytest.approx(-0.1) and lost.high is not None and lost.high < 0
    same = arm(found, "pretrained").gain
    assert same is not None and same.mean == 0 and not same.above_zero


def test_what_is_densified_is_held_against_what_is_densified() -> None:
    found = summary(
        make_records({
            "real": [0.5, 0.5], "real+mixup": [0.55, 0.55], "dense": [0.6, 0.7], "dense+sure": [0.62, 0.69],
            "real+sure": [0.9, 0.9],
        })
    )  # fmt: skip
    assert (arm(found, "dense").rival, arm(found, "dense+sure").rival) == ("real+mixup", "dense")
    assert arm(found, "dense+sure").gain.mean == pytest.approx(0.005)
    assert arm(found, "dense").gain.mean == pytest.approx(0.1)


def test_arms_that_have_no_rival_have_no_gain() -> None:
    scores = {name: [0.5, 0.6] for name in ("real", "real+mixup", "sure", "drawn", "svm", "forest", "real+ldm")}
    found = summary(make_records(scores))
    gains = {one.arm: one.rival for one in found.arms if one.gain is not None}
    assert gains == {"real+ldm": "real"}
    assert arm(summary(make_records({"dense+sure": [0.5], "real": [0.4]})), "dense+sure").gain is None


def test_only_what_differs_in_the_tiles_alone_is_compared() -> None:
    records = [
        *make_records({"real": [0.9, 0.9]}, network="swin"),
        *make_records({"real": [0.8, 0.8]}, share=0.5),
        *make_records({"real": [0.7, 0.7]}, sight="seen"),
        *make_records({"real": [0.4, 0.4], "real+drawn": [0.5, 0.5]}),
        *make_records({"svm": [1.0, 1.0]}),
    ]
    one = arm(summary(records), "real+drawn")
    assert one.rival == "real" and one.gain.mean == pytest.approx(0.1)


def test_a_rival_must_have_all_the_seeds() -> None:
    found = summary(make_records({"real": [0.4, 0.5, 0.6], "real+mixup": [0.9, 0.9], "real+drawn": [0.5, 0.5, 0.5]}))
    assert arm(found, "real+drawn").rival == "real"
    # seeds that the arm itself lacks do not count
    found = summary(make_records({"real": [0.5, 0.1, 0.1], "real+mixup": [0.4, 0.9, 0.9], "real+drawn": [0.6]}))
    one = arm(found, "real+drawn")
    assert (one.rival, one.gain.n, one.gain.low) == ("real", 1, None) and one.gain.mean == pytest.approx(0.1)
    assert arm(summary(make_records({"real": [0.5], "real+drawn": [0.6, 0.7]})), "real+drawn").gain is None


def test_scores_that_are_not_defined_are_left_out() -> None:
    found = summary(make_records({"real": [0.5, None, 0.7], "real+drawn": [0.6, None, 0.9], "svm": [None, None, None]}))
    assert [one.arm for one in found.arms] == ["real", "real+drawn"]
    assert arm(found, "real").seeds == (0, 2) and arm(found, "real+drawn").gain.n == 2


def test_pairs_are_of_the_same_seeds() -> None:
    gain = arm(summary(make_records({"real": [0.5, 0.0, 0.7], "real+drawn": [0.6, None, 0.9]})), "real+drawn").gain
    assert gain == paired_interval([0.6, 0.9], [0.5, 0.7])


SCORES = st.lists(st.floats(0, 1).map(lambda value: round(value, 3)), min_size=3, max_size=3)


@given(st.dictionaries(st.sampled_from(sorted(ARMS)), SCORES, min_size=1), st.randoms())
def test_no_rival_is_better_than_the_one_that_is_named(scores: dict[str, list[float]], random) -> None:
    records = make_records(scores)
    random.shuffle(records)
    found = summary(records)
    assert [one.arm for one in found.arms] == [name for name in ARMS if name in scores]
    for one in found.arms:
        kind = ARMS[one.arm].kind
        needed = {"synthetic": ARMS[one.arm].rival, "dense": "real"}.get(kind)
        rivals = [name for name in scores if needed and ARMS[name].kind in {"real", needed}]
        there = any(ARMS[name].kind == needed for name in rivals)
        assert (one.gain is None) == (not there)
        if there:
            best = max(np.mean(scores[name]) for name in rivals)
            assert one.rival in rivals and np.mean(scores[one.rival]) == pytest.approx(best)
            assert one.gain.mean == pytest.approx(np.mean(scores[one.arm]) - best)


def test_arms_are_told_by_network_and_most_labels_first() -> None:
    records = [
        *make_records({"svm": [0.3]}, share=0.1),
        *make_records({"real+drawn": [0.5], "real": [0.4]}, share=0.1),
        *make_records({"real": [0.6], "svm": [0.7]}),
        *make_records({"real": [0.6]}, network="swin"),
    ]
    found = summary(records)
    assert [(one.network, one.share, one.arm) for one in found.arms] == [
        ("swin", 1.0, "real"), ("unet", 1.0, "real"), ("unet", 0.1, "real"), ("unet", 0.1, "real+drawn"),
        ("spectra", 1.0, "svm"), ("spectra", 0.1, "svm"),
    ]  # fmt: skip
    beside = found.of(network="unet", test_spectra="run", share=1.0)
    assert [one.arm for one in beside] == ["real", "svm"], "single spectra stand beside every network"
    assert found.of(network="swin", test_spectra="run", share=1.0)[-1].arm == "svm"


def test_further_scores_and_labels_are_means() -> None:
    one = arm(summary(make_records({"real": [0.4, 0.8]}, share=0.1)), "real")
    assert one.score.mean == pytest.approx(0.6) and one.score.n == 2
    assert one.others == {"overall_accuracy": pytest.approx(0.6)}
    assert one.share_kept == pytest.approx(0.102)


def test_the_main_score_is_that_of_the_task() -> None:
    mains = {
        task: summary(make_records({"real": [0.4]}, task=task)).main
        for task in ("segmentation", "change", "regression")
    }
    assert mains == {"segmentation": "mean_iou", "change": "f1", "regression": "r2"}


def test_records_that_do_not_go_together() -> None:
    with pytest.raises(RunError, match="specdm usefulness RUN"):
        summary([])
    several = [*make_records({"real": [0.4]}), *make_records({"real": [0.4]}, task="change", share=0.5)]
    with pytest.raises(RunError, match="change, segmentation"):
        summary(several)
    mixed = [*make_records({"real": [0.4]}), *make_records({"dense": [0.4]}, settings={**SETTINGS, "steps": 3})]
    assert summary(mixed).mixed and not summary(mixed[:1]).mixed


def test_records_are_read_by_the_ground_that_judged(tmp_path: Path) -> None:
    write_records(tmp_path, make_records({"real": [0.4, 0.5]}))
    (tmp_path / "val-real-unet-100pc-seed0-run.json").write_text(json.dumps(make_records({"real": [0.9]})[0]))
    (tmp_path / ".real-unet-100pc-seed3-run.json.77.partial").write_text("{")
    assert [record["scores"]["main"] for record in read_records(tmp_path)] == [0.4, 0.5]
    assert [record["scores"]["main"] for record in read_records(tmp_path, judge="val")] == [0.9]
    assert Path(read_records(tmp_path)[0]["path"]).with_suffix(".npz").name == "real-unet-100pc-seed0-run.npz"
    assert read_records(tmp_path / "nowhere") == []


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"scores": {}}', '{"scores": {"main": 0.5}}'])
def test_a_damaged_record_is_named(tmp_path: Path, damage: str) -> None:
    write_records(tmp_path, make_records({"real": [0.4]}))
    (tmp_path / "svm-spectra-100pc-seed0-run.json").write_text(damage)
    with pytest.raises(RunError, match=r"svm-spectra-100pc-seed0-run.json is damaged .*remove it"):
        read_records(tmp_path)
