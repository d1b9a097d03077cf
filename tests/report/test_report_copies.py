"""The report shows which synthetic tiles may be copies, beside what they may be copies of, and intervals of numbers."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_page import Page
from made_sets import COVER, SIZE, WAVELENGTH, Ground
from PIL import Image

from specdm.evaluation import METRICS, Evaluation, evaluate
from specdm.evaluation.record import NeighbourRecord
from specdm.report import write_report
from specdm.report.numbers_section import group_of, number_groups
from specdm.tiles.tileset import TileSet

N_COPIES = 4


def ground(seeds: tuple[int, ...]) -> dict[str, Any]:
    """Images and masks of 24 tiles a seed."""
    made = [Ground(seed) for seed in seeds]
    images = np.concatenate([one.image(one.before) for one in made])[:, None]
    masks = np.array(COVER.values, np.int16)[np.concatenate([one.before for one in made])][:, None]
    return {"images": images, "masks": masks, "classes": COVER, "wavelength": WAVELENGTH}


@pytest.fixture(scope="module")
def real() -> TileSet:
    """96 tiles that do not overlap; every third is held out, so that positions in the training part differ."""
    n = 96
    split = ["test" if i % 3 == 0 else "train" for i in range(n)]
    place: dict[str, Any] = {"window_y": np.arange(n) * SIZE, "window_x": np.zeros(n, int)}
    return TileSet.from_arrays(**ground((0, 1, 2, 3)), split=split, source="ground", **place)


@pytest.fixture(scope="module")
def synthetic(real: TileSet) -> TileSet:
    """The first four are the first four training tiles, the others are of other ground."""
    found, train = ground((9,)), real.train
    found["images"][:N_COPIES] = train.images(np.arange(N_COPIES))
    found["masks"][:N_COPIES] = train.masks(np.arange(N_COPIES))
    return TileSet.from_arrays(**found, split="synthetic", source="model-1", seed=0, index=np.arange(24))


@pytest.fixture(scope="module")
def judged(real: TileSet, synthetic: TileSet) -> Evaluation:
    return evaluate(synthetic, real=real, network=None)


def page_of(evaluation: Evaluation, real: TileSet, synthetic: TileSet, folder: Path) -> str:
    path = write_report(folder / "r.html", real=real, synthetic=synthetic, evaluation=evaluation)
    return path.read_text(encoding="utf-8")


def section(text: str, name: str) -> str:
    return text.split(f'<section id="{name}">')[1].split("</section>")[0]


def words(html: str) -> str:
    return " ".join(Page(html).text.split())


def picture(attrs: dict[str, str]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(attrs["src"].split(",")[1]))), int)


def test_copies_stand_beside_what_they_copy(
    judged: Evaluation, real: TileSet, synthetic: TileSet, tmp_path: Path
) -> None:
    # a record read from its file does as well as one at hand
    text = page_of(Evaluation.from_json(judged.to_json(tmp_path / "e.json")), real, synthetic, tmp_path)
    assert Page(text).open == []
    shown = section(text, "copies")
    flagged = round(judged.metrics["authenticity.flagged"] or 0)
    assert flagged >= N_COPIES
    assert f"{flagged} of 24 tiles are flagged; chance" in words(shown)
    chance = 24 * judged.metrics["authenticity.chance_share"]
    assert f"chance alone gives about {chance:.2g}. The probability that" in words(shown)
    assert judged.settings["authenticity"] in words(shown)
    pairs = shown.split('<div class="panel pair">')[1:]
    assert len(pairs) == len(judged.neighbours)
    for pair, record in zip(pairs, judged.neighbours, strict=True):
        assert ("⚑ flagged" in pair) == record.flagged
        assert f"score {record.score:.2f}" in pair
        tags = [dict(re.findall(r'(src|alt)="([^"]*)"', tag)) for tag in re.findall(r"<img [^>]*>", pair)]
        names = record.synthetic_name, record.real_name
        wanted = [f"{what} of {name}" for name in names for what in ("false colour", "mask")]
        assert [tag["alt"] for tag in tags] == wanted
        assert all(f"</span>{name}</p>" in pair for name in names)
        if record.synthetic < N_COPIES:
            assert real.split[record.real] == "train"
            for one, other in zip(tags[:2], tags[2:], strict=True):
                assert np.abs(picture(one) - picture(other)).max() <= 1


def test_no_section_without_neighbours(real: TileSet, synthetic: TileSet, tmp_path: Path) -> None:
    evaluation = Evaluation(metrics={"authenticity.flagged_share": None, "synthetic.lda_ratio": 0.9})
    assert 'id="copies"' not in page_of(evaluation, real, synthetic, tmp_path)


def test_pairs_of_other_tile_sets_are_not_shown(real: TileSet, synthetic: TileSet, tmp_path: Path) -> None:
    names = [str(tiles.dataset["tile_name"].values[0]) for tiles in (synthetic, real)]
    there = (0, names[0], 0, names[1])
    pairs = [(0, names[0], 0, "another"), (0, "another", 0, names[1]), (999, *there[1:]), there]
    evaluation = Evaluation(neighbours=[NeighbourRecord(*pair, 0.5, 0.5, False) for pair in pairs])
    shown = section(page_of(evaluation, real, synthetic, tmp_path), "copies")
    assert shown.count('class="panel pair"') == 1
    assert "3 of the pairs cannot be shown" in shown


def test_intervals_stand_by_their_numbers(real: TileSet, synthetic: TileSet, tmp_path: Path) -> None:
    evaluation = Evaluation()
    evaluation.add("authenticity.flagged_share", 0.2, interval=(0.05, 0.375))
    evaluation.add("synthetic.class_mean_angle_deg", 2.0, interval=(1.25, 3.5))
    evaluation.add("synthetic.density_spectral", 1.0)
    text = page_of(evaluation, real, synthetic, tmp_path)
    head, numbers = section(text, "headline"), section(text, "metrics")
    assert "95 % interval: 5.0 % to 37.5 %" in head
    rows = {key: row for row in numbers.split("<tr>") for key in evaluation.metrics if f'"key">{key}<' in row}
    assert '20.0 %<span class="interval">5.0 % to 37.5 %</span>' in rows["authenticity.flagged_share"]
    assert '2.00°<span class="interval">1.25° to 3.50°</span>' in rows["synthetic.class_mean_angle_deg"]
    assert "interval" not in rows["synthetic.density_spectral"]
    bare = page_of(Evaluation(metrics=evaluation.metrics), real, synthetic, tmp_path)
    assert "95 % interval" not in bare


def test_numbers_are_grouped_in_their_order() -> None:
    evaluation = Evaluation(metrics={**dict.fromkeys(METRICS, 1.0), "synthetic.frechet_rgb [2003]": 1.0, "mine": 1.0})
    groups = number_groups(evaluation)
    assert [row["key"] for group in groups for row in group["rows"]] == list(evaluation.metrics)
    titles = [group["title"] for group in groups]
    assert len(set(titles)) == len(titles), "a group is in one piece"
    assert group_of("authenticity.copies") == "Copies"
    assert group_of("real.frechet_mask_floor") != group_of("real.adjacency_floor") != group_of("real.heldout_tiles")
