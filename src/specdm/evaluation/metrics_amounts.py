"""Metrics of continuous masks."""

from __future__ import annotations

from specdm.evaluation.metric_info import MetricInfo
from specdm.evaluation.texture import LAGS

_HELDOUT = "The same on held-out real tiles after the codec (without a model: as they are)."

AMOUNTS: dict[str, MetricInfo] = {
    "amount.rmse_ratio": MetricInfo(
        title="Amounts fit images",
        sentence="Error of the amounts that are read from synthetic images (abundances by fully constrained unmixing, "
        "free values by regression) against those of the synthetic masks, over the same error on held-out real tiles "
        "after the codec (without a model: as they are). 1 is as good as real.",
        better="lower",
        bar=(None, 1.3),
        unit="×",
        headline=True,
    ),
    "amount.unmixing_rmse_synthetic": MetricInfo(
        title="Unmixing of synthetic images, error",
        sentence="Root mean squared difference of the abundances that fully constrained unmixing finds in synthetic "
        "images and those of the synthetic masks, 0 to 1.",
        better="lower",
    ),
    "amount.unmixing_rmse_heldout": MetricInfo(
        title="Unmixing of real images, error", sentence=_HELDOUT, better="lower"
    ),
    "amount.regression_rmse_synthetic": MetricInfo(
        title="Regression on synthetic images, error",
        sentence="Root mean squared difference of the values that a regression learnt from real pixels reads from "
        "synthetic images and those of the synthetic masks, in standard deviations of the training values.",
        better="lower",
    ),
    "amount.regression_rmse_heldout": MetricInfo(
        title="Regression on real images, error", sentence=_HELDOUT, better="lower"
    ),
    "amount.sum_error_max": MetricInfo(
        title="Abundances sum to one",
        sentence="By how much the sum of a synthetic pixel's abundances is off one, at worst.",
        better="lower",
        bar=(None, 1e-5),
        headline=True,
    ),
    "amount.least": MetricInfo(
        title="Smallest abundance",
        sentence="The smallest abundance of all synthetic pixels; none may be negative.",
        bar=(0.0, None),
        headline=True,
    ),
    "amount.wasserstein_worst": MetricInfo(
        title="Values of a quantity, worst distance",
        sentence="How far values have to move on average to be distributed as those of the training tiles "
        "(1-Wasserstein distance), in their standard deviations; the quantity where it is farthest.",
        better="lower",
    ),
    "amount.mean_shift_worst": MetricInfo(
        title="Mean of a quantity, worst shift",
        sentence="How far the synthetic mean lies from that of the training tiles, in their standard deviations; the "
        "quantity where it is farthest.",
        better="lower",
    ),
    "amount.std_ratio_worst": MetricInfo(
        title="Spread of a quantity, worst ratio",
        sentence="Standard deviation of the synthetic values over that of the training tiles; the quantity where it "
        "is farthest from 1.",
        better="near 1",
    ),
    **{
        f"amount.correlation_ratio_lag{lag}": MetricInfo(
            title=f"Amounts of pixels {lag} apart" if lag > 1 else "Amounts of neighbouring pixels",
            sentence=f"How alike amounts {lag} px apart are (their correlation), over the same in real training "
            "tiles; mean of all quantities. Below 1, maps are too speckled; above 1, too smooth.",
            better="near 1",
        )
        for lag in LAGS
    },
    "codec.amount_rmse": MetricInfo(
        title="Codec: error of amounts",
        sentence="Root mean squared difference of the amounts of held-out real pixels and the same after the codec: "
        "of abundances as they are, of free values in standard deviations of the training values.",
        better="lower",
    ),
}
