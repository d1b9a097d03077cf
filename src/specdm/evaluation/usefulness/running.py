"""All groups of jobs, one after the other or side by side in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch

from specdm.evaluation.usefulness.jobs import Group
from specdm.evaluation.usefulness.workbench import Bench, GroupBench

Say = Callable[[str], None]


def run_groups(bench: Bench, *, processes: int = 1, threads: int = 1, say: Say = print) -> list[str]:
    """Run all jobs that have no record.

    Args:
        bench: what is run.
        processes: groups side by side.
        threads: of torch in each. Scores are the same for any number of processes, not for any number of threads:
            these change the order of sums.
        say: called with a line on what begins or has ended.

    Returns:
        A line for every job that failed.
    """
    groups = [group for group in bench.grid.groups() if bench.open_jobs(group)]
    if processes <= 1:
        before = torch.get_num_threads()
        try:
            return [line for group in groups for line in _run(bench, group, threads, say)]
        finally:
            torch.set_num_threads(before)
    failed = []
    for group, lines in _side_by_side(bench, groups, processes=processes, threads=threads):
        say(f"{group.name}: done")
        failed += lines
    return failed


def _side_by_side(
    bench: Bench, groups: list[Group], *, processes: int, threads: int
) -> Iterator[tuple[Group, list[str]]]:
    # spawned, since a forked process cannot use a GPU that its parent has used
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = {pool.submit(_run, bench, group, threads, print): group for group in groups}
        for done in as_completed(waiting):
            try:
                yield waiting[done], done.result()
            except BrokenProcessPool:
                told = "its process was killed, perhaps for want of memory; try again with fewer --jobs"
                yield waiting[done], [f"{waiting[done].name}: {told}"]


def _run(bench: Bench, group: Group, threads: int, say: Say) -> list[str]:
    torch.set_num_threads(threads)
    return GroupBench(bench, group, say).run()
