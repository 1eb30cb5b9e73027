#!/bin/sh
# Command lines: help, unknown words, options, exit codes, what makes a database and what does not.
. "$(dirname "$0")/lib.sh"

run
code_is 2
err_has "try: yore help"
ok help
out_has "timeline"
out_lacks "prompt"
ok --help
out_has "yore COMMAND DIR"
ok --version
out_has "yore 0."
ok version

# Every command has help with its options, and an example where there is one to give.
for command in put get del erase scan timeline changes feed import export stats check compact backup \
    backups restore keyspace bench shell; do
    ok help $command
    out_has "yore $command"
    out_has "Examples"
    ok $command --help
    out_has "yore $command"
done
fails 2 "did you mean import?" help imprt

# The nearest word is named.
fails 2 "did you mean timeline?" timelin db
fails 2 "did you mean scan?" scna db
fails 2 "is not a command" frobnicate db
fails 2 "did you mean --prefix?" scan db --prefx n/
fails 2 "did you mean --limit?" scan db --limt 3
fails 2 "is not an option of this command" put db k v --reverse
fails 2 "-z is not an option" scan db -z
fails 2 "--limit needs a value" scan db --limit
fails 2 "--keys takes no value" scan db --keys=yes
fails 2 "is given twice" scan db --limit 1 --limit 2
fails 2 "name the database's directory" scan
fails 2 "too few words" get db
fails 2 "one word too many" put db k v w
err_has "try: yore help put"

# Reading does not make a database; writing does.
for command in scan changes feed stats check compact export; do
    fails 103 "no database in missing" $command missing
done
fails 103 "no database in missing" get missing k
fails 103 "no database in missing" del missing k
fails 103 "no database in missing" erase missing k
fails 103 "no database in missing" timeline missing k
fails 103 "no database in missing" keyspace missing list
fails 103 "no database in missing" shell missing -c help
check "nothing was made" [ ! -e missing ]

# Nor does what makes a database make one for a line that cannot be carried out.
mkdir folder
printf '{"id":"a"}\n' >words.ndjson
fails 1 "nofile: no such file" put missing k --file nofile
fails 6 "folder" put missing k --file folder
fails 2 "no VALUE" put missing k
fails 2 "--at" put missing k v --at yesterday
fails 2 "--ttl" put missing k v --ttl soon
fails 1 "nofile: no such file" import missing nofile
fails 1 "nofile: no such file" graph missing import g nofile
fails 3 "folder is a directory" graph missing import g folder
fails 2 "needs the NAME of a graph and a FILE" graph missing import g
fails 1 "nofile: no such file" graph missing apply g words.ndjson nofile --source s
fails 2 "--source NAME" graph missing apply g words.ndjson
fails 1 "nofile: no such file" graph missing sync g nofile --source s
fails 2 "--source NAME" graph missing source g
fails 2 "needs the NAME" keyspace missing create
fails 2 "" keyspace missing create s --keep sometimes
fails 2 "keyspace name 'no/name'" keyspace missing create no/name
fails 103 "no database in missing" keyspace missing create default
fails 1 "no keyspace 'other' in missing" put missing k v --keyspace other
fails 3 "keyspace name 'no/name'" put missing k v --keyspace no/name
fails 3 "the key has 0 bytes" put missing '' v
fails 3 "the key has 0 bytes" put missing '' dg== --base64
fails 14 "2261-01-01T00:00:00Z is later than now" put missing k v --at 2261-01-01
fails 14 "is later than now" put missing k v --from +1h
printf '2025-01-01,k,v\n' >rows.csv
fails 1 "no keyspace 'other' in missing" import missing rows.csv --keyspace other
fails 2 "a graph's name has" graph missing source no/name --source s
fails 2 "a graph's name has" graph missing apply no/name words.ndjson --source s
fails 3 "a graph's name has" query missing no/name 'CREATE ()'
fails 1 "" restore missing nobackup
check "nothing was made" [ ! -e missing ]
ok put db k v
check "put makes one" [ -d db ]
ok keyspace db2 create sensors
check "keyspace create makes one" [ -d db2 ]

# Typed values.
fails 2 "--limit takes a number" scan db --limit many
fails 2 "--limit takes a number" scan db --limit 0
fails 2 "--at:" get db k --at yesterday
fails 2 "--output takes one of" get db k -o jsn
err_has "did you mean json?"
fails 2 "--durability takes one of" put db k v --durability snyc
fails 2 "--ttl:" put db k v --ttl soon
fails 2 "--prefix does not go with" scan db --prefix a --low b
fails 2 "--high must come after --low" scan db --low b --high a
fails 2 "name the database's directory" put '' k v
fails 3 "path of the backup is empty" backup db ''
fails 2 "FILE is empty" export db ''
fails 2 "usage: yore shell DIR" shell db extra
check "no blank at the end" sh -c "! grep -q ' $' '$err'"
fails 2 "try: yore help" help nonsense
check "help of help helps nobody" sh -c "! grep -q 'help help' '$err'"
fails 2 "is not base64" get db '!!' --base64
fails 2 "--color takes one of" get db k --color blue

# -- ends the options, and a word that is a number is none.
ok put db -- -key -value
ok get db -- -key
out_is "-value"
ok put db temperature -5
ok get db temperature
out_is "-5"
ok get db temperature --at=now
ok get db --at now temperature
out_is "-5"

# Colours: not in pipes, always when asked.
ok get db k -o table
check "no escapes" sh -c "! grep -q '$(printf '\033')' '$out'"
ok get db k -o table --color always
check "escapes" grep -q "$(printf '\033')" "$out"

# The manual page is the table of commands.
ok help --man
if [ -n "${2:-}" ]; then
    check "man/yore.1 is made by yore help --man" cmp -s "$out" "$2/man/yore.1"
fi
out_has ".TH YORE 1"
finish
