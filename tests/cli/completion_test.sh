#!/bin/sh
# Completion in bash, zsh and fish: the files that are installed are what the program prints, and they complete.
# What a shell that is not here would do is left out, and said.
. "$(dirname "$0")/lib.sh"
root=$2
for pair in bash:yore.bash zsh:_yore fish:yore.fish; do
    ok help --completion "${pair%%:*}"
    check "packaging/completion/${pair#*:} is made by yore help --completion ${pair%%:*}" \
        cmp -s "$out" "$root/packaging/completion/${pair#*:}"
done
fails 2 "no shell 'csh': bash, zsh or fish" help --completion csh

has() { # has WORD FILE: a line of the file begins with the word
    grep -q "^$1\([^a-z-]\|\$\)" "$2"
}
lacks() {
    ! has "$1" "$2"
}

if command -v bash >/dev/null 2>&1; then
    cat >complete.bash <<'END'
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_yore 2>/dev/null
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
END
    in_bash() {
        bash complete.bash "$root/packaging/completion/yore.bash" "$@" >told 2>&1
    }
    in_bash yore t
    check "bash completes commands" has timeline told
    check "bash: and only those that begin so" lacks get told
    in_bash yore get db k --
    check "bash completes options" has --at told
    check "bash: of the command" lacks --ttl told
    in_bash yore server --long
    check "bash completes settings of the server" has --long-workers told
    in_bash yore help exp
    check "bash completes what help is asked for" has export told
    mkdir "a base"
    in_bash yore get "a b"
    check "bash completes files, blanks and all" has "a base" told
else
    echo "  no bash: left out"
fi

if command -v zsh >/dev/null 2>&1; then
    cat >complete.zsh <<'END'
_describe() { print -l -- ${(P)@[-1]} }
_files() { print files }
run() { . $file }
file=$1
shift
words=("$@")
CURRENT=$#
run
END
    in_zsh() {
        zsh -f complete.zsh "$root/packaging/completion/_yore" "$@" >told 2>&1
    }
    in_zsh yore t
    check "zsh knows the commands" has timeline told
    in_zsh yore get db k --a
    check "zsh knows the options" has --at told
    check "zsh: of the command" lacks --ttl told
    in_zsh yore server --l
    check "zsh knows the settings of the server" has --long-workers told
    in_zsh yore get d
    check "zsh completes files" has files told
else
    echo "  no zsh: left out"
fi

if command -v fish >/dev/null 2>&1; then
    in_fish() {
        fish --no-config -c "source $root/packaging/completion/yore.fish; complete -C '$1'" >told 2>&1
    }
    in_fish 'yore t'
    check "fish completes commands" has timeline told
    check "fish: and only those that begin so" lacks get told
    in_fish 'yore get db k --'
    check "fish completes options" has --at told
    check "fish: of the command" lacks --ttl told
    in_fish 'yore server --long'
    check "fish completes settings of the server" has --long-workers told
else
    echo "  no fish: left out"
fi
finish
