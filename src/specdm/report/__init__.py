"""Figures and the HTML report, made from tile sets and evaluation records."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.report.html import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562): the report needs matplotlib and jinja2
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.html").write_report


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
