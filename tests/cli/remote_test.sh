#!/bin/sh
# Commands on a server print what they print on its directory: the same rows, messages and exit codes.
. "$(dirname "$0")/lib.sh"

server=
stop_server() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=
    fi
}
trap 'stop_server; rm -rf "$work"' EXIT
start_server() { # start_server DIR FLAG...; sets $url
    dir=$1
    shift
    rm -f server.out # the last one's must not be taken for this one's
    "$YORE" server --dir "$dir" --port any --http-port 0 --bolt-port 0 "$@" >server.out 2>&1 &
    server=$!
    for _ in $(seq 3000); do
        grep -qs 'Ready to accept' server.out && break
        kill -0 $server || { cat server.out; exit 1; }
        sleep 0.05
    done
    port=$(sed -n 's/^redis .* port \([0-9]*\).*/\1/p' server.out)
    url=yore://127.0.0.1:$port
}

start_server db # makes its own keyspaces
stop_server

# The data: corrections, deletes, ends, an erasure, any bytes, several keyspaces, one that forgets.
for i in 1 2 3 4 5 6 7 8 9; do
    ok put db "host/$i" "up $i" --at "2020-01-0$i"
done
ok put db host/1 down --from 2020-02-01 --to 2020-03-01
ok put db host/2 corrected --at 2020-01-02
ok del db host/3 --at 2021-01-01
ok put db session x --at 2020-01-01 --ttl 30d
ok put db empty ''
head -c 300 /dev/urandom >blob
ok put db blob --file blob
ok put db secret gone
ok erase db secret
ok keyspace db create sensors --compression zstd
ok put db t1 20.5 --keyspace sensors --at 2024-01-01
ok put db t1 21 --keyspace sensors --at 2024-01-02
ok keyspace db create dropped
ok put db k v --keyspace dropped
ok query db topo "CREATE (:Service {name: 'cart', n: 1, d: date('2020-01-01'), at: time('12:00+01:00')})
    -[:CALLS {ms: 1.5, tags: ['a', 'b']}]->(:Service {name: \"it's\"})"
then=$(date -u +%Y-%m-%dT%H:%M:%SZ -d '+1 second')
sleep 1.1
ok keyspace db drop dropped
ok query db topo "MATCH (n {name: 'cart'}) SET n.n = 2"
# What goes on in the background has been done: between two runs nothing changes by itself.
ok compact db

cat >reads <<'END'
get WHERE host/1
get WHERE host/1 --at 2020-02-10
get WHERE host/1 host/3 nobody -o json
get WHERE host/2 --at 2020-01-05 --known 2020-01-01
get WHERE session
get WHERE session --at 2020-01-15 -o json
get WHERE secret
get WHERE blob -o raw
get WHERE empty -o ndjson
get WHERE t1 --keyspace sensors -o json
get WHERE t1 --keyspace nowhere
get WHERE k --keyspace dropped
get WHERE k --keyspace dropped --at THEN
scan WHERE
scan WHERE -o json
scan WHERE --prefix host/ --limit 3
scan WHERE --prefix host/ --limit 3 --reverse -o ndjson
scan WHERE --low host/2 --high host/4 --keys
scan WHERE --prefix nothing
scan WHERE --count
scan WHERE --count --prefix host/ --at 2020-01-05
scan WHERE --at 2020-02-10 -o csv
scan WHERE --keyspace sensors -0
timeline WHERE host/1
timeline WHERE host/1 -o json
timeline WHERE host/2 --every -o ndjson
timeline WHERE host/1 --from 2020-01-15 --to 2020-02-15 --reverse -o json
timeline WHERE host/1 --limit 1
timeline WHERE secret -o json
timeline WHERE nobody
timeline WHERE t1 --keyspace sensors --count
changes WHERE --from 2020-01-03 --to 2020-02-10
changes WHERE --from 2020-01-03 --to 2020-02-10 -o json
changes WHERE --to 2021-06-01 --every -o ndjson
changes WHERE --to 2021-06-01 --every --by-time
changes WHERE --from 2020-01-01 --to 2021-06-01 --prefix host/ --limit 2
changes WHERE --low host/4 --to 2021-06-01 --count
changes WHERE --from 2020-01-01 --to 2019-01-01
changes WHERE --keyspace sensors --to 2024-06-01 -o json
feed WHERE --limit 7
feed WHERE --limit 12 -o ndjson
feed WHERE --from now
keyspace WHERE list --at THEN
keyspace WHERE list -o json --at THEN
stats WHERE --keyspace sensors
export WHERE --keyspace sensors
export WHERE --prefix host/ --keyspace default
graph WHERE list
graph WHERE list -o json --at THEN
graph WHERE export topo --at THEN
graph WHERE export topo --at THEN --format nodes-csv
graph WHERE export topo --at THEN --format relationships-csv
graph WHERE export topo --at THEN --format graphml
graph WHERE export topo --at THEN --format dot
graph WHERE export topo --at THEN --format events
graph WHERE export topo --every
graph WHERE export topo --every --known THEN
graph WHERE export topo --every --format relationships-csv
graph WHERE export topo --every --format dot
graph WHERE export topo --format thing
graph WHERE export topo --at 2001-01-01
graph WHERE export nowhere
query WHERE topo --file statement
query WHERE topo --file statement -o json
query WHERE topo --file statement -o csv --at THEN
query WHERE topo --file statement --limit 1
query WHERE topo --file literals -o ndjson -p n=1 -p s=it's -p l=[1,'x'] -p t=true
query WHERE topo --file wrong
query WHERE nowhere --file literals
END
echo 'MATCH p = (s)-[c]->(d) RETURN s, c, d.name, s.d, s.at, s.n, null AS x, [1, "a"] AS l, {k: 2} AS m, p ORDER BY d.name' >statement
echo 'RETURN $n AS n, $s AS s, $l AS l, $t AS t, 1.0 AS f, "" AS empty' >literals
echo 'MATCH (n) RETURN m' >wrong
run_reads() { # run_reads WHERE FOLDER
    mkdir "$2"
    n=0
    while read -r line; do
        n=$((n + 1))
        line=$(printf '%s' "$line" | sed "s/THEN/$then/")
        # shellcheck disable=SC2046 # the line is words
        run $(printf '%s' "$line" | sed "s|WHERE|$1|")
        sed "s|$1|WHERE|g" "$err" >"$2/$n.err"
        cp "$out" "$2/$n.out"
        echo "$code" >"$2/$n.code"
    done <reads
}
run_reads db in_directory
ok export db --at 2020-02-10
grep -v '"keyspace":"server' "$out" >in_directory.ndjson
start_server db
run_reads "$url" on_server
n=0
while read -r line; do
    n=$((n + 1))
    for part in out err code; do
        check "$part of: $line" cmp "in_directory/$n.$part" "on_server/$n.$part"
    done
done <reads

# Of a whole export a server leaves out what it keeps for itself, and says that graphs are in it.
ok export "$url" --at 2020-02-10
check "export --at" cmp in_directory.ndjson "$out"
err_has "1 keyspaces of graphs and series"

# Writing: what one writes over the wire is what the directory has afterwards.
ok put "$url" w/1 one
out_is ""
ok put --url "$url" w/1 two -o json
out_has '"commit"'
ok put "$url" w/2 past --at 2020-05-01 --ttl 10d
ok put "$url" w/3 span --from 2020-05-01 --to 2020-05-02
ok put "$url" w/4 --file blob
ok del "$url" w/1
ok erase "$url" host/9
ok erase "$url" --prefix host/8
ok keyspace "$url" create made --keep 90d
ok put "$url" m 1 --keyspace made
ok keyspace "$url" alter made --keep all
ok keyspace "$url" trim sensors --at 2024-01-01T12:00:00Z
ok query "$url" made "CREATE (:A)-[:B]->(:C)"
err_has "2 nodes created, 1 relationships created"
ok query "$url" made "MATCH (n) RETURN count(n)"
out_is 2
ok graph "$url" drop made
fails 1 "no graph 'made' in $url" graph "$url" drop made
fails 2 "setting \`durability\`" graph "$url" apply topo facts.ndjson --source x --durability none
fails 3 "" query "$url" topo "RETURN 1/0"
ok check "$url" -o json
out_has '{"what":"graphs","count":1}'
out_has '{"what":"problems","count":0}'
ok compact "$url"
ok compact "$url" --keyspace made
fails 2 "--to must be later" put "$url" h x --from 2020-04-01 --to 2020-03-01
fails 14 "" put "$url" h x --at 2250-01-01
fails 14 "but now is" feed "$url" --from 2250-01-01
fails 18 "setting \`durability\`" put "$url" h x --durability none
fails 11 "" keyspace "$url" create made
fails 1 "no keyspace 'nowhere' in $url" put "$url" k v --keyspace nowhere
fails 15 "keeps this keyspace for itself" put "$url" k v --keyspace server
ok stats "$url" -o csv
out_has "commit_latency_us"

# A file goes in over the wire as it goes into a directory: transactions, erasures, keyspaces.
printf '%s\n' '{"kind":"keyspace","keyspace":"logs","keep":"all","compression":"zstd"}' \
    '{"key":"a","value":"1","valid_from":"2020-01-01","commit":"x"}' \
    '{"key":"b","value":"2","valid_from":"2020-01-01","valid_to":"2020-02-01","commit":"x"}' \
    '{"key":"a","kind":"delete","valid_from":"2020-03-01","commit":"y"}' \
    '{"key":"l","value":"in logs","keyspace":"logs","commit":"z"}' >facts.ndjson
ok import local facts.ndjson
ok export local local.ndjson
stop_server
start_server served
ok import "$url" facts.ndjson -o json
out_has '"transactions":3'
ok export "$url" served.ndjson
# Commit times are new in each.
for file in local served; do
    sed 's/"commit":"[^"]*"/COMMIT/; s/"valid_from":"2[^0][^"]*"/NOW/' $file.ndjson |
        sed 's/"valid_from":"202[6-9][^"]*"/NOW/' >$file.plain
done
check "what was imported is the same" cmp local.plain served.plain
# Erasures and retention come last in a file; what the background makes of them is not awaited.
printf '%s\n' '{"kind":"keyspace","keyspace":"short","keep":"30d"}' \
    '{"key":"e","kind":"erased","valid_from":"2020-03-01","commit":"y"}' >ends.ndjson
ok import "$url" ends.ndjson
run get "$url" e
code_is 102
ok keyspace "$url" list
out_has "30d"
run_with '2020-01-01,x,1
broken' import "$url" - --format csv
code_is 3
err_has "line 2"
stop_server

# Who read the first lines of a server and went away (yore server | head) has not ended it.
mkfifo lines
sed '/^redis .* port /q' <lines >server.out &
reader=$!
"$YORE" server --dir piped --port any --http-port 0 --bolt-port 0 >lines 2>&1 &
server=$!
wait $reader
port=$(sed -n 's/^redis .* port \([0-9]*\).*/\1/p' server.out)
url=yore://127.0.0.1:$port
for _ in $(seq 3000); do
    "$YORE" ping "$url" >"$out" 2>"$err" && break
    sleep 0.05
done
ok put "$url" k v
kill $server
wait $server
check "it ends as it should when it is told to" [ $? = 0 ]
server=
ok get piped k
out_is v

# What sources say is taken in over the wire as in a directory.
printf '%s\n' '{"node":"web","labels":["Service","Front"],"properties":{"n":1.5,"d":{"$date":"2020-01-01"},"t":["a","b"]},"from":"2020-01-01"}' \
    '{"node":"old","from":"2020-01-01","to":"2020-06-01"}' \
    '{"relationship":"r1","type":"CALLS","start":"web","end":"pay","properties":{"ms":12},"from":"2020-01-01"}' \
    '{"node":"it'"'"'s \u00e9","properties":{"map":{"$map":{"$date":1}}},"from":"2020-01-02"}' >words.ndjson
printf '%s\n' '{"node":"pay","from":"2020-01-03"}' '{"node":"web","removes":true,"from":"2020-02-01"}' >more.ndjson
printf '%s\n' '{"node":"web","labels":["Service"]}' '{"node":"disk","labels":["Disk"]}' >snapshot.ndjson
printf '%s\n' '{"node":"disk"}' '{"node":7}' >broken.ndjson
printf ':ID,:LABEL,n:int\ncsv1,Service,7\n' >nodes.csv
# Lines for several calls, a transaction of 3,000 among them.
awk 'BEGIN {
    for (i = 1; i <= 9000; i++) {
        n = i <= 6000 ? int(i / 2) + 1 : 3002
        printf "15778%08d\t%d\t+\tn\tn%d\tHost,Big\t\t\t{\"name\":\"a name that is long enough to fill a line of a file\",\"i\":%d}\n", 36800000 + n, n, i, i
    }
    for (i = 9001; i <= 12000; i++)
        printf "15778%08d\t%d\t+\te\te%d\tNEXT\tn%d\tn%d\t{}\n", 36800000 + i, i, i, i - 9000, i - 8999
}' >events.tsv
{ cat events.tsv; printf '1577836900000\t20000\t-\tn\tn9000\t\t\t\t\n'; } >longer.tsv
{ cat longer.tsv; printf '1577836900001\t20001\t-\tn\tnosuch\t\t\t\t\n'; } >worse.tsv
printf 'no event\n' >wrong.tsv
take_in() { # take_in WHERE FILE
    for words in "source g --source stock --rank 3 --ttl 3650d" "apply g words.ndjson more.ndjson --source stock --batch 2" \
        "apply g words.ndjson --source stock" "apply g nodes.csv --source k8s --format csv" "pending g" "pending g --at 2020-01-05" "pending g --at 2019-01-01" \
        "sync g snapshot.ndjson --source k8s --at 2020-03-01" "sync g broken.ndjson --source k8s" "abort g --source k8s" \
        "sync g snapshot.ndjson --source stock --at 2020-04-01" "sources g" "settle g" "settle nowhere" "sources nowhere" "pending nowhere" "abort nowhere --source k8s" "end g --source k8s --at 2020-05-01" \
        "import ev events.tsv" "import ev events.tsv" "import ev longer.tsv" "import ev worse.tsv" "import ev wrong.tsv" "import ev nofile.tsv" \
        "erase g node disk nosuch" "erase g node web" "erase g relationship r1" "erase g node web" "erase g thing web"; do
        # shellcheck disable=SC2086 # words
        run graph "$1" $words -o json
        echo "$words: $code"
        sed "s|$1|WHERE|g; s/\"[a-z_]*\":\"20[^\"]*\"//g; s/\"seconds\":[0-9.e-]*//" "$out" "$err"
    done >"$2"
}
take_in said said.directory
start_server heard
take_in "$url" said.server
stop_server
check "sources are heard over the wire as in a directory" cmp said.directory said.server
for dir in said heard; do
    ok graph $dir export g --every -o raw
    sed 's/"from":"2[^0][^"]*"/NOW/; s/"from":"202[6-9][^"]*"/NOW/' "$out" >$dir.graph
    ok graph $dir export ev --every -o raw
    cat "$out" >>$dir.graph
done
check "and leave the same graph" cmp said.graph heard.graph

# An export is of one commit, whatever others write meanwhile.
start_server written
ok keyspace "$url" create pairs
seq 3000 | awk '{ printf "{\"key\":\"k%04d\",\"value\":\"%d\"}\n", $1, $1 }' >rows.ndjson
ok import "$url" rows.ndjson
ok put "$url" tmp x --ttl 100s # what ends is listed in a keyspace that keeps only now,
ok compact "$url"              # of which the feed cannot tell the past: all is read key by key
start_writer() { # start_writer N: commits N, N+1, ... of three writes: the first key, the last key, the other keyspace
    awk -v n="$1" 'BEGIN {
        for (;; n++) {
            line = ",\"value\":\"" n "\",\"commit\":\"" n "\"}\n"
            printf "{\"key\":\"a0\"" line "{\"key\":\"z9\"" line
            printf "{\"key\":\"z9\",\"keyspace\":\"pairs\"" line
        }
    }' | "$YORE" import "$url" - 2>writer.err &
    writer=$!
    for _ in $(seq 3000); do
        "$YORE" get "$url" a0 >"$out" 2>"$err" && [ "$(cat "$out")" -ge "$1" ] && return
        sleep 0.05
    done
}
# export_meanwhile FILE ARGUMENT...: an export that the writer writes beside; one it did not get to is made once more.
export_meanwhile() {
    file=$1
    shift
    while :; do
        ok export "$url" "$@" "$file"
        kill -0 $writer || break
        "$YORE" get "$url" a0 >"$out"
        [ "$(cat "$out")" -gt "$(sed -n 's/.*"key":"a0","value":"\([0-9]*\)".*/\1/p' "$file" | tail -1)" ] && break
    done
    check "the writer goes on" kill -0 $writer
    kill $writer 2>/dev/null
    wait $writer 2>/dev/null
}
start_writer 1
export_meanwhile all.ndjson
check "every commit is whole" [ "$(grep -E '"key":"(a0|z9)"' all.ndjson |
    sed 's/.*"commit":"\([^"]*\)".*/\1/' | sort | uniq -c | awk '{ print $1 }' | sort -u)" = 3 ]
start_writer 1000000
export_meanwhile moment.ndjson --at now
check "one moment is one commit's" [ "$(grep -E '"key":"(a0|z9)"' moment.ndjson |
    sed 's/.*"value":"\([^"]*\)".*/\1/' | sort | uniq -c | awk '{ print $1 }')" = 3 ]
stop_server

# From server to server all keys, databases and keyspaces arrive; what cannot come is told when the rest is there.
start_server source
ok put "$url" foo bar
ok put "$url" tmp x --ttl 1h
ok keyspace "$url" create made --keep 90d
ok put "$url" m 1 --keyspace made
ok keyspace "$url" create db3
ok put "$url" three 3 --keyspace db3
ok export "$url" source.ndjson
err_is_empty
check "no bookkeeping in it" [ "$(grep -c '"keyspace":"server' source.ndjson)" = 0 ]
ok compact "$url"
ok export "$url" compacted.ndjson # key by key, since the feed no longer reaches back
check "nor where it is read key by key" [ "$(grep -c '"keyspace":"server' compacted.ndjson)" = 0 ]
ok query "$url" topo "CREATE (:A)-[:B]->(:C)"
ok export "$url" graph.ndjson
err_has "a server imports none of them"
stop_server
ok export source directory.ndjson # which has the bookkeeping, as files of before had from servers, too
check "a directory's has it" grep -q '"keyspace":"server.expiry"' directory.ndjson
for file in source compacted graph directory; do
    start_server target_$file
    run import "$url" $file.ndjson
    case $file in
    source | compacted) code_is 0 && err_is_empty ;;
    graph | directory)
        code_is 18
        err_has "all is written but keyspace g.topo ("
        err_has "import the file into a new directory"
        ;;
    esac
    [ $file != directory ] || err_has "lines of keyspaces that a server has of its own"
    for key in foo=bar tmp=x m=1:made three=3:db3; do
        name=${key#*:}
        ok get "$url" "${key%%=*}" --keyspace "$([ "$name" = "$key" ] && echo default || echo "$name")"
        value=${key#*=}
        out_is "${value%:*}"
    done
    ok keyspace "$url" list
    out_has "90d"
    stop_server
done
grep -v '"g.topo"' directory.ndjson >bookkeeping.ndjson
start_server target_bookkeeping
ok import "$url" bookkeeping.ndjson # nothing is missing but what the server has of its own
err_has "lines of keyspaces that a server has of its own"
stop_server
printf '%s\n' '{"kind":"keyspace","keyspace":"default.series"}' '{"key":"x","value":"1","keyspace":"default.series"}' \
    '{"key":"k","value":"v"}' >series.ndjson
printf '%s\n' '{"kind":"keyspace","keyspace":"db99.series"}' '{"key":"x","value":"1","keyspace":"db99.series"}' \
    '{"kind":"keyspace","keyspace":"graph.staging","keep":"now"}' >named.ndjson
start_server target_series
fails 18 "all is written but keyspace default.series (1 versions): graphs and series" import "$url" series.ndjson
printf '%s\n' '{"key":"cpu","value":"\u0000yore.ts\u0001"}' '{"key":"k2","value":"v2"}' >marked.ndjson
fails 18 "all is written but 1 versions of time series" import "$url" marked.ndjson
fails 1 "" get "$url" cpu
ok get "$url" k2
out_is v2
ok get "$url" k
fails 1 "" get "$url" x --keyspace default.series
ok import "$url" named.ndjson # of a database that this server has not: a keyspace like others; nothing is staged
ok get "$url" x --keyspace db99.series
stop_server
ok keyspace swapped create server
ok put swapped database/0 db1 --keyspace server # as SWAPDB leaves it
ok put swapped database/1 default --keyspace server
start_server swapped
ok export "$url" swapped.ndjson
check "what was swapped is told" [ "$(grep -c '"keyspace":"server"' swapped.ndjson)" = 3 ]
ok export "$url" --keyspace server.expiry asked.ndjson
check "who asks for one keyspace gets it" grep -q '"keyspace":"server.expiry"' asked.ndjson
stop_server
ok import whole graph.ndjson # a directory takes all of it
ok query whole topo "MATCH (n) RETURN count(n)"
out_is 2
start_server whole
ok query "$url" topo "MATCH (n) RETURN count(n)"
out_is 2
stop_server

# The shell: a session's moment, several commands, one connection that may be lost between them.
start_server db
run_with 'get host/2
at 2020-02-10
get host/1
put host/1 x
scan --prefix host/1
' shell "$url"
code_is 15
out_has "down"
err_has "this session stands at 2020-02-10"
ok shell "$url" -c 'scan --count'
run shell "$url" --read-only -c 'put a b'
code_is 15
err_has "leave --read-only out"
ok get "$url" w/4 -o raw
check "bytes came through" cmp "$out" blob

run_with 'graph use topo
MATCH (n) RETURN count(n)
at 2020-01-01
graph use topo
' shell "$url"
code_is 0
out_has 2
err_has "there is no graph 'topo' yet"

ok query "$url" topo "CREATE (:LongestLabelThereIs)"
# Labels are completed from a server too; script has a terminal for it.
mkfifo keys
TERM=xterm script -qec "'$YORE' shell '$url'" /dev/null <keys >screen 2>&1 &
typist=$!
exec 9>keys
check "the shell waits on a terminal" on_screen 'at now> '
printf 'graph use topo\n' >&9
printf 'RETURN "rea" + "dy"\n' >&9
check "a graph is chosen" on_screen 'ready'
printf 'MATCH (n:Longest\t' >&9
check "a label is completed" on_screen 'LabelThereIs'
printf ') RETURN count(n) + 7000\nquit\n' >&9
check "and the statement runs" on_screen '7001'
exec 9>&-
wait $typist

ok ping "$url"
out_is "$url answers"
fails 6 "cannot connect" ping yore://127.0.0.1:1
fails 2 "ping asks a server" ping db

# top: what goes on meanwhile.
yes 'put busy x' | "$YORE" shell "$url" >/dev/null 2>&1 &
writer=$!
until "$YORE" get "$url" busy >"$out" 2>"$err"; do sleep 0.05; done
ok top "$url" --interval 300ms --limit 3 -o csv
out_lines 4
check "it saw the writes" awk -F, 'NR > 1 && $3 > 0 { seen = 1 } END { exit !seen }' "$out"
out_has "yore.put"
kill $writer 2>/dev/null
wait $writer 2>/dev/null
ok top "$url" --once --interval 100ms -o json
out_has '"clients":'
fails 2 "top watches a server" top db
fails 3 "set backup-dir" backups "$url"
fails 3 "set backup-dir" backup "$url" first
fails 2 "give one of them" top "$url" --once --limit 3

# What cannot be done over the wire says so.
fails 18 "restore into a directory" restore "$url" /nowhere
fails 3 "leave /3 out of the URL" get "$url/3" a
fails 3 "the URL of the server" get yore:// a
fails 2 "--url takes" get --url http://x a
fails 6 "cannot connect" get yore://127.0.0.1:1 a
stop_server

# A backup is written on the server's machine.
mkdir backups
start_server db --backup-dir backups
ok backup "$url" first -o json
out_has '"id":1'
ok backups backups/first
ok backup "$url" first
ok backup "$url" second
ok backups "$url" -o json
check "all of them are told" [ "$(grep -c '"name":' "$out")" = 3 ]
ok backups "$url" second -o raw
out_lines 1
ok backups --url "$url" first
fails 1 "" backups "$url" nosuch
printf 'backups first\n' | "$YORE" shell "$url" >"$out" 2>&1
check "inside the shell too" grep -q first "$out"
fails 2 "only a server's backups have names" backups backups first
fails 3 "a backup's name is" backup "$url" ../elsewhere
stop_server

# A server that wants a login: the password is never on the command line.
YORE_REQUIREPASS=secret
export YORE_REQUIREPASS
start_server db
unset YORE_REQUIREPASS
fails 15 "YORE_PASSWORD" get "$url" host/2
fails 15 "YORE_PASSWORD" get "yore://default@127.0.0.1:$port" host/2
ok ping "$url"
out_has "it wants a login"
YORE_PASSWORD=secret
export YORE_PASSWORD
ok get "$url" host/2
out_is "corrected"
YORE_PASSWORD=wrong
fails 15 "the server refused" get "$url" host/2
printf 'secret\n' >password
ok get "$url" host/2 --password-file password
fails 1 "missing: no such file" get "$url" host/2 --password-file missing
unset YORE_PASSWORD
ok get "yore://default:secret@127.0.0.1:$port" host/2
fails 1 "in yore://default@127.0.0.1:$port" get "yore://default:secret@127.0.0.1:$port" x --keyspace no
stop_server
finish
