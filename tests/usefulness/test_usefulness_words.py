"""What the benchmark says in words: gains, losses, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest
from little_scenes import make_little_scene
from made_records import SETTINGS, make_records, write_records

from specdm.cli.usefulness import print_summary
from specdm.evaluation.usefulness.paired import mean_interval
from specdm.evaluation.usefulness.summary import Summary, summary
from specdm.report import usefulness_words as words
from specdm.report.run_folder import RunFolder
from specdm.report.usefulness_comparison import comparisons
from specdm.report.usefulness_files import pairs, table_text
from specdm.report.usefulness_section import usefulness_section


def said(scores: dict, **facts) -> str:
    found = summary(make_records(scores, **facts))
    (one,) = comparisons(found)
    return " ".join(words.sentences(one, found))


@pytest.mark.parametrize(
    ("ours", "verdict", "told"),
    [
        ([0.60, 0.71, 0.80], "better", "Synthetic tiles help: +0.103, 95 % interval +0.089 to +0.118, 3 seeds."),
        ([0.40, 0.51, 0.60], "worse", "Synthetic tiles harm: -0.097, 95 % interval -0.111 to -0.082, 3 seeds."),
        ([0.60, 0.50, 0.70], "open", "help or harm cannot be told: +0.000, 95 % interval -0.248 to +0.248, 3 seeds"),
        ([0.60], "open", "One seed does not tell whether synthetic tiles help (+0.100)."),
    ],
)
def test_gains_and_losses_are_said_alike(ours: list[float], verdict: str, told: str) -> None:
    scores = {"real": [0.5, 0.6, 0.7], "real+drawn": ours}
    assert told in said(scores)
    (one,) = comparisons(summary(make_records(scores)))
    assert {row.arm: row.verdict for row in words.rows(one)} == {"real": None, "real+drawn": verdict}


def test_an_interval_that_touches_zero_decides_nothing() -> None:
    assert words.verdict(mean_interval([0.0, 0.0])) == "open"
    assert words.verdict(mean_interval([0.1, 0.1])) == "better"
    assert words.verdict(mean_interval([-0.1, -0.1])) == "worse"
    assert words.verdict(mean_interval([0.1])) == "open"


def test_the_best_arm_does_not_hide_the_others() -> None:
    told = said({
        "real": [0.5, 0.6], "real+mixup": [0.51, 0.61], "real+drawn": [0.4, 0.5], "real+sure": [0.3, 0.4],
        "pretrained": [0.7, 0.8], "sure": [0.25, 0.31],
    })  # fmt: skip
    assert "pretrained, the best with synthetic tiles, has a mean IoU of 0.750" in told
    assert "real+mixup, the best without them, 0.560" in told
    assert "Of 3 arms with synthetic tiles 1 gained, 2 lost, 0 undecided." in told
    assert "Synthetic tiles alone (sure) reach 50 % of the score of real ones (real+mixup)." in told


def test_densified_tiles_are_told_apart_from_real_ones() -> None:
    told = said({"real": [0.5, 0.6], "dense": [0.55, 0.65], "dense+sure": [0.6, 0.7]})
    assert "dense+sure, with synthetic tiles, has a mean IoU of 0.650; dense, the best without them, 0.600" in told
    assert "Without more labels by the model's reading, real has 0.550." in told


def test_the_baseline_is_not_our_synthetic_tiles() -> None:
    told = said({"real": [0.5, 0.6], "real+drawn": [0.4, 0.5], "real+ldm": [0.8, 0.9]})
    assert told.startswith("real+drawn, with synthetic tiles") and "harm" in told
    assert said({"real": [0.5], "real+ldm": [0.8]}) == ""


def test_single_spectra_that_do_better_are_named() -> None:
    assert "Random forest on single spectra does better than every arm of unet: 0.900." in said(
        {"real": [0.5], "svm": [0.6], "forest": [0.9]}
    )
    assert "single spectra" not in said({"real": [0.95], "real+drawn": [0.9], "forest": [0.9]})


def test_without_a_rival_nothing_is_known() -> None:
    assert "nothing is known of a gain" in said({"real+drawn": [0.5, 0.6], "real": [0.5]})


def test_one_lucky_seed_is_no_best_arm() -> None:
    found = summary(make_records({"real": [0.5, 0.6], "real+mixup": [0.9], "real+drawn": [0.4, 0.5]}))
    (one,) = comparisons(found)
    assert one.real is not None and one.real.arm == "real"


def test_rows_say_all_there_is() -> None:
    (one,) = comparisons(
        summary(make_records({"real": [0.5, 0.6], "real+drawn": [0.62, 0.7], "svm": [0.3]}, share=0.1))
    )
    rows = [(row.arm, row.score, row.seeds, row.gain, row.rival) for row in words.rows(one)]
    assert rows == [
        ("real", "0.550 ± 0.071", 2, "", ""),
        ("real+drawn", "0.660 ± 0.057", 2, "+0.110 (-0.017 to +0.237)", "real"),
        ("svm", "0.300", 1, "", ""),
    ]
    assert all(row.about for row in words.rows(one))
    assert words.title(one) == "10 % of the labels (10.2 % of the labelled ground), unet, test spectra: run"


def test_comparisons_are_of_one_network_share_and_sight() -> None:
    records = [
        *make_records({"real": [0.5], "svm": [0.4]}),
        *make_records({"real": [0.5]}, share=0.1),
        *make_records({"real": [0.5]}, sight="seen"),
        *make_records({"real": [0.5]}, network="my.net:build"),
        *make_records({"svm": [0.4]}, sight="unseen"),
    ]
    found = summary(records)
    assert [(name, [one.share for one in compared]) for name, compared in pairs(found)] == [
        ("my.net_build-run", [1.0]), ("unet-run", [1.0, 0.1]), ("unet-seen", [1.0]), ("spectra-unseen", [1.0]),
    ]  # fmt: skip
    assert words.title(pairs(found)[-1][1][0]).startswith("100 % of the labels, single spectra")


def protocol(found: Summary, **facts) -> str:
    return " ".join(words.protocol(found, **facts))


def test_the_protocol_says_what_the_generator_saw() -> None:
    found = summary(make_records({"real": [0.5, 0.6, 0.7]}))
    real = make_little_scene().tile(size=16, stride=8)
    told = protocol(found, real=real)
    assert "3 seeds; 300 steps of 16 tiles at learning rates up to 0.001" in told and "64 synthetic tiles" in told
    assert "same labels as the model" in told and "usefulness/splits" in told
    assert (
        "Test spectra run: beside these labels the generator saw what the run's own tiles show, which leave test"
        in told
    )
    real.dataset.attrs["pixel_policy"] = "spectra_seen"
    assert "show, test ground without its labels included." in protocol(found, real=real)
    assert "what the run's own tiles show." in protocol(found, real=None)
    assert "on validation ground" in protocol(found, real=None, held_out="val")
    for sight, expected in {"seen": "also the spectra of test ground, without labels", "unseen": "no spectrum"}.items():
        assert f"Test spectra {sight}" in protocol(summary(make_records({"real": [0.5]}, sight=sight)), real=real)
        assert expected in protocol(summary(make_records({"real": [0.5]}, sight=sight)), real=real)


def test_the_protocol_says_what_does_not_match() -> None:
    some = make_records({"real": [0.5, 0.6, 0.7], "real+drawn": [0.5]})
    assert "1 to 3 seeds" in protocol(summary(some), real=None)
    other = make_records({"dense": [0.5]}, settings={**SETTINGS, "steps": 4})
    assert "differ in these settings" in protocol(summary([*some, *other]), real=None)


def test_ground_without_a_score_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = make_records({"real": [None, None], "real+drawn": [None]}, task="change")
    found = summary(records)
    assert found.arms == () and words.UNDEFINED in table_text(found, real=None)
    print_summary(found)
    assert words.UNDEFINED in capsys.readouterr().out
    write_records(RunFolder(tmp_path).usefulness / "records", records)
    section = usefulness_section(make_little_scene().tile(size=16), tmp_path)
    assert section is not None and section["groups"] == [] and section["protocol"] == [words.UNDEFINED]


@pytest.mark.parametrize(("task", "name"), [("change", "F1 of change"), ("regression", "R²")])
def test_every_task_has_its_score(task: str, name: str) -> None:
    found = summary(make_records({"real": [0.5], "real+drawn": [0.6]}, task=task))
    text = table_text(found, real=None)
    assert f"| {name} |" in text and f"has an {name} of 0.600" in text and f"Score: {name} on test ground" in text
