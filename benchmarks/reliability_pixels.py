"""Features of the pixels of a data set with planted errors: what rules are fitted on and judged by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from reliability_sets import WITH_A_MODEL, Version, varied

if TYPE_CHECKING:
    from specdm.report.run_plan import RunPlan
    from specdm.tiles.posterior import Posterior
    from specdm.tiles.tileset import TileSet

MOST_TILES = 16
MOST_PIXELS = 20_000
"""Pixels kept of each kind of error, drawn evenly; a set with fewer keeps all."""

CODEC_SHARE = 0.6
"""Of the minutes of a model; the rest is its reader's. The denoiser is not asked and takes one step."""

NONE = "none"


@dataclass(frozen=True)
class Pixels:
    """Judged pixels of a set's held-out tiles.

    Attributes:
        names: of the features.
        features: `(pixel, feature)`.
        wrong: bool `(pixel,)`.
        kind: what was planted in the pixel's tile, "none" for tiles as they are, `(pixel,)`.
        tile: number of the tile, a planted tile being one of its own, `(pixel,)`.
    """

    names: tuple[str, ...]
    features: np.ndarray
    wrong: np.ndarray
    kind: np.ndarray
    tile: np.ndarray

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial.npz")
        np.savez(partial, names=self.names, features=self.features, wrong=self.wrong, kind=self.kind, tile=self.tile)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Pixels:
        with np.load(path) as found:
            values = (found[key] for key in ("features", "wrong", "kind", "tile"))
            return cls(tuple(found["names"].tolist()), *values)

    def balanced(self, most: int, *, seed: int) -> np.ndarray:
        """Positions of at most so many pixels of each kind."""
        random = np.random.default_rng(seed)
        parts = [np.flatnonzero(self.kind == kind) for kind in np.unique(self.kind)]
        return np.concatenate([random.permutation(part)[:most] for part in parts])


def plan(version: Version, *, work: Path, minutes: float | None) -> RunPlan:
    """The run as `specdm train` would plan it; its tiles are those that everything is judged on."""
    from specdm.report.run_plan import plan_run

    run = work / "runs" / f"{version.set.name}-seed{version.seed}"
    budget = {} if minutes is None else {
        "codec.minutes": CODEC_SHARE * minutes, "reader.minutes": (1 - CODEC_SHARE) * minutes,
        "denoiser.minutes": None, "denoiser.steps": 1, "sampling.calibration_tiles": 0,
    }  # fmt: skip
    return plan_run(
        list(version.set.inputs),
        output=run,
        scene=version.set.options,
        preset="tiny",
        settings={**version.settings, **budget},
        command=f"train {version.set.name}",
    )


def held_out(tiles: TileSet, *, splits: tuple[str, ...]) -> TileSet:
    """Some tiles of these splits, evenly spread."""
    found = np.flatnonzero(np.isin(tiles.split, splits))
    if len(found) > MOST_TILES:
        found = found[np.linspace(0, len(found) - 1, MOST_TILES).round().astype(int)]
    return tiles.select(found)


def make_pixels(version: Version, *, work: Path, minutes: float | None, seeds: tuple[int, ...]) -> Pixels:
    """Fit the evidences on training tiles, plant every kind of error in held-out ones, and look at each pixel.

    Args:
        version: of a set.
        work: folder for tiles and models.
        minutes: of training of codecs and reader of the model whose posterior is an evidence; None for no model.
        seeds: of the planted errors.
    """
    from specdm.evaluation.reliability import RealEvidence, kinds_for, plant_errors
    from specdm.training.ranks import ALONE

    planned = plan(version, work=work, minutes=minutes)
    whole = planned.tiles(ALONE)
    tiles = varied(whole, version.variant, seed=version.seed)
    evidence = RealEvidence.fit(tiles, seed=version.seed)
    # the reader of a model is chosen by validation tiles
    held, train = held_out(tiles, splits=("test",) if minutes else ("test", "val")), tiles.train
    posterior = _posterior(planned, whole, held) if minutes and version.variant in WITH_A_MODEL else None
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    names: tuple[str, ...] = ()
    for kind in (NONE, *kinds_for(held)):
        for seed in seeds if kind != NONE else seeds[:1]:
            if kind == NONE:
                spoilt, judged = held, _known(held)
                wrong = np.zeros_like(judged)
            else:
                planted = plant_errors(held, kind, seed=seed, donors=train, real=train)
                spoilt, judged, wrong = planted.tiles, planted.judged, planted.wrong
            if held.quantities is not None:
                # of tiles with amounts only these are looked at
                judged, wrong = judged[:, -1:], wrong[:, -1:]
                features = evidence.amount_features(spoilt, posterior=posterior)
            else:
                features = evidence.class_features(spoilt, posterior=posterior)
            names = tuple(features)
            usable = judged & np.all([np.isfinite(values) for values in features.values()], axis=0)
            table = np.stack([features[name][usable] for name in names], axis=1)
            number = np.nonzero(usable)[0] + len(parts) * len(held)
            random = np.random.default_rng([seed, len(parts)])
            kept = np.sort(random.permutation(len(table))[: MOST_PIXELS // len(seeds)])
            parts.append((table[kept], wrong[usable][kept], np.full(len(kept), kind), number[kept]))
    features, wrong, kinds, tile = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Pixels(names, features, wrong, kinds, tile)


def _known(tiles: TileSet) -> np.ndarray:
    masks = tiles.masks() >= 0
    if tiles.quantities is None:
        return masks
    return np.concatenate([masks, np.isfinite(tiles.amounts()).any(axis=1)[:, None]], axis=1)


def _posterior(planned: RunPlan, tiles: TileSet, held: TileSet) -> Posterior:
    """What the model says of the held-out tiles; errors are planted in masks, so one posterior does for all."""
    pipeline = planned.train(tiles)
    return pipeline.posterior(held)
