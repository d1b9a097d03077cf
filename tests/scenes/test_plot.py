"""Pictures show the right bands, the right colours, and gaps where bands are missing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.plot import coloured_mask, composite_bands, false_colour, spectra_axis, stretch_of
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


def test_import_is_light():
    code = (
        "import sys, specdm.scenes; "
        "heavy = {'matplotlib', 'xarray', 'torch', 'rasterio'} & set(sys.modules); "
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, specdm.scenes.plot; sys.exit('pyplot' if 'matplotlib.pyplot' in sys.modules else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
