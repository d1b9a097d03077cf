"""A scene holds what it was given, on one grid, and refuses what does not fit."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene

HEIGHT, WIDTH = 6, 5


def image(n_bands: int = 3, n_dates: int = 1, dtype: type = np.float32) -> xr.DataArray:
    values = np.arange(n_dates * n_bands * HEIGHT * WIDTH).reshape(n_dates, n_bands, HEIGHT, WIDTH)
    return xr.DataArray(values.astype(dtype), dims=("date", "band", "y", "x"))


def mask(dtype: type = np.int16) -> xr.DataArray:
    values = (np.arange(HEIGHT * WIDTH).reshape(1, HEIGHT, WIDTH) % 3).astype(dtype)
    return xr.DataArray(values, dims=("layer", "y", "x"), coords={"layer": ["class"]})


def parts() -> xr.DataArray:
    """Abundances of two materials that sum to one."""
    first = np.linspace(0, 1, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    return xr.DataArray(np.stack([first, 1 - first]), dims=("quantity", "y", "x"))


TWO = Quantities.create(["tree", "soil"], sum_to_one=True)
FREE = Quantities.create(["height", "chlorophyll"], units=["m", "ug/cm2"])


def create(**changes):
    given = {"image": image(), "name": "here", "sources": ["a.tif"]}
    return Scene.create(**{**given, **changes})


def test_everything_given_is_there():
    scene = create(
        image=image(3, 2).assign_coords(date=["2020-01-01", "2021-01-01"]),
        mask=mask(),
        classes=Classes.create([0, 1, 2], ["a", "b", "c"]),
        wavelength=[500, 600, 700],
        fwhm=[10, 10, 12],
        band_name=["B1", "B2", "B3"],
        left_out=[{"band": "B4", "reason": "empty"}, {"band": np.int64(5), "reason": "empty"}],
        units="reflectance",
        split_map=np.ones((HEIGHT, WIDTH), np.uint8),
    )
    assert (scene.name, scene.height, scene.width, scene.n_bands, scene.n_dates) == ("here", 6, 5, 3, 2)
    assert scene.wavelength.dtype == np.float64
    assert scene.wavelength.tolist() == [500, 600, 700]
    assert scene.fwhm.tolist() == [10, 10, 12]
    assert scene.band_name == ("B1", "B2", "B3")
    assert scene.units == "reflectance"
    assert scene.sources == ("a.tif",)
    assert scene.classes.names == ("a", "b", "c")
    assert scene.class_counts.tolist() == [10, 10, 10]
    assert scene.split_map.dtype == np.int8
    assert list(scene.dataset["date"].values) == ["2020-01-01", "2021-01-01"]
    assert scene.dataset["image"].dims == ("date", "band", "y", "x")
    assert scene.dataset["image"].dtype == np.float32
    assert scene.dataset["mask"].dtype == np.int16
    assert "_FillValue" not in scene.dataset["mask"].attrs
    assert scene.problems == ["2 bands left out, empty: B4, 5"]
    assert "500-700 nm" in repr(scene)


def test_what_is_unknown_is_absent_and_said():
    scene = create()
    assert scene.wavelength is None
    assert scene.fwhm is None
    assert scene.classes is None
    assert scene.split_map is None
    assert "wavelength" not in scene.dataset.coords
    assert scene.band_name == ("band 1", "band 2", "band 3")
    assert [line.split(";")[0] for line in scene.problems] == ["no wavelengths", "no mask"]


def test_classes_are_found_where_none_are_named():
    values = mask()
    values[0, 0] = UNLABELLED
    scene = create(mask=values)
    assert scene.classes.values == (0, 1, 2)
    assert scene.class_counts.sum() == (HEIGHT - 1) * WIDTH


def test_one_class_and_none_are_problems_but_no_errors():
    classes = Classes.create([1, 2], ["a", "b"])
    values = mask()
    values[:] = 1
    assert "only one class has labelled pixels" in create(mask=values, classes=classes).problems
    values[:] = UNLABELLED
    assert create(mask=values, classes=classes).problems[-1] == "no labelled pixel"
    with pytest.raises(MaskError, match="every pixel of the mask is unlabelled"):
        create(mask=values)


@pytest.mark.parametrize("n_bands", [1, 426])
def test_any_number_of_bands(n_bands):
    assert create(image=image(n_bands), wavelength=np.linspace(380, 2500, n_bands)).n_bands == n_bands


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_any_number_type_becomes_float32_and_the_callers_array_is_left_alone(dtype):
    given = image(dtype=dtype)
    before = given.copy(deep=True)
    scene = create(image=given)
    assert scene.dataset["image"].dtype == np.float32
    assert (scene.dataset["image"].values == before.values).all()
    assert given.identical(before)


@pytest.mark.parametrize("lazy", [False, True])
def test_infinite_values_become_nodata(lazy):
    values = image(dtype=np.float64)
    values[0, 0, 0, :3] = [np.inf, -np.inf, np.nan]
    values[0, 0, 0, 3] = 1e300  # infinite as float32
    before = values.copy(deep=True)
    scene = create(image=values.chunk({"band": 1}) if lazy else values)
    got, _ = scene.window(0, 0, HEIGHT, WIDTH)
    assert np.isnan(got[0, 0, 0, :4]).all()
    assert np.isfinite(got).sum() == got.size - 4
    assert values.identical(before)
    if not lazy:
        assert "3 infinite values taken as no data" in scene.problems


def test_an_image_without_a_valid_pixel_is_refused():
    with pytest.raises(SceneError, match="here: the image has no valid pixel"):
        create(image=image() * np.nan)


def test_window_reads_only_what_it_shows():
    blocks = []

    def read(block, block_info=None):
        blocks.append(block_info[0]["chunk-location"])
        return block

    lazy = dask.array.from_array(image().values, chunks=(1, 3, 2, WIDTH))
    lazy = lazy.map_blocks(read, dtype=lazy.dtype, meta=np.empty((0,) * 4, lazy.dtype))
    scene = create(image=xr.DataArray(lazy, dims=("date", "band", "y", "x")), mask=mask())
    assert not blocks
    got, labels = scene.window(2, 1, 2, 3)
    assert blocks == [(0, 0, 1, 0)]
    assert got.dtype == np.float32
    assert (got == image().values[:, :, 2:4, 1:4]).all()
    assert labels.dtype == np.int16
    assert (labels == mask().values[:, 2:4, 1:4]).all()
    got[:] = 0  # the caller's own copy
    assert scene.window(2, 1, 2, 3)[0].any()


@pytest.mark.parametrize("window", [(-1, 0, 2, 2), (0, 4, 2, 2), (5, 0, 2, 2), (0, 0, 0, 2)])
def test_windows_beyond_the_scene_are_refused(window):
    with pytest.raises(SceneError, match="does not lie within 6 x 5 px"):
        create().window(*window)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"image": image()[0]}, SceneError, "expected .*date"),
        ({"image": image().astype(complex)}, SceneError, "complex64|complex128"),
        ({"image": image()[:, :, :0]}, SceneError, "at least one y"),
        ({"image": image()[:, :0]}, SceneError, "at least one band"),
        ({"wavelength": [1, 2]}, SceneError, "2 values for 3 bands"),
        ({"wavelength": [500, np.nan, 700]}, SceneError, "wavelength of band 2 is nan"),
        ({"wavelength": [0.5, 0.6, 0.7]}, SceneError, "multiply them by 1000"),
        ({"wavelength": [5e5, 6e5, 7e5]}, SceneError, "cannot be those of light; expected nm up to 100000"),
        ({"wavelength": ["a", "b", "c"]}, SceneError, "no number"),
        ({"fwhm": [1, 1, -1]}, SceneError, "fwhm of band 3 is -1"),
        ({"band_name": ["a"]}, SceneError, "1 band names for 3 bands"),
        ({"mask": mask()[:, :4]}, MaskError, r"mask has 4 x 5 px, the image 6 x 5 px"),
        ({"mask": mask().rename(y="x", x="y")}, MaskError, "looks turned on its side"),
        ({"mask": mask(np.float32)}, MaskError, "holds float32 values; expected whole numbers"),
        ({"mask": mask(np.int32) + 70000}, MaskError, "run from 70000 to 70002"),
        ({"mask": mask(), "classes": Classes.create([0, 1])}, MaskError, r"mask values 2 have no class"),
        ({"classes": Classes.create([0, 1])}, MaskError, "no mask"),
        ({"amounts": parts()[:, :4]}, MaskError, "continuous mask has 4 x 5 px"),
        ({"amounts": parts().astype(str)}, MaskError, "expected real numbers"),
        ({"amounts": parts() * 0.9, "quantities": TWO}, MaskError, "abundances do not sum to one: in 30 pixels"),
        ({"amounts": parts() * 3 - 1, "quantities": TWO}, MaskError, "abundances are 0 or above"),
        ({"amounts": parts()[:1], "quantities": TWO}, MaskError, "1 layers for 2 quantities"),
        ({"quantities": TWO}, MaskError, "quantities are given but no amounts"),
        ({"image": image(3, 2).assign_coords(date=["a", "a"])}, SceneError, "more than one date is called a"),
        ({"image": image(3, 2), "date_sensor": [0, 1]}, SceneError, "date_sensor is given without band_sensor"),
        ({"image": image(3, 2), "date_sensor": [0], "band_sensor": [0, 0, 1]}, SceneError, "expected 2 whole"),
        (
            {"image": image(3, 2), "date_sensor": [0, 1], "band_sensor": [0, 0, 0]},
            SceneError,
            "dates are of sensors 0, 1, the bands of sensors 0",
        ),
        (
            {"mask": mask().assign_coords(layer=["change"])},
            MaskError,
            "1 layers .change.; expected one layer named class",
        ),
        ({"image": image(3, 2), "mask": mask().isel(layer=[0, 0])}, MaskError, "or one a date, in their order .0, 1."),
        ({"split_map": np.zeros((2, 2))}, MaskError, "train/test map has 2 x 2 px"),
        ({"split_map": np.full((HEIGHT, WIDTH), 3)}, MaskError, "holds 3; expected 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_scenes_name(changes, error, message):
    with pytest.raises(error, match=message) as caught:
        create(**changes)
    assert str(caught.value).startswith("here: ")
    assert "\n" not in str(caught.value)


def test_georeference_stays_and_other_coordinates_go():
    placed = image().assign_coords(
        x=np.arange(WIDTH) * 30.0, y=np.arange(HEIGHT) * -30.0, spatial_ref=0, band=[1, 2, 3], other=5
    )
    off = mask().assign_coords(x=np.arange(WIDTH) + 0.001, y=np.arange(HEIGHT))
    dataset = create(image=placed, mask=off).dataset
    assert {"x", "y", "spatial_ref"} <= set(dataset.coords)
    assert not {"other", "band"} & set(dataset.coords)
    assert dataset["x"].values.tolist() == [0, 30, 60, 90, 120]
    assert (dataset["mask"].values == mask().values).all()


def test_a_scene_survives_a_file(tmp_path, little_scene):
    little_scene.dataset.to_netcdf(tmp_path / "scene.nc")
    with xr.open_dataset(tmp_path / "scene.nc") as stored:
        back = Scene(stored.load())
    assert back.dataset["mask"].dtype == np.int16
    assert back.classes == little_scene.classes
    assert back.wavelength.tolist() == little_scene.wavelength.tolist()
    assert back.problems == little_scene.problems == []


@pytest.mark.parametrize("lazy", [False, True])
def test_amounts_are_float32_on_the_images_grid_and_unknown_where_not_finite(lazy):
    values = (parts() * 20).assign_coords(x=np.arange(WIDTH) + 0.5)
    values[0, 1, 2], values[1, 0, 0] = np.nan, np.inf
    before = values.copy(deep=True)
    scene = create(amounts=values.chunk({"y": 2}) if lazy else values, quantities=FREE)
    assert scene.quantities == FREE
    assert "mask" not in scene.dataset and "layer" not in scene.dataset.coords
    assert scene.dataset["amount"].dims == ("quantity", "y", "x")
    assert (scene.dataset["amount"].chunks is not None) == lazy
    assert list(scene.dataset["quantity"].values) == ["height", "chlorophyll"]
    got = scene.amount_window(0, 1, 3, 2)
    assert got.dtype == np.float32
    expected = before.values[:, 0:3, 1:3]
    assert np.isnan(got[0, 1, 1]) and np.isnan(got).sum() == 1
    assert got[~np.isnan(got)] == pytest.approx(expected[np.isfinite(expected)])
    got[:] = 0  # the caller's own copy
    assert np.nanmax(scene.amount_window(0, 1, 3, 2)) > 0
    assert values.identical(before)
    # the known values are 0 to 20, without the 0 of chlorophyll's last pixel and its first, which is infinite
    assert scene.amount_ranges == pytest.approx(np.array([[0, 20], [0, 20 * 28 / 29]]))
    assert scene.problems == ["no wavelengths; give them for false-colour pictures and spectra in nm"]
    assert (scene.task, scene.layers) == ("regression", ())
    with pytest.raises(SceneError, match="does not lie within"):
        scene.amount_window(0, 4, 2, 2)


def test_an_abundance_with_an_unknown_part_is_unknown_altogether():
    values = parts()
    values[0, 2, 3] = np.nan
    scene = create(amounts=values, quantities=TWO)
    got = scene.amount_window(0, 0, HEIGHT, WIDTH)
    assert np.isnan(got[:, 2, 3]).all() and np.isnan(got).sum() == 2
    assert got.sum(0)[~np.isnan(got[0])] == pytest.approx(1)


def test_quantities_are_named_where_no_one_names_them_and_a_plane_is_one_quantity():
    scene = create(amounts=parts())
    assert scene.quantities.names == ("quantity 1", "quantity 2") and not scene.quantities.sum_to_one
    assert create(amounts=parts().assign_coords(quantity=["a", "b"])).quantities.names == ("a", "b")
    assert create(amounts=parts()[0]).amount_window(0, 0, 2, 2).shape == (1, 2, 2)
    assert create().amount_window(0, 0, 2, 2) is None


def test_problems_of_amounts():
    values = parts() * np.nan
    assert create(amounts=values, quantities=TWO).problems[-1] == "no pixel with a known amount"
    values[0] = 7
    assert create(amounts=values, quantities=FREE).problems[1:] == [
        "no pixel with a known value of chlorophyll",
        "height is 7 wherever it is known",
    ]


def test_two_sensors_have_their_own_bands_and_nothing_in_the_others():
    given = image(5, 3, np.float64)
    before = given.copy(deep=True)
    for values in (given, given.chunk({"y": 2})):
        scene = create(image=values, date_sensor=[4, 9, 4], band_sensor=[9, 4, 9, 4, 4])
        assert [scene.bands_of(date).tolist() for date in range(3)] == [[1, 3, 4], [0, 2], [1, 3, 4]]
        got, _ = scene.window(0, 0, HEIGHT, WIDTH)
        assert got.dtype == np.float32
        for date in range(3):
            own = scene.bands_of(date)
            assert (got[date, own] == before.values[date, own]).all()
            assert np.isnan(np.delete(got[date], own, axis=0)).all()
        assert scene.date_sensor.tolist() == [4, 9, 4]
        assert scene.dataset["band_sensor"].dims == ("band",)
    assert given.identical(before)


def test_one_sensor_needs_no_word_about_it():
    scene = create(image=image(3, 2), date_sensor=[1, 1], band_sensor=[1, 1, 1])
    assert scene.date_sensor is None and scene.band_sensor is None
    assert not {"date_sensor", "band_sensor"} & set(scene.dataset.coords)
    assert scene.bands_of(1).tolist() == [0, 1, 2]


def two_masks() -> xr.DataArray:
    """A mask a date: 12 of 30 pixels turn from 0 to 1, five are unlabelled at one of the dates."""
    values = np.zeros((2, HEIGHT, WIDTH), np.int16)
    values[1, :3, :4] = 1
    values[0, 5, :2] = values[1, 4, :3] = UNLABELLED
    return xr.DataArray(values, dims=("layer", "y", "x"))


def test_a_mask_a_date_is_named_after_the_dates_and_says_how_much_changed():
    scene = create(image=image(3, 2).assign_coords(date=["2000", "2003"]), mask=two_masks(), wavelength=[500, 600, 700])
    assert (scene.dates, scene.layers, scene.task) == (("2000", "2003"), ("2000", "2003"), "semantic_change")
    assert scene.differing == (13, 12)
    assert scene.class_counts.tolist() == [43, 12]
    assert scene.problems == []
    assert scene.describe() == [
        "here: 6 x 5 px, 3 bands of 500-700 nm, task semantic_change",
        "dates: 2000, 2003",
        "classes of 2 dates: class 0 78.2%, class 1 21.8% of 55 labelled pixels",
        "change: 48.0% of 25 pixels labelled in the first and the last date differ",
    ]


def test_problems_of_a_mask_a_date():
    values = two_masks()
    values[1] = values[0]
    assert any("nothing changes" in line for line in create(image=image(3, 2), mask=values).problems)
    values[1] = UNLABELLED
    assert any("no change is known" in line for line in create(image=image(3, 2), mask=values).problems)


def test_one_mask_of_two_dates_is_a_class_or_a_change_mask():
    two = image(3, 2)
    assert create(image=two, mask=mask()).task == "segmentation"
    change = create(image=two, mask=mask().assign_coords(layer=["change"]))
    assert (change.task, change.layers, change.dates, change.differing) == ("change", ("change",), (0, 1), None)
    assert create(image=two, mask=mask()[0].drop_vars("layer")).layers == ("class",)


def test_dates_given_as_dates_become_their_text():
    days = np.array(["2000-03-17", "2003-02-06"], "datetime64[ns]")
    assert create(image=image(3, 2).assign_coords(date=days)).dates == ("2000-03-17", "2003-02-06")


def test_description_of_amounts_and_note():
    lines = create(amounts=parts() * 10, quantities=FREE, note="simulated").describe()
    assert lines == [
        "here: 6 x 5 px, 3 bands, task regression",
        "simulated",
        "height: 0 to 10 m",
        "chlorophyll: 0 to 10 ug/cm2",
    ]


def test_everything_survives_a_file(tmp_path):
    scene = create(
        image=image(3, 2).assign_coords(date=["a", "b"]),
        mask=two_masks(),
        amounts=parts()[:1] * 3,
        quantities=Quantities.create(["height"], units="m"),
        date_sensor=[0, 1],
        band_sensor=[0, 1, 1],
        note="simulated",
    )
    scene.dataset.to_netcdf(tmp_path / "scene.nc")
    with xr.open_dataset(tmp_path / "scene.nc") as stored:
        back = Scene(stored.load())
    assert (back.quantities, back.dates, back.layers, back.note) == (
        scene.quantities,
        ("a", "b"),
        ("a", "b"),
        "simulated",
    )
    assert back.bands_of(1).tolist() == [1, 2]
    assert (back.task, back.differing, back.describe()) == ("regression", scene.differing, scene.describe())
