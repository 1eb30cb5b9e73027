#!/bin/sh
# The shell, piped and one-shot.
. "$(dirname "$0")/lib.sh"

ok put db k old --at 2019-01-01
ok put db k new --at 2020-01-01
ok keyspace db create sensors

ok shell db -c 'get k'
out_is new
run shell db -c 'get nobody'
code_is 1
run shell db -c 'gte k'
code_is 2
err_has "did you mean get?"
ok shell db -c 'at 2019-03-01
get k'
out_is old
ok shell db -c 'help'
out_has "the moment this session reads at"
out_lacks "restore"
ok shell db -c 'help get'
out_has "get KEY..."
out_lacks "yore get db"

run_with 'get k
at 2019-03-01
get k
scan --keys
at
known
at now
get k -o json
put "two words" it\ is
get '"'two words'"'
# a comment

get \
k
' shell db
code_is 0
out_has "2019-03-01"
out_has '"value":"new"'
out_has "it is"

# One answer does not run into the next.
run_with 'get k
at 2019-03-01
get k
' shell db
out_is "new
old"
ok shell db -c 'get k'
out_lines 1

# A session in the past reads; it writes only what names its own time.
run_with 'at 2019-03-01
put k x
get k
' shell db
code_is 15
err_has "this session stands at 2019-03-01"
err_has "stopped at line 2"
run_with 'at 2019-03-01
put k backdated --at 2019-02-01
get k
' shell db
code_is 0
out_is backdated
for verb in create alter drop; do
    run_with "at 2019-03-01
keyspace list
keyspace $verb sensors
" shell db
    code_is 15
    err_has "this session stands at 2019-03-01"
    err_has "stopped at line 3"
done

# Not found is no reason to stop, a fault is.
run_with 'get nobody
get k
' shell db
code_is 0
out_is new
run_with 'get k --att now
get k
' shell db
code_is 2
err_has "did you mean --at?"
out_is ""
run_with 'exit
get k
' shell db
code_is 0
out_is ""
run_with 'get "k
' shell db
code_is 2
err_has "not closed"

# Keyspace and format of the session.
run_with 'use sensors
put a 1
use
use default
use
output json
scan --prefix k
output
output auto
scan --prefix a
' shell db
code_is 1
out_has "sensors"
out_has "default"
out_has '[{"key":"k"'
out_lacks '"value":"1"'
run_with 'use nothing
put k lost
' shell db
code_is 1
err_has "no keyspace 'nothing'"
err_has "stopped at line 1"
ok get db k
out_is new
run_with 'put k lost -k nothing
put k after
' shell db
code_is 1
err_has "stopped at line 1"
ok get db k
out_is new

# A NUL byte would end the word before it, unseen.
printf 'put k ne\000w\n' | "$YORE" shell db >"$out" 2>"$err"
code=$?
last="shell db (a NUL byte)"
code_is 2
err_has "cannot hold a NUL byte"
ok get db k
out_is new
ok shell db -o ndjson -c 'get k'
out_has '{"key":"k"'
run_with 'bench
' shell db
code_is 2
err_has "does not work inside the shell"
run_with 'stats
check
feed --count
changes --from 2019-06-01 --to 2020-06-01
timeline k
export
compact
' shell db
code_is 0
out_has "changed	k"

# At a terminal: the prompt shows the session's moment, ^C drops a line, Tab completes, history is kept.
if command -v script >/dev/null; then
    last="shell db (at a terminal)"
    rm -f .yore_history
    : >screen
    { on_screen 'db at now> ' && printf 'at 2019-03-01\n'
      on_screen 'db at 2019-03-01> ' && printf 'get garbage\003'
      on_screen 'db at 2019-03-01> ' 2 && printf 'ti\tk\n'
      on_screen 'db at 2019-03-01> ' 3 && printf ' at now\n'
      on_screen 'db at now> ' 2 && printf '\004'; } |
        TERM=xterm script -qec "$YORE shell db" /dev/null >screen 2>"$err"
    code=$?
    cp screen "$out"
    code_is 0
    out_has "db at now> "
    out_has "db at 2019-03-01> "
    out_has "backdated"
    cp .yore_history "$out"
    out_has "timeline"
    out_lacks "garbage"
    check "blanks keep a line out" sh -c "! grep -q '040at' '$out'"

    # ^C where nothing is typed, and in the second line of a command, does not leave the shell.
    last="shell db (^C on an empty line)"
    : >screen
    { on_screen 'db at now> ' && printf '\003'
      on_screen 'db at now> ' 2 && printf 'at 2019-03-01\n'
      on_screen 'db at 2019-03-01> ' && printf 'get \\\n'
      on_screen '... ' && printf '\003'
      on_screen 'db at 2019-03-01> ' 2 && printf 'get k\n'
      on_screen 'db at 2019-03-01> ' 3 && printf '\004'; } |
        TERM=xterm script -qec "$YORE shell db" /dev/null >screen 2>"$err"
    code=$?
    cp screen "$out"
    code_is 0
    out_has "backdated"
fi
finish
