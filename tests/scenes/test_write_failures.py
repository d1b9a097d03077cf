"""What libraries raise when they cannot write becomes an OSError that names the file and says why."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from file_limits import files_of_at_most, names
from safetensors import SafetensorError
from safetensors.torch import save_file

from specdm.scenes.disk_room import reserve
from specdm.scenes.write_failures import not_written, os_errors, whole_file


def write_torch(path: Path) -> None:
    with path.open("wb") as file:
        torch.save({"a": torch.randn(10_000)}, file)


def write_safetensors(path: Path) -> None:
    save_file({"a": torch.randn(10_000)}, path)


def write_plainly(path: Path) -> None:
    path.write_bytes(bytes(50_000))


@pytest.mark.parametrize(
    ("write", "kind"), [(write_torch, RuntimeError), (write_safetensors, SafetensorError), (write_plainly, OSError)]
)
def test_a_file_is_whole_or_not_there_and_the_error_is_the_systems(tmp_path: Path, write, kind) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with files_of_at_most(20_000), pytest.raises(OSError) as failed, whole_file(path, kind) as partial:
        write(partial)
    assert failed.value.errno == errno.EFBIG
    assert failed.value.filename in (str(path), str(tmp_path / ".file.partial"))
    assert names(tmp_path) == ["file"] and path.read_bytes() == b"before"
    with whole_file(path, kind) as partial:
        write(partial)
    assert names(tmp_path) == ["file"] and path.stat().st_size > 40_000


@pytest.mark.parametrize(
    "error",
    [
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        shutil.Error([("a", "b", "[Errno 28] No space left on device")]),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_told_by_what_is_said(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(OSError) as failed, os_errors(tmp_path / "x.nc", SafetensorError):
        raise error
    assert (failed.value.errno, failed.value.filename) == (errno.ENOSPC, str(tmp_path / "x.nc"))
    line = not_written(Path("x.nc"), failed.value)
    assert line == "x.nc: cannot be written (No space left on device); make room, or choose another place"


def test_a_full_disk_is_told_by_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5 does not say why."""
    usage = namedtuple("usage", "total used free")
    for free, code in ((0, errno.ENOSPC), (10**9, errno.EIO)):
        monkeypatch.setattr(shutil, "disk_usage", lambda place, free=free: usage(10**9, 0, free))
        with pytest.raises(OSError) as failed, os_errors(tmp_path / "x.nc", RuntimeError):
            raise RuntimeError("NetCDF: HDF error")
        assert failed.value.errno == code
    assert failed.value.strerror == "NetCDF: HDF error"


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a defect"), os_errors(tmp_path / "x", RuntimeError):
        raise ValueError("a defect")


@pytest.mark.parametrize("platform", ["reserves", "has no such call", "does not support it"])
def test_reserved_bytes_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    if platform == "has no such call":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    elif platform == "does not support it":
        monkeypatch.setattr(os, "posix_fallocate", unsupported, raising=False)
    path, size = tmp_path / "file", 3 * 2**20 + 7
    path.write_bytes(b"head")
    reserve(path, 4, size)
    assert path.read_bytes() == b"head" + bytes(size)
    if hasattr(path.stat(), "st_blocks"):
        assert path.stat().st_blocks * 512 >= size
