"""The files of a product, whether they lie in a folder or in a zip or tar archive."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from specdm.errors import FileFormatError
from specdm.scenes.readers.lazy import one_line

_ARCHIVES = (".zip", ".tar")

DAMAGES = (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, tarfile.TarError)
"""What Python's readers of archives raise: a password and an unknown compression are RuntimeErrors."""

_TAR_BLOCK = 512


@dataclass(frozen=True)
class ProductFiles:
    """The files of one product.

    Attributes:
        path: the folder, archive or metadata file that the user named, for messages.
        place: the folder or archive that holds the files.
        names: of the files within `place`, with "/" between folders.
    """

    path: Path
    place: Path
    names: tuple[str, ...]

    def matching(self, pattern: str) -> list[str]:
        """Names whose last part matches a regular expression, any case of letters, sorted."""
        found = re.compile(pattern, re.IGNORECASE)
        return sorted(name for name in self.names if found.fullmatch(name.rsplit("/", 1)[-1]))

    def one(self, pattern: str, *, what: str) -> str:
        """The only name that matches.

        Raises:
            FileFormatError: none, or several.
        """
        found = self.matching(pattern)
        if len(found) != 1:
            have = "it is missing" if not found else f"there are {len(found)}: {', '.join(found[:3])}"
            raise FileFormatError(
                f"{self.path}: expected one file with {what} ({readable(pattern)}), but {have}; download the product "
                "again, whole and alone"
            )
        return found[0]

    def gdal(self, name: str) -> str:
        """What GDAL calls a file."""
        if self.place.is_dir():
            return str(self.place / name)
        if self.place.suffix.lower() == ".zip":
            return f"/vsizip/{self.place.resolve()}/{name}"
        # by its place: GDAL's own tar reader does not know the long names of the POSIX format
        start, size = _members(self.place)[name]
        return f"/vsisubfile/{start}_{size},{self.place.resolve()}"

    def size(self, name: str) -> int | None:
        """Bytes of a file in a folder; None in an archive, which is checked by `check`."""
        return (self.place / name).stat().st_size if self.place.is_dir() else None

    def check(self, name: str) -> None:
        """Compare a file in a zip archive with its checksum, which GDAL does not; once for each archive as it is.

        A tar archive has no checksums, and in a folder a format's own marks tell.

        Raises:
            FileFormatError: it is damaged.
        """
        if not self.place.is_dir() and self.place.suffix.lower() == ".zip":
            status = self.place.stat()
            _check_zipped(self.place, name, status.st_size, status.st_mtime_ns)

    def read(self, name: str) -> bytes:
        """A small file as it is.

        Raises:
            FileFormatError: it cannot be read.
        """
        try:
            if self.place.is_dir():
                return (self.place / name).read_bytes()
            if self.place.suffix.lower() == ".zip":
                with zipfile.ZipFile(self.place) as archive:
                    return archive.read(name)
            with tarfile.open(self.place, "r:") as archive:
                member = archive.extractfile(name)
                return b"" if member is None else member.read()
        except DAMAGES as error:
            raise FileFormatError(
                f"{self.path}: {name} cannot be read ({one_line(error)}); copy or download it again"
            ) from error


def product_files(path: Path, *, ids: Sequence[str], named: str | None) -> ProductFiles:
    """The files of the one product at a path.

    Args:
        path: folder, archive, or a file of the product in its folder.
        ids: what the products at `path` are called, from their metadata.
        named: the product meant if `path` is a file of it.

    Raises:
        FileFormatError: several products.
    """
    holder = path if path.is_dir() or is_archive(path) else path.parent
    if named is None and len(ids) > 1:
        raise FileFormatError(
            f"{path}: holds {len(ids)} products ({', '.join(ids[:3])}); name the metadata file of one, or give each a "
            "folder of its own"
        )
    chosen = named if named is not None else (ids[0] if ids else "")
    names = _folder_names(holder) if holder.is_dir() else archive_names(holder)
    own = [name for name in names if name.rsplit("/", 1)[-1].lower().startswith(chosen.lower())]
    return ProductFiles(path=path, place=holder, names=tuple(own))


def is_archive(path: Path) -> bool:
    """Whether a file is an archive in which GDAL reads without unpacking it, by its name."""
    return path.suffix.lower() in _ARCHIVES and path.is_file()


def archive_names(path: Path, *, most: int | None = None) -> list[str]:
    """Files in an archive.

    Args:
        path: zip or tar.
        most: folders and name together, at most so many; None: all.

    Raises:
        FileFormatError: damaged or truncated.
    """
    return [name for name in _members(path) if most is None or name.removeprefix("./").count("/") < most]


def _members(path: Path) -> dict[str, tuple[int, int]]:
    """Name -> where it begins and its bytes, as they lie in the archive; raises as `archive_names`."""
    status = path.stat()
    return _read_members(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _read_members(path: Path, size: int, changed: int) -> dict[str, tuple[int, int]]:
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                files = [info for info in archive.infolist() if not info.is_dir()]
            return {info.filename: (info.header_offset, info.compress_size) for info in files}
        with tarfile.open(path, "r:") as tar:
            members, end = tar.getmembers(), tar.offset
    except DAMAGES as error:
        raise FileFormatError(
            f"{path}: cannot be read as an archive, it is damaged or truncated ({one_line(error)}); copy or download "
            "it again, or leave it out"
        ) from error
    # Python takes whatever is no header for the end, whose mark is a block of zeros
    with path.open("rb") as file:
        file.seek(end)
        marked = file.read(_TAR_BLOCK) == bytes(_TAR_BLOCK)
    if not marked:
        raise FileFormatError(
            f"{path}: is damaged or truncated, after {len(members)} files there is neither another nor the mark of the "
            "end; copy or download it again, or leave it out"
        )
    return {member.name: (member.offset_data, member.size) for member in members if member.isfile()}


@lru_cache(maxsize=1024)
def _check_zipped(path: Path, name: str, size: int, changed: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            while member.read(1 << 20):
                pass
    except DAMAGES as error:
        raise FileFormatError(
            f"{path}: {name} is damaged ({one_line(error)}); copy or download the archive again"
        ) from error


def _folder_names(folder: Path) -> list[str]:
    return [item.relative_to(folder).as_posix() for item in sorted(folder.rglob("*")) if item.is_file()]


def readable(pattern: str) -> str:
    """A simple regular expression as people write names: "*-METADATA.XML"."""
    text = re.sub(r"\(\?:([^|)]*)[^)]*\)\??", r"\1", pattern)
    return text.replace(r"\.", ".").replace(".*", "*").replace(r"\w+", "*").replace(r"\d", "?")

