"""What is run: an arm with a network, a share of the labels, a seed, and what the generator saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.arms import ARMS, arms_of
from specdm.evaluation.usefulness.downstream import Schedule

Sight = Literal["run", "seen", "unseen"]
SIGHTS: dict[str, str] = {
    "run": "what the run's own tiles show",
    "seen": "also the spectra of test ground, without labels",
    "unseen": "no spectrum of labelled test ground",
}
"""What a generator sees beside the labels, as `specdm usefulness --test-spectra` names it."""

RIVALS = ("svm", "forest")
"""Names of arms that train no network: single spectra and scikit-learn."""

SPECTRA = "spectra"
"""Stands for their network in records."""

DEFAULT_ARMS = (
    "real", "real+longer", "real+mixup", "real+copy-paste", "real+drawn", "real+sure", "dense", "dense+sure",
    "pretrained", "sure", *RIVALS,
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Jobs that share labels and generator.

    Attributes:
        share: of the labels, above 0 to 1.
        seed: of the choice of labels, the generator, the draws and the networks.
        sight: a key of `SIGHTS`.
    """

    share: float
    seed: int
    sight: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{100 * self.share:g}pc-seed{self.seed}-{self.sight}"


@dataclass(frozen=True)
class Job:
    """One network trained on one arm; or a rival of single spectra, whose network is `SPECTRA`."""

    arm: str
    network: str
    group: Group

    @property
    def name(self) -> str:
        """Of its record."""
        network = self.network.replace(":", ".").replace("/", "_")
        return f"{self.arm}-{network}-{self.group.name}"


@dataclass(frozen=True)
class Grid:
    """All that is asked for.

    Attributes:
        arms: keys of `ARMS`, and `RIVALS`.
        networks: names for `build_network`.
        shares: of the labels, above 0 to 1.
        seeds: at least 0.
        sights: keys of `SIGHTS`.
        tiles: synthetic tiles of each source.
        schedule: of the networks.
        judge: "test", or "val" to choose a policy without touching test ground.
    """

    arms: tuple[str, ...] = DEFAULT_ARMS
    networks: tuple[str, ...] = ("unet",)
    shares: tuple[float, ...] = (1.0, 0.1)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    sights: tuple[str, ...] = ("run",)
    tiles: int = 256
    schedule: Schedule = field(default_factory=Schedule)
    judge: Literal["test", "val"] = "test"

    def __post_init__(self) -> None:
        arms_of(tuple(arm for arm in self.arms if arm not in RIVALS))
        for name in ("arms", "networks", "shares", "seeds", "sights"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ConfigError(f"{name} is {_listed(values)}; expected at least one, each once")
        for share in self.shares:
            if not 0 < share <= 1:
                raise ConfigError(f"a share of the labels is {share:g}; expected above 0, to 1 for all of them")
        if min(self.seeds) < 0:
            raise ConfigError(f"a seed is {min(self.seeds)}; expected 0 or more")
        if unknown := [sight for sight in self.sights if sight not in SIGHTS]:
            raise ConfigError(f"test spectra are {unknown[0]!r}; expected some of {', '.join(SIGHTS)}")
        if self.tiles < 1:
            raise ConfigError(f"the number of synthetic tiles is {self.tiles}; expected at least 1")
        if self.schedule.steps < 1 or self.schedule.batch_size < 2:
            raise ConfigError(
                f"{self.schedule.steps} steps of {self.schedule.batch_size} tiles; expected at least 1 step of 2 tiles"
            )
        if not 0 < self.schedule.learning_rate < math.inf:
            raise ConfigError(f"the learning rate is {self.schedule.learning_rate:g}; expected above 0")
        if not 0 <= self.schedule.weight_decay < math.inf:
            raise ConfigError(f"the weight decay is {self.schedule.weight_decay:g}; expected 0 or more")
        if self.judge not in ("test", "val"):
            raise ConfigError(f"judge is {self.judge!r}; expected 'test' or 'val'")
        _check_different("shares", self.shares, [Group(share, 0, "run").name for share in self.shares])
        group = Group(1.0, 0, "run")
        _check_different("networks", self.networks, [Job("real", name, group).name for name in self.networks])

    def groups(self) -> list[Group]:
        """Most labels first: what a run has at hand needs no training."""
        return [
            Group(share, seed, sight)
            for share in sorted(self.shares, reverse=True)
            for seed in self.seeds
            for sight in self.sights
        ]

    def jobs_of(self, group: Group) -> list[Job]:
        """All arms with all networks, then the rivals."""
        trained = [Job(arm, network, group) for network in self.networks for arm in self.arms if arm in ARMS]
        return trained + [Job(arm, SPECTRA, group) for arm in self.arms if arm in RIVALS]

    def record(self) -> dict[str, Any]:
        """What makes records comparable, JSON-ready."""
        from dataclasses import asdict

        schedule = asdict(self.schedule)
        schedule.pop("accelerator")
        return {"tiles": self.tiles, "judge": self.judge, **schedule}


def _check_different(what: str, values: Sequence[object], names: Sequence[str]) -> None:
    """Raise ConfigError where one value's records would be taken for another's."""
    first: dict[str, object] = {}
    for value, name in zip(values, names, strict=True):
        other = first.setdefault(name, value)
        if other != value:
            raise ConfigError(f"{what} {other} and {value} would have the same records; ask for one of them")


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values)) or "empty"
