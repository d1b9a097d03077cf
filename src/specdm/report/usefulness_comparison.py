"""Arms that may be compared: those of one network, one share of the labels, and one sight of test ground."""

from __future__ import annotations

from dataclasses import dataclass

from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.jobs import SPECTRA
from specdm.evaluation.usefulness.summary import ArmSummary, Record, Summary


@dataclass(frozen=True)
class Comparison:
    """Arms with one network at one share of the labels, and the rivals of single spectra beside them.

    Attributes:
        network: `SPECTRA` where there are these rivals alone.
        test_spectra: a key of `SIGHTS`.
        share: of the labels, above 0 to 1.
        arms: in the order of the summary.
    """

    network: str
    test_spectra: str
    share: float
    arms: tuple[ArmSummary, ...]

    @property
    def real(self) -> ArmSummary | None:
        """The best with real tiles as they are, and nothing else."""
        return best(self.of_kind("real"))

    @property
    def synthetic(self) -> ArmSummary | None:
        """The best with synthetic tiles beside real ones; those of the baseline do not count."""
        return best(self.ours)

    @property
    def ours(self) -> list[ArmSummary]:
        """All with synthetic tiles beside real ones, but for the baseline's."""
        return [one for one in self.of_kind("synthetic") if "ldm" not in ARMS[one.arm].sources]

    def of_kind(self, kind: str) -> list[ArmSummary]:
        """Arms of a kind: of `Arm.kind`, or `SPECTRA`."""
        return [one for one in self.arms if kind_of(one.arm) == kind]

    def arm(self, name: str | None) -> ArmSummary | None:
        """The arm of a name, if it is there."""
        return next((one for one in self.arms if one.arm == name), None)


def kind_of(arm: str) -> str:
    """What an arm's tiles are, see `Arm.kind`; `SPECTRA` for the rivals of single spectra."""
    return ARMS[arm].kind if arm in ARMS else SPECTRA


def best(arms: list[ArmSummary]) -> ArmSummary | None:
    """The highest mean, of the arms with the most seeds: one lucky seed is no best arm."""
    most = max((one.score.n for one in arms), default=0)
    return max((one for one in arms if one.score.n == most), key=lambda one: one.score.mean, default=None)


def comparisons(summary: Summary) -> list[Comparison]:
    """All there are, in the order of the summary: by network, sight, then most labels first."""
    keys = list(dict.fromkeys((one.network, one.test_spectra, one.share) for one in summary.arms))
    told = {key[1:] for key in keys if key[0] != SPECTRA}
    return [
        Comparison(*key, tuple(summary.of(network=key[0], test_spectra=key[1], share=key[2])))
        for key in keys
        # rivals of single spectra stand beside every network, and by themselves only where there is none
        if key[0] != SPECTRA or key[1:] not in told
    ]


def records_of(records: list[Record], comparison: Comparison, arm: ArmSummary) -> list[Record]:
    """Records that an arm was summed from, by seed."""
    found = [
        record
        for record in records
        if record["arm"] == arm.arm
        and record["network"] == arm.network
        and record["test_spectra"] == comparison.test_spectra
        and record["share"] == comparison.share
        and record["seed"] in arm.seeds
    ]
    return sorted(found, key=lambda record: record["seed"])
