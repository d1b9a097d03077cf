"""In which precision a stage is trained."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from specdm.training.config import TrainingConfig

FULL, HALF = "32-true", "bf16-mixed"
"""Of Lightning: all in float32; layers in bfloat16, weights and what is summed over many numbers in float32."""


def precision_of(training: TrainingConfig, *, coarse: bool) -> str:
    """What Lightning is told.

    Args:
        training: with `precision`; "auto" is `HALF` for what may be coarse, on a CPU that computes in bfloat16, and
            `FULL` in all other cases.
        coarse: whether three digits are enough for the stage's network, as they are for what predicts noise.
    """
    if training.precision != "auto":
        return training.precision
    gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    on_cpu = training.accelerator == "cpu" or (training.accelerator == "auto" and not gpu)
    return HALF if coarse and on_cpu and cpu_has_bfloat16() else FULL


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 by itself; where it does not, torch is slower with them."""
    # not in torch before 2.9; ATEN_CPU_CAPABILITY may forbid what the processor has
    found: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    allowed = torch.backends.cpu.get_cpu_capability()
    return allowed.startswith("AVX512") and bool(found.get("avx512_bf16") or found.get("amx_bf16"))
