#!/bin/sh
# The server's OCI image, from nothing but the program and its libraries: built with buildah, looked at, run as its own user.
#   image_test.sh BUILD SOURCE
# YORE_IMAGE_BASE=debian:12-slim builds on that image too, which then has to be in reach.
set -u
build=$1 source=$2
command -v buildah >/dev/null 2>&1 || { echo "skipped: no buildah"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: buildah gets a store of its own here by root only"; exit 77; }
work=$(mktemp -d)
chmod 711 "$work" # the image's user comes by
BUILDAH_FLAGS="--storage-driver vfs --root $work/store --runroot $work/run"
export BUILDAH_FLAGS
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
    wait
    # shellcheck disable=SC2086 # words
    buildah $BUILDAH_FLAGS rm --all >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT
passed=0 failed=0
box() { # box COMMAND...: buildah
    # shellcheck disable=SC2086 # words
    buildah $BUILDAH_FLAGS "$@"
}
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
box from scratch >"$work/log" 2>&1 || { echo "skipped: buildah cannot work here: $(cat "$work/log")"; exit 77; }
chmod 711 "$work/store" "$work/store/vfs" "$work/store/vfs/dir"
inside() { # inside COMMAND...: in the container, as its user
    box run --isolation chroot "$container" -- "$@"
}
has() { # has TEXT: the image's configuration
    box inspect --type image yore-test | grep -qF -- "$1"
}
says() { # says TEXT COMMAND...
    text=$1
    shift
    "$@" 2>&1 | grep -qF -- "$text"
}

step "it is built" "$source/tools/image" --base scratch --tag yore-test --build "$build"
step "it runs as a user that is not root" has '"User": "6379:6379"'
step "the data are in a volume" has '"/data": {}'
step "ports" has '"7687/tcp": {}'
step "a health check" has '"yore://127.0.0.1"'
container=$(box from yore-test)
box config --env YORE_PORT=any --env YORE_HTTP_PORT=0 --env YORE_BOLT_PORT=0 "$container"
inside /usr/bin/yore version >"$work/log" 2>&1 || {
    echo "skipped: nothing can be run in a container here: $(cat "$work/log")"
    exit 77
}
root=$(box mount "$container")
step "it is small" sh -c "[ \"\$(du -sm '$root' | cut -f1)\" -lt 60 ]"
step "nothing of it belongs to the user but the data" \
    sh -c "[ \"\$(find '$root' -xdev -uid 6379)\" = '$root/data' ]"
step "without a login it does not listen" says "while nobody has to log in" inside /usr/bin/yore server

box config --env YORE_REQUIREPASS=secret --env YORE_BIND=127.0.0.1 "$container"
box run --isolation chroot "$container" -- /usr/bin/yore server >"$work/server.out" 2>&1 &
server=$!
for _ in $(seq 1500); do
    grep -qs 'Ready to accept' "$work/server.out" && break
    kill -0 $server || break
    sleep 0.1
done
port=$(sed -n 's/^redis .* port \([0-9]*\).*/\1/p' "$work/server.out")
pid=$(sed -n 's/.* PID: \([0-9]*\).*/\1/p' "$work/server.out")
url=yore://127.0.0.1:$port
yore="$build/yore"
step "the check of its health is good" inside /usr/bin/yore ping -q "$url"
step "who has no password is refused" says "wants a login" "$yore" put "$url" a b
YORE_PASSWORD=secret
export YORE_PASSWORD
step "a value goes in" "$yore" put "$url" a b
step "and comes out" says b "$yore" get "$url" a
step "it is the image's user" sh -c "[ \"\$(stat -c %u /proc/$pid)\" = 6379 ]"
kill -TERM "$pid"
wait $server
step "it ends as told" [ $? = 0 ]
server=
step "without it the check fails" sh -c "! buildah $BUILDAH_FLAGS run --isolation chroot '$container' -- /usr/bin/yore ping '$url'"
if [ -n "${YORE_IMAGE_BASE:-}" ]; then
    step "on $YORE_IMAGE_BASE" "$source/tools/image" --base "$YORE_IMAGE_BASE" --tag yore-base --build "$build"
    container=$(box from yore-base)
    step "the program runs there" inside /usr/bin/yore version
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
