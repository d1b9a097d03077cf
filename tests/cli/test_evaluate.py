"""`specdm evaluate`: which network it is given, and what its table says."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from specdm.cli.tables import metric_table
from specdm.errors import ConfigError
from specdm.evaluation import Evaluation
from specdm.evaluation.networks import EFFICIENTNET, PACKAGES
from specdm.report.workflow import evaluate_run, evaluate_tile_sets


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """How the evaluation of tile sets was called; it finds two numbers, one with an interval."""
    calls: list[dict] = []

    def evaluates(synthetic: object, **options: object) -> Evaluation:
        calls.append(options)
        found = Evaluation()
        found.add("authenticity.flagged_share", 0.2, interval=(0.05, 0.375))
        found.add("synthetic.density_spectral", 1.0)
        return found

    monkeypatch.setattr("specdm.evaluation.evaluate", evaluates)
    return calls


@pytest.mark.parametrize(("text", "network"), [*zip(PACKAGES, PACKAGES, strict=True), ("none", None)])
def test_the_network_is_passed_on(
    specdm_command, asked, trained, monkeypatch: pytest.MonkeyPatch, text: str, network: str | None
) -> None:
    # which packages the machine has is not what is asked here
    monkeypatch.setattr("specdm.evaluation.networks._installed", lambda name: True)
    run, _ = trained
    tiles = run / "tiles" / "tiles.zarr"
    assert specdm_command("sample", run, "-n", 2).code == 0
    for inputs in ([run], [tiles, tiles]):
        outcome = specdm_command("evaluate", *inputs, "--network", text)
        assert outcome.code == 0, outcome.err
    assert [call["network"] for call in asked] == [network, network]


def test_without_the_option_it_is_the_usual_one(specdm_command, asked, trained) -> None:
    tiles = trained[0] / "tiles" / "tiles.zarr"
    assert specdm_command("evaluate", tiles, tiles).code == 0
    assert asked[0]["network"] == EFFICIENTNET


@pytest.mark.parametrize("inputs", [["no-run"], ["no-real", "no-synthetic"]])
def test_an_unknown_network_is_told_before_anything_is_read(refused, tmp_path: Path, inputs: list[str]) -> None:
    line = refused("evaluate", *(tmp_path / name for name in inputs), "--network", "resnet")
    assert "resnet" in line
    assert all(name in line for name in (*PACKAGES, "none"))


def test_the_table_has_intervals_in_the_unit_of_the_number(specdm_command, asked, trained) -> None:
    tiles = trained[0] / "tiles" / "tiles.zarr"
    lines = specdm_command("evaluate", tiles, tiles).out.splitlines()
    assert any("95 % interval" in line for line in lines)
    flagged, density = (next(x for x in lines if name in x) for name in ("Copies of training", "Density of"))
    assert "20.0 %" in flagged and "5.0 % to 37.5 %" in flagged
    assert " to " not in density


def test_a_table_without_intervals_has_no_such_column() -> None:
    assert [str(column.header) for column in metric_table({}, title="").columns] == ["figure", "value", "wanted"]


def test_workflows_check_the_network_first(tmp_path: Path) -> None:
    for call in (evaluate_run, partial(evaluate_tile_sets, synthetic=tmp_path / "none")):
        with pytest.raises(ConfigError, match="no image network 'resnet'"):
            call(tmp_path / "none", network="resnet")
