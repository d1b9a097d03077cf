"""What must be said of scenes wherever their tiles go: notes, what to cite, under what licence they are."""

from __future__ import annotations

from collections.abc import Sequence

from specdm.scenes.scene import Scene

MOST_NAMED = 3
NOT_RECORDED = "not recorded"


def said_of(scenes: Sequence[Scene]) -> dict[str, str]:
    """Attributes `note`, `citation` and `licence` of tiles of these scenes; absent where nothing is known."""
    said = {}
    for key in ("note", "citation"):
        lines = dict.fromkeys(str(s.dataset.attrs[key]) for s in scenes if s.dataset.attrs.get(key))
        if lines:
            said[key] = "; ".join(lines)
    licence = _licence(scenes)
    return said | ({"licence": licence} if licence else {})


def _licence(scenes: Sequence[Scene]) -> str | None:
    """That of all scenes; with the scenes' names where they differ, so that none passes for another's."""
    under: dict[str, list[str]] = {}
    for scene in scenes:
        under.setdefault(str(scene.dataset.attrs.get("licence") or NOT_RECORDED), []).append(scene.name)
    if list(under) == [NOT_RECORDED]:
        return None
    if len(under) == 1:
        return next(iter(under))
    return "; ".join(f"{licence} ({_few(names)})" for licence, names in under.items())


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
