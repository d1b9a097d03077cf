"""When SpecDM is as good as the stock model, from made-up records."""

from __future__ import annotations

from few_steps import FIGURES
from training_time import first_minutes, reached, table

LDA = "synthetic.lda_agreement"


def figures(value: float, lda: float) -> dict[str, float]:
    return {key: lda if key == LDA else value for key in FIGURES}


def record(**specdm):
    return {
        "settings": {"set": "some_set", "tiles": 8, "stock_minutes": 2.0, "calibration_minutes": 0.5},
        "machine": "CPU",
        "stock": figures(10.0, 0.5),
        "specdm": {minutes.removeprefix("m").replace("_", "."): found for minutes, found in specdm.items()},
    }


def test_distances_are_to_be_lower_and_agreement_higher():
    assert set(reached(figures(9.0, 0.6), figures(10.0, 0.5))) == set(FIGURES)
    assert reached(figures(11.0, 0.6), figures(10.0, 0.5)) == [LDA]
    assert LDA not in reached(figures(9.0, 0.4), figures(10.0, 0.5))
    assert LDA not in reached({**figures(9.0, 0.4), LDA: None}, figures(10.0, 0.5))


def test_what_is_reached_must_stay_so_with_more_minutes():
    found = record(m0_5=figures(9.0, 0.6), m1=figures(11.0, 0.6), m2=figures(9.0, 0.6), m4=figures(8.0, 0.7))
    assert first_minutes(found) == 2.0
    assert first_minutes(found, LDA) == 0.5
    assert first_minutes(record(m0_5=figures(9.0, 0.6), m1=figures(11.0, 0.4))) is None


def test_the_table_says_the_share_of_the_minutes():
    text = "\n".join(table(record(m0_5=figures(11.0, 0.6), m1=figures(9.0, 0.6))))
    assert "| **all of them** | 1.5 | 0.60 |" in text
    assert f"| {FIGURES[LDA]} | 1 | 0.40 |" in text
    assert "| stock | 2.5 |" in text
    assert "not reached" in "\n".join(table(record(m1=figures(11.0, 0.4))))
