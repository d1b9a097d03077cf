"""Noise levels: patterns, shift, interpolation."""

from __future__ import annotations

import pytest
import torch

from specdm.models.flow import (
    LevelPatterns,
    draw_levels,
    hidden_until_told,
    interpolate,
    level_by_channel,
    shift_levels,
    told_with_masks,
)

NOTHING = dict.fromkeys(("shared", "one_known", "one_unknown", "independent", "area_known", "stages"), 0.0)


def levels_of(n: int = 400, streams: int = 2, shift: float = 2.0, seed: int = 0, **shares: float) -> torch.Tensor:
    return draw_levels(
        n,
        streams,
        (6, 6),
        patterns=LevelPatterns(**(NOTHING | shares)),
        shift=shift,
        generator=torch.Generator().manual_seed(seed),
    )


def by_stream(levels: torch.Tensor) -> torch.Tensor:
    """`(n, streams)`, of levels that are the same in all cells."""
    assert (levels == levels[:, :, :1, :1]).all()
    return levels[:, :, 0, 0]


@pytest.mark.parametrize("pattern", list(NOTHING))
@pytest.mark.parametrize("streams", [1, 2, 3])
def test_levels_are_between_0_and_1(pattern: str, streams: int) -> None:
    levels = levels_of(streams=streams, **{pattern: 1.0})
    assert levels.shape == (400, streams, 6, 6)
    assert levels.min() >= 0 and levels.max() <= 1


def test_shared_is_one_level_and_stratified() -> None:
    levels = by_stream(levels_of(n=50, shift=1.0, shared=1))
    assert (levels == levels[:, :1]).all()
    assert (levels[:, 0].sort().values * 50).floor().tolist() == list(range(50))


@pytest.mark.parametrize(("pattern", "level"), [("one_known", 0.0), ("one_unknown", 1.0)])
def test_one_stream_is_known_or_unknown(pattern: str, level: float) -> None:
    special = by_stream(levels_of(**{pattern: 1})) == level
    assert (special.sum(dim=1) == 1).all()
    assert 120 < special[:, 0].sum() < 280, "each stream should be chosen about half of the time"


@pytest.mark.parametrize(("pattern", "level"), [("one_known", 0.0), ("one_unknown", 1.0)])
def test_half_of_the_time_a_whole_group_is_known_or_unknown(pattern: str, level: float) -> None:
    """Both dates known, for a mask drawn from them; and a mask by itself."""
    levels = draw_levels(
        400, 3, (6, 6), patterns=LevelPatterns(**(NOTHING | {pattern: 1.0})), shift=2.0,
        generator=torch.Generator().manual_seed(0), groups=[[0, 1], [2]],
    )  # fmt: skip
    special = by_stream(levels) == level
    both = special[:, 0] & special[:, 1]
    assert 60 < both.sum() < 140, "half of the 200 times that images were chosen"
    assert not (both & special[:, 2]).any()
    assert 150 < (special[:, 2] & ~special[:, 0]).sum() < 250, "masks are as likely as images"


def test_stages_are_what_the_solver_asks() -> None:
    """Stage by stage: what was drawn is known, what comes later unknown."""
    levels = by_stream(
        draw_levels(
            600, 4, (6, 6), patterns=LevelPatterns(**(NOTHING | {"stages": 1.0})), shift=2.0,
            generator=torch.Generator().manual_seed(0), stages=[[3], [1], [0, 2]], stage_shifts=[1.0, 1.0, 8.0],
        )
    )  # fmt: skip
    on_the_way = (levels > 0) & (levels < 1)
    for group, known, unknown in (([3], [], [0, 1, 2]), ([1], [3], [0, 2]), ([0, 2], [1, 3], [])):
        here = on_the_way[:, group].all(dim=1)
        assert here.sum() > 60
        assert (levels[here][:, known] == 0).all() and (levels[here][:, unknown] == 1).all()
        assert (levels[here][:, group] == levels[here][:, group[:1]]).all()
    images = on_the_way[:, 0]
    assert on_the_way[:, 3].sum() < on_the_way[:, 1].sum() < images.sum()
    assert levels[images, 0].median() > 0.8 > levels[on_the_way[:, 1], 1].median()


def test_a_mask_is_unknown_until_it_is_known_where_it_says_something() -> None:
    levels = torch.full((1, 3, 2, 2), 0.5)
    levels[0, 2] = torch.tensor([[0.0, 0.3], [1.0, 0.0]])
    found = hidden_until_told(levels, [(1, 2)])
    assert found[0, 1].tolist() == [[0.5, 1.0], [1.0, 0.5]]
    assert torch.equal(found[:, [0, 2]], levels[:, [0, 2]])
    assert (levels[0, 1] == 0.5).all(), "what was given stays as it was"


def test_where_masks_say_something_is_known_in_most_tiles_that_show_them() -> None:
    """Else masks with gaps, hidden until that is known, would hardly be learnt."""
    levels = torch.full((400, 3, 2, 2), 0.5)
    levels[200:, 1] = 1.0
    found = told_with_masks(levels, [(1, 2)], generator=torch.Generator().manual_seed(0))
    told = (found[:, 2] == 0).flatten(1).all(dim=1)
    assert 130 < told[:200].sum() < 170 and not told[200:].any()
    assert torch.equal(found[:, :2], levels[:, :2]) and (levels[:, 2] == 0.5).all()
    hidden = hidden_until_told(found, [(1, 2)])
    assert torch.equal((hidden[:, 1] == 1).flatten(1).all(dim=1), ~told)


def test_where_labels_are_may_be_asked_around_known_ground() -> None:
    """Masks are known there and unknown around; told everything, such a tile would teach nothing."""
    levels = torch.full((200, 3, 2, 2), 0.0)
    levels[:, 1, 0], levels[:, 2, 0], levels[:, 0, 0] = 1.0, 0.4, 1.0
    assert torch.equal(told_with_masks(levels, [(1, 2)], generator=torch.Generator().manual_seed(0)), levels)


def test_independent() -> None:
    levels = by_stream(levels_of(independent=1))
    assert abs(torch.corrcoef(levels.T)[0, 1]) < 0.15


def test_part_of_the_area_is_known_in_all_streams() -> None:
    levels = levels_of(area_known=1)
    assert (levels == levels[:, :1]).all()
    for tile in levels[:, 0]:
        assert len(set(tile.flatten().tolist()) - {0.0}) <= 1
    known = (levels[:, 0] == 0).float().mean(dim=(1, 2))
    assert ((known > 0) & (known < 1)).float().mean() > 0.5


def test_around_the_known_area_is_what_the_solver_asks() -> None:
    levels = draw_levels(
        300, 2, (6, 6), patterns=LevelPatterns(**(NOTHING | {"area_known": 1.0})), shift=2.0,
        generator=torch.Generator().manual_seed(0), stages=[[1], [0]],
    )  # fmt: skip
    around = levels.flatten(2).max(dim=2).values
    masks, images = (around[:, 1] > 0) & (around[:, 0] == 1), (around[:, 1] == 0) & (around[:, 0] > 0)
    nothing = (around == 0).all(dim=1)
    assert (masks | images | nothing).all() and masks.sum() > 60 and images.sum() > masks.sum()


def test_stages_as_often_as_they_are_wanted() -> None:
    levels = by_stream(
        draw_levels(
            50, 2, (6, 6), patterns=LevelPatterns(**(NOTHING | {"stages": 1.0})), shift=2.0,
            generator=torch.Generator().manual_seed(0), stages=[[1], [0]], stage_shares=[0.0, 1.0],
        )
    )  # fmt: skip
    assert (levels[:, 1] == 0).all() and (levels[:, 0] > 0).all()


def test_one_stream_is_never_known_or_unknown_by_itself() -> None:
    levels = by_stream(levels_of(streams=1, one_known=1, one_unknown=1))
    assert (levels > 0).all() and (levels < 1).all()


def test_shares_are_kept() -> None:
    levels = by_stream(levels_of(n=2000, shared=3, one_known=1))
    assert float((levels == 0).any(dim=1).float().mean()) == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 6.0])
def test_shift_keeps_the_ends_and_the_order(shift: float) -> None:
    levels = torch.linspace(0, 1, 101)
    moved = shift_levels(levels, shift)
    assert moved[0] == 0 and moved[-1] == 1
    assert (moved.diff() > 0).all()
    assert torch.sign(moved[50] - 0.5) == torch.sign(torch.tensor(shift - 1.0))
    torch.testing.assert_close(shift_levels(moved, 1 / shift), levels, atol=1e-6, rtol=0)


def test_draws_are_shifted() -> None:
    assert levels_of(shared=1, shift=4.0).median() > 0.7 > levels_of(shared=1, shift=1.0).median()


def test_same_generator_same_levels() -> None:
    shares = {"shared": 1.0, "independent": 1.0, "area_known": 1.0}
    assert torch.equal(levels_of(seed=3, **shares), levels_of(seed=3, **shares))
    assert not torch.equal(levels_of(seed=3, **shares), levels_of(seed=4, **shares))


def test_interpolation_and_channels() -> None:
    levels = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
    channels = level_by_channel(levels, (2, 1))
    assert channels[0, :, 0, 0].tolist() == [0, 0, 1]
    latents, noise = torch.full((1, 3, 3, 3), 5.0), torch.full((1, 3, 3, 3), 7.0)
    assert interpolate(latents, noise, channels)[0, :, 0, 0].tolist() == [5, 5, 7]
    assert interpolate(latents, noise, torch.tensor(0.25)).unique().tolist() == [5.5]
