#!/bin/sh
# bench_report_test.sh SOURCE -- what bench/report makes of rows that were measured by turns.
set -eu
report=$1/bench/report
scratch=$(mktemp -d "${TMPDIR:-/tmp}/yore-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

row() { # ENGINE WORKLOAD TURNS
    printf '{"round":1,"engine":"%s","workload":"%s","ops":9,"seconds":1,"ops_s":9,"p50_us":1,' "$1" "$2"
    printf '"turns_us":[%s],"errors":0,"note":""}\n' "$3"
}
# says LINE: the report of $scratch/rows holds the line, whatever the blanks.
says() {
    "$report" --bars "$scratch/rows" >"$scratch/said" || [ $? = 1 ]
    tr -s ' ' <"$scratch/said" | grep -qF -e "$1" || {
        echo "not said: $1" >&2
        grep -v 'not measured' "$scratch/said" >&2
        exit 1
    }
}

# The processor gets faster by half while a turn goes on that Yore has had: one turn is lost, the
# others say that Yore is as fast, though the medians of the engines are of different speeds.
{
    row yore h100_history 20,20,20,10,10
    row lmdb h100_history 20,20,10,10,10
} >"$scratch/rows"
says 'bar h100_history yore met >= 0.8 of lmdb : 1.00'

# Turns of both in which a crowd came by say nothing.
{
    row yore h100_history 10,10,10,90,10
    row lmdb h100_history 9,90,9,9,9
} >"$scratch/rows"
says 'bar h100_history yore met >= 0.8 of lmdb : 0.90'

# Who has taken other turns is compared by medians.
{
    row yore h100_history 10,10,10
    row lmdb h100_history 5,5
} >"$scratch/rows"
says 'bar h100_history yore MISSED >= 0.8 of lmdb : 0.50'

# The fastest peer is the one with the best median.
{
    row yore h100_asof_scan 1,1,1
    row lmdb h100_asof_scan 30,30,30
    row rocksdb-udt h100_asof_scan 20,20,20
} >"$scratch/rows"
says 'bar h100_asof_scan yore met >= 10 of rocksdb-udt : 20.00'
