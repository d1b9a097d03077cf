"""The data sets of usefulness.py, and at which shares of the labels each is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fidelity_sets import Set
from reliability_sets import JUDGED

TWO = (1.0, 0.1)
CURVE = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
_JUDGED = {one.name: one for one in JUDGED}


@dataclass(frozen=True)
class UsefulSet:
    """A data set and what is asked of it.

    Attributes:
        set: as a user names it to `specdm train`.
        task: "segmentation" or "change".
        shares: of the labels.
        networks: the first is the one that bars are about.
    """

    set: Set
    task: str
    shares: tuple[float, ...] = TWO

    @property
    def name(self) -> str:
        return self.set.name

    @property
    def networks(self) -> tuple[str, ...]:
        return ("freenet",) if self.task == "segmentation" else ("siamese",)


_CHANGE = Set("simulated_change", (Path("simulated_change"),), "simulated landscape at two dates, change")

SETS = (
    UsefulSet(_JUDGED["indian_pines_map"], "segmentation", CURVE),
    UsefulSet(_JUDGED["enmap_potsdam"], "segmentation"),
    UsefulSet(_JUDGED["sentinel2_lulc"], "segmentation", CURVE),
    UsefulSet(_JUDGED["jasper_ridge"], "segmentation"),
    UsefulSet(_JUDGED["taizhou"], "change", CURVE),
    UsefulSet(_JUDGED["indian_pines_change"], "change"),
    UsefulSet(_CHANGE, "change"),
)
