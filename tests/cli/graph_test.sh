#!/bin/sh
# Sources of a graph: apply, sync, source, end, sources, pending, settle, abort, erase; export and back.
. "$(dirname "$0")/lib.sh"

cat >a.ndjson <<'END'
{"node":"web","labels":["Service","Pod"],"properties":{"name":"Wéb \"1\"","load":0.5,"tags":["a","b"],"since":{"$date":"2015-07-21"}},"from":"2020-01-01"}
{"relationship":"web>db","type":"CALLS","start":"web","end":"db","properties":{"n":3},"from":"2020-01-02"}
END
ok graph db apply topo a.ndjson --source k8s -o json
out_has '"words":2'
out_has '"pending_added":1'
ok graph db pending topo -o csv
out_has 'web>db,CALLS,web,db,end,k8s,2020-01-02T00:00:00Z'
ok query db topo 'CALL yore.pending() YIELD id, missing, source, since RETURN id, missing, source, since' --at 2020-01-02 -o raw
out_is "$(printf 'web>db\tend\tk8s\t2020-01-02T00:00Z')"
ok query db topo 'CALL yore.pending() YIELD id RETURN count(id)' --at 2020-01-01 -o raw
out_is 0
ok query db topo 'CALL yore.sources() YIELD name, rank, ttl, nodes, relationships, pending, expiredAt RETURN *' -o csv
out_has 'k8s,1,1,0,1,'
run_with '{"node":"db","labels":["Service"],"from":"2020-02-01"}' graph db apply topo - --source cmdb -o ndjson
code_is 0
out_has '"pending_resolved":1'
ok graph db pending topo -o csv
out_lacks 'web>db,'
ok query db topo 'MATCH (a)-[r:CALLS]->(b) RETURN r.n' --at 2020-01-15 -o raw
out_is ''
ok query db topo 'MATCH (a)-[r:CALLS]->(b) RETURN r.n' --at 2020-02-01 -o raw
out_is 3

# Snapshots: what is no longer named goes, what another source claims stays.
ok graph db apply topo a.ndjson --source cmdb -q -o raw
printf '{"node":"new"}\n' >s.ndjson
ok graph db sync topo s.ndjson --source k8s --at 2020-03-01 -o json
out_has '"words":3'
ok query db topo 'MATCH (n) RETURN count(n)' --at 2020-03-01 -o raw
out_is 3
printf '{"node":"half"}\n{"node":7}\n' >bad.ndjson
fails 3 "bad.ndjson, line 2, column 9" graph db sync topo bad.ndjson --source k8s
ok query db topo 'MATCH (n) RETURN count(n)' -o raw
out_is 3
ok graph db end topo --source k8s --at 2020-04-01 -o raw
out_is "$(printf '1\t0')"
ok query db topo 'MATCH (n) RETURN count(n)' -o raw
out_is 2

# Silence.
ok graph db source topo --source probe --ttl 1h --rank -3
run_with '{"node":"p","from":"2020-05-01"}' graph db apply topo - --source probe -o raw
code_is 0
ok graph db sources topo -o csv
out_has 'probe,-3,3600'
ok graph db settle topo -o json
out_has '"nodes_deleted":1'
ok query db topo 'MATCH (n) RETURN count(n)' --at 2020-05-01T00:59:59Z -o raw
out_is 3
ok query db topo 'MATCH (n) RETURN count(n)' --at 2020-05-01T01:00:00Z -o raw
out_is 2

# Export and back: one moment, and all of history.
ok graph db export topo
cp "$out" now.ndjson
out_has '"since":{"$date":"2015-07-21"}'
ok graph copy apply topo now.ndjson --source old -o raw
ok graph copy export topo
check "one moment comes back as it was" cmp -s now.ndjson "$out"
ok graph db export topo --every
sort "$out" >ever.ndjson
ok graph ever apply topo ever.ndjson --source old -o raw
ok graph ever export topo --every
sort "$out" >back.ndjson
check "history comes back as it was" cmp -s ever.ndjson back.ndjson
ok check ever

# CSV pairs.
cat >n.csv <<'END'
:ID,:LABEL,name:string,n:int,x:float,b:bool,l:json,:FROM
a,"P;Q\;R","quoted ""name"", two
lines",7,,true,"[1,{""$date"":""2015-07-21""}]",2021-01-01
b,,"",,2.5,false,,
END
cat >r.csv <<'END'
:ID,:TYPE,:START_ID,:END_ID,w:int
ab,T,a,b,1
END
ok graph db apply csv n.csv r.csv --source files -o raw
out_is "$(printf '3\t0')"
ok query db csv 'MATCH (a)-[r]->(b) RETURN labels(a), a.name, a.n, a.b, a.l, b.name, b.x, r.w' -o raw
out_has "['P', 'Q;R']"
out_has '7'
printf 'name:string\nx\n' >bad.csv
fails 3 "bad.csv, line 1: nodes need a column :ID" graph db apply csv bad.csv --source files
printf ':ID,n:int\na,1\nb,x\n' >bad.csv
fails 3 "bad.csv, line 3, column 2: this is no int" graph db apply csv bad.csv --source files
printf ':ID\n"a' >bad.csv
fails 3 "bad.csv, line 2: a quoted field does not end" graph db apply csv bad.csv --source files
printf ':ID,n:int\na\n' >bad.csv
fails 3 "has not as many fields" graph db apply csv bad.csv --source files

# What was exported as CSV or GraphML comes back as it was; so does what is awkward.
cat >awkward.ndjson <<'END'
{"node":"ä|b,\"c\"","labels":["A;B","C:D","E\\F"],"properties":{"a b":"x<&>\"'\ny","ctl":"\u0001","d":{"$date":"2015-07-21"},"e":"","f":1.0,"i":-7,"l":[1,"two",[null]],"m":{"k":{"$float":"NaN"}},"t":true},"from":"2021-01-01"}
{"node":"n2","labels":[],"properties":{"f":"a string here","i":2.5},"from":"2021-01-01"}
{"relationship":"r,1","type":"T:<1>","start":"ä|b,\"c\"","end":"n2","properties":{"w":0.1,"z":""},"from":"2021-01-01"}
END
ok graph db apply odd awkward.ndjson --source s -o raw
ok graph db export odd
cp "$out" odd.ndjson
ok graph db export odd --format nodes-csv
cp "$out" odd-n.csv
ok graph db export odd --format relationships-csv
cp "$out" odd-r.csv
ok graph db export odd --format graphml
cp "$out" odd.graphml
ok graph db apply odd2 odd-r.csv odd-n.csv --source s -o raw
ok graph db export odd2
check "CSV comes back as it was" cmp -s odd.ndjson "$out"
ok graph db apply odd3 odd.graphml --source s -o raw
ok graph db export odd3
check "GraphML comes back as it was" cmp -s odd.ndjson "$out"
tr -d '\n' <odd.graphml >one-line.graphml
ok graph db apply odd4 one-line.graphml --source s --batch 1 -o raw
ok graph db export odd4
check "GraphML on one line too" cmp -s odd.ndjson "$out"
fails 2 "graphml has each element once" graph db export odd --every --format graphml
fails 2 "dot has each element once" graph db export odd --every --format dot

# An event file comes back as it was; what it has no form for is refused.
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
    1420070400000 1 + n a P '' '' '{"n":1}' \
    1420070400000 1 + n b P,Q '' '' '{}' \
    1420070400000 1 + e ab T a b '{"l":["x",2],"w":0.5}' \
    1420070400000.25 2 '~' n a '' '' '' '{"n":null,"s":"x"}' \
    1420070400000.25 2 '~' e ab T '' '' '{"w":1.0}' \
    1420070401000 3 - e ab T '' '' '' \
    1420070401000 3 - n b '' '' '' '' >events.tsv
ok graph db import ev events.tsv
ok graph db export ev --every --format events
check "events come back as they were" cmp -s events.tsv "$out"
ok graph db export ev --format events --at 2015-01-01
out_lines 3
ok query db ev 'MATCH (a {s: "x"}) SET a:New'
ok graph db export ev --every --format events
check "a label is a life of its own" [ "$(tail -2 "$out" | cut -f3-7)" = "$(printf -- '-\tn\ta\t\t\n+\tn\ta\tNew,P\t')" ]
fails 3 "write ndjson" graph db export odd --format events

# GraphML of others, and hostile.
cat >other.graphml <<'END'
<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="w" for="edge" attr.name="weight" attr.type="double"/>
<graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"><data key="w">1.5</data></edge></graph></graphml>
END
ok graph db apply other other.graphml --source s -o raw
ok query db other 'MATCH (a)-[r:RELATED]->(b) RETURN r.weight' -o raw
out_is 1.5
printf '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>\n<graphml>&lol2;</graphml>' >bomb.graphml
fails 3 "bomb.graphml, line 2, column 16: a document type declaration is refused" graph db apply other bomb.graphml --source s
printf '<graphml><graph><node id="a"><node id="b"/></node></graph></graphml>' >nested.graphml
fails 3 "a node or edge inside another" graph db apply other nested.graphml --source s
printf '<graphml><graph><node id="a">' >cut.graphml
fails 3 "cut.graphml, line 2" graph db apply other cut.graphml --source s
printf '<graphml><key id="k" attr.name="k" attr.type="int"/><graph><node id="a"><data key="k">x</data></node></graph></graphml>' >type.graphml
fails 3 "not of its key's type" graph db apply other type.graphml --source s
printf '<html/>' >html.graphml
fails 3 "the document is no graphml" graph db apply other html.graphml --source s

# What cannot be told whole is an error that names it, never a shorter export.
ok query db torn "CREATE (:A {externalId: 'a'})-[:R {externalId: 'r1'}]->(:A {externalId: 'b'})-[:R]->(:A {externalId: 'c'})"
ok del db "$(printf '\020\002')" --keyspace g.torn
for format in ndjson relationships-csv graphml events; do
    run graph db export torn --format $format
    code_is 8
    err_has "graph torn: relationship 1 is not whole (graph torn: there is no node 2 at that moment)"
done
ok graph db drop torn

# A snapshot too large for one transaction, which a constraint refuses.
ok query db big 'CREATE CONSTRAINT FOR (n:Pod) REQUIRE n.ip IS UNIQUE' -o raw
ok query db big 'CREATE (:Pod {externalId: "taken", ip: 33000})' -o raw
i=0
while [ $i -lt 34000 ]; do
    i=$((i + 1))
    echo "{\"node\":\"n$i\",\"labels\":[\"Pod\"],\"properties\":{\"ip\":$i}}"
done >big.ndjson
run graph db sync big big.ndjson --source s
code_is 11
err_has "snapshot 1 of source s is refused"
err_has "node n33000"
ok graph db sources big -o json
out_has '"snapshot":1'
out_has "Pod.ip"
run graph db settle big
code_is 11
err_has "snapshot 1 of source s is refused"

# An export that takes long shows where it is, on a terminal that its rows do not go to.
shown() { # shown COMMAND: standard error is a terminal
    last=$1
    TERM=xterm script -qec "$YORE $1" /dev/null >"$out" 2>"$err" </dev/null
    code=$?
    code_is 0
}
head -8000 big.ndjson >some.ndjson
ok graph db apply long some.ndjson --source s -o raw
if command -v script >/dev/null; then
    shown "graph db export long | { head -c 1 >first; sleep 0.3; wc -l; }"
    out_has " elements "
    shown "graph db export long --every --format events | { head -c 1 >first; sleep 0.3; wc -l; }"
    out_has " versions "
    shown "graph db export long -q | { head -c 1 >first; sleep 0.3; wc -l; }"
    out_lacks "elements"
fi
ok graph db abort big --source s
fails 1 "no snapshot of source s is under way" graph db abort big --source s
fails 2 "source NAME says who" graph db abort big
ok graph db settle big
ok graph db drop big

# Erase.
ok query db topo "CREATE (:Person {externalId: 'user:43', mail: 'x@example.org', age: 7})"
ok graph db erase topo node user:43 mail -o raw
out_is 1
ok query db topo "MATCH (p:Person) RETURN keys(p)" -o raw
out_has "age"
out_lacks "mail"
fails 1 "nothing is known of mail of node user:43" graph db erase topo node user:43 mail
ok graph db erase topo node user:43 -o raw
out_is 1
ok graph db erase topo node web -o raw
out_is 2
ok query db topo 'MATCH (n) RETURN count(n)' --at 2020-02-01 -o raw
out_is 1
fails 1 "nothing is known" graph db erase topo node web
ok compact db
ok check db
out_has "$(printf 'problems\t0')"

# Words that are wrong.
fails 2 "source NAME says who" graph db apply topo a.ndjson
fails 2 "none of list" graph db nonsense
fails 2 "erase takes node or relationship" graph db erase topo edge x
fails 1 "nowhere: no such file" graph db apply topo nowhere --source x
finish
