"""`specdm doctor`: what this machine offers, for users and for bug reports."""

from __future__ import annotations

EXAMPLE = "Example: specdm doctor"


def doctor() -> None:
    """Show versions, devices, threads and free disk space."""
    from rich.console import Console

    from specdm.cli.tables import fact_table
    from specdm.report.machine import describe_machine

    Console().print(fact_table(describe_machine()))
