"""Metrics of fidelity that need no network: copies, bands, angles, whole tiles and shapes of masks."""

from __future__ import annotations

from specdm.evaluation.metric_info import MetricInfo

_AUTHENTICITY = {
    "flagged_share": MetricInfo(
        title="Copies of training tiles",
        sentence="Share of the synthetic tiles that are as near to one training tile, turned or flipped as may be, as "
        "about one in a hundred real tiles is to a tile of other ground. 1 % is chance, 100 % a copied training set.",
        better="lower",
        unit="%",
        headline=True,
    ),
    "flagged": MetricInfo(
        title="Copies of training tiles, count",
        sentence="How many synthetic tiles these are; one in a hundred is to be expected of tiles that copy nothing.",
        better="lower",
        unit="n",
    ),
    "chance_share": MetricInfo(
        title="Copies by chance, share",
        sentence="Share of fresh real tiles that would be flagged: 1 %, or more where few real tiles say what is near.",
        unit="%",
    ),
    "tiles": MetricInfo(title="Tiles looked at for copies", sentence="Synthetic tiles that were compared.", unit="n"),
    "beyond_chance": MetricInfo(
        title="Copies by chance",
        sentence="Probability that so many or more tiles would be called copies if none were one. Below 0.05 there are "
        "more than chance explains.",
        better="higher",
    ),
    "distance_ratio": MetricInfo(
        title="Distance to training tiles",
        sentence="How far a synthetic tile is from the nearest training tile (median), over the same of real tiles and "
        "training tiles of other ground. Far below 1, tiles repeat the training tiles.",
        better="near 1",
    ),
    "copies": MetricInfo(
        title="Nearer than any real tile",
        sentence="Synthetic tiles that are nearer to a training tile, for tiles of their kind, than any real tile is "
        "to one of other ground.",
        better="lower",
        unit="n",
    ),
}

_SYNTHETIC = {
    "band_wasserstein": MetricInfo(
        title="Values of the bands",
        sentence="How far the values of a band have to move on average to be distributed as the real ones "
        "(1-Wasserstein distance), in real standard deviations; mean of all bands.",
        better="lower",
    ),
    "band_wasserstein_worst": MetricInfo(
        title="Values of the bands, worst", sentence="The same in the band where it is largest.", better="lower"
    ),
    "range_coverage": MetricInfo(
        title="Range of the bands",
        sentence="Share of the range of real values (the middle 99 % of the pixels) that synthetic values span; mean "
        "of all bands.",
        better="higher",
        unit="%",
    ),
    "class_mean_angle_deg": MetricInfo(
        title="Class spectra, mean angle",
        sentence="Angle between the mean spectra of real and synthetic pixels of a class (without classes: of a "
        "dominant material, or of all pixels), each date by itself; mean of all classes above 2 %. 0° is the same "
        "shape.",
        better="lower",
        unit="°",
    ),
    "nearest_angle_deg": MetricInfo(
        title="Nearest real spectrum",
        sentence="Mean angle between a synthetic pixel and the real training pixel of its class whose spectrum is most "
        "like it. Far above the next line, spectra are drawn that no real pixel has; far below, they are repeated.",
        unit="°",
    ),
    "precision_spectral": MetricInfo(
        title="Precision of tiles",
        sentence="Share of the synthetic tiles that lie among real ones: nearer to a real tile than its fifth nearest "
        "real neighbour, by spectral components in blocks.",
        better="higher",
        unit="%",
    ),
    "recall_spectral": MetricInfo(
        title="Recall of tiles",
        sentence="Share of the real tiles that lie among synthetic ones in the same way.",
        better="higher",
        unit="%",
    ),
    "density_spectral": MetricInfo(
        title="Density of tiles",
        sentence="How many real tiles a synthetic one lies near to, over what tiles of the same distribution do. 1 is "
        "as dense as real.",
        better="near 1",
    ),
    "coverage_spectral": MetricInfo(
        title="Coverage of tiles",
        sentence="Share of the real tiles that have a synthetic one nearer than their fifth nearest real neighbour.",
        better="higher",
        unit="%",
    ),
    "region_size_distance": MetricInfo(
        title="Sizes of regions",
        sentence="How far the sizes of connected regions of a class are from real ones (1-Wasserstein distance of "
        "their binary logarithms), classes by their share. 1 is twice or half as large.",
        better="lower",
    ),
    "adjacency_distance": MetricInfo(
        title="Which classes touch",
        sentence="Share of the boundaries that would have to be between other classes for each pair of classes to "
        "touch as often as in training tiles. 0 is just as often.",
        better="lower",
        unit="%",
    ),
    "boundary_share_ratio": MetricInfo(
        title="Length of boundaries",
        sentence="Share of neighbouring labelled pixels that are of two classes, over the same in training tiles. "
        "Below 1, masks are too smooth; above 1, too ragged.",
        better="near 1",
    ),
    "labelled_share_ratio": MetricInfo(
        title="Labelled pixels",
        sentence="Share of the synthetic pixels whose mask gives a class, over the same in the training tiles.",
        better="near 1",
    ),
}

_REAL = {
    "nearest_angle_floor_deg": MetricInfo(
        title="Nearest real spectrum, real ground",
        sentence="The same angle from real pixels of one part of the ground to those of another.",
        unit="°",
    ),
    "coverage_spectral_floor": MetricInfo(
        title="Coverage, real ground",
        sentence="The same share of real tiles of one part of the ground that those of another cover.",
        unit="%",
    ),
    "region_size_floor": MetricInfo(
        title="Sizes of regions, real ground",
        sentence="The same distance between two parts of the real ground that share no pixel.",
    ),
    "adjacency_floor": MetricInfo(
        title="Which classes touch, real ground",
        sentence="The same share between two parts of the real ground that share no pixel.",
        unit="%",
    ),
    "labelled_share": MetricInfo(
        title="Labelled training pixels, share",
        sentence="Share of the pixels of the training tiles whose mask gives a class.",
        unit="%",
    ),
}

FIDELITY: dict[str, MetricInfo] = {
    **{f"authenticity.{key}": info for key, info in _AUTHENTICITY.items()},
    **{f"synthetic.{key}": info for key, info in _SYNTHETIC.items()},
    **{f"real.{key}": info for key, info in _REAL.items()},
}
