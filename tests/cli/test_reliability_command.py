"""`specdm reliability`: scores put into a tile set, filtered copies of it, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from little_rules import little_rules, use_rules
from little_scenes import make_little_scene

from specdm.evaluation.reliability import Rule, reliability
from specdm.report.further_tiles import FurtherTiles
from specdm.report.run_folder import RunFolder
from specdm.scenes.classes import Classes
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.scores import with_scores
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

KINDS = ("region_random", "shift_2", "salt_and_pepper")
N = 6


@pytest.fixture(scope="module")
def base_run(little_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with real tiles in three parts and six synthetic ones, some of whose labels are wrong."""
    run = shutil.copytree(little_run, tmp_path_factory.mktemp("base") / "run")
    folder = RunFolder(run)
    make_little_scene().tile(size=16, stride=8).save(folder.tiles)
    drawn = SpecDMPipeline.from_pretrained(folder.model).sample(N, seed=0)
    masks = drawn.masks()
    # so that the best and the worst differ, however little the model has learnt
    masks[1] = np.random.default_rng(0).choice(np.array([2, 5, 7], np.int16), masks[1].shape)
    TileSet(drawn.dataset.assign(mask=drawn.dataset["mask"].copy(data=masks))).save(folder.synthetic)
    return run


@pytest.fixture(scope="module")
def fitted_rules(base_run: Path) -> tuple[Rule, ...]:
    """Rules of two and of three evidences fitted on these very tiles: what is tested here is no rule's quality."""
    real = open_tiles(RunFolder(base_run).tiles)
    said = SpecDMPipeline.from_pretrained(RunFolder(base_run).model).posterior(real)
    combined = (("spectral",), ("edge",), ("spectral", "edge"), ("spectral", "edge", "consistency"))
    return little_rules(real, kinds=KINDS, evidences=combined, posterior=said)


@pytest.fixture
def run(base_run: Path, fitted_rules: tuple[Rule, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `base_run` to work in."""
    use_rules(monkeypatch, fitted_rules)
    return shutil.copytree(base_run, tmp_path / "run")


def synthetic(run: Path) -> TileSet:
    return open_tiles(RunFolder(run).synthetic)


def tile_scores(tiles: TileSet) -> np.ndarray:
    return tiles.dataset["tile_reliability"].values


def between(scores: np.ndarray, position: int) -> float:
    """A threshold above the lowest `position` scores."""
    low, high = np.sort(scores)[position - 1 : position + 1]
    assert low < high
    return float(low + high) / 2


def same_but_scores(one: TileSet, other: TileSet) -> bool:
    return bool(np.array_equal(one.images(), other.images()) and np.array_equal(one.masks(), other.masks()))


@pytest.fixture
def judged(run: Path, specdm_command) -> Path:
    """The run when its tiles have scores."""
    assert specdm_command("reliability", run).code == 0
    return run


def test_scores_are_put_into_the_tile_set(specdm_command, run: Path, monkeypatch) -> None:
    before = synthetic(run)
    # parts of one tile, as if tiles were large
    monkeypatch.setattr("specdm.report.score_tiles.batch_tiles", lambda layout: 1)
    outcome = specdm_command("reliability", run)
    assert outcome.code == 0, outcome
    tiles = synthetic(run)
    assert tiles.scored and same_but_scores(before, tiles)
    real = open_tiles(RunFolder(run).tiles)
    said = SpecDMPipeline.from_pretrained(run / "model").posterior(before)
    expected = reliability(before, real=real, posterior=said)
    np.testing.assert_allclose(tiles.reliability(), expected.pixel, atol=1e-5)
    np.testing.assert_allclose(tile_scores(tiles), expected.tile, atol=1e-5)
    assert tile_scores(tiles).argmin() == 1, "the tile of random labels"
    record = json.loads((run / "reliability.json").read_text())
    assert record["evidences"] == ["spectral", "edge", "consistency"] and record["filtered"] is None
    assert record["mean_score"] == pytest.approx(float(np.nanmean(expected.pixel)), abs=1e-4)
    assert record["planted"]["tiles"] == 2 and record["planted"]["auroc_all"] > 0.6
    assert sum(record["planted"]["share"]) == pytest.approx(1, abs=1e-3)
    assert f"{record['mean_score']:.3f}" in outcome.out and "scores of 6 tiles in" in outcome.out
    # and a run folder with it is still a run folder
    RunFolder(run).check_can_hold_run()


def test_pixels_below_a_score_become_unlabelled(specdm_command, judged: Path) -> None:
    before = synthetic(judged)
    level = float(np.nanquantile(before.reliability(), 0.3))
    outcome = specdm_command("reliability", judged, "--unlabel-below", level)
    assert outcome.code == 0, outcome
    assert same_but_scores(before, synthetic(judged)), "filtering never changes what is filtered"
    after = open_tiles(judged / "synthetic" / "reliable.zarr")
    low = before.reliability() < level
    np.testing.assert_array_equal(after.masks(), np.where(low, -1, before.masks()))
    np.testing.assert_array_equal(after.images(), before.images())
    np.testing.assert_allclose(after.reliability(), np.where(low, np.nan, before.reliability()), atol=1e-5)
    np.testing.assert_allclose(tile_scores(after), np.nanmean(after.reliability(), axis=(1, 2, 3)), atol=1e-5)
    filtered = json.loads((judged / "reliability.json").read_text())["filtered"]
    assert (filtered["marked"], filtered["judged"]) == (int(low.sum()), int(np.isfinite(before.reliability()).sum()))
    assert filtered["mean_before"] < filtered["mean_after"]
    assert filtered["mean_after"] == pytest.approx(float(np.nanmean(after.reliability())), abs=1e-4)
    assert f"{filtered['marked']:,} of {filtered['judged']:,} pixels" in outcome.out
    assert json.loads(after.dataset.attrs["filtered"])["unlabel_below"] == pytest.approx(level)


def test_a_share_of_the_pixels_becomes_unlabelled(specdm_command, judged: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("specdm.report.reliable_tiles.batch_tiles", lambda layout: 4)
    out = tmp_path / "out.zarr"
    assert specdm_command("reliability", judged, "--unlabel-share", 0.2, "-o", out).code == 0
    before, after = synthetic(judged), open_tiles(out)
    known = np.isfinite(before.reliability())
    marked = known & (after.masks() < 0)
    assert marked.sum() == round(0.2 * known.sum())
    assert before.reliability()[marked].max() <= before.reliability()[known & ~marked].min()


def test_tiles_below_a_score_are_left_out(specdm_command, judged: Path) -> None:
    before = synthetic(judged)
    level = between(tile_scores(before), 2)
    outcome = specdm_command("reliability", judged, "--drop-below", level)
    assert outcome.code == 0, outcome
    after = open_tiles(judged / "synthetic" / "reliable.zarr")
    kept = np.flatnonzero(tile_scores(before) >= level)
    assert len(after) == 4 and same_but_scores(after, before.select(kept))
    np.testing.assert_allclose(tile_scores(after), tile_scores(before)[kept], atol=1e-6)
    assert "2 of 6 tiles" in outcome.out


@pytest.mark.parametrize("share", [None, 0.1])
def test_tiles_are_drawn_until_enough_are_good(specdm_command, judged: Path, monkeypatch, share: float | None) -> None:
    monkeypatch.setattr("specdm.report.reliable_tiles.DRAWN_AT_A_TIME", 3)
    before = synthetic(judged)
    level = between(tile_scores(before), 2)
    more = [] if share is None else ["--unlabel-share", share]
    assert specdm_command("reliability", judged, "--drop-below", level, "-n", 7, *more).code == 0
    after = open_tiles(judged / "synthetic" / "reliable.zarr")
    index = after.dataset["index"].values
    assert len(after) == 7 and (tile_scores(after) >= level).all()
    assert index[:4].tolist() == np.flatnonzero(tile_scores(before) >= level).tolist()
    assert (np.diff(index) > 0).all() and index[4] >= N
    # the very tiles that sampling more would have given
    again = SpecDMPipeline.from_pretrained(judged / "model").sample(1, seed=0, first=int(index[-1]))
    np.testing.assert_allclose(after.images(6), again.images(), atol=0.05)
    filtered = json.loads((judged / "reliability.json").read_text())["filtered"]
    assert (filtered["dropped"], filtered["regenerated"], filtered["tiles_after"]) == (2, 3, 7)
    assert filtered["drawn"] >= 3 and filtered["drawn"] % 3 == 0
    if share is not None:
        assert filtered["marked"] == round(share * filtered["judged"])
        marked = int((after.masks() < 0).sum())
        assert marked >= filtered["marked"] > 0
    assert sorted(path.name for path in (judged / "synthetic").iterdir()) == ["reliable.zarr", "tiles.zarr"]


def test_drawing_stops_when_it_is_in_vain(specdm_command, judged: Path, monkeypatch) -> None:
    monkeypatch.setattr("specdm.report.reliable_tiles.MOST_DRAWN", 1)
    scores = tile_scores(synthetic(judged))
    best = float(scores.max())
    # so that what is drawn further never reaches it
    monkeypatch.setattr(
        "specdm.report.further_tiles.FurtherTiles.draw",
        lambda self, n: synthetic(judged).select(np.full(n, scores.argmin())),
    )
    outcome = specdm_command("reliability", judged, "--drop-below", best, "-n", 5)
    assert outcome.code == 0
    assert "only 1 of the 5 tiles asked for" in outcome.out and "lower --drop-below" in outcome.out
    assert len(open_tiles(judged / "synthetic" / "reliable.zarr")) == 1


def test_further_tiles_are_drawn_as_the_set_was(specdm_command, run: Path, monkeypatch) -> None:
    assert specdm_command("sample", run, "-n", 2, "--steps", 2, "--guidance", 0, "--overwrite").code == 0
    asked: list[dict] = []
    draw = SpecDMPipeline.sample

    def noting(self: SpecDMPipeline, n: int, **options) -> TileSet:
        asked.append(options)
        return draw(self, n, **options)

    monkeypatch.setattr(SpecDMPipeline, "sample", noting)
    assert specdm_command("reliability", run, "--drop-below", 0.0, "-n", 3).code == 0
    assert [(one["steps"], one["guidance"], one["first"], one["seed"]) for one in asked] == [(2, 0.0, 2, 0)]


def test_any_tile_set(specdm_command, run: Path, tmp_path: Path) -> None:
    tiles = shutil.copytree(RunFolder(run).synthetic, tmp_path / "mine.zarr")
    found = tmp_path / "found.json"
    outcome = specdm_command(
        "reliability", tiles, "--real", RunFolder(run).tiles, "--unlabel-below", 0.5, "--json", found
    )
    assert outcome.code == 0, outcome
    assert "note: no model" in outcome.out
    assert open_tiles(tiles).scored and open_tiles(tmp_path / "mine_reliable.zarr").scored
    assert json.loads(found.read_text())["evidences"] == ["spectral", "edge"]
    assert not (run / "reliability.json").exists()
    given = ["--real", RunFolder(run).tiles, "--model", run, "--json", found]
    assert specdm_command("reliability", tiles, *given).code == 0
    assert "consistency" in json.loads(found.read_text())["evidences"]


def test_a_model_that_reads_no_masks_is_left_out(specdm_command, run: Path, monkeypatch) -> None:
    """Preset ldm encodes image and mask together."""
    init = SpecDMPipeline.__init__

    def without(self, **parts):
        init(self, **{**parts, "reader": None})

    monkeypatch.setattr(SpecDMPipeline, "__init__", without)
    outcome = specdm_command("reliability", run)
    assert outcome.code == 0, outcome
    assert "ldm" in outcome.out and synthetic(run).scored
    assert json.loads((run / "reliability.json").read_text())["evidences"] == ["spectral", "edge"]


def test_sampling_and_judging_at_once(specdm_command, run: Path) -> None:
    arguments = ["-n", 4, "--seed", 2, "--overwrite", "--reliability"]
    outcome = specdm_command("sample", run, *arguments, "--unlabel-below", 0.4)
    assert outcome.code == 0, outcome
    tiles, after = synthetic(run), open_tiles(run / "synthetic" / "reliable.zarr")
    assert len(tiles) == len(after) == 4 and tiles.scored
    np.testing.assert_array_equal(after.masks(), np.where(tiles.reliability() < 0.4, -1, tiles.masks()))
    level = between(tile_scores(tiles), 1)
    assert specdm_command("sample", run, *arguments, "--drop-below", level).code == 0
    after = open_tiles(run / "synthetic" / "reliable.zarr")
    assert len(after) == 4 and (tile_scores(after) >= level).all() and after.dataset["index"].values[-1] >= 4


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--unlabel-below", 1.5], "--unlabel-below 1.5: expected 0 to 1"),
        (["--unlabel-share", -0.1], "--unlabel-share -0.1: expected 0 to 1"),
        (["--drop-below", 2], "--drop-below 2: expected 0 to 1"),
        (["--unlabel-below", 0.5, "--unlabel-share", 0.2], "exclude each other"),
        (["-n", 10], "--drop-below"),
        (["-n", 0, "--drop-below", 0.5], "at least 1"),
        (["-o", "out.zarr"], "what shall be filtered"),
    ],
)
def test_options_that_cannot_be(refused, run: Path, arguments: list, told: str) -> None:
    assert told in refused("reliability", run, *arguments)


def test_nothing_real_to_learn_from(refused, run: Path, tmp_path: Path) -> None:
    assert "--real" in refused("reliability", RunFolder(run).synthetic)
    assert "nowhere" in refused("reliability", RunFolder(run).synthetic, "--real", tmp_path / "nowhere.zarr")
    shutil.rmtree(run / "tiles")
    assert "has no real tiles" in refused("reliability", run)
    shutil.rmtree(run / "synthetic")
    assert "specdm sample" in refused("reliability", run)
    assert "no run folder" in refused("reliability", tmp_path)


def test_tiles_of_something_else(refused, run: Path, tmp_path: Path) -> None:
    real = open_tiles(RunFolder(run).tiles)
    fewer = real.dataset.isel(band=slice(0, 5))
    TileSet(fewer).save(tmp_path / "bands.zarr")
    assert "12 bands" in refused("reliability", run, "--real", tmp_path / "bands.zarr")
    moved = real.dataset.assign_coords(wavelength=real.dataset["wavelength"] + 30)
    TileSet(moved).save(tmp_path / "nm.zarr")
    told = refused("reliability", run, "--real", tmp_path / "nm.zarr")
    assert "at 450 nm, those of" in told and "at 480 nm" in told
    renamed = real.dataset["mask"].copy()
    renamed.attrs = Classes.create([2, 5, 7], ["grass", "bare soil", "snow"]).to_attrs()
    TileSet(real.dataset.assign(mask=renamed)).save(tmp_path / "classes.zarr")
    assert "snow" in refused("reliability", run, "--real", tmp_path / "classes.zarr")


def test_tiles_without_labels(refused, run: Path, tmp_path: Path) -> None:
    tiles = synthetic(run)
    nothing = tiles.dataset["mask"].copy(data=np.full_like(tiles.masks(), -1))
    TileSet(tiles.dataset.assign(mask=nothing)).save(tmp_path / "none.zarr")
    given = ["--real", RunFolder(run).tiles]
    assert "nothing to judge" in refused("reliability", tmp_path / "none.zarr", *given)
    nothing.attrs = {"unlabelled_value": -1}
    TileSet(tiles.dataset.assign(mask=nothing)).save(tmp_path / "no_classes.zarr")
    assert "neither classes nor amounts" in refused("reliability", tmp_path / "no_classes.zarr", *given)


def test_drawn_tiles_without_a_label_are_none_of_those_asked_for(
    specdm_command, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specdm.report.reliable_tiles.MOST_DRAWN", 1)
    scores = tile_scores(synthetic(judged))

    def draw(self: FurtherTiles, n: int) -> TileSet:
        drawn = synthetic(judged).select(np.full(n, scores.argmax()))
        return with_scores(drawn, np.full_like(drawn.reliability(), np.nan), np.full(n, np.nan, np.float32))

    monkeypatch.setattr(FurtherTiles, "draw", draw)
    outcome = specdm_command("reliability", judged, "--drop-below", float(scores.max()), "-n", 5)
    assert outcome.code == 0 and "only 1 of the 5 tiles asked for" in outcome.out


def test_where_only_tiles_without_labels_are_left_it_says_so(specdm_command, refused, judged: Path) -> None:
    tiles = synthetic(judged)
    masks = tiles.masks().copy()
    masks[0] = -1
    TileSet(tiles.dataset.assign(mask=tiles.dataset["mask"].copy(data=masks))).save(
        RunFolder(judged).synthetic, overwrite=True
    )
    assert specdm_command("reliability", judged).code == 0
    assert "no tile with a score reaches 1" in refused("reliability", judged, "--drop-below", 1)


def test_further_tiles_come_from_the_distilled_model_that_drew_the_others(
    specdm_command, refused, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles, few = synthetic(run), {"evaluations": 3}
    coords = tiles.dataset.assign_coords(source=("tile", np.full(len(tiles), "specdm-few")))
    TileSet(coords.assign_attrs(drawing=json.dumps(few))).save(RunFolder(run).synthetic, overwrite=True)
    draw = SpecDMPipeline.sample
    monkeypatch.setattr(SpecDMPipeline, "id_of", lambda self, few=None: "specdm-few" if few == 3 else "specdm-all")
    monkeypatch.setattr(SpecDMPipeline, "sample", lambda self, n, *, evaluations, **more: draw(self, n, **more))
    assert specdm_command("reliability", run, "--drop-below", 0.0, "-n", N + 1).code == 0
    assert len(open_tiles(run / "synthetic" / "reliable.zarr")) == N + 1


def test_an_existing_set_is_kept_unless_told(refused, specdm_command, run: Path) -> None:
    assert specdm_command("reliability", run, "--unlabel-share", 0.1).code == 0
    assert "--overwrite" in refused("reliability", run, "--unlabel-share", 0.3)
    assert "stays as it is" in refused(
        "reliability", run, "--unlabel-share", 0.3, "-o", RunFolder(run).synthetic, "--overwrite"
    )
    assert specdm_command("reliability", run, "--unlabel-share", 0.3, "--overwrite").code == 0
    filtered = json.loads((run / "reliability.json").read_text())["filtered"]
    assert filtered["marked"] == round(0.3 * filtered["judged"])


def test_nothing_left(specdm_command, judged: Path) -> None:
    for arguments in (["--drop-below", 1], ["--unlabel-below", 1]):
        outcome = specdm_command("reliability", judged, *arguments)
        last = outcome.err.splitlines()[-1]
        assert outcome.code == 2 and last.startswith("specdm: ") and "Traceback" not in outcome.err, outcome
        assert "no label would be left" in last or "no tile reaches 1, the best has 0." in last
    assert [path.name for path in (judged / "synthetic").iterdir()] == ["tiles.zarr"]
    assert synthetic(judged).scored


def test_another_model_cannot_draw_on(refused, run: Path, monkeypatch) -> None:
    monkeypatch.setattr(SpecDMPipeline, "model_id", "specdm-another")
    assert "specdm-another" in refused("reliability", run, "--drop-below", 0.5, "-n", 9)


def test_sampling_needs_reliability_for_thresholds(refused, run: Path, tmp_path: Path) -> None:
    assert "--reliability" in refused("sample", run, "--drop-below", 0.5)
    assert "expected 0 to 1" in refused("sample", run, "--reliability", "--drop-below", 5, "--overwrite")
    assert "run folder" in refused("sample", run / "model", "-o", tmp_path / "o.zarr", "--reliability")
