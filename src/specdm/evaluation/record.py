"""The record of an evaluation: flat numbers, one line a class, notes on what could not be computed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError, RunError, TileError
from specdm.scenes.write_failures import whole_file
from specdm.tiles.tileset import TileSet

DETAILS = "_details"


@dataclass
class ClassRecord:
    """One class in real training and in synthetic tiles.

    Attributes:
        name, value, color: as in `Classes`.
        real_share: of the labelled training pixels, each pixel of ground once, 0..1.
        synthetic_share: of the labelled synthetic pixels, 0..1.
        mean_angle_deg: angle between the mean spectra; None if one side has no pixel.
        agreement: share of its synthetic pixels that the classifier names so too; None if there is none.
        real_mean, real_std, synthetic_mean, synthetic_std: spectra in the user's units, one number a band
            and, with several dates, date after date, each with its own bands; a number is None if the class has
            no pixel with a mask at that date, the whole is None if it has no pixel.
    """

    name: str
    value: int
    color: str
    real_share: float
    synthetic_share: float
    mean_angle_deg: float | None = None
    agreement: float | None = None
    real_mean: list[float | None] | None = None
    real_std: list[float | None] | None = None
    synthetic_mean: list[float | None] | None = None
    synthetic_std: list[float | None] | None = None


@dataclass
class QuantityRecord:
    """One quantity of the continuous masks, in real training and in synthetic tiles, in the user's units.

    Attributes:
        name, unit: as in `Quantities`.
        real_mean, real_std, synthetic_mean, synthetic_std: of the known pixels, real ones each pixel of ground
            once; None if there are none.
        mean_ratio, std_ratio: synthetic over real; None where the real one is zero.
        wasserstein: distance of the two distributions in real standard deviations.
        rmse_synthetic, rmse_heldout: error of the values that the judge reads from the image (by unmixing or
            regression), on synthetic tiles and on held-out real tiles after the codec.
        histogram_edges: rising, one more than there are parts.
        real_histogram, synthetic_histogram: share of the known pixels in each part, 0..1; empty without pixels.
    """

    name: str
    unit: str = ""
    real_mean: float | None = None
    real_std: float | None = None
    synthetic_mean: float | None = None
    synthetic_std: float | None = None
    mean_ratio: float | None = None
    std_ratio: float | None = None
    wasserstein: float | None = None
    rmse_synthetic: float | None = None
    rmse_heldout: float | None = None
    histogram_edges: list[float] = field(default_factory=list)
    real_histogram: list[float] = field(default_factory=list)
    synthetic_histogram: list[float] = field(default_factory=list)


@dataclass
class NeighbourRecord:
    """A synthetic tile beside the training tile that is most like it.

    Attributes:
        synthetic, real: positions in the synthetic and in the whole real tile set.
        synthetic_name, real_name: names of the two tiles.
        distance: root mean squared difference of their spectral components, in standard deviations of the training
            pixels.
        score: the same over the distance to the tiles that are next nearest and show other ground.
        flagged: whether tiles of other ground are that near only by a chance of one in a hundred.
    """

    synthetic: int
    synthetic_name: str
    real: int
    real_name: str
    distance: float
    score: float
    flagged: bool


@dataclass
class Evaluation:
    """What `evaluate` found.

    Attributes:
        metrics: flat; keys are explained in `METRICS`. None if it could not be computed; a note says why.
        intervals: bootstrap 95 % intervals `(low, high)` of some metrics, see `specdm.evaluation.bootstrap`.
        classes: one record a class; empty without class masks.
        quantities: one record a quantity; empty without continuous masks.
        neighbours: the synthetic tiles that are most like a training tile, most suspicious first.
        notes: one line each.
        settings: seed, counts, and what was fitted on what.
        prints: `fingerprint` of the real and the synthetic tile set, by which it is known what was judged.
        real, synthetic: the tile sets, for the report; None if the record was read from a file.
    """

    metrics: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    classes: list[ClassRecord] = field(default_factory=list)
    quantities: list[QuantityRecord] = field(default_factory=list)
    neighbours: list[NeighbourRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    prints: dict[str, str] = field(default_factory=dict)
    real: TileSet | None = field(default=None, repr=False, compare=False)
    synthetic: TileSet | None = field(default=None, repr=False, compare=False)

    def add(
        self,
        name: str,
        value: float | None,
        *,
        interval: tuple[float, float] | None = None,
        why_not: str | None = None,
    ) -> None:
        """Add a metric; what is not a finite number becomes None, with `why_not` among the notes."""
        self.metrics[name] = float(value) if value is not None and math.isfinite(value) else None
        if self.metrics[name] is None:
            self.note(f"{name} was not computed: {why_not or 'no pixel to compute it from'}")
        elif interval is not None:
            self.intervals[name] = interval

    def note(self, line: str) -> None:
        """Add a note, once."""
        if line not in self.notes:
            self.notes.append(line)

    def merge(self, other: Evaluation, *, about: str = "") -> None:
        """Add what another evaluation found.

        Args:
            other: of the same tiles.
            about: what its metrics are about, if these have some of the same names: it is added to the names in
                brackets, and of its class records only spectra are taken, where these have none.
        """
        ending = f" [{about}]" if about else ""
        self.metrics |= {f"{key}{ending}": value for key, value in other.metrics.items()}
        self.intervals |= {f"{key}{ending}": value for key, value in other.intervals.items()}
        self.settings |= {f"{key}{ending}": value for key, value in other.settings.items()}
        for line in other.notes:
            self.note(f"{about}: {line}" if about else line)
        self.quantities += other.quantities
        self.neighbours = sorted([*self.neighbours, *other.neighbours], key=lambda record: record.score)
        if not self.classes:
            self.classes = other.classes
            return
        for mine, theirs in zip(self.classes, other.classes, strict=False):
            for name in ("real_mean", "real_std", "synthetic_mean", "synthetic_std"):
                setattr(mine, name, _filled(getattr(mine, name), getattr(theirs, name)))

    def to_json(self, path: str | Path) -> Path:
        """Write one object: the metrics at its top level, all else under `_details`.

        Raises:
            RunError: the file cannot be written.
        """
        path = Path(path)
        details = {
            "intervals": self.intervals,
            "classes": [asdict(record) for record in self.classes],
            "quantities": [asdict(record) for record in self.quantities],
            "neighbours": [asdict(record) for record in self.neighbours],
            "notes": self.notes,
            "settings": self.settings,
            "prints": self.prints,
        }
        text = json.dumps({**self.metrics, DETAILS: details}, indent=1, ensure_ascii=False, allow_nan=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as partial:
                partial.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(
                f"cannot write {path}: {error.strerror}; choose a folder that can be written"
            ) from error
        return path

    @classmethod
    def from_json(cls, path: str | Path) -> Evaluation:
        """Read what `to_json` wrote; the tile sets are not in it.

        Raises:
            RunError: there is no such file.
            FileFormatError: it is not an evaluation.
        """
        path = Path(path)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}; run `specdm evaluate` first") from error
        except ValueError as error:
            raise FileFormatError(f"{path} is not JSON ({error}); run `specdm evaluate` again") from error
        wrong = FileFormatError(f"{path} is not an evaluation; expected the JSON file of `specdm evaluate`")
        if not isinstance(found, Mapping):
            raise wrong
        details = found.get(DETAILS, {})
        metrics = {key: value for key, value in found.items() if key != DETAILS}
        if not all(value is None or isinstance(value, (int, float)) for value in metrics.values()):
            raise wrong
        try:
            classes = [ClassRecord(**record) for record in details.get("classes", [])]
            quantities = [QuantityRecord(**record) for record in details.get("quantities", [])]
            neighbours = [NeighbourRecord(**record) for record in details.get("neighbours", [])]
            intervals = {key: (float(low), float(high)) for key, (low, high) in details.get("intervals", {}).items()}
            return cls(
                metrics=metrics,
                intervals=intervals,
                classes=classes,
                quantities=quantities,
                neighbours=neighbours,
                notes=list(details.get("notes", [])),
                settings=dict(details.get("settings", {})),
                prints=dict(details.get("prints", {})),
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise wrong from error

    def to_html(self, path: str | Path, **options: Any) -> Path:
        """Write the report; options as those of `specdm.report.write_report`.

        Raises:
            TileError: the record was read from a file, so its tile sets are not at hand.
            RunError: the file cannot be written.
        """
        if self.real is None or self.synthetic is None:
            raise TileError(
                "this evaluation was read from a file and has no tiles to show; "
                "call specdm.report.write_report with the tile sets"
            )
        # the one reach upward, so that specdm.evaluate(...).to_html(...) reads in order (DESIGN 4)
        from specdm.report import write_report

        return write_report(path, real=self.real, synthetic=self.synthetic, evaluation=self, **options)


def number(value: float) -> float | None:
    """A number as a record holds it: None if it is not finite."""
    return float(value) if np.isfinite(value) else None


def numbers(values: np.ndarray) -> list[float | None] | None:
    """A spectrum as a record holds it: six digits are more than any sensor has; None if nothing is known."""
    found = [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
    return None if all(value is None for value in found) else found


def _filled(one: list[float | None] | None, other: list[float | None] | None) -> list[float | None] | None:
    if one is None or other is None:
        return other if one is None else one
    return [b if a is None else a for a, b in zip(one, other, strict=True)]
