"""Several scenes become one only if their bands and classes agree, and keep what all of them have."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.collection import SceneCollection
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene

WAVELENGTH = (500.0, 600.0, 700.0, 800.0)


def make(name="a", bands=(0, 1, 2, 3), *, shift=0.0, known=True, names=None, classes=None, left_out=None, **more):
    """A 4 x 3 px scene with these of four bands; the value of a pixel tells its band."""
    values = np.array(bands, np.float32)[None, :, None, None] * np.ones((1, 1, 4, 3), np.float32)
    mask = None
    if classes is not None:
        mask = xr.DataArray(
            np.resize(np.array(classes.values, np.int16), (1, 4, 3)),
            dims=("layer", "y", "x"),
            coords={"layer": ["class"]},
        )
    missing = [i for i in range(4) if i not in bands]
    return Scene.create(
        image=xr.DataArray(values, dims=("date", "band", "y", "x")),
        mask=mask,
        classes=classes,
        wavelength=[WAVELENGTH[i] + shift for i in bands] if known else None,
        band_name=names or [f"B{i}" for i in bands],
        name=name,
        left_out=[{"band": f"B{i}", "reason": "empty"} for i in missing] if left_out is None else left_out,
        **more,
    )


def shown_bands(scene: Scene) -> list[float]:
    return scene.window(0, 0, 1, 1)[0][0, :, 0, 0].tolist()


def test_bands_usable_in_all_are_kept_by_wavelength():
    names = ["p", "q", "r"]
    both = SceneCollection.create([make("a", (0, 1, 2)), make("b", (1, 2, 3), shift=0.3, names=names)], name="both")
    assert [shown_bands(scene) for scene in both] == [[1, 2], [1, 2]]
    assert both.wavelength.tolist() == [600, 700]
    assert both.band_name == ("B1", "B2")
    # one scene, one list of coordinates: they must be equal to the last digit
    assert all(scene.dataset["wavelength"].equals(both[0].dataset["wavelength"]) for scene in both)
    assert both[0].left_out[-1] == {"band": "B0", "reason": "not usable in every scene"}
    assert (len(both), both.n_bands, both.name) == (2, 2, "both")


def test_bands_are_matched_whatever_their_order():
    both = SceneCollection.create([make("a"), make("b", (3, 1, 0, 2))], name="both")
    assert [shown_bands(scene) for scene in both] == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_overlapping_spectrometers_stay_two_bands():
    wavelength = [686.53, 696.50, 686.91, 696.55]
    scenes = [
        Scene.create(image=scene.dataset["image"], wavelength=wavelength, name=scene.name)
        for scene in (make("a"), make("b"))
    ]
    both = SceneCollection.create(scenes, name="both")
    assert both.wavelength.tolist() == wavelength
    assert [shown_bands(scene) for scene in both] == [[0, 1, 2, 3]] * 2


def test_without_wavelengths_names_count_then_positions():
    by_name = SceneCollection.create(
        [make("a", (0, 1, 2), known=False), make("b", (1, 2, 3), known=False)], name="both"
    )
    assert [shown_bands(scene) for scene in by_name] == [[1, 2], [1, 2]]
    assert by_name.wavelength is None
    by_position = SceneCollection.create(
        [make("a", known=False), make("b", known=False, names=list("wxyz"))], name="both"
    )
    assert [shown_bands(scene) for scene in by_position] == [[0, 1, 2, 3]] * 2


def test_another_sensor_is_refused_and_the_wavelengths_that_differ_are_named():
    other = make("b", (0, 1, 2), left_out=[])
    other = Scene(other.dataset.assign_coords(wavelength=("band", [500.0, 650.0, 750.0])))
    with pytest.raises(SceneError) as caught:
        SceneCollection.create([make("a"), other], name="both")
    assert "only a has 600, 700, 800 nm, only b 650, 750 nm" in str(caught.value)


def test_different_numbers_of_nameless_bands_are_refused():
    two = make("b", (0, 1), known=False, names=["x", "y"], left_out=[])
    with pytest.raises(SceneError, match=r"2 bands.* and nothing tells which are the same"):
        SceneCollection.create([make("a", known=False), two], name="both")


def test_bands_of_one_wavelength_stay_apart():
    """As rounded centres of overlapping spectrometers are."""
    from specdm.scenes.imagery import imagery_like

    def twice(name, order):
        values = np.array(order, np.float32)[None, :, None, None] * np.ones((1, 1, 2, 2), np.float32)
        return Scene.create(
            image=xr.DataArray(values, dims=("date", "band", "y", "x")),
            wavelength=[(500.0, 600.0, 600.0, 700.0)[i] for i in order],
            name=name,
        )

    both = SceneCollection.create([twice("a", [0, 1, 2, 3]), twice("b", [3, 1, 2, 0])], name="both")
    assert [shown_bands(scene) for scene in both] == [[0, 1, 2, 3]] * 2
    assert shown_bands(imagery_like(twice("c", [1, 2, 0, 3]), both[0])) == [0, 1, 2, 3]
    with pytest.raises(SceneError, match=r"only a 600 \(number 2\) nm"):
        SceneCollection.create([twice("a", [0, 1, 2, 3]), twice("b", [0, 1, 3])], name="both")


def test_no_band_in_common():
    with pytest.raises(SceneError, match="no band is usable in all of 2 scenes"):
        SceneCollection.create([make("a", (0, 1)), make("b", (2, 3))], name="both")


def test_classes_are_the_union_by_value():
    first = Classes.create([1, 3], ["roof", "tree"], ["#111111", "#333333"])
    second = Classes.create([2, 3], ["lake", "tree"], ["#111111", "#999999"])
    both = SceneCollection.create([make("a", classes=first), make("b", classes=second)], name="both")
    assert both.classes.values == (1, 2, 3)
    assert both.classes.names == ("roof", "lake", "tree")
    assert both.classes.colors[0] == "#111111"
    assert both.classes.colors[2] == "#333333"
    assert len(set(both.classes.colors)) == 3
    assert both[0].classes == both[1].classes == both.classes
    assert both.class_counts.tolist() == [6, 6, 12]
    assert not [line for line in both.problems if "class" in line]
    assert make("a", classes=first).classes == first


def test_made_up_names_give_way_and_conflicts_are_named():
    named = Classes.create([1, 2], ["roof", "lake"])
    both = SceneCollection.create(
        [
            make("a", classes=Classes.create([1])),
            make("b", classes=named),
            make("c", classes=Classes.create([2])),
        ],
        name="both",
    )
    assert both.classes.names == ("roof", "lake")
    with pytest.raises(MaskError, match="mask value 1 is 'roof' in a but 'road' in b"):
        SceneCollection.create(
            [make("a", classes=named), make("b", classes=Classes.create([1], ["road"]))], name="both"
        )


def test_a_scene_without_mask_is_unlabelled_beside_others():
    both = SceneCollection.create([make("a", classes=Classes.create([1])), make("b")], name="both")
    mask = both[1].window(0, 0, 4, 3)[1]
    assert mask.dtype == np.int16
    assert (mask == UNLABELLED).all()
    assert "b: no labelled pixel" in both.problems
    assert SceneCollection.create([make("a"), make("b")], name="both").classes is None


def test_names_become_different_and_the_given_scenes_stay():
    scenes = [make("tile", (0, 1, 2)), make("tile")]
    both = SceneCollection.create(scenes, name="both")
    assert [scene.name for scene in both] == ["tile", "tile (2)"]
    assert [scene.name for scene in scenes] == ["tile", "tile"]
    assert scenes[1].n_bands == 4
    assert len(scenes[1].left_out) == 0


def test_units_and_dates_must_agree():
    with pytest.raises(SceneError, match="b has unit radiance, a has reflectance"):
        SceneCollection.create([make("a", units="reflectance"), make("b", units="radiance")], name="both")
    assert SceneCollection.create([make("a", units="reflectance"), make("b")], name="both").units == "reflectance"
    with pytest.raises(SceneError, match="expected at least one"):
        SceneCollection.create([], name="none")


def test_plot_shows_at_most_six_scenes(tmp_path):
    scenes = [make(f"s{i}", classes=Classes.create([1, 2])) for i in range(8)]
    figure = SceneCollection.create(scenes, name="many").plot(tmp_path / "many.png")
    assert sum(len(axes.images) for axes in figure.axes) == 12
    assert (tmp_path / "many.png").stat().st_size > 5000


def pair(name, *, dates=("before", "after"), layers=None, amounts=None, quantities=None, **more):
    """A 4 x 3 px scene of two dates and four bands, with a mask of these layers of classes 0 and 1."""
    image = np.arange(8, dtype=np.float32).reshape(2, 4, 1, 1) * np.ones((1, 1, 4, 3), np.float32)
    mask = None
    if layers:
        values = np.resize(np.array([0, 1, 1], np.int16), (len(layers), 4, 3))
        values[-1, 0] = 1
        mask = xr.DataArray(values, dims=("layer", "y", "x"), coords={"layer": list(layers)})
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x"), coords={"date": list(dates)}),
        mask=mask,
        amounts=None if amounts is None else xr.DataArray(amounts, dims=("quantity", "y", "x")),
        quantities=quantities,
        name=name,
        **{"wavelength": WAVELENGTH, **more},
    )


def test_cities_have_dates_of_their_own_and_share_their_number():
    cities = SceneCollection.create(
        [pair("a", layers=["change"]), pair("b", dates=("2016", "2018"), layers=["change"])], name="cities"
    )
    assert [scene.dates for scene in cities] == [("before", "after"), ("2016", "2018")]
    assert (cities.dates, cities.layers, cities.task) == (("date 1", "date 2"), ("change",), "change")
    with pytest.raises(SceneError, match="c has number of dates 1, a has 2"):
        SceneCollection.create([pair("a"), make("c")], name="cities")


def test_a_mask_a_date_and_a_scene_without_mask():
    both = SceneCollection.create(
        [pair("a", layers=("before", "after")), pair("b", dates=("2016", "2018"))], name="both"
    )
    assert (both.layers, both.task) == (("date 1", "date 2"), "semantic_change")
    assert both[1].layers == ("2016", "2018")
    assert both.problems == ["b: no labelled pixel"]
    same = [Scene(scene.dataset.assign(mask=scene.dataset["mask"] * 0)) for scene in both]
    for scene in same:
        scene.dataset["mask"].attrs = both.classes.to_attrs()
    assert any("nothing changes" in line for line in SceneCollection.create(same, name="same").problems)
    assert (both[1].window(0, 0, 4, 3)[1] == UNLABELLED).all()
    change = SceneCollection.create([pair("a", layers=["change"]), pair("b")], name="both")
    assert [scene.layers for scene in change] == [("change",)] * 2
    with pytest.raises(MaskError, match="the mask of b is one of change, that of a one mask a date"):
        SceneCollection.create([pair("a", layers=("before", "after")), pair("b", layers=["change"])], name="both")


HEIGHT = Quantities.create(["height"], units="m")


def test_quantities_agree_and_a_scene_without_amounts_gets_unknown_ones():
    known = pair("a", amounts=np.arange(12.0).reshape(1, 4, 3), quantities=HEIGHT)
    both = SceneCollection.create([known, pair("b")], name="both")
    assert (both.quantities, both.classes, both.task) == (HEIGHT, None, "regression")
    assert both[1].quantities == HEIGHT
    assert np.isnan(both[1].amount_window(0, 0, 4, 3)).all()
    assert (both[0].amount_window(0, 0, 4, 3) == np.arange(12.0).reshape(1, 4, 3)).all()
    assert both.problems == ["b: no pixel with a known amount"]
    assert "1 quantity" in repr(both)
    other = pair("c", amounts=np.ones((1, 4, 3)), quantities=Quantities.create(["height"], units="ft"))
    with pytest.raises(MaskError, match=r"c has free values height \(ft\), a free values height \(m\)"):
        SceneCollection.create([known, other], name="both")


def test_a_value_that_only_one_scene_lacks_is_no_problem():
    flat = pair("a", amounts=np.ones((1, 4, 3)), quantities=HEIGHT)
    other = pair("b", amounts=np.full((1, 4, 3), 2.0), quantities=HEIGHT)
    assert SceneCollection.create([flat, other], name="both").problems == []
    assert SceneCollection.create([flat, flat], name="both").problems == ["height is 1 wherever it is known"]


def test_two_sensors_are_matched_each_on_its_own():
    sensors = {"date_sensor": [0, 1], "wavelength": (500.0, 600.0, 500.0, 600.0)}
    mixed = pair("b", band_sensor=[1, 0, 1, 0], **{**sensors, "wavelength": (500.0, 600.0, 600.0, 500.0)})
    both = SceneCollection.create([pair("a", band_sensor=[0, 0, 1, 1], **sensors), mixed], name="both")
    # positions in b by sensor and wavelength: 0: 500 at 3, 600 at 1; 1: 500 at 0, 600 at 2
    got, _ = both[1].window(0, 0, 1, 1)
    assert got[0, :2, 0, 0].tolist() == [3, 1] and got[1, 2:, 0, 0].tolist() == [4, 6]
    assert both[1].band_sensor.tolist() == [0, 0, 1, 1]
    assert np.isnan(got[0, 2:]).all() and np.isnan(got[1, :2]).all()
    with pytest.raises(SceneError, match="the dates of c are of one sensor, those of a of sensors 0, 1"):
        SceneCollection.create([pair("a", band_sensor=[0, 0, 1, 1], **sensors), pair("c")], name="both")


def test_plot_shows_dates_masks_change_and_amounts_of_every_scene():
    scene = pair("a", layers=("before", "after"), amounts=np.arange(12.0).reshape(1, 4, 3), quantities=HEIGHT)
    figure = SceneCollection.create([scene, scene], name="two").plot()
    assert sum(len(axes.images) for axes in figure.axes) == 2 * (2 + 2 + 1 + 1)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles[:6] == ["a\nbefore", "after", "mask, before", "mask, after", "change, before to after", "height"]
