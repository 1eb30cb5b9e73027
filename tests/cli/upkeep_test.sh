#!/bin/sh
# stats, check, compact, backup, restore, bench.
. "$(dirname "$0")/lib.sh"

ok put db k v1 --at 2020-01-01
ok put db k v2 -o raw
second=$(cat "$out")
ok stats db
check "statistics" [ "$(wc -l <"$out")" -ge 3 ]
ok stats db -o json
out_has '"kind":"counter"'
ok check db
out_has "versions"
out_has "problems	0"
ok check db -o table
out_has "every checksum, order, bound and reference of these holds"
ok stats db --keyspace default
out_has "memory_versions	2"
out_has "oldest	all"
ok compact db
ok stats db --keyspace default
out_has "memory_versions	0"
out_has "present_versions	1"
out_has "freeable_bytes	0"
# What one process erases is gone for another once a third has compacted.
ok put db victim secret --at 2020-01-01
ok erase db victim
ok check db
out_has "erasures_pending	1"
ok compact db
ok check db
out_has "erasures_pending	0"
check "no file has it" [ -z "$(grep -rl secret db)" ]
fails 1 "no keyspace 'other'" stats db -k other
ok get db k
out_is v2

ok backup db backups -o json
out_has '[{"id":1,"commit":"'
ok backups backups
out_lines 1
fails 1 "nowhere: there are no backups here" backups nowhere
fails 1 "nowhere: there are no backups here" restore other nowhere
ok restore copy backups
ok get copy k
out_is v2
fails 11 "" restore copy backups
ok check copy
ok put db k v3
ok backup db backups
ok restore copy2 backups
ok get copy2 k
out_is v3
ok restore copy3 backups --to "$second"
ok get copy3 k
out_is v2

# What cannot be replaced is refused before anything is copied, and an empty directory is replaced.
mkdir here empty
ok restore empty backups
ok get empty k
(cd here && fails 11 "" restore .. ../backups && fails 6 "cannot be replaced" restore . ../backups
    echo "$passed $failed" >../counts)
read -r passed failed <counts
check "nothing was left behind" [ -z "$(ls -A here)" ]

fails 2 "TARGET is the database itself" backup db db
for target in db/ ./db db/sub ./db/sub "$PWD/db/a/b"; do
    fails 2 "lies inside a database" backup db "$target"
done
fails 2 "lies inside a backup" restore backups/x backups
check "nothing was made" [ ! -e backups/x ]
hold_open "" "$YORE" get db k
fails 10 "one process at a time" get db k
exec 3>&-
wait

# Damage has a name, a place and an exit code.
ok put hurt k v
for i in 1 2 3; do
    ok put hurt k$i v
done
journal=$(ls hurt/journal-*)
printf '\377\001\376\002' | dd of="$journal" bs=1 seek=68 conv=notrunc 2>"$err"
fails 8 "$journal: damaged record at offset 64" check hurt
fails 8 "damaged" get hurt k
fails 1 "(make the directories above it first)" put none/below k v
printf x >plain
fails 3 "plain is not a directory" put plain k v

ok bench b --rows 2000 -o ndjson
for workload in fillseq fillrandom fillsync readrandom readmissing scan100 asof_get asof_scan \
    timeline changes; do
    out_has "{\"workload\":\"$workload\",\"operations\":"
done
fails 11 "is there already" bench b --rows 10
ok bench b2 --rows 1000 --workloads readrandom -o table
out_lines 2
fails 2 "there is no 'readrandm'" bench b3 --workloads readrandm
check "nothing was made" [ ! -e b3 ]
finish
