"""Streams of every task, and tiles taken apart and put together by them."""

from __future__ import annotations

import json

import pytest
import torch

from specdm.models.pixels import Pixels, TileShape, joined
from specdm.models.streams import Stream, streams_of

TASKS = {
    "segmentation": {"dates": [0], "layers": ["class"]},
    "change": {"dates": ["2000", "2003"], "layers": ["change"]},
    "semantic change": {"dates": ["2000", "2003"], "layers": ["2000", "2003"]},
    "time series": {"dates": list(range(5)), "layers": ["class"]},
    "two sensors": {"dates": ["a", "b"], "layers": ["change"], "sensors": [(0, 2), (2, 5)]},
    "abundances": {"dates": [0], "quantities": ["tree", "soil", "water"], "sum_to_one": True},
    "free values": {"dates": [0], "quantities": ["height", "chlorophyll"]},
    "sparse mask": {"dates": [0], "layers": ["class"], "sparse": ["class"]},
    "sparse masks a date": {"dates": ["a", "b"], "layers": ["a", "b"], "sparse": ["b"]},
    "both masks": {"dates": [0], "layers": ["class"], "quantities": ["tree", "soil"], "sum_to_one": True},
}


@pytest.fixture(params=TASKS)
def streams(request: pytest.FixtureRequest) -> tuple[Stream, ...]:
    return streams_of(**TASKS[request.param])


def made(n: int = 3, size: int = 4) -> Pixels:
    generator = torch.Generator().manual_seed(0)
    return Pixels(
        torch.rand(n, 5, 5, size, size, generator=generator),
        torch.randint(-1, 4, (n, 2, size, size), generator=generator),
        torch.rand(n, 3, size, size, generator=generator),
    )


def test_names_are_unique(streams: tuple[Stream, ...]) -> None:
    assert len({stream.name for stream in streams}) == len(streams)


def test_streams_survive_json(streams: tuple[Stream, ...]) -> None:
    written = json.loads(json.dumps([stream.to_dict() for stream in streams]))
    assert tuple(Stream.from_dict(record) for record in written) == streams


def test_one_codec_for_all_dates_of_one_sensor() -> None:
    codecs = {s.codec for s in streams_of(**TASKS["time series"]) if s.kind == "image"}
    assert codecs == {"image_codec"}


def test_a_codec_for_each_sensor() -> None:
    codecs = [s.codec for s in streams_of(**TASKS["two sensors"]) if s.kind == "image"]
    assert codecs == ["image_codec_1", "image_codec_2"]


def test_class_masks_of_all_dates_share_a_codec() -> None:
    masks = [s for s in streams_of(**TASKS["semantic change"]) if s.kind == "classes"]
    assert [s.position for s in masks] == [0, 1]
    assert {s.codec for s in masks} == {"mask_codec"}


def test_abundances_are_one_stream_and_free_quantities_one_each() -> None:
    assert sum(s.kind == "amounts" for s in streams_of(**TASKS["abundances"])) == 1
    free = [s for s in streams_of(**TASKS["free values"]) if s.kind == "amounts"]
    assert [s.span for s in free] == [(0, 1), (1, 2)]
    assert len({s.codec for s in free}) == 2


def test_tiles_taken_apart_and_put_together_are_the_same(streams: tuple[Stream, ...]) -> None:
    tiles = made()
    dates = sum(s.kind == "image" for s in streams)
    layers = sum(s.kind == "classes" for s in streams)
    wanted = Pixels(tiles.images[:, :dates], tiles.positions[:, :layers], tiles.amounts)
    parts = [wanted.of(stream) for stream in streams]
    shape = TileShape(dates, 5, layers, 3)
    again = Pixels.unknown(len(wanted), *wanted.images.shape[-2:], shape=shape, device=torch.device("cpu"))
    again.put(streams, parts)
    torch.testing.assert_close(again.positions, wanted.positions)
    for stream, part in zip(streams, parts, strict=True):
        torch.testing.assert_close(again.of(stream), part)


def test_bands_of_another_sensor_are_nan() -> None:
    tiles = made()
    streams = streams_of(**TASKS["two sensors"])
    parts = [tiles.of(stream) for stream in streams]
    again = Pixels.unknown(
        len(tiles), *tiles.images.shape[-2:], shape=TileShape(2, 5, 1, 0), device=torch.device("cpu")
    )
    again.put(streams, parts)
    images = again.images
    assert images[:, 0, 2:].isnan().all() and images[:, 1, :2].isnan().all()
    assert images[:, 0, :2].isfinite().all() and images[:, 1, 2:].isfinite().all()


def test_batches_join_in_order() -> None:
    tiles = made()
    parts = [tiles.apply(lambda values, i=i: values[i : i + 1]) for i in range(3)]
    whole = joined(parts)
    torch.testing.assert_close(whole.images, tiles.images)
    torch.testing.assert_close(whole.amounts, tiles.amounts)
