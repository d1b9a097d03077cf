"""How faithful synthetic tiles are and how well their masks fit: tile sets in, plain records out."""

# not lazy by name: the function `evaluate` must win over its module, which has the same name;
# torch, scikit-learn and matplotlib are imported by the functions that need them
from specdm.evaluation.evaluate import evaluate
from specdm.evaluation.metrics import METRICS, MetricInfo
from specdm.evaluation.record import ClassRecord, Evaluation, QuantityRecord

__all__ = ["METRICS", "ClassRecord", "Evaluation", "MetricInfo", "QuantityRecord", "evaluate"]
