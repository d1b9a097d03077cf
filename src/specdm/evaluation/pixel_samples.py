"""Some pixels of a tile set with the class, or the dominant material, and the tile of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.case import SYNTHETIC_PIXELS, SYNTHETIC_TILES, Case
from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.reading import most_tiles, some
from specdm.evaluation.views import count_fresh

PIXELS, VALUES = 40_000, 16_000_000
"""Most pixels, and values in them, that are kept of a tile set (64 MB)."""

MATERIAL = "dominant material"


@dataclass(frozen=True)
class PixelSample:
    """Drawn pixels with data in every band, real ones each pixel of ground once.

    Attributes:
        spectra: `(m, channel)`.
        group: position of the class or dominant material, int64 `(m,)`, -1 where unknown; 0 without any.
        tile: which of the `n_tiles` tiles it is of, int64 `(m,)`.
        n_tiles: tiles that were read.
    """

    spectra: np.ndarray
    group: np.ndarray
    tile: np.ndarray
    n_tiles: int

    def of(self, group: int) -> np.ndarray:
        """Spectra of a group, `(m, channel)`."""
        return self.spectra[self.group == group]


@dataclass(frozen=True)
class Groups:
    """What pixels are told apart by.

    Attributes:
        kind: "class", "dominant material", or "" if all pixels are one group.
        names: of the groups.
    """

    kind: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Groups:
        """Classes if training pixels are labelled, else dominant materials if there are abundances."""
        if case.real.classes is not None and case.reference.ground_counts.sum():
            return cls("class", tuple(case.real.classes.names))
        quantities = case.real.tiles.quantities
        if quantities is not None and quantities.sum_to_one:
            return cls(MATERIAL, tuple(quantities.names))
        return cls("", ("all pixels",))

    def positions(self, looks: Looks, part: np.ndarray) -> np.ndarray:
        """Group of every pixel, int64 `(looks, y, x)`, -1 where unknown."""
        if self.kind == "class":
            return looks.labels(part)
        if self.kind == MATERIAL:
            amounts = looks.tiles.amounts(part)
            known = np.isfinite(amounts).all(axis=1)
            largest = np.where(np.isfinite(amounts), amounts, -np.inf).argmax(axis=1)
            return np.concatenate([np.where(known, largest, -1)] * looks.kinds)
        return np.zeros((len(part) * looks.kinds, looks.tiles.size, looks.tiles.size), np.int64)


def draw_sample(looks: Looks, index: np.ndarray, groups: Groups, *, seed: int, most: int = PIXELS) -> PixelSample:
    """Draw pixels evenly from the tiles at some positions, in bounded batches.

    Args:
        looks: at a tile set.
        index: positions of tiles.
        groups: what pixels are told apart by.
        seed: of the draw.
        most: about so many pixels; fewer if they have many bands.
    """
    random = np.random.default_rng(seed)
    ground = FreshLooks(looks)
    most = min(most, max(1000, VALUES // looks.n_channels))
    draw = min(1.0, most / max(1, count_fresh(looks, index)))
    spectra, group, tile = [], [], []
    done = 0
    for part in looks.batches(index):
        chosen = ground.fresh(part)
        chosen &= random.random(chosen.shape) < draw
        found = looks.spectra(part)[chosen]
        valid = np.isfinite(found).all(axis=1)
        spectra.append(found[valid])
        group.append(groups.positions(looks, part)[chosen][valid])
        tile.append((done + np.nonzero(chosen)[0] % len(part))[valid])
        done += len(part)
    return PixelSample(np.concatenate(spectra), np.concatenate(group), np.concatenate(tile), len(index))


def synthetic_sample(case: Case, groups: Groups) -> PixelSample:
    """Pixels of the synthetic tiles that are judged."""
    return draw_sample(case.synthetic, case.generated_index, groups, seed=case.seed)


def training_sample(case: Case, groups: Groups) -> PixelSample:
    """Pixels of the real training ground."""
    looks = case.train
    most = most_tiles(looks.tiles, tile_limit=SYNTHETIC_TILES, pixel_limit=SYNTHETIC_PIXELS)
    index = some(len(looks.tiles), max(1, most // looks.kinds), random=np.random.default_rng(case.seed))
    return draw_sample(looks, index, groups, seed=case.seed)
