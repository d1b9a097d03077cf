"""How features become one probability: a logistic rule fitted on planted errors, kept as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from specdm.errors import ConfigError
from specdm.evaluation.reliability.features import Features, needed

PENALTY = 1e-3
MOST_LOGIT = 12.0
"""No score is certain: 12 is 6 in a million, still below 1 in float32."""

FREE = ("edge.distance", "consistency.entropy")
"""Features that may speak for or against a label; of all others, more can only be better."""

RULE_FILE = "default_rule.json"


@dataclass(frozen=True)
class Rule:
    """p(right) = 1 / (1 + exp(-(offset + slope (bias + sum of weight x feature)))).

    Weights are not negative, so that no data set can teach the rule that more evidence for a label speaks against it.
    `slope` and `offset` are Platt's, from data sets that the weights were not fitted on: Platt (1999), "Probabilistic
    outputs for support vector machines and comparisons to regularized likelihood methods", eq. 1.

    Attributes:
        evidences: what it is made of, such as ("spectral", "edge").
        weights: by name of the feature.
        bias, slope, offset: see above.
        fitted_on: names of data sets.
    """

    evidences: tuple[str, ...]
    weights: Mapping[str, float]
    bias: float
    slope: float = 1.0
    offset: float = 0.0
    fitted_on: tuple[str, ...] = ()

    def probability_right(self, features: Features) -> np.ndarray:
        """Probability that labels are right.

        Args:
            features: name -> arrays of one shape.

        Returns:
            float32 of that shape, 0..1; NaN where a feature is.

        Raises:
            ConfigError: a feature that the rule needs is not there.
        """
        missing = [name for name in self.weights if name not in features]
        if missing:
            raise ConfigError(
                f"the rule of {' and '.join(self.evidences)} needs the feature {missing[0]}, which these tiles do not "
                f"have; they have {', '.join(sorted({'+'.join(needed(name)) for name in features})) or 'none'}"
            )
        logit = np.full(next((values.shape for values in features.values()), ()), self.bias)
        for name, weight in self.weights.items():
            logit = logit + weight * features[name].astype(np.float64)
        odds = np.clip(self.offset + self.slope * logit, -MOST_LOGIT, MOST_LOGIT)
        return (1 / (1 + np.exp(-odds))).astype(np.float32)

    def to_json(self) -> str:
        """Plain JSON, for `from_json`."""
        return json.dumps(self.record(), indent=1)

    def record(self) -> dict[str, object]:
        """What `to_json` writes."""
        return {
            "evidences": list(self.evidences),
            "bias": self.bias,
            "slope": self.slope,
            "offset": self.offset,
            "weights": dict(self.weights),
            "fitted_on": list(self.fitted_on),
        }

    @classmethod
    def from_json(cls, text: str) -> Rule:
        """What `to_json` wrote.

        Raises:
            ConfigError: it is no rule.
        """
        try:
            return cls.from_record(json.loads(text))
        except ValueError as error:
            raise ConfigError(f"the rule is no JSON ({error}); expected what Rule.to_json writes") from None

    @classmethod
    def from_record(cls, record: Mapping) -> Rule:
        """What `record` gave; raises as `from_json`."""
        try:
            return cls(
                tuple(record["evidences"]),
                {str(name): float(weight) for name, weight in record["weights"].items()},
                float(record["bias"]),
                float(record["slope"]),
                float(record["offset"]),
                tuple(record.get("fitted_on", ())),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ConfigError(f"the rule lacks or garbles {error}; expected what Rule.to_json writes") from None


def fit_rule(
    features: np.ndarray,
    wrong: np.ndarray,
    groups: np.ndarray,
    *,
    names: Sequence[str],
    weight: np.ndarray | None = None,
    penalty: float = PENALTY,
) -> Rule:
    """Fit on pixels with planted errors.

    Args:
        features: `(pixel, feature)`, finite.
        wrong: bool `(pixel,)`.
        groups: name of the data set of each pixel, `(pixel,)`; groups count alike. With two groups or more the
            probabilities are calibrated on each by the weights fitted on the others.
        names: of the features.
        weight: of each pixel within its group; default all alike.
        penalty: of squared weights of standardised features.

    Raises:
        ConfigError: shapes that do not fit, a feature that is not finite, or nothing wrong, or all.
    """
    wrong = np.asarray(wrong, bool)
    if features.shape != (len(wrong), len(names)) or len(groups) != len(wrong):
        raise ConfigError(
            f"features of shape {features.shape} for {len(wrong)} pixels, {len(groups)} groups and {len(names)} names"
        )
    if not np.isfinite(features).all():
        raise ConfigError(f"{names[int(np.argmin(np.isfinite(features).all(axis=0)))]} is not finite in all pixels")
    if wrong.all() or not wrong.any():
        raise ConfigError(f"all {len(wrong)} pixels are {'wrong' if wrong.all() else 'right'}; expected some of both")
    kinds, group = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    each = np.ones(len(wrong)) if weight is None else np.asarray(weight, np.float64)
    each = each / np.bincount(group, weights=each)[group] / len(kinds)
    held = np.full(len(wrong), np.nan)
    for number in range(len(kinds) if len(kinds) > 1 else 0):
        out = group == number
        if wrong[~out].any() and not wrong[~out].all():
            bias, weights = _logistic(features[~out], wrong[~out], each[~out], names, penalty)
            held[out] = bias + features[out] @ weights
    slope, offset = 1.0, 0.0
    known = np.isfinite(held)
    if known.any():
        slope, offset = _platt(held[known], wrong[known], each[known])
    bias, weights = _logistic(features, wrong, each, names, penalty)
    kept = {name: float(f"{w:.6g}") for name, w in zip(names, weights, strict=True) if w != 0}
    evidences = tuple(dict.fromkeys(part for name in names for part in needed(name)))
    return Rule(evidences, kept, bias, slope, offset, tuple(map(str, kinds)))


@cache
def default_rules() -> tuple[Rule, ...]:
    """The rules that come with SpecDM, fitted by `benchmarks/reliability.py` on planted errors of public data sets."""
    text = resources.files(__package__).joinpath(RULE_FILE).read_text(encoding="utf-8")
    return tuple(Rule.from_record(record) for record in json.loads(text)["rules"])


def default_rule(evidences: Iterable[str] = ("spectral", "edge")) -> Rule:
    """The rule that comes with SpecDM for some evidences.

    Args:
        evidences: of "spectral", "edge", "consistency", "change", "amounts"; if there is no rule of all of them, the
            one of most of them.

    Raises:
        ConfigError: there is none of any of them.
    """
    wanted = set(evidences)
    fitting = [rule for rule in default_rules() if set(rule.evidences) <= wanted]
    if not fitting:
        known = "; ".join(" and ".join(rule.evidences) for rule in default_rules())
        asked = " and ".join(sorted(wanted)) or "nothing"
        raise ConfigError(f"there is no rule of {asked}; there are rules of {known}")
    # amounts and classes are never told by one rule, and of the others the first is the most specific
    return max(fitting, key=lambda rule: len(rule.evidences))


def _logistic(
    x: np.ndarray, wrong: np.ndarray, weight: np.ndarray, names: Sequence[str], penalty: float
) -> tuple[float, np.ndarray]:
    """Bias and weights, in the units of the features, of the penalised logistic regression of being right."""
    from scipy.optimize import minimize
    from scipy.special import expit

    weight = weight / weight.sum()
    mean = weight @ x
    spread = np.sqrt(np.maximum(weight @ np.square(x - mean), 1e-12))
    z = (x - mean) / spread
    right = (~wrong).astype(np.float64)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        logit = at[0] + z @ at[1:]
        value = weight @ (np.logaddexp(0.0, logit) - right * logit) + penalty * np.square(at[1:]).sum() / 2
        slope = weight * (expit(logit) - right)
        return float(value), np.concatenate([[slope.sum()], z.T @ slope + penalty * at[1:]])

    bounds = [(None, None), *((None, None) if name in FREE else (0.0, None) for name in names)]
    start = np.zeros(len(names) + 1)
    best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 500}).x
    return float(best[0] - (best[1:] / spread) @ mean), best[1:] / spread


def _platt(logit: np.ndarray, wrong: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    bias, slope = _logistic(logit[:, None], wrong, weight, ("held out",), 1e-9)
    return float(slope[0]), bias
