"""`specdm usefulness`: from a run folder to records, table and pictures; what is done is not done again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from little_grid import ARMS_ASKED, ASKED, LITTLE
from little_scenes import make_little_change, make_little_scene
from lock_holder import held_by_another

import specdm
from specdm.cli.usefulness import ARMS_HELP
from specdm.errors import RunError, TileError
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.jobs import DEFAULT_ARMS, RIVALS
from specdm.report.run_folder import RunFolder
from specdm.scenes.quantities import Quantities
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config

NAMES = {
    f"{arm}-{'spectra' if arm == 'svm' else 'unet'}-{share}pc-seed{seed}-run"
    for arm in ARMS_ASKED
    for share in (100, 50)
    for seed in (0, 1)
}


def records_of(run: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in (run / "usefulness" / "records").glob("*.json")}


def times_of(run: Path) -> dict[str, int]:
    folder = run / "usefulness"
    kept = [*(folder / "records").iterdir(), *folder.glob("generators/*/*/model/config.json")]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in kept}


def test_every_job_leaves_a_record(asked_run: tuple[Path, str]) -> None:
    run, _ = asked_run
    records, test = records_of(run), open_tiles(RunFolder(run).tiles).test
    assert set(records) == NAMES
    for name, record in records.items():
        with np.load(run / "usefulness" / "records" / f"{name}.npz") as kept:
            assert kept["predicted"].shape == (len(test), 1, 16, 16)
        assert record["scores"]["task"] == "segmentation" and 0 <= record["scores"]["main"] <= 1
        assert record["settings"]["steps"] == 3 and record["settings"]["tiles"] == 4
        split = json.loads((run / "usefulness" / record["split"]["file"]).read_text())
        assert split["digest"] == record["split"]["digest"] and split["share"] == record["share"]
    assert {record["share_kept"] == 1 for record in records.values() if record["share"] == 1} == {True}
    assert all(0.3 < record["share_kept"] < 0.7 for record in records.values() if record["share"] == 0.5)


def test_the_generator_sees_the_labels_that_networks_see(asked_run: tuple[Path, str]) -> None:
    run, out = asked_run
    generators = {path.parent.name for path in (run / "usefulness" / "generators").glob("*/specdm")}
    assert generators == {"50pc-seed0-run", "50pc-seed1-run"}, "with all labels it is the run's own model"
    assert out.count("training the generator") == 2
    digests = [record["split"]["digest"] for record in records_of(run).values() if record["share"] == 0.5]
    assert len(set(digests)) == 2, "each seed has its own labels"


def test_table_summary_and_pictures(asked_run: tuple[Path, str]) -> None:
    run, out = asked_run
    folder = run / "usefulness"
    pictures = {path.name for path in folder.glob("*.png")}
    assert pictures == {"curve-unet-run.png", "classes-unet-run.png", "maps-unet-run.png"}
    table, told = (folder / "table.md").read_text(), json.loads((folder / "summary.json").read_text())
    assert {(one["arm"], one["share"]) for one in told["arms"]} == {(arm, s) for arm in ARMS_ASKED for s in (1.0, 0.5)}
    assert json.loads((run.parent / "found.json").read_text()) == told
    for one in told["arms"]:
        assert f"{one['score']['mean']:.3f}" in table and f"{one['score']['mean']:.3f}" in out
    assert "100 % of the labels, unet, test spectra: run" in out and "50 % of the labels (" in out
    assert "real+drawn, with synthetic tiles, has a mean IoU of" in out and "2 seeds; 3 steps of 16 tiles" in table
    RunFolder(run).check_can_hold_run()


def test_what_is_done_is_not_done_again(done: Path, specdm_command) -> None:
    before, scores = times_of(done), records_of(done)
    outcome = specdm_command("usefulness", done, *ASKED)
    assert outcome.code == 0, outcome
    assert times_of(done) == before and "training" not in outcome.out and "drawing" not in outcome.out
    # more is done beside it
    outcome = specdm_command("usefulness", done, "--arms", "forest", "--shares", "1", *LITTLE)
    assert outcome.code == 0, outcome
    assert set(records_of(done)) == NAMES | {f"forest-spectra-100pc-seed{seed}-run" for seed in (0, 1)}
    assert {name: records_of(done)[name] for name in NAMES} == scores
    assert "forest" in outcome.out and "dense" in outcome.out, "the table is of all that is there"


def test_a_killed_run_goes_on_where_it_was(done: Path, specdm_command) -> None:
    name = "real+drawn-unet-50pc-seed1-run"
    before, record = times_of(done), records_of(done)[name]
    path = done / "usefulness" / "records" / f"{name}.json"
    path.unlink()
    path.with_name(f".{name}.json.99.partial").write_text('{"arm"')
    (done / "usefulness" / "table.md").unlink()
    outcome = specdm_command("usefulness", done, *ASKED)
    assert outcome.code == 0, outcome
    assert {key for key, time in times_of(done).items() if before.get(key) != time} == {
        f"records/{name}.json", f"records/{name}.npz", f"records/.{name}.json.99.partial",
    }  # fmt: skip
    assert "training" not in outcome.out and name in outcome.out and "svm-spectra" not in outcome.out
    assert records_of(done)[name]["scores"] == record["scores"], "the same job has the same score"
    assert (done / "usefulness" / "table.md").is_file()


def test_a_second_command_leaves_a_group_to_the_first(run: Path, specdm_command) -> None:
    asked = ("usefulness", run, "--arms", "svm", "--shares", "1", *LITTLE)
    with held_by_another(run / "usefulness" / "generators" / "100pc-seed0-run", what="specdm usefulness") as other:
        outcome = specdm_command(*asked)
        assert outcome.code == 2 and outcome.err.count("\n") == 1
        told = f"a job failed, 100pc-seed0-run: another process (specdm usefulness, process {other.pid} on "
        assert told in outcome.err
        assert "is at it; wait until it has ended, or stop it; what is done is in" in outcome.err
        assert set(records_of(run)) == {"svm-spectra-100pc-seed1-run"}, "other groups are done all the same"
        other.kill()
        other.wait()
        assert specdm_command(*asked).code == 0
    assert set(records_of(run)) == {f"svm-spectra-100pc-seed{seed}-run" for seed in (0, 1)}


def test_processes_give_the_same_scores(asked_run: tuple[Path, str], run: Path, specdm_command) -> None:
    outcome = specdm_command("usefulness", run, *ASKED, "--jobs", 2)
    assert outcome.code == 0, outcome
    alone, beside = records_of(asked_run[0]), records_of(run)
    assert set(beside) == set(alone)
    for name, record in beside.items():
        assert record["scores"]["main"] == pytest.approx(alone[name]["scores"]["main"], abs=1e-6), name
        assert record["split"] == alone[name]["split"]


def test_a_job_that_fails_does_not_stop_the_others(run: Path, own_network: str, specdm_command, monkeypatch) -> None:
    def failing(*args, **options):
        raise TileError("no spectrum today")

    asked = ["--arms", "svm,real", "--shares", "1", *LITTLE, "--model", own_network]
    with monkeypatch.context() as patch:
        patch.setattr("specdm.evaluation.usefulness.workbench.humble_prediction", failing)
        outcome = specdm_command("usefulness", run, *asked)
    assert outcome.code == 2 and outcome.err.count("\n") == 1, outcome
    assert "2 jobs failed, the first of them svm-spectra-100pc-seed0-run: no spectrum today" in outcome.err
    assert {name.split("-")[0] for name in records_of(run)} == {"real"}
    assert (run / "usefulness" / "table.md").is_file() and (
        run / "usefulness" / "curve-pixelwise_net_build-run.png"
    ).is_file()
    outcome = specdm_command("usefulness", run, *asked)
    assert outcome.code == 0, outcome
    assert {name.split("-")[0] for name in records_of(run)} == {"real", "svm"}


def test_when_everything_fails_it_is_said(run: Path, monkeypatch) -> None:
    def failing(*args, **options):
        raise TileError("no spectrum today")

    monkeypatch.setattr("specdm.evaluation.usefulness.workbench.humble_prediction", failing)
    with pytest.raises(RunError, match="a job failed, svm-spectra-100pc-seed0-run: no spectrum today; nothing is done"):
        specdm.usefulness(run, arms=["svm"], shares=[1], seeds=[0], device="cpu", say=lambda line: None)


def _amounts() -> TileSet:
    scene = make_little_scene().tile(size=16, stride=8)
    image = scene.images()
    amounts = np.stack([image[:, 0, 3] / 1000, image[:, 0, 8] / 1000], axis=1)
    facts = {key: scene.dataset[key].values for key in ("source", "window_y", "window_x")}
    return TileSet.from_arrays(
        images=image, amounts=amounts.astype(np.float32), quantities=Quantities.create(["low", "high"]),
        split=scene.split, **facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tiles", "network", "main"),
    [
        (lambda: make_little_change().tile(size=16, stride=8, test_share=0.3), "siamese", "f1"),
        (_amounts, "unet", "r2"),
    ],
)
def test_every_task_has_its_network_and_score(
    tmp_path: Path, little_settings: dict, tiles, network: str, main: str
) -> None:
    folder = RunFolder(tmp_path / "run")
    tiles().save(folder.tiles)
    folder.config.write_text(load_config(overrides=little_settings).to_yaml())
    lines: list[str] = []
    found = specdm.usefulness(
        folder.path,
        arms=["real", "real+copy-paste", "svm"],
        shares=[1],
        seeds=[0],
        steps=2,
        device="cpu",
        say=lines.append,
    )
    assert found.main == main and [one.arm for one in found.arms] == ["real", "real+copy-paste", "svm"]
    assert {one.network for one in found.arms} == {network, "spectra"}
    assert lines[0] == f"real-{network}-100pc-seed0-run"
    assert (folder.usefulness / f"curve-{network}-run.png").is_file()


def test_validation_ground_judges_for_itself(run: Path, own_network: str) -> None:
    asked = {"arms": ["real"], "networks": [own_network], "shares": [1], "seeds": [0], "steps": 2, "device": "cpu"}
    found = specdm.usefulness(run, judge="val", **asked)
    assert [path.name for path in (run / "usefulness" / "records").glob("*.json")] == [
        "val-real-pixelwise_net.build-100pc-seed0-run.json"
    ]
    assert {path.name for path in (run / "usefulness").glob("*.*")} == {
        "val-table.md", "val-summary.json", "val-curve-pixelwise_net_build-run.png",
    }  # fmt: skip
    assert "validation ground" in (run / "usefulness" / "val-table.md").read_text()
    other = specdm.usefulness(run, **asked | {"steps": 3})
    assert found.settings["judge"] == "val" and other.settings["judge"] == "test"


# -- what is told ------------------------------------------------------------------------------------------


def test_help_names_every_arm_and_the_usual_ones() -> None:
    told = [part.strip() for text in ARMS_HELP.replace(".", ",").split(":")[1:] for part in text.split(",")]
    words = {word for part in told for word in part.replace(";", " ").split()}
    assert {name for name in (*ARMS, *RIVALS) if name in words or f"{name}*" in words} == {*ARMS, *RIVALS}
    assert {word[:-1] for word in words if word.endswith("*")} == set(DEFAULT_ARMS)


def test_help_has_an_example(specdm_command) -> None:
    outcome = specdm_command("usefulness", "--help")
    assert outcome.code == 0 and "Example: specdm usefulness" in outcome.out
    assert "usefulness" in specdm_command("--help").out
