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
say() {
    printf '\n%s\n' "$*" | fold -s -w 90
}
run() {
    printf '%s$' "$bold"
    for word in "$@"; do
        case $word in
        *' '*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '%s\n' "$plain"
    "$@"
}

if [ -e "$db" ] && [ ! -e "$db.demo" ]; then
    echo "demo.sh: $db is there and was not made by this script; name another one" >&2
    exit 2
fi
rm -rf "$db" "$db.demo"
mkdir -p "$(dirname "$db")"
: >"$db.demo"

say "The production infrastructure of Wikimedia, 2011 to 2024: hosts, roles, services and what they" \
    "use, as 200,757 events in 37,224 commits. Each commit becomes one transaction, dated when it was" \
    "made; each node and edge a key, n/<id> and e/<id>, that keeps all it ever was."
run "$yore" import "$db" "$data" -o table

say "How many nodes and edges were there? Ask as of three moments; every answer is exact."
for moment in 2012-01-01 2016-07-01T12:00:00Z 2024-10-01; do
    run "$yore" scan "$db" --prefix n/ --at $moment --count
    run "$yore" scan "$db" --prefix e/ --at $moment --count
done

say "One host through the years, from its first network card to the day it was removed; and on one day."
run "$yore" timeline "$db" n/host:labnet1001.eqiad.wmnet -o table
run "$yore" get "$db" n/host:labnet1001.eqiad.wmnet --at 2015-07-21 -o table

say "What changed on 21 July 2015 between 14:00 and 15:00 UTC? The cost is that of the changes, not of" \
    "the history."
run "$yore" changes "$db" --from 2015-07-21T14:00:00Z --to 2015-07-21T15:00:00Z --by-time -o table

say "All of it, every version, on disk (the events as text take 22.9 MB):"
run du -sh "$db"
run "$yore" check "$db" -o table

say "Go on yourself, at a prompt that stands at any moment you name (Tab completes, help explains):"
cat <<END

    $yore shell $db
    demo-db at now> at 2019-03-01
    demo-db at 2019-03-01> scan --prefix n/service: --limit 5
    demo-db at 2019-03-01> timeline n/class:role::cache::text --reverse --limit 3
    demo-db at 2019-03-01> changes --from 2019-02-28 --count
    demo-db at 2019-03-01> at now

END
