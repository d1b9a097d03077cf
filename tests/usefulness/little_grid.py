"""Options of `specdm usefulness` for a benchmark of seconds."""

from __future__ import annotations

ARMS_ASKED = ("real", "real+drawn", "dense", "svm")
LITTLE = ["--steps", 3, "--tiles", 4, "--seeds", 2, "--device", "cpu", "--jobs", 1]
ASKED = ["--arms", ",".join(ARMS_ASKED), "--shares", "1,0.5", *LITTLE]
"""What `asked_run` was asked for: 16 jobs, two of whose generators are trained."""
