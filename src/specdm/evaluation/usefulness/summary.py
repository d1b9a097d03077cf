"""What the records of all jobs say together: means over seeds, and gains over the best arm without synthetic tiles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from specdm.errors import RunError
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.jobs import SPECTRA
from specdm.evaluation.usefulness.paired import SeedInterval, mean_interval, paired_interval

Record = dict[str, Any]

KEYS = ("network", "test_spectra", "share")
"""What arms are compared within; rivals of single spectra, whose network is `SPECTRA`, join every network."""


@dataclass(frozen=True)
class ArmSummary:
    """An arm with a network at a share of the labels.

    Attributes:
        arm, network, test_spectra, share: which.
        score: the main score over seeds.
        seeds: of the records, rising.
        others: further scores over seeds, by name.
        share_kept: of the labels, mean over seeds.
        gain: over the best arm that has the same but the synthetic tiles, seed by seed; None for those arms, and for
            synthetic tiles alone.
        rival: name of that arm.
    """

    arm: str
    network: str
    test_spectra: str
    share: float
    score: SeedInterval
    seeds: tuple[int, ...]
    others: dict[str, float]
    share_kept: float
    gain: SeedInterval | None = None
    rival: str | None = None


@dataclass(frozen=True)
class Summary:
    """All arms.

    Attributes:
        task: "segmentation", "change" or "regression".
        main: name of the main score.
        arms: in the order of networks, test spectra, shares (most first) and `ARMS`.
        settings: of the schedule; one of them, where records differ.
        mixed: whether they differ.
    """

    task: str
    main: str
    arms: tuple[ArmSummary, ...]
    settings: dict[str, Any]
    mixed: bool

    def of(self, *, network: str, test_spectra: str, share: float) -> list[ArmSummary]:
        """Arms to be compared, with the rivals of single spectra."""
        return [
            one
            for one in self.arms
            if one.network in (network, SPECTRA) and one.test_spectra == test_spectra and one.share == share
        ]


def read_records(folder: Path, *, judge: str = "test") -> list[Record]:
    """All records of a folder, by name.

    Args:
        folder: where jobs write them.
        judge: the ground they are of, "test" or "val".

    Raises:
        RunError: one is damaged.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith("val-") != (judge == "val"):
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            record["scores"]["main"], record["arm"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} is damaged ({error}); remove it and run specdm usefulness again") from error
        found.append({**record, "path": str(path)})
    return found


def summary(records: Sequence[Record]) -> Summary:
    """What records say.

    Raises:
        RunError: there is none, or they are of several tasks.
    """
    if not records:
        raise RunError("there is no record of usefulness yet; run: specdm usefulness RUN")
    tasks = {record["scores"]["task"] for record in records}
    if len(tasks) > 1:
        raise RunError(f"records of several tasks ({', '.join(sorted(tasks))}); keep those of one run in a folder")
    from specdm.evaluation.usefulness.judging import MAIN_SCORES

    task = tasks.pop()
    settings = [record["settings"] for record in records]
    return Summary(
        task=task,
        main=MAIN_SCORES[task],
        arms=tuple(_with_gains(_summed(records))),
        settings=settings[0],
        mixed=any(one != settings[0] for one in settings),
    )


def _summed(records: Iterable[Record]) -> list[tuple[ArmSummary, dict[int, float]]]:
    """Every arm with its scores by seed."""
    groups: dict[tuple[Any, ...], dict[int, Record]] = {}
    for record in records:
        key = (record["network"], record["test_spectra"], record["share"], record["arm"])
        groups.setdefault(key, {})[record["seed"]] = record
    order = {name: place for place, name in enumerate(ARMS)}
    found = []
    for key in sorted(groups, key=lambda k: (k[0] == SPECTRA, k[0], k[1], -k[2], order.get(k[3], len(order)), k[3])):
        own = groups[key]
        scores = {seed: float(own[seed]["scores"]["main"]) for seed in sorted(own) if _known(own[seed])}
        if not scores:
            continue
        network, test_spectra, share, arm = key
        one = ArmSummary(
            arm=arm,
            network=network,
            test_spectra=test_spectra,
            share=share,
            score=mean_interval(list(scores.values())),
            seeds=tuple(scores),
            others=_others([own[seed]["scores"] for seed in scores]),
            share_kept=sum(own[seed]["share_kept"] for seed in scores) / len(scores),
        )
        found.append((one, scores))
    return found


def _with_gains(found: list[tuple[ArmSummary, dict[int, float]]]) -> Iterable[ArmSummary]:
    """Arms with synthetic tiles beside real ones get their gain over the best arm of what they have beside these."""
    for one, scores in found:
        arm = ARMS.get(one.arm)
        if arm is None or arm.kind in ("real", "only"):
            yield one
            continue
        # synthetic tiles beside densified ones are held against these, and against plain real ones if they are better
        needed = arm.rival if arm.kind == "synthetic" else "real"
        wanted = {"real", needed}
        rivals = [
            (other, values)
            for other, values in found
            if other.arm in ARMS
            and ARMS[other.arm].kind in wanted
            and all(getattr(other, key) == getattr(one, key) for key in KEYS)
            and set(scores) <= set(values)
        ]
        if not any(ARMS[other.arm].kind == needed for other, _ in rivals):
            yield one
            continue
        best, values = max(rivals, key=lambda pair: sum(pair[1][seed] for seed in scores))
        gain = paired_interval(list(scores.values()), [values[seed] for seed in scores])
        yield replace(one, gain=gain, rival=best.arm)


def _known(record: Record) -> bool:
    return record["scores"]["main"] is not None


def _others(scores: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Means of the plain further scores."""
    flat = [{**one, **{f"change_{key}": value for key, value in one.get("change", {}).items()}} for one in scores]
    names = [key for key, value in flat[0].items() if isinstance(value, float) and key != "main"]
    found = {name: [one[name] for one in flat if isinstance(one.get(name), float)] for name in names}
    return {name: sum(values) / len(values) for name, values in found.items() if values}
