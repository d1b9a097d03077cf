"""Whether this machine has the devices that training asks for, and Lightning's start of a process for each."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from specdm.errors import ConfigError, TrainingError
from specdm.training.rank_watch import RankWatch

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments import ClusterEnvironment

    from specdm.training.config import TrainingConfig

STARTER = "SPECDM_STARTER"
"""Variable by which a process tells those it starts its process id; their parent may be gone before they look."""

TIMEOUT = timedelta(hours=1)
"""That a process waits for the others, such as while the first cuts the tiles of large scenes."""


def check_alone(training: TrainingConfig) -> None:
    """Raise ConfigError if the one device is not there, or `torchrun` has started several processes that each believe
    to be alone.
    """
    started = int(os.environ.get("WORLD_SIZE") or 1) if "TORCHELASTIC_RUN_ID" in os.environ else 1
    if started > 1:
        raise ConfigError(
            f"torchrun has started {started} processes, but training.devices is {training.devices} and training.nodes "
            f"{training.nodes}; add --devices and --nodes (their product is {started})"
        )
    if training.accelerator not in ("auto", "cpu"):
        check_devices(training)


def join(training: TrainingConfig) -> RankWatch:
    """Be connected with the other processes; Lightning starts those of this machine unless somebody has.

    A process that Lightning starts runs the same command again and comes here too.

    Returns:
        What watches over the processes, and is at it.

    Raises:
        ConfigError: more devices than there are, or processes started otherwise than the settings say.
        TrainingError: the processes cannot be connected.
    """
    import lightning as L
    import torch
    from lightning.fabric.plugins.environments import LightningEnvironment
    from lightning.fabric.strategies import DDPStrategy

    from specdm.training.stage_fitting import quiet_lightning

    size = training.devices * training.nodes
    if torch.distributed.is_initialized():
        there = torch.distributed.get_world_size()
        if there != size:
            raise ConfigError(f"{there} processes are connected here already, but {_asked(training)} are {size}")
        rank = torch.distributed.get_rank()
        place = rank % training.devices
        return RankWatch(rank=rank, size=size, place=place, started=[])
    check_devices(training)
    with quiet_lightning():
        try:
            fabric = L.Fabric(
                accelerator=training.accelerator,
                devices=training.devices,
                num_nodes=training.nodes,
                strategy=DDPStrategy(timeout=TIMEOUT),
                plugins=[*environment(size)],
            )
            strategy: Any = fabric.strategy
            found = strategy.cluster_environment
            found.validate_settings(num_devices=training.devices, num_nodes=training.nodes)
        except (ValueError, RuntimeError, TypeError) as error:  # Lightning's own are of all three kinds
            raise ConfigError(f"{_asked(training)}: {_first_sentence(error)}") from error
        by_lightning = isinstance(found, LightningEnvironment)
        if by_lightning:
            _check_nodes(training)
        place = found.local_rank()
        starts = training.devices - 1 if by_lightning and not found.creates_processes_externally else 0
        if starts:
            os.environ[STARTER] = str(os.getpid())
        watch = RankWatch(
            rank=found.node_rank() * training.devices + place,
            size=size,
            place=place,
            started=strategy.launcher.procs,
            starts=starts,
            starter=int(os.environ[STARTER]) if by_lightning and place > 0 and STARTER in os.environ else None,
        )
        watch.start()
        try:
            fabric.launch()
        except Exception as error:
            watch.end_started()
            raise TrainingError(
                f"{size} processes could not be connected: {_first_sentence(error)}; give the same command again"
            ) from error
    return watch


def environment(processes: int) -> list[ClusterEnvironment]:
    """What Lightning must be told of where it runs; nothing where it finds that out by itself.

    One process is one, whatever else a SLURM job may be for. With several, Lightning would resubmit a SLURM job by a
    checkpoint of its own, which the next stage would take for one of its own.
    """
    from lightning.fabric.plugins.environments import (
        LightningEnvironment,
        SLURMEnvironment,
        TorchElasticEnvironment,
    )

    if processes == 1:
        return [LightningEnvironment()]
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return []
    return [SLURMEnvironment(auto_requeue=False)]


def check_devices(training: TrainingConfig) -> None:
    """Raise ConfigError if this machine has fewer devices than training asks for, or none of that kind."""
    from lightning.fabric.accelerators import CUDAAccelerator, MPSAccelerator

    kinds: dict[str, Any] = {"cuda": CUDAAccelerator, "mps": MPSAccelerator}
    there = [name for name, kind in kinds.items() if kind.is_available()]
    wanted = training.accelerator
    if wanted == "cpu" or (wanted == "auto" and not there):
        # one process a core is the most that can help
        count, name = os.cpu_count() or 1, "CPU cores"
    elif wanted in ("auto", "gpu") and there:
        count, name = kinds[there[0]].auto_device_count(), "GPUs"
    elif wanted in there:
        count, name = kinds[wanted].auto_device_count(), "GPUs"
    elif wanted in ("gpu", *kinds):
        raise ConfigError(f"training.accelerator is {wanted!r}, but torch finds no such device here; use auto or cpu")
    else:
        return
    if training.devices > count:
        raise ConfigError(f"training.devices is {training.devices}, but this machine has {count} {name}; use fewer")


def _check_nodes(training: TrainingConfig) -> None:
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if name not in os.environ]
    if training.nodes > 1 and missing:
        raise ConfigError(
            f"training on {training.nodes} nodes needs {', '.join(missing)} in the environment of each node's process; "
            "start it with srun or torchrun, or set them (see docs/slurm/train_ddp.sh)"
        )


def _asked(training: TrainingConfig) -> str:
    return f"training.devices {training.devices} and training.nodes {training.nodes}"


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).split(". ")[0].rstrip(".")
