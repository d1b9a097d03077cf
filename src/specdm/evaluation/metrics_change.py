"""Metrics of change between the first and the last date."""

from __future__ import annotations

from specdm.evaluation.metric_info import MetricInfo

_AUC = (
    "How well the length of the change vector (the difference of the two spectra, each date scaled by mean and "
    "spread of its bands in the training tiles) tells pixels that {masks} call changed from those they call "
    "unchanged: area under the ROC curve. 1 is without error, 0.5 is chance."
)
_SHARE = "Share of changed pixels among those that {masks} call changed or unchanged."
_ANGLE = "Mean angle between the spectra of the two dates where {masks} say that nothing changed."

CHANGE: dict[str, MetricInfo] = {
    "auc_ratio": MetricInfo(
        title="Change masks fit images",
        sentence="How well the difference of the two synthetic images tells changed from unchanged pixels of the "
        "synthetic masks (area under the ROC curve), over the same of real training tiles. 1 is as good as real.",
        better="higher",
        bar=(0.95, None),
        headline=True,
    ),
    "auc_real": MetricInfo(
        title="Change seen in real images", sentence=_AUC.format(masks="the real masks"), better="higher"
    ),
    "auc_synthetic": MetricInfo(
        title="Change seen in synthetic images", sentence=_AUC.format(masks="the synthetic masks"), better="higher"
    ),
    "share_factor": MetricInfo(
        title="Changed pixels, factor",
        sentence="How many times too many or too few labelled pixels are changed, held against the training tiles. "
        "1 is just as many.",
        better="lower",
        bar=(None, 1.5),
        unit="×",
        headline=True,
    ),
    "share_real": MetricInfo(
        title="Changed pixels, real",
        sentence=_SHARE.format(masks="the masks of real training tiles") + " Each pixel of ground once.",
        unit="%",
    ),
    "share_synthetic": MetricInfo(
        title="Changed pixels, synthetic", sentence=_SHARE.format(masks="the synthetic masks"), unit="%"
    ),
    "unchanged_angle_ratio": MetricInfo(
        title="Unchanged ground between dates",
        sentence="Mean angle between the two synthetic spectra of an unchanged pixel, over the same of real training "
        "tiles. Below 1, the dates are too much alike; above 1, ground that should stay the same does not.",
        better="near 1",
        bar=(0.8, 1.2),
        headline=True,
    ),
    "unchanged_angle_real_deg": MetricInfo(
        title="Unchanged ground, real", sentence=_ANGLE.format(masks="the masks of real training tiles"), unit="°"
    ),
    "unchanged_angle_synthetic_deg": MetricInfo(
        title="Unchanged ground, synthetic", sentence=_ANGLE.format(masks="the synthetic masks"), unit="°"
    ),
    "contradictions": MetricInfo(
        title="Contradictions",
        sentence="Synthetic pixels whose change mask says something else than the class masks of the two dates.",
        better="lower",
        bar=(None, 0.0),
        unit="n",
        headline=True,
    ),
    "transition_distance": MetricInfo(
        title="Which class becomes which",
        sentence="How far the table of what became of each class lies from that of real training tiles (total "
        "variation): the share of pixels that would have to be another pair of classes. 0 is the same table.",
        better="lower",
    ),
}
