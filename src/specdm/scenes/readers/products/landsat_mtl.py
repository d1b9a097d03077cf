"""Landsat's MTL metadata in its three forms: JSON, XML, and text in groups ("GROUP = X", "KEY = VALUE")."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from specdm.errors import FileFormatError
from specdm.scenes.readers.lazy import one_line

_LINE = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*")


def read_mtl(content: bytes, *, where: Path) -> dict[str, dict[str, str]]:
    """Group -> key -> value as text. Keys occur in several groups with other meanings, so groups are kept apart.

    Args:
        content: of the file.
        where: the file, for messages; its ending says which form it is.

    Raises:
        FileFormatError: damaged or truncated.
    """
    try:
        if where.suffix.lower() == ".json":
            groups = json.loads(content)["LANDSAT_METADATA_FILE"]
            return {group: {key: str(value) for key, value in own.items()} for group, own in groups.items()}
        if where.suffix.lower() == ".xml":
            root = ElementTree.fromstring(content)
            return {group.tag: {item.tag: (item.text or "").strip() for item in group} for group in root}
        return _text(content.decode("utf-8", errors="replace"))
    except (ValueError, KeyError, AttributeError, TypeError, ElementTree.ParseError) as error:
        raise FileFormatError(
            f"{where}: cannot be read as Collection 2 metadata, it is damaged, truncated or of another collection "
            f"({one_line(error)}); copy or download it again"
        ) from error


def _text(text: str) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    inside: list[str] = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        key, value = match[1], match[2].strip('"')
        if key == "GROUP":
            inside.append(value)
            groups.setdefault(value, {})
        elif key == "END_GROUP":
            inside = inside[:-1]
        elif inside:
            groups[inside[-1]][key] = value
    if "PRODUCT_CONTENTS" not in groups or inside:
        raise ValueError("no group PRODUCT_CONTENTS" if not inside else f"the group {inside[-1]} has no end")
    return groups
