#!/usr/bin/env bash
# A dataset of one's own from end to end, as docs/data.md tells it: look at the files, train a cell, ask it, review
# with its labels, export in several formats and read it back, train again on what was reviewed.
#
#   tests/own_dataset.sh [FOLDER [WORK]]
#
# FOLDER has labelled files, and is copied (left out: a made-up one with photos is written). WORK, a new folder,
# keeps all that is made. The cell has the smallest preset: this shows the way, not what a model can learn.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
work=${2:-$(mktemp -d)}
data=$work/mine runs=$work/runs
mkdir -p "$work"
if [ -n "${1:-}" ]; then cp -r "$1" "$data"; else "$python" -m tests.harbour "$data"; fi
step() { printf '\n== %s\n' "$*"; "$@"; }
mmdemo() { step "$python" -m mmdemo "$@"; }
train() { step "$python" -m train "$@"; }
tiny=(--set preset=tiny --set "limit=${LIMIT:-24}" --set epochs=1 --set device=cpu)
export MMDEMO_CHECKPOINTS=$runs MMDEMO_REVIEWS=$work/reviews.sqlite3

mmdemo dataset new "$data"
mmdemo dataset check "$data"
train prepare --data "$data"
train run --dataset "$data" --recipe small "${tiny[@]}" --out "$runs" --work "$runs"

cell=tiny/mine/roberta-resnet50/film
mmdemo zoo --preset tiny | tee "$work/zoo.txt"
grep -q "$cell" "$work/zoo.txt"
mmdemo predict --cell "$cell" --text "The Aurora docks in Bergen" --json | tee "$work/answer.json"
grep -q '"entities"' "$work/answer.json"

split() { echo "$data/$(sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$data/dataset.toml")"; }
mmdemo review import "$(split train)" --queue mine --dataset "$data" --images "$data" --answers accept
mmdemo review import "$(split test)" --queue mine --images "$data" --split test --answers ignore
mmdemo review predict --queue mine --preset tiny --no-flip
mkdir "$work/exports"
written=()
for format in jsonl dygie brat label-studio conll; do
  mmdemo review export --queue mine --format $format --output "$work/exports/$format" --skip
  written+=("$format=$work/exports/$format")
done
step "$python" -m tests.read_back "$data" "$work/exports/jsonl" "${written[@]}"

train run --dataset "$data" --recipe small "${tiny[@]}" --set drop_leaks=true \
  --extra "$work/exports/jsonl" --from "$runs/$cell" --out "$work/again" --work "$work/again"
printf '\nall of it worked; what was made lies in %s\n' "$work"
