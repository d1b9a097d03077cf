"""Figures and the HTML report, made from tile sets and evaluation records, and what a run sends to the Hub."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.report.card_figures import run_figures
    from specdm.report.html import write_report
    from specdm.report.pushing import push_run

__all__ = ["push_run", "run_figures", "write_report"]

_HOMES = {"push_run": "pushing", "run_figures": "card_figures", "write_report": "html"}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562): the report needs matplotlib and jinja2
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
