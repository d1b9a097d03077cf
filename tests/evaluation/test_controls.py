"""Each control set has the fault it is named for, and no other."""

from __future__ import annotations

import made_mixtures
import made_pairs
import numpy as np
import pytest

from specdm.evaluation.controls import gaussian_spectra, shuffled_masks, training_copy

CONTROLS = (training_copy, shuffled_masks, gaussian_spectra)


@pytest.mark.parametrize("make", CONTROLS)
@pytest.mark.parametrize("kind", ["classes", "change", "a mask a date", "amounts"])
def test_every_task_has_every_control(real, make, kind):
    tiles = {
        "classes": lambda: real,
        "change": lambda: made_pairs.real_tiles(False),
        "a mask a date": lambda: made_pairs.real_tiles(True),
        "amounts": made_mixtures.real_tiles,
    }[kind]()
    found = make(tiles, n=40, seed=1)
    assert len(found) == 40
    assert set(found.split) == {"synthetic"}
    assert (found.dataset["window_y"].values == -1).all()
    assert np.isfinite(found.images()).all()
    assert found.layers == tiles.layers
    assert found.images().shape[1:] == tiles.images().shape[1:]
    np.testing.assert_array_equal(found.images(), make(tiles, n=40, seed=1).images())
    assert len(make(tiles, n=5, seed=1)) == 5


def test_a_copy_is_one(real):
    assert {image.tobytes() for image in training_copy(real, n=35).images()} == {
        image.tobytes() for image in real.train.images()
    }


def test_shuffled_masks_are_those_of_other_tiles(real):
    found = shuffled_masks(real, n=35)
    own = {image.tobytes(): mask for image, mask in zip(real.train.images(), real.train.masks(), strict=True)}
    theirs = [own[image.tobytes()] for image in found.images()]
    assert not any(np.array_equal(mask, other) for mask, other in zip(found.masks(), theirs, strict=True))
    assert sorted(mask.tobytes() for mask in found.masks()) == sorted(mask.tobytes() for mask in theirs)


def test_gaussian_spectra_keep_class_means_and_covariances_and_lose_texture(real):
    found, train = gaussian_spectra(real, n=35), real.train
    for value in (2, 5, 7):
        spectra = [np.moveaxis(tiles.images()[:, 0], 1, -1)[tiles.masks()[:, 0] == value] for tiles in (train, found)]
        np.testing.assert_allclose(spectra[1].mean(axis=0), spectra[0].mean(axis=0), rtol=0.02)
        np.testing.assert_allclose(spectra[1].std(axis=0), spectra[0].std(axis=0), rtol=0.25)
    drawn = found.images()[:, 0] - np.mean(found.images()[:, 0], axis=(2, 3), keepdims=True)
    assert drawn.std() > 0


def test_gaussian_spectra_are_joint_over_the_dates():
    real = made_pairs.real_tiles(False)
    found = gaussian_spectra(real, n=35)
    same = found.masks()[:, 0] == 1
    before, after = (np.moveaxis(found.images()[:, date], 1, -1)[same][:, 5] for date in (0, 1))
    assert np.corrcoef(before, after)[0, 1] > 0.8
