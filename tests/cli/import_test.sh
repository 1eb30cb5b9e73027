#!/bin/sh
# import and export: formats, transactions, faults, round trips.
. "$(dirname "$0")/lib.sh"
tab=$(printf '\t')

# Events: one transaction for each of the source's, whole states as values.
cat >events.tsv <<END
1000${tab}1${tab}+${tab}n${tab}a${tab}Host,Big${tab}${tab}${tab}{"z":1,"name":"a é","list":["x"]}
1000${tab}1${tab}+${tab}n${tab}b${tab}Host${tab}${tab}${tab}{}
1000${tab}1${tab}+${tab}e${tab}a|USES|b${tab}USES${tab}a${tab}b${tab}{"w":0.50}
2000${tab}2${tab}~${tab}n${tab}a${tab}${tab}${tab}${tab}{"z":null,"b":true}
3000${tab}3${tab}-${tab}e${tab}a|USES|b${tab}USES${tab}${tab}${tab}
3000${tab}3${tab}-${tab}n${tab}b${tab}${tab}${tab}${tab}
3000${tab}3${tab}+${tab}n${tab}b${tab}New${tab}${tab}${tab}{"k":1}
3000${tab}3${tab}~${tab}n${tab}b${tab}${tab}${tab}${tab}{"k":2}
END
ok import ev events.tsv -o ndjson
out_has '"transactions":3,"lines":8'
ok get ev n/a --at @1s
out_is '{"labels":["Host","Big"],"props":{"list":["x"],"name":"a é","z":1}}'
ok get ev n/a --at @2s
out_is '{"labels":["Host","Big"],"props":{"b":true,"list":["x"],"name":"a é"}}'
ok get ev 'e/a|USES|b' --at @1s
out_is '{"type":"USES","src":"a","dst":"b","props":{"w":0.50}}'
fails 1 absent get ev 'e/a|USES|b' --at @3s
ok get ev n/b --at @3s
out_is '{"labels":["New"],"props":{"k":2}}'
ok timeline ev n/b --count
out_is 2
ok scan ev --at @2999ms --count
out_is 3
ok feed ev --count
events_commits=$(cat "$out")
ok import zs events.tsv
if command -v zstd >/dev/null; then
    zstd -q events.tsv
    ok import zs events.tsv.zst -o ndjson
    ok export zs --at @2s
    cp "$out" zs.ndjson
    ok export ev --at @2s
    check "compressed is the same" cmp -s zs.ndjson "$out"
    head -c 100 events.tsv.zst >cut.zst
    fails 8 "zstd data is cut short" import cutdb cut.zst
fi
ok import again events.tsv
ok import again events.tsv
ok get again n/a --at @2s
out_is '{"labels":["Host","Big"],"props":{"b":true,"list":["x"],"name":"a é"}}'
ok import nowdb events.tsv --as-now
ok get nowdb n/b
fails 1 absent get nowdb n/b --at @3s
fails 2 "exclude each other" import x events.tsv --as-now --valid

# Spreadsheets begin UTF-8 with a mark.
printf '\357\273\277time,key,value\n2020-01-01,k,1\n' >mark.csv
ok import mark mark.csv
ok get mark k
out_is 1
printf '\357\273\277{"key":"j","value":"2"}\n' >mark.ndjson
ok import mark mark.ndjson
ok get mark j
out_is 2

# A bad line: its number, nothing of its transaction, all of those before.
bad() { # bad NUMBER TEXT LINE
    sed "$1s/.*/$3/" events.tsv >bad.tsv
    rm -rf bad
    fails 3 "line $1: " import bad bad.tsv
    err_has "$2"
}
bad 4 "nine columns" "2000${tab}2"
bad 4 "column 1" "x${tab}2${tab}~${tab}n${tab}a${tab}${tab}${tab}${tab}{}"
bad 4 "column 2" "2000${tab}0${tab}~${tab}n${tab}a${tab}${tab}${tab}${tab}{}"
bad 4 "column 3" "2000${tab}2${tab}%${tab}n${tab}a${tab}${tab}${tab}${tab}{}"
bad 4 "column 4" "2000${tab}2${tab}~${tab}x${tab}a${tab}${tab}${tab}${tab}{}"
bad 4 "column 5" "2000${tab}2${tab}~${tab}n${tab}${tab}${tab}${tab}${tab}{}"
bad 4 "does not exist at that time" "2000${tab}2${tab}~${tab}n${tab}q${tab}${tab}${tab}${tab}{}"
bad 4 "expected" "2000${tab}2${tab}~${tab}n${tab}a${tab}${tab}${tab}${tab}{\"z\":}"
bad 4 "does not come after" "500${tab}2${tab}~${tab}n${tab}a${tab}${tab}${tab}${tab}{}"
bad 6 "two times" "3001${tab}3${tab}-${tab}n${tab}b${tab}${tab}${tab}${tab}"
err_has "4 writes in 2 transactions before it are in the database"
ok get bad 'e/a|USES|b'
ok feed bad --count
out_is "$((events_commits - 1))"

# NDJSON: what export writes.
ok put x k v --at 2020-01-01
ok put x k w --at 2021-01-01 --ttl 1d
ok put x AP8= /wA= --base64 --at 2020-01-01
ok del x k --at 2022-01-01
ok put x late fact --at 2019-01-01
ok put x k span --from 2020-05-01 --to 2020-06-01
ok keyspace x create sensors --keep 36500d
ok put x k inside -k sensors --at 2020-01-01
ok keyspace x create present --keep now
ok put x k present -k present
run_with '{"key":"p","value":"1","valid_from":"2020-01-01","commit":"a"}
{"key":"q","value":{"deep":[1, 2]},"valid_from":"2020-01-01","commit":"a"}
{"key":"p","kind":"delete","valid_from":"2020-02-01T00:00:00Z","commit":"b"}
' import x -
code_is 0
ok get x q
out_is '{"deep":[1,2]}'
ok export x
cp "$out" x.ndjson
out_has '"key_base64":"AP8=","value_base64":"/wA="'
out_has '{"kind":"keyspace","keyspace":"sensors","keep":"36500d","compression":"default"}'
ok import y x.ndjson
ok export y
cp "$out" y.ndjson
# Commit times are new: number the groups instead, then all must be equal.
group() {
    awk '{
        commit = ""
        if (match($0, /"commit":"[^"]*"/)) {
            commit = substr($0, RSTART, RLENGTH)
            $0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
        }
        if ($0 ~ /"keyspace":"present"/) sub(/"valid_from":"[^"]*"/, "")
        groups += commit != last
        last = commit
        print groups, $0
    }' "$1"
}
group x.ndjson >x.groups
group y.ndjson >y.groups
check "import(export(x)) is x" cmp -s x.groups y.groups
ok timeline y k --every
cp "$out" timeline
ok timeline x k --every
check "the same timeline" cmp -s timeline "$out"
"$YORE" export x | "$YORE" import piped -
check "through a pipe" [ "$("$YORE" export piped | wc -l)" = "$(wc -l <x.ndjson)" ]
ok export x --at 2020-05-15 moment.ndjson
out_is ""
ok import m moment.ndjson
ok scan m --at 2020-05-15
cp "$out" scan
ok scan x --at 2020-05-15
check "a moment" cmp -s scan "$out"
ok export x --keyspace sensors
out_has '"keyspace":"sensors"'
out_lacks 'late'
ok import forced x.ndjson --keyspace default
ok keyspace forced list
out_is "default	all"
ok export x --prefix late
out_lines 3
fails 6 "cannot write" export x /nowhere/file

# A file is replaced when its successor is whole, and not before.
ok export x whole.ndjson
cp whole.ndjson before
ok put x later v
ok export x whole.ndjson
check "replaced" [ "$(wc -l <whole.ndjson)" -gt "$(wc -l <before)" ]
cp whole.ndjson before
fails 14 "" export x whole.ndjson --known 2099-01-01
check "no part is left" [ ! -e whole.ndjson.part ]
check "a failure leaves the old file" cmp -s before whole.ndjson
ok bench many --rows 5000 --workloads fillseq
mkfifo whole.ndjson.part stopped
{ head -c 1; read -r _ <stopped; cat; } <whole.ndjson.part >piped.ndjson &
"$YORE" export many whole.ndjson >"$out" 2>"$err" &
exporter=$!
last="export many whole.ndjson, and ^C"
until [ -s piped.ndjson ]; do sleep 0.05; done # it has begun, and what comes then is not read
kill -INT $exporter
echo >stopped
wait $exporter
code=$?
code_is 17
err_has "stopped after"
wait
check "no part is left after ^C" [ ! -e whole.ndjson.part ]
check "^C leaves the old file" cmp -s before whole.ndjson
mkfifo pipe
cat pipe >piped.ndjson &
ok export x pipe
wait
check "a pipe is written, not replaced" [ -p pipe ]
check "what went through it" cmp -s piped.ndjson before

# ^C while an import is made durable: the first table file shows that it is.
awk 'BEGIN { for (i = 0; i < 150000; i++) printf ",key%07d,%0200d\n", i, i * 7919 }' >large.csv
last="import flushed large.csv, and ^C"
code=0
while [ $code = 0 ]; do # once more where this shell was too late
    rm -rf flushed
    "$YORE" import flushed large.csv >"$out" 2>"$err" &
    importer=$!
    until ls flushed/*table* >/dev/null 2>&1 || ! kill -0 $importer 2>/dev/null; do :; done
    kill -INT $importer 2>/dev/null
    wait $importer
    code=$?
done
code_is 17
err_has "stopped while it was made durable"
err_has "150000 writes in"
ok scan flushed --count
out_is 150000
chmod 400 whole.ndjson
[ "$(id -u)" = 0 ] || fails 6 "cannot write whole.ndjson" export x whole.ndjson

# Erased versions stay erased, and what holds around them stays.
ok put er k first --at 2019-01-01
ok put er k secret --at 2020-01-01
ok put er k last --at 2021-01-01
ok put er user/1 secret --at 2020-01-01
ok erase er k --from 2020-01-01 --to 2021-01-01
ok erase er --prefix user/
# Inside the time of one version, without an end, and of versions that end by themselves.
ok put er inside value --at 2019-01-01
ok erase er inside --from 2020-01-01 --to 2021-01-01
ok put er open value --at 2019-01-01
ok erase er open --from 2020-01-01
for key in ends ends/inside; do
    printf '{"key":"%s","value":"value","valid_from":"2019-01-01","valid_to":"2020-09-01"}\n' $key
done >ends.ndjson
ok import er ends.ndjson
ok erase er ends
ok erase er ends/inside --from 2020-01-01 --to 2021-01-01
# Corrected at the same moment since: by a value, by none, by one that is empty, by one that was erased too.
for key in again/value again/delete again/empty again/erased again/span; do
    ok put er $key secret --at 2020-01-01
done
ok put er again/span after --at 2020-06-01
ok erase er --prefix again/
ok put er again/value v2 --at 2020-01-01
ok del er again/delete --at 2020-01-01
ok put er again/empty '' --at 2020-01-01
ok put er again/erased secret --at 2020-01-01
ok erase er again/erased
ok put er again/span v2 --at 2020-01-01
fails 102 erased get er inside --at 2020-06-01
fails 102 erased get er open --at 2020-06-01
ok timeline er inside
out_lines 3
ok export er
cp "$out" er.ndjson
out_lacks secret
out_has '"kind":"erased"'
ok import er2 er.ndjson
for moment in 2019-06-01 2020-06-01 2021-06-01 now; do
    for key in k user/1 inside open ends ends/inside; do
        run get er $key --at $moment
        cp "$out" got
        wanted=$code
        run get er2 $key --at $moment
        code_is $wanted
        check "$key at $moment" cmp -s got "$out"
    done
done
for key in again/value again/delete again/empty again/erased again/span; do
    ok timeline er $key --every -o csv
    cut -d, -f2,4- "$out" >timeline
    ok timeline er2 $key --every -o csv
    cut -d, -f2,4- "$out" >timeline2
    check "the timeline of $key" cmp -s timeline timeline2
done
fails 102 erased get er2 k --at 2020-06-01
fails 102 erased get er2 ends/inside --at 2020-06-01
fails 1 absent get er2 ends/inside --at 2020-10-01
ok export er2
cp "$out" er2.ndjson
group er.ndjson >er.groups
group er2.ndjson >er2.groups
check "erased versions export as they were" cmp -s er.groups er2.groups

# A time to live may pass before its commit: such a version never holds, and stops no import.
cat >over.ndjson <<'END'
{"key":"k","value":"before","valid_from":"2020-01-01","commit":"a"}
{"key":"k","value":"v","valid_from":"2020-02-01T00:00:00.2Z","valid_to":"2020-02-01T00:00:00.1Z","commit":"b"}
{"key":"e","valid_from":"2020-02-01","valid_to":"2020-02-01","kind":"erased","commit":"b"}
{"key":"z","value":"later","valid_from":"2020-03-01","commit":"c"}
END
ok import over over.ndjson
fails 1 absent get over k
ok get over k --at 2020-01-15
out_is before
fails 1 absent get over e
ok get over z
out_is later
ok timeline over k
out_lines 2

# Where only now is kept, ends stay too; what has ended on the way is absent.
ok keyspace ttl create sess --keep now
ok put ttl long v --keyspace sess --ttl 1h
ok put ttl short v --keyspace sess --ttl 2h
ok export ttl
sed '/"short"/s/"valid_to":"[^"]*"/"valid_to":"2020-01-01T00:00:00Z"/' "$out" >ttl.ndjson
ok keyspace ttl2 create sess --keep now
ok put ttl2 short older --keyspace sess
ok import ttl2 ttl.ndjson
fails 1 absent get ttl2 short --keyspace sess
ok get ttl2 long --keyspace sess
out_is v
ok keyspace ttl3 create other --keep now
ok import ttl3 ttl.ndjson --keyspace other
ok get ttl3 long --keyspace other
out_is v
ok export ttl2
sed -n 's/.*"valid_to":\("[^"]*"\).*/\1/p' "$out" >ends
sed -n 's/.*"key":"long".*"valid_to":\("[^"]*"\).*/\1/p' ttl.ndjson >wanted
check "it ends when it did" cmp -s ends wanted
check "and does end" [ -s ends ]

# What retention has left exports too, and reads the same where it still may.
ok keyspace trimmed create old
for year in 2015 2016 2017 2018; do
    ok put trimmed k $year -k old --at $year-01-01
    ok put trimmed only$year $year -k old --at $year-01-01
    ok put trimmed k $year --at $year-01-01
done
ok keyspace trimmed trim old --at 2017-06-01
ok compact trimmed
run export trimmed
code_is 0
cp "$out" trimmed.ndjson
ok import kept trimmed.ndjson
for moment in 2017-06-01 2018-01-01 now; do
    ok scan trimmed -k old --at $moment
    cp "$out" scan
    ok scan kept -k old --at $moment
    check "the same at $moment" cmp -s scan "$out"
done
ok timeline trimmed k
cp "$out" timeline
ok timeline kept k
check "what keeps all keeps it" cmp -s timeline "$out"

# Where the feed no longer reaches back, no key is missing: of the beginning of time, absent ever since it was corrected, erased.
ok keyspace kept2 create now --keep now
ok put kept2 x 1 --keyspace now
ok put kept2 begin v --at @-9223372036854775807ns
ok put kept2 never v --at 2020-01-01
ok put kept2 marker v
known=$("$YORE" timeline kept2 marker -o ndjson | sed 's/.*"commit":"\([^"]*\)".*/\1/')
ok del kept2 never --at 2020-01-01
ok put kept2 secret v1
ok erase kept2 secret
ok put kept2 dead v --at 2020-01-01
ok put kept2 dead w --at 2021-01-01
ok erase kept2 dead
ok del kept2 dead --at 2022-01-01
ok keyspace kept2 create old
ok put kept2 gone v -k old --at 2015-01-01
ok erase kept2 gone -k old
ok put kept2 held v -k old --at 2015-01-01
ok keyspace kept2 trim old --at 2017-01-01
ok compact kept2
ok get kept2 never --at 2020-06-01 --known "$known"
out_is v
fails 102 erased get kept2 gone -k old
ok export kept2
cp "$out" kept2.ndjson
ok import kept3 kept2.ndjson
for key in begin never secret dead; do
    ok timeline kept2 $key --every -o csv
    cut -d, -f2,4- "$out" >timeline
    run timeline kept3 $key --every -o csv
    cut -d, -f2,4- "$out" >timeline3
    check "the timeline of $key" cmp -s timeline timeline3
done
fails 102 erased get kept3 secret
fails 102 erased get kept3 dead --at 2021-06-01
fails 1 absent get kept3 dead
fails 102 erased get kept3 gone -k old
ok get kept3 held -k old
ok export kept3
cp "$out" kept3.ndjson
group kept2.ndjson | grep -v '"keyspace":"now"' >kept2.groups
group kept3.ndjson | grep -v '"keyspace":"now"' >kept3.groups
check "and all again" cmp -s kept2.groups kept3.groups
ok export kept2 --prefix sec
out_has '"kind":"erased"'
out_lacks begin

nd() { # nd TEXT LINE
    printf '%s\n%s\n' '{"key":"good","value":"1"}' "$2" >bad.ndjson
    rm -rf bad
    fails 3 "line 2: " import bad bad.ndjson
    err_has "$1"
    fails 1 absent get bad good
}
nd "column 1: expected an object" 'x'
nd 'no "key"' '{}'
nd 'no "value"' '{"key":"a"}'
nd 'unknown member "vaule"; did you mean "value"?' '{"key":"a","vaule":"b"}'
nd 'none of put, delete' '{"key":"a","kind":"poke"}'
nd '"valid_from":' '{"key":"a","value":"b","valid_from":"then"}'
nd 'a string is wanted' '{"key":1,"value":"b"}'
nd 'not base64' '{"key_base64":"%","value":"b"}'
nd 'a second key' '{"key":"a","key_base64":"QQ==","value":"b"}'
nd 'without being a put' '{"key":"a","value":"b","kind":"delete"}'
nd 'needs its "valid_from"' '{"key":"a","kind":"erased"}'
nd "no keyspace 'none'" '{"key":"a","value":"b","keyspace":"none"}'
nd 'must be later than the begin' '{"key":"a","value":"b","valid_from":"2020-01-02","valid_to":"2020-01-01"}'
nd 'expected the end' '{"key":"a","value":"b"} x'

# CSV and TSV of (time, key, value).
printf 'time,key,value\r\n2020-01-01,k,"a, ""b""\nsecond"\r\n@1580000000s,k,2\r\n' >rows.csv
ok import csv rows.csv -o ndjson
out_has '"writes":2,"transactions":1'
ok get csv k --at 2020-01-02
out_is 'a, "b"
second'
ok import csv2 rows.csv --batch 1 -o ndjson
out_has '"writes":2,"transactions":2'
printf '2020-01-01\tk\ta\\tb\n\n2020-01-02\tk\tc\n' >rows.tsv
ok import tsv rows.tsv
ok get tsv k --at 2020-01-01
out_is "a${tab}b"
printf '2020-01-01,k\n' >two.csv
fails 3 "2 columns; three are wanted" import bad2 two.csv --format csv
fails 3 "looks like none of" import bad2 two.csv
printf '2020-01-01,k,v\nnever,k,v\n' >time.csv
fails 3 "line 2" import bad2 time.csv
printf '2020-01-01,k,"v\n' >open.csv
fails 3 "does not end" import bad2 open.csv
printf '2020-01-01,k,a"b\n' >quote.csv
fails 3 "a quote inside a field" import bad2 quote.csv
printf '2020-01-01,,v\n' >empty_key.csv
fails 3 "the key is empty" import bad2 empty_key.csv
fails 1 "no such file" import mistyped nofile
fails 3 "is a directory" import mistyped .
fails 3 "looks like none of" import mistyped two.csv
check "no database is left behind" [ ! -e mistyped ]
fails 1 "no such file" import db nofile
fails 3 "is a directory" import db x
: >nothing
ok import db nothing -o ndjson
out_has '"writes":0'

# A limit on the size of files is told, and does not end the program.
awk 'BEGIN { for (i = 1; i <= 20000; i++) print "2020-01-01,k" i ",a value of some forty octets that is the same for all" }' >many.csv
run_limited() { # run_limited KILOBYTES ARGUMENT...
    limit=$1
    shift
    last=$*
    (ulimit -f $((2 * limit)) && exec "$YORE" "$@") >"$out" 2>"$err" </dev/null
    code=$?
}
run_limited 200 import limited many.csv
code_is 7
err_has "File too large"
ok import limited many.csv
finish
