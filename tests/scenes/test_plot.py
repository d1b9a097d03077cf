"""Pictures show the right bands, the right colours, and gaps where bands are missing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from specdm.scenes.amount_plot import amount_limits, coloured_amount
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.plot import (
    CHANGE_COLORS,
    coloured_change,
    coloured_mask,
    composite_bands,
    false_colour,
    rgb,
    spectra_axis,
    stretch_of,
)
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene


@pytest.mark.parametrize(
    ("wavelength", "expected"),
    [
        ([443, 482, 561, 655, 865], (3, 2, 1)),  # natural colours
        ([865, 655, 561, 482], (1, 2, 3)),  # in any order
        ([555, 645, 858, 1640], (2, 1, 0)),  # no blue: infrared
        ([660, 840, 1640], (2, 1, 0)),  # no green either: short-wave infrared
        ([9000, 10000, 11000, 12000, 12500, 13000], (4, 2, 1)),  # nothing known: spread, longest is red
        ([500], (0, 0, 0)),
    ],
)
def test_composite_follows_what_the_sensor_sees(wavelength, expected):
    assert composite_bands(np.array(wavelength, float), len(wavelength)) == expected


def test_composite_without_wavelengths_spreads():
    assert composite_bands(None, 1) == (0, 0, 0)
    red, green, blue = composite_bands(None, 13)
    assert 12 >= red > green > blue >= 0


def test_false_colour_is_stretched_within_0_and_1_and_grey_where_there_is_no_data():
    image = np.random.default_rng(0).normal(5000, 800, (3, 40, 40)).astype(np.float32)
    image[1, 0, 0] = np.nan
    picture = false_colour(image, np.array([480.0, 560.0, 660.0]))
    assert picture.shape == (40, 40, 3)
    assert picture.dtype == np.float32
    assert picture.min() == 0.0
    assert picture.max() == 1.0
    assert (picture[0, 0] == 0.5).all()
    # red is the band at 660 nm, the third
    assert np.corrcoef(picture[1:, :, 0].ravel(), image[2, 1:].ravel())[0, 1] > 0.98


def test_one_stretch_makes_pictures_comparable():
    dark = np.random.default_rng(0).uniform(0, 1, (5, 3, 16, 16))
    stretch = stretch_of(dark)
    assert stretch.shape == (3, 2)
    assert stretch[:, 0] == pytest.approx(0.02, abs=0.02)
    assert stretch[:, 1] == pytest.approx(0.98, abs=0.02)
    bright = dark[0] + 0.5
    assert false_colour(bright, stretch=stretch).mean() > false_colour(dark[0], stretch=stretch).mean() + 0.3
    assert false_colour(bright).mean() == pytest.approx(false_colour(dark[0]).mean(), abs=1e-3)


def test_images_of_one_value_or_of_none_still_draw():
    assert np.isfinite(false_colour(np.full((4, 3, 3), 7.0))).all()
    assert (false_colour(np.full((1, 3, 3), np.nan)) == 0.5).all()


def test_mask_has_its_classes_colours_and_a_grey_of_its_own():
    classes = Classes.create([4, 9], None, ["#ff0000", "#0000ff"])
    picture = coloured_mask(np.array([[9, 4], [UNLABELLED, 9]], np.int16), classes)
    assert picture[0].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert len(set(picture[1, 0].tolist())) == 1
    assert 0.5 < picture[1, 0, 0] < 1


def lines_of(wavelength, n_bands):
    axes = Figure().subplots()
    spectra_axis(axes, wavelength, np.arange(n_bands, dtype=float), np.ones(n_bands), "#000000", "real")
    return axes, [line.get_xdata().tolist() for line in axes.lines]


def test_spectra_stay_open_where_bands_are_missing():
    wavelength = np.array([*np.arange(400, 600, 10), *np.arange(900, 1000, 10), 2000.0])
    shuffled = np.random.default_rng(0).permutation(wavelength)
    axes, lines = lines_of(shuffled, len(shuffled))
    assert [(line[0], line[-1]) for line in lines] == [(400, 590), (900, 990), (2000, 2000)]
    assert axes.lines[2].get_marker() == "o"
    assert axes.get_xlabel() == "wavelength (nm)"
    assert len(axes.collections) == 3
    assert len(axes.get_legend_handles_labels()[1]) == 1


def test_overlapping_spectrometers_are_lines_of_their_own():
    first, second = np.arange(400.0, 700.0, 10.0), np.arange(653.0, 900.0, 10.0)
    both = np.concatenate([first, second])
    for wavelength in (both, both[::-1]):
        _, lines = lines_of(wavelength, len(wavelength))
        assert sorted((line[0], line[-1]) for line in lines) == [(400, 690), (653, 893)]
        assert all(np.diff(line).min() == 10 for line in lines)


def test_few_bands_are_joined_and_unknown_wavelengths_are_numbered():
    assert len(lines_of(np.array([443.0, 560, 660, 865, 1610, 2190]), 6)[1]) == 1
    axes, lines = lines_of(None, 30)
    assert lines == [list(range(1, 31))]
    assert axes.get_xlabel() == "band"


def test_scene_plot_shows_image_mask_legend_and_class_means(little_scene, tmp_path):
    figure = little_scene.plot(tmp_path / "scene.png")
    assert (tmp_path / "scene.png").stat().st_size > 10000
    assert sum(len(axes.images) for axes in figure.axes) == 2
    legend = next(axes.get_legend() for axes in figure.axes if axes.get_legend())
    entries = [text.get_text() for text in legend.get_texts()]
    counts = dict(zip(little_scene.classes.names, little_scene.class_counts, strict=True))
    assert entries == [*(f"{name} ({count})" for name, count in counts.items()), "unlabelled"]
    spectra = figure.axes[-1]
    image, mask = little_scene.window(0, 0, 48, 40)
    means = [image[0][:, mask[0] == value].mean(axis=1) for value in little_scene.classes.values]
    assert len(spectra.lines) == 3
    for line, color, mean in zip(spectra.lines, little_scene.classes.colors, means, strict=True):
        assert line.get_color() == color
        assert line.get_ydata() == pytest.approx(mean, rel=0.02)


def test_a_lazy_scene_without_mask_or_wavelengths_plots(little_scene):
    image = little_scene.dataset["image"].drop_vars(["wavelength", "fwhm", "band_name"])
    image[0, :, :3, :3] = np.nan
    scene = Scene.create(image=image.chunk({"y": 7}), name="bare")
    figure = scene.plot()
    assert sum(len(axes.images) for axes in figure.axes) == 1
    assert len(figure.axes[-1].lines) == 1
    assert np.isfinite(figure.axes[-1].lines[0].get_ydata()).all()


def test_a_class_without_pixels_has_no_spectrum():
    mask = xr.DataArray(np.ones((1, 4, 4), np.int16), dims=("layer", "y", "x"))
    image = xr.DataArray(np.random.default_rng(0).random((1, 2, 4, 4)), dims=("date", "band", "y", "x"))
    scene = Scene.create(image=image, mask=mask, classes=Classes.create([1, 2]), name="one")
    assert len(scene.plot().axes[-1].lines) == 1


def test_change_has_colours_of_its_own():
    picture = coloured_change(np.array([[0, 1, -1]], np.int8))
    assert picture[0, 0].tolist() == pytest.approx(rgb(CHANGE_COLORS[0]))
    assert picture[0, 1].tolist() == pytest.approx(rgb(CHANGE_COLORS[1]))
    assert picture[0, 2].tolist() == pytest.approx(
        coloured_mask(np.array([[UNLABELLED]], np.int16), Classes.create([1]))[0, 0].tolist()
    )


def test_amounts_are_brighter_the_more_there_is_and_grey_where_unknown():
    values = np.linspace(10, 30, 99).reshape(1, 3, 33)
    values[0, 0, 0] = np.nan
    free = Quantities.create(["height"], units="m")
    limits = amount_limits(values, free)
    assert limits[0] == pytest.approx(np.nanpercentile(values, (2, 98)))
    picture = coloured_amount(values[0], limits[0])
    assert picture.shape == (3, 33, 3) and picture.dtype == np.float32
    assert (picture[0, 0] == 0.5).all()
    assert picture[2].mean() > picture[1].mean() > picture[0, 1:].mean()
    parts = np.concatenate([values, values]) / 100
    assert amount_limits(parts, Quantities.create(["a", "b"], sum_to_one=True)).tolist() == [[0, 1], [0, 1]]
    for flat in (np.full((1, 2, 2), 3.0), np.full((1, 2, 2), np.nan)):
        low, high = amount_limits(flat, free)[0]
        assert low < high and np.isfinite(coloured_amount(flat[0], np.array([low, high]))).all()


WAVELENGTH = np.array([480.0, 560.0, 660.0, 860.0])


def dated(n_dates: int = 2, *, layers=None, **more) -> Scene:
    """8 x 6 px; each date 10 brighter than the one before; classes 3 (left) and 7 (right), all 7 at the end."""
    random = np.random.default_rng(0)
    image = random.uniform(0, 40, (1, 4, 8, 6)) + 10 * np.arange(n_dates)[:, None, None, None]
    if layers:
        values = np.full((len(layers), 8, 6), 3, np.int16)
        values[:, :, 3:] = 7
        if len(layers) > 1:
            values[-1] = 7
        more["mask"] = xr.DataArray(values, dims=("layer", "y", "x"), coords={"layer": list(layers)})
        more["classes"] = Classes.create([3, 7], ["left", "right"])
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x")).assign_coords(
            date=[f"t{i}" for i in range(n_dates)]
        ),
        wavelength=WAVELENGTH,
        **{"name": "dated", **more},
    )


def pictures(figure) -> dict[str, np.ndarray]:
    """What is drawn, by the first line of its title."""
    return {
        axes.get_title().split("\n")[0]: np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images
    }


def test_change_scene_shows_both_dates_with_one_stretch_and_spectra_of_both():
    scene = dated(layers=["change"])
    figure = scene.plot()
    shown = pictures(figure)
    assert list(shown) == ["t0", "t1", "change"]
    # ten brighter of a range of fifty: one stretch keeps that, one each would not
    assert shown["t1"].mean() - shown["t0"].mean() == pytest.approx(0.2, abs=0.03)
    assert (shown["change"] == coloured_mask(scene.dataset["mask"].values[0], scene.classes)).all()
    lines = {(line.get_color(), line.get_linestyle()): line.get_ydata() for line in figure.axes[-1].lines}
    assert set(lines) == {(color, style) for color in scene.classes.colors for style in ("-", "--")}
    image, mask = scene.window(0, 0, 8, 6)
    for date, style in enumerate(("-", "--")):
        right = image[date][:, mask[0] == 7].mean(axis=1)
        assert lines[scene.classes.colors[1], style] == pytest.approx(right, rel=1e-5)
    assert [text.get_text() for text in figure.axes[-1].get_legend().get_texts()] == ["t0", "t1"]


def test_a_mask_a_date_stands_below_its_date_with_the_change_between_them():
    scene = dated(3, layers=["t0", "t1", "t2"])
    figure = scene.plot()
    shown = pictures(figure)
    assert list(shown) == ["t0", "t1", "t2", "mask, t0", "mask, t1", "mask, t2", "change, t0 to t2"]
    masks = scene.dataset["mask"].values
    assert (shown["mask, t2"] == coloured_mask(masks[2], scene.classes)).all()
    assert (shown["change, t0 to t2"] == coloured_change((masks[0] != masks[2]).astype(np.int8))).all()
    legend = next(axes.get_legend() for axes in figure.axes if axes.get_legend())
    assert [text.get_text() for text in legend.get_texts()] == [
        "left (48)", "right (96)", "unlabelled", "unchanged (24)", "changed (24)",
    ]  # fmt: skip
    # the last date has one class only, and each date's spectra come from its own mask
    assert [len(axes.lines) for axes in figure.axes[-3:]] == [2, 2, 1]
    figure.canvas.draw()
    places = {axes.get_title().split("\n")[0]: axes.get_position() for axes in figure.axes if axes.images}
    assert places["mask, t1"].x0 == pytest.approx(places["t1"].x0, abs=0.02)


def test_a_long_series_shows_six_dates_and_clouds_leave_the_others_visible():
    scene = dated(9)
    assert list(pictures(scene.plot())) == ["t0", "t2", "t3", "t5", "t6", "t8"]
    image = dated(4).dataset["image"].copy(deep=True)
    image[0] += 10000
    shown = pictures(Scene.create(image=image, wavelength=WAVELENGTH, name="cloudy").plot())
    assert shown["t0"].min() == 1.0
    assert np.std(shown["t2"]) > 0.2


def test_amounts_are_maps_with_colour_bars_and_spectra_of_what_a_pixel_mostly_is():
    parts = np.zeros((3, 8, 6))
    parts[0, :, :2] = parts[1, :, 2:] = 1
    parts[:2, 0] = 0.5
    amounts = xr.DataArray(parts, dims=("quantity", "y", "x"))
    abundances = Quantities.create(["tree", "soil", "water"], sum_to_one=True)
    scene = dated(1, amounts=amounts, quantities=abundances, note="semi-synthetic")
    figure = scene.plot()
    assert list(pictures(figure)) == ["bands at 660, 560, 480 nm", "tree", "soil", "water"]
    assert (pictures(figure)["tree"] == coloured_amount(parts[0], np.array([0.0, 1.0]))).all()
    bars = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert [axes.get_ylim() for axes in bars] == [(0, 1)] * 3
    assert "semi-synthetic" in figure.get_suptitle()
    spectra = next(axes for axes in figure.axes if axes.lines)
    image, _ = scene.window(0, 0, 8, 6)
    # no pixel is mostly water, and those of the first row are mostly nothing
    expected = [image[0][:, 1:, :2].mean(axis=(1, 2)), image[0][:, 1:, 2:].mean(axis=(1, 2))]
    assert [line.get_ydata() for line in spectra.lines] == [pytest.approx(mean, rel=1e-5) for mean in expected]


def test_free_amounts_have_their_unit_on_the_bar(tmp_path):
    amounts = xr.DataArray(np.arange(48.0).reshape(1, 8, 6), dims=("quantity", "y", "x"))
    scene = dated(1, layers=["class"], amounts=amounts, quantities=Quantities.create(["height"], units="m"))
    figure = scene.plot(tmp_path / "height.png")
    assert list(pictures(figure)) == ["bands at 660, 560, 480 nm", "mask", "height"]
    bar = next(axes for axes in figure.axes if axes.get_label() == "<colorbar>")
    assert bar.get_ylabel() == "m"
    assert bar.get_ylim() == pytest.approx(tuple(np.percentile(np.arange(48.0), (2, 98))))


def test_two_sensors_show_their_own_bands():
    scene = dated(2, layers=["change"], date_sensor=[0, 1], band_sensor=[0, 0, 0, 1])
    figure = scene.plot()
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles[:2] == ["t0\nbands at 660, 560, 480 nm", "t1\nbands at 860, 860, 860 nm"]
    assert not (pictures(figure)["t1"] == 0.5).all(axis=-1).any()
    first, second = figure.axes[-2:]
    assert {len(line.get_xdata()) for line in first.lines} == {3}
    assert {tuple(line.get_xdata()) for line in second.lines} == {(860.0,)}


def test_import_is_light():
    code = (
        "import sys, specdm.scenes; "
        "heavy = {'matplotlib', 'xarray', 'torch', 'rasterio'} & set(sys.modules); "
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, specdm.scenes.plot; sys.exit('pyplot' if 'matplotlib.pyplot' in sys.modules else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
