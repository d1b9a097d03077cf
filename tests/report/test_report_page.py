"""The report holds the pictures and the numbers, alone in one file."""

from __future__ import annotations

import base64
import io
import os
import re

import numpy as np
import pytest
from html_page import Page
from PIL import Image

from specdm.errors import RunError
from specdm.evaluation import evaluate
from specdm.report import write_report
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes


@pytest.fixture
def real(little_scene) -> TileSet:
    return tile_scenes(little_scene, size=16, stride=4)


@pytest.fixture
def synthetic(real) -> TileSet:
    train = real.train
    return TileSet.from_arrays(
        images=train.images() * np.float32(1.01), masks=train.masks(), classes=train.classes,
        wavelength=train.wavelength, split="synthetic", source="model-1", seed=0, index=np.arange(len(train)),
        attrs={"provenance": {"steps": 24}},
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    (folder / "log").mkdir(parents=True)
    rows = [
        "stage,step,codec_loss,val/denoiser_loss,denoiser_loss,lr",
        "codec,10,0.5,,,1",
        "codec,20,0.4,,,1",
    ]
    rows += [f"denoiser,{i},,{1 / i if i % 50 == 0 else ''},{2 / i},1" for i in range(10, 400, 2)]
    (folder / "log" / "metrics.csv").write_text("\n".join([*rows, "denoiser,x,,,nan,"]) + "\n")
    (folder / "config.yaml").write_text("preset: tiny\nseed: 7\n")
    return folder


@pytest.fixture
def report(real, synthetic, run, tmp_path):
    evaluation = evaluate(synthetic, real=real)
    evaluation.add("sampling.seconds_for_64", 12.5)
    path = write_report(
        tmp_path / "report.html", real=real, synthetic=synthetic, evaluation=evaluation, run=run,
        command="specdm train <scene> & co",
    )  # fmt: skip
    return path.read_text(encoding="utf-8"), evaluation


def test_page_is_whole_and_loads_nothing(report):
    text, _ = report
    page = Page(text)
    assert page.open == []
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        for key in ("src", "href", "srcset", "xlink:href", "data"):
            assert (attrs.get(key) or "data:").startswith(("data:", "#")), (tag, attrs)
    assert not re.search(r"@import|url\((?!#|data:)", text)
    assert "http://" not in text
    assert "https://" not in text
    assert any(tag == "meta" and attrs.get("name") == "viewport" for tag, attrs in page.tags)
    assert "prefers-color-scheme: dark" in text
    assert len(text) < 6_000_000


def test_numbers_with_verdicts_and_sentences_come_before_the_tiles(report):
    text, evaluation = report
    page = Page(text).text
    ratio = f"{evaluation.metrics['synthetic.lda_ratio']:.2f}"
    head = page[: page.index("Real and synthetic tiles")]
    assert ratio in head
    assert "A classifier that knows only real pixels" in head
    assert "12.50 s" in head
    assert "✗ miss" in head
    assert "✓ pass" in head
    assert "Missed:" in head
    assert "Time for 64 tiles" in head[head.index("Missed:") :][:200]
    for key in evaluation.metrics:
        assert key in page
    for note in evaluation.notes:
        assert note in page


def test_tiles_are_pictures_of_the_size_of_a_tile_with_one_stretch(report, real, synthetic):
    page = Page(report[0].split('<section id="tiles">')[1].split("</section>")[0])
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 2 * (min(12, len(real.train)) + 12)
    images = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(attrs["src"].split(",")[1]))), float)
        for attrs in pictures
        if attrs["alt"].startswith("false colour")
    ]
    assert {image.shape for image in images} == {(16, 16, 3)}
    half = len(images) // 2
    # the synthetic tiles are 1 % brighter: the same stretch shows them so, one of their own would not
    assert np.mean(images[half:]) == pytest.approx(np.mean(images[:half]), rel=0.2)


def test_brighter_tiles_look_brighter(real, tmp_path):
    train = real.train
    bright = TileSet.from_arrays(
        images=train.images() * np.float32(1.5), masks=train.masks(), classes=train.classes,
        wavelength=train.wavelength, split="synthetic", source="m",
    )  # fmt: skip
    from specdm.report.gallery import gallery

    def light(shown):
        return np.mean(
            [np.asarray(Image.open(io.BytesIO(base64.b64decode(s.image.split(",")[1])))) for s in shown]
        )

    found = gallery(real, bright)
    assert light(found.synthetic) > light(found.real) + 20


def test_spectra_classes_losses_and_how_it_was_made(report, real):
    text, evaluation = report
    page = Page(text)
    drawings = [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]
    assert [label for label in drawings if label.startswith("Mean spectra of")] == [
        f"Mean spectra of {c.name}, real and synthetic"
        for c in sorted(evaluation.classes, key=lambda c: -c.real_share)
    ]
    assert "codec loss by step" in drawings
    assert "denoiser loss by step" in drawings
    assert len([label for label in drawings if "loss" in label]) == 2
    assert "specdm train <scene> & co" in page.text
    assert "seed: 7" in page.text
    assert "wavelength (nm)" in page.text
    for name, color in zip(real.classes.names, real.classes.colors, strict=True):
        assert name in page.text
        assert f"background:{color}" in text
    assert "little.npy" in page.text  # where the tiles come from
    assert "#010203" not in text  # the figures' ink became the page's


def test_without_run_classes_or_wavelengths_it_still_reads(real, tmp_path):
    train = real.train
    images = train.images()
    masks = np.full_like(train.masks(), -1)
    bare = TileSet.from_arrays(images=images, masks=masks, classes=None, split="train", source="a")
    drawn = TileSet.from_arrays(images=images, masks=masks, classes=None, split="synthetic", source="m")
    path = evaluate(drawn, real=bare).to_html(tmp_path / "r.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert "The command was not recorded" in page.text


def test_an_old_report_stays_until_the_new_one_is_whole(real, synthetic, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    evaluation = evaluate(synthetic, real=real)

    def fails(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    monkeypatch.setattr("pathlib.Path.replace", fails)
    with pytest.raises(RunError, match="No space left"):
        evaluation.to_html(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_cannot_be_made_is_one_line(real, synthetic, tmp_path):
    (tmp_path / "none").write_text("a file")
    with pytest.raises(RunError, match="cannot write"):
        evaluate(synthetic, real=real).to_html(tmp_path / "none" / "report.html")
