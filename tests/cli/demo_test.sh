#!/bin/sh
# The tour of `make demo`, and what its data must answer.
. "$(dirname "$0")/lib.sh"

tour=$2/examples/wmf-infra/demo.sh
last="(the demo)"
sh "$tour" "$YORE" "$work/tour" >"$out" 2>"$err" </dev/null
code=$?
code_is 0
out_has "200,757        37,224"
out_has "class:ganglia::deprecated::collector|IN_MODULE|module:ganglia"
out_has "2019-04-25T22:37:04Z      2019-04-25T23:46:05Z"
out_has "role::nova::network               2015-02-05T06:32:51Z      2015-08-26T21:39:15Z"
out_has "every checksum, order, bound and reference of these holds"
out_has "shell $work/tour"
check "a picture is drawn" grep -q '"role::cache::text" -> ' "$work/tour.dot"

# What it tells the reader to type.
run_with 'graph use topo
at 2019-03-01
MATCH (s:Service) RETURN s.name ORDER BY s.name LIMIT 5
MATCH (r:Role)<-[:HAS_ROLE]-(h) RETURN r.name, count(h) AS n ORDER BY n DESC LIMIT 3
\diff 2019-02-28 2019-03-01
at now
' shell tour
code_is 0
out_has "apaches"
out_has "changed	node"

# The same file again goes on where it stopped: there is nothing left to do.
ok graph tour import topo "$2/examples/wmf-infra/wmf-infra.tsv.zst" -o csv
out_has "200757,0,200757"
ok graph tour list -o raw
out_is topo

# The same events as keys and values.
ok import kv "$2/examples/wmf-infra/wmf-infra.tsv.zst"
ok export kv
check "every event is a line" [ "$(wc -l <"$out")" = 200757 ]
cp "$out" all.ndjson
ok import again all.ndjson
for moment in 2012-01-01 2019-03-01 now; do
    ok export kv --at $moment
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
