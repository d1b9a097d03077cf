"""A trained model's calibration, unlabelled ground, and the baseline preset."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from specdm.errors import ModelError
from specdm.models.part_files import save_part_files
from specdm.models.pixels import Pixels
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.calibration import decode_calibrated, fit_calibration, ground_groups, kinds_of_ground
from specdm.synthesis.draws import tile_draws
from specdm.synthesis.fit import train_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config
from specdm.training.tile_tensors import tile_streams


@pytest.fixture
def pipeline(little_run) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(little_run / "model")


def test_latents_that_are_off_are_brought_to_the_training_ground(pipeline, little_tiles) -> None:
    draws = tile_draws(range(32), seed=3, shape=pipeline.white_shape, prior=pipeline.prior, composition=None)
    latents = pipeline.latents_of(draws, drawing=pipeline.drawing(steps=4, guidance=0.8))
    images = slice(0, pipeline.model.stream_channels[0])
    latents[:, images] = 0.6 * latents[:, images] + 0.8
    calibration = fit_calibration(pipeline.model, latents, little_tiles)
    found = decode_calibrated(pipeline.model, calibration, latents)
    plain = pipeline.model.decode(latents)
    assert (found.positions == plain.positions).all()
    real, masks = little_tiles.images(), little_tiles.masks()
    mean, spread = (f(real, axis=(0, 1, 3, 4)) for f in (np.nanmean, np.nanstd))
    off, by_class = [], []
    for pixels in (found, plain):
        images = pixels.images.numpy()
        shift = np.abs(images.mean(axis=(0, 1, 3, 4)) - mean) / spread
        stretch = np.abs(images.std(axis=(0, 1, 3, 4)) / spread - 1)
        off.append(shift.mean() + stretch.mean())
        spectra = np.moveaxis(images[:, 0], 1, -1)
        wanted = np.moveaxis(real[:, 0], 1, -1)
        positions = pixels.positions[:, 0].numpy()
        classes = [
            np.abs(spectra[positions == i].mean(axis=0) - np.nanmean(wanted[masks[:, 0] == value], axis=0))
            for i, value in enumerate(little_tiles.classes.values)
        ]
        by_class.append(np.mean(classes / spread))
    assert off[0] < 0.5 * off[1]
    assert by_class[0] < 0.3 * by_class[1]
    alike = calibration.stretches[0][0].expand_as(calibration.stretches[0])
    assert (calibration.stretches[0] - alike).abs().max() > 0.05, "each kind has its own spread"
    left = calibration.matrix - torch.eye(len(calibration.matrix))
    assert left.abs().max() > 1e-3, "and all have one more in common"


def test_calibration_is_saved_with_the_model(pipeline, tmp_path) -> None:
    again = SpecDMPipeline.from_pretrained(pipeline.save_pretrained(tmp_path / "model"))
    np.testing.assert_array_equal(again.sample(2, seed=1).images(), pipeline.sample(2, seed=1).images())
    plain = again.sample(2, seed=1, calibrated=False)
    np.testing.assert_array_equal(plain.masks(), again.sample(2, seed=1).masks())
    assert np.abs(plain.images() - again.sample(2, seed=1).images()).max() > 0.1
    known = again.model_id
    again.calibration.matrix += 0.1
    assert again.model_id != known


def test_a_calibration_of_another_model_is_refused(pipeline, tmp_path) -> None:
    folder = pipeline.save_pretrained(tmp_path / "model")
    for other in (SpectralCalibration((2,), 4), SpectralCalibration(pipeline.model.component_counts, 3)):
        save_part_files(other, folder / "calibration")
        with pytest.raises(ModelError, match="calibration"):
            SpecDMPipeline.from_pretrained(folder)


def test_kinds_of_ground() -> None:
    positions = torch.tensor([[[[0, -1]], [[1, 2]]]])
    images = torch.zeros(1, 2, 3, 1, 2)
    amounts = torch.tensor([[[[0.2, float("nan")]], [[0.8, float("nan")]]]])
    none = torch.zeros(1, 0, 1, 2)
    dates = Pixels(images, positions, none)
    assert kinds_of_ground(dates, groups=4).tolist() == [[[[0, 3]], [[1, 2]]]]
    change = Pixels(images, positions[:, :1], none)
    assert kinds_of_ground(change, groups=4).tolist() == [[[[0, 3]], [[0, 3]]]]
    materials = Pixels(images, none.long(), amounts)
    assert kinds_of_ground(materials, groups=3).tolist() == [[[[1, 2]], [[1, 2]]]]
    assert kinds_of_ground(materials, groups=1).tolist() == [[[[0, 0]], [[0, 0]]]]


def test_sparse_masks_have_a_stream_for_their_gaps(little_tiles) -> None:
    assert [stream.kind for stream in tile_streams(little_tiles)] == ["image", "classes", "labelled"]
    dense = np.where(little_tiles.masks() < 0, 2, little_tiles.masks())
    whole = TileSet(little_tiles.dataset.assign(mask=little_tiles.dataset["mask"].copy(data=dense)))
    assert [stream.kind for stream in tile_streams(whole)] == ["image", "classes"]
    assert ground_groups(little_tiles) == 4


def test_dense_masks_fill_the_gaps_and_nothing_else(pipeline) -> None:
    sparse, dense = pipeline.sample(8, seed=5), pipeline.sample(8, seed=5, dense=True)
    there = sparse.masks() >= 0
    assert there.any() and not there.all()
    assert (dense.masks() >= 0).all()
    np.testing.assert_array_equal(dense.masks()[there], sparse.masks()[there])
    # the ground is the same, whether or not it is shown with a label
    np.testing.assert_array_equal(dense.images(), sparse.images())


def test_the_baseline_is_one_stream_with_as_many_latent_channels(little_tiles, little_settings, tmp_path) -> None:
    config = load_config(preset="ldm", overrides=little_settings | {"sampling.calibration_tiles": 0})
    baseline = train_run(tmp_path / "ldm", tiles=little_tiles, config=config, show_progress=False)
    assert [stream.kind for stream in baseline.model.streams] == ["pair"]
    apart = train_run(
        tmp_path / "tiny", tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False
    )
    assert sum(baseline.model.stream_channels) == sum(apart.model.stream_channels)
    again = SpecDMPipeline.from_pretrained(tmp_path / "ldm" / "model")
    tiles = again.sample(4, seed=1)
    assert np.isfinite(tiles.images()).all()
    assert set(np.unique(tiles.masks())) <= {-1, 2, 5, 7}
    np.testing.assert_array_equal(again.sample(1, seed=1, first=2).masks(), tiles.select([2]).masks())
    assert (again.sample(4, seed=1, dense=True).masks() > 0).all()
