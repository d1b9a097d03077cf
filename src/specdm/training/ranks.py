"""The processes that train together: this one's place among them, what they tell each other, and how they end.

Lightning starts and connects them (or finds that `srun` or `torchrun` has); here is what lies between its stages:
the first process makes and writes what there is one of, the others wait and are given it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from specdm.errors import ConfigError, SpecDMError, TrainingError
from specdm.training.rank_watch import AGAIN, FAILED, RankWatch

if TYPE_CHECKING:
    from torch import nn

    from specdm.models.batch_share import BatchShare
    from specdm.training.config import TrainingConfig

T = TypeVar("T")

GRACE_SECONDS = 3.0
"""For another process to say what has happened, before this one does."""

DISK_SECONDS = 90.0
"""For a network disk to show what another machine has written."""

LOST = ("gloo", "nccl", "connection closed", "connection reset", "connection refused", "broken pipe", "timed out")
"""Words of the errors that collectives raise when a process is gone; torch has no class of its own for all of them."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; by default it is alone.

    Every method but `first` and `share` must be called by all of them, or none.

    Attributes:
        rank: of this process, 0 to `size - 1`.
        size: processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and prints."""
        return self.rank == 0

    @property
    def share(self) -> BatchShare:
        """The part of each batch that this process works on."""
        from specdm.models.batch_share import BatchShare

        return BatchShare(self.rank, self.size)

    def told(self, value: T) -> T:
        """What the first process has as `value`; the others wait for it."""
        if self.size == 1:
            return value
        import torch.distributed as dist

        box: list[Any] = [value if self.first else None]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def give(self, modules: Sequence[nn.Module]) -> None:
        """Give the modules of all processes the weights and buffers of the first.

        Told, not read from its files: a folder on a network disk shows what another machine has written late.
        """
        if self.size == 1:
            return
        states = self.told([{key: value.cpu() for key, value in module.state_dict().items()} for module in modules])
        for module, state in zip(modules, states, strict=True):
            module.load_state_dict(state)

    def wait(self) -> None:
        """Wait until all have come here."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


    def wait_for(self, path: Path) -> None:
        """Wait until all have come here, and until a network disk shows what the first process has written."""
        self.wait()
        end = time.monotonic() + DISK_SECONDS
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.5)


ALONE = Ranks()

_watch: RankWatch | None = None


@contextmanager
def together(training: TrainingConfig) -> Iterator[Ranks]:
    """Join the processes that the settings ask for, starting them if nobody has, and watch over them in the block.

    A block within a block joins the same processes. They stay joined after it, as Lightning leaves them: each goes on
    with the rest of its script, of which all run the same.

    When one of them is lost the others end, with one line that says so, within seconds; a run goes on from its last
    checkpoint. An error that is not about the processes is raised in each; the first is left to tell it.

    Raises:
        ConfigError: more devices than there are, or processes started otherwise than the settings say.
        TrainingError: the connection to another process is lost.
    """
    global _watch
    size = training.devices * training.nodes
    if _watch is not None and _watch.size != size:
        raise ConfigError(
            f"{_watch.size} processes train together in this script already, but training.devices {training.devices} "
            f"and training.nodes {training.nodes} make {size}; ask for the same everywhere, or use another script"
        )
    if size == 1:
        from specdm.training.devices import check_alone

        check_alone(training)
        yield ALONE
        return
    if _watch is not None and _watch.on:
        yield Ranks(_watch.rank, _watch.size)
        return
    if _watch is None:
        from specdm.training.devices import join

        _watch = join(training)
    watch, ranks = _watch, Ranks(_watch.rank, _watch.size)
    watch.start()
    try:
        yield ranks
        # before the others may leave, which is then no loss
        watch.stop()
        ranks.wait()
    except BaseException as error:
        _tell(error, ranks, watch)
        raise
    finally:
        watch.stop()


def _tell(error: BaseException, ranks: Ranks, watch: RankWatch) -> None:
    """Raise what this process has to say if that is not the error itself; its watch may end it before."""
    lost = isinstance(error, RuntimeError) and any(word in str(error).lower() for word in LOST)
    if lost:
        # whoever was started by, or has started, the one that is gone knows more than this: its watch speaks
        time.sleep(GRACE_SECONDS)
        watch.end_started()
        if watch.leads:
            raise TrainingError(f"the connection to another of {ranks.size} processes is lost; {AGAIN}") from error
        raise SystemExit(FAILED) from error
    if ranks.first:
        watch.end_started()
        return
    if isinstance(error, KeyboardInterrupt):
        raise SystemExit(FAILED) from error
    if isinstance(error, (SpecDMError, OSError)):
        # most such errors all processes have at the same time; the first tells it and ends the others
        time.sleep(GRACE_SECONDS)
