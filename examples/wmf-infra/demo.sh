#!/bin/sh
# demo.sh -- thirteen years of a real infrastructure, imported and looked at as of any moment.
#   examples/wmf-infra/demo.sh [PROGRAM [DATABASE]]     from the top of the tree
# Prints every command it runs; each can be run again by hand.  DATABASE is made anew.
set -eu
cd "$(dirname "$0")/../.."
yore=${1:-build/yore}
db=${2:-build/demo-db}
data=examples/wmf-infra/wmf-infra.tsv.zst

bold= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
exec 3>&1 # where commands are shown, also when their output goes to a file
say() {
    printf '\n%s\n' "$*" | fold -s -w 90
}
run() {
    printf '%s$' "$bold" >&3
    for word in "$@"; do
        case $word in
        *' '*) printf " '%s'" "$word" >&3 ;;
        *) printf ' %s' "$word" >&3 ;;
        esac
    done
    printf '%s\n' "$plain" >&3
    "$@"
}

if [ -e "$db" ] && [ ! -e "$db.demo" ]; then
    echo "demo.sh: $db is there and was not made by this script; name another one" >&2
    exit 2
fi
rm -rf "$db" "$db.demo" "$db.dot" "$db.svg"
mkdir -p "$(dirname "$db")"
: >"$db.demo"

say "The production infrastructure of Wikimedia, 2011 to 2024: hosts, roles, services and what they" \
    "use, as 200,757 events in 37,224 commits. Each commit becomes one transaction of a graph, dated when" \
    "it was made; every node, relationship and property keeps all it ever was."
run "$yore" graph "$db" import topo "$data" -o table

say "How big was it? Ask as of three moments; every answer is exact."
for moment in 2012-01-01 2016-07-01T12:00:00Z 2024-10-01; do
    run "$yore" query "$db" topo 'MATCH (n) RETURN count(n) AS nodes' --at $moment -o table
done

say "July 2015: which hosts, roles and classes depended on class apache::mod::rewrite, up to four steps" \
    "away?"
run "$yore" query "$db" topo --at 2015-07-21T16:19:48Z -o table \
    'MATCH (c) WHERE externalId(c) = "class:apache::mod::rewrite"
     MATCH (c)<-[:INCLUDES|REQUIRES|DECLARES|CONTAINS|HAS_ROLE*1..4]-(x)
     RETURN labels(x)[0] AS kind, count(DISTINCT x) AS n ORDER BY n DESC'

say "What changed in the infrastructure between 14:00 and 15:00 UTC that day? The cost is that of the" \
    "changes, not of the history."
run "$yore" query "$db" topo -o table \
    'CALL yore.changes("2015-07-21T14:00:00Z", "2015-07-21T15:00:00Z") YIELD time, change, externalId
     RETURN time, change, externalId'

say "One host through the years: every version it had."
run "$yore" query "$db" topo -o table \
    'CALL yore.history("host:labnet1001.eqiad.wmnet") YIELD validFrom, validTo, version
     RETURN validFrom, validTo, keys(version) AS properties'

say "And every interval in which it held one of its roles:"
run "$yore" query "$db" topo -o table \
    'MATCH (h:Host {name: "labnet1001.eqiad.wmnet"})-[:HAS_ROLE|INCLUDES]->(c)
     FROM "2013-01-01" TO "2016-01-01"
     RETURN c.name AS role, interval().from AS since, interval().to AS until ORDER BY since'

say "The neighbourhood of role::cache::text as it was, as a picture:"
picture=$db.dot
run "$yore" query "$db" topo --at 2015-07-21 -o raw \
    'MATCH (c {name: "role::cache::text"})-[r]-(x) RETURN DISTINCT startNode(r).name, type(r),
     coalesce(endNode(r).name, externalId(endNode(r)))' >"$picture.tsv"
awk -F '\t' 'BEGIN { print "digraph neighbourhood {"; print "  rankdir=LR;" }
    { printf "  \"%s\" -> \"%s\" [label=\"%s\"];\n", $1, $3, $2 }
    END { print "}" }' "$picture.tsv" >"$picture"
rm -f "$picture.tsv"
head -4 "$picture"
if command -v dot >/dev/null 2>&1; then
    run dot -Tsvg -o "$db.svg" "$picture"
else
    echo "($picture; with graphviz: dot -Tsvg -o $db.svg $picture)"
fi

say "All of it, every version, with both directions and all indexes, on disk (the events as text take" \
    "22.9 MB):"
run du -sh "$db"
run "$yore" check "$db" -o table

say "Go on yourself, at a prompt that stands at any moment you name (Tab completes, help explains):"
cat <<END

    $yore shell $db
    demo-db at now> graph use topo
    demo-db at now> at 2019-03-01
    demo-db at 2019-03-01> MATCH (s:Service) RETURN s.name ORDER BY s.name LIMIT 5
    demo-db at 2019-03-01> MATCH (r:Role)<-[:HAS_ROLE]-(h) RETURN r.name, count(h) AS n ORDER BY n DESC LIMIT 3
    demo-db at 2019-03-01> \\diff 2019-02-28 2019-03-01
    demo-db at 2019-03-01> at now

END
