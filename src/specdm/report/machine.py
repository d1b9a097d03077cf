"""What this machine offers."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Literal, get_args

from specdm.errors import ConfigError
from specdm.version import __version__

Device = Literal["auto", "cpu", "cuda"]

PACKAGES = (
    "torch", "lightning", "diffusers", "safetensors", "numpy", "scipy", "scikit-learn", "xarray", "zarr",
    "dask", "rasterio", "rioxarray", "netCDF4", "h5py", "tensorly", "matplotlib", "pydantic", "typer", "rich",
)  # fmt: skip


def describe_machine() -> dict[str, str]:
    """Versions, devices, threads and free disk space, name to words."""
    facts = {
        "specdm": __version__,
        "python": f"{platform.python_version()} ({platform.platform()})",
        **{name: _version(name) for name in PACKAGES},
        "devices": _devices(),
        "threads": _threads(),
        "free disk here": _free(Path.cwd()),
        f"free disk in {tempfile.gettempdir()}": _free(Path(tempfile.gettempdir())),
        "shared data": _shared_data(),
    }
    return facts


def chosen_device(device: str) -> str:
    """ "cpu" or "cuda"; "auto" takes a GPU if there is one.

    Raises:
        ConfigError: another word, or there is no GPU.
    """
    import torch

    if device not in get_args(Device):
        raise ConfigError(f"device is {device!r}; expected auto, cpu or cuda")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ConfigError("device is 'cuda', but torch finds no GPU here; take cpu or auto")
    return "cuda" if there and device != "cpu" else "cpu"


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _devices() -> str:
    try:
        import torch
    except (ImportError, OSError) as error:  # a broken torch is just what doctor is called for
        return f"torch cannot be loaded ({error})"
    from specdm.training.precision import cpu_has_bfloat16

    names = ["cpu (computes in bfloat16)" if cpu_has_bfloat16() else "cpu"]
    names += [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join(names)


def _threads() -> str:
    usable = usable_cores()
    try:
        import torch

        return (
            f"{torch.get_num_threads()} used by torch, {usable} cores usable, {os.cpu_count()} in the machine"
        )
    except (ImportError, OSError):
        return f"{usable} cores usable, {os.cpu_count()} in the machine"


def _free(folder: Path) -> str:
    usage = shutil.disk_usage(folder)
    return f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB"


def _shared_data() -> str:
    given = os.environ.get("SPECDM_SHARED_DATA")
    # beside a checkout, as the tests look for it
    folder = Path(given) if given else Path(__file__).resolve().parents[4] / "shared" / "data"
    return str(folder) if folder.is_dir() else "none (used by tests only; name it in SPECDM_SHARED_DATA)"
