"""Which image belongs to which mask: single files, lists of pairs, and folders matched by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.readers.detect import envi_data_of, is_zarr
from specdm.scenes.readers.products.detect import is_companion, is_product

Source: TypeAlias = "str | Path | np.ndarray"
Sources: TypeAlias = "Source | Sequence[Any]"

_SUFFIXES = {
    ".mat", ".hdr", ".tif", ".tiff", ".nc", ".nc4", ".zarr", ".npy", ".npz", ".h5", ".hdf5", ".he5",
    ".png", ".bmp", ".gif", ".jp2", ".vrt", ".img", ".dat", ".bsq", ".bil", ".bip",
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """One image, its partner (mask or train/test map) or None, and what to call them."""

    image: Source
    partner: Source | None
    name: str


def is_many(image: Sources) -> bool:
    """Whether the user means several scenes: a folder that is no Zarr store and no sensor product, or a list."""
    if isinstance(image, (str, Path)):
        path = Path(image)
        return path.is_dir() and not is_zarr(path) and not is_product(path)
    return not isinstance(image, np.ndarray)


def match_pairs(images: Sources, partners: Sources | None, *, what: str = "mask") -> list[Pair]:
    """Images with their masks.

    Folders are matched by file name without ending; if no name is the same, by what remains after words that
    all files of a folder share ("img_007" and "label_007"). Lists are matched one to one; a list of
    two-element tuples holds the pairs themselves.

    Args:
        images: a file or array, a folder, a list of these, or a list of (image, mask) pairs.
        partners: the same for masks, or None.
        what: what the partners are, for messages.

    Raises:
        SceneError: an empty folder or list, a partner missing, or a folder given for one file.
        FileFormatError: an archive in a folder that is damaged or truncated.
    """
    if not is_many(images):
        if partners is not None and is_many(partners):
            raise SceneError(
                f"one image ({source_name(images)}) but several {what} files ({_shown(partners)}); give "
                f"one {what}"
            )
        return [Pair(images, partners, stem_of(images))]  # type: ignore[arg-type]
    if not isinstance(images, (str, Path)) and images and all(_is_pair(item) for item in images):
        if partners is not None:
            raise SceneError(f"the list holds (image, {what}) pairs already; leave {what}= out")
        return _named([(item[0], item[1]) for item in images])
    if isinstance(images, (str, Path)) and isinstance(partners, (str, Path)):
        return _match_folders(Path(images), Path(partners), what)
    left = _listed(images, "image")
    if partners is None:
        return _named([(image, None) for image in left])
    if not is_many(partners):
        raise SceneError(
            f"several images ({_shown(images)}) but one {what} ({_shown(partners)}); give one each"
        )
    right = _listed(partners, what)
    if len(left) != len(right):
        raise SceneError(
            f"{len(left)} images but {len(right)} {what} files; give one each, in the same order"
        )
    return _named(list(zip(left, right, strict=True)))


def source_name(source: Any) -> str:
    """What messages call a file or an array."""
    if isinstance(source, (str, Path)):
        return str(source)
    return f"array {' x '.join(map(str, np.shape(source)))}"


def _match_folders(images: Path, partners: Path, what: str) -> list[Pair]:
    if not partners.is_dir():
        raise SceneError(
            f"{images} is a folder but {partners} is not; give a folder of {what} files, one an image"
        )
    left, right = _by_stem(_files(images), images), _by_stem(_files(partners), partners)
    if not set(left) & set(right):
        left, right = _by_rest(left), _by_rest(right)
    for here, there, folder, kind in ((left, right, partners, what), (right, left, images, "image")):
        lonely = [key for key in here if key not in there]
        if lonely:
            names = ", ".join(here[key].name for key in lonely[:3])
            more = f" and {len(lonely) - 3} more" if len(lonely) > 3 else ""
            raise SceneError(f"no {kind} in {folder} for {names}{more}; partners need the same name")
    return [Pair(left[key], right[key], left[key].stem) for key in sorted(left, key=lambda k: left[k].name)]


def _files(folder: Path) -> list[Path]:
    """Readable files of a folder; an ENVI header and its data count as one."""
    kept = readable_files(folder.iterdir())
    if not kept:
        raise SceneError(f"{folder}: holds no file that can be read as image or mask")
    return kept


def readable_files(items: Iterable[Path]) -> list[Path]:
    """Those that can be read as image or mask, sorted; an ENVI header and its data, or a product, count as one.

    Raises:
        FileFormatError: an archive that is damaged or truncated, of which nobody can tell whether it is a product.
    """
    found = sorted(item for item in items if not item.name.startswith("."))
    plain = [item for item in found if item.suffix.lower() in _SUFFIXES and (item.is_file() or is_zarr(item))]
    files = [item for item in found if (item in plain and not is_companion(item)) or is_product(item)]
    headers = {item for item in files if item.suffix.lower() == ".hdr"}
    data = {header: envi_data_of(header) for header in headers}
    described = {item for item in data.values() if item is not None}
    kept = [item for item in files if item not in headers or data[item] is None]
    return sorted({*kept, *described})


def _by_stem(files: list[Path], folder: Path) -> dict[str, Path]:
    stems: dict[str, Path] = {}
    for file in files:
        if file.stem in stems:
            raise SceneError(
                f"{folder}: {stems[file.stem].name} and {file.name} have the same name; keep one, or give "
                f"a list"
            )
        stems[file.stem] = file
    return stems


def _by_rest(stems: dict[str, Path]) -> dict[str, Path]:
    """Keyed by the words of the name that are not the same in all files, at its start and its end."""
    words = {stem: re.split(r"[^0-9A-Za-z]+", stem) for stem in stems}
    shortest = min(len(parts) for parts in words.values())
    start = _common([parts[:shortest] for parts in words.values()])
    end = _common([parts[start:][::-1] for parts in words.values()])
    rest = {"_".join(parts[start : len(parts) - end]): stems[stem] for stem, parts in words.items()}
    return rest if len(rest) == len(stems) else stems


def _common(lists: list[list[str]]) -> int:
    """How many first words all lists share."""
    count = 0
    for same in zip(*lists, strict=False):
        if len(set(same)) > 1:
            break
        count += 1
    return count


def _listed(sources: Any, what: str) -> list[Source]:
    if isinstance(sources, (str, Path)):
        return list(_files(Path(sources)))
    items = list(sources)
    if not items:
        raise SceneError(f"the list of {what} files is empty; give at least one")
    return items


def _named(pairs: list[tuple[Source, Source | None]]) -> list[Pair]:
    """With names that tell the scenes apart."""
    stems = [stem_of(image) for image, _ in pairs]
    names = []
    for i, ((image, _), stem) in enumerate(zip(pairs, stems, strict=True)):
        if stems.count(stem) > 1:
            parent = Path(image).parent.name if isinstance(image, (str, Path)) else ""
            stem = f"{parent}_{stem}" if parent else stem
            stem = f"{stem}_{i + 1}" if stem in names else stem
        names.append(stem)
    return [Pair(image, partner, name) for (image, partner), name in zip(pairs, names, strict=True)]


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2


def stem_of(source: Any) -> str:
    """A file's name without its ending; "scene" for an array."""
    if not isinstance(source, (str, Path)):
        return "scene"
    path = Path(source)
    # metadata of Sentinel-2 are called alike in all products
    return path.resolve().parent.stem if path.name.upper().startswith("MTD_MSI") else path.stem


def _shown(sources: Any) -> str:
    return str(sources) if isinstance(sources, (str, Path)) else f"{len(sources)} given"
