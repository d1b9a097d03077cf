"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specdm.errors import ModelError
from specdm.tiles.leftovers import partial_folder, take_place


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A sibling to write into; takes the folder's name when the block ends without an error.

    Raises:
        ModelError: the place is not writable.
    """
    folder = folder.resolve()
    partial = partial_folder(folder)
    try:
        partial.mkdir(parents=True)
        yield partial
        take_place(partial, folder)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
