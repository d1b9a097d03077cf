"""What users name as given, as tiles of a model: what is cut, matched, known and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from little_scenes import make_little_change, make_little_scene
from PIL import Image
from scene_files import CRS, write_date, write_mask, write_tif

from specdm.errors import MaskError, ModelError, SceneError, SpecDMError, TileError
from specdm.synthesis.given_files import Asked, GivenFiles, open_given
from specdm.synthesis.pipeline import SpecDMPipeline

SCENE = make_little_scene()
CHANGE = make_little_change()


@pytest.fixture
def opened(pipeline: SpecDMPipeline):
    """`open_given` for the little model."""

    def call(*files: Path, **asked: object) -> GivenFiles:
        return open_given(files, Asked(**asked), facts=pipeline.facts, streams=pipeline.model.streams)

    return call


@pytest.fixture
def opened_change(little_change_run: Path):
    """`open_given` for the model of two dates."""
    pipeline = SpecDMPipeline.from_pretrained(little_change_run / "model")

    def call(*files: Path, **asked: object) -> GivenFiles:
        return open_given(files, Asked(**asked), facts=pipeline.facts, streams=pipeline.model.streams)

    return call


class TestScenes:
    def test_windows_cover_all_ground_and_keep_their_place(self, opened, tmp_path: Path) -> None:
        given = opened(write_date(tmp_path, SCENE))
        tiles = given.tiles
        assert given.known == ["image"] and given.area is None
        # 48 x 40 px: the third column of windows is shifted inwards
        places = list(zip(tiles.dataset["window_y"].values, tiles.dataset["window_x"].values, strict=True))
        assert set(places) == {(y, x) for y in (0, 16, 32) for x in (0, 16, 24)}
        image = SCENE.dataset["image"].values
        for i, (y, x) in enumerate(places):
            np.testing.assert_array_equal(tiles.images(i)[0], image[..., y : y + 16, x : x + 16])
        assert (tiles.masks() == -1).all()

    def test_the_place_is_kept(self, opened, tmp_path: Path) -> None:
        place = opened(write_date(tmp_path, SCENE)).tiles.place(0)
        assert place.transform == (30.0, 0.0, 500_000.0, 0.0, -30.0, 4_100_000.0)
        assert "WGS 84 / UTM zone 33N" in place.crs_wkt and CRS

    def test_tiles_are_read_when_asked_for(self, opened, tmp_path: Path) -> None:
        tiles = opened(write_date(tmp_path, SCENE)).tiles
        chosen = tiles.select([7, 2])
        np.testing.assert_array_equal(chosen.images(slice(1, 2)), tiles.images(np.array([2])))
        assert tiles.images(slice(0, 0)).shape == (0, 1, 12, 16, 16)

    def test_several_scenes(self, opened, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        files = [write_date(tmp_path, SCENE), write_date(tmp_path / "a", make_little_scene(seed=3))]
        tiles = opened(*files).tiles
        assert len(tiles) == 18
        assert set(tiles.dataset["source"].values) == {"scene", "scene_2"}

    def test_more_bands_than_needed(self, opened, tmp_path: Path) -> None:
        image, wavelength = SCENE.dataset["image"].values[0], SCENE.wavelength
        more = np.concatenate([image[:1] + 1, image[::-1]])
        path = write_tif(tmp_path / "more.tif", more, wavelength=np.concatenate([[430.0], wavelength[::-1]]))
        np.testing.assert_array_equal(opened(path).tiles.images(0)[0, 0], image[:, :16, :16])

    def test_other_bands_are_named_and_resampling_is_offered(self, opened, tmp_path: Path) -> None:
        centres = np.arange(444.0, 1015.0, 10.0)
        image = SCENE.dataset["image"].values[0]
        fine = np.stack([[np.interp(centres, SCENE.wavelength, s) for s in row] for row in image[:, :16, :16].T]).T
        path = write_tif(tmp_path / "other.tif", fine.astype(np.float32), wavelength=centres)
        words = r"other\.tif: has 58 bands.*lacks 12 of the model.s 12 bands: 450\.0.*add --resample"
        with pytest.raises(SceneError, match=words):
            opened(path)
        found = opened(path, resample=True).tiles.images(0)[0, 0]
        assert found.shape == (12, 16, 16)
        assert np.corrcoef(found.ravel(), image[:, :16, :16].ravel())[0, 1] > 0.99

    @pytest.mark.parametrize(
        ("centres", "words"),
        [(np.linspace(1500, 2400, 12), "do not overlap"), (np.linspace(450, 900, 12), "950.0, 1000.0 nm lie outside")],
    )
    @pytest.mark.parametrize("resample", [False, True])
    def test_ranges_that_do_not_cover_the_model(
        self, opened, tmp_path: Path, centres: np.ndarray, words: str, resample: bool
    ) -> None:
        path = write_tif(tmp_path / "far.tif", SCENE.dataset["image"].values[0], wavelength=centres)
        with pytest.raises(SceneError, match=words):
            opened(path, resample=resample)

    def test_another_number_of_bands_without_wavelengths(self, opened, tmp_path: Path) -> None:
        path = write_tif(tmp_path / "few.tif", SCENE.dataset["image"].values[0, :5])
        with pytest.raises(SceneError, match=r"few\.tif: has 5 bands .*the model has 12"):
            opened(path)

    def test_smaller_than_a_tile(self, opened, tmp_path: Path) -> None:
        image = SCENE.dataset["image"].values[0, :, :48, :10]
        with pytest.raises(TileError, match=r"small\.tif: has 48 x 10 px, smaller than a tile of the model \(16 x 16"):
            opened(write_tif(tmp_path / "small.tif", image, wavelength=SCENE.wavelength))


class TestMasks:
    def test_a_mask_alone_is_known(self, opened, tmp_path: Path) -> None:
        given = opened(write_mask(tmp_path, SCENE))
        assert given.known == ["mask"]
        assert np.isnan(given.tiles.images()).all()
        np.testing.assert_array_equal(given.tiles.masks(0)[0, 0], SCENE.dataset["mask"].values[0, :16, :16])
        assert "georeference" in given.tiles.dataset.attrs

    @pytest.mark.parametrize("kind", ["png", "bmp", "npy", "mat"])
    def test_drawn_masks_are_matched_by_value(self, opened, tmp_path: Path, kind: str) -> None:
        mask = np.full((20, 32), 5, np.uint8)
        mask[:, 16:], mask[0] = 7, 0
        path = tmp_path / f"drawn.{kind}"
        if kind == "npy":
            np.save(path, mask)
        elif kind == "mat":
            from scipy.io import savemat

            savemat(path, {"gt": mask})
        else:
            Image.fromarray(mask).save(path)
        tiles = opened(path).tiles
        assert len(tiles) == 4
        found = tiles.masks(0)[0, 0]
        assert set(np.unique(found)) == {-1, 5} and (found[0] == -1).all()

    def test_names_go_before_values(self, opened, tmp_path: Path) -> None:
        plane = np.full((16, 16), 1, np.uint8)
        plane[8:] = 2
        path = write_tif(tmp_path / "named.tif", plane, names={1: "Water", 2: "grass"})
        np.testing.assert_array_equal(opened(path).tiles.masks()[0, 0, [0, 15], 0], [7, 2])
        bare = write_tif(tmp_path / "bare.tif", plane)
        said = opened(bare, options={"class_names": {1: "grass", 2: "water"}}).tiles
        np.testing.assert_array_equal(said.masks()[0, 0, [0, 15], 0], [2, 7])

    def test_classes_that_the_model_does_not_know(self, opened, tmp_path: Path) -> None:
        plane = np.full((16, 16), 5, np.uint8)
        plane[3:5] = 9
        bare = write_tif(tmp_path / "bare.tif", plane)
        with pytest.raises(MaskError, match=r"bare\.tif.*value 9; it knows grass \(2\), bare soil \(5\), water \(7\)"):
            opened(bare)
        named = write_tif(tmp_path / "named.tif", plane, names={5: "bare soil", 9: "glacier"})
        with pytest.raises(MaskError, match=r"named\.tif.*glacier \(9\)"):
            opened(named)
        # said to mean no class it is none
        assert (opened(bare, options={"unlabelled": [9]}).tiles.masks()[0, 0, 3:5] == -1).all()

    def test_a_mask_that_labels_nothing(self, opened, tmp_path: Path) -> None:
        with pytest.raises(MaskError, match="unlabelled"):
            opened(write_tif(tmp_path / "empty.tif", np.zeros((16, 16), np.uint8)))

    def test_beside_an_image_one_has_to_say_what_is_known(self, opened, tmp_path: Path) -> None:
        image, mask = write_date(tmp_path, SCENE), write_mask(tmp_path, SCENE)
        with pytest.raises(ModelError, match="--known image"):
            opened(image, mask=[mask])
        given = opened(image, mask=[mask], known=["mask"])
        assert given.known == ["mask"] and (given.tiles.masks() >= 0).any()
        np.testing.assert_array_equal(given.tiles.masks(4)[0, 0], SCENE.dataset["mask"].values[0, 16:32, 16:32])

    def test_another_shape_than_the_image(self, opened, tmp_path: Path) -> None:
        image = write_date(tmp_path, SCENE)
        mask = write_tif(tmp_path / "m.tif", SCENE.dataset["mask"].values[0, :40].clip(0).astype(np.uint8))
        with pytest.raises(MaskError, match=r"m\.tif.*40 x 40 px, the image 48 x 40"):
            opened(image, mask=[mask], known=["mask"])

    def test_what_is_said_to_be_known_must_be_given(self, opened, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"the mask is said to be known.*--mask FILE"):
            opened(write_date(tmp_path, SCENE), known=["image", "mask"])
        with pytest.raises(ModelError, match="called 'clouds'"):
            opened(write_date(tmp_path, SCENE), known=["clouds"])


class TestAreas:
    def test_an_area_is_cut_like_the_scene(self, opened, tmp_path: Path) -> None:
        area = np.zeros((48, 40), np.uint8)
        area[:20] = 255
        path = tmp_path / "area.png"
        Image.fromarray(area).save(path)
        given = opened(write_date(tmp_path, SCENE), mask=[write_mask(tmp_path, SCENE)], area=path)
        assert given.known is None
        assert given.area.shape == (9, 16, 16)
        assert given.area[:3].all() and not given.area[6:].any() and given.area[3, :4].all()
        # without a mask the image alone is known there
        assert opened(write_date(tmp_path, SCENE), area=path).known == ["image"]

    def test_another_shape(self, opened, tmp_path: Path) -> None:
        shifted = write_tif(tmp_path / "shifted.tif", np.ones((48, 40), np.uint8))
        with rasterio.open(shifted, "r+") as file:
            file.transform = file.transform * Affine.translation(9, 0)
        with pytest.raises(SpecDMError, match=r"shifted\.tif.*lies on another grid"):
            opened(write_date(tmp_path, SCENE), area=shifted)
        path = write_tif(tmp_path / "area.tif", np.ones((10, 10), np.uint8))
        with pytest.raises(SpecDMError, match=r"area\.tif.*10 x 10 px"):
            opened(write_date(tmp_path, SCENE), area=path)


class TestTileSets:
    def test_classes_and_bands_are_matched(self, opened, tmp_path: Path) -> None:
        from specdm.scenes.classes import Classes
        from specdm.tiles.tileset import TileSet

        tiles = SCENE.tile(size=16, stride=16, split="none")
        renamed = Classes.create([1, 2, 3, 9], ["water", "grass", "bare soil", "never there"])
        masks = np.select([tiles.masks() == v for v in (7, 2, 5)], [1, 2, 3], -1).astype(np.int16)
        TileSet.from_arrays(
            images=tiles.images()[:, :, ::-1], masks=masks, classes=renamed, wavelength=tiles.wavelength[::-1],
            split="train", source="x",
        ).save(tmp_path / "t.zarr")  # fmt: skip
        given = opened(tmp_path / "t.zarr", known=["image", "mask"])
        np.testing.assert_array_equal(given.tiles.masks(), tiles.masks())
        np.testing.assert_array_equal(given.tiles.images(), tiles.images())
        only = opened(tmp_path / "t.zarr", known=["mask"])
        assert np.isnan(only.tiles.images()).all()

    def test_what_is_known_has_to_be_said(self, opened, tmp_path: Path) -> None:
        SCENE.tile(size=16, stride=16, split="none").save(tmp_path / "t.zarr")
        with pytest.raises(ModelError, match="--known image"):
            opened(tmp_path / "t.zarr")

    def test_tiles_of_another_size(self, opened, tmp_path: Path) -> None:
        SCENE.tile(size=8, stride=8, split="none").save(tmp_path / "t.zarr")
        with pytest.raises(ModelError, match="tiles of 8 px, expected 16"):
            opened(tmp_path / "t.zarr", known=["image"])

    def test_nothing_labelled(self, opened, tmp_path: Path) -> None:
        from specdm.tiles.tileset import TileSet

        tiles = SCENE.tile(size=16, stride=16, split="none")
        nothing = tiles.dataset["mask"].copy(data=np.full_like(tiles.masks(), -1))
        TileSet(tiles.dataset.assign(mask=nothing)).save(tmp_path / "t.zarr")
        with pytest.raises(MaskError, match="no pixel of them is labelled"):
            opened(tmp_path / "t.zarr", known=["mask"])


class TestDates:
    def test_both_dates(self, opened_change, tmp_path: Path) -> None:
        files = [write_date(tmp_path, CHANGE, date, name=f"{date}.tif") for date in (0, 1)]
        given = opened_change(*files)
        assert given.known == ["image"]
        np.testing.assert_array_equal(given.tiles.images(0)[0], CHANGE.dataset["image"].values[..., :16, :16])

    @pytest.mark.parametrize("date", [0, 1])
    def test_one_date(self, opened_change, tmp_path: Path, date: int) -> None:
        file = write_date(tmp_path, CHANGE, date)
        given = opened_change(file, known=[f"image {('2000', '2003')[date]}"])
        images = given.tiles.images(0)[0]
        np.testing.assert_array_equal(images[date], CHANGE.dataset["image"].values[date, :, :16, :16])
        assert np.isnan(images[1 - date]).all()

    def test_which_date_has_to_be_said(self, opened_change, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"1 image for a model of 2 dates.*--known 'image 2000'"):
            opened_change(write_date(tmp_path, CHANGE))

    def test_a_change_mask(self, opened_change, tmp_path: Path) -> None:
        file, mask = write_date(tmp_path, CHANGE), write_mask(tmp_path, CHANGE)
        given = opened_change(file, mask=[mask], known=["image 2000", "mask"])
        np.testing.assert_array_equal(given.tiles.masks(5)[0, 0], CHANGE.dataset["mask"].values[0, 16:32, 24:40])

    def test_a_change_mask_of_other_values(self, opened_change, tmp_path: Path) -> None:
        plane = (CHANGE.dataset["mask"].values[0] * 255).astype(np.uint8)
        Image.fromarray(plane).save(tmp_path / "change.png")
        masks = opened_change(tmp_path / "change.png").tiles.masks()
        assert set(np.unique(masks)) == {0, 1}

    def test_0_is_a_class_where_it_is_one_of_the_model(self, opened_change, tmp_path: Path) -> None:
        Image.fromarray(CHANGE.dataset["mask"].values[0].astype(np.uint8)).save(tmp_path / "change.png")
        tiles = opened_change(tmp_path / "change.png").tiles
        np.testing.assert_array_equal(tiles.masks(5)[0, 0], CHANGE.dataset["mask"].values[0, 16:32, 24:40])

    def test_both_dates_in_one_file(self, opened_change, tmp_path: Path) -> None:
        np.save(tmp_path / "both.npy", np.moveaxis(CHANGE.dataset["image"].values, 1, -1))
        images = opened_change(tmp_path / "both.npy", options={"wavelengths": CHANGE.wavelength}).tiles.images(0)
        np.testing.assert_array_equal(images[0], CHANGE.dataset["image"].values[..., :16, :16])
