"""A little set that was sampled without a break, with small pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from scale_stores import CHUNK, OPTIONS

from specdm.report.sample_run import sample_run


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files of few tiles, and one thread, as the processes of these tests have."""
    monkeypatch.setattr("specdm.tiles.writer.CHUNK_TILES", CHUNK)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def whole_set(little_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiles of `OPTIONS` of the little run."""
    path = tmp_path_factory.mktemp("whole") / "whole.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specdm.tiles.writer.CHUNK_TILES", CHUNK)
        sample_run(little_run, output=path, **OPTIONS)
    return path
