"""`describe_file` says what is in a file, cheaply and truthfully."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from specdm.errors import FileFormatError
from specdm.scenes import describe
from specdm.scenes.describe import describe_file


def test_image(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).random((10, 8, 5)).astype(np.float32)
    cube[..., 1:3] = 4
    cube[0, 0, 0] = np.inf
    cube[1, 1, 4] = np.nan
    np.savez(tmp_path / "a.npz", cube=cube, mask=cube[..., 0])
    found = describe_file(tmp_path / "a.npz")
    assert (found.shape, found.dtype, found.n_bands, found.variable) == ((10, 8, 5), "float32", 5, "cube")
    assert found.variables == {"mask": (10, 8)} and found.classes is None
    text = "; ".join(found.problems)
    assert "2 bands constant (4): 2-3" in text
    assert "1 infinite values" in text and "no wavelengths" in text and "pixels have no data" in text
    assert found.value_range is not None and found.value_range[1] == 4


def test_mask(tmp_path: Path) -> None:
    mask = np.array([[0, 1, 1], [3, 3, 3]], np.float32)
    np.save(tmp_path / "m.npy", mask)
    found = describe_file(tmp_path / "m.npy")
    assert found.classes == {0: ("", 1), 1: ("", 2), 3: ("", 3)} and found.problems == []
    np.save(tmp_path / "m.npy", mask + 0.5)
    assert describe_file(tmp_path / "m.npy").classes is None


def test_large_files_are_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((400, 300, 2)))
    whole = describe_file(tmp_path / "a.npy")
    monkeypatch.setattr(describe, "WHOLE_BYTES", 1000)
    sample = describe_file(tmp_path / "a.npy")
    assert sample.sampled and not whole.sampled
    assert sample.shape == whole.shape == (400, 300, 2)


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        describe_file(tmp_path / "none.tif")


def test_real_enmap(shared_data: Path) -> None:
    folder = shared_data / "enmap_potsdam"
    found = describe_file(next((folder / "images").glob("*.tif")))
    assert found.wavelength_range == (418.24, 2445.53)
    assert found.georeference == "EPSG:32633, pixels of 30 x 30 m"
    assert found.problems == ["6 bands marked bad by the file: 130-135"]
    labels = describe_file(folder / "enmap_landcover_unstyled.tif")
    assert labels.classes is not None
    assert {value: pixels for value, (_, pixels) in labels.classes.items() if value} == {
        1: 505, 2: 953, 3: 1694, 4: 2070, 5: 91, 6: 359,
    }  # fmt: skip
