#!/bin/sh
# pages_test.sh -- what the pages tell the reader to type is typed here.
#   pages_test.sh YORE ROOT [COMPILER LIBRARY...]    with a compiler the C of the README is built and run
#
# From README.md, CONTRIBUTING.md, docs, bench and examples come the lines of blocks marked ```sh, the
# indented lines that begin with a command, and commands in backquotes.  So that none of them is only text:
#   yore ...         in a block: is run, in a folder of the page's own, in the page's order, and succeeds;
#                    after `yore get` a remark that ends in ": WORD" is what it must answer.
#                    In backquotes, where arguments are names: the command exists.
#   make ...         the target exists and its recipe is complete (make -n); the suites run the rest:
#                    `make test` is one of .ci/run, `make demo` is demo_test.sh
#   tools/..., .ci/run, bench/...   is there, and can be run
#   cmake --workflow --preset NAME, cmake --build build --target NAME   the preset, the target exists
# The examples of `yore help` are run as well.
# Any other line of an ```sh block fails: teach this test to try it.
. "$(dirname "$0")/lib.sh"
root=$2
compiler=${3:-}
build=$(dirname "$YORE")
PATH=$build:$PATH
export PATH

# Lines "kind<TAB>command": kind is block, indented or inline.
commands() { # commands PAGE
    awk '
        function starts(text) {
            return text ~ /^(yore [a-z]+|make|cmake|tools\/[a-z_]+|bench\/[a-z_]+|\.ci\/run)( |$)/
        }
        /^```/ {
            in_fence = !in_fence
            in_block = in_fence && $0 == "```sh"
            next
        }
        in_block && $0 != "" { print "block\t" $0; next }
        in_fence { next }
        /^    / {
            text = $0
            sub(/^ +/, "", text)
            if (starts(text)) {
                print "indented\t" text
            }
            next
        }
        {
            rest = $0
            while (match(rest, /`[^`]+`/)) {
                text = substr(rest, RSTART + 1, RLENGTH - 2)
                rest = substr(rest, RSTART + RLENGTH)
                if (starts(text)) {
                    print "inline\t" text
                }
            }
        }' "$1"
}

typed() { # typed COMMAND: run it as the reader would
    last=${1#yore }
    case $1 in "yore server"*) set -- "${1%%#*} --check-config" ;; esac # which would not end
    sh -c "$1" >"$out" 2>"$err" </dev/null
    code=$?
    code_is 0
    answer=$(printf '%s\n' "$1" | sed -n 's/^yore get .*#.*: \([^ ]*\)$/\1/p')
    [ -z "$answer" ] || out_is "$answer"
}

try() { # try KIND COMMAND
    line=$2
    set -- "$1" "$2" $(printf '%s\n' "$2" | sed 's/#.*//')
    last="(page) $line"
    : >"$out"
    : >"$err"
    case $1:$3 in
    inline:yore)
        run help "$4"
        code_is 0
        ;;
    *:yore) typed "$line" ;;
    *:make)
        case ${line%%#*} in *[\;\&\|]*) fail "one command a line: what stands behind make would be run"; return ;; esac
        (cd "$root" && sh -c "make -n ${line#make}") >"$out" 2>"$err"
        code=$?
        code_is 0
        ;;
    *:cmake)
        case "$4 $5 $6" in
        "--workflow --preset "*)
            (cd "$root" && cmake --list-presets=workflow) >"$out" 2>"$err"
            out_has "\"$6\""
            ;;
        "--build build --target")
            cmake --build "$build" --target help >"$out" 2>"$err"
            out_has "$7:"
            ;;
        *) fail "a use of cmake this test does not know" ;;
        esac
        ;;
    *:tools/* | *:bench/* | *:.ci/run) check "it cannot be run" [ -x "$root/$3" ] ;;
    *) fail "a command this test does not know" ;;
    esac
}

count=0
for page in README.md CONTRIBUTING.md ARCHITECTURE.md bench/README.md $(cd "$root" && find docs examples -name '*.md'); do
    mkdir -p "$work/page/$count"
    cd "$work/page/$count" || exit 1
    ln -s "$root/examples" examples
    commands "$root/$page" >commands
    while IFS='	' read -r kind line; do
        try "$kind" "$line"
    done <commands
    tried=$(wc -l <commands)
    [ "$tried" = 0 ] || echo "  $page: $tried commands"
    [ "$page" != README.md ] || check "the README has a walk" [ "$(grep -c '^block.yore' commands)" -ge 10 ]
    count=$((count + 1))
done

# The examples of `yore help COMMAND`, which are those of the manual page too, over what they speak of.
mkdir -p "$work/help/srv/backup" "$work/help/tmp"
cd "$work/help" || exit 1
ln -s "$root/examples/wmf-infra/wmf-infra.tsv.zst" wmf-infra.tsv.zst
printf 'not a photo' >photo.jpg
printf 'port 7000\n' >srv/yore.conf
printf 'time,key,value\n,t1,20.5\n' >readings.csv
"$YORE" put old host1 up
"$YORE" import base wmf-infra.tsv.zst >"$out"
"$YORE" put base host1 up --at 2014-01-01
"$YORE" put base host1 down --at 2015-06-01
"$YORE" put base aa 1
for command in keyspace import put get del erase scan timeline changes feed export stats check compact \
    backup backups restore bench shell server; do
    "$YORE" help $command | sed '1,/^Examples$/d; s/^ *//; s|/srv/|srv/|g; s|/tmp/|tmp/|g' >examples
    check "help $command has examples" [ -s examples ]
    rm -rf db
    cp -r base db
    case $command in import | erase) "$YORE" keyspace db create sensors >"$out" ;; esac
    while read -r line; do
        rm -rf db2 tmp/bench
        case $command:$line in
        bench:*--rows*) line=$(printf '%s' "$line" | sed 's/--rows [0-9]*/--rows 1000/') ;;
        bench:*) line="$line --rows 1000" ;; # of its million
        server:*) line="${line%%#*} --check-config" ;; # which would not end
        esac
        last="(help) $line"
        sh -c "$line" >"$out" 2>"$err" </dev/null
        code=$?
        case $command:$code in
        get:1) pass ;; # absent then
        *) code_is 0 ;;
        esac
    done <examples
done

# The C of the README, with a main around its statements.
if [ -n "$compiler" ]; then
    shift 3
    cd "$work" || exit 1
    awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$root/README.md" >block
    {
        echo '#include <stdio.h>'
        grep '^#include' block
        echo 'int main(void) {'
        grep -v '^#include' block
        echo 'return 0; }'
    } >app.c
    last="(the C of the README)"
    rm -rf db
    "$YORE" put db host1 up --at 2025-11-21 >"$out" 2>"$err"
    "$compiler" -std=c17 -Wall -Wextra -Werror -I"$root/include" app.c -o app "$@" >"$out" 2>"$err" &&
        ./app >"$out" 2>"$err"
    code=$?
    code_is 0
    out_is up
fi
finish
