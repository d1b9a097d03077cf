"""How far annotations can be trusted: a score per pixel and per tile, and errors planted to test it."""

from specdm.evaluation.reliability.calibration_figures import (
    Diagram,
    auroc,
    expected_calibration_error,
    reliability_diagram,
    risk_coverage,
)
from specdm.evaluation.reliability.features import EVIDENCES, RealEvidence
from specdm.evaluation.reliability.filtering import Dropped, keep_reliable, mark_unreliable
from specdm.evaluation.reliability.planted_errors import KINDS, PlantedErrors, kinds_for, plant_errors
from specdm.evaluation.reliability.rule import Rule, default_rule, default_rules, fit_rule
from specdm.evaluation.reliability.score import Reliability, reliability

__all__ = [
    "EVIDENCES",
    "KINDS",
    "Diagram",
    "Dropped",
    "PlantedErrors",
    "RealEvidence",
    "Reliability",
    "Rule",
    "auroc",
    "default_rule",
    "default_rules",
    "expected_calibration_error",
    "fit_rule",
    "keep_reliable",
    "kinds_for",
    "mark_unreliable",
    "plant_errors",
    "reliability",
    "reliability_diagram",
    "risk_coverage",
]
