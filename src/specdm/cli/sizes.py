"""Sizes and margins as users write them."""

from __future__ import annotations

import re

from specdm.errors import ConfigError


def size(text: str | None) -> tuple[int, int] | None:
    """ "512x640" as rows and columns, "512" as a square.

    Raises:
        ConfigError: something else, or a size of nothing.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+)(?:\s*[x×,]\s*(\d+))?\s*", text, re.IGNORECASE)
    found = None if match is None else (int(match[1]), int(match[2] or match[1]))
    if found is None or min(found) < 1:
        raise ConfigError(f"--size {text}: expected rows x columns in pixels, such as 512x512")
    return found


def margin(text: str | None) -> tuple[int, int, int, int]:
    """ "64" as 64 pixels on every side, "0,64,64,0" as those at the top, right, bottom and left; none as nothing.

    Raises:
        ConfigError: something else.
    """
    if text is None:
        return (0, 0, 0, 0)
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (1, 4) or not all(part.isdigit() for part in parts):
        raise ConfigError(f"--by {text}: expected pixels on every side (64), or top,right,bottom,left (0,64,64,0)")
    top, right, bottom, left = (int(part) for part in (parts * 4)[:4])
    return (top, right, bottom, left)
