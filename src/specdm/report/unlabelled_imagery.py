"""Imagery without labels that joins training: which files a user means, and what a run remembers of them."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from specdm.errors import RunError

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

Imagery: TypeAlias = "tuple[Path, ...]"
"""One file with all dates, one folder of a known layout, or one file a date."""


def find_imagery(texts: Sequence[str], *, images: Sequence[Path]) -> tuple[Imagery, ...]:
    """The scenes that are meant.

    Args:
        texts: each a file; a folder, of which every image file is a scene unless its layout is known; a pattern such
            as "more/*.hdr"; or files of one scene, one a date, with commas between them.
        images: files and folders of the labelled scenes. What a folder or pattern holds of them is passed over.

    Raises:
        RunError: there is no such file, nothing in it can be read, or it is one of the labelled scenes.
        SceneError: a folder of a known layout lacks something.
        FileFormatError: an archive in a folder, or of a pattern, is damaged or truncated.
    """
    if not texts:
        return ()
    from specdm.scenes.layouts import plan_folder
    from specdm.scenes.pairs import is_many, readable_files

    labelled = {_data_of(file) for image in images for file in _inside(image)}
    found: list[Imagery] = []
    for text in texts:
        path, parts = Path(text), tuple(Path(part.strip()) for part in text.split(",") if part.strip())
        if path.exists() and not is_many(path):
            if _data_of(path) in labelled:
                raise RunError(
                    f"{path}: is given as a labelled scene and with --unlabelled; leave it out there, for its test "
                    "ground would be trained on"
                )
            found.append((path,))
        elif path.exists() and plan_folder(path, {}) is not None:
            found.append((path,))
        elif path.exists() or glob.has_magic(text):
            there = readable_files(path.iterdir()) if path.exists() else _matching(text)
            more = [file for file in there if _data_of(file) not in labelled]
            if not more:
                what = "no file but the labelled scenes" if there else "no file that can be read as an image"
                raise RunError(f"--unlabelled {text}: holds {what}; give a file, a folder or a pattern of other images")
            found += [(file,) for file in more]
        elif len(parts) > 1 and all(part.exists() for part in parts):
            found.append(parts)
        else:
            missing = next((part for part in parts if not part.exists()), path) if len(parts) > 1 else path
            raise RunError(f"--unlabelled {text}: there is no file or folder {missing}; give an image without labels")
    return tuple(dict.fromkeys(found))


def opened_imagery(imagery: Imagery, *, options: Mapping[str, Any], like: Scene) -> list[Scene]:
    """The scenes of some files, opened as the labelled scene was.

    Args:
        imagery: one of `find_imagery`.
        options: of `open_scene`, as for the labelled scene.
        like: the labelled scene.

    Raises:
        RunError: several files for a scene of one date.
        SpecDMError: a file cannot be opened, or has not the dates of the labelled scene.
    """
    from specdm.scenes.imagery import open_imagery

    if len(imagery) > 1 and len(imagery) != like.n_dates:
        raise RunError(
            f"--unlabelled {','.join(map(str, imagery))}: {len(imagery)} files with commas between them are the dates "
            f"of one scene, but {like.name} has {like.n_dates}; give as many, or repeat --unlabelled for each scene"
        )
    return open_imagery(list(imagery) if len(imagery) > 1 else imagery[0], options=options, like=like)


def imagery_record(imagery: Sequence[Imagery]) -> list[str | list[str]]:
    """As plain values with absolute paths: a text a scene, a list of texts where there is a file a date."""
    texts = [[str(path.resolve()) for path in one] for one in imagery]
    return [one[0] if len(one) == 1 else one for one in texts]


def imagery_from_record(record: Any) -> tuple[Imagery, ...] | None:
    """What `imagery_record` gave; nothing for None, None if it is something else."""
    if not isinstance(record, (list, type(None))):
        return None
    listed = [one if isinstance(one, list) else [one] for one in record or ()]
    return tuple(tuple(Path(str(path)) for path in one) for one in listed)


def _matching(pattern: str) -> list[Path]:
    """Readable files that fit a pattern; an ENVI header and its data are one, called as they were matched."""
    from specdm.scenes.pairs import readable_files
    from specdm.scenes.readers.detect import envi_data_of

    matched = [Path(name) for name in glob.glob(pattern, recursive=True)]
    headers = {envi_data_of(path): path for path in matched if path.suffix.lower() == ".hdr"}
    return [headers.get(path, path) for path in readable_files(matched)]


def _inside(image: Path) -> list[Path]:
    from specdm.scenes.pairs import is_many

    return list(image.iterdir()) if is_many(image) else [image]


def _data_of(path: Path) -> Path:
    """The file with the data: a header's, else the file itself."""
    from specdm.scenes.readers.detect import envi_data_of

    return ((envi_data_of(path) if path.suffix.lower() == ".hdr" else None) or path).resolve()
