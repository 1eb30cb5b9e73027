#!/bin/sh
# Installs into a scratch folder, moves the tree, and builds, links and runs a consumer against it in
# every documented way.   consumer_test.sh BUILD SOURCE CC [CXX]
# With YORE_INSTALLED=DIR it takes a tree that is already there (the unpacked packages).
set -u
build=$1 source=$2 cc=$3 cxx=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

step() { # step NAME COMMAND...
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name: $*"
        cat "$work/log"
    fi
}

# run NAME PROGRAM: a fresh database each time.
run() {
    rm -rf "$work/db"
    step "run $1" env LD_LIBRARY_PATH="$libdir" "$2" "$work/db"
}

tree=${YORE_INSTALLED:-}
if [ -z "$tree" ]; then
    step "install" cmake --install "$build" --prefix "$work/first"
    mv "$work/first" "$work/moved" # nothing may remember where it was installed
    tree=$work/moved
fi
pc=$(find "$tree" -name yore.pc | head -n 1)
[ -n "$pc" ] || { echo "no yore.pc below the installed tree"; echo "0 passed, 1 failed"; exit 1; }
libdir=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

for file in include/yore/yore.h include/yore/version.h include/yore/status.h \
    share/bash-completion/completions/yore share/zsh/vendor-completions/_yore \
    share/fish/vendor_completions.d/yore.fish share/man/man1/yore.1 share/man/man3/libyore.3 bin/yore; do
    step "has $file" test -s "$tree/$file"
done
step "no private header" test ! -e "$tree/include/base"

flags="-std=c17 -Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2046,SC2086 # lists of words
{
    step "pkg-config shared" "$cc" $flags -o "$work/shared" "$source/tests/install/consumer.c" \
        $(pkg-config --cflags --libs yore)
    run "pkg-config shared" "$work/shared"
    step "linked to the library" sh -c "LD_LIBRARY_PATH=$libdir ldd $work/shared | grep -q libyore.so.0"
    step "pkg-config static" "$cc" $flags -o "$work/static" "$source/tests/install/consumer.c" \
        -Wl,-Bstatic -lyore -Wl,-Bdynamic $(pkg-config --cflags --libs --static yore)
    run "pkg-config static" "$work/static"
    step "not linked to the library" sh -c "! ldd $work/static | grep -q libyore"
    if [ -n "$cxx" ]; then
        step "C++17" "$cxx" -x c++ -std=c++17 -Wall -Wextra -Wshadow -Wpedantic -Werror -o "$work/cxx" \
            "$source/tests/install/consumer.c" $(pkg-config --cflags --libs yore)
        run "C++17" "$work/cxx"
    fi
}
step "find_package" cmake -S "$source/tests/install/find_package" -B "$work/consumer" \
    -DCMAKE_PREFIX_PATH="$tree" -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
step "find_package build" cmake --build "$work/consumer"
run "yore::shared" "$work/consumer/consumer_shared"
run "yore::static" "$work/consumer/consumer_static"
step "program" "$tree/bin/yore" --version

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
