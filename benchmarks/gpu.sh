#!/usr/bin/env bash
# Spend minutes of a borrowed GPU on the generalist that is furthest behind.
#
#   benchmarks/gpu.sh pack PHOTOS...        photographs into photos/, which git ignores: MEGABYTES (30) of them
#   benchmarks/gpu.sh train OUT [MINUTES]   train on DEVICE (cuda), then put the run, in fp16, and its log into OUT
#
# Whatever lies in docs/kept-runs goes on from there. It needs torch, numpy and pillow; nothing is downloaded. To rehearse,
# with the same words on a processor: DEVICE=cpu benchmarks/gpu.sh train /tmp/out 1
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD PYTHONUNBUFFERED=1
PYTHON=${PYTHON:-python3}
CONFIGS=fadn_cli/training/configs

pack() {
    # Every photograph has its turn, whatever folder it is in, until there is no room left.
    mkdir -p photos
    find "$@" -type f \( -name '*.jpg' -o -name '*.png' \) -printf '%f %s %p\n' | sort |
        awk -v room="$((${MEGABYTES:-30} * 1000000))" '{ if ((room -= $2) > 0) print $3 }' |
        xargs cp --backup=numbered -t photos
    du -sh photos
}

# The config that has done the least of its steps, of those begun and those whose start is here: "name step steps".
behind() {
    "$PYTHON" - "$CONFIGS" <<'PYTHON'
import sys, tomllib
from pathlib import Path

import torch

def done(run):
    file = Path("runs", run, "checkpoint.pt")
    return torch.load(file, map_location="cpu", weights_only=True)["step"] if file.exists() else 0

rows = []
for name in ("bayer-max", "bayer-max-second", "xtrans-best-whole", "xtrans-best", "xtrans-fast", "mono-best", "mono-fast"):
    config = tomllib.loads(Path(sys.argv[1], f"{name}.toml").read_text())
    start = config.get("start_from")
    if done(name) or (start and done(start)):
        rows.append((done(name) / config["steps"], name, done(name), config["steps"]))
share, *row = min(rows)
print(*row)
PYTHON
}

train() {
    local out=$1 minutes=${2:-9} name step steps
    local device=${DEVICE:-cuda}
    mkdir -p runs "$out"
    cp -rn docs/kept-runs/. runs/
    read -r name step steps < <(behind)
    echo "$name: $step of $steps steps done; $minutes minutes on $device"
    "$PYTHON" -m fadn_cli.training.run.train "$CONFIGS/$name.toml" --photos photos --device "$device" --threads "${THREADS:-1}" \
        --minutes "$minutes"
    "$PYTHON" - "runs/$name/checkpoint.pt" <<'PYTHON'
import sys

import torch

state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
print(f"step {state['step']}, {state['seconds'] / max(1, state['step']):.4f} seconds a step over the whole run")
PYTHON
    "$PYTHON" -m fadn_cli.training.run.keep "runs/$name" --to "$out"
    if [ -f "runs/$name/log.jsonl" ]; then # 200 steps or more
        tail -n 3 "runs/$name/log.jsonl"
        cp "runs/$name/log.jsonl" "$out/$name/"
    fi
}

case ${1:-} in
pack | train) "$@" ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
