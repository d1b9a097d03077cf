"""What a user says of products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from specdm.errors import FileFormatError

Quality: TypeAlias = "str | Sequence[str]"

FLAGS = (
    "cloud", "cloud_edge", "cirrus", "shadow", "haze", "snow", "water", "dark", "saturated", "defective", "negative",
)  # fmt: skip
"""What quality layers say of pixels, in the words of all sensors; each product has some of them."""

KEEP = "keep"


@dataclass(frozen=True)
class ProductOptions:
    """How a product is to be read.

    Attributes:
        resolution: pixel size in metres of a product whose bands have several; None: the product's default.
        quality: names of `FLAGS` whose pixels become no data; "keep" for none; None: the sensor's default.
    """

    resolution: int | None = None
    quality: Quality | None = None

    def __post_init__(self) -> None:
        unknown = [word for word in self.words or () if word not in FLAGS]
        if unknown:
            known = ", ".join(FLAGS)
            raise FileFormatError(f"quality={unknown[0]!r} is not known; expected {KEEP}, or some of {known}")

    @property
    def words(self) -> tuple[str, ...] | None:
        """The flags asked for, or None if nothing was said."""
        if self.quality is None:
            return None
        words = [self.quality] if isinstance(self.quality, str) else [str(word) for word in self.quality]
        return () if words == [KEEP] else tuple(dict.fromkeys(words))
