"""Windows cover, pave, touch and lie inside what they are said to."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from specdm.tiles.windows import Block, count_cover, cover, inside, pave, touching


@st.composite
def areas(draw):
    size = draw(st.integers(1, 9))
    return draw(st.integers(size, 40)), draw(st.integers(size, 40)), size, draw(st.integers(1, size))


def painted(windows, size, height, width):
    counts = np.zeros((height, width), int)
    for y, x in windows:
        assert 0 <= y <= height - size
        assert 0 <= x <= width - size
        counts[y : y + size, x : x + size] += 1
    return counts


@given(areas())
@settings(max_examples=60, deadline=None)
def test_cover_leaves_no_pixel_out(area):
    height, width, size, stride = area
    windows = cover(height, width, size=size, stride=stride)
    assert painted(windows, size, height, width).min() >= 1
    assert len(windows) == count_cover(height, width, size=size, stride=stride)
    assert len(np.unique(windows, axis=0)) == len(windows)


@given(areas(), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_pave_never_overlaps_and_stays_in_its_block(area, y, x):
    height, width, size, _ = area
    windows = pave(Block(y, x, height, width), size=size)
    counts = painted(windows, size, y + height, x + width)
    assert counts.max() == 1
    assert counts[:y].sum() == counts[:, :x].sum() == 0
    assert len(windows) == (height // size) * (width // size)


def test_no_window_in_an_area_smaller_than_it():
    assert cover(5, 20, size=6, stride=2).shape == (0, 2)
    assert pave(Block(0, 0, 20, 5), size=6).shape == (0, 2)


@given(areas(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_inside_and_touching_agree_with_looking_at_every_pixel(area, seed):
    height, width, size, stride = area
    rng = np.random.default_rng(seed)
    y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
    block = Block(y, x, int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1)))
    allowed = np.ones((height, width), bool)
    allowed[y : y + block.height, x : x + block.width] = False
    windows = cover(height, width, size=size, stride=stride)
    looked = np.array([allowed[r : r + size, c : c + size].all() for r, c in windows])
    assert np.array_equal(inside(windows, allowed, size=size), looked)
    assert np.array_equal(touching(windows, [block], size=size), ~looked)
