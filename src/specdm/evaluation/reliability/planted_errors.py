"""Errors planted in masks, to find out whether a score of reliability sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from specdm.errors import ConfigError, TileError
from specdm.evaluation.reliability.class_distances import class_distances
from specdm.evaluation.reliability.mask_shapes import dilated, eroded, regions, shifted
from specdm.evaluation.reliability.planted_amounts import AMOUNT_KINDS, plant_in_amounts
from specdm.evaluation.reliability.planted_change import CHANGE_KINDS, change_planter
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet

LEAST_REGION = 8
"""Pixels below which a region is not swapped while there are larger ones: a dot is what salt and pepper is for."""

SHARE = 0.1


@dataclass(frozen=True)
class PlantedErrors:
    """Tiles with known errors.

    Attributes:
        tiles: images as they were, masks or amounts with errors.
        wrong: bool `(tile, layer, y, x)`, pixels whose label differs from the true one, both labelled. Amounts are
            one more layer, after those of the masks.
        judged: the same shape, pixels where it is known whether they are right: labelled now and before.
        kind: what was planted, one of `KINDS`.
    """

    tiles: TileSet
    wrong: np.ndarray
    judged: np.ndarray
    kind: str


@dataclass(frozen=True)
class Ground:
    """What errors are made from.

    Attributes:
        labels: class positions of one layer `(tile, y, x)`, -1 where unlabelled.
        donors: the same of the tiles whose masks may be borrowed.
        same: whether donors are the tiles themselves, so that no tile is given its own mask.
        distances: how far apart the spectra of classes are, `(class, class)`; NaN for classes that nothing shows.
        share: of labelled pixels that salt and pepper falls on.
    """

    labels: np.ndarray
    donors: np.ndarray
    same: bool
    distances: np.ndarray
    share: float = SHARE

    @property
    def known(self) -> np.ndarray:
        """Classes that have pixels."""
        return np.flatnonzero(np.isfinite(np.diagonal(self.distances)))


Planter = Callable[[Ground, int, np.random.Generator], np.ndarray]


def _shift(ground: Ground, at: int, random: np.random.Generator, *, by: int) -> np.ndarray:
    steps = [(dy, dx) for dy in (-by, 0, by) for dx in (-by, 0, by) if dy or dx]
    return shifted(ground.labels[at], *steps[random.integers(len(steps))], fill=-1)


def _swap(ground: Ground, at: int, random: np.random.Generator, *, nearest: bool) -> np.ndarray:
    labels = ground.labels[at].copy()
    numbered = regions(labels)
    sizes = np.bincount(numbered[numbered >= 0])
    if not len(sizes):
        return labels
    large = np.flatnonzero(sizes >= min(LEAST_REGION, sizes.max()))
    region = numbered == random.choice(large)
    own = int(labels[region][0])
    others = ground.known[ground.known != own]
    if len(others):
        apart = ground.distances[own, others]
        told = nearest and np.isfinite(apart).any()
        labels[region] = others[np.nanargmin(apart)] if told else random.choice(others)
    return labels


def _border(
    ground: Ground, at: int, random: np.random.Generator, *, move: Callable[..., np.ndarray], by: int
) -> np.ndarray:
    labels = ground.labels[at]
    moved = [move(labels, int(position), radius=by) for position in np.unique(labels[labels >= 0])]
    weights = np.array([((m != labels) & (labels >= 0)).sum() for m in moved], np.float64)
    # drawn by the length of its border with others, so that a tile is spoilt wherever it can be
    return moved[random.choice(len(moved), p=weights / weights.sum())] if weights.sum() else labels.copy()


def _other_tile(ground: Ground, at: int, random: np.random.Generator) -> np.ndarray:
    donor = int(random.integers(len(ground.donors) - ground.same))
    return ground.donors[donor + (ground.same and donor >= at)].copy()


def _salt_and_pepper(ground: Ground, at: int, random: np.random.Generator) -> np.ndarray:
    labels = ground.labels[at].copy()
    hit = (labels >= 0) & (random.random(labels.shape) < ground.share)
    known = ground.known
    if len(known) > 1:
        order = np.full(int(known.max()) + 1, 0)
        order[known] = np.arange(len(known))
        own = np.where(np.isin(labels[hit], known), order[np.clip(labels[hit], 0, known.max())], 0)
        labels[hit] = known[(own + random.integers(1, len(known), int(hit.sum()))) % len(known)]
    return labels


CLASS_KINDS: Mapping[str, Planter] = MappingProxyType(
    {
        **{f"shift_{by}": partial(_shift, by=by) for by in (1, 2, 4)},
        "region_nearest": partial(_swap, nearest=True),
        "region_random": partial(_swap, nearest=False),
        **{f"dilate_{by}": partial(_border, move=dilated, by=by) for by in (1, 2)},
        **{f"erode_{by}": partial(_border, move=eroded, by=by) for by in (1, 2)},
        "other_tile": _other_tile,
        "salt_and_pepper": _salt_and_pepper,
    }
)

KINDS = (*CLASS_KINDS, *CHANGE_KINDS, *AMOUNT_KINDS)
"""Names of the errors that can be planted: in masks, in masks of what changed, in amounts."""


def kinds_for(tiles: TileSet) -> tuple[str, ...]:
    """The errors that can be planted in a tile set, by what its masks say."""
    from specdm.evaluation.change_map import has_change_map

    found: list[str] = []
    if tiles.layers and tiles.classes is not None:
        found += CLASS_KINDS
        found += CHANGE_KINDS if has_change_map(tiles) else []
    return (*found, *(AMOUNT_KINDS if tiles.quantities is not None else ()))


def plant_errors(
    tiles: TileSet,
    kind: str,
    *,
    seed: int = 0,
    share: float = SHARE,
    donors: TileSet | None = None,
    real: TileSet | None = None,
) -> PlantedErrors:
    """Spoil the masks, or the amounts, of tiles in one way, every tile with errors of its own.

    Shifts go in one of eight directions, and leave the edge they come from unlabelled; a region is one connected
    region of a tile (of 8 px or more if there is one), swapped to the class with the nearest mean spectrum or to any
    other; borders move those of one class of a tile, drawn by their length, over its neighbours ("dilate") or back
    from them ("erode"). Amounts are shifted, borrowed or, two materials with each other, exchanged within a region.

    Args:
        tiles: with masks or amounts taken to be right.
        kind: one of `KINDS`.
        seed: of all draws; with the position of a tile it decides what happens there.
        share: of labelled pixels that salt and pepper falls on, 0 to 1.
        donors: tiles whose masks are borrowed; default the tiles themselves.
        real: tiles whose labelled pixels say how near classes are to each other; default the tiles themselves.

    Raises:
        ConfigError: an unknown kind, or a share out of range.
        TileError: the kind does not go with these tiles, or no other tile has a mask to borrow.
    """
    if kind not in KINDS:
        raise ConfigError(f"no kind of error is called {kind!r}; choose one of {', '.join(KINDS)}")
    if not 0 <= share <= 1:
        raise ConfigError(f"share is {share}; expected 0 to 1")
    if kind not in kinds_for(tiles):
        raise TileError(
            f"{kind} cannot be planted in {tiles.where}, whose masks say {tiles.task}; "
            f"choose one of {', '.join(kinds_for(tiles)) or 'none: it has neither classes nor amounts'}"
        )
    lenders = tiles if donors is None else donors
    if kind.endswith("other_tile") and len(lenders) < (2 if donors is None else 1):
        raise TileError(f"{tiles.where} has one tile and no other to borrow a mask from; give donors=")
    generators = [np.random.default_rng([seed, KINDS.index(kind), at]) for at in range(len(tiles))]
    if kind in AMOUNT_KINDS:
        return _amounts_planted(tiles, kind, lenders, generators)
    assert tiles.classes is not None
    before = tiles.classes.index_of(tiles.masks())
    lent = before if donors is None else donors.classes.index_of(donors.masks())  # type: ignore[union-attr]
    after = before.copy()
    if kind in CHANGE_KINDS:
        planter = change_planter(tiles, kind)
        for at, random in enumerate(generators):
            after[at] = planter(before[at], random)
    else:
        spoil = CLASS_KINDS[kind]
        for layer in range(before.shape[1]):
            apart = class_distances(tiles if real is None else real, layer)
            ground = Ground(before[:, layer], lent[:, layer], donors is None, apart, share)
            for at, random in enumerate(generators):
                after[at, layer] = spoil(ground, at, random)
    judged = (before >= 0) & (after >= 0)
    wrong = judged & (before != after)
    if tiles.quantities is not None:
        # amounts beside a mask are one more layer, in which nothing was planted
        known = np.isfinite(tiles.amounts()).all(axis=1)[:, None]
        judged, wrong = np.concatenate([judged, known], axis=1), np.concatenate([wrong, np.zeros_like(known)], axis=1)
    changed = with_values(tiles, {"mask": tiles.classes.values_of(after)}, where=f"{tiles.where} with {kind}")
    return PlantedErrors(changed, wrong, judged, kind)


def _amounts_planted(
    tiles: TileSet, kind: str, lenders: TileSet, generators: list[np.random.Generator]
) -> PlantedErrors:
    amounts, wrong, judged = plant_in_amounts(tiles, kind, lenders=lenders, generators=generators)
    if tiles.layers and tiles.classes is not None:
        labelled = tiles.masks() != UNLABELLED
        judged = np.concatenate([labelled, judged[:, None]], axis=1)
        wrong = np.concatenate([np.zeros_like(labelled), wrong[:, None]], axis=1)
    else:
        judged, wrong = judged[:, None], wrong[:, None]
    changed = with_values(tiles, {"amount": amounts}, where=f"{tiles.where} with {kind}")
    return PlantedErrors(changed, wrong, judged, kind)
