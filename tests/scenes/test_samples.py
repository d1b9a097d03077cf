"""The scene that comes with tensorly, against the published facts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from specdm.errors import FileFormatError
from specdm.scenes import samples
from specdm.scenes.classes import UNLABELLED

PUBLISHED_COUNTS = [46, 1428, 830, 237, 483, 730, 28, 478, 20, 972, 2455, 593, 205, 1265, 386, 93]


@pytest.fixture(scope="module")
def scene():
    return samples.indian_pines()


def test_size_classes_and_counts_are_the_published_ones(scene):
    assert (scene.n_bands, scene.height, scene.width, scene.n_dates) == (200, 145, 145, 1)
    assert scene.class_counts.tolist() == PUBLISHED_COUNTS
    assert scene.classes.names[10] == "soybean-mintill"
    assert len(set(scene.classes.colors)) == 16
    assert (scene.dataset["mask"].values == UNLABELLED).sum() == 145 * 145 - 10249
    assert scene.problems == []
    assert "doi:10.4231/R7RX991C" in scene.dataset.attrs["citation"]


def test_calibration_is_whole():
    channels, wavelength, fwhm = samples._calibration()
    assert len(channels) == len(wavelength) == len(fwhm) == 200
    assert not set(channels) & {104, 105, 106, 107, 108, *range(150, 164), 220}
    assert (wavelength[0], wavelength[-1]) == (400.02, 2489.11)
    # four spectrometers: the centres step back where the next begins (the third time among the water bands)
    assert [channels[i + 1] for i in np.flatnonzero(np.diff(wavelength) < 0)] == [32, 95]
    assert 8.8 < fwhm.min() < fwhm.max() < 14.7


def test_wavelengths_fit_the_absorption_of_the_air_in_the_image(scene):
    """Oxygen at 761 nm and carbon dioxide at 2006 and 2060 nm are dark; a shift by one band would show."""
    mean = scene.dataset["image"].values[0].mean(axis=(1, 2))
    for centre, half_width in ((761.0, 20.0), (2008.0, 25.0), (2060.0, 25.0)):
        near = np.flatnonzero(np.abs(scene.wavelength - centre) < half_width)
        depth = np.maximum(mean[near].max() - mean[near], 0)
        found = (scene.wavelength[near] * depth**4).sum() / (depth**4).sum()
        assert found == pytest.approx(centre, abs=6.0)


def test_tensorly_and_the_shared_copy_agree(scene, shared_data):
    labels = np.load(shared_data / "indian_pines" / "Indian_pines_gt.npy")
    mask = scene.dataset["mask"].values[0]
    assert (np.where(mask == UNLABELLED, 0, mask) == labels).all()
    split = scipy.io.loadmat(shared_data / "indian_pines" / "indianpines_disjoint_dset.mat")
    train = next(value for key, value in split.items() if not key.startswith("__"))
    assert train.shape == mask.shape


def test_other_files_than_expected_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "_tensorly_data", lambda: tmp_path)
    with pytest.raises(FileFormatError, match=r"Indian_pines_corrected\.npy cannot be read"):
        samples.indian_pines()
    np.save(tmp_path / "Indian_pines_corrected.npy", np.zeros((2, 2, 2)))
    with pytest.raises(FileFormatError, match=r"expected \(145, 145, 200\)"):
        samples.indian_pines()
    monkeypatch.undo()
    monkeypatch.setattr(samples.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileFormatError, match="pip install tensorly"):
        samples.indian_pines()
