#!/bin/sh
# The tour of `make demo`, and what its data must answer.
. "$(dirname "$0")/lib.sh"

tour=$2/examples/wmf-infra/demo.sh
last="(the demo)"
sh "$tour" "$YORE" "$work/tour" >"$out" 2>"$err" </dev/null
code=$?
code_is 0
out_has "200,757        37,224  200,757"
out_has "timeline $work/tour n/host:labnet1001.eqiad.wmnet"
out_has "2019-04-25T23:46:05Z      forever   delete"
out_has "2015-07-21T14:25:27Z  removed  n/class:ganglia::aggregator"
out_has "every checksum, order, bound and reference of these holds"
out_has "shell $work/tour"

# What it tells the reader to type.
run_with 'at 2019-03-01
scan --prefix n/service: --limit 5
timeline n/class:role::cache::text --reverse --limit 3
changes --from 2019-02-28 --count
at now
' shell tour
code_is 0
out_has "n/service:"

ok export tour
check "every event is a line" [ "$(wc -l <"$out")" = 200757 ]
cp "$out" all.ndjson
ok import again all.ndjson
for moment in 2012-01-01 2019-03-01 now; do
    ok export tour --at $moment
    cp "$out" moment.ndjson
    ok export again --at $moment
    check "the same state at $moment" cmp -s moment.ndjson "$out"
done
# It is run again over what it made, and over nothing else.
sh "$tour" "$YORE" "$work/tour" >"$out" 2>"$err" </dev/null
code=$?
code_is 0
sh "$tour" "$YORE" "$work/again" >"$out" 2>"$err" </dev/null
code=$?
code_is 2
err_has "was not made by this script"
finish
