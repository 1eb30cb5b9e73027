#!/bin/sh
# bolt_clients_test.sh -- the official Neo4j drivers of three generations do a day's work over Bolt: by bolt:// and
# neo4j://, with and without a login, over TLS.
#   bolt_clients_test.sh YORE ROOT
# Skipped where there is no node, or npm cannot get the drivers.  With YORE_TEST_PATIENCE a day may take so
# many times as long.
set -u
day_s=$((240 * ${YORE_TEST_PATIENCE:-1}))
yore=$1
here=$2/tests/server/bolt
for tool in node npm openssl; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
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
cp "$here/package.json" "$here/package-lock.json" "$here/day.mjs" .
npm ci --no-audit --no-fund --loglevel=error >npm.out 2>&1 || { echo "skipped: npm cannot get the drivers"; exit 77; }
passed=0
failed=0
check() { # check WHAT COMMAND...
    what=$1
    shift
    if "$@" >out 2>&1 && grep -qF 'a day is over' out; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' out | tail -n 30
    fi
}
start() { # start FLAG...: on a database of its own
    rm -rf db server.out # or what the last one printed would be read
    "$yore" server --dir db --port 0 --http-port 0 --unixsocket "$work/socket" --bolt-port any "$@" >server.out 2>&1 &
    server=$!
    for _ in $(seq 3000); do
        grep -qs 'Ready to accept' server.out && break
        kill -0 $server || { cat server.out; exit 1; }
        sleep 0.05
    done
    bolt=$(sed -n 's/^bolt .* port \([0-9]*\).*/\1/p' server.out)
}
end() {
    kill $server
    wait $server || { failed=$((failed + 1)); echo "FAILED: it does not end in order"; }
    server=
}
day() { timeout $day_s node day.mjs "$@"; }

start
check "driver 6, bolt://" day neo4j-driver 5.4 bolt "$bolt"
end
start
check "driver 6, neo4j://" day neo4j-driver 5.4 neo4j "$bolt"
end
start
check "driver 5, neo4j://" day neo4j-driver-5 5.4 neo4j "$bolt"
end
start
check "driver 4.4, bolt://" day neo4j-driver-4 4.4 bolt "$bolt"
end
start --requirepass secret
check "driver 6 with a login" day neo4j-driver 5.4 neo4j "$bolt" default secret
end
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>err
start --bolt-tls --tls-cert-file cert.pem --tls-key-file key.pem --tls-auth-clients no
check "driver 6, bolt+ssc://" day neo4j-driver 5.4 bolt+ssc "$bolt"
end
start --bolt-tls --tls-cert-file cert.pem --tls-key-file key.pem --tls-auth-clients no
check "driver 4.4, neo4j+ssc://" day neo4j-driver-4 4.4 neo4j+ssc "$bolt"
end
echo "$passed passed, $failed failed"
[ $failed = 0 ]
