#!/bin/sh
# clients_test.sh -- today's clients of Redis do a day's work: redis-cli and redis-benchmark, redis-py,
# ioredis and node-redis, in RESP2 and RESP3; and a client of graph modules, falkordb.
#   clients_test.sh YORE ROOT
# A client that is not installed (or whose packages npm cannot get) is left out, and said.  With
# YORE_TEST_PATIENCE a day may take so many times as long.
set -u
day_s=$((200 * ${YORE_TEST_PATIENCE:-1}))
yore=$1
here=$2/tests/server/clients
work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
passed=0
failed=0
check() { # check WHAT COMMAND...
    what=$1
    shift
    if "$@" >out 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' out | tail -n 20
    fi
}
has() {
    command -v "$1" >/dev/null || { echo "left out: no $1"; return 1; }
}
says() { # says TEXT COMMAND...
    text=$1
    shift
    "$@" >said 2>&1
    grep -qF -- "$text" said || { cat said; return 1; }
}
"$yore" server --dir db --port any --http-port 0 --bolt-port any >server.out 2>&1 &
server=$!
for _ in $(seq 1500); do
    grep -qs 'Ready to accept' server.out && break
    sleep 0.1
done
port=$(sed -n 's/^redis .* port //p' server.out)

if has redis-cli; then
    for protocol in -2 -3; do
        cli="redis-cli $protocol -p $port"
        check "redis-cli $protocol" says OK $cli set greeting hello
        check "redis-cli $protocol get" says hello $cli get greeting
        check "redis-cli $protocol --json" says '"hello"' $cli --json get greeting
        check "redis-cli $protocol time travel" says up sh -c "
            $cli yore.put host up at 2025-11-21 && $cli yore.get host at 2025-11-22"
    done
    check "redis-cli --pipe" says 'errors: 0, replies: 1000' sh -c "
        for i in \$(seq 1000); do printf 'SET p%d v\r\n' \$i; done | redis-cli -p $port --pipe"
    check "redis-cli --scan" says p1000 redis-cli -p "$port" --scan --pattern 'p*'
    check "redis-cli --bigkeys" says 'Biggest string' redis-cli -p "$port" --bigkeys
    check "redis-cli --stat" says keys sh -c "stdbuf -oL redis-cli -p $port --stat -i 1 | sed /keys/q"
    check "redis-cli --latency" timeout 60 redis-cli -p "$port" --latency -i 1
    check "redis-cli from a script" says 2 sh -c "printf 'set n 1\nincr n\n' | redis-cli -p $port"
    check "redis-benchmark" redis-benchmark -p "$port" -q -n 2000 -t ping_inline,ping_mbulk,set,get,incr,mset
    check "redis-benchmark in RESP3" redis-benchmark -p "$port" -3 -q -n 2000 -P 16 -t set,get
fi
python=
for name in python3 /usr/bin/python3; do # Debian's package is Debian's python's
    [ -n "$python" ] || ! $name -c 'import redis' 2>/dev/null || python=$name
done
if [ -n "$python" ]; then
    check "redis-py" says 'a day is over' timeout $day_s $python "$here/day.py" "$port"
else
    echo "left out: no python3-redis"
fi
if has node && has npm; then
    cp "$here/package.json" "$here/package-lock.json" "$here/day.mjs" "$here/graph_day.mjs" .
    if npm ci --no-audit --no-fund --loglevel=error >npm.out 2>&1; then
        for protocol in 2 3; do
            for library in ioredis redis; do
                check "$library in RESP$protocol" says 'a day is over' \
                    timeout $day_s node day.mjs $library $protocol "$port"
            done
        done
        check "falkordb" says 'a day is over' timeout $day_s node graph_day.mjs "$port"
    else
        echo "left out: npm cannot get ioredis, redis and falkordb"
    fi
fi
kill $server
check "it ends in order" wait $server
server=
echo "$passed passed, $failed failed"
[ $failed = 0 ]
