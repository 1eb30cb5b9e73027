#!/bin/sh
# The checkers are trusted by every commit: each must refuse the mistake it is there for, and accept
# the same code without it.   checkers_test.sh TOOLS
set -u
tools=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/results"

fresh() {
    rm -rf "$work/t"
    mkdir -p "$work/t/src/base" "$work/t/src/os" "$work/t/src/table" "$work/t/tools"
    cp "$tools/layers.txt" "$work/t/tools/"
    cat >"$work/t/src/base/one.h" <<'EOT'
#ifndef YORE_ONE_H
#define YORE_ONE_H
int one_get(int a, int b);
#endif
EOT
    printf '#include "base/one.h"\n\nint one_get(int a, int b)\n{\n    return a + b;\n}\n' \
        >"$work/t/src/base/one.c"
}

# expect NAME CHECKER TEXT: the checker fails and its output holds the text; with TEXT empty it passes.
expect() {
    output=$("$tools/$2" "$work/t" 2>&1)
    status=$?
    if [ -z "$3" ] && [ $status = 0 ]; then
        echo passed >>"$work/results"
    elif [ -n "$3" ] && [ $status != 0 ] && printf '%s' "$output" | grep -qF -e "$3"; then
        echo passed >>"$work/results"
    else
        echo failed >>"$work/results"
        printf '%s: %s gave status %d, wanted "%s":\n%s\n' "$1" "$2" $status "$3" "$output"
    fi
}

# style NAME TEXT: standard input goes behind src/base/one.c.
style() {
    fresh
    cat >>"$work/t/src/base/one.c"
    expect "$1" check_style "$2"
}

# include NAME FILE LINE TEXT: the line goes into the file.
include() {
    fresh
    printf '%s\n' "$3" >>"$work/t/$2"
    expect "$1" check_layers "$4"
}

fresh
expect "clean tree" check_style ""
expect "clean tree" check_layers ""

awk 'BEGIN { printf "/* %0110d */\n", 0 }' | style "long line" "columns, over 100"
printf 'int\tx(void);\n' | style "tab" "a tab"
printf 'int x(void); \n' | style "blank at the end" "blanks at the end"
awk 'BEGIN { for (i = 0; i < 1001; i++) print "" }' | style "long file" "over 1000"
awk 'BEGIN { print "int f(void)\n{"; for (i = 0; i < 101; i++) print "    f();"; print "}" }' |
    style "long function" "a function of 101 lines"
awk 'BEGIN { print "/* style: long because it is a table. */\nint f(void)\n{";
    for (i = 0; i < 101; i++) print "    f();"; print "}" }' | style "exempt long function" ""
printf 'int f(int a, int b, int c, int d, int e, int f, int g)\n{\n    return 0;\n}\n' |
    style "seven parameters" "more than 6 parameters"
printf 'int f(int a, int (*b)(int, int), int c, int d,\n      int e, int f)\n{\n    return 0;\n}\n' |
    style "six parameters" ""
awk 'BEGIN { print "int f(int a)\n{"; for (i = 0; i < 5; i++) print "    if (a) {";
    for (i = 0; i < 5; i++) print "    }"; print "}" }' | style "deep nesting" "nested 5 deep"
printf 'void f(char *a)\n{\n    strcpy(a, "");\n}\n' | style "banned function" "banned: "
printf '/* strcpy(a) */\nconst char *f(void)\n{\n    return "strcpy(a)";\n}\n' |
    style "banned name in text" ""
printf 'void *f(void)\n{\n    return malloc(1);\n}\n' | style "allocator" "base/mem"
printf '/* %s: later */\n' TODO | style "unfinished mark" "unfinished"
printf '#if 0\n#endif\n' | style "disabled code" "disabled code"
fresh
sed -i '1,2d;$d' "$work/t/src/base/one.h"
expect "no guard" check_style "no guard"

include "upward include" src/base/one.c '#include "os/file.h"' "base may not include os"
include "sideways include" src/table/a.c '#include "journal/x.h"' "table may not include journal"
include "downward include" src/table/a.c '#include "os/file.h"' ""
include "foreign internals" src/table/a.c '#include "os/x_internal.h"' "for the files of os only"
include "own internals" src/os/a.c '#include "os/x_internal.h"' ""
include "system header" src/table/a.c '#include <unistd.h>' "may not include <unistd.h>"
include "system header in os" src/os/a.c '#include <unistd.h>' ""
include "ISO header" src/table/a.c '#include <stdint.h>' ""
include "foreign header by name" src/table/a.c '#include <zstd.h>' ""
include "bare name" src/base/one.c '#include "one.h"' "say which layer"
include "unknown layer" src/base/one.c '#include "misc/x.h"' "base may not include misc"
fresh
printf '#include <stdint.h>\n#include "base/one.h"\n' >"$work/t/src/base/one.c"
expect "own header second" check_layers "own header first"

# sanitized NAME COMMAND TEXT: run_sanitized fails and says the text; with TEXT empty it passes.
sanitized() {
    output=$("$tools/run_sanitized" "$work/reports" sh -c "$2; echo '3 passed, 0 failed'" 2>&1)
    status=$?
    last=$(printf '%s\n' "$output" | tail -n 1)
    if [ -z "$3" ] && [ $status = 0 ] && [ "$last" = '3 passed, 0 failed' ]; then
        echo passed >>"$work/results"
    elif [ -n "$3" ] && [ $status != 0 ] && [ "$last" = '0 passed, 1 failed' ] &&
        printf '%s' "$output" | grep -qF -e "$3"; then
        echo passed >>"$work/results"
    else
        echo failed >>"$work/results"
        printf '%s: run_sanitized gave status %d, wanted "%s":\n%s\n' "$1" $status "$3" "$output"
    fi
}
as_program() { # as_program VARIABLE: what a program does that was told by it where reports go
    echo "file=\${$1#log_path=}; echo 'WARNING: a race' >\${file%%:*}.yore.7"
}
sanitized "no report" true ""
sanitized "a report of ASan" "$(as_program ASAN_OPTIONS)" "a race"
sanitized "a report of UBSan" "$(as_program UBSAN_OPTIONS)" "a race"
sanitized "a report of TSan" "$(as_program TSAN_OPTIONS)" "a race"
sanitized "reports of the last run are gone" true ""

passed=$(grep -c passed "$work/results")
failed=$(grep -c failed "$work/results")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
