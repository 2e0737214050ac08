#!/bin/sh
# From the five files to a report in one go: run.sh [WORKSPACE]. Everything can be repeated.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
workspace=${1:-ravenstack}
keepwell=${KEEPWELL:-keepwell}

say() { printf '\n== %s\n' "$1"; }

if [ ! -e "$workspace/keepwell.toml" ]; then
    say "A workspace with the b2b-saas pack"
    "$keepwell" init "$workspace" --pack b2b-saas
fi
say "Load the five files"
"$keepwell" -w "$workspace" load "$here"/*.csv --map "$here/mapping.yaml"
say "What the data are like"
"$keepwell" -w "$workspace" show quality
say "The last 90 days"
"$keepwell" -w "$workspace" backfill --from 2024-10-03 --to 2024-12-30
"$keepwell" -w "$workspace" run --as-of 2024-12-31
say "Segments and key figures of 2024-12-31"
"$keepwell" -w "$workspace" show segments
"$keepwell" -w "$workspace" show kpis
say "The report"
"$keepwell" -w "$workspace" report
