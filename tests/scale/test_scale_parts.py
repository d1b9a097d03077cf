"""Batches and shards cover every tile once; progress where there is no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdm.cli.progress import Lines, duration, progress_bar, rate
from specdm.synthesis.scale.parts import parts_of
from specdm.synthesis.scale.shard import Shard


@given(st.integers(1, 500), st.integers(1, 40), st.integers(1, 60), st.data())
def test_batches_are_those_of_the_whole(n: int, count: int, batch_size: int, data) -> None:
    whole = {(part.first, part.n) for part in parts_of(0, n, n=n, batch_size=batch_size)}
    assert sorted(i for first, size in whole for i in range(first, first + size)) == list(range(n))
    ends = [Shard(number, min(count, n)).range_of(n) for number in range(1, min(count, n) + 1)]
    assert [first for first, _ in ends] == [0, *(stop for _, stop in ends[:-1])] and ends[-1][1] == n
    first, stop = data.draw(st.sampled_from(ends))
    start = data.draw(st.integers(first, stop - 1))
    parts = [(part.first, part.n) for part in parts_of(start, stop, n=n, batch_size=batch_size)]
    assert set(parts) <= whole
    assert parts[0][0] <= start and sum(parts[-1]) >= stop


def test_lines_say_the_rate_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    told = Lines("sampling", clock=lambda: now[0])
    for seconds, done in ((0, 1000), (30, 1300), (61, 1610), (70, 1700), (130, 2300)):
        now[0] = float(seconds)
        told(done, 100_000)
    assert capsys.readouterr().err.splitlines() == [
        "sampling: 1,610 of 100,000, 10/s, 2 h 43 min left",
        "sampling: 2,300 of 100,000, 10/s, 2 h 42 min left",
    ]


def test_words_for_rates_and_times() -> None:
    assert [rate(speed) for speed in (0.0, 0.05, 4.123, 812.3)] == ["", "3/min", "4.12/s", "812/s"]
    assert [duration(s) for s in (5, 65, 3600 * 3 + 720, 3600 * 51)] == ["5 s", "1 min", "3 h 12 min", "2 d 3 h"]


def test_a_bar_on_a_terminal_does_not_count_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("sampling") as progress:
        progress(1_000_000, 2_000_000)
        progress(1_000_001, 2_000_000)
        task = (
            progress.__closure__
            and next(cell.cell_contents for cell in progress.__closure__ if hasattr(cell.cell_contents, "tasks")).tasks[
                0
            ]
        )
        assert task.completed == 1_000_001
        assert task.speed is None or task.speed < 500_000
