"""Whether a JPEG 2000 file is whole: OpenJPEG opens a truncated one without complaint."""

from __future__ import annotations

import struct
from pathlib import Path

from specdm.errors import FileFormatError

_END_OF_CODESTREAM = b"\xff\xd9"


def check_jpeg2000(path: Path) -> None:
    """Refuse a file whose boxes (ISO/IEC 15444-1, Annex I) reach beyond its end, or whose codestream has no end.

    Raises:
        FileFormatError: it is truncated.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = struct.unpack(">Q", file.read(8))[0]
            end = size if length == 0 else at + length
            if end > size or (length and length < 8):
                break
            if kind == b"jp2c":
                file.seek(end - 2)
                if file.read(2) == _END_OF_CODESTREAM:
                    return
                break
            at = end
    raise FileFormatError(f"{path}: is truncated (JPEG 2000 without its end); copy or download it again")
