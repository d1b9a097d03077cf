"""Room on a disk, taken before a file is mapped."""

from __future__ import annotations

import errno
import os
from pathlib import Path

PIECE = 2**20
"""Bytes of zeros written at a time."""
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def reserve(path: Path, start: int, length: int) -> None:
    """Make bytes of a new file take their room on the disk; they are zeros.

    A file that is only made long has no room: writing to its map on a full disk would end the process by a signal,
    without a word.

    Args:
        path: a file that has nothing from `start` on, or zeros.
        start, length: in bytes.

    Raises:
        OSError: there is no room.
    """
    with path.open("r+b") as file:
        if length and not _allocated(file.fileno(), start, length):
            file.seek(start)
            for at in range(0, length, PIECE):
                file.write(bytes(min(PIECE, length - at)))


def _allocated(descriptor: int, start: int, length: int) -> bool:
    """Whether this platform and this file system could reserve them."""
    if not hasattr(os, "posix_fallocate"):
        return False
    try:
        os.posix_fallocate(descriptor, start, length)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return False
        raise
    return True
