# lib.sh -- sourced by the tests of the program: YORE is the program, the work happens in a scratch folder.
#
#   run ARGUMENT...       runs the program; sets $code, $out (a file) and $err (a file)
#   code_is N             the exit code of the last run
#   out_is TEXT           its standard output, exactly (a last newline aside)
#   out_has TEXT, err_has TEXT, out_lacks TEXT
#   ok ARGUMENT...        run, and the exit code is 0
#   fails N TEXT ARGUMENT...   run; the exit code is N, standard error has TEXT
#   check WHAT COMMAND... COMMAND succeeds
#   on_screen TEXT [N]    waits until N lines (1) of the file screen have TEXT
#   hold_open OPTION PROBE...   has the database db open until descriptor 3 closes; OPTION: of the shell, or ""
#   finish                prints the closing line and sets the exit status
set -u
YORE=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
HOME=$work
export HOME
unset NO_COLOR
passed=0
failed=0
out=$work/.out
err=$work/.err
code=0
last=

pass() {
    passed=$((passed + 1))
}
fail() {
    failed=$((failed + 1))
    echo "FAILED after: yore $last"
    echo "  $1"
    echo "  code $code, stdout:"
    sed 's/^/    /' "$out" | head -20
    echo "  stderr:"
    sed 's/^/    /' "$err" | head -20
}
run() {
    last=$*
    "$YORE" "$@" >"$out" 2>"$err" </dev/null
    code=$?
}
run_with() { # run_with TEXT ARGUMENT...: TEXT on standard input
    text=$1
    shift
    last=$*
    printf '%s' "$text" | "$YORE" "$@" >"$out" 2>"$err"
    code=$?
}
code_is() {
    if [ "$code" = "$1" ]; then pass; else fail "the exit code should be $1"; fi
}
out_is() {
    if [ "$(cat "$out")" = "$1" ]; then pass; else fail "stdout should be: $1"; fi
}
out_has() {
    if grep -qF -e "$1" "$out"; then pass; else fail "stdout should have: $1"; fi
}
out_lacks() {
    if grep -qF -e "$1" "$out"; then fail "stdout should not have: $1"; else pass; fi
}
out_lines() {
    if [ "$(wc -l <"$out")" -eq "$1" ]; then pass; else fail "stdout should have $1 lines"; fi
}
err_has() {
    if grep -qF -e "$1" "$err"; then pass; else fail "stderr should have: $1"; fi
}
err_is_empty() {
    if [ -s "$err" ]; then fail "stderr should be empty"; else pass; fi
}
ok() {
    run "$@"
    code_is 0
}
fails() {
    wanted_code=$1
    wanted_text=$2
    shift 2
    run "$@"
    code_is "$wanted_code"
    err_has "$wanted_text"
}
check() {
    what=$1
    shift
    if "$@"; then pass; else fail "$what"; fi
}
on_screen() {
    for _ in $(seq 2000); do
        [ "$(grep -acF -e "$1" screen)" -ge "${2:-1}" ] && return 0
        sleep 0.05
    done
    return 1
}
# It is open since PROBE fails.  It says something only when a probe was in its way; then another begins.
hold_open() {
    option=$1
    shift
    [ -p hold ] || mkfifo hold
    while :; do
        # shellcheck disable=SC2086 # none or one
        "$YORE" shell db $option <hold >held 2>&1 &
        holder=$!
        exec 3>hold
        while "$@" >/dev/null 2>&1 && [ ! -s held ]; do
            sleep 0.05
        done
        [ -s held ] || return 0
        exec 3>&-
        wait "$holder"
    done
}
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}
