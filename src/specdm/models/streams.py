"""What is generated jointly: a list of streams, each with a kind and the codec it shares with its like.

A task is no more than such a list. Nothing that trains or samples asks for the task: it goes through the streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

StreamKind = Literal["image", "classes", "labelled", "amounts", "pair"]


@dataclass(frozen=True)
class Stream:
    """One thing that is generated jointly with the others.

    Attributes:
        name: such as "image" or "mask"; unique in a model.
        kind: "image" (a date of the tile's image), "classes" (a layer of its mask), "labelled" (where that layer says
            anything at all), "amounts" (quantities of its continuous mask) or "pair" (all of the tile at once, as a
            plain latent diffusion model has it).
        codec: name of the codec that encodes it; streams of one sensor, and layers of one legend, share one.
        position: which date or layer of the tile it is; 0 for amounts.
        span: its bands or quantities, from the first up to but without the second; None for all of them.
    """

    name: str
    kind: StreamKind
    codec: str
    position: int = 0
    span: tuple[int, int] | None = None

    @property
    def channels(self) -> slice:
        """Its bands or quantities."""
        return slice(None) if self.span is None else slice(*self.span)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Stream:
        """What `to_dict` gave, also after a journey through JSON."""
        span = record.get("span")
        return cls(**{**record, "span": None if span is None else (int(span[0]), int(span[1]))})


def streams_of(
    *,
    dates: Sequence[Any],
    layers: Sequence[str] = (),
    quantities: Sequence[str] = (),
    sum_to_one: bool = False,
    sparse: Sequence[str] = (),
    sensors: Sequence[tuple[int, int]] | None = None,
) -> tuple[Stream, ...]:
    """The streams of tiles: an image a date, a mask a layer, abundances together, free quantities one by one.

    Args:
        dates: labels of the dates.
        layers: names of the mask's layers.
        quantities: names of the quantities of a continuous mask.
        sum_to_one: whether these are abundances; they then share a stream, since none can be drawn without the rest.
        sparse: those of the layers that leave ground unlabelled; where they do so is then a stream of its own, always
            known, so that a drawn mask can say nothing where no class describes the ground.
        sensors: the bands of each date, from the first up to but without the second; None if all dates have all
            bands. Dates of the same bands share a codec.
    """
    names = ["image"] if len(dates) == 1 else [f"image {date}" for date in dates]
    spans: list[tuple[int, int] | None] = [None] * len(dates) if sensors is None else list(sensors)
    different = list(dict.fromkeys(spans))
    streams = []
    for position, (name, span) in enumerate(zip(names, spans, strict=True)):
        codec = "image_codec" if len(different) == 1 else f"image_codec_{different.index(span) + 1}"
        streams.append(Stream(name, "image", codec, position, span))
    masks = ["mask"] if len(layers) == 1 else [f"mask {layer}" for layer in layers]
    streams += [Stream(name, "classes", "mask_codec", position) for position, name in enumerate(masks)]
    for position, layer in enumerate(layers):
        if layer in sparse:
            name = "labelled" if len(layers) == 1 else f"labelled {layer}"
            streams.append(Stream(name, "labelled", "labelled_codec", position))
    if sum_to_one and quantities:
        streams.append(Stream("abundances", "amounts", "amount_codec"))
    elif quantities:
        streams += [
            Stream(name, "amounts", f"amount_codec_{i + 1}", 0, (i, i + 1)) for i, name in enumerate(quantities)
        ]
    return tuple(streams)


PAIR = Stream("pair", "pair", "pair_codec")
"""The only stream of a plain latent diffusion model: image and mask concatenated."""


def image_and_mask_streams(streams: Sequence[Stream]) -> list[list[int]]:
    """Numbers of the streams that are images, and of those that are masks of any kind; a kind not there is left out."""
    groups: dict[bool, list[int]] = {}
    for number, stream in enumerate(streams):
        groups.setdefault(stream.kind == "image", []).append(number)
    return list(groups.values())


def stages_of(streams: Sequence[Stream], *, masks_first: bool = True) -> list[list[int]]:
    """Numbers of the streams that are drawn together, one group after the other; a kind not there is left out.

    Where masks say something, then what they say, then images that fit them: each is drawn from what is already known,
    and p(labelled) p(mask | labelled) p(image | mask, labelled) is the joint distribution. Without `masks_first` masks
    and images are drawn together at one noise level, as in the SpecDM paper (arXiv 2502.17056).
    """
    masks = 1 if masks_first else 2
    order: dict[StreamKind, int] = {"labelled": 0, "classes": masks, "amounts": masks, "image": 2, "pair": 2}
    groups: dict[int, list[int]] = {}
    for number, stream in enumerate(streams):
        groups.setdefault(order[stream.kind], []).append(number)
    return [groups[place] for place in sorted(groups)]


def masks_with_gaps(streams: Sequence[Stream]) -> list[tuple[int, int]]:
    """Numbers of each mask that leaves ground unlabelled, and of the stream that says where."""
    numbers = {(stream.kind, stream.position): number for number, stream in enumerate(streams)}
    return [
        (numbers["classes", stream.position], number)
        for number, stream in enumerate(streams)
        if stream.kind == "labelled"
    ]


def stage_shifts(
    streams: Sequence[Stream], stages: Sequence[Sequence[int]], *, image: float, mask: float
) -> list[float]:
    """Shift of the noise levels of each group of `stages_of`, see `specdm.models.flow.shift_levels`."""
    pictures = [{streams[s].kind for s in group} & {"image", "pair"} for group in stages]
    return [image if there else mask for there in pictures]
