"""The arms: mixtures that fit batches, and what each is compared with."""

from __future__ import annotations

from typing import get_args

import pytest

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.arms import ARMS, SOURCES, Arm, Portion, Source, arms_of
from specdm.evaluation.usefulness.augmentation import Augmentation
from specdm.evaluation.usefulness.jobs import RIVALS


@pytest.mark.parametrize("arm", ARMS.values(), ids=ARMS)
def test_every_arm_is_whole(arm: Arm):
    assert ARMS[arm.name] is arm and arm.about
    for portions in (arm.portions, arm.before):
        assert sum(portion.share for portion in portions) == (1 if portions else 0)
        assert all(0 < portion.share <= 1 for portion in portions)
        assert len({portion.source for portion in portions}) == len(portions)
    assert arm.portions and set(arm.sources) <= set(SOURCES)
    assert arm.augmentation in get_args(Augmentation) and arm.longer >= 1
    # real tiles come first, so that arms which share them share their draws
    assert arm.portions[0].source in ("real", "dense") or arm.kind == "only"


def test_every_source_has_an_arm_and_words():
    assert set(SOURCES) == set(get_args(Source)) == {source for arm in ARMS.values() for source in arm.sources}
    assert len(set(SOURCES.values())) == len(SOURCES) and not set(RIVALS) & set(ARMS)


@pytest.mark.parametrize(
    ("kind", "rival", "names"),
    [
        ("real", "real", ["real", "real+longer", "real+mixup", "real+copy-paste"]),
        ("dense", "dense", ["dense", "dense+longer"]),
        (
            "synthetic", "real",
            ["real+drawn", "real+read", "real+sure", "real+sure+longer", "real+filtered", "real+weighted",
             "real+balanced", "real+ldm", "pretrained", "pretrained+longer", "pretrained+ldm"],
        ),
        ("synthetic", "dense", ["real+varied", "dense+sure", "dense+balanced", "dense+varied"]),
        ("only", "real", ["sure", "drawn"]),
        ("only", "dense", ["varied"]),
    ],
)  # fmt: skip
def test_kinds_and_rivals(kind: str, rival: str, names: list[str]):
    found = [name for name, arm in ARMS.items() if (arm.kind, arm.rival) == (kind, rival)]
    assert sorted(found) == sorted(names)


def test_what_comes_before_counts():
    arm = Arm("x", "x", (Portion("real", 1.0),), before=(Portion("dense", 0.5), Portion("sure", 0.5)))
    assert arm.sources == ("dense", "sure", "real")
    assert (arm.kind, arm.rival) == ("synthetic", "dense")


def test_rivals_of_augmentation_differ_from_real_in_it_alone():
    real = ARMS["real"]
    for name, augmentation in (("real+mixup", "mixup"), ("real+copy-paste", "copy_paste")):
        arm = ARMS[name]
        assert arm.augmentation == augmentation and real.augmentation == "usual"
        assert (arm.portions, arm.before, arm.longer) == (real.portions, real.before, real.longer)
    # more steps of synthetic tiles are held against more steps of real ones
    for name, arm in ARMS.items():
        assert arm.longer == (2 if name.endswith("+longer") else 1)
        shorter = ARMS[name.removesuffix("+longer")]
        assert (arm.portions, arm.before, arm.augmentation) == (shorter.portions, shorter.before, shorter.augmentation)


def test_arms_by_name():
    assert [arm.name for arm in arms_of(("dense", "real"))] == ["dense", "real"]
    with pytest.raises(ConfigError, match="there is no arm 'reel'; choose from real, "):
        arms_of(("real", "reel"))
