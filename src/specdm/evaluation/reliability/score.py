"""The score: how likely every label of a tile set is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.reliability.features import Features, RealEvidence
from specdm.evaluation.reliability.rule import Rule, default_rule, default_rules
from specdm.tiles.alike import check_alike
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet


@dataclass(frozen=True)
class Reliability:
    """Scores of a tile set.

    Attributes:
        pixel: probability that the label is right, float32 `(tile, layer, y, x)`, NaN where unlabelled and where real
            tiles teach nothing of it. Amounts are one more layer, after those of the masks.
        tile: expected share of right pixels, float32 `(tile,)`: the mean of `pixel`; NaN for a tile without labels.
        evidences: the same as `pixel` by each evidence alone, by name.
        rules: the rules of the combination, of class labels and of amounts.
    """

    pixel: np.ndarray
    tile: np.ndarray
    evidences: dict[str, np.ndarray]
    rules: tuple[Rule, ...]


def reliability(
    tiles: TileSet,
    *,
    real: TileSet | RealEvidence,
    posterior: Posterior | None = None,
    rule: Rule | None = None,
    seed: int = 0,
) -> Reliability:
    """Judge the annotations of tiles, pixel by pixel, without any downstream training.

    Three evidences are combined: what single spectra say of classes, or of amounts, learnt from real labelled pixels;
    whether borders lie where the image has them; and, if given, what a model says of the masks when it sees the images
    alone. With change, also how much the dates differ.

    Args:
        tiles: with masks or amounts, real or synthetic.
        real: real tiles to learn from, their training split if they have one, with the same bands and classes; or what
            `RealEvidence.fit` made of them, so that several tile sets are judged by one.
        posterior: of `tiles`, see `SpecDMPipeline.posterior`.
        rule: how the evidences are combined for class labels; default the one that comes with SpecDM for the evidences
            there are.
        seed: of the draws of real tiles and pixels.

    Raises:
        TileError: tiles without masks or amounts, that do not go with the real ones, or a posterior of other tiles.
        ConfigError: the rule needs features that these tiles do not have.
    """
    if not (tiles.layers and tiles.classes is not None) and tiles.quantities is None:
        raise TileError(f"{tiles.where} has neither classes nor amounts, so there is nothing to judge")
    if isinstance(real, TileSet):
        check_alike(tiles, real, advice="give the real tiles that these were made from")
    if posterior is not None:
        posterior.check_fits(tiles)
    evidence = real if isinstance(real, RealEvidence) else RealEvidence.fit(real, seed=seed)
    shape = (len(tiles), len(tiles.layers) if tiles.classes is not None else 0, tiles.size, tiles.size)
    layers: list[tuple[np.ndarray, dict[str, np.ndarray]]] = []
    rules: list[Rule] = []
    if shape[1]:
        features = evidence.class_features(tiles, posterior=posterior)
        layers.append(_scored(features, shape, rule, rules))
    if tiles.quantities is not None:
        features = evidence.amount_features(tiles, posterior=posterior)
        layers.append(_scored(features, (shape[0], 1, *shape[2:]), None, rules))
    pixel = np.concatenate([whole for whole, _ in layers], axis=1)
    names = dict.fromkeys(name for _, alone in layers for name in alone)
    unknown = [np.full(whole.shape, np.nan, np.float32) for whole, _ in layers]
    evidences = {
        name: np.concatenate([alone.get(name, none) for (_, alone), none in zip(layers, unknown, strict=True)], axis=1)
        for name in names
    }
    return Reliability(pixel, tile_scores(pixel), evidences, tuple(rules))


def tile_scores(pixel: np.ndarray) -> np.ndarray:
    """Mean score of each tile, float32 `(tile,)`, of `(tile, layer, y, x)`; NaN for tiles without a score."""
    known = np.isfinite(pixel)
    total = np.where(known, pixel, 0.0).sum(axis=(1, 2, 3), dtype=np.float64)
    count = known.sum(axis=(1, 2, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _scored(
    features: Features, shape: tuple[int, ...], rule: Rule | None, rules: list[Rule]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Scores by the combination and by each evidence alone; NaN if there are no features."""
    if not features:
        return np.full(shape, np.nan, np.float32), {}
    there = {part for name in features for part in name.split(".", 1)[0].split("+")}
    chosen = rule or default_rule(there)
    rules.append(chosen)
    alone = {
        one.evidences[0]: one.probability_right(features)
        for one in default_rules()
        if len(one.evidences) == 1 and set(one.weights) <= set(features)
    }
    return chosen.probability_right(features), alone
