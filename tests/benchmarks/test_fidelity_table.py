"""The tables of benchmarks/fidelity.py, from made-up records."""

from __future__ import annotations

import json

import pytest
from bars import put_between
from fidelity_sets import ABLATIONS, SETS, Job, ablation_jobs, jobs
from fidelity_table import BEGIN, END, cell, set_table, summary, write_tables

RGB, ANGLE = "synthetic.frechet_rgb", "synthetic.class_mean_angle_deg"


def record(set="indian_pines", method="specdm", *, seed=0, intervals=None, **metrics):
    named = {key.replace("__", "."): value for key, value in metrics.items()}
    return {
        "set": set,
        "method": method,
        "seed": seed,
        "minutes": 1.5,
        "tiles": 16,
        "metrics": named,
        "intervals": intervals or {},
    }


def line(records, title):
    return next(one for one in summary(records) if one.title == title)


def pair(name, ours, theirs):
    return [
        record(name, synthetic__frechet_rgb=ours),
        record(name, "ldm", synthetic__frechet_rgb=theirs),
    ]


def test_ratio_is_of_means_over_seeds_and_median_over_sets() -> None:
    records = [
        record(synthetic__frechet_rgb=1.0),
        record(seed=1, synthetic__frechet_rgb=3.0),
        record(method="ldm", synthetic__frechet_rgb=10.0),
        *pair("samson", 4.0, 10.0),
        *pair("taizhou", 9.0, 10.0),
    ]
    found = line(records, "Fréchet² rgb, over ldm")
    assert found.values == pytest.approx({"indian_pines": 0.2, "samson": 0.4, "taizhou": 0.9})
    assert found.median == pytest.approx(0.4)
    assert found.verdict == "pass"


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [((0.2, 0.4, 1.1), "miss"), ((0.7, 0.8, 0.5), "miss"), ((0.6, 0.6, 0.99), "pass")],
    ids=["higher on a set", "median too high", "just kept"],
)
def test_verdict_needs_every_set_lower_and_the_median(ratios: tuple, verdict: str) -> None:
    names = ("indian_pines", "samson", "taizhou")
    records = [r for name, value in zip(names, ratios, strict=True) for r in pair(name, value, 1.0)]
    assert line(records, "Fréchet² rgb, over ldm").verdict == verdict


def test_missing_figures_are_dashes_not_verdicts() -> None:
    records = [record(), record(method="ldm", synthetic__frechet_rgb=None)]
    found = line(records, "Fréchet² rgb, over ldm")
    assert found.values == {"indian_pines": None} and found.verdict == "-"
    assert found.row().endswith("| - | - | - |")
    assert all("nan" not in row for row in set_table(records, set="indian_pines"))


def test_coverage_is_over_the_floor() -> None:
    found = line([record(synthetic__coverage_rgb=0.6, real__coverage_rgb_floor=0.8)], "coverage rgb, over real")
    assert found.values == pytest.approx({"indian_pines": 0.75}) and found.verdict == "miss"


def test_chance_of_several_seeds_counts_how_many_there_are() -> None:
    seeds = [record(seed=k, authenticity__beyond_chance=p) for k, p in enumerate((0.03, 0.5, 0.9))]
    found = line(seeds, "flagged as copies (p of chance)")
    assert found.values == pytest.approx({"indian_pines": 0.09}) and found.verdict == "pass"
    assert line(seeds[:1], "flagged as copies (p of chance)").verdict == "miss"


def test_cell_has_spread_of_seeds_or_the_interval_of_one() -> None:
    one = record(synthetic__frechet_rgb=2.0, intervals={RGB: [1.5, 2.5]})
    assert cell([one], (RGB,)) == "2 (1.5 to 2.5)"
    assert cell([one, record(seed=1, synthetic__frechet_rgb=4.0)], (RGB,)) == "3 ± 1.4"
    assert cell([one], (ANGLE,)) == "-"


def test_tables_are_written_between_marks_again_and_again(tmp_path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    for one in pair("samson", 1.0, 2.0):
        (folder / f"{one['method']}.json").write_text(json.dumps(one))
    here = tmp_path / "project" / "benchmarks"
    here.mkdir(parents=True)
    front = tmp_path / "project" / "README.md"
    front.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_tables(folder, here=here)
    first = (here / "README.md").read_text(), front.read_text()
    write_tables(folder, here=here)
    assert ((here / "README.md").read_text(), front.read_text()) == first
    assert "| Fréchet² rgb, over ldm | < 1 on every set, median <= 0.6 | 0.5 | 0.5 | **pass** |" in first[1]
    assert first[1].startswith("before\n") and first[1].endswith("\nafter\n") and "old" not in first[1]
    assert "### samson" in first[0]
    found = json.loads((here / "results" / "fidelity.json").read_text())
    assert found["1.5 minutes"]["Fréchet² rgb, over ldm"]["median"] == 0.5


def test_a_file_without_marks_stays(tmp_path) -> None:
    (tmp_path / "README.md").write_text("mine")
    put_between(tmp_path / "README.md", ["table"], name="fidelity")
    assert (tmp_path / "README.md").read_text() == "mine"


def test_seed_0_of_everything_comes_first() -> None:
    wanted = jobs(sets=tuple(one.name for one in SETS), methods=("specdm", "ldm"), seeds=(0, 1), minutes=1.5)
    assert [job.seed for job in wanted] == [0] * 16 + [1] * 6
    assert {job.set.name for job in wanted if job.seed} == {"indian_pines", "sentinel2_lulc", "simulated"}
    assert len({job.name for job in wanted}) == len(wanted)


def test_ablations_of_sampling_draw_from_the_preset_s_weights() -> None:
    base, *changed = ablation_jobs(minutes=1.5)
    assert base == Job(base.set, "specdm", 0, 1.5) and len(changed) == len(ABLATIONS)
    assert [job.weights == base.name for job in changed] == [not job.ablation.settings for job in changed]
    assert len({job.name for job in (base, *changed)}) == 1 + len(changed)


def test_ablation_settings_are_known() -> None:
    from specdm.training.config import load_config

    for one in ABLATIONS:
        load_config(overrides=one.settings)
