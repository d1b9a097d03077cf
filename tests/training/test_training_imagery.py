"""Tiles of imagery that nobody labelled teach what images look like, and nothing about masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from specdm.models.mask_codec import MaskCodec
from specdm.models.pixels import Pixels
from specdm.models.streams import Stream
from specdm.tiles.tileset import TileSet
from specdm.training.codec_training import telling_tiles
from specdm.training.compositions import compositions, ground_composition
from specdm.training.tile_tensors import load_part, some_tiles, sparse_layers, training_pixels

LABELLED = Stream("labelled", "labelled", "labelled_codec")
MASK = Stream("mask", "classes", "mask_codec")


@pytest.fixture(scope="module")
def mixed_tiles(little_tiles: TileSet) -> TileSet:
    """20 tiles of a labelled scene, and 60 of imagery that nobody labelled and that is twice as bright."""
    own = little_tiles.dataset
    bare = own.assign(image=2 * own["image"], mask=xr.full_like(own["mask"], -1))
    bare = bare.assign_coords(source=("tile", np.full(len(little_tiles), "more")))
    dataset = xr.concat([own, bare, bare, bare], dim="tile", data_vars="minimal", coords="minimal", compat="override")
    dataset.attrs = {**own.attrs, "unlabelled_sources": '["more"]'}
    return TileSet(dataset)


def test_they_do_not_say_that_ground_is_unlabelled(mixed_tiles: TileSet) -> None:
    pixels = training_pixels(mixed_tiles, slice(None))
    annotated = torch.from_numpy(mixed_tiles.annotated)
    told = pixels.of(LABELLED)
    assert (told[~annotated] == -1).all() and set(told[annotated].unique().tolist()) == {0, 1}
    codec = MaskCodec(2, latent_channels=4, width=16)
    assert (codec.known_cells(told)[~annotated] == 0).all() and (codec.known_cells(told)[annotated] == 1).all()
    turned = pixels.apply(lambda values: torch.rot90(values, 1, dims=(-2, -1)))
    assert (turned.of(LABELLED)[~annotated] == -1).all()


def test_whole_masks_stay_whole_beside_them(mixed_tiles: TileSet) -> None:
    masks = np.where(mixed_tiles.annotated[:, None, None, None], np.int16(2), mixed_tiles.masks())
    whole = TileSet(mixed_tiles.dataset.assign(mask=mixed_tiles.dataset["mask"].copy(data=masks)))
    assert sparse_layers(whole) == [] and sparse_layers(mixed_tiles) == ["class"]


def test_codecs_of_masks_are_shown_labelled_tiles_only(mixed_tiles: TileSet) -> None:
    pixels = training_pixels(mixed_tiles, slice(None))
    labelled = np.flatnonzero(mixed_tiles.annotated).tolist()
    assert telling_tiles(MASK, pixels).tolist() == telling_tiles(LABELLED, pixels).tolist() == labelled
    image = Stream("image", "image", "image_codec")
    assert telling_tiles(image, pixels).tolist() == list(range(len(mixed_tiles)))


def test_half_of_what_fits_is_labelled(mixed_tiles: TileSet) -> None:
    each = 4 * mixed_tiles.n_bands * mixed_tiles.size**2
    part = load_part(mixed_tiles, seed=0, max_bytes=10 * each)
    assert len(part) == 10 and part.annotated is not None and part.annotated.sum() == 5


def test_where_not_all_fits_tiles_that_say_something_come_first(little_tiles: TileSet) -> None:
    masks = np.full_like(little_tiles.masks(), -1)
    masks[5] = 2
    few = TileSet(little_tiles.dataset.assign(mask=little_tiles.dataset["mask"].copy(data=masks)))
    for seed in range(5):
        chosen = some_tiles(few, most=3, seed=seed)
        assert 5 in chosen and len(set(chosen.tolist())) == 3 and (np.diff(chosen) > 0).all()
    assert some_tiles(few, most=len(few), seed=0).tolist() == list(range(len(few)))


def test_compositions_come_from_labelled_tiles(mixed_tiles: TileSet) -> None:
    found = compositions(training_pixels(mixed_tiles, slice(None)), classes=3, abundances=False)
    assert (found.isfinite().all(dim=1).numpy() == mixed_tiles.annotated).all()
    np.testing.assert_allclose(ground_composition(mixed_tiles), ground_composition(mixed_tiles.of_labelled_scenes()))


def test_labels_here_and_there_make_a_composition() -> None:
    """One pixel in twenty all over a tile tells what it is made of; the same number in a corner does not."""
    random = torch.Generator().manual_seed(0)
    scattered = torch.where(torch.rand(1, 1, 32, 32, generator=random) < 0.05, 1, -1)
    corner = torch.full((1, 1, 32, 32), -1)
    corner[..., :7, :7] = 1
    found = [
        compositions(Pixels(torch.zeros(1, 1, 1, 32, 32), p, torch.zeros(1, 0, 32, 32)), classes=2, abundances=False)
        for p in (scattered, corner)
    ]
    assert found[0].tolist() == [[0.0, 1.0]] and found[1].isnan().all()


@pytest.mark.parametrize("preset", ["tiny", "ldm"])
def test_a_model_is_trained_and_sampled(
    mixed_tiles: TileSet, little_settings: dict, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its spectra are corrected to the ground of the labelled scene, not to imagery that is twice as bright."""
    from specdm.synthesis import fit as module

    corrected_to: list[TileSet] = []
    real_fit = module.fit_calibration

    def noted(model, drawn, tiles: TileSet):
        corrected_to.append(tiles)
        return real_fit(model, drawn, tiles)

    monkeypatch.setattr(module, "fit_calibration", noted)
    settings = {key.replace(".", "__"): value for key, value in little_settings.items() if key != "tiles.size"}
    pipeline = module.fit(mixed_tiles, preset=preset, show_progress=False, **settings)
    tiles = pipeline.sample(8, seed=0)
    assert np.isfinite(tiles.images()).all() and tiles.classes == mixed_tiles.classes
    assert len(pipeline.prior.fractions) > 0
    assert [len(part) for part in corrected_to] == [int(mixed_tiles.annotated.sum())]
