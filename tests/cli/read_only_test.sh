#!/bin/sh
# What only reads writes nothing: beside other readers, on a full disk, on a read-only file system.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# Everything there is to see of a database from outside.
look() {
    find "$1" -exec stat -c '%n %s %Y %Z %i' {} + | sort
}
# Every reading command on database $1, and what it must say.
read_all() {
    ok get "$1" k
    out_is v
    ok get "$1" k --at 2020-06-01
    out_is old
    ok scan "$1"
    ok timeline "$1" k
    ok changes "$1" --from 2019-01-01
    ok feed "$1"
    ok export "$1"
    ok stats "$1"
    ok check "$1"
    ok keyspace "$1" list
    ok shell "$1" --read-only -c 'get k'
    out_is v
}

ok put db k old --at 2020-01-01
ok compact db
ok put db k v
ok put db large "$(head -c 9000 /dev/zero | tr '\0' x)"
before=$(look db)
read_all db
check "reading wrote nothing" [ "$before" = "$(look db)" ]
fails 15 "opened to read only" shell db --read-only -c 'put k w'
fails 2 "--read-only is not an option of this command" put db k w --read-only

# Readers share; a writer and readers keep each other out.
hold_open --read-only "$YORE" put db probe x
ok get db k
fails 10 "none reads meanwhile" put db k w
exec 3>&-
wait "$holder"
hold_open "" "$YORE" get db k
fails 10 "held by process" get db k
exec 3>&-
wait "$holder"
ok put db k v

# A directory of somebody else stays as it is.
mkdir foreign
echo text >foreign/notes.txt
fails 11 "no database and not empty (it has notes.txt)" put foreign k v
fails 103 "no database" del foreign k
check "nothing was put beside it" [ "$(ls foreign)" = notes.txt ]
fails 103 "no database" get foreign k
mkdir empty
ok put empty k v

# Real file systems: only root can mount them.
mount_or_skip() { # mount_or_skip DIR OPTIONS...
    dir=$1
    shift
    mkdir -p "$dir"
    mount -t tmpfs "$@" tmpfs "$dir" 2>/dev/null
}
if [ "$(id -u)" = 0 ] && mount_or_skip full -o size=8m; then
    trap 'umount full 2>/dev/null; rm -rf "$work"' EXIT
    cp -r db full/db
    dd if=/dev/zero of=full/ballast bs=4096 >/dev/null 2>&1
    fails 7 "" put full/db k w
    fails 7 "--read-only" shell full/db -c 'get k'
    read_all full/db
    rm full/ballast
    ok put full/db k v
    before=$(look full/db)
    mount -o remount,ro full
    fails 6 "" put full/db k w
    fails 6 "--read-only" shell full/db -c 'get k'
    read_all full/db
    check "nothing changed" [ "$before" = "$(look full/db)" ]
    rm_lock=no
    mount -o remount,rw full && rm full/db/LOCK && mount -o remount,ro full && rm_lock=yes
    check "the lock file can be taken away" [ $rm_lock = yes ]
    read_all full/db
    umount full
else
    echo "  no tmpfs can be mounted here: a full and a read-only file system were left out"
fi
finish
