"""The table of README.md about change and abundances, from the records that change.py and regression.py left.

    python benchmarks/tasks_table.py
"""

from __future__ import annotations

from bars import HERE, put_between, read_records

README = HERE.parent / "README.md"
TITLES = {
    "change.auc_ratio": "AUC of change vectors, over real",
    "change.share_factor": "share of changed pixels, factor off",
    "synthetic.class_mean_angle_deg_worst": "class means, worst angle (°)",
    "change.unchanged_angle_ratio": "angle between dates where unchanged, over real",
    "contradictions_in_stored_tiles": "pixels where change contradicts the class masks",
    "amount.rmse_ratio": "unmixing error, over held-out real after the codec",
    "amount.sum_error_max": "abundances off a sum of one, at most",
    "amount.least": "least abundance",
}


def table() -> str:
    """Markdown: every bar of every record."""
    lines = ["| set | figure | bar | measured |", "|---|---|---|---|"]
    for record in [*read_records("change_*.json"), *read_records("regression_*.json")]:
        for key, bar in record["bars"].items():
            value = bar["value"]
            measured = "-" if value is None else f"{value:.3g}"
            missed = bar["verdict"] == "miss"
            shown = f"**{measured}, missed**" if missed else measured
            minutes = "" if record["minutes"] == 5.5 else f" ({record['minutes']:g} min)"
            lines.append(f"| {record['set']}{minutes} | {TITLES.get(key, key)} (`{key}`) | {bar['bar']} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    put_between(README, table().split("\n"), name="tasks")


if __name__ == "__main__":
    main()
