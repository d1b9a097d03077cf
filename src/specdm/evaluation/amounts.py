"""Judge of continuous masks: do images hold the amounts that the masks say, as often and as patchy as real ones?"""

from __future__ import annotations

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.amount_readers import ReadsAmounts, Regression, Unmixing
from specdm.evaluation.amount_views import PIXELS, AmountPixels, correlation, draw_pixels, over_quantities, rmse
from specdm.evaluation.case import SYNTHETIC_PIXELS, SYNTHETIC_TILES, Case
from specdm.evaluation.looks import Looks
from specdm.evaluation.quantity_records import quantity_records
from specdm.evaluation.reading import evenly, most_tiles, some
from specdm.evaluation.record import Evaluation, number
from specdm.evaluation.reference import fit_features
from specdm.evaluation.texture import LAGS
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import COUNT_BATCH, TileSet

LEAST_CORRELATION = 0.05
"""Below it neighbours have nothing to do with each other, and a ratio of correlations says nothing."""

NOTHING_KNOWN = "no amount is known in training or in synthetic tiles"
NO_HELDOUT_AMOUNT = "there are no validation or test tiles with known amounts"


def has_amounts(case: Case) -> bool:
    """Whether the tiles have continuous masks."""
    return case.real.tiles.quantities is not None


def check_endmembers(endmembers: np.ndarray | None, tiles: TileSet) -> None:
    """Raise TileError if end members are given that tiles have no use for."""
    if endmembers is None:
        return
    quantities = tiles.quantities
    if quantities is None or not quantities.sum_to_one:
        raise TileError(
            f"end members are given, but {tiles.where} has no abundances that sum to one; leave the end members out"
        )
    found, wanted = np.shape(endmembers), (len(quantities), Looks(tiles, ()).n_channels)
    if found != wanted or not np.isfinite(np.asarray(endmembers, np.float64)).all():
        what = f"of shape {found}" if found != wanted else "not all numbers"
        raise TileError(
            f"the end members are {what}; expected a spectrum of {wanted[1]} bands, in the units of the images, for "
            f"each of {', '.join(quantities.names)}: shape {wanted}"
        )


def judge_amounts(result: Evaluation, case: Case) -> None:
    """Add `amount.*`, `codec.amount_rmse` and the records of the quantities."""
    quantities = case.real.tiles.quantities
    if quantities is None:
        return
    # amounts are of the place, whatever the masks are about: all dates together
    train, synthetic, real = (Looks(one.tiles, ()) for one in (case.train, case.synthetic, case.real))
    random = np.random.default_rng(case.seed)
    limits = {"tile_limit": SYNTHETIC_TILES, "pixel_limit": SYNTHETIC_PIXELS}
    train_index = some(len(train), most_tiles(train.tiles, **limits), random=random)
    drawn_index = evenly(len(synthetic), most_tiles(synthetic.tiles, **limits))
    real_amounts, drawn_amounts = train.tiles.amounts(train_index), synthetic.tiles.amounts(drawn_index)
    fresh = GroundSeen(train.tiles).fresh(train_index)
    real_values, drawn_values = np.moveaxis(real_amounts, 1, -1)[fresh], np.moveaxis(drawn_amounts, 1, -1)
    result.quantities = quantity_records(quantities, real_values, drawn_values.reshape(-1, len(quantities)))
    spread = np.array([record.real_std or np.nan for record in result.quantities])
    # abundances are all in the same unit, free values are not
    scale = np.ones(len(quantities)) if quantities.sum_to_one else spread

    known = draw_pixels(train, train_index, seed=case.seed)
    reader: ReadsAmounts | None
    if quantities.sum_to_one:
        reader = Unmixing.fit(known.spectra, known.amounts, given=case.endmembers)
    else:
        features = fit_features(train, random=np.random.default_rng(case.seed))
        reader = Regression.fit(known.spectra, known.amounts, features=features)
    result.settings["amounts read by"] = reader.words if reader else "nothing, for " + NOTHING_KNOWN
    result.settings["amounts read of"] = f"at most about {PIXELS:,} pixels of each tile set, drawn evenly"

    drawn = draw_pixels(synthetic, drawn_index, seed=case.seed)
    held = draw_pixels(real, case.heldout_index, seed=case.seed, model=case.model) if case.heldout_index.size else None
    how = "unmixing" if quantities.sum_to_one else "regression"
    _judge_fit(result, reader, drawn, held, how=how, scale=scale)
    result.settings["amounts of held-out tiles"] = "as they are" if case.model is None else "after the codec"
    if case.model is not None:
        lost = over_quantities(rmse(held.amounts, held.original), scale) if held else None
        result.add("codec.amount_rmse", lost, why_not=NO_HELDOUT_AMOUNT)

    if quantities.sum_to_one:
        _judge_sums(result, synthetic.tiles)
    _judge_distributions(result)
    for lag in LAGS:
        real_one, drawn_one = (_mean(correlation(one, lag)) for one in (real_amounts, drawn_amounts))
        result.add(
            f"amount.correlation_ratio_lag{lag}",
            drawn_one / real_one if real_one > LEAST_CORRELATION else None,
            why_not=f"tiles are not wider than {lag} px, or real pixels so far apart have little in common",
        )


def _judge_fit(
    result: Evaluation,
    reader: ReadsAmounts | None,
    drawn: AmountPixels,
    held: AmountPixels | None,
    *,
    how: str,
    scale: np.ndarray,
) -> None:
    """Add how far what is read from images is from what masks say, on synthetic and on held-out pixels."""
    totals = []
    for pixels, place, why_not in (
        (drawn, "synthetic", NOTHING_KNOWN),
        (held, "heldout", NO_HELDOUT_AMOUNT),
    ):
        errors = np.full(len(scale), np.nan)
        if reader is not None and pixels is not None:
            errors = rmse(reader.read(pixels.spectra), pixels.amounts)
        for record, error in zip(result.quantities, errors, strict=True):
            setattr(record, f"rmse_{place}", number(error))
        totals.append(over_quantities(errors, scale))
        result.add(f"amount.{how}_rmse_{place}", totals[-1], why_not=why_not)
    ratio = totals[0] / totals[1] if totals[1] > 0 else None
    result.add("amount.rmse_ratio", ratio, why_not="one of the two errors is unknown, or that on real tiles is zero")


def _judge_sums(result: Evaluation, tiles: TileSet) -> None:
    """Add how far the abundances of all synthetic pixels are from what abundances must be."""
    off, least = [], []
    for start in range(0, len(tiles), COUNT_BATCH):
        amounts = tiles.amounts(slice(start, start + COUNT_BATCH)).astype(np.float64)
        known = np.isfinite(amounts).all(axis=1)
        if known.any():
            off.append(float(np.abs(amounts.sum(axis=1) - 1)[known].max()))
            least.append(float(np.moveaxis(amounts, 1, -1)[known].min()))
    result.add("amount.sum_error_max", max(off) if off else None, why_not=NOTHING_KNOWN)
    result.add("amount.least", min(least) if least else None, why_not=NOTHING_KNOWN)


def _judge_distributions(result: Evaluation) -> None:
    """Add the quantity that is farthest off in each respect; the records have all of them."""
    records = result.quantities
    shifts = [
        abs(record.synthetic_mean - record.real_mean) / record.real_std
        for record in records
        if record.real_std and record.real_mean is not None and record.synthetic_mean is not None
    ]
    distances = [record.wasserstein for record in records if record.wasserstein is not None]
    ratios = [record.std_ratio for record in records if record.std_ratio is not None]
    result.add("amount.wasserstein_worst", max(distances, default=None), why_not=NOTHING_KNOWN)
    result.add("amount.mean_shift_worst", max(shifts, default=None), why_not=NOTHING_KNOWN)
    # half the spread is as far off as twice the spread
    worst = max(ratios, key=lambda ratio: max(ratio, 1 / ratio if ratio > 0 else np.inf), default=None)
    result.add("amount.std_ratio_worst", worst, why_not=NOTHING_KNOWN)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
