"""Another process that holds the lock of a folder, until it is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CODE = """
import sys, time
from pathlib import Path
from specdm.tiles.writer_lock import WriterLock

lock = WriterLock(Path(sys.argv[1]), what=sys.argv[2] or None)
lock.take()
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def held_by_another(folder: Path, *, what: str = "") -> Iterator[subprocess.Popen[str]]:
    """The lock of `folder` is held in the block, by a process that may be killed earlier."""
    command = [sys.executable, "-c", CODE, str(folder), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()
