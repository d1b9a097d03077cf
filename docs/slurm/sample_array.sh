#!/bin/bash
# A million tiles by a SLURM job array: 100 jobs draw a hundredth each, a last one puts them together.
#
#   sbatch docs/slurm/sample_array.sh
#
# A job that was killed, or ran out of time, is simply given again: sbatch --array=17,42 docs/slurm/sample_array.sh.
# It goes on where it was; a shard that is finished is left as it is.

#SBATCH --job-name=specdm-sample
#SBATCH --array=1-100
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --output=%x-%A_%a.log

set -euo pipefail

RUN=${RUN:-runs/potsdam}          # a trained run; every node must see it
OUTPUT=${OUTPUT:-synthetic.zarr}  # where the whole set shall be; shards are written beside it
TILES=${TILES:-1000000}
SHARDS=${SHARDS:-100}             # the same in all jobs, also where only some of them run again

# SpecDM is installed there: that of the login shell, or name it: VENV=/shared/specdm/.venv sbatch ...
if [[ -n ${VENV:-} ]]; then source "$VENV/bin/activate"; fi
command -v specdm >/dev/null || { echo "no specdm here; give VENV=FOLDER of its virtual environment" >&2; exit 2; }

# PyTorch takes all cores of the node unless it is told which are its own
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}

# options that say how tiles are drawn (--seed, --steps, --composition ...) must be the same in all jobs:
# specdm merge refuses shards of different ones
specdm sample "$RUN" -n "$TILES" -o "$OUTPUT" --shard "$SLURM_ARRAY_TASK_ID/$SHARDS"

# Then, once all are there (it says which are missing, if any):
#
#   sbatch --dependency=afterok:JOB --mem=4G --time=02:00:00 --wrap "specdm merge synthetic.zarr"
#
# The shards stay, and take no room beside the whole set: both have the same files (hard links), where they lie on one
# disk. When the whole set is there, the shards can be removed: rm -r synthetic.shard-*-of-100.zarr
#
# One job that holds many nodes can do without shards: start Ray on them (see "Deploying on Slurm" in Ray's
# documentation), then, on the head node: specdm sample RUN -n 1000000 -o synthetic.zarr --engine ray --ray-address auto
