"""The report says whether a downstream model gets better: words, table, curve, bars and maps."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from little_scenes import make_little_scene
from made_records import Scores, make_records, write_predictions, write_records
from PIL import Image

from specdm.evaluation import Evaluation
from specdm.evaluation.usefulness.summary import read_records, summary
from specdm.report import write_report
from specdm.report.run_folder import RunFolder
from specdm.report.usefulness_comparison import comparisons
from specdm.report.usefulness_figures import class_bars_figure, class_means, learning_curve_figure
from specdm.report.usefulness_files import pairs, write_files
from specdm.report.usefulness_maps import ground_maps, maps_figure, mosaic
from specdm.report.usefulness_section import usefulness_section
from specdm.scenes.plot import coloured_mask
from specdm.scenes.quantities import Quantities
from specdm.tiles.label_regions import grounds_of
from specdm.tiles.tileset import TileSet

ERRORS: Scores = {
    "real": [0.5, 0.5, 0.5], "real+mixup": [0.3, 0.3, 0.3],
    "real+drawn": [0.9, 0.9, 0.9], "real+sure": [0.1, 0.15, 0.1],
}  # fmt: skip
"""Share of wrong pixels by seed: real+mixup is the best of real tiles, real+sure the best with synthetic ones."""


@pytest.fixture(scope="module")
def real() -> TileSet:
    """32 test tiles of two sources, of which "little" has most."""
    scene = make_little_scene(height=160, width=120).tile(size=16, stride=16, test_share=0.4)
    few = scene.test.select(np.arange(2)).dataset
    few = few.assign_coords(source=("tile", np.array(["few"] * 2, object)), window_y=few["window_y"] + 3)
    import xarray as xr

    both = xr.concat([few, scene.dataset], dim="tile", data_vars="minimal", coords="minimal", compat="override")
    return TileSet(both.assign_attrs(scene.dataset.attrs))


@pytest.fixture(scope="module")
def run(real: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with records of two shares."""
    run = tmp_path_factory.mktemp("section") / "run"
    folder = RunFolder(run).usefulness / "records"
    write_predictions(folder, real.test, {"real": [0.1], "real+drawn": [0.3], "svm": [0.0]})
    write_predictions(folder, real.test, ERRORS, share=0.1)
    return run


def page(real: TileSet, run: Path | None, folder: Path) -> str:
    """The section in a whole report; "" without it."""
    train = real.train.select(np.arange(8)).dataset
    synthetic = TileSet(train.assign_coords(split=("tile", np.array(["synthetic"] * 8, object))))
    path = write_report(folder / "r.html", real=real, synthetic=synthetic, evaluation=Evaluation(), run=run)
    text = path.read_text(encoding="utf-8")
    Closed(text)
    found = re.search(r'<section id="usefulness">.*?</section>', text, re.DOTALL)
    return " ".join(found[0].split()) if found else ""


class Closed(HTMLParser):
    """That tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_without_records_there_is_no_section(real: TileSet, tmp_path: Path) -> None:
    assert page(real, None, tmp_path) == ""
    run = tmp_path / "run"
    records = RunFolder(run).usefulness / "records"
    records.mkdir(parents=True)
    assert page(real, run, tmp_path) == ""
    (records / "val-real-unet-100pc-seed0-run.json").write_text(json.dumps(make_records({"real": [0.5]})[0]))
    assert page(real, run, tmp_path) == "", "validation ground is for choosing, not for reports"


def test_the_section_says_it_all(real: TileSet, run: Path, tmp_path: Path) -> None:
    text = page(real, run, tmp_path)
    assert "Does my model get better?" in text
    assert "real+sure, the best with synthetic tiles" in text and "Synthetic tiles help: +" in text
    assert "Of 2 arms with synthetic tiles 1 gained, 1 lost, 0 undecided." in text
    assert "One seed does not tell whether synthetic tiles help (-0." in text
    assert "<h3" in text and "unet, test spectra: run</h3>" in text and "10 % of the labels (10.2 %" in text
    assert "300 steps of 16 tiles" in text and "usefulness/splits" in text and "which leave test ground out" in text
    assert text.count("<svg") == 2, "curve and bars"
    assert text.count("<img") == 3 and ">truth</span>" in text and ">real+mixup</span>" in text
    assert 'badge pass">+' in text and 'badge miss">-' in text
    assert text.index("100 % of the labels") < text.index("10 % of the labels")
    assert text.count('<tr class="group">') == 2 and "grass" in text and "unlabelled" in text


def test_a_damaged_record_does_not_cost_the_report(real: TileSet, run: Path, tmp_path: Path) -> None:
    records = RunFolder(tmp_path / "run").usefulness / "records"
    write_records(records, make_records({"real": [0.5]}))
    (records / "dense-unet-100pc-seed0-run.json").write_text("{")
    text = page(real, tmp_path / "run", tmp_path)
    assert "Nothing is shown" in text and "dense-unet-100pc-seed0-run.json is damaged" in text


def test_records_without_predictions_have_no_maps(real: TileSet, tmp_path: Path) -> None:
    write_records(RunFolder(tmp_path).usefulness / "records", make_records({"real": [0.5], "real+drawn": [0.4]}))
    found = usefulness_section(real, tmp_path)
    assert found is not None and found["groups"][0]["maps"] is None and found["groups"][0]["bars"] is not None
    write_records(RunFolder(tmp_path / "b").usefulness / "records", make_records({"real": [0.5]}))
    found = usefulness_section(real, tmp_path / "b")
    assert found is not None and found["groups"][0]["bars"] is None, "there is nothing to hold beside it"


# -- maps ---------------------------------------------------------------------------------------------------


def test_maps_show_the_ground_of_the_lowest_share(real: TileSet, run: Path) -> None:
    records = read_records(RunFolder(run).usefulness / "records")
    last = comparisons(summary(records))[-1]
    test = real.test
    maps = ground_maps(last, records, test)
    assert maps is not None and last.share == 0.1
    assert (maps.source, maps.seed, maps.columns) == ("little", 0, ("truth", "real+mixup", "real+sure"))
    ((_, (truth, of_real, of_synthetic)),) = maps.rows
    own = np.flatnonzero(test.dataset["source"].values == "little")
    y, x = (test.dataset[key].values[own] for key in ("window_y", "window_x"))
    at = int(own[-1])
    window = np.s_[y[-1] - y.min() : y[-1] - y.min() + 16, x[-1] - x.min() : x[-1] - x.min() + 16]
    mask = test.masks(at)[0, 0]
    np.testing.assert_array_equal(truth[window], coloured_mask(mask, test.classes))
    said = np.load(RunFolder(run).usefulness / "records" / "real+sure-unet-10pc-seed0-run.npz")["predicted"][at, 0]
    np.testing.assert_array_equal(of_synthetic[window], coloured_mask(test.classes.values_of(said), test.classes))
    wrong = [(one != truth).any(axis=-1)[(truth != truth[0, 0]).any(axis=-1)].mean() for one in (of_real, of_synthetic)]
    assert wrong[0] > wrong[1] > 0
    assert [name for name, _ in maps.classes] == ["grass", "bare soil", "water"]
    assert maps_figure(maps).axes[0].get_title() == "truth"


def test_predictions_of_other_tiles_are_not_shown(real: TileSet, run: Path) -> None:
    records = read_records(RunFolder(run).usefulness / "records")
    last = comparisons(summary(records))[-1]
    assert ground_maps(last, records, real.test.select(np.arange(5))) is None
    first = comparisons(summary(records))[0]
    assert ground_maps(first, [one for one in records if one["arm"] != "real"], real.test) is None


def test_large_ground_is_thinned_to_the_very_same_pixels(real: TileSet, monkeypatch: pytest.MonkeyPatch) -> None:
    test = real.test
    ground = max(grounds_of(test, np.arange(len(test))), key=lambda one: len(one.index))
    values = np.random.default_rng(0).integers(0, 9, (len(test), 16, 16))
    whole = mosaic(ground, values, nothing=-1)
    for most in (100, 47, 7):
        monkeypatch.setattr("specdm.report.usefulness_maps.MOST_PIXELS", most)
        thin = mosaic(ground, values, nothing=-1)
        step = -(-max(whole.shape) // most)
        assert step > 1 and max(thin.shape) <= most
        np.testing.assert_array_equal(thin, whole[::step, ::step])


def test_maps_of_amounts(real: TileSet, tmp_path: Path) -> None:
    test = real.test
    amounts = np.random.default_rng(0).random((len(test), 2, 16, 16)).astype(np.float32)
    amounts[:, :, :3] = np.nan
    facts = {key: test.dataset[key].values for key in ("source", "window_y", "window_x")}
    tiles = TileSet.from_arrays(
        images=test.images(), amounts=amounts, quantities=Quantities.create(["height", "cover"], units=["m", "%"]),
        split="test", **facts,
    )  # fmt: skip
    write_predictions(tmp_path, tiles, {"real": [0.2], "real+drawn": [0.1]})
    records = read_records(tmp_path)
    found = summary(records)
    maps = ground_maps(comparisons(found)[0], records, tiles)
    assert maps is not None and [name for name, _ in maps.rows] == ["height (m)", "cover (%)"] and len(maps.bars) == 2
    assert found.main == "r2" and set(class_means(records, "r2")) == {"height", "cover"}
    write_files(tmp_path / "out", found, records, real=tiles)
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
    section = usefulness_section(tiles, _run_of(tmp_path))
    assert section is not None and len(section["groups"][0]["maps"]["rows"]) == 2


def _run_of(records: Path) -> Path:
    run = records.parent / f"{records.name}-run"
    target = RunFolder(run).usefulness / "records"
    target.mkdir(parents=True)
    for path in records.glob("*unet*"):
        (target / path.name).write_bytes(path.read_bytes())
    return run


# -- drawings -----------------------------------------------------------------------------------------------


def test_the_curve_has_a_line_an_arm_and_an_interval_a_point(run: Path) -> None:
    found = summary(read_records(RunFolder(run).usefulness / "records"))
    ((_, compared),) = pairs(found)
    figure = learning_curve_figure(compared, found)
    (ax,) = figure.axes
    lines = {container.get_label(): container for container in ax.containers}
    assert set(lines) == {*ERRORS, "svm"}
    means = lines["real"][0].get_ydata()
    scores = [one.score for one in sorted((o for o in found.arms if o.arm == "real"), key=lambda o: o.share)]
    np.testing.assert_allclose(means, [one.mean for one in scores])
    assert means[0] < means[1], "fewest labels first"
    (segments,) = (bars.get_segments() for bars in lines["real"][2])
    np.testing.assert_allclose(segments[0][:, 1], [scores[0].low, scores[0].high])
    assert segments[1][0, 1] == segments[1][1, 1], "one seed has no interval"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10 %", "100 %"]


def test_wide_intervals_do_not_flatten_the_curve() -> None:
    found = summary(make_records({"real": [0.3, 0.5], "real+drawn": [0.4, 0.9]}))
    ((_, compared),) = pairs(found)
    low, high = learning_curve_figure(compared, found).axes[0].get_ylim()
    assert -0.1 < low < 0.3 and 0.7 < high < 1.1


def test_bars_are_means_over_seeds_of_the_two_best(run: Path) -> None:
    records = read_records(RunFolder(run).usefulness / "records")
    found = summary(records)
    figure = class_bars_figure(comparisons(found)[-1], records, found)
    assert figure is not None
    (ax,) = figure.axes
    bars = {container.get_label(): [bar.get_width() for bar in container] for container in ax.containers}
    assert list(bars) == ["real+mixup", "real+sure"]
    own = [one for one in records if one["arm"] == "real+sure"]
    expected = [
        np.mean([one["scores"]["classes"][name]["iou"] for one in own]) for name in ("grass", "bare soil", "water")
    ]
    np.testing.assert_allclose(bars["real+sure"], expected)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["grass", "bare soil", "water"]


def test_classes_without_truth_have_no_bar() -> None:
    record = make_records({"real": [0.5]})[0]
    record["scores"]["classes"] |= {"rock": {"iou": 0.0, "pixels": 0}, "snow": {"iou": None, "pixels": 3}}
    assert class_means([record], "iou") == {"grass": 0.5, "water": 0.5}


def test_files_are_written_anew(real: TileSet, run: Path, tmp_path: Path) -> None:
    records = read_records(RunFolder(run).usefulness / "records")
    write_files(tmp_path, summary(records), records, real=real)
    names = {"table.md", "summary.json", "curve-unet-run.png", "classes-unet-run.png", "maps-unet-run.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names - {"table.md", "summary.json"}:
        with Image.open(io.BytesIO((tmp_path / name).read_bytes())) as picture:
            assert min(picture.size) > 200
            assert np.asarray(picture.convert("RGB"))[0, 0].tolist() == [255, 255, 255]
    told = json.loads((tmp_path / "summary.json").read_text())
    assert told["main"] == "mean_iou" and len(told["arms"]) == len(summary(records).arms)
    one = next(arm for arm in told["arms"] if arm["arm"] == "real+sure")
    assert one["rival"] == "real+mixup" and one["gain"]["n"] == 3 and one["gain"]["low"] > 0
    alone = [one for one in records if one["arm"] == "real"]
    write_files(tmp_path, summary(alone), alone, real=real)
    assert {path.name for path in tmp_path.iterdir()} == {"table.md", "summary.json", "curve-unet-run.png"}


def test_pictures_in_the_page_are_of_single_pixels(real: TileSet, run: Path) -> None:
    found = usefulness_section(real, run)
    assert found is not None
    (row,) = found["groups"][0]["maps"]["rows"]
    shown = Image.open(io.BytesIO(base64.b64decode(row.pictures[0].address.split(",")[1])))
    records = read_records(RunFolder(run).usefulness / "records")
    maps = ground_maps(comparisons(summary(records))[-1], records, real.test)
    assert maps is not None and shown.size == maps.rows[0][1][0].shape[1::-1]
