"""Rules of reliability fitted on the very tiles of a test, for tests that are about no rule's quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from specdm.evaluation.reliability import RealEvidence, Rule, fit_rule, plant_errors
from specdm.evaluation.reliability.features import chosen, table
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet


def little_rules(
    real: TileSet,
    *,
    kinds: Sequence[str],
    evidences: Sequence[tuple[str, ...]],
    posterior: Posterior | None = None,
) -> tuple[Rule, ...]:
    """Rules of some evidences each, fitted on some kinds of errors planted in real tiles."""
    evidence = RealEvidence.fit(real)
    parts = []
    for kind in kinds:
        planted = plant_errors(real, kind)
        of_amounts = kind.startswith("amounts")
        make = evidence.amount_features if of_amounts else evidence.class_features
        features = make(planted.tiles, posterior=posterior)
        known = planted.judged[:, -1:] if of_amounts else planted.judged[:, : len(real.layers)]
        wrong = planted.wrong[:, -1:] if of_amounts else planted.wrong[:, : len(real.layers)]
        known = known & np.all([np.isfinite(values) for values in features.values()], axis=0)
        parts.append((features, known, wrong[known]))
    rules = []
    for some in evidences:
        names = chosen(list(parts[0][0]), some)
        values = np.concatenate([table(features, names, known) for features, known, _ in parts]).astype(np.float64)
        wrongs = np.concatenate([wrong for *_, wrong in parts])
        rules.append(fit_rule(values, wrongs, np.full(len(wrongs), "little"), names=names))
    return tuple(rules)


def use_rules(monkeypatch: pytest.MonkeyPatch, rules: tuple[Rule, ...]) -> None:
    """Make them the rules that come with SpecDM."""
    for module in ("rule", "score"):
        monkeypatch.setattr(f"specdm.evaluation.reliability.{module}.default_rules", lambda: rules)
