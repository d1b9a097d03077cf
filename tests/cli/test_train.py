"""`specdm train`: what a run is made of, going on with one, and mistakes found before work starts."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import yaml

from specdm.tiles.store import open_tiles


def train(files, run: Path, *more: object) -> list[object]:
    return ["train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16, *more]


def test_a_run_is_made(specdm_command, files, no_training, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    outcome = specdm_command(
        *train(files, run, "--class-names", "2=grass,5=bare soil,7=water", "--minutes", 7)
    )
    assert outcome.code == 0, outcome.err
    tiles = open_tiles(run / "tiles" / "tiles.zarr")
    assert tiles.size == 16 and tiles.classes.names == ("grass", "bare soil", "water")
    config = no_training[0]["config"]
    assert config.codec.minutes + config.reader.minutes + config.denoiser.minutes == pytest.approx(7)
    assert yaml.safe_load((run / "config.yaml").read_text())["tiles"]["size"] == 16
    source = yaml.safe_load((run / "source.yaml").read_text())
    assert source["images"] == [str(files.image)] and source["options"]["mask"] == str(files.mask)


def test_options_reach_the_scene(specdm_command, files, no_training, tmp_path: Path) -> None:
    wavelengths = ",".join(str(450 + 50 * i) for i in range(12))
    outcome = specdm_command(
        *train(
            files, tmp_path / "run", "--wavelengths", wavelengths, "--bands", "450-700,11", "--classes", "2,7"
        ),
        *("--scale", 0.0001, "--units", "reflectance", "--split", "none", "--stride", 8, "--seed", 4),
    )
    assert outcome.code == 0, outcome.err
    tiles, config = no_training[0]["tiles"], no_training[0]["config"]
    assert tiles.wavelength.tolist() == [450, 500, 550, 600, 650, 700, 1000]
    assert tiles.classes.values == (2, 7)
    assert tiles.image_units == "reflectance" and np.nanmax(tiles.images()) < 2
    assert (tiles.split == "train").all()
    assert (config.seed, config.tiles.stride) == (4, 8)


def test_several_images(specdm_command, files, no_training, tmp_path: Path) -> None:
    twin_image, twin_mask = files.folder / "twin.npy", files.folder / "twin_mask.npy"
    twin_image.write_bytes(files.image.read_bytes())
    twin_mask.write_bytes(files.mask.read_bytes())
    outcome = specdm_command(
        *("train", files.image, twin_image, "--mask", files.mask, "--mask", twin_mask),
        *("-o", tmp_path / "run", "--tile-size", 16),
    )
    assert outcome.code == 0, outcome.err
    assert set(no_training[0]["tiles"].dataset["source"].values.tolist()) == {"image", "twin"}


def test_going_on_with_a_run(specdm_command, files, no_training, tmp_path: Path, monkeypatch) -> None:
    run = tmp_path / "run"
    assert specdm_command(*train(files, run, "--minutes", 7)).code == 0
    store = run / "tiles" / "tiles.zarr" / "zarr.json"
    written = store.stat().st_mtime_ns
    monkeypatch.chdir(tmp_path.parent)
    assert specdm_command("train", run).code == 0
    assert specdm_command("train", run, "--minutes", 14).code == 0
    assert specdm_command(*train(files, run, "--minutes", 7)).code == 0
    assert store.stat().st_mtime_ns == written, "the tiles were cut again"
    stages = ("codec", "reader", "denoiser")
    minutes = [sum(getattr(call["config"], stage).minutes for stage in stages) for call in no_training]
    assert minutes == pytest.approx([7, 7, 14, 7])
    assert no_training[1]["config"] == no_training[0]["config"]


@pytest.mark.parametrize(
    ("more", "named"),
    [(["--tile-size", 8], "tiles.size"), (["--seed", 1], "seed"), (["--scale", 2], "scale")],
)
def test_a_run_of_another_configuration(
    refused, specdm_command, files, no_training, tmp_path, more, named
) -> None:
    run = tmp_path / "run"
    assert specdm_command(*train(files, run)).code == 0
    line = refused(*train(files, run, *more))
    assert "another configuration" in line and named in line
    assert len(no_training) == 1


def test_a_run_keeps_its_scene(refused, specdm_command, files, no_training, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert specdm_command(*train(files, run)).code == 0
    assert "--mask" in refused("train", run, "--mask", files.mask)


def test_a_folder_of_something_else(refused, files, no_training, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    assert "cat.jpg" in refused(*train(files, folder))


@pytest.mark.parametrize("place", ["image.npy", "image.npy/run", "image.npy/deeper/run"])
def test_output_that_cannot_be_written(refused, files, no_training, place: str) -> None:
    assert "is a file" in refused(*train(files, files.folder / place))
    assert no_training == []


def test_a_new_run_needs_a_place(refused, files) -> None:
    assert "-o" in refused("train", files.image, "--mask", files.mask)


def test_no_mask(refused, files, tmp_path: Path) -> None:
    assert "--mask" in refused("train", files.image, "-o", tmp_path / "run")


@pytest.mark.parametrize(
    ("setting", "named"),
    [("denoiser.speed=3", "denoiser.speed"), ("seed=-1", "seed"), ("tiles.split=diagonal", "tiles.split")],
)
def test_settings_that_are_not_known(refused, files, tmp_path: Path, setting: str, named: str) -> None:
    assert named in refused(*train(files, tmp_path / "run", "--set", setting))


@pytest.mark.parametrize("budget", [["--minutes", 0], ["--minutes", -3], ["--steps", 0]])
def test_no_budget(refused, files, tmp_path: Path, budget: list[object]) -> None:
    assert str(budget[0]) in refused(*train(files, tmp_path / "run", *budget))


class TestBadInput:
    """Each ends with one line that names the file, exit code 2, and leaves everything as it was."""

    def test_mask_of_another_size(self, refused, files, tmp_path: Path) -> None:
        np.save(files.mask, np.load(files.mask)[:-1])
        line = refused(*train(files, tmp_path / "run"))
        assert "mask.npy" in line and "47 x 40" in line and "48 x 40" in line

    def test_float_mask(self, refused, files, tmp_path: Path) -> None:
        np.save(files.mask, np.load(files.mask) + 0.25)
        line = refused(*train(files, tmp_path / "run"))
        assert "mask.npy" in line and "continuous" in line

    def test_mask_value_without_a_name(self, refused, files, tmp_path: Path) -> None:
        line = refused(*train(files, tmp_path / "run", "--class-names", "2=grass,5=soil"))
        assert "mask.npy" in line and "7" in line

    def test_nodata_only(self, refused, files, tmp_path: Path) -> None:
        np.save(files.image, np.full_like(np.load(files.image), -9999))
        line = refused(*train(files, tmp_path / "run", "--nodata", "-9999"))
        assert "image.npy" in line and "nodata" in line

    def test_fewer_pixels_than_a_tile(self, refused, files, tmp_path: Path) -> None:
        line = refused(*train(files, tmp_path / "run", "--tile-size", 64))
        assert "48 x 40" in line and "64" in line

    def test_truncated_mat(self, refused, files, tmp_path: Path) -> None:
        path = files.folder / "image.mat"
        scipy.io.savemat(path, {"cube": np.load(files.image)})
        path.write_bytes(path.read_bytes()[:5000])
        assert "image.mat" in refused("train", path, "--mask", files.mask, "-o", tmp_path / "run")

    def test_truncated_tif(self, refused, files, tmp_path: Path) -> None:
        import rasterio

        path = files.folder / "image.tif"
        cube = np.moveaxis(np.load(files.image), -1, 0)
        with rasterio.open(path, "w", driver="GTiff", count=12, height=48, width=40, dtype="float32") as file:
            file.write(cube)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert "image.tif" in refused("train", path, "--mask", files.mask, "-o", tmp_path / "run")

    def test_header_without_data(self, refused, files, tmp_path: Path) -> None:
        path = files.folder / "scene.hdr"
        path.write_text(
            "ENVI\nsamples = 40\nlines = 48\nbands = 12\nheader offset = 0\ndata type = 4\ninterleave = bsq\n"
        )
        assert "scene.hdr" in refused("train", path, "--mask", files.mask, "-o", tmp_path / "run")

    def test_cut_mat_73_file_under_another_name(self, refused, files, tmp_path: Path) -> None:
        path = files.folder / "image.tif"
        with h5py.File(path, "w", userblock_size=512) as file:
            file["cube"] = np.load(files.image)
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" ")
        path.write_bytes((head + path.read_bytes()[512:])[:4000])
        assert "image.tif" in refused("train", path, "--mask", files.mask, "-o", tmp_path / "run")
