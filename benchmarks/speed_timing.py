"""Clocks, memory and arithmetic of speed.py: the same for any model, on a CPU or a GPU."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from scale import peak_of
from torch import nn

MATMUL = {"cpu": 2048, "cuda": 8192}
"""Rows of the square matrices whose product is taken for the peak."""


def settle(device: str) -> None:
    """Wait until the device has done all that it was asked."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_of(work: Callable[[], Any], *, device: str) -> float:
    """Wall-clock seconds of a call, until the device is done."""
    settle(device)
    began = time.perf_counter()
    work()
    settle(device)
    return time.perf_counter() - began


@dataclass
class Watched:
    """The calls of a module.

    Attributes:
        tiles: that went through it, all calls together.
        calls: beginning and end of each: seconds, or CUDA events, which do not hold up the device.
    """

    tiles: int = 0
    calls: list[tuple[Any, Any]] = field(default_factory=list)

    def seconds(self) -> float:
        """Of all calls; call it when the device is done."""
        if self.calls and isinstance(self.calls[0][0], torch.cuda.Event):
            return sum(began.elapsed_time(ended) for began, ended in self.calls) / 1000
        return sum(ended - began for began, ended in self.calls)


@contextmanager
def watched(module: nn.Module, *, device: str) -> Iterator[Watched]:
    """Time and count the calls of a module while the block lasts."""
    found, begun = Watched(), []

    def now() -> Any:
        if device != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def before(_: nn.Module, __: Any) -> None:
        begun.append(now())

    def after(_: nn.Module, inputs: tuple[Any, ...], __: Any) -> None:
        found.calls.append((begun.pop(), now()))
        found.tiles += len(inputs[0])

    hooks = module.register_forward_pre_hook(before), module.register_forward_hook(after)
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def timed_draw(draw: Callable[[], Any], denoiser: nn.Module, *, n: int, device: str) -> tuple[Any, dict[str, float]]:
    """Draw `n` tiles; returns them and what one of them took.

    Seconds are of the wall clock, for the whole and for the denoiser alone; `cpu_seconds` are of this process on all
    its threads, which other work on the same cores does not change much.
    """
    drawn = []
    used = time.process_time()
    with watched(denoiser, device=device) as asked:
        whole = seconds_of(lambda: drawn.append(draw()), device=device)
    return drawn[0], {
        "seconds": whole / n,
        "denoiser_seconds": asked.seconds() / n,
        "cpu_seconds": (time.process_time() - used) / n,
        "evaluations": asked.tiles / n,
    }


def medians(repeats: list[dict[str, float]]) -> dict[str, Any]:
    """Median of each figure over the repeats, and all seconds."""
    middle = {key: statistics.median(one[key] for one in repeats) for key in repeats[0]}
    return {**middle, "all_seconds": [round(one["seconds"], 5) for one in repeats]}


def matmul_seconds(n: int, *, device: str, dtype: torch.dtype) -> Callable[[], float]:
    """A call that times one product of two square matrices of `n` rows: 2 n^3 operations."""
    left, right = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    product = torch.empty_like(left)
    return lambda: seconds_of(lambda: torch.mm(left, right, out=product), device=device)


@torch.no_grad()
def operations(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call, a multiplication and an addition counted as two."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    # attention as plain products: the counter does not know the fused form of every device
    with sdpa_kernel(SDPBackend.MATH), counter:
        call()
    return int(counter.get_total_flops())


def memory_of(load: Callable[[], Callable[[], Any]], *, device: str) -> dict[str, float]:
    """Peak memory, GB, of this process: model loaded, then tiles drawn. To be called in a process of its own.

    The peak is VmHWM of /proc (Linux), not ru_maxrss, in which a child's peak begins with its parent's size.
    """
    draw = load()
    loaded, _ = peak_of(os.getpid())
    draw()
    settle(device)
    found = {"peak_gb": peak_of(os.getpid())[0], "peak_loaded_gb": loaded}
    if device == "cuda":
        found["device_peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return {key: round(value, 3) for key, value in found.items()}


def machine(device: str, note: str) -> dict[str, Any]:
    """Where it is measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else f"CPU, {platform.machine()}",
        "cores": os.cpu_count(),
        "cores_allowed": cores,
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "note": note,
    }
