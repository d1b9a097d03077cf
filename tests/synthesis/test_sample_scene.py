"""`SpecDMPipeline.sample_scene`: what is written, what is kept of a real scene, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
import xarray as xr
from rasterio.transform import Affine

import specdm
from specdm.errors import ConfigError, MaskError, ModelError, RunError, SceneError
from specdm.models.pixels import Pixels
from specdm.scenes.classes import Classes
from specdm.scenes.georeference import georeferenced
from specdm.scenes.scene import Scene
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.canvas.draws import CompositionLattice, white_noise
from specdm.synthesis.canvas.windows import Area
from specdm.synthesis.pipeline import SpecDMPipeline

SIZE = 16  # of the little model's tiles


@pytest.fixture
def real(little_scene: Scene) -> Scene:
    """20 x 18 px of the little scene in UTM, 10 m pixels."""
    part = little_scene.dataset.isel(y=slice(8, 28), x=slice(8, 26))
    image = georeferenced(part["image"], crs="EPSG:32632", transform=Affine(10, 0, 500000, 0, -10, 5400000))
    return Scene(part.assign(image=image).assign_coords(image.coords))


def contents(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    image, mask = scene.window(0, 0, scene.height, scene.width)
    assert mask is not None
    return image, mask


def test_the_scene_is_there_whole_and_reads_back(pipeline: SpecDMPipeline, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    scene = pipeline.sample_scene(
        path=tmp_path / "s.nc", height=37, width=50, seed=1, callback=lambda done, all_: told.append((done, all_))
    )
    image, mask = contents(scene)
    assert image.shape == (1, 12, 37, 50) and mask.shape == (1, 37, 50) and image.dtype == np.float32
    assert np.isfinite(image).all() and set(np.unique(mask)) <= {-1, 2, 5, 7} and (mask > 0).any()
    assert scene.classes == pipeline.classes and scene.units == "reflectance x 10000"
    assert scene.note is not None and "synthetic" in scene.note
    assert scene.dataset["image"].chunks is not None, "it is opened lazily"
    assert told[-1][0] == told[-1][1] and [done for done, _ in told] == sorted(done for done, _ in told)
    assert [path.name for path in tmp_path.iterdir()] == ["s.nc"]
    opened = specdm.open_scene(tmp_path / "s.nc", mask_variable="mask")
    assert isinstance(opened, Scene)
    np.testing.assert_allclose(opened.wavelength, pipeline.wavelength)
    np.testing.assert_allclose(opened.fwhm, 50.0)
    assert opened.band_name == scene.band_name
    assert set(opened.classes.names) <= {"grass", "bare soil", "water"}
    np.testing.assert_array_equal(contents(opened)[0], image)
    np.testing.assert_array_equal(contents(opened)[1], mask)


def test_geotiff_holds_the_same(pipeline: SpecDMPipeline, real: Scene, tmp_path: Path) -> None:
    options = {"known_scene": real, "margin": (4, 0, 0, 6), "seed": 2}
    one = pipeline.sample_scene(path=tmp_path / "s.nc", **options)
    other = pipeline.sample_scene(path=tmp_path / "s.tif", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.nc", "s.tif", "s_mask.tif"]
    with rasterio.open(tmp_path / "s_mask.tif") as file:
        assert file.dtypes == ("uint8",) and file.nodata == 0
        colours = {value: "#{:02x}{:02x}{:02x}".format(*file.colormap(1)[value]) for value in one.classes.values}
    assert colours == dict(zip(one.classes.values, one.classes.colors, strict=True))
    opened = specdm.open_scene(tmp_path / "s.tif", mask=tmp_path / "s_mask.tif")
    for found in (other, opened):
        for here, there in zip(contents(found), contents(one), strict=True):
            np.testing.assert_array_equal(here, there)
        np.testing.assert_allclose(found.wavelength, one.wavelength)
        np.testing.assert_allclose(found.fwhm, one.fwhm)
        assert found.band_name == one.band_name
        assert found.dataset["image"].rio.crs == one.dataset["image"].rio.crs
    assert other.classes == one.classes and set(opened.classes.names) <= set(one.classes.names)


def test_the_same_scene_whatever_the_batch_size_and_not_of_another_seed(pipeline, tmp_path: Path) -> None:
    def drawn(name: str, **options: int) -> tuple[np.ndarray, np.ndarray]:
        return contents(pipeline.sample_scene(path=tmp_path / name, height=40, width=33, **options))

    one, many, other = drawn("a.nc", batch_size=1), drawn("b.nc", batch_size=7), drawn("c.nc", seed=1)
    np.testing.assert_allclose(one[0], many[0], rtol=1e-3, atol=1.0)
    assert (one[1] != many[1]).mean() < 1e-3
    assert not np.allclose(one[0], other[0], rtol=1e-3, atol=1.0)


@pytest.mark.parametrize("coherence", [0.0, 20.0])
def test_a_scene_of_one_tile_is_the_tile(pipeline: SpecDMPipeline, tmp_path: Path, monkeypatch, coherence) -> None:
    """Drawn by the stages, levels and guidance of tiles, as coherent, and calibrated as they are."""
    monkeypatch.setattr(pipeline, "defaults", replace(pipeline.defaults, mask_coherence=coherence))
    scene = pipeline.sample_scene(path=tmp_path / "s.nc", height=SIZE, width=SIZE, seed=4, sensor_noise=False)
    channels, *wide = pipeline.white_shape
    cells = SIZE // pipeline.model.factor
    assert wide[0] > cells, "noise of a spectrum of its own"
    white = white_noise(4, Area(0, 0, *wide), channels)[None]
    rows = CompositionLattice(pipeline.prior, 4, cells).of(Area(0, 0, cells, cells))[None]
    latents = pipeline.drawing().latents(white, composition=rows)
    tile = decode_calibrated(pipeline.model, pipeline.calibration, latents)
    image, mask = contents(scene)
    np.testing.assert_allclose(image, tile.images[0].numpy(), rtol=1e-4, atol=0.1)
    np.testing.assert_array_equal(mask, pipeline.facts.masks_of(tile)[0])


def test_an_ordered_composition_moves_the_whole_scene(pipeline: SpecDMPipeline, tmp_path: Path) -> None:
    shares = []
    for i, name in enumerate(("water", "grass")):
        scene = pipeline.sample_scene(
            path=tmp_path / f"{i}.nc", height=40, width=40, composition={name: 1.0}, steps=2
        )
        mask = contents(scene)[1]
        shares.append((mask == 7).mean())
    assert shares[0] > shares[1] + 0.3


def test_all_ground_is_labelled_if_asked_for(pipeline: SpecDMPipeline, real: Scene, tmp_path: Path) -> None:
    options = {"known_scene": real, "margin": (0, 10, 0, 0), "steps": 2}
    image, mask = contents(pipeline.sample_scene(path=tmp_path / "a.nc", **options))
    assert (mask == -1).any()
    dense_image, dense = contents(pipeline.sample_scene(path=tmp_path / "b.nc", dense=True, **options))
    assert (dense != -1).all()
    np.testing.assert_array_equal(dense[mask != -1], mask[mask != -1])
    np.testing.assert_array_equal(dense_image, image)


def test_known_ground_comes_back_exactly_and_the_place_is_moved(pipeline, real: Scene, tmp_path: Path) -> None:
    margin = (7, 10, 0, 3)
    scene = pipeline.sample_scene(path=tmp_path / "s.nc", known_scene=real, margin=margin, seed=3)
    assert (scene.height, scene.width) == (27, 31)
    image, mask = contents(scene)
    inside = (slice(7, 27), slice(3, 21))
    np.testing.assert_array_equal(image[..., *inside], contents(real)[0])
    np.testing.assert_array_equal(mask[..., *inside], contents(real)[1])
    outside = np.ones((27, 31), bool)
    outside[inside] = False
    assert np.isfinite(image[..., outside]).all() and (mask[0][outside] > 0).any()
    transform = scene.dataset["image"].rio.transform()
    assert transform == Affine(10, 0, 500000 - 30, 0, -10, 5400000 + 70)
    opened = specdm.open_scene(tmp_path / "s.nc", mask_variable="mask").dataset
    assert opened["image"].rio.crs.to_epsg() == 32632
    assert opened["image"].rio.transform().almost_equals(transform)
    shared = opened["image"].sel(x=real.dataset["x"], y=real.dataset["y"])
    np.testing.assert_array_equal(shared.values, contents(real)[0])


def test_what_is_drawn_goes_on_from_what_is_known(pipeline, real: Scene, tmp_path: Path, monkeypatch) -> None:
    """The denoiser sees given cells at level 0, as they are encoded, beside those that it draws."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    forward = type(pipeline.model.denoiser).forward

    def watched(self, noisy, levels, composition=None):
        seen.append((noisy.clone(), levels.clone()))
        return forward(self, noisy, levels, composition)

    monkeypatch.setattr(type(pipeline.model.denoiser), "forward", watched)
    bare = Scene(real.dataset.isel(y=slice(0, 16), x=slice(0, 16)))
    pipeline.sample_scene(path=tmp_path / "s.nc", known_scene=bare, margin=(0, 16, 0, 0), guidance=0.0, batch_size=1)
    images = torch.from_numpy(contents(bare)[0])[None]
    positions = torch.from_numpy(pipeline.classes.index_of(contents(bare)[1]))[None]
    latents = pipeline.model.encode(Pixels(images, positions, torch.zeros(1, 0, 16, 16))).latents
    # the window in the middle: its left half is known ground, but for cells at the border, whose codec looks across
    noisy, levels = next(pair for pair in reversed(seen) if bool((pair[1][:, 0, :, :4] == 0).all()))
    assert (levels[:, 0, :, 4:] > 0).all()
    channels = pipeline.model.stream_channels[0]
    torch.testing.assert_close(noisy[:, :channels, :, :2], latents[:, :channels, :, 4:6], rtol=1e-3, atol=1e-3)


def test_holes_and_unknown_ground_are_filled(pipeline, real: Scene, tmp_path: Path) -> None:
    image = real.dataset["image"].copy(deep=True)
    image[..., 5:9, 4:12] = np.nan
    hole = Scene(real.dataset.assign(image=image))
    filled = contents(pipeline.sample_scene(path=tmp_path / "a.nc", known_scene=hole))[0]
    assert np.isfinite(filled).all()
    kept = np.isfinite(image.values)
    np.testing.assert_array_equal(filled[kept], image.values[kept])
    area = np.ones((20, 18), bool)
    area[:, 10:] = False
    drawn = contents(pipeline.sample_scene(path=tmp_path / "b.nc", known_scene=real, area=area))
    np.testing.assert_array_equal(drawn[0][..., :10], contents(real)[0][..., :10])
    assert (np.abs(drawn[0] - contents(real)[0])[..., 10:].max(axis=1) > 0).all()


def test_classes_are_matched_by_name(pipeline, real: Scene, tmp_path: Path) -> None:
    classes = Classes.create([1, 2, 3], ["water", "grass", "bare soil"])
    values = {2: 2, 5: 3, 7: 1, -1: -1}
    renamed = np.vectorize(values.get)(contents(real)[1]).astype(np.int16)
    dataset = real.dataset.assign(mask=(("layer", "y", "x"), renamed, classes.to_attrs()))
    scene = pipeline.sample_scene(path=tmp_path / "s.nc", known_scene=Scene(dataset), margin=(0, 4, 0, 0))
    np.testing.assert_array_equal(contents(scene)[1][..., :18], contents(real)[1])


def test_a_mask_is_drawn_for_a_scene_without_one(pipeline, real: Scene, tmp_path: Path) -> None:
    bare = Scene(real.dataset.drop_vars(["mask", "layer"]))
    image, mask = contents(pipeline.sample_scene(path=tmp_path / "s.nc", known_scene=bare))
    np.testing.assert_array_equal(image, contents(real)[0])
    assert (mask > 0).any()


def test_what_stops_leaves_nothing_and_what_was_there_stays(pipeline, tmp_path: Path) -> None:
    path = tmp_path / "s.nc"
    pipeline.sample_scene(path=path, height=SIZE, width=SIZE, steps=1)
    before = path.read_bytes()

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.sample_scene(path=path, height=20, width=20, overwrite=True, callback=stop)
    assert [file.name for file in tmp_path.iterdir()] == ["s.nc"] and path.read_bytes() == before
    with pytest.raises(RunError, match="exists already"):
        pipeline.sample_scene(path=path, height=20, width=20)
    assert pipeline.sample_scene(path=path, height=20, width=22, steps=1, overwrite=True).width == 22


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"height": SIZE - 1, "width": 40}, "smaller than the model's tiles"),
        ({"height": 40}, "height and width"),
        ({"height": 40, "width": 40, "overlap": 1.0}, "overlap"),
        ({"height": 40, "width": 40, "seed": -1}, "seed"),
        ({"height": 40, "width": 40, "steps": 0}, "steps"),
        ({"height": 40, "width": 40, "margin": (1, 1, 1, 1)}, "known_scene"),
        ({"height": 40, "width": 40, "composition": {"rock": 0.5}}, "rock"),
    ],
)
def test_options_out_of_range(pipeline, tmp_path: Path, options, words) -> None:
    with pytest.raises(ModelError, match=words):
        pipeline.sample_scene(path=tmp_path / "s.nc", **options)
    assert not list(tmp_path.iterdir())


def test_scenes_that_do_not_fit_are_refused(pipeline, real: Scene, tmp_path: Path) -> None:
    path, margin = tmp_path / "s.nc", (4, 4, 4, 4)
    with pytest.raises(ModelError, match="nothing to draw"):
        pipeline.sample_scene(path=path, known_scene=real)
    with pytest.raises(ModelError, match="not height and width"):
        pipeline.sample_scene(path=path, known_scene=real, height=40, width=40)
    with pytest.raises(ModelError, match="margin"):
        pipeline.sample_scene(path=path, known_scene=real, margin=(4, 4, -4, 4))
    with pytest.raises(SceneError, match="lacks"):
        pipeline.sample_scene(path=path, known_scene=Scene(real.dataset.isel(band=slice(0, 8))), margin=margin)
    classes = Classes.create([2, 5, 7], ["grass", "rock", "water"])
    with pytest.raises(MaskError, match="rock"):
        strange = real.dataset.assign(mask=(("layer", "y", "x"), contents(real)[1], classes.to_attrs()))
        pipeline.sample_scene(path=path, known_scene=Scene(strange), margin=margin)
    with pytest.raises(ModelError, match="area"):
        pipeline.sample_scene(path=path, known_scene=real, margin=margin, area=np.ones((3, 3), bool))
    with pytest.raises(ConfigError, match=r"\.nc"):
        pipeline.sample_scene(path=tmp_path / "s.png", height=40, width=40)
    assert not list(tmp_path.iterdir())


def test_a_plain_latent_diffusion_model_is_refused(pipeline, tmp_path: Path, monkeypatch) -> None:
    streams = tuple(replace(stream, kind="pair") for stream in pipeline.model.streams)
    monkeypatch.setattr(pipeline.model, "streams", streams)
    with pytest.raises(ModelError, match="ldm"):
        pipeline.sample_scene(path=tmp_path / "s.nc", height=40, width=40)
    assert not list(tmp_path.iterdir())


def test_xarray_opens_the_file_by_the_conventions(pipeline, real: Scene, tmp_path: Path) -> None:
    pipeline.sample_scene(path=tmp_path / "s.nc", known_scene=real, margin=(2, 2, 2, 2), steps=1)
    data = xr.open_dataset(tmp_path / "s.nc")
    assert data["image"].dims == ("date", "band", "y", "x") and "wavelength" in data["image"].coords
    assert data["mask"].dtype == np.int16 and data["mask"].attrs["flag_meanings"].split()[0] == "grass"
    assert data["image"].attrs["grid_mapping" if "grid_mapping" in data["image"].attrs else "units"]
    data.close()
