"""Names and units in figures as they are written: a `$` of the user's begins no mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plain_names(figure: Figure) -> Figure:
    r"""The figure with all of its text taken as it is, but for numbers beside its axes.

    Matplotlib would set what stands between two `$` as mathematics, and fails where it cannot (`$\si{t/ha}$`). Numbers
    of logarithmic axes are set that way by itself.
    """
    from matplotlib.axis import Tick
    from matplotlib.text import Text

    numbers = {id(label) for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)}
    for text in figure.findobj(Text):
        if id(text) not in numbers:
            text.set_parse_math(False)
    return figure
