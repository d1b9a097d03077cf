"""Failures to write a file, whatever a library makes of them, as an OSError that names the file.

Files of Python raise OSError. HDF5, GDAL, torch and safetensors raise errors of their own, often without the cause: a
full disk would end in a traceback, as if it were a defect.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL_BYTES = 2**20
"""A disk with less than this free is full, if something could not be written and nobody says why."""

LOST = "not all of what was written is there, as where a disk or a quota is full"
"""Said where a library wrote without complaint, and the file is not whole."""


@contextmanager
def os_errors(path: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds raised in the block become OSErrors with `errno`, `strerror` and `filename`.

    Args:
        path: what is being written.
        kinds: what a library raises when it cannot write; an OSError that lacks any of the three is completed.
    """
    caught: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except caught as error:
        code, reason = _cause(path, error)
        name = error.filename if isinstance(error, OSError) else None
        raise OSError(code, reason, name or str(path)) from error


@contextmanager
def whole_file(path: Path, *kinds: type[Exception]) -> Iterator[Path]:
    """A name beside a file to write to. It becomes the file when the block ends well, and is gone if not.

    For one writer at a time: what a killed one left is written over.

    Args:
        path: the file.
        kinds: see `os_errors`.

    Raises:
        OSError: it cannot be written; what was at `path` is there as before.
    """
    partial = partial_name(path)
    try:
        with os_errors(path, *kinds):
            yield partial
            os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def partial_name(path: Path) -> Path:
    """What `whole_file` calls a file until it is whole."""
    return path.with_name(f".{path.name}.partial")


def not_written(path: Path, error: OSError, *, advice: str = "") -> str:
    """The line for a user: which file, why, and what to do.

    Args:
        path: the file.
        error: why.
        advice: what to do; default: another place, and room if the disk is full.
    """
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    advice = advice or ("make room, or choose another place" if full else "choose another place")
    return f"{path}: cannot be written ({error.strerror or error}); {advice}"


def _cause(path: Path, error: BaseException) -> tuple[int, str]:
    """Number and text of the operating system's error behind another."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno:
            return link.errno, link.strerror or str(link)
        # safetensors is written in Rust, which gives the number in its text
        if found := re.search(r"\(os error (\d+)\)", str(link)):
            return int(found[1]), os.strerror(int(found[1]))
        if os.strerror(errno.ENOSPC) in str(link):
            return errno.ENOSPC, os.strerror(errno.ENOSPC)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    with suppress(OSError):
        if shutil.disk_usage(path.parent).free < FULL_BYTES:
            return errno.ENOSPC, os.strerror(errno.ENOSPC)
    while error.__cause__ is not None:
        error = error.__cause__
    return errno.EIO, " ".join(str(error).split())
