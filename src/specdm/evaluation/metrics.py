"""What each number is called, what it means in plain words, and what counts as good."""

from __future__ import annotations

from dataclasses import replace

from specdm.evaluation.metric_info import MetricInfo, Verdict
from specdm.evaluation.metrics_amounts import AMOUNTS
from specdm.evaluation.metrics_change import CHANGE
from specdm.evaluation.metrics_fidelity import FIDELITY
from specdm.evaluation.metrics_pictures import PICTURES
from specdm.evaluation.texture import LAGS

__all__ = ["METRICS", "MetricInfo", "Verdict", "info_of"]

_FAR = {1: "neighbouring pixels", 4: "pixels 4 apart", 8: "pixels 8 apart"}

_SYNTHETIC = {
    "lda_ratio": MetricInfo(
        title="Masks fit images",
        sentence="A classifier that knows only real pixels agrees with the synthetic masks this often, as a "
        "share of how often it agrees with real masks on real tiles after the codec. 1 is as good as real.",
        better="higher",
        bar=(0.88, None),
        headline=True,
    ),
    "lda_agreement": MetricInfo(
        title="Classifier agrees with synthetic masks",
        sentence="Share of labelled synthetic pixels for which a classifier trained on real spectra (linear "
        "discriminant analysis) names the class that the mask gives.",
        better="higher",
        unit="%",
    ),
    "lda_ceiling": MetricInfo(
        title="Classifier agrees with real masks",
        sentence="The same on real training tiles after the codec (without a model: as they are). Synthetic "
        "tiles cannot be expected to do better.",
        better="higher",
        unit="%",
    ),
    "class_mean_angle_deg_worst": MetricInfo(
        title="Class spectra, worst angle",
        sentence="Angle between the mean spectra of real and synthetic pixels of a class, where it is "
        "largest; classes above 2 % of the labelled training pixels. 0° is the same shape.",
        better="lower",
        bar=(None, 3.0),
        unit="°",
        headline=True,
    ),
    "class_frequency_worst_factor": MetricInfo(
        title="Class frequencies, worst factor",
        sentence="How many times too often or too rarely a class occurs, held against the training tiles, "
        "where it is worst; classes above 2 % of the labelled training pixels. 1 is just as often.",
        better="lower",
        bar=(None, 2.0),
        unit="×",
        headline=True,
    ),
    "classes_missing": MetricInfo(
        title="Classes missing",
        sentence="Classes above 0.5 % of the labelled training pixels that no synthetic pixel has.",
        better="lower",
        bar=(None, 0.0),
        unit="n",
        headline=True,
    ),
    **{
        f"texture_ratio_lag{lag}": MetricInfo(
            title=f"Texture, {_FAR[lag]}",
            sentence=f"How much {_FAR[lag]} differ in synthetic tiles, over the same in real training tiles "
            "after the codec (without a model: as they are). Below 1 is too smooth, above 1 too rough.",
            better="near 1",
            bar=(0.7, 1.4),
            headline=True,
        )
        for lag in LAGS
    },
    "band_std_ratio": MetricInfo(
        title="Spread of the bands",
        sentence="Standard deviation of a band over all synthetic pixels, over that of the real training "
        "pixels; mean of all bands. Below 1, bright and dark extremes are drawn too rarely.",
        better="near 1",
        bar=(0.9, None),
        headline=True,
    ),
    "frechet_spectral": MetricInfo(
        title="Fréchet distance of spectra",
        sentence="How far the cloud of synthetic spectra lies from that of the real training spectra "
        "(2-Wasserstein distance of two Gaussians in principal components of unit variance). 0 is the same "
        "cloud; the next line says how far real ground lies from other real ground.",
        better="lower",
    ),
}

_CODEC = {
    "spectral_angle_deg": MetricInfo(
        title="Codec: spectral angle",
        sentence="Mean angle between the spectrum of a held-out real pixel and the same after the codec, each "
        "date by itself. 0° is no change of shape.",
        better="lower",
        bar=(None, 2.0),
        unit="°",
        headline=True,
    ),
    "mask_accuracy": MetricInfo(
        title="Codec: mask pixels right",
        sentence="Share of the labelled pixels of held-out real masks that keep their class in the codec.",
        better="higher",
        bar=(0.99, None),
        unit="%",
        headline=True,
    ),
    "lda_ratio": MetricInfo(
        title="Codec: classes kept",
        sentence="Accuracy of the classifier on held-out real tiles after the codec, over that on the tiles "
        "as they are. 1 means that nothing was lost which tells the classes apart.",
        better="higher",
        bar=(0.95, None),
        headline=True,
    ),
    "lda_accuracy_original": MetricInfo(
        title="Classifier on held-out tiles",
        sentence="Share of the labelled pixels of held-out real tiles that the classifier gets right.",
        better="higher",
        unit="%",
    ),
    "lda_accuracy_reconstructed": MetricInfo(
        title="Classifier on held-out tiles after the codec",
        sentence="The same after the codec.",
        better="higher",
        unit="%",
    ),
    **{
        f"texture_ratio_lag{lag}": MetricInfo(
            title=f"Codec: texture, {_FAR[lag]}",
            sentence=f"How much {_FAR[lag]} differ in real training tiles after the codec, over the tiles as "
            "they are. Below 1, the codec smooths.",
            better="near 1",
        )
        for lag in LAGS
    },
}

_COST = {
    "sampling.seconds_for_64": MetricInfo(
        title="Time for 64 tiles",
        sentence="Wall time to draw 64 synthetic tiles on this machine.",
        better="lower",
        bar=(None, 10.0),
        unit="s",
        headline=True,
    ),
    "training.seconds": MetricInfo(
        title="Training time", sentence="Wall time of training on this machine.", better="lower", unit="s"
    ),
    "memory.peak_gb": MetricInfo(
        title="Peak memory",
        sentence="Most memory the process held.",
        better="lower",
        bar=(None, 6.0),
        unit="GB",
    ),
}

_COUNTS = {
    "synthetic.tiles": ("Synthetic tiles", "Synthetic tiles there are."),
    "synthetic.labelled_pixels": ("Synthetic pixels judged", "Labelled pixels that the classifier judged."),
    "real.training_tiles": ("Training tiles", "Real training tiles there are."),
    "real.training_pixels": ("Training pixels", "Different pixels of ground in them, overlap not counted."),
    "real.labelled_pixels": (
        "Labelled training pixels",
        "Those of them with a class; with a mask a date, each date counts.",
    ),
    "real.heldout_tiles": ("Held-out tiles", "Real validation and test tiles there are."),
}

METRICS: dict[str, MetricInfo] = {
    **{f"synthetic.{key}": info for key, info in _SYNTHETIC.items()},
    "real.frechet_spectral_floor": MetricInfo(
        title="Fréchet distance between real tiles",
        sentence="The same distance between real training and real held-out tiles: how much one piece of "
        "ground differs from the next.",
    ),
    "synthetic.labelled_share": MetricInfo(
        title="Labelled synthetic pixels",
        sentence="Share of the synthetic pixels whose mask gives a class.",
        unit="%",
    ),
    **{f"codec.{key}": info for key, info in _CODEC.items()},
    **{f"change.{key}": info for key, info in CHANGE.items()},
    **AMOUNTS,
    **PICTURES,
    **FIDELITY,
    **_COST,
    **{key: MetricInfo(title=title, sentence=text, unit="n") for key, (title, text) in _COUNTS.items()},
}


def info_of(key: str) -> MetricInfo:
    """What is known of a metric; a plain title made of the key if nothing is.

    Args:
        key: as in `METRICS`, or one with the dates that it is about in brackets at its end.
    """
    name, bracket, about = key.removesuffix("]").partition(" [")
    if name in METRICS:
        info = METRICS[name]
        return replace(info, title=f"{info.title} ({about})", headline=False) if bracket else info
    return MetricInfo(title=key.replace(".", ": ").replace("_", " "), sentence="")
