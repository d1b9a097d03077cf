"""How long a stage trains, over interruptions too."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from specdm.training import budget as budget_module
from specdm.training.budget import Budget


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(budget_module, "time", clock)
    return clock


def new(**options) -> Budget:
    settings = {"steps": None, "minutes": None, "learning_rate": 1.0, "warmup_steps": 0, "decay_share": 0.0}
    return Budget(**(settings | options))


def trainer(step: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        world_size=1, global_step=step, should_stop=False, optimizers=[SimpleNamespace(param_groups=[{"lr": 99.0}])]
    )


def stops(budget: Budget, step: int) -> bool:
    at = trainer(step)
    budget.on_train_batch_end(at, None, None, None, 0)
    return at.should_stop


def test_steps() -> None:
    budget = new(steps=10)
    assert not stops(budget, 9) and stops(budget, 10)
    assert budget.share_used(5) == 0.5


def test_minutes(clock: Clock) -> None:
    budget = new(minutes=2)
    budget.on_train_start(trainer(), None)
    clock.now += 60
    assert budget.seconds == 60 and budget.share_used(10**9) == 0.5 and not stops(budget, 10**9)
    clock.now += 61
    assert stops(budget, 1) and budget.share_used(1) == 1.0


def test_the_first_of_both_counts(clock: Clock) -> None:
    budget = new(steps=100, minutes=1)
    budget.on_train_start(trainer(), None)
    assert stops(budget, 100)
    clock.now += 60
    assert stops(budget, 1)


def test_seconds_are_counted_over_interruptions(clock: Clock) -> None:
    first = new(minutes=2)
    first.on_train_start(trainer(), None)
    clock.now += 90
    saved = first.state_dict()
    clock.now += 10_000  # the machine is off
    second = new(minutes=2)
    second.load_state_dict(saved)
    assert second.seconds == 90
    second.on_train_start(trainer(), None)
    clock.now += 20
    assert second.seconds == 110 and not stops(second, 1)
    clock.now += 20
    assert stops(second, 1)


def test_a_budget_that_is_used_up_does_not_start(clock: Clock) -> None:
    budget = new(minutes=1)
    budget.load_state_dict({"seconds": 61.0})
    at = trainer()
    budget.on_train_start(at, None)
    assert at.should_stop


def test_learning_rate_warms_up_stays_and_falls() -> None:
    budget = new(steps=100, learning_rate=2.0, warmup_steps=10, decay_share=0.5)
    assert budget.rate(0) == pytest.approx(0.2)
    assert budget.rate(9) == budget.rate(50) == pytest.approx(2.0)
    assert budget.rate(75) == pytest.approx(1.0)
    assert budget.rate(100) == 0.0
    assert new(steps=100, learning_rate=2.0).rate(100) == 2.0


def test_the_rate_reaches_the_optimizer() -> None:
    at = trainer(75)
    new(steps=100, learning_rate=2.0, decay_share=0.5).on_train_batch_start(at, None, None, 0)
    assert at.optimizers[0].param_groups[0]["lr"] == pytest.approx(1.0)


def test_a_group_may_have_so_many_times_the_rate() -> None:
    at = trainer(75)
    at.optimizers[0].param_groups.append({"times": 2.0})
    new(steps=100, learning_rate=2.0, decay_share=0.5).on_train_batch_start(at, None, None, 0)
    assert [group["lr"] for group in at.optimizers[0].param_groups] == pytest.approx([1.0, 2.0])
