"""What is asked of a filter by reliability."""

from __future__ import annotations

from dataclasses import dataclass

from specdm.errors import ConfigError


@dataclass(frozen=True)
class ReliabilityFilter:
    """What becomes of unreliable annotations; nothing, if nothing is said.

    Attributes:
        unlabel_below: pixels with a score below it become unlabelled, 0..1.
        unlabel_share: instead, this share of the judged pixels, those with the lowest scores, 0..1.
        drop_below: tiles with a score below it are left out, 0..1. The score is that before pixels are marked.
        n: tiles to have in the end; where too few are left, more are drawn.
    """

    unlabel_below: float | None = None
    unlabel_share: float | None = None
    drop_below: float | None = None
    n: int | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is to be filtered."""
        return (self.unlabel_below, self.unlabel_share, self.drop_below, self.n) != (None,) * 4

    def check(self) -> None:
        """Raise ConfigError if a number is out of range, or two of them contradict each other."""
        for name in ("unlabel_below", "unlabel_share", "drop_below"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ConfigError(f"--{name.replace('_', '-')} {value:g}: expected 0 to 1")
        if self.unlabel_below is not None and self.unlabel_share is not None:
            raise ConfigError("--unlabel-below (a score) and --unlabel-share (of pixels) exclude each other; give one")
        if self.n is not None and self.n < 1:
            raise ConfigError(f"-n {self.n}: expected at least 1 tile")
        if self.n is not None and self.drop_below is None:
            raise ConfigError(
                f"-n {self.n}: tiles are drawn anew until so many reach --drop-below; give it, such as --drop-below 0.6"
            )
