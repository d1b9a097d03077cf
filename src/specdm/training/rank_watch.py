"""Ends a process that would wait forever for another one that is gone.

Lightning watches the processes that it has started too, but ends all by SIGKILL and without a word, and a process
whose starter is gone is watched by nobody.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import NoReturn

FAILED = 2
LOOK_SECONDS = 0.5
ERROR_SECONDS = 5.0
"""For a started process's own error to be told, by itself or because this one has the same."""

AGAIN = "give the same command again: the run goes on from its last checkpoint"


class RankWatch:
    """Looks after the processes that this one has started, or after the one that has started it.

    Attributes:
        rank: of this process.
        size: processes in all.
        on: whether it is looking.
    """

    def __init__(
        self,
        *,
        rank: int,
        size: int,
        place: int,
        started: list[subprocess.Popen],
        starts: int = 0,
        starter: int | None = None,
    ):
        """
        Args:
            rank: of this process.
            size: processes in all.
            place: of this process among those of its machine.
            started: a list that will hold the further processes of this machine, in order.
            starts: how many these will be. The list is emptied then, so that whoever else watches them leaves them be.
            starter: process id of the rank that has started this one; none: it was not started by one.
        """
        self.rank, self.size, self.on = rank, size, False
        self._place, self._starting, self._starts = place, started, starts
        self._started: list[subprocess.Popen] = []
        self._starter = starter
        self._stop = threading.Event()

    @property
    def leads(self) -> bool:
        """Whether this process speaks for its machine."""
        return self._place == 0

    def start(self) -> None:
        """Look from now on."""
        if not self.on:
            self.on = True
            self._stop = threading.Event()
            threading.Thread(target=self._look, args=(self._stop,), daemon=True, name="specdm-rank-watch").start()

    def stop(self) -> None:
        """Look no more."""
        self.on = False
        self._stop.set()

    def end_started(self) -> None:
        """End the processes that this one has started."""
        self.stop()
        for process in self._all():
            process.kill()
        for process in self._all():
            process.wait()

    def _look(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            if self._starts and len(self._starting) == self._starts:
                self._started, self._starting[:] = list(self._starting), []
            for rank, process in enumerate(self._started, self.rank + 1):
                code = process.poll()
                if code is None or (code > 0 and stop.wait(ERROR_SECONDS)):
                    continue
                self._end(f"process {rank + 1} of {self.size} (rank {rank}) {_ending(code)}", says=True)
            if self._starter is not None and os.getppid() != self._starter:
                first = self.rank - self._place
                ended = f"process {first + 1} of {self.size} (rank {first}), which led the others, has ended"
                self._end(ended, says=self._place == 1)

    def _all(self) -> list[subprocess.Popen]:
        return [*self._started, *self._starting]

    def _end(self, what: str, *, says: bool) -> NoReturn:
        for process in self._all():
            process.kill()
        if says:
            # a progress bar in its place has hidden the cursor
            bar = "\n\x1b[?25h" if sys.stderr.isatty() else ""
            print(f"{bar}specdm: {what}; {AGAIN}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        # the main thread may be waiting in a collective that never returns
        os._exit(FAILED)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended early with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
