"""`specdm sample --from`: a real little model asked for images, masks, dates and the rest of what is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from little_scenes import make_little_change, make_little_scene
from PIL import Image
from scene_files import write_date, write_mask, write_tif

from specdm.tiles.store import open_tiles

SCENE = make_little_scene()
CHANGE = make_little_change()


@pytest.fixture
def sampled(specdm_command, tmp_path: Path):
    """`specdm sample RUN ... -o out.zarr`, which must work; the tiles and what was printed."""

    def call(run: Path, *arguments: object):
        outcome = specdm_command("sample", run, *arguments, "-o", tmp_path / "out.zarr", "--steps", 2)
        assert outcome.code == 0, outcome.err
        return open_tiles(tmp_path / "out.zarr"), outcome.out

    return call


def windows(array: np.ndarray, tiles) -> np.ndarray:
    """The windows of `(..., y, x)` that tiles were cut at."""
    coords = zip(tiles.dataset["window_y"].values, tiles.dataset["window_x"].values, strict=True)
    return np.stack([array[..., y : y + 16, x : x + 16] for y, x in coords])


class TestRender:
    def test_a_mask_is_kept_and_an_image_drawn(self, sampled, little_run: Path, tmp_path: Path) -> None:
        tiles, printed = sampled(little_run, "--from", write_mask(tmp_path, SCENE), "--batch-size", 4)
        assert len(tiles) == 9
        np.testing.assert_array_equal(tiles.masks(), windows(SCENE.dataset["mask"].values, tiles))
        assert np.isfinite(tiles.images()).all()
        assert "9 tiles of 16 px, georeferenced; known: mask" in printed
        assert tiles.dataset["scene"].values.tolist() == ["mask"] * 9
        y, x = (int(tiles.dataset[key].values[5]) for key in ("window_y", "window_x"))
        assert tiles.place(5).transform == (30.0, 0.0, 500_000.0 + 30 * x, 0.0, -30.0, 4_100_000.0 - 30 * y)
        assert str(tmp_path / "mask.tif") == tiles.provenance["completes"]
        assert tiles.provenance["known"] == ["mask"] and not tiles.provenance["known_in_area"]

    def test_more_than_are_given(self, sampled, little_run: Path, tmp_path: Path) -> None:
        drawn = np.full((16, 32), 2, np.uint8)
        drawn[:, 16:] = 7
        Image.fromarray(drawn).save(tmp_path / "drawn.png")
        tiles, _ = sampled(little_run, "--from", tmp_path / "drawn.png", "-n", 5, "--batch-size", 2)
        assert [int(mask[0, 0, 0]) for mask in tiles.masks()] == [2, 7, 2, 7, 2]
        assert tiles.dataset["window_x"].values.tolist() == [0, 16, 0, 16, 0]
        # every tile has noise of its own
        assert np.abs(tiles.images(0) - tiles.images(2)).max() > 0

    def test_batches_do_not_matter(self, specdm_command, sampled, little_run: Path, tmp_path: Path) -> None:
        mask = write_mask(tmp_path, SCENE)
        whole, _ = sampled(little_run, "--from", mask)
        part = ["--batch-size", 2, "--steps", 2, "-o", tmp_path / "part.zarr"]
        assert specdm_command("sample", little_run, "--from", mask, *part).code == 0
        np.testing.assert_allclose(open_tiles(tmp_path / "part.zarr").images(), whole.images(), rtol=1e-3, atol=1.0)

    def test_tiles_of_a_tile_set(self, sampled, little_run: Path, tmp_path: Path) -> None:
        real = SCENE.tile(size=16, stride=16, split="none")
        real.save(tmp_path / "real.zarr")
        tiles, _ = sampled(little_run, "--from", tmp_path / "real.zarr", "--known", "mask")
        np.testing.assert_array_equal(tiles.masks(), real.masks())
        assert np.abs(tiles.images() - real.images()).max() > 1


    @pytest.mark.parametrize("more", [[], ["--variation", 0.5]])
    def test_masks_and_images_of_held_out_tiles_are_not_drawn_from(
        self, sampled, little_run: Path, tmp_path: Path, more: list
    ) -> None:
        real = SCENE.tile(size=16, stride=16, split="blocks")
        real.save(tmp_path / "real.zarr")
        others = len(real) - len(real.train)
        tiles, out = sampled(little_run, "--from", tmp_path / "real.zarr", "--known", "mask", *more)
        assert others and f"{others} of other splits left out" in out
        np.testing.assert_array_equal(tiles.masks(), real.train.masks())

    def test_masks_are_drawn_for_images_of_any_split(self, sampled, little_run: Path, tmp_path: Path) -> None:
        real = SCENE.tile(size=16, stride=16, split="blocks")
        real.save(tmp_path / "real.zarr")
        tiles, out = sampled(little_run, "--from", tmp_path / "real.zarr", "--known", "image")
        assert len(tiles) == len(real) and "left out" not in out


def test_other_data_behind_the_same_envi_header_are_other_files(
    specdm_command, refused, little_run: Path, tmp_path: Path
) -> None:
    image = SCENE.dataset["image"].values[0].astype(np.float32)
    wavelength = ", ".join(f"{value:g}" for value in SCENE.wavelength)
    (tmp_path / "sc.hdr").write_text(
        f"ENVI\nsamples = {image.shape[2]}\nlines = {image.shape[1]}\nbands = {len(image)}\ndata type = 4\n"
        f"interleave = bsq\nbyte order = 0\nwavelength units = nm\nwavelength = {{{wavelength}}}\n"
    )
    image.tofile(tmp_path / "sc.img")
    told = ("sample", little_run, "--from", tmp_path / "sc.hdr", "-o", tmp_path / "out.zarr", "--steps", 2)
    assert specdm_command(*told).code == 0
    assert "is there already" in specdm_command(*told).out
    (1.5 * image).tofile(tmp_path / "sc.img")
    os.utime(tmp_path / "sc.img", ns=(1, 1))
    assert "given" in refused(*told)


class TestVariation:
    def test_of_a_scene(self, sampled, little_run: Path, tmp_path: Path) -> None:
        files = ["--from", write_date(tmp_path, SCENE), "--mask", write_mask(tmp_path, SCENE), "--known", "mask"]
        tiles, _ = sampled(little_run, *files, "--variation", 0.05)
        np.testing.assert_array_equal(tiles.masks(), windows(SCENE.dataset["mask"].values, tiles))
        real = windows(SCENE.dataset["image"].values, tiles)
        assert np.corrcoef(tiles.images().ravel(), real.ravel())[0, 1] > 0.8 and (tiles.images() != real).any()

    def test_of_a_tile_set(self, specdm_command, refused, sampled, little_run: Path, tmp_path: Path) -> None:
        real = SCENE.tile(size=16, stride=16, split="none")
        real.save(tmp_path / "real.zarr")
        told = ["--from", tmp_path / "real.zarr", "--known", "mask", "--variation", 0.05]
        tiles, _ = sampled(little_run, *told)
        assert np.corrcoef(tiles.images().ravel(), real.images().ravel())[0, 1] > 0.8
        more = [*told[:-1], 0.5, "-o", tmp_path / "out.zarr", "--steps", 2]
        assert "variation 0.05, not 0.5" in refused("sample", little_run, *more)

    def test_tiles_without_data_are_not_damage(self, sampled, little_run: Path, tmp_path: Path) -> None:
        real = SCENE.tile(size=16, stride=16, split="none")
        real.dataset["image"].values[:] = np.nan
        real.save(tmp_path / "empty.zarr")
        tiles, _ = sampled(little_run, "--from", tmp_path / "empty.zarr", "--known", "mask", "--variation", 0.5)
        assert np.isnan(tiles.images()).all()
        np.testing.assert_array_equal(tiles.masks(), real.masks())

    def test_without_an_image_or_a_mask(self, refused, little_run: Path, tmp_path: Path) -> None:
        image, mask = write_date(tmp_path, SCENE), write_mask(tmp_path, SCENE)
        for arguments, words in [
            (["--from", mask], "images are to be varied, but none is given"),
            (["--from", image, "--known", "image"], "add known=['mask'] (--known mask)"),
            ([], "--variation is about what is given"),
        ]:
            told = ["-o", tmp_path / "out.zarr", "--variation", 0.5, *arguments]
            assert words in refused("sample", little_run, *told), arguments


def test_another_mask_for_an_image(sampled, little_run: Path, tmp_path: Path) -> None:
    tiles, _ = sampled(little_run, "--from", write_date(tmp_path, SCENE), "--dense")
    np.testing.assert_array_equal(tiles.images(), windows(SCENE.dataset["image"].values, tiles))
    assert (tiles.masks() >= 0).all()


def test_without_pasting_the_codec_shows(sampled, little_run: Path, tmp_path: Path) -> None:
    tiles, _ = sampled(little_run, "--from", write_date(tmp_path, SCENE), "--no-paste")
    real = windows(SCENE.dataset["image"].values, tiles)
    assert np.abs(tiles.images() - real).mean() > 1
    assert np.corrcoef(tiles.images().ravel(), real.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("date", [0, 1])
def test_the_other_date(sampled, little_change_run: Path, tmp_path: Path, date: int) -> None:
    image, mask = write_date(tmp_path, CHANGE, date), write_mask(tmp_path, CHANGE)
    name = f"image {('2000', '2003')[date]}"
    tiles, _ = sampled(
        little_change_run, "--from", image, "--mask", mask, "--known", name, "--known", "mask", "-n", 2
    )
    np.testing.assert_array_equal(tiles.images()[:, date], windows(CHANGE.dataset["image"].values[date], tiles))
    np.testing.assert_array_equal(tiles.masks(), windows(CHANGE.dataset["mask"].values, tiles))
    assert np.isfinite(tiles.images()).all()


def test_inpainting(sampled, little_run: Path, tmp_path: Path) -> None:
    known = np.ones((48, 40), bool)
    known[10:30, 4:30] = False
    area = tmp_path / "known.png"
    Image.fromarray(known.astype(np.uint8) * 255).save(area)
    tiles, printed = sampled(
        little_run, "--from", write_date(tmp_path, SCENE), "--mask", write_mask(tmp_path, SCENE), "--area", area
    )
    assert "known: what lies in the area" in printed
    inside = windows(known, tiles)
    real, mask = windows(SCENE.dataset["image"].values, tiles), windows(SCENE.dataset["mask"].values, tiles)
    shown = np.broadcast_to(inside[:, None, None], real.shape)
    np.testing.assert_array_equal(tiles.images()[shown], real[shown])
    np.testing.assert_array_equal(tiles.masks()[inside[:, None]], mask[inside[:, None]])
    assert np.isfinite(tiles.images()).all()
    assert (np.abs(tiles.images() - real)[~shown] > 0).mean() > 0.9


def test_the_usual_place_is_not_that_of_new_tiles(specdm_command, little_run: Path, tmp_path: Path) -> None:
    import shutil

    run = shutil.copytree(little_run, tmp_path / "run")
    assert specdm_command("sample", run, "--from", write_mask(tmp_path, SCENE), "-n", 1, "--steps", 1).code == 0
    assert len(open_tiles(run / "synthetic" / "from_mask.zarr")) == 1
    assert not (run / "synthetic" / "tiles.zarr").exists()


def test_options_reach_the_model(specdm_command, trained) -> None:
    run, calls = trained
    told = ["--balance", "--composition-strength", 0.25, "--guidance", 1.5, "--dense"]
    assert specdm_command("sample", run, "-n", 1, *told).code == 0
    call = calls[0]
    assert (call["balance"], call["composition_strength"], call["guidance"]) == (True, 0.25, 1.5)
    assert call["dense"] is True
    assert specdm_command("sample", run, "-n", 1, "--overwrite").code == 0
    # the model's own defaults are not overruled
    assert not {"balance", "guidance", "composition_strength", "dense", "paste", "given"} & set(calls[1])


class TestTrainingOptions:
    """Files are read as those of training were."""

    def test_wavelengths_and_unlabelled_values_are_remembered(self, tmp_path: Path) -> None:
        import yaml

        from specdm.report.file_options import file_options

        run = tmp_path / "run"
        run.mkdir()
        options = {"wavelengths": [450.0, 550.0], "unlabelled": [255], "nodata": [-1.0], "variable": "T1", "rows": 3}
        (run / "source.yaml").write_text(yaml.safe_dump({"images": ["x"], "options": options}))
        np.save(tmp_path / "a.npy", np.zeros((4, 4, 2)))
        found = file_options(run, {"nodata": [0.0]}, files=[tmp_path / "a.npy"])
        assert found == {"wavelengths": [450.0, 550.0], "unlabelled": [255], "nodata": [0.0]}
        assert "wavelengths" not in file_options(run, {"sensor": "sentinel2"}, files=[tmp_path / "a.npy"])

    def test_products_and_named_sets_are_read_alike(self, tmp_path: Path) -> None:
        import yaml

        from specdm.report.file_options import file_options

        run = tmp_path / "run"
        run.mkdir()
        of_products = {"resolution": 10, "quality": ["keep"], "bad_bands": "keep"}
        named = {"dataset": "samson", "wavelengths": "nominal", **of_products}
        (run / "source.yaml").write_text(yaml.safe_dump({"images": ["x"], "options": named}))
        found = file_options(run, {}, files=[tmp_path / "a.npy"])
        assert {key: found[key] for key in of_products} == of_products
        assert len(found["wavelengths"]) == 156 and found["wavelengths"][0] == 401

    def test_an_array_without_wavelengths_will_do(self, sampled, little_run: Path, tmp_path: Path) -> None:
        np.save(tmp_path / "image.npy", np.moveaxis(SCENE.dataset["image"].values[0], 0, -1))
        centres = ",".join(f"{value:.1f}" for value in SCENE.wavelength)
        tiles, _ = sampled(little_run, "--from", tmp_path / "image.npy", "--wavelengths", centres, "-n", 1)
        np.testing.assert_array_equal(tiles.images(), windows(SCENE.dataset["image"].values, tiles))


class TestRefusals:
    def test_files(self, refused, little_run: Path, tmp_path: Path) -> None:
        image, mask = write_date(tmp_path, SCENE), write_mask(tmp_path, SCENE)
        strange = write_tif(tmp_path / "strange.tif", np.full((16, 16), 9, np.uint8))
        empty = write_tif(tmp_path / "empty.tif", np.zeros((16, 16), np.uint8))
        small = write_tif(tmp_path / "small.tif", np.full((16, 15), 2, np.uint8))
        shifted = np.arange(455.0, 995.0, 45.0)
        other = write_tif(tmp_path / "other.tif", SCENE.dataset["image"].values[0], wavelength=shifted)
        cropped = write_tif(tmp_path / "cropped.tif", np.full((48, 30), 2, np.uint8))
        for arguments, words in [
            (["--from", strange], "value 9; it knows grass (2)"),
            (["--from", empty], "every pixel is unlabelled"),
            (["--from", small], "smaller than a tile of the model (16 x 16 px)"),
            (["--from", other], "450.0, 1000.0 nm lie outside its spectrum"),
            (["--from", image, "--mask", cropped, "--known", "mask"], "expected the same"),
            (["--from", image, "--mask", mask, "--known", "image", "--known", "mask"], "everything is known"),
            (["--from", image, "--mask", mask], "--known image"),
            (["--from", image, "--known", "mask", "--mask-variable", "gt"], "leave the variable"),
            (["--from", tmp_path / "nowhere.tif"], "there is no such file"),
            (["--known", "image"], "--from FILE"),
            (["--from", mask, "--composition", "snow=0.2"], "no class 'snow'"),
        ]:
            assert words in refused("sample", little_run, "-o", tmp_path / "out.zarr", *arguments), arguments

    def test_resampling_is_offered_and_done(self, refused, sampled, little_run: Path, tmp_path: Path) -> None:
        image, centres = SCENE.dataset["image"].values[0], np.arange(447.0, 1010.0, 7.0)
        flat = image.reshape(12, -1).T
        fine = np.stack([np.interp(centres, SCENE.wavelength, spectrum) for spectrum in flat]).T
        file = write_tif(tmp_path / "fine.tif", fine.reshape(-1, 48, 40).astype(np.float32), wavelength=centres)
        assert "add --resample" in refused("sample", little_run, "--from", file, "-o", tmp_path / "out.zarr")
        tiles, _ = sampled(little_run, "--from", file, "--resample")
        real = windows(image, tiles)
        assert np.corrcoef(tiles.images()[:, 0].ravel(), real.ravel())[0, 1] > 0.99
