"""Small pieces, commands in processes that can be killed, and what makes two stores equal."""

from __future__ import annotations

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from tile_equality import assert_same_images

from specdm.tiles.store import open_tiles

CHUNK = 4
N, SEED, BATCH = 40, 3, 6
OPTIONS = {"n": N, "seed": SEED, "batch_size": BATCH, "steps": 1}
"""Of `sample_run`: batches and pieces that have no border in common but every twelfth tile."""

# imported once, by the server that processes are forked from: a kill shall hit work, not imports
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["scale_stores", "specdm.synthesis.pipeline", "specdm.tiles.resumable_writer"])


def small_pieces() -> None:
    """Make files of few tiles in this process."""
    import specdm.tiles.writer

    specdm.tiles.writer.CHUNK_TILES = CHUNK


def command(arguments: list[str]) -> None:
    """Run `specdm ARGUMENTS` with small pieces and one thread."""
    import torch

    from specdm.cli.main import run

    torch.set_num_threads(1)
    small_pieces()
    run(arguments)


def started(*arguments: object) -> BaseProcess:
    """A process that runs `specdm ARGUMENTS`."""
    process = FORKING.Process(target=command, args=([str(argument) for argument in arguments],))
    process.start()
    return process


def assert_equal_stores(found: Path, expected: Path) -> None:
    """The same tiles in the same order, with all that is said of them but the time."""
    one, other = open_tiles(found), open_tiles(expected)
    assert_same_images(one.images(), other.images())
    np.testing.assert_array_equal(one.masks(), other.masks())
    assert one.dataset.coords.keys() == other.dataset.coords.keys()
    for name, coord in other.dataset.coords.items():
        np.testing.assert_array_equal(one.dataset[name].values, coord.values, err_msg=str(name))
    attrs = [{key: value for key, value in tiles.dataset.attrs.items() if key != "created"} for tiles in (one, other)]
    assert attrs[0] == attrs[1]
    assert not found.with_name(f"{found.name}.partial").exists(), "something is left beside it"
