"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from specdm.errors import ModelError
from specdm.scenes.write_failures import not_written, os_errors
from specdm.tiles.leftovers import partial_folder, take_place


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A sibling to write into; takes the folder's name when the block ends without an error.

    Raises:
        ModelError: the place is full, or not writable.
    """
    folder = folder.resolve()
    partial = partial_folder(folder)
    try:
        with os_errors(folder, SafetensorError):
            partial.mkdir(parents=True)
            yield partial
            take_place(partial, folder)
    except OSError as error:
        raise ModelError(not_written(folder, error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
