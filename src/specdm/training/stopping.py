"""Ctrl-C and SIGTERM (what schedulers send at a job's time limit) end training the same way, at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L


class StopAtOnce(L.Callback):
    """Lets SIGTERM do what Ctrl-C does.

    Lightning's own way ends the process with exit code 0 as if training were done, and tells other processes of it by
    a collective from within the signal, which they do not expect.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Lightning has set its handlers by now, and restores what was there before in the end
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """A block in which Lightning trains; the interrupt that it makes an exit code of 1 is raised again.

    Raises:
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM.
    """
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
