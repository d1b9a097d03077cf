"""Shares of flags: what they count, and that no plane is read twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from product_files import tif

from specdm.scenes.readers.geotiff import open_quietly
from specdm.scenes.readers.products import flags
from specdm.scenes.readers.products.planes import Flag, Plane

random = np.random.default_rng(6)
BITS = random.integers(0, 256, (11, 7)).astype(np.uint8)
LAYERS = random.integers(0, 2, (2, 11, 7)).astype(np.uint8)
COARSE = random.integers(0, 2, (4, 3)).astype(np.uint8)


class Counted:
    """A file that notes what is read of it."""

    def __init__(self, name: str, reads: list[tuple[str, int, int]]) -> None:
        self.file, self.reads = open_quietly(name), reads

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def read(self, band: int, *, window: Any) -> np.ndarray:
        self.reads.append((Path(self.file.name).name, band, window[0][0]))
        return np.asarray(self.file.read(band, window=window))


def test_each_strip_of_a_plane_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bits, layers = Plane(str(tif(tmp_path / "bits.tif", BITS))), str(tif(tmp_path / "layers.tif", LAYERS))
    coarse = Plane(str(tif(tmp_path / "coarse.tif", COARSE)), grow=3)
    reads: list[tuple[str, int, int]] = []
    monkeypatch.setattr(flags, "_ROWS", 5)
    monkeypatch.setattr(flags, "open_quietly", lambda name: Counted(name, reads))
    shares = flags.flag_shares(
        [
            *(Flag(name, bits, bits=1 << bit) for bit, name in enumerate(("cirrus", "shadow", "snow"))),
            Flag("cloud", Plane(layers)), Flag("cloud", Plane(layers, band=2)),
            Flag("water", coarse, values=(1,)),
            Flag("saturated", bits, bits=8, band=0),
        ]
    )  # fmt: skip
    assert shares == {
        "cirrus": (BITS & 1 > 0).mean(), "shadow": (BITS & 2 > 0).mean(), "snow": (BITS & 4 > 0).mean(),
        "cloud": LAYERS.any(axis=0).mean(), "water": COARSE.mean(),
    }  # fmt: skip
    strips = [("bits.tif", 1), ("layers.tif", 1), ("layers.tif", 2)]
    expected = [(*plane, top) for plane in strips for top in (0, 5, 10)] + [("coarse.tif", 1, 0)]
    assert sorted(reads) == sorted(expected)


def test_no_flags() -> None:
    assert flags.flag_shares([]) == {}
