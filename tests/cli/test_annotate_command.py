"""`specdm annotate`: a real little model labels a whole scene; what is written, kept and refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from file_limits import files_of_at_most
from little_scenes import make_little_change, make_little_scene
from PIL import Image
from scene_files import PLACE, write_date, write_mask, write_tif

from specdm.scenes.open import open_scene
from specdm.synthesis.pipeline import SpecDMPipeline

SCENE = make_little_scene(seed=2, height=75, width=50)
CHANGE = make_little_change()


@pytest.fixture(scope="module")
def expected(little_run: Path):
    """What the pipeline says in memory."""
    return SpecDMPipeline.from_pretrained(little_run / "model").annotate(SCENE)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_date(tmp_path, SCENE)


def test_a_mask_with_place_and_legend(specdm_command, little_run: Path, image: Path, expected, tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    outcome = specdm_command("annotate", little_run, image, "-o", path, "--window", 40)
    assert outcome.code == 0, outcome.err
    with rasterio.open(path) as file:
        assert file.dtypes == ("uint8",) and file.nodata == 0
        assert file.transform == PLACE and file.crs.to_epsg() == 32633
        assert file.block_shapes == [(16, 16)]
    # the project's own reader finds the model's classes
    found = open_scene(image, mask=path)
    assert found.classes is not None and SCENE.classes is not None
    assert found.classes.names == SCENE.classes.names and found.classes.colors == SCENE.classes.colors
    assert (found.dataset["mask"].values == expected.mask).mean() > 0.999
    for words in ("100.0% of 3,750 px", "mean confidence", "grass", f"written: {path}"):
        assert words in outcome.out
    assert f"{np.nanmean(expected.confidence):.2f}" in outcome.out
    assert not [file for file in tmp_path.iterdir() if "partial" in file.name]


def test_probabilities_confidence_and_entropy(
    specdm_command, little_run: Path, image: Path, expected, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"{name}.tif" for name in ("probabilities", "confidence", "entropy")}
    told = [part for name, path in files.items() for part in (f"--{name}", path)]
    assert specdm_command("annotate", little_run, image, "-o", tmp_path / "m.npy", *told, "--window", 30).code == 0
    with rasterio.open(files["probabilities"]) as file:
        assert file.descriptions == ("grass", "bare soil", "water")
        np.testing.assert_allclose(file.read(), expected.probabilities[0], atol=1e-5)
        assert file.transform == PLACE
    for name in ("confidence", "entropy"):
        with rasterio.open(files[name]) as file:
            np.testing.assert_allclose(file.read(), getattr(expected, name), atol=1e-5)
    mask = np.load(tmp_path / "m.npy")
    assert mask.dtype == np.int16 and (mask == expected.mask[0]).mean() > 0.999


def test_a_picture(specdm_command, little_run: Path, image: Path, expected, tmp_path: Path) -> None:
    assert specdm_command("annotate", little_run, image, "-o", tmp_path / "m.png").code == 0
    assert (np.asarray(Image.open(tmp_path / "m.png")) == expected.mask[0]).mean() > 0.999


def test_sparse_labels_become_dense_where_it_is_sure(
    specdm_command, little_run: Path, image: Path, expected, tmp_path: Path
) -> None:
    sparse = np.zeros((75, 50), np.uint8)
    sparse[::10, ::10] = 7
    labels = write_tif(tmp_path / "few.tif", sparse)
    limit = float(np.median(expected.confidence))
    told = ["--keep-labels", "--mask", labels, "--min-confidence", f"{limit:.4f}"]
    outcome = specdm_command("annotate", little_run, image, "-o", tmp_path / "m.tif", *told)
    assert outcome.code == 0, outcome.err
    with rasterio.open(tmp_path / "m.tif") as file:
        found = file.read(1)
    assert (found[sparse == 7] == 7).all()
    rest = sparse == 0
    sure = expected.confidence[0] >= round(limit, 4)
    assert ((found > 0) == sure)[rest].mean() > 0.999
    assert (found == expected.mask[0])[rest & sure].mean() > 0.999
    assert "labels kept" in outcome.out and "40 px" in outcome.out


def test_a_share_of_each_class_in_any_case(
    specdm_command, little_run: Path, image: Path, expected, tmp_path: Path
) -> None:
    told = ["--min-confidence", 1, "--min-share", 0.25]
    outcome = specdm_command("annotate", little_run, image, "-o", tmp_path / "m.npy", *told)
    assert outcome.code == 0, outcome.err
    found = np.load(tmp_path / "m.npy")
    for value in np.unique(expected.mask):
        own = expected.mask[0] == value
        assert (found[own] == value).mean() == pytest.approx(0.25, abs=0.03)


def test_change_of_two_dates(specdm_command, little_change_run: Path, tmp_path: Path) -> None:
    dates = [write_date(tmp_path, CHANGE, date, name=f"{date}.tif") for date in (0, 1)]
    outcome = specdm_command("annotate", little_change_run, *dates, "-o", tmp_path / "change.tif")
    assert outcome.code == 0, outcome.err
    whole = SpecDMPipeline.from_pretrained(little_change_run / "model").annotate(CHANGE)
    with rasterio.open(tmp_path / "change.tif") as file:
        # 0 means unchanged, so that it cannot mean unlabelled
        assert file.nodata == 255
        assert (file.read(1) == whole.mask[0]).mean() > 0.999
    assert "changed" in outcome.out


def test_amounts(specdm_command, little_settings: dict, tmp_path: Path) -> None:
    from specdm.scenes.quantities import Quantities
    from specdm.scenes.scene import Scene
    from specdm.synthesis.fit import train_run
    from specdm.training.config import load_config

    scene = make_little_scene()
    height = scene.dataset["image"].isel(date=0, band=[3]).rename(band="quantity").astype(np.float32) / 100
    scene = Scene.create(
        image=scene.dataset["image"], amounts=height, quantities=Quantities.create(["height"], units="m"),
        wavelength=scene.wavelength, band_name=scene.band_name, name="little", units=scene.units,
    )  # fmt: skip
    tiles = scene.tile(size=16, stride=16, split="none")
    settings = {**little_settings, "codec.steps": 5, "denoiser.steps": 5, "reader.steps": 60}
    train_run(tmp_path / "run", tiles=tiles, config=load_config(overrides=settings), show_progress=False)
    outcome = specdm_command("annotate", tmp_path / "run", write_date(tmp_path, scene), "-o", tmp_path / "h.tif")
    assert outcome.code == 0, outcome.err
    with rasterio.open(tmp_path / "h.tif") as file:
        assert file.dtypes == ("float32",) and file.descriptions == ("height",) and file.units == ("m",)
        found = file.read(1)
    assert np.corrcoef(found.ravel(), height.values[0].ravel())[0, 1] > 0.5
    refusal = ["--confidence", tmp_path / "c.tif", "-o", tmp_path / "h2.tif"]
    outcome = specdm_command("annotate", tmp_path / "run", tmp_path / "scene.tif", *refusal)
    assert outcome.code == 2 and "no class probabilities" in outcome.err


def test_a_mask_a_date(little_run: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from specdm.synthesis.annotation_files import AnnotationFiles

    facts = SpecDMPipeline.from_pretrained(little_run / "model").facts
    two = replace(facts, layers=["2000-03-17", "after/rain"])
    files = AnnotationFiles(tmp_path / "m.tif")
    assert [path.name for path in files.masks(two)] == ["m_2000-03-17.tif", "m_after_rain.tif"]


class TestRefusals:
    def test_outputs(self, refused, little_run: Path, image: Path, tmp_path: Path) -> None:
        there = tmp_path / "there.tif"
        there.write_bytes(b"mine")
        for arguments, words in [
            (["-o", there], "--overwrite"),
            (["-o", tmp_path / "m.jpg"], "expected one of .tif"),
            (["-o", tmp_path / "m.tif", "--probabilities", tmp_path / "p.png"], "expected one of .tif"),
            (["-o", tmp_path / "m.tif", "--confidence", tmp_path / "m.tif"], "same name"),
            (["-o", image / "m.tif"], "is a file"),
            (["-o", tmp_path / "m.tif", "--keep-labels"], "--mask FILE"),
            (["-o", tmp_path / "m.tif", "--mask", image], "--keep-labels"),
            (["-o", tmp_path / "m.tif", "--window", 5], "at least"),
            (["-o", tmp_path / "m.tif", "--min-confidence", 2], "--min-confidence"),
        ]:
            assert words in refused("annotate", little_run, image, *arguments), arguments

    def test_scenes(self, refused, little_run: Path, little_change_run: Path, tmp_path: Path) -> None:
        few = write_tif(tmp_path / "few.tif", SCENE.dataset["image"].values[0, :9], wavelength=SCENE.wavelength[:9])
        image, mask = write_date(tmp_path, SCENE), write_mask(tmp_path, make_little_scene())
        out = ["-o", tmp_path / "m.tif"]
        assert "lacks 3 of the model's 12 bands" in refused("annotate", little_run, few, *out)
        assert "expected the same" in refused("annotate", little_run, image, "--keep-labels", "--mask", mask, *out)
        assert "one file a date" in refused("annotate", little_change_run, image, *out)
        assert "no finished model" in refused("annotate", _unfinished(tmp_path), image, *out)


@pytest.mark.parametrize("name", ["m.tif", "m.npy", "m.png"])
def test_no_room(refused, little_run: Path, image: Path, tmp_path: Path, name: str) -> None:
    with files_of_at_most(300):
        line = refused("annotate", little_run, image, "-o", tmp_path / name, "--views", 1)
    assert f"{name}: cannot be written (" in line


def test_overwriting(specdm_command, little_run: Path, image: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.tif"
    path.write_bytes(b"old")
    assert specdm_command("annotate", little_run, image, "-o", path, "--overwrite", "--views", 1).code == 0
    with rasterio.open(path) as file:
        assert file.shape == (75, 50)


def _unfinished(folder: Path) -> Path:
    run = folder / "unfinished"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    (run / "config.yaml").touch()
    return run
