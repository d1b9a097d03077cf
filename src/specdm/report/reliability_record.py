"""What judging the annotations of a tile set has found: kept as JSON in the run folder, shown by the report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from specdm.errors import RunError
from specdm.report.run_folder import write_text


@dataclass(frozen=True)
class Filtered:
    """What a filter did.

    Attributes:
        output: the tile set it wrote.
        drop_below, unlabel_below, unlabel_share, wanted: what was asked, None if not.
        tiles_before: of the set that was judged.
        dropped: of them, with a score below `drop_below`.
        drawn, regenerated: further tiles that were drawn, and those of them that were good enough.
        tiles_after: that were written.
        judged: pixels with a score in these, before any was marked.
        marked: of them, made unlabelled.
        mean_before: mean score of the pixels of the set that was judged.
        mean_after: of what was written.
    """

    output: str
    drop_below: float | None
    unlabel_below: float | None
    unlabel_share: float | None
    wanted: int | None
    tiles_before: int
    dropped: int
    drawn: int
    regenerated: int
    tiles_after: int
    judged: int
    marked: int
    mean_before: float
    mean_after: float

    @property
    def lines(self) -> list[str]:
        """What was done, a line each."""
        said = []
        if self.drop_below is not None:
            said.append(
                f"{self.dropped:,} of {self.tiles_before:,} tiles have a score below {self.drop_below:g}: left out"
            )
        if self.wanted is not None:
            said.append(f"{self.drawn:,} further tiles were drawn, {self.regenerated:,} of them good enough: added")
        if self.wanted is not None and self.tiles_after < self.wanted:
            said.append(
                f"only {self.tiles_after:,} of the {self.wanted:,} tiles asked for are there, since too few reach "
                f"{self.drop_below:g}: lower --drop-below, or train longer"
            )
        if self.unlabel_below is not None or self.unlabel_share is not None:
            low = "the lowest scores" if self.unlabel_below is None else f"a score below {self.unlabel_below:g}"
            share = self.marked / max(1, self.judged)
            said.append(f"{self.marked:,} of {self.judged:,} pixels ({share:.1%}) have {low}: marked unlabelled")
        said.append(f"mean score of the labels: {self.mean_before:.3f} before, {self.mean_after:.3f} after")
        return said


@dataclass(frozen=True)
class PlantedRecord:
    """Errors planted in held-out real tiles, and how well the score found them.

    Attributes:
        tiles: the held-out tiles.
        auroc: by what was planted.
        auroc_all: over all together; None if it cannot be told.
        ece: expected calibration error, 0 to 1.
        score, right, share: the reliability diagram, see `specdm.evaluation.reliability.Diagram`.
    """

    tiles: int
    auroc: dict[str, float]
    auroc_all: float | None
    ece: float
    score: list[float]
    right: list[float]
    share: list[float]


@dataclass(frozen=True)
class ReliabilityRecord:
    """Attributes:
    tiles: the tile set.
    n_tiles: how many it has.
    mean_score: of its judged pixels.
    evidences: what the score is made of.
    planted: None without held-out real tiles.
    filtered: None if nothing was filtered.
    notes: what should be known.
    """

    tiles: str
    n_tiles: int
    mean_score: float
    evidences: list[str]
    planted: PlantedRecord | None = None
    filtered: Filtered | None = None
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write JSON, whole or not at all.

        Raises:
            RunError: the file cannot be written.
        """
        try:
            write_text(path, json.dumps(asdict(self), indent=1) + "\n")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}; choose another place") from error

    @classmethod
    def read(cls, path: Path) -> ReliabilityRecord:
        """What `write` wrote.

        Raises:
            RunError: it is something else, or of another version.
        """
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            planted, filtered = record.pop("planted"), record.pop("filtered")
            return cls(
                **record,
                planted=None if planted is None else PlantedRecord(**planted),
                filtered=None if filtered is None else Filtered(**filtered),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"{path} is no record of reliability ({error}); write it anew with: specdm reliability RUN"
            ) from None
