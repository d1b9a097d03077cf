"""What was known of the tiles that a model completed, as their provenance says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KnownParts:
    """What of given tiles is known.

    Attributes:
        names: "image", "mask" or names of streams; None: image and mask.
        in_area: known on part of the ground only.
        varied: images were drawn from the given ones with some noise.
    """

    names: Sequence[str] | None = None
    in_area: bool = False
    varied: bool = False

    def record(self) -> dict[str, Any]:
        """Entries of a tile set's provenance."""
        names = ["image", "mask"] if self.names is None else list(self.names)
        return {"known": names, "known_in_area": self.in_area, "images_varied": self.varied}
