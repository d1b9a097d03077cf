"""`specdm train` on scenes of several dates, masks of several kinds, and folders; what a run remembers of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import yaml
from PIL import Image

from specdm.cli import scene_options, texts
from specdm.errors import ConfigError, MaskError, RunError
from specdm.report.scene_source import SAMPLES, SceneSource


@pytest.fixture
def dates(files) -> tuple[Path, Path]:
    """The little image at two dates: a field of the second is another."""
    after = np.load(files.image)
    after[8:24, 10:30] = after[24:40, 0:20]
    np.save(files.folder / "after.npy", after)
    return files.image, files.folder / "after.npy"


@pytest.fixture
def change(files) -> Path:
    """0 unchanged, 1 changed."""
    mask = np.zeros((48, 40), np.uint8)
    mask[8:24, 10:30] = 1
    np.save(files.folder / "change.npy", mask)
    return files.folder / "change.npy"


def tiles_of(specdm_command, no_training, *arguments: object):
    outcome = specdm_command("train", *arguments, "--tile-size", 16)
    assert outcome.code == 0, outcome.err
    return no_training[-1]["tiles"]


LABELS = ("2000-03-17", "2003-02-06")


def test_two_dates_and_a_change_mask(specdm_command, no_training, dates, change, tmp_path: Path) -> None:
    run = tmp_path / "run"
    tiles = tiles_of(specdm_command, no_training, *dates, "--dates", ",".join(LABELS), "--mask", change, "-o", run)
    assert tiles.task == "change" and tiles.dates == LABELS
    assert (tiles.images()[:, 0] != tiles.images()[:, 1]).any()
    record = yaml.safe_load((run / "source.yaml").read_text())
    assert record["options"]["dates"] == list(LABELS), "dates are text, not dates of YAML"
    assert record["images"] == [str(date) for date in dates]


def test_a_mask_a_date(specdm_command, no_training, files, dates, tmp_path: Path) -> None:
    tiles = tiles_of(
        specdm_command, no_training, *dates, "--dates", "before,after", "--mask", files.mask, "--mask", files.mask,
        "-o", tmp_path / "run",
    )  # fmt: skip
    assert tiles.task == "semantic_change" and tiles.layers == ("before", "after")
    assert set(np.unique(tiles.change_masks())) == {-1, 0}


def test_a_mask_a_class_and_going_on_from_elsewhere(
    specdm_command, no_training, files, dates, change, tmp_path: Path, monkeypatch
) -> None:
    changed = np.load(change)
    for name, marked in (("u.bmp", changed == 0), ("c.bmp", changed == 1)):
        marked = marked.copy()
        marked[:, :5] = False
        Image.fromarray(marked.astype(np.uint8) * 255).save(files.folder / name)
    monkeypatch.chdir(files.folder)
    run = tmp_path / "run"
    tiles = tiles_of(
        specdm_command, no_training, "image.npy", "after.npy", "--dates", "a,b", "--mask", "unchanged=u.bmp",
        "--mask", "changed=c.bmp", "-o", run,
    )  # fmt: skip
    assert tiles.classes.names == ("unchanged", "changed") and tiles.classes.values == (0, 1)
    assert (tiles.masks()[tiles.dataset["window_x"].values == 0][..., :5] == -1).all()
    record = yaml.safe_load((run / "source.yaml").read_text())
    assert record["options"]["mask"] == {
        "unchanged": str(files.folder / "u.bmp"), "changed": str(files.folder / "c.bmp"),
    }  # fmt: skip
    monkeypatch.chdir(tmp_path.parent)
    assert specdm_command("train", run).code == 0
    again = SceneSource.from_record(record, where=run / "source.yaml").open()
    assert again.dates == ("a", "b") and again.task == "change"


def test_abundances(specdm_command, no_training, files, tmp_path: Path) -> None:
    parts = np.random.default_rng(0).dirichlet((1, 2, 3), (48, 40)).astype(np.float32)
    np.save(files.folder / "parts.npy", parts)
    tiles = tiles_of(
        specdm_command, no_training, files.image, "--mask", files.folder / "parts.npy", "--mask-kind", "abundances",
        "--quantity-names", "tree,soil,water", "-o", tmp_path / "run",
    )  # fmt: skip
    assert tiles.task == "regression" and tiles.layers == () and tiles.quantities.sum_to_one
    assert tiles.quantities.names == ("tree", "soil", "water")
    assert tiles.amounts().sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_free_values_with_units(specdm_command, no_training, files, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(8, 2, (48, 40, 2)).astype(np.float32)
    np.save(files.folder / "values.npy", values)
    tiles = tiles_of(
        specdm_command, no_training, files.image, "--mask", files.folder / "values.npy", "--mask-kind", "continuous",
        "--quantity-names", "height,chlorophyll", "--quantity-units", "m,µg/cm²", "-o", tmp_path / "run",
    )  # fmt: skip
    assert tiles.quantities.units == ("m", "µg/cm²") and not tiles.quantities.sum_to_one


def test_dates_in_one_mat_file(specdm_command, no_training, dates, change, tmp_path: Path) -> None:
    path = dates[0].parent / "both.mat"
    first, second = (np.load(date) for date in dates)
    scipy.io.savemat(path, {"late": second, "early": first, "Binary": np.load(change)})
    tiles = tiles_of(
        specdm_command, no_training, path, "--dates", "before,after", "--variable", "early,late",
        "--mask-variable", "Binary", "-o", tmp_path / "run",
    )  # fmt: skip
    assert tiles.task == "change"
    assert tiles.images()[:, 0].max() == first.max()


def test_two_sensors(specdm_command, no_training, dates, change, tmp_path: Path) -> None:
    np.save(dates[1], np.load(dates[1])[..., :4])
    tiles = tiles_of(
        specdm_command, no_training, *dates, "--dates", "a,b", "--sensors", "each", "--scale", "1,2", "--mask", change,
        "-o", tmp_path / "run",
    )  # fmt: skip
    assert [len(tiles.bands_of(date)) for date in (0, 1)] == [12, 4]


def test_a_folder_in_a_known_layout(specdm_command, no_training, dates, change, tmp_path: Path) -> None:
    folder = tmp_path / "city"
    for name in ("A", "B", "label"):
        (folder / name).mkdir(parents=True)
    for name, date in zip("AB", dates, strict=True):
        np.save(folder / name / "one.npy", np.load(date))
    Image.fromarray(np.load(change) * 255).save(folder / "label" / "one.png")
    run = tmp_path / "run"
    tiles = tiles_of(specdm_command, no_training, folder, "-o", run)
    assert tiles.task == "change" and tiles.n_dates == 2
    outcome = specdm_command("info", folder)
    assert outcome.code == 0, outcome.err
    for fact in ("1: one", "A/one.npy", "B/one.npy", "label/one.png"):
        assert fact in outcome.out


def test_a_data_set_of_the_catalogue(monkeypatch, tmp_path: Path, little_scene) -> None:
    calls = []

    def open_scene(image, **options):
        calls.append((image, options))
        return little_scene

    monkeypatch.setattr("specdm.scenes.open.open_scene", open_scene)
    SceneSource(images=(tmp_path,), options=scene_options.scene_options({"dataset": "taizhou"})).open()
    assert calls == [(tmp_path, {"dataset": "taizhou"})]


def test_a_scene_without_classes_and_quantities(refused, dates, tmp_path: Path) -> None:
    assert "--mask" in refused("train", *dates, "--dates", "a,b", "-o", tmp_path / "run")


@pytest.mark.parametrize("more", [["--dates", "a,b,c"], ["--dates", "a,a"]])
def test_dates_that_do_not_fit(refused, dates, change, tmp_path: Path, more: list[str]) -> None:
    assert "date" in refused("train", *dates, "--mask", change, "-o", tmp_path / "run", *more)


def test_masks_with_and_without_a_class(refused, dates, change, tmp_path: Path) -> None:
    line = refused("train", *dates, "--dates", "a,b", "--mask", change, "--mask", "changed=c.bmp", "-o", tmp_path / "r")
    assert "CLASS=FILE" in line


class TestMasks:
    """What --mask means."""

    def test_files(self) -> None:
        assert texts.masks(["a.tif"]) == Path("a.tif")
        assert texts.masks(["a.tif", "b.tif"]) == [Path("a.tif"), Path("b.tif")]

    def test_a_file_with_an_equals_sign(self, tmp_path: Path) -> None:
        path = tmp_path / "n=5.tif"
        path.write_bytes(b"")
        assert texts.masks([str(path)]) == path
        assert texts.masks([f"changed={path}"]) == {"changed": path}

    def test_a_class_twice(self) -> None:
        with pytest.raises(ConfigError, match=r"water.*already"):
            texts.masks(["water=a.bmp", "water=b.bmp"])


def test_options_read_once() -> None:
    given = {
        "mask": ["u=a.bmp", "c=b.bmp"], "dates": "a, b", "variable": "T1,T2", "mask_variable": "GT", "sensors": "each",
        "quantity_units": "m", "scale": "1e-4", "offset": None, "split_map": [], "unlabelled_value": "none",
        "output": Path("x"),
    }  # fmt: skip
    assert scene_options.scene_options(given) == {
        "mask": {"u": Path("a.bmp"), "c": Path("b.bmp")}, "dates": ["a", "b"], "variable": ["T1", "T2"],
        "mask_variable": "GT", "sensors": "each", "quantity_units": "m", "scale": 1e-4, "unlabelled": [],
    }  # fmt: skip


class TestSceneSource:
    """Embedded scenes by name, and records."""

    @pytest.mark.parametrize("name", SAMPLES)
    def test_a_sample_is_remembered(self, name: str, tmp_path: Path) -> None:
        source = SceneSource(sample=name)
        assert SceneSource.from_record(source.record(), where=tmp_path) == source
        assert ("Indian Pines" if name.startswith("indian") else "simulated") in source.words

    @pytest.mark.parametrize(
        ("name", "task"),
        [
            ("indian_pines", "segmentation"),
            ("indian_pines_change", "change"),
            ("indian_pines_semantic", "semantic_change"),
            ("simulated", "segmentation"),
            ("simulated_abundances", "regression"),
            ("simulated_change", "change"),
            ("simulated_semantic", "semantic_change"),
        ],
    )
    def test_a_sample_opens_as_what_it_says(self, name: str, task: str) -> None:
        assert set(SAMPLES) == {
            "indian_pines", "indian_pines_change", "indian_pines_semantic",
            "simulated", "simulated_abundances", "simulated_change", "simulated_semantic",
        }  # fmt: skip
        scene = SceneSource.of([Path(name)], {}).open()
        assert scene.task == task
        words = {"simulated": "known truth", "indian_pines_": "semi-synthetic", "indian_pines": ""}
        expected = next(word for key, word in words.items() if name.startswith(key))
        assert expected in (scene.note or "")

    def test_a_file_of_that_name_goes_before_the_sample(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("indian_pines").touch()
        assert SceneSource.of([Path("indian_pines")], {}).images == (Path("indian_pines"),)

    def test_a_sample_has_its_own_mask(self) -> None:
        with pytest.raises(RunError, match="leave --mask out"):
            SceneSource.of([Path("indian_pines")], {"mask": "x.npy"})

    def test_a_sample_that_is_not_there(self) -> None:
        with pytest.raises(RunError, match="indian_pines_change"):
            SceneSource(sample="moon").open()

    def test_an_image_alone(self, files) -> None:
        with pytest.raises(MaskError, match="--mask"):
            SceneSource(images=(files.image,)).open()


def test_a_demonstration_of_a_scene_that_is_not_there(refused, tmp_path: Path) -> None:
    assert "indian_pines_change" in refused("demo", "--scene", "moon", "-o", tmp_path / "run")
