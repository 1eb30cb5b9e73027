#!/bin/sh
# graph_bars_test.sh BUILD SOURCE -- the bars of graphs: every one of them is measured, whatever it says.
set -eu
build=$1
source=$2
command -v zstd >/dev/null || exit 77
scratch=$(mktemp -d "${TMPDIR:-/tmp}/yore-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
TMPDIR=$scratch "$source/bench/graph_bars" --quick "$build" "$scratch/out" >"$scratch/bars" || [ $? = 1 ]
bars=$(grep -c '[[:space:]]graph$' "$source/bench/goals.tsv")
measured=$(awk '/^graph .*( met | MISSED )/ { print $2 }' "$scratch/bars" | sort -u | wc -l)
[ "$measured" = "$bars" ] || {
    echo "$measured of $bars bars were measured" >&2
    cat "$scratch/bars" >&2
    exit 1
}
left=$(find "$scratch" -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')
[ "$left" = "$scratch/bars $scratch/out " ] || {
    echo "left behind: $left" >&2
    exit 1
}
