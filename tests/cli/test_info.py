"""`specdm info`."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import scipy.io


def test_image_and_mask(specdm_command, files) -> None:
    outcome = specdm_command("info", files.image, files.mask)
    assert outcome.code == 0
    for fact in ("48 rows x 40 columns x 12 bands", "float32", "no wavelengths", "int16", "2: ", "7: "):
        assert fact in outcome.out


def test_names_that_look_like_markup_are_printed(specdm_command, files) -> None:
    path = files.folder / "[red]x.npy"
    path.write_bytes(files.image.read_bytes())
    # a long path takes more than one line
    assert "[red]x.npy" in specdm_command("info", path).out.replace("\n", "")


def test_damaged_files_are_told_after_the_others(specdm_command, files, tmp_path: Path) -> None:
    cut = tmp_path / "cut.npy"
    cut.write_bytes(files.image.read_bytes()[:1000])
    outcome = specdm_command("info", cut, tmp_path / "gone.tif", files.mask)
    assert outcome.code == 2
    assert "mask values" in outcome.out
    assert outcome.err.count("\n") == 1
    assert "cut.npy" in outcome.err and "gone.tif" in outcome.err


def test_a_mat_73_file_under_another_name_is_known_by_its_content(specdm_command, tmp_path: Path) -> None:
    path = tmp_path / "cube.tif"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["cube"] = np.arange(5 * 6 * 7, dtype=np.float32).reshape(5, 6, 7)
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" ")
    path.write_bytes(head + path.read_bytes()[512:])
    outcome = specdm_command("info", path)
    assert outcome.code == 0, outcome.err
    assert "7.3" in outcome.out or "HDF5" in outcome.out


def test_truncated_mat(refused, tmp_path: Path) -> None:
    path = tmp_path / "cube.mat"
    scipy.io.savemat(path, {"cube": np.ones((30, 30, 8))})
    path.write_bytes(path.read_bytes()[:3000])
    assert "cube.mat" in refused("info", path)


def test_a_plain_folder_and_one_with_a_data_set_missing_a_part(specdm_command, files) -> None:
    outcome = specdm_command("info", files.folder)
    assert outcome.code == 0, outcome.err
    assert "plain folder" in outcome.out and "2 .npy" in outcome.out
    for name in ("A", "B", "label"):
        (files.folder / name).mkdir()
    np.save(files.folder / "A" / "one.npy", np.load(files.image))
    np.save(files.folder / "label" / "one.npy", np.load(files.mask))
    outcome = specdm_command("info", files.folder, files.mask)
    assert outcome.code == 2 and "mask values" in outcome.out
    assert outcome.err.count("\n") == 1 and "B" in outcome.err


def test_dates_in_one_array(specdm_command, files) -> None:
    path = files.folder / "dates.npy"
    image = np.load(files.image)
    np.save(path, np.stack([image, image + 1e6, image]))
    outcome = specdm_command("info", path)
    assert outcome.code == 0, outcome.err
    assert "3; the first of them" in outcome.out and "48 rows x 40 columns x 12 bands" in outcome.out
    assert f"{image.max():g}" in outcome.out
