#!/bin/sh
# timeline, changes, feed, keyspaces.
. "$(dirname "$0")/lib.sh"

ok put db k one --at 2020-01-01
ok put db k two --at 2020-02-01
ok put db k three --at 2020-03-01
ok del db k --at 2020-04-01
ok timeline db k
out_is "2020-01-01T00:00:00Z	put	one
2020-02-01T00:00:00Z	put	two
2020-03-01T00:00:00Z	put	three
2020-04-01T00:00:00Z	delete	"
ok timeline db k --reverse --limit 2
out_is "2020-04-01T00:00:00Z	delete	
2020-03-01T00:00:00Z	put	three"
ok timeline db k --from 2020-02-15 --to 2020-04-01
out_is "2020-02-01T00:00:00Z	put	two
2020-03-01T00:00:00Z	put	three"
ok timeline db k --count
out_is 4
ok put db k TWO --at 2020-02-01
ok timeline db k --count
out_is 4
ok timeline db k --every --count
out_is 5
run timeline db nobody
code_is 1
ok timeline db k -o json
out_has '"kind":"delete","value":null}'
fails 2 "--to must be later" timeline db k --from 2020-02-01 --to 2020-01-01

ok put db other x --at 2020-02-10
ok changes db --from 2020-01-15 --to 2020-03-15
out_is "2020-03-01T00:00:00Z	changed	k
2020-02-10T00:00:00Z	added	other"
ok changes db --from 2020-01-15 --to 2020-03-15 --by-time
out_is "2020-02-10T00:00:00Z	added	other
2020-03-01T00:00:00Z	changed	k"
ok changes db --from 2020-01-15 --to 2020-03-15 --every --count
out_is 3
ok changes db --from 2020-01-15 --to 2020-05-01 --prefix k
out_has "removed	k"
ok changes db --from 2020-01-15 --to 2020-03-15 --prefix k -o json
out_has '"change":"changed","key":"k"'
out_has '"before":"one","after":"three"'
ok changes db --from 2020-01-15 --to 2020-03-15 -o table
out_lines 3
run changes db --from 2020-01-15 --to 2020-01-16
code_is 1
ok changes db --from 2020-01-15 --to 2020-01-16 --count
out_is 0
fails 2 "--to must not be earlier" changes db --from 2020-02-15 --to 2020-01-16

ok feed db --count
commits=$(cat "$out")
check "six commits at least" [ "$commits" -ge 6 ]
ok feed db -o ndjson
out_has '"kind":"put","valid_from":"2020-01-01T00:00:00Z","valid_to":null,"key":"k","value":"one"'
first=$(sed -n 's/.*"commit":"\([^"]*\)".*"value":"one".*/\1/p' "$out")
ok feed db --from "$first" -o raw
out_lacks "	one"
out_has "	two"

# Keyspaces keep apart what has the same key.
ok keyspace db create sensors --keep 30d --compression zstd
fails 11 "" keyspace db create sensors
ok put db k inside -k sensors
ok get db k -k sensors
out_is inside
ok keyspace db list
out_is "default	all
sensors	30d"
ok keyspace db list -o json
out_has '"name":"sensors"'
out_has '"compression":"zstd"'
ok keyspace db alter sensors --keep 60d
ok keyspace db list
out_has "sensors	60d"
fails 2 "nothing to alter" keyspace db alter sensors
fails 2 "none of list, create" keyspace db make sensors
fails 2 "needs the NAME" keyspace db drop
fails 2 "keep is all, now or a duration" keyspace db create x --keep some
fails 2 "trim needs --at" keyspace db trim sensors
fails 14 "date 2030-01-01T00:00:00Z is later than now" put db old 1 -k sensors --at @1893456000
err_has "at most 500 ms ahead of the wall clock are allowed"
ok put db old 1 -k sensors --at -3d
ok put db old 2 -k sensors --at -2d
ok put db old 3 -k sensors --at -1h
ok keyspace db trim sensors --at -1d
ok timeline db old -k sensors
out_lines 2
out_lacks "	1"
ok changes db -k sensors
out_has "changed	old"
fails 13 "earlier than the horizon" timeline db old -k sensors --from -2d
fails 1 "no keyspace 'nothing'" get db k -k nothing
fails 1 "" keyspace db drop nothing
ok keyspace db drop sensors
ok keyspace db list
out_is "default	all"
ok keyspace db create present --keep now
ok put db k v -k present
fails 15 "" put db k v -k present --at 2020-01-01

# Where retention has acted the feed begins at the first commit that is still kept whole.
ok put feed a one
ok keyspace feed create old
ok put feed a two -k old --at 2020-01-01
ok put feed a three -k old --at 2021-01-01
ok feed feed
err_is_empty
sleep 0.02
ok put feed mark m
moment=$("$YORE" feed feed -o ndjson | sed -n 's/.*"commit":"\([^"]*\)".*"key":"mark".*/\1/p')
sleep 0.02
ok put feed after x
ok keyspace feed trim old --at "$moment"
ok compact feed
ok feed feed
err_has "no longer all kept"
out_lacks "	one"
out_has "	x"
ok feed feed -q --count
err_is_empty
fails 13 "no longer all kept" feed feed --from 2020-01-01
ok keyspace only create present --keep now
ok put only a one -k present
ok put only a two -k present
ok compact only
ok put only a three -k present
ok feed only
out_has "	three"
finish
