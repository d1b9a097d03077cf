"""One process at a time, or one group that trains together, writes the checkpoints and the model of a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specdm.errors import RunError
from specdm.tiles.writer_lock import Busy, WriterLock
from specdm.training.ranks import ALONE, Ranks

FOLDER = "log"
"""Where in the run folder the lock is: what lies there is no result."""


@contextmanager
def run_lock(run: Path, *, what: str, ranks: Ranks = ALONE) -> Iterator[None]:
    """Hold the lock of a run folder in a block; a block within the block holds it too.

    A folder that is not there is made, and taken away again if nothing has come into it.

    Args:
        run: run folder.
        what: the work, which others are told, such as "specdm train".
        ranks: processes that train together: all come here, the first takes the lock for them.

    Raises:
        RunError: another process is writing into the folder, or it cannot be written to; in all of `ranks`.
    """
    lock = WriterLock(run / FOLDER, what=what, nested=True)
    if (problem := ranks.told(_problem(lock, run) if ranks.first else None)) is not None:
        raise RunError(problem)
    try:
        yield
    finally:
        lock.release()


def _problem(lock: WriterLock, run: Path) -> str | None:
    """Take the lock; why not, or None."""
    try:
        lock.take()
    except Busy as busy:
        return (
            f"{run}: another process ({busy}) is writing into this run folder; wait until it has ended or stop it, or "
            "choose another folder"
        )
    except OSError as error:
        return f"{run} cannot be written to ({error.strerror or error}); choose another place"
    return None
