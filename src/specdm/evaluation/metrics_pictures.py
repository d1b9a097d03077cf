"""Metrics of tiles as pictures, as an image network sees them."""

from __future__ import annotations

from specdm.evaluation.metric_info import MetricInfo

_IMAGES, _MASKS = "images in false colour", "masks drawn in their colours"
_BETWEEN = "The same between real tiles that share no ground: what one piece of real ground differs from the next."


def _distances(kind: str, what: str, title: str) -> dict[str, MetricInfo]:
    return {
        f"synthetic.frechet_{kind}": MetricInfo(
            title=f"Fréchet distance of {title}",
            sentence=f"How far the features that an image network finds in synthetic {what} lie from those of real "
            "training tiles (squared Fréchet distance, as FID, but in a few components). 0 is the same; the floor says "
            "how far one piece of real ground lies from another, from as many tiles as there are.",
            better="lower",
            headline=True,
        ),
        f"synthetic.kid_{kind}": MetricInfo(
            title=f"Kernel distance of {title}",
            sentence=f"The kernel twin of the Fréchet distance of {what} (KID, unbiased, over all features): about 0, "
            "also slightly below, if synthetic and real training tiles look the same to the network.",
            better="lower",
        ),
        f"real.frechet_{kind}_floor": MetricInfo(
            title=f"Fréchet distance of {title}, real", sentence=f"{_BETWEEN} Squared Fréchet distance of {what}."
        ),
        f"real.kid_{kind}_floor": MetricInfo(
            title=f"Kernel distance of {title}, real", sentence=f"{_BETWEEN} Kernel distance of {what}."
        ),
    }


PICTURES: dict[str, MetricInfo] = {
    **_distances("rgb", _IMAGES, "images"),
    **_distances("mask", _MASKS, "masks"),
    "synthetic.precision_rgb": MetricInfo(
        title="Precision of images",
        sentence="Share of the synthetic images that an image network finds among the real training ones.",
        better="higher",
        unit="%",
    ),
    "synthetic.recall_rgb": MetricInfo(
        title="Recall of images",
        sentence="Share of the real training images that an image network finds among the synthetic ones.",
        better="higher",
        unit="%",
    ),
    "synthetic.density_rgb": MetricInfo(
        title="Density of images",
        sentence="How densely real training images lie around synthetic ones for an image network; 1 for images of the "
        "same kind, less for images unlike any real one, more if only the most usual kinds are drawn.",
        better="near 1",
    ),
    "synthetic.coverage_rgb": MetricInfo(
        title="Coverage of images",
        sentence="Share of the real training images that have a synthetic one as their neighbour for an image network; "
        "kinds of ground that are never drawn lower it.",
        better="higher",
        unit="%",
    ),
    "real.coverage_rgb_floor": MetricInfo(
        title="Coverage of images, real",
        sentence="The same of real tiles by as many real tiles of other ground.",
        unit="%",
    ),
}
