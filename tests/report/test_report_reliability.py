"""The report shows the best, the median and the worst tiles with their score maps, and what scores are worth."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from html_page import Page
from made_sets import make_sets
from PIL import Image

from specdm.evaluation import Evaluation
from specdm.evaluation.reliability import KINDS as PLANTED
from specdm.report import write_report
from specdm.report.reliability_record import Filtered, PlantedRecord, ReliabilityRecord
from specdm.report.reliability_section import SCORE_BAR, kind_words, reliability_section
from specdm.tiles.scores import with_scores
from specdm.tiles.tileset import TileSet

KINDS = {"segmentation": 1, "semantic_change": 2, "abundances": 1}


def scored(kind: str) -> tuple[TileSet, TileSet]:
    """Real tiles, and synthetic ones of which tile i scores about i / 24; the last has no score."""
    real, synthetic = make_sets(kind)
    n = len(synthetic)
    pixel = np.zeros((n, KINDS[kind], synthetic.size, synthetic.size), np.float32)
    pixel += (np.arange(n, dtype=np.float32) / n)[:, None, None, None]
    pixel[:, :, 0, 0] = np.nan
    pixel[-1] = np.nan
    tile = (np.arange(n) / n).astype(np.float32)
    tile[-1] = np.nan
    return real, with_scores(synthetic, pixel, tile)


RECORD = ReliabilityRecord(
    tiles="run/synthetic/tiles.zarr",
    n_tiles=24,
    mean_score=0.5,
    evidences=["spectral", "edge"],
    planted=PlantedRecord(
        tiles=5, auroc={"shift_2": 0.91, "other_tile": 0.83, "new_kind": 0.95}, auroc_all=0.875, ece=0.0421,
        score=[0.2, 0.9], right=[0.25, 0.88], share=[0.3, 0.7],
    ),
    filtered=Filtered("run/synthetic/reliable.zarr", 0.6, 0.5, None, 12, 24, 15, 40, 3, 12, 3000, 750, 0.5, 0.8),
    notes=["without a model"],
)  # fmt: skip


def section_of(real: TileSet, synthetic: TileSet, folder: Path, run: Path | None = None) -> str:
    path = write_report(folder / "r.html", real=real, synthetic=synthetic, evaluation=Evaluation(), run=run)
    text = path.read_text(encoding="utf-8")
    Page(text)  # tags close in order
    found = re.search(r'<section id="reliability">.*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def test_without_scores_there_is_no_section(tmp_path: Path) -> None:
    assert section_of(*make_sets("segmentation"), tmp_path) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_tiles_are_shown_by_rank_with_their_maps(kind: str, tmp_path: Path) -> None:
    real, synthetic = scored(kind)
    found = reliability_section(real, synthetic, None)
    assert found is not None
    groups = {group["title"]: [round(24 * one["score"]) for one in group["tiles"]] for group in found["groups"]}
    assert groups == {"Best": [22, 21, 20], "Median": [12, 11, 10], "Worst": [2, 1, 0]}
    names = synthetic.dataset["tile_name"].values
    for group in found["groups"]:
        for one in group["tiles"]:
            labels = [picture.label for picture in one["tile"].pictures]
            assert sum(label.startswith("score") for label in labels) == KINDS[kind]
            assert one["tile"].name == names[round(24 * one["score"])]
            shown = Image.open(io.BytesIO(base64.b64decode(one["tile"].pictures[-1].address.split(",")[1])))
            expected = SCORE_BAR.picture(np.array([[np.nan, one["score"]]], np.float32))[0]
            colours = np.asarray(shown)
            assert np.abs(colours[0, 0] / 255 - expected[0]).max() < 0.01, "no label, no score: grey"
            assert np.abs(colours[5, 5] / 255 - expected[1]).max() < 0.01
    text = section_of(real, synthetic, tmp_path)
    assert text.count("<svg") == 1 and "Does the score hold?" not in text
    assert "The mean over 23 tiles is 0.46; 52 % of the tiles are below 0.5" in text
    assert "1 tile has no label to judge" in text
    assert "Nothing was filtered" in text


def test_what_the_run_knows_is_told(tmp_path: Path) -> None:
    real, synthetic = scored("segmentation")
    run = tmp_path / "run"
    RECORD.write(run / "reliability.json")
    assert ReliabilityRecord.read(run / "reliability.json") == RECORD
    text = " ".join(section_of(real, synthetic, tmp_path, run).split())
    assert text.count("<svg") == 2
    assert "judged by: spectral, edge" in text and "calibration error 0.042" in text and "all 0.88" in text
    assert "Errors were planted in 5 held-out real tiles" in text
    rows = re.findall(r'<tr><td>([^<]*)</td><td class="n">([^<]*)</td></tr>', text)
    assert rows == [("mask of another tile", "0.83"), ("mask shifted by 2 px", "0.91"), ("new kind", "0.95")]
    assert "15 of 24 tiles have a score below 0.6: left out" in text
    assert "40 further tiles were drawn, 3 of them good enough: added" in text
    assert "750 of 3,000 pixels (25.0%) have a score below 0.5: marked unlabelled" in text
    assert "mean score of the labels: 0.500 before, 0.800 after" in text
    assert "Note: without a model." in text and "Nothing was filtered" not in text


@pytest.mark.parametrize("damage", ["{", "[]", json.dumps({"tiles": "x"}), json.dumps({"planted": 1, "filtered": 2})])
def test_a_damaged_record_does_not_cost_the_report(tmp_path: Path, damage: str) -> None:
    real, synthetic = scored("segmentation")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "reliability.json").write_text(damage)
    text = section_of(real, synthetic, tmp_path, tmp_path / "run")
    assert "specdm reliability RUN" in text and "is no record of reliability" in text and "Worst" in text


def test_few_tiles_are_shown_once(tmp_path: Path) -> None:
    real, synthetic = scored("segmentation")
    for n in (1, 2, 4):
        found = reliability_section(real, synthetic.select(np.arange(n)), None)
        assert found is not None
        names = [one["tile"].name for group in found["groups"] for one in group["tiles"]]
        assert len(names) == len(set(names)) == min(n, 3)
    assert reliability_section(real, synthetic.select([23]), None) is None


@pytest.mark.parametrize("kind", PLANTED)
def test_every_kind_of_error_has_words(kind: str) -> None:
    assert kind_words(kind) != kind.replace("_", " ") and "{}" not in kind_words(kind)
