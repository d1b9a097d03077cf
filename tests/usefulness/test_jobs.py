"""What is run: options that cannot be are refused, and every job has a name of its own that stays."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.downstream import Schedule
from specdm.evaluation.usefulness.jobs import DEFAULT_ARMS, RIVALS, SIGHTS, Grid, Group, Job


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"arms": ("real", "reel")}, "there is no arm 'reel'"),
        ({"arms": ()}, "arms is empty"),
        ({"arms": ("svm", "svm")}, "arms is svm, svm; expected at least one, each once"),
        ({"networks": ()}, "networks is empty"),
        ({"networks": ("unet", "unet")}, "networks is unet, unet"),
        ({"networks": ("a.b:c", "a:b.c")}, "networks a.b:c and a:b.c would have the same records"),
        ({"shares": ()}, "shares is empty"),
        ({"shares": (1.0, 1)}, "shares is 1.0, 1"),
        ({"shares": (0.5, 0.0)}, "a share of the labels is 0; expected above 0, to 1"),
        ({"shares": (1.5,)}, "a share of the labels is 1.5"),
        ({"shares": (-0.1,)}, "a share of the labels is -0.1"),
        ({"shares": (float("nan"),)}, "a share of the labels is nan"),
        ({"shares": (0.12345678, 0.12345679)}, "shares 0.12345678 and 0.12345679 would have the same records"),
        ({"seeds": ()}, "seeds is empty"),
        ({"seeds": (0, 0)}, "seeds is 0, 0"),
        ({"seeds": (0, -1)}, "a seed is -1; expected 0 or more"),
        ({"sights": ()}, "sights is empty"),
        ({"sights": ("run", "hidden")}, "test spectra are 'hidden'; expected some of run, seen, unseen"),
        ({"tiles": 0}, "the number of synthetic tiles is 0"),
        ({"schedule": Schedule(steps=0)}, "0 steps of 16 tiles"),
        ({"schedule": Schedule(batch_size=1)}, "800 steps of 1 tiles; expected at least 1 step of 2 tiles"),
        ({"schedule": Schedule(learning_rate=0.0)}, "the learning rate is 0; expected above 0"),
        ({"schedule": Schedule(learning_rate=float("nan"))}, "the learning rate is nan"),
        ({"schedule": Schedule(weight_decay=-1.0)}, "the weight decay is -1; expected 0 or more"),
        ({"judge": "train"}, "judge is 'train'; expected 'test' or 'val'"),
    ],
)  # fmt: skip
def test_what_cannot_be(options, told):
    with pytest.raises(ConfigError) as error:
        Grid(**options)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_defaults_can_be():
    grid = Grid()
    assert set(grid.arms) == set(DEFAULT_ARMS) <= {*ARMS, *RIVALS}
    assert len(grid.seeds) >= 5 and grid.judge == "test"


def test_names_stay():
    group = Group(0.1, 3, "unseen")
    assert group.name == "10pc-seed3-unseen"
    assert Job("real+copy-paste", "unet", group).name == "real+copy-paste-unet-10pc-seed3-unseen"
    assert Job("real", "my.package.nets:build", group).name == "real-my.package.nets.build-10pc-seed3-unseen"
    assert [Group(share, 0, "run").name for share in (1.0, 0.07, 0.025)] == [
        "100pc-seed0-run", "7pc-seed0-run", "2.5pc-seed0-run",
    ]  # fmt: skip


@given(
    st.lists(st.sampled_from([*ARMS, *RIVALS]), min_size=1, unique=True),
    st.lists(st.sampled_from(["unet", "swin", "a.b:c", "a.b:d", "a:b"]), min_size=1, unique=True),
    st.lists(st.integers(1, 10000).map(lambda n: n / 10000), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 20), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(sorted(SIGHTS)), min_size=1, unique=True),
)
def test_no_two_jobs_have_the_same_name(arms, networks, shares, seeds, sights):
    grid = Grid(
        arms=tuple(arms), networks=tuple(networks), shares=tuple(shares), seeds=tuple(seeds), sights=tuple(sights)
    )
    groups = grid.groups()
    assert len({group.name for group in groups}) == len(groups) == len(shares) * len(seeds) * len(sights)
    jobs = [job for group in groups for job in grid.jobs_of(group)]
    rivals = len(set(arms) & set(RIVALS))
    assert len({job.name for job in jobs}) == len(jobs) == len(groups) * ((len(arms) - rivals) * len(networks) + rivals)
    assert not any("/" in job.name or ":" in job.name for job in jobs)


def test_most_labels_first_then_all_arms_of_a_group():
    grid = Grid(arms=("svm", "real", "dense"), networks=("unet", "swin"), shares=(0.1, 1.0), seeds=(4, 2))
    assert grid.groups() == [Group(share, seed, "run") for share in (1.0, 0.1) for seed in (4, 2)]
    jobs = grid.jobs_of(grid.groups()[0])
    assert [(job.arm, job.network) for job in jobs] == [
        ("real", "unet"), ("dense", "unet"), ("real", "swin"), ("dense", "swin"), ("svm", "spectra"),
    ]  # fmt: skip


def test_what_makes_records_comparable():
    grid = Grid()
    record = grid.record()
    assert json.loads(json.dumps(record)) == record
    for same in (
        Grid(schedule=Schedule(accelerator="cuda")), Grid(arms=("real",)), Grid(shares=(0.5,)), Grid(seeds=(7,)),
        Grid(networks=("swin",)), Grid(sights=("seen",)),
    ):  # fmt: skip
        assert same.record() == record
    for changed in ({"steps": 3}, {"batch_size": 4}, {"learning_rate": 0.1}, {"weight_decay": 0.5}):
        assert Grid(schedule=replace(Schedule(), **changed)).record() != record
    assert Grid(tiles=3).record() != record and Grid(judge="val").record() != record
