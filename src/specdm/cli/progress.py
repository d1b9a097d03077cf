"""A progress bar with the rate and the time that is left; lines of the same where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_SECONDS = 60.0
"""Between lines in a log file, such as that of a batch job."""


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; call what this yields with (done, total), at first with what was done before.

    The bar appears with the first call, so that a mistake found before the work starts is told in one line.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(what)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as Left
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(rate(task.finished_speed or task.speed or 0.0))

    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), Left(), console=console)
    task = bar.add_task(what, total=None)

    def advance(done: int, total: int) -> None:
        if not bar.live.is_started:
            bar.start()
            # what was there before says nothing about the rate
            bar.reset(task, completed=done, total=total)
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        # stopping a bar that never began would print an empty line
        if bar.live.is_started:
            bar.stop()


class Lines:
    """Progress as lines on stderr: one every `LINE_SECONDS` while the work lasts."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock = what, clock
        self._began: tuple[float, int] | None = None
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = self._clock()
        if self._began is None or done < self._began[1]:
            self._began, self._told = (now, done), now
            return
        if now - self._told < LINE_SECONDS:
            return
        self._told = now
        speed = (done - self._began[1]) / (now - self._began[0])
        left = f", {duration((total - done) / speed)} left" if speed > 0 else ""
        print(f"{self._what}: {done:,} of {total:,}, {rate(speed)}{left}", file=sys.stderr, flush=True)


def rate(speed: float) -> str:
    """ "4.1/s", or "2.5/min" where it is slow; empty if unknown."""
    if speed <= 0:
        return ""
    return f"{speed:.3g}/s" if speed >= 1 else f"{speed * 60:.3g}/min"


def duration(seconds: float) -> str:
    """ "2 d 3 h", "3 h 12 min", "12 min", "40 s"."""
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"
