"""Judge of class masks: does a classifier of real spectra agree, are the classes as often and as shaped as real?"""

from __future__ import annotations

import numpy as np

from specdm.evaluation.case import Case
from specdm.evaluation.frequencies import COMMON, missing, shares, worst_factor
from specdm.evaluation.record import ClassRecord, Evaluation, number, numbers
from specdm.evaluation.spectra import spectral_angle_deg

NO_HELDOUT_LABEL = "no held-out pixel is labelled"
ONE_CLASS = "fewer than two classes are labelled in training tiles, or all their spectra are the same"
NO_LABELS = "training or synthetic tiles have no labels"
LDA_KEYS = ("codec.lda_accuracy_original", "codec.lda_accuracy_reconstructed", "codec.lda_ratio")


def has_classes(case: Case) -> bool:
    """Whether the masks hold classes."""
    return case.real.classes is not None


def judge_classes(result: Evaluation, case: Case) -> None:
    """Add the metrics of the classes and their records."""
    _judge_codec(result, case)
    reference = case.reference
    by_class = _judge_agreement(result, case)
    counts = case.synthetic.label_counts()
    result.add("synthetic.labelled_share", counts.sum() / (len(case.synthetic) * case.synthetic.tiles.size**2))
    result.add(
        "synthetic.class_frequency_worst_factor",
        worst_factor(reference.ground_counts, counts),
        why_not=NO_LABELS,
    )
    lacking = missing(reference.ground_counts, counts)
    has_labels = bool(reference.ground_counts.sum())
    result.add("synthetic.classes_missing", len(lacking) if has_labels else None, why_not=NO_LABELS)
    if lacking.size and case.synthetic.classes:
        names = ", ".join(case.synthetic.classes.names[position] for position in lacking)
        result.note(f"classes that no synthetic pixel has: {names}")

    result.classes = _records(case, counts, by_class)
    angles = [c.mean_angle_deg for c in result.classes if c.real_share > COMMON and c.mean_angle_deg is not None]
    result.add("synthetic.class_mean_angle_deg_worst", max(angles) if angles else None, why_not=NO_LABELS)
    result.add("real.labelled_pixels", int(reference.ground_counts.sum()))
    result.settings |= {
        "classifier": "linear discriminant analysis of single spectra in these components, fitted on real "
        "training pixels, each pixel of ground once",
        "real class shares, spectra and spread": "of real training tiles, each pixel of ground once",
    }


def _judge_agreement(result: Evaluation, case: Case) -> np.ndarray:
    """Add `synthetic.lda_*`; agreement by class `(classes,)`."""
    judge, seen = case.reference.judge, case.generated
    by_class = np.full(case.synthetic.n_classes, np.nan)
    share, ceiling, judged = None, None, 0
    if judge is not None:
        agreement = judge.agreement(seen.features, seen.labels)
        share, judged, by_class = agreement.share, agreement.pixels, agreement.by_class
        ceiling = judge.agreement(case.training.features, case.training.labels).share
    why_not = ONE_CLASS if judge is None else "no synthetic pixel is labelled"
    result.add("synthetic.lda_agreement", share, why_not=why_not)
    result.add("synthetic.lda_ceiling", ceiling, why_not=why_not)
    ratio = share / ceiling if share is not None and ceiling else None
    result.add("synthetic.lda_ratio", ratio, why_not=why_not)
    result.add("synthetic.labelled_pixels", judged)
    return by_class


def _judge_codec(result: Evaluation, case: Case) -> None:
    """Add `codec.mask_accuracy` and `codec.lda_*` from held-out real tiles."""
    seen, judge = case.heldout, case.reference.judge
    if seen is None:
        # without a model the accuracies have no meaning of their own; the ratio stands for all three
        keys = LDA_KEYS if case.model is not None else LDA_KEYS[2:]
        for key in ("codec.mask_accuracy", *keys):
            result.add(key, None, why_not=case.why_no_codec())
        return
    labelled = seen.labels >= 0
    right = (seen.decoded_labels == seen.labels)[labelled]
    result.add("codec.mask_accuracy", right.mean() if right.size else None, why_not=NO_HELDOUT_LABEL)

    split_of = case.real.tiles.split[seen.tile]
    for split in ("test", "val"):
        there = (split_of == split)[:, None, None] & labelled
        if there.any():
            break
    result.settings["codec.lda on split"] = split
    if judge is None or not there.any():
        why = ONE_CLASS if there.any() else NO_HELDOUT_LABEL
        for key in LDA_KEYS:
            result.add(key, None, why_not=why)
        return
    labels = np.where(there, seen.labels, -1)
    before = judge.agreement(seen.features, labels).share
    after = judge.agreement(seen.decoded_features, labels).share
    for key, value in zip(LDA_KEYS, (before, after, after / before if before > 0 else None), strict=True):
        result.add(key, value)


def _records(case: Case, counts: np.ndarray, agreement: np.ndarray) -> list[ClassRecord]:
    classes, reference, seen = case.synthetic.classes, case.reference, case.generated
    if classes is None:
        return []
    real_share, synthetic_share = shares(reference.ground_counts), shares(counts)
    angle = spectral_angle_deg(reference.statistics.mean, seen.statistics.mean)

    def spectrum(found: list[np.ndarray], position: int) -> list[float | None] | None:
        return numbers(case.real.date_by_date([by_class[position] for by_class in found]))

    real_mean, real_std = ([getattr(kind, what) for kind in reference.by_kind] for what in ("mean", "std"))
    mean, std = ([getattr(kind, what) for kind in seen.by_kind] for what in ("mean", "std"))
    return [
        ClassRecord(
            name=classes.names[i],
            value=classes.values[i],
            color=classes.colors[i],
            real_share=float(real_share[i]),
            synthetic_share=float(synthetic_share[i]),
            mean_angle_deg=number(angle[i]),
            agreement=number(agreement[i]),
            real_mean=spectrum(real_mean, i),
            real_std=spectrum(real_std, i),
            synthetic_mean=spectrum(mean, i),
            synthetic_std=spectrum(std, i),
        )
        for i in range(len(classes))
    ]
