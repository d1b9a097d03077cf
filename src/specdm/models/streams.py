"""What is generated jointly: a list of streams, each with a kind and the codec it shares with its like."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

StreamKind = Literal["image", "classes"]


@dataclass(frozen=True)
class Stream:
    """One thing that is generated jointly with the others.

    Attributes:
        name: such as "image" or "mask"; unique in a model.
        kind: "image" (a date of the tile's image) or "classes" (a layer of its mask).
        codec: name of the codec that encodes it; streams of one sensor share one.
        position: which date or layer of the tile it is.
    """

    name: str
    kind: StreamKind
    codec: str
    position: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def segmentation_streams() -> tuple[Stream, ...]:
    """One image and one mask."""
    return (Stream("image", "image", "image_codec"), Stream("mask", "classes", "mask_codec"))
