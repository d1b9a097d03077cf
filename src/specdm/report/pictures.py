"""Tiles and figures as parts of one HTML file."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING

import numpy as np

from specdm.report.figures import INK
from specdm.scenes.plain_names import plain_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png_data(picture: np.ndarray) -> str:
    """A picture float `(h, w, 3)` in 0..1 as a data address; a pixel stays a pixel, the page enlarges it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8)).save(
        buffer, "PNG", optimize=True
    )
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def svg(figure: Figure, *, label: str) -> str:
    """A figure as an `<svg>` element whose text and axes take the colour of the page.

    Args:
        figure: drawn in `INK` where it should follow the page.
        label: read aloud by screen readers instead of the drawing.
    """
    from html import escape

    import matplotlib

    plain_names(figure)
    buffer = io.StringIO()
    # text stays text: few bytes, in the page's own font; ids must differ between drawings
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": label, "path.simplify_threshold": 0.3}
    ):
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'xmlns(:xlink)?="[^"]*"\s*', "", text)  # HTML knows them
    text = re.sub(r"<[^>]*>", lambda tag: _short_tag(tag[0]), text)
    # width and height would fix the size; the view box alone lets the page scale it
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg [^>]*?)height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label, quote=True)}" ', 1)


def _short_tag(tag: str) -> str:
    """A tag, but not the words between tags, with the page's ink, and no finer than a hundredth of a point."""
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", tag.replace("xlink:href", "href").replace(INK, "currentColor"))
