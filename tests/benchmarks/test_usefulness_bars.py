"""The bars of benchmarks/usefulness.py, from made-up records."""

from __future__ import annotations

from typing import Any

from usefulness_bars import bar_lines

from specdm.evaluation.usefulness.summary import summary


def records(scores: dict[str, list[float]], *, share: float = 0.1) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "network": "freenet",
            "share": share,
            "share_kept": share,
            "seed": seed,
            "test_spectra": "run",
            "settings": {"steps": 500},
            "scores": {"task": "segmentation", "main": score},
        }
        for arm, values in scores.items()
        for seed, score in enumerate(values)
    ]


def row(own: dict[str, list[dict[str, Any]]], title: str) -> str:
    lines = bar_lines({name: summary(one) for name, one in own.items()}, own)
    return next((line for line in lines if title in line), "")


def test_the_baseline_is_met_with_the_same_protocol_over_the_seeds_that_have_all() -> None:
    own = {
        "indian_pines_map": records(
            {"real": [0.5, 0.5, 0.5], "real+sure": [0.6, 0.7, 0.1], "real+ldm": [0.5, 0.4], "pretrained+ldm": [0.9]}
        ),
        "jasper_ridge": records({"real": [0.5], "pretrained": [0.4], "pretrained+ldm": [0.5]}),
    }
    found = row(own, "baseline `ldm`")
    assert "1 of 2" in found and "indian_pines_map +0.200" in found and "jasper_ridge -0.100" in found
    assert "miss" in found
    del own["jasper_ridge"]
    assert "miss" not in row(own, "baseline `ldm`") and "1 of 1" in row(own, "baseline `ldm`")


def test_our_better_arm_is_held_against_their_better_one() -> None:
    scores = {
        "real": [0.5, 0.5], "real+sure": [0.6, 0.6], "pretrained": [0.7, 0.8], "real+ldm": [0.72, 0.72],
        "pretrained+ldm": [0.5, 0.5],
    }  # fmt: skip
    assert "indian_pines_map +0.030" in row({"indian_pines_map": records(scores)}, "baseline `ldm`")


def test_filtering_is_judged_by_its_mean_over_sets() -> None:
    own = {
        "indian_pines_map": records({"real": [0.5], "real+drawn": [0.5], "real+filtered": [0.56]}),
        "jasper_ridge": records({"real": [0.5], "real+drawn": [0.5], "real+filtered": [0.48]}),
    }
    assert "+0.020" in row(own, "`real+filtered` over") and "miss" not in row(own, "`real+filtered` over")
    own["indian_pines_map"] = records({"real": [0.5], "real+drawn": [0.5], "real+filtered": [0.51]})
    assert "-0.005" in row(own, "`real+filtered` over") and "miss" in row(own, "`real+filtered` over")


def test_bars_without_records_have_no_row() -> None:
    own = {"indian_pines_map": records({"real": [0.5], "real+sure": [0.6]})}
    assert not row(own, "baseline `ldm`") and not row(own, "`real+filtered` over")
    assert "+0.100 (one seed)" in row(own, "segmentation")
