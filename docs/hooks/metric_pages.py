"""reference/metrics.md: every number of `specdm evaluate`, in one sentence each, from `METRICS`."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/metrics.md"
INTRODUCTION = """# Metrics

What each number of `specdm evaluate` is called in `evaluation.json`, what it says, where good values lie and, where the
project holds itself to one, the bar. How to read them together: [Fidelity metrics](../concepts/metrics.md).
"""
GROUPS = {
    "synthetic": "Synthetic tiles",
    "real": "Real ground, for comparison",
    "codec": "The codec",
    "authenticity": "Copies of training tiles",
    "change": "Change between dates",
    "amount": "Abundances and other amounts",
    "sampling": "Cost",
    "training": "Cost",
    "memory": "Cost",
}
"""First part of a metric's name -> heading."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, PAGE, content=metric_page()))
    return files


def metric_page() -> str:
    """The page in Markdown."""
    from specdm.evaluation.metrics import METRICS

    rows: dict[str, list[str]] = {}
    for key, info in METRICS.items():
        group = GROUPS.get(key.partition(".")[0], "Others")
        cells = (f"`{key}`", info.title, info.sentence, info.better or "", info.show_bar())
        rows.setdefault(group, []).append("| " + " | ".join(cells) + " |")
    head = "| key | name | what it says | better | bar |\n|---|---|---|---|---|"
    tables = (f"\n## {group}\n\n{head}\n" + "\n".join(lines) + "\n" for group, lines in rows.items())
    return INTRODUCTION + "".join(tables)
