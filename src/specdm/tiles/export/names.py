"""Names of files made of names that people gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def file_words(labels: Sequence[Any]) -> list[str]:
    """A word a label (date, mask layer) that any file system takes; none twice, whatever the letters' case.

    A single label gives an empty word: nothing has to be told apart.
    """
    if len(labels) < 2:
        return [""] * len(labels)
    words = [re.sub(r"[^\w-]+", "-", str(label)).strip("-")[:60] or "x" for label in labels]
    if len({word.lower() for word in words}) < len(words):
        words = [f"{i + 1}-{word}" for i, word in enumerate(words)]
    return [f"_{word}" for word in words]
