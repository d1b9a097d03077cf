#!/bin/bash
# Training on 2 nodes of 4 GPUs each: sbatch train_ddp.sh
#
# One task a GPU: --nodes and --ntasks-per-node here are --nodes and --devices of specdm train. `srun` starts the
# processes, and specdm (by Lightning) finds from SLURM's variables which of them each one is. To run several processes
# on one machine without SLURM, `specdm train ... --devices 4` is enough: it starts them itself.
#
#SBATCH --job-name=specdm          # any name but "bash" and "interactive", which Lightning takes for a shell
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4        # not --ntasks
#SBATCH --gres=gpu:4
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G                  # of each node: every process holds up to 2.5 GB of tiles and latents
#SBATCH --time=12:00:00
#SBATCH --requeue                  # after a failed node SLURM starts the job again; the run goes on
#SBATCH --open-mode=append
#SBATCH --output=specdm-%j.log

set -euo pipefail

# Scene, mask and run folder lie on a disk that all nodes see. The first process cuts the tiles and writes; the others
# read.
SCENE=${SCENE:-/project/scenes/scene.hdr}
MASK=${MASK:-/project/scenes/labels.tif}
RUN=${RUN:-/project/runs/mine}

source /project/venv/bin/activate  # or: module load ...

export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK   # srun does not take it from sbatch since SLURM 22.05
# export NCCL_SOCKET_IFNAME=ib0    # if the nodes find each other over the wrong network

# Batch sizes are those of all processes together: each must be a multiple of nodes x tasks (8 here), and the loss is
# that of one process, whatever their number. So a run may go on with another number of devices than it began with.
#
# When one process dies, the others end within seconds; --kill-on-bad-exit makes sure of it on all nodes. The same
# command goes on from the last checkpoint (at most 30 s old), so the job may be submitted again as it is, also after
# its time limit.
srun --kill-on-bad-exit=1 \
  specdm train "$SCENE" --mask "$MASK" -o "$RUN" --preset large \
  --nodes "$SLURM_NNODES" --devices "$SLURM_NTASKS_PER_NODE" --strategy ddp \
  --set training.precision=bf16-mixed

# With torchrun instead of srun's tasks (--ntasks-per-node=1), the same:
#   srun --kill-on-bad-exit=1 torchrun --nnodes "$SLURM_NNODES" --nproc-per-node 4 --rdzv-backend c10d \
#     --rdzv-id "$SLURM_JOB_ID" --rdzv-endpoint "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1):29500" \
#     -m specdm train "$SCENE" --mask "$MASK" -o "$RUN" --preset large --nodes "$SLURM_NNODES" --devices 4
