"""The data sets of usefulness.py, and at which shares of the labels each is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fidelity_sets import Set
from landscape import simulated_landscape
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
        made: writes the files of a simulated set to a folder, and names them.
    """

    set: Set
    task: str
    shares: tuple[float, ...] = TWO
    made: Callable[[Path, Set], Set] | None = None

    @property
    def name(self) -> str:
        return self.set.name

    def files_in(self, folder: Path) -> Set:
        """The set with its files, written to the folder if they are simulated."""
        return self.set if self.made is None else self.made(folder / f"{self.name}_files", self.set)

    @property
    def networks(self) -> tuple[str, ...]:
        """The first is the one that bars are about."""
        return ("freenet",) if self.task == "segmentation" else ("siamese",)


_CHANGE = Set("simulated_landscape", (), "simulated landscape of 256 px at two dates, change")

SETS = (
    UsefulSet(_JUDGED["indian_pines_map"], "segmentation", CURVE),
    UsefulSet(_JUDGED["enmap_potsdam"], "segmentation"),
    UsefulSet(_JUDGED["sentinel2_lulc"], "segmentation", CURVE),
    UsefulSet(_JUDGED["jasper_ridge"], "segmentation"),
    UsefulSet(_JUDGED["taizhou"], "change", CURVE),
    UsefulSet(_JUDGED["indian_pines_change"], "change"),
    UsefulSet(_CHANGE, "change", made=simulated_landscape),
)
