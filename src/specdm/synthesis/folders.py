"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specdm.errors import ModelError


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A sibling to write into; takes the folder's name when the block ends without an error.

    Raises:
        ModelError: the place is not writable.
    """
    folder = folder.resolve()
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.old")
            os.replace(folder, old)
            try:
                os.replace(partial, folder)
            except OSError:
                os.replace(old, folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(partial, folder)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
