"""The report of every task: what is shown follows from what the tiles hold."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from html_page import Page
from made_sets import DATES, KINDS, make_sets
from PIL import Image

from specdm.evaluation import evaluate
from specdm.evaluation.reading import evenly
from specdm.report import write_report
from specdm.report.change_section import transition_table
from specdm.report.colour_bars import ColourBar
from specdm.report.gallery import gallery
from specdm.scenes.plot import CHANGE_COLORS, UNLABELLED_COLOR, rgb


def pixels(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))), float) / 255


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("segmentation", ["image", "mask"]),
        ("change", [*DATES, "mask: change"]),
        ("semantic_change", [*DATES, f"mask: {DATES[0]}", f"mask: {DATES[1]}", "change"]),
        ("two_sensors", [*DATES, "mask: change"]),
        ("abundances", ["image", "tree", "soil", "water"]),
        ("free", ["image", "canopy height", "chlorophyll"]),
    ],
)
def test_a_tile_shows_all_it_holds(kind: str, labels: list[str]) -> None:
    shown = gallery(*make_sets(kind))
    for tile in (*shown.real, *shown.synthetic):
        assert [picture.label for picture in tile.pictures] == labels
    assert shown.per_tile == len(labels)


def test_derived_change_has_its_own_colours() -> None:
    real, synthetic = make_sets("semantic_change")
    shown = gallery(real, synthetic)
    positions = evenly(len(synthetic), len(shown.synthetic))
    changes = synthetic.change_masks(positions)
    # one that has all three
    which = next(i for i, change in enumerate(changes) if len(np.unique(change)) == 3)
    tile, change = shown.synthetic[which], changes[which]
    found = pixels(tile.pictures[-1].address)
    for value, colour in ((1, CHANGE_COLORS[1]), (0, CHANGE_COLORS[0]), (-1, UNLABELLED_COLOR)):
        assert np.abs(found[change == value] - rgb(colour)).max() < 0.01
    assert shown.changes == {"unchanged": CHANGE_COLORS[0], "changed": CHANGE_COLORS[1]}
    assert gallery(*make_sets("change")).changes == {}


def test_dates_of_one_sensor_have_one_stretch() -> None:
    """The second date is 15 % brighter, and its pictures are."""
    shown = gallery(*make_sets("semantic_change"))
    light = [np.mean([pixels(tile.pictures[date].address) for tile in shown.real]) for date in (0, 1)]
    assert light[1] > light[0] + 0.03


def test_maps_of_abundances_share_their_colours_and_free_values_do_not() -> None:
    assert gallery(*make_sets("abundances")).bars == [ColourBar("abundance", 0.0, 1.0)]
    bars = gallery(*make_sets("free")).bars
    assert [bar.label for bar in bars] == ["canopy height (m)", "chlorophyll (µg/cm²)"]
    assert bars[0].low < 1 < 10 < bars[0].high < 31
    assert 9 < bars[1].low < 15 < 50 < bars[1].high < 71


def test_a_colour_bar_says_what_the_map_shows() -> None:
    bar = ColourBar("height (m)", 5.5e-5, 21.6)
    picture = bar.picture(np.array([[-5.0, 5.5e-5], [21.6, np.nan]]))
    assert (picture[0, 0] == picture[0, 1]).all()
    stops = re.findall(r"#[0-9a-f]{6}", bar.gradient)
    assert rgb(stops[0]) == pytest.approx(picture[0, 0], abs=0.01)
    assert rgb(stops[-1]) == pytest.approx(picture[1, 0], abs=0.01)
    assert np.ptp(picture[1, 1]) == 0, "unknown is grey"
    assert bar.ends == ("0", "21.6")
    assert ColourBar("", 99.96, 100.2).ends == ("99.96", "100.2")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in KINDS:
        real, synthetic = make_sets(kind)
        path = write_report(
            folder / f"{kind}.html", real=real, synthetic=synthetic, evaluation=evaluate(synthetic, real=real)
        )
        found[kind] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_sections_that_apply_and_no_other(pages: dict[str, str], kind: str) -> None:
    page = Page(pages[kind])
    assert page.open == []
    there = {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
    classes, change, amounts = {
        "segmentation": (True, False, False),
        "change": (True, True, False),
        "semantic_change": (True, True, False),
        "two_sensors": (True, True, False),
        "abundances": (False, False, True),
        "free": (False, False, True),
    }[kind]
    assert ("classes" in there) == ("spectra" in there) == classes
    assert ("change" in there) == change
    assert ("amounts" in there) == amounts
    assert {"headline", "tiles", "metrics", "made"} <= there


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("segmentation", ["Segmentation", "3 classes"]),
        ("change", ["Change detection", "semi-synthetic: date 2 was made", "2 dates (2000-03-17, 2003-02-06)"]),
        ("semantic_change", ["Semantic change"]),
        ("two_sensors", ["12 and 4 bands of two sensors", "650, 550, 500 nm (2000-03-17); "]),
        ("abundances", ["Regression", "3 abundances"]),
        ("free", ["Regression", "2 quantities"]),
    ],
)
def test_the_head_says_what_it_is(pages: dict[str, str], kind: str, words: list[str]) -> None:
    text = " ".join(Page(pages[kind]).text.split())
    head = text[: text.index("not picked by their looks")]
    for word in words:
        assert word in head, word
    assert ("semi-synthetic" in text) == (kind == "change")


@pytest.mark.parametrize("kind", ["change", "semantic_change", "two_sensors"])
def test_spectra_of_both_dates_are_drawn(pages: dict[str, str], kind: str) -> None:
    drawings = re.findall(r"<svg role=.img. aria-label=.Mean spectra of.*?</svg>", pages[kind], flags=re.DOTALL)
    assert drawings
    for drawing in drawings:
        assert all(date in drawing for date in DATES)


def test_change_figures_of_both_stand_side_by_side(pages: dict[str, str]) -> None:
    real, synthetic = make_sets("change")
    metrics = evaluate(synthetic, real=real).metrics
    section = pages["change"].split('<section id="change">')[1].split("</section>")[0]
    assert "Change from 2000-03-17 to 2003-02-06" in section
    assert section.count("AUC") == 1
    for key in ("change.auc_real", "change.auc_synthetic"):
        assert f"{metrics[key]:.2f}" in section
    assert "What became of each class" not in section
    assert "What became of each class" in pages["semantic_change"]


def test_transitions_are_shares_of_the_first_date() -> None:
    real, synthetic = make_sets("semantic_change")
    table = transition_table(real.train, synthetic)
    names = [name for name, _ in table["classes"]]
    assert sorted(names) == ["grass", "soil", "water"]
    masks = real.train.masks()
    both = (masks >= 0).all(axis=1)
    value = dict(zip(real.classes.names, real.classes.values, strict=True))
    for before, cells in zip(names, table["lines"], strict=True):
        assert sum(cell["real"] for cell in cells) == pytest.approx(1)
        assert sum(cell["synthetic"] for cell in cells) == pytest.approx(1)
        for after, cell in zip(names, cells, strict=True):
            assert cell["same"] == (before == after)
            was = (masks[:, 0] == value[before]) & both
            assert cell["real"] == pytest.approx((masks[:, 1][was] == value[after]).mean())


def test_each_quantity_has_its_histogram_and_figures(pages: dict[str, str]) -> None:
    real, synthetic = make_sets("free")
    records = evaluate(synthetic, real=real).quantities
    section = pages["free"].split('<section id="amounts">')[1].split("</section>")[0]
    for record in records:
        assert f"Histogram of {record.name}, real and synthetic" in section
        assert f"{record.name} ({record.unit})" in section
        for value in (record.real_mean, record.synthetic_mean, record.real_std, record.synthetic_std):
            assert f"{value:.3g}" in section
    assert section.count("linear-gradient") == len(records) == 2
