#!/bin/sh
# Graphs from the command line and in the shell: query, graph, statements, the past.
. "$(dirname "$0")/lib.sh"

# A statement that writes makes database and graph, and tells what it did.
ok query db topo 'CREATE (:Service {name: "cart", load: 0.5})-[:CALLS {n: 3}]->(:Service:Db {name: "db"})'
out_is ''
err_has "2 nodes created, 1 relationships created, 4 properties set, 3 labels added"
ok query db topo 'CREATE (:Idle)' -q
check "quiet is quiet" test ! -s "$err"
ok query db topo 'MATCH (i:Idle) DELETE i' -q

ok query db topo 'MATCH (s:Service) RETURN s.name AS name, s.load ORDER BY name' -o raw
out_is "$(printf 'cart\t0.5\ndb\t')"
ok query db topo 'MATCH (s:Service) RETURN s.name AS name, s.load ORDER BY name' -o csv
out_has "name,s.load"
ok query db topo 'MATCH (s:Service) RETURN s.name AS name, s.load, [1, null] AS `a "b"` ORDER BY name LIMIT 1' -o ndjson
out_is '{"name":"cart","s.load":0.5,"a \"b\"":[1,null]}'
ok query db topo 'MATCH p = (a)-[r:CALLS]->(b) RETURN r, p' -o table
out_has "[:CALLS {n: 3}]"
out_has "<(:Service {load: 0.5, name: 'cart'})-[:CALLS {n: 3}]->(:Db:Service {name: 'db'})>"
ok query db topo 'UNWIND range(1, 10) AS i RETURN i' --limit 2
err_has "the rows are not all"

# Parameters: literals of the language, or text.
ok query db topo 'RETURN $a + 1, $b, $c.k, $d, $e' -p a=41 -p b=text -p 'c={k: "v"}' -p d=2015-07-21 -p e=null -o raw
out_is "$(printf '42\ttext\tv\t2015-07-21\t')"
fails 3 "NAME=VALUE" query db topo 'RETURN 1' -p nothing
fails 3 'no value was given' query db topo 'RETURN $missing'

# Text from a file or standard input.
printf 'MATCH (s:Service)\nRETURN count(s)\n' >count.cypher
ok query db topo --file count.cypher
out_is 2
run_with 'RETURN 7' query db topo -f -
out_is 7
fails 2 "not both" query db topo 'RETURN 1' --file count.cypher
fails 2 "give the statement" query db topo
fails 1 "nowhere: no such file" query db topo --file nowhere

# Errors show the spot.
fails 3 "\`b\` is not defined" query db topo 'MATCH (a) RETURN b'
err_has "                 ^"
fails 1 "no graph 'nope'" query db nope 'MATCH (a) RETURN a'
fails 103 "no database" query nowhere topo 'MATCH (a) RETURN a'

# The past.
ok query db topo 'MATCH (s:Service) RETURN count(s)' --at -1h
out_is 0
ok query db topo "AS OF '-1h' MATCH (s:Service) RETURN count(s)"
out_is 0
fails 15 "the past cannot be written" query db topo 'CREATE (:X)' --at -1h
ok query db topo 'CALL yore.diff("-1h", "now") YIELD change, element RETURN change, element, count(*) ORDER BY element' -o csv
out_has "added,node,2"

# How it would be carried out.
ok query db topo 'EXPLAIN MATCH (s:Service)-[:CALLS]->(d) RETURN d.name' -o table
out_has "NodeByLabelScan"
out_has "estimated rows"
ok query db topo 'PROFILE MATCH (s:Db) RETURN s' -o csv
out_has "step,details,estimated rows,rows,steps,ms"

# graph
ok graph db list -o csv
out_has "topo,2,1"
ok graph db export topo
out_has '"labels":["Db","Service"],"properties":{"name":"db"}}'
out_has '"type":"CALLS"'
ok graph db export topo --format dot
out_has '[label="cart"];'
out_has '[label="CALLS"];'
fails 2 "ndjson, nodes-csv, relationships-csv, graphml, dot" graph db export topo --format gif
fails 1 "no graph 'nope'" graph db export nope
printf '1000\t1\t+\tn\ta\tA\t\t\t{"x":1}\n2000\t2\t~\tn\ta\t\t\t\t{"x":2}\n' >events.tsv
ok graph db import fromfile events.tsv -o csv
out_has "2,2,0"
ok query db fromfile 'MATCH (a:A) RETURN a.x' --at 1970-01-01T00:00:01Z
out_is 1
printf 'nonsense\n' >bad.tsv
run graph db import bad bad.tsv
code_is 3
err_has "line 1"
fails 1 "nowhere: no such file" graph db import fromfile nowhere
fails 2 "and a FILE" graph db import fromfile
ok graph db drop fromfile
ok graph db drop bad
# Its past is there, names and indexes included.
ok query db gone 'CREATE INDEX FOR (h:Host) ON (h.name)'
ok query db gone 'CREATE (:Host {name: "a"})-[:RUNS]->(:Pod)'
ok put db mark x -o raw
mark=$(cat "$out")
ok graph db drop gone
fails 1 "no graph 'gone'" query db gone 'RETURN 1'
ok query db gone 'MATCH (h:Host {name: "a"})-[:RUNS]->(p:Pod) RETURN labels(h), keys(h), labels(p)' --at "$mark" -o raw
out_is "['Host']	['name']	['Pod']"
fails 2 "none of list" graph db make topo
fails 2 "needs the NAME" graph db drop
fails 2 "takes no NAME" graph db list topo
fails 2 "of a shell" graph db use topo

# The shell: statements of the chosen graph, its moment, differences.
run_with 'MATCH (n) RETURN n
' shell db
code_is 2
err_has "graph use NAME"
run_with 'graph use topo
MATCH (s:Service) RETURN s.name ORDER BY s.name
match (s:Db) \
return s.name + "!"
\at -1h
MATCH (s:Service) RETURN count(s)
\at now
\diff -1h
CREATE INDEX by_name FOR (s:Service) ON (s.name)
SHOW INDEXES YIELD name
FROM "-1h" TO "now" MATCH (s:Service) RETURN DISTINCT s.name + "?"
DROP INDEX by_name
known
' shell db
code_is 0
out_has "by_name"
out_has "cart?"
out_has "cart"
out_has "db!"
out_has "0"
out_has "added	relationship"
out_has "now"
fails 3 "there is no index called nobody; SHOW INDEXES lists them" query db topo "DROP INDEX nobody"
ok query db topo "CREATE CONSTRAINT one FOR (n:Once) REQUIRE n.x IS UNIQUE"
fails 3 "one is no index: DROP CONSTRAINT takes it out" query db topo "DROP INDEX one"
ok query db topo "DROP CONSTRAINT one"
run_with 'graph use fresh
CREATE (:New)
at -1h
CREATE (:Newer)
' shell db
code_is 15
err_has "no graph 'fresh' yet"

ok graph db drop fresh
ok graph db list -o raw
out_is topo
finish
