"""What spectra say of amounts: unmixing or regression learnt from real pixels, against the amounts given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.amount_readers import ReadsAmounts, Regression, Unmixing
from specdm.evaluation.looks import Looks
from specdm.evaluation.reliability.class_features import LIMIT
from specdm.evaluation.reliability.consistency import amount_deviation
from specdm.evaluation.reliability.mask_shapes import shifted
from specdm.evaluation.reliability.neighbourhood import window_sum
from specdm.evaluation.reliability.planted_amounts import amount_range
from specdm.evaluation.reliability.real_ground import RealGround
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet

FIT_PIXELS = 30_000
MOST_SHIFT = 4
TEMPER = 0.15
CLIP = 4.0


@dataclass(frozen=True)
class AmountEvidence:
    """A reader of amounts with the errors it makes on real ground that it was not fitted on.

    Attributes:
        reader: unmixing or ridge regression, whichever errs less on held-out ground.
        spread: its median absolute error, in parts of the range, of each quantity, `(quantity,)`.
        errors: sorted largest errors of held-out pixels, in `spread`s.
        span: range of each quantity.
    """

    reader: ReadsAmounts
    spread: np.ndarray
    errors: np.ndarray
    span: np.ndarray

    @classmethod
    def fit(cls, train: TileSet, *, seed: int) -> AmountEvidence | None:
        """Fit on real training tiles; None if nothing can be learnt from them."""
        looks = Looks(train, ())
        ground = RealGround.read(looks, seed=seed)
        spectra = np.concatenate([looks.spectra(part) for part in looks.batches(ground.index)])
        amounts = np.concatenate([np.moveaxis(train.amounts(part), 1, -1) for part in looks.batches(ground.index)])
        usable = ground.fresh & np.isfinite(spectra).all(axis=-1) & np.isfinite(amounts).any(axis=-1)
        places = np.flatnonzero(usable)
        if len(places) < 2:
            return None
        if len(places) > FIT_PIXELS:
            places = np.sort(np.random.default_rng(seed).choice(places, FIT_PIXELS, replace=False))
        x = spectra.reshape(-1, spectra.shape[-1])[places]
        y = amounts.reshape(-1, amounts.shape[-1])[places].astype(np.float64)
        _, block = np.unique(ground.blocks.ravel()[places], return_inverse=True)
        fold = block % 3 if block.max(initial=0) >= 2 else np.arange(len(places)) * 3 // len(places)
        span = amount_range(train)

        def fitted(x: np.ndarray, y: np.ndarray) -> list[ReadsAmounts | None]:
            unmixing = train.quantities is not None and train.quantities.sum_to_one
            return [
                Unmixing.fit(x, y, given=None) if unmixing else None,
                Regression.fit(x, y, features=ground.features),
            ]

        off = np.full((2, len(x), len(span)), np.nan)
        for number in range(3):
            out = fold == number
            if out.all() or not out.any():
                continue
            for which, reader in enumerate(fitted(x[~out], y[~out])):
                if reader is not None:
                    off[which][out] = (reader.read(x[out]) - y[out]) / span
        mean = [np.nanmean(np.abs(one)) if np.isfinite(one).any() else np.inf for one in off]
        best = int(np.argmin(mean))
        reader = fitted(x, y)[best]
        if reader is None or not np.isfinite(mean[best]):
            return None
        spread = np.maximum(np.nan_to_num(np.nanmedian(np.abs(off[best]), axis=0), nan=0.05), 0.01)
        largest = np.nanmax(np.abs(off[best]) / spread, axis=1, initial=0.0)
        return cls(reader, spread, np.sort(largest), span)

    def features(self, tiles: TileSet, index: np.ndarray, *, posterior: Posterior | None) -> dict[str, np.ndarray]:
        """Features of the amounts of some tiles, float32 `(tile, y, x)`, by name; smaller is worse."""
        looks = Looks(tiles, ())
        spectra = looks.spectra(index)
        amounts = tiles.amounts(index)
        said = self.reader.read(spectra.reshape(-1, spectra.shape[-1])).reshape(*spectra.shape[:-1], -1)
        off = (np.moveaxis(amounts, 1, -1) - said) / self.span / self.spread
        found = {f"amounts.{name}": values for name, values in self._of_residuals(off).items()}
        stays = _shift_log_odds(amounts, np.moveaxis(said, -1, 1), unit=self.span * self.spread)
        found["amounts.stays"] = stays
        if posterior is not None and posterior.amounts_mean is not None:
            apart = np.moveaxis(amount_deviation(amounts, posterior, index, span=self.span), 1, -1)
            found |= {f"consistency.{name}": values for name, values in _deviations(apart).items()}
        return found

    def _of_residuals(self, off: np.ndarray) -> dict[str, np.ndarray]:
        found = _deviations(off)
        largest = np.nan_to_num(np.nanmax(np.abs(off), axis=-1, initial=0.0))
        below = (np.searchsorted(self.errors, largest) + 0.5) / (len(self.errors) + 1)
        below = np.minimum(below, 1 - 0.5 / (len(self.errors) + 1))
        found["rank"] = np.clip(np.log1p(-below) - np.log(below), -LIMIT, LIMIT).astype(np.float32)
        # the difference itself, which is what right and wrong are told by
        found["range"] = -np.nan_to_num(np.nanmax(np.abs(off) * self.spread, axis=-1, initial=0.0)).astype(np.float32)
        return found


def _deviations(off: np.ndarray) -> dict[str, np.ndarray]:
    """Minus logarithms of the largest deviation of a pixel, of its window's mean, and of the tile's mean.

    Each quantity where it is known; NaN where none is, and where there is nothing to hold it against.
    """
    known = np.isfinite(off)
    some = known.any(axis=-1)
    filled = np.where(known, off, 0.0)
    window = window_sum(filled, radius=2) / np.maximum(window_sum(known, radius=2), 1.0)
    size = np.abs(filled).max(axis=-1)
    tile = size.sum(axis=(1, 2)) / np.maximum(some.sum(axis=(1, 2)), 1)
    parts = {
        "pixel": size,
        "window": np.abs(window).max(axis=-1),
        "tile": np.broadcast_to(tile[:, None, None], size.shape),
    }
    found = {name: -np.log1p(np.minimum(values, 1e3)).astype(np.float32) for name, values in parts.items()}
    return {name: np.where(some, values, np.float32("nan")) for name, values in found.items()}


def _shift_log_odds(amounts: np.ndarray, said: np.ndarray, *, unit: np.ndarray) -> np.ndarray:
    """As `registration.shift_log_odds`: a shift is as likely as amounts fit better what is read off the image."""
    steps = [(dy, dx) for dy in range(-MOST_SHIFT, MOST_SHIFT + 1) for dx in range(-MOST_SHIFT, MOST_SHIFT + 1)]
    scale = unit[:, None, None]
    found = np.full((len(amounts), *amounts.shape[-2:]), LIMIT, np.float32)
    for at, (old, read) in enumerate(zip(amounts, said, strict=True)):
        fit = np.abs(old - read) / scale
        gains, same = np.zeros(len(steps)), []
        for number, (dy, dx) in enumerate(steps):
            new = shifted(old, dy, dx, fill=np.nan)
            gain = np.clip(np.nan_to_num(fit - np.abs(new - read) / scale), -CLIP, CLIP).mean(axis=0)
            gains[number] = TEMPER * gain.sum() - (1.0 if dy or dx else 0.0)
            same.append(~(np.abs(new - old) > 2 * scale).any(axis=0))
        weight = np.exp(gains - gains.max())
        stays = np.einsum("s,syx->yx", weight / weight.sum(), np.stack(same))
        found[at] = np.clip(np.log(stays + 4e-4) - np.log(1 - stays + 4e-4), -LIMIT, LIMIT)
    return found
