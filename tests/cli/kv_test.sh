#!/bin/sh
# put, get, del, erase, scan.
. "$(dirname "$0")/lib.sh"

ok put db host1 up
out_is ""
ok get db host1
out_is "up"
err_is_empty
fails 1 "nobody: absent (now)" get db nobody
fails 1 "host1: absent (2020-01-01T00:00:00Z)" get db host1 --at 2020-01-01
run get db nobody -q
code_is 1
err_is_empty

# Valid time: from a moment on, over a span, to live for a while.
ok put db h old --at 2020-01-01
ok put db h new --at 2021-01-01T00:00:00Z
ok get db h --at 2020-06-01
out_is "old"
ok get db h --at 2021-01-01
out_is "new"
ok get db h --at 2020-12-31T23:59:59.999999999Z
out_is "old"
ok put db h broken --from 2020-03-01 --to 2020-04-01
ok get db h --at 2020-03-15
out_is "broken"
ok get db h --at 2020-04-01
out_is "old"
ok put db s open --at 2020-01-01 --ttl 30d
ok get db s --at 2020-01-30
out_is "open"
fails 1 "absent" get db s --at 2020-01-31
fails 2 "--to must be later" put db h x --from 2020-04-01 --to 2020-03-01
fails 2 "--at and --from say the same" put db h x --from 2020-04-01 --at 2020-03-01
fails 2 "--ttl does not go with --to" put db h x --from 2020-01-01 --to 2020-03-01 --ttl 1h
fails 2 "no VALUE" put db h
fails 2 "not both" put db h x --file y
fails 14 "" put db h x --at 2250-01-01

# Every moment is printed as it is read.
first=1677-09-21T00:12:43.145224194Z
ok put early k v --at "$first"
ok get early k --at "$first"
out_is v
ok timeline early k --from - --to forever -o csv
out_has "$first"
ok put early k w --from 1700-01-01 --to forever
ok get early k
out_is w
fails 2 "expected a date" get early k --at forever

# Known time.
ok put db fact first --at 2019-01-01 -o raw
before=$(cat "$out")
ok put db fact corrected --at 2019-01-01
ok get db fact --at 2019-02-01
out_is "corrected"
ok get db fact --at 2019-02-01 --known "$before"
out_is "first"

# Bytes of any kind come back as they were.
head -c 3000 /dev/urandom >blob
ok put db blob --file blob
ok get db blob -o raw
check "the same bytes" cmp -s blob "$out"
run_with "from stdin" put db piped --file -
code_is 0
ok get db piped
out_is "from stdin"
ok put db empty ''
ok get db empty -o json
out_has '"value":""'
ok put db /wAB //79 --base64
ok get db /wAB --base64 -o json
out_has '"key_base64":"/wAB"'
out_has '"value_base64":"//79"'
fails 3 "" put db '' v
fails 1 "nofile: no such file" put db k --file nofile

# Several keys, formats.
ok get db host1 piped
out_is "up
from stdin"
ok get db host1 h -o csv
out_has "key,valid_from,valid_to,commit,value"
ok get db host1 -o ndjson
out_has '{"key":"host1","valid_from":"'
out_has '"valid_to":null'
ok get db host1 -o table
out_has "valid_from"
out_has "forever"
run get db host1 nobody
code_is 1

# Deleting keeps the past, and can be dated itself.
ok del db h --at 2022-01-01
fails 1 "absent" get db h
ok get db h --at 2021-06-01
out_is "new"
ok put db d v --at 2020-01-01
ok del db d --from 2020-02-01 --to 2020-03-01
fails 1 "absent" get db d --at 2020-02-10
ok get db d --at 2020-03-01
out_is "v"

# Scans.
for i in 1 2 3 4 5; do
    ok put db n/$i v$i --at 2020-01-0$i
done
ok scan db --prefix n/
out_is "n/1	v1
n/2	v2
n/3	v3
n/4	v4
n/5	v5"
ok scan db --prefix n/ --at 2020-01-02 --keys -o raw
out_is "n/1
n/2"
ok scan db --low n/2 --high n/4 --keys
out_is "n/2
n/3"
ok scan db --prefix n/ --reverse --limit 2 --keys
out_is "n/5
n/4"
ok scan db --prefix n/ --count
out_is 5
ok scan db --prefix none/ --count
out_is 0
run scan db --prefix none/
code_is 1
err_is_empty
ok scan db --prefix n/ --keys -0
check "rows end with NUL" [ "$(tr '\0' , <"$out")" = n/1,n/2,n/3,n/4,n/5, ]
ok scan db --prefix n/1 -o json
out_has '[{"key":"n/1","valid_from":"2020-01-01T00:00:00Z","valid_to":null,"commit":"'
out_has '"value":"v1"}]'
ok scan db --prefix n/ -o table
out_lines 6
run scan db --prefix none/ -o json
out_is "[]"
ok put db odd 'a,"b"'
ok scan db --prefix odd -o csv
out_has ',"a,""b"""'
ok put db tab "$(printf 'a\tb\nc\001')"
ok scan db --prefix tab -o table
out_has 'a\tb\nc\x01'
# Control characters of two octets too: some terminals act on U+009B as on ESC [.  U+00A0 is none.
ok put db tab "$(printf '\302\23331mX\302\237\302\240')"
ok scan db --prefix tab -o table
out_has "$(printf '\\xc2\\x9b31mX\\xc2\\x9f\302\240')"

# What was not known yet is not called absent without more.
fails 1 "absent (now, as known at 2001-01-01T00:00:00Z)" get db odd --known 2001-01-01

fails 2 "--to must be later than now" put db odd v --to -1h

# A table shows the beginning of what is long.
head -c 3000000 /dev/zero | tr '\0' x >long
ok put db long --file long
ok get db long -o table
out_has "x… (3.00 MB)"
check "and no more" [ "$(wc -c <"$out")" -lt 4000 ]
ok get db long
check "raw is whole" cmp -s long "$out"

# What cannot be written or read says why.
if [ -w /dev/full ]; then
    for command in 'get db odd' 'scan db' 'help' 'export db'; do
        last="$command >/dev/full"
        "$YORE" $command >/dev/full 2>"$err"
        code=$?
        code_is 7
        err_has "No space left on device"
    done
    fails 7 "/dev/full holds only a part of the export" export db /dev/full
fi
fails 6 "cannot read .: " put db k --file .

# Erasing: the past too, for good.
ok put db user/1 secret --at 2020-01-01
ok put db user/2 secret --at 2020-01-01
ok erase db user/1
fails 102 "erased" get db user/1 --at 2020-06-01
ok erase db --prefix user/
fails 102 "erased" get db user/2 --at 2020-06-01
ok put db kept v
unset never_set
fails 2 "say --all" erase db --prefix "${never_set:-}"
fails 2 "say --all" erase db --prefix "" --base64
ok get db kept
for more in "" "k --prefix n/" "k --all" "--prefix n/ --all"; do
    fails 2 "name one KEY, a --prefix, or --all" erase db $more
done
fails 2 "a keyspace is erased whole" erase db --all --to 2020-01-01
ok keyspace db create doomed
ok put db a 1 -k doomed --at 2020-01-01
ok put db b 2 -k doomed
ok erase db --all -k doomed
fails 102 "erased" get db a -k doomed --at 2020-06-01
fails 102 "erased" get db b -k doomed
ok get db kept
fails 2 "erased whole" erase db --prefix n/ --from 2020-01-01
fails 2 "--to must be later" erase db k --from 2020-01-01 --to 2019-01-01

# A commit can be asked for, in each durability.
for mode in sync interval none; do
    ok put db m $mode --durability $mode -o json
    out_has '[{"commit":"2'
done
finish
