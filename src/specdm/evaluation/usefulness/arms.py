"""The arms: what a network is trained on, in which mixture, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.augmentation import Augmentation

Source = Literal["real", "dense", "drawn", "read", "sure", "filtered", "weighted", "balanced", "varied", "ldm"]
SOURCES: dict[Source, str] = {
    "real": "real tiles with the labels kept",
    "dense": "real tiles, unlabelled ground labelled by the model's reading where that is sure",
    "drawn": "synthetic tiles with the masks drawn with them",
    "read": "synthetic tiles, all ground labelled by the model's reading of the image",
    "sure": "synthetic tiles, labelled by the model's reading of the image where that is sure",
    "filtered": "synthetic tiles without their least reliable labels",
    "weighted": "synthetic tiles, labels weighted by their reliability",
    "balanced": "synthetic tiles with as much of every class, labelled by the model's reading where that is sure",
    "varied": "real tiles with images drawn anew from half noise, labelled further as dense ones are",
    "ldm": "synthetic tiles of the baseline, a plain latent diffusion model",
}
"""Where tiles come from, and what they are."""


@dataclass(frozen=True)
class Portion:
    """A share of every batch.

    Attributes:
        source: a key of `SOURCES`.
        share: of the batch, above 0 to 1.
    """

    source: Source
    share: float


@dataclass(frozen=True)
class Arm:
    """What a network is trained on.

    Attributes:
        name: in records and tables.
        about: one line.
        portions: of every batch, shares summing to 1.
        before: portions of the first half of the steps, where these differ: pre-training.
        augmentation: of every batch.
        longer: times as many steps as other arms have.
    """

    name: str
    about: str
    portions: tuple[Portion, ...]
    before: tuple[Portion, ...] = ()
    augmentation: Augmentation = "usual"
    longer: int = 1

    @property
    def sources(self) -> tuple[Source, ...]:
        """Sources of all portions, each once."""
        return tuple(dict.fromkeys(portion.source for portion in (*self.before, *self.portions)))

    @property
    def kind(self) -> Literal["real", "dense", "synthetic", "only"]:
        """What its tiles are, by which arms are compared.

        "real" without synthetic tiles, "dense" with densified real ones only, "synthetic" for synthetic tiles beside
        real ones, "only" for synthetic tiles alone.
        """
        sources = set(self.sources)
        if sources == {"real"}:
            return "real"
        if sources <= {"real", "dense"}:
            return "dense"
        return "synthetic" if sources & {"real", "dense"} else "only"

    @property
    def rival(self) -> str:
        """The kind of arm that it must beat: what it has beside its synthetic tiles, labels read off real ones too."""
        return "dense" if {"dense", "varied"} & set(self.sources) else "real"


def _half(first: Source, second: Source) -> tuple[Portion, ...]:
    return Portion(first, 0.5), Portion(second, 0.5)


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("real", "real tiles", (Portion("real", 1.0),)),
        Arm("real+longer", "real tiles, twice the steps", (Portion("real", 1.0),), longer=2),
        Arm("real+mixup", "real tiles, mixed in pairs", (Portion("real", 1.0),), augmentation="mixup"),
        Arm(
            "real+copy-paste", "real tiles, classes pasted between them", (Portion("real", 1.0),),
            augmentation="copy_paste",
        ),
        Arm("real+drawn", "half real, half synthetic", _half("real", "drawn")),
        Arm("real+read", "half real, half synthetic with masks read off the images", _half("real", "read")),
        Arm("real+sure", "half real, half synthetic labelled where the reading is sure", _half("real", "sure")),
        Arm(
            "real+sure+longer", "half real, half synthetic labelled where the reading is sure, twice the steps",
            _half("real", "sure"), longer=2,
        ),
        Arm("real+filtered", "half real, half synthetic without doubtful labels", _half("real", "filtered")),
        Arm("real+weighted", "half real, half synthetic weighted by reliability", _half("real", "weighted")),
        Arm("real+varied", "half real, half varied", _half("real", "varied")),
        Arm("real+balanced", "half real, half synthetic with all classes alike", _half("real", "balanced")),
        Arm(
            "pretrained", "synthetic tiles first, then real ones", (Portion("real", 1.0),),
            before=(Portion("sure", 1.0),),
        ),
        Arm(
            "pretrained+longer", "synthetic tiles first, then real ones, twice the steps", (Portion("real", 1.0),),
            before=(Portion("sure", 1.0),), longer=2,
        ),
        Arm("dense", "real tiles with more labels, by the model's reading", (Portion("dense", 1.0),)),
        Arm("dense+longer", "real tiles with more labels, twice the steps", (Portion("dense", 1.0),), longer=2),
        Arm("dense+varied", "half real with more labels, half of these varied", _half("dense", "varied")),
        Arm("dense+sure", "half real with more labels, half synthetic as in real+sure", _half("dense", "sure")),
        Arm(
            "dense+balanced", "half real with more labels, half synthetic with all classes alike",
            _half("dense", "balanced"),
        ),
        Arm("sure", "synthetic tiles alone, labelled where the reading is sure", (Portion("sure", 1.0),)),
        Arm("drawn", "synthetic tiles alone", (Portion("drawn", 1.0),)),
        Arm("varied", "varied tiles alone", (Portion("varied", 1.0),)),
        Arm("real+ldm", "half real, half synthetic of the baseline", _half("real", "ldm")),
        Arm(
            "pretrained+ldm", "synthetic tiles of the baseline first, then real ones", (Portion("real", 1.0),),
            before=(Portion("ldm", 1.0),),
        ),
    )
}  # fmt: skip
"""All arms by name."""


def arms_of(names: tuple[str, ...]) -> tuple[Arm, ...]:
    """Arms by name.

    Raises:
        ConfigError: there is no such arm.
    """
    unknown = [name for name in names if name not in ARMS]
    if unknown:
        raise ConfigError(f"there is no arm {unknown[0]!r}; choose from {', '.join(ARMS)}")
    return tuple(ARMS[name] for name in names)
