"""Parts drawn by Ray, on this machine or a cluster. What runs where, and again after a loss, is Ray's."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from specdm.errors import ConfigError, RunError
from specdm.synthesis.scale.parts import DrawnPart, Part

RETRIES = 5
"""Times that a part whose worker was lost is drawn again before it is given up."""

AHEAD = 2
"""Parts for each core that are under way at a time; what is drawn and not yet written is held in Ray's store."""

CONNECT_SECONDS = 10
"""To wait for an answer of a cluster's address."""

_drawers: dict[str, Callable[[Part], DrawnPart]] = {}


def ray_parts(
    draw: Callable[[Part], DrawnPart], parts: Iterable[Part], *, address: str | None = None
) -> Iterator[DrawnPart]:
    """Draw parts by Ray tasks of one core each, and give them in order.

    Args:
        draw: sent to every worker once.
        parts: what to draw.
        address: of a Ray cluster, such as "auto" or "ray://head:10001"; default: a Ray of this machine's own cores,
            which ends with the last part. A connection that the process already has is used as it is.

    Raises:
        ConfigError: the package ray is missing.
        RunError: there is no cluster at the address, or a part was lost `RETRIES` times over.
        SpecDMError: whatever drawing raises.
    """
    ray = _ray()
    with _connected(ray, address):
        # in a list, so that Ray hands over the reference and not a copy for every part
        held = [ray.put(draw)]
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_drawn)
        rest, under_way = iter(parts), deque[tuple[Part, Any]]()
        while True:
            # counted anew, since nodes come and go
            most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            under_way.extend((part, task.remote(held, part)) for part in islice(rest, most - len(under_way)))
            if not under_way:
                return
            part, reference = under_way.popleft()
            yield _result(ray, reference, part)


def _drawn(held: list[Any], part: Part) -> DrawnPart:
    """In a worker: the drawer is unpacked once."""
    import ray

    key = held[0].hex()
    if key not in _drawers:
        _drawers.clear()
        _drawers[key] = ray.get(held[0])
    return _drawers[key](part)


def _result(ray: Any, reference: Any, part: Part) -> DrawnPart:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        # what drawing itself raised, without the worker's traceback around it
        raise error.cause if isinstance(error.cause, Exception) else error from error
    except ray.exceptions.RayError as error:
        raise RunError(
            f"ray: the tiles {part.first} to {part.first + part.n - 1} were lost {RETRIES + 1} times "
            f"({type(error).__name__}); see Ray's own log; give workers more memory, or a smaller --batch-size"
        ) from error


@contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"address": address} if address else _own_machine()
    if address:
        _check_there(address)
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"--ray-address {address}" if address else "this machine"
        raise RunError(f"ray: no connection to {where} ({' '.join(str(error).split())[:200]})") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_there(address: str) -> None:
    """Raise RunError if nothing listens there: Ray itself would go on trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):  # "auto", or a name that Ray knows
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RunError(
            f"ray: nothing answers at --ray-address {address} ({error}); start Ray there with `ray start --head`, or "
            "leave the address out for this machine"
        ) from None


def _own_machine() -> dict[str, Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # cores that this process may use, which are fewer than the machine's in a batch job
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"address": "local", "num_cpus": cores, "include_dashboard": False}


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigError('--engine ray needs the package ray; run: pip install "specdm[ray]"') from None
    return ray
