#!/bin/sh
# operations_test.sh -- the files for operating a server: unit, alert rules, dashboard, each tried.
#   operations_test.sh YORE ROOT
# Every query of the dashboard and of the rules is asked of a real Prometheus that scrapes a real
# server.  What needs a tool that is missing is left out, and said.
set -u
yore=$1
root=$2
work=$(mktemp -d)
pids=
stop() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null
    done
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0
check() { # check WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' "$work/out" | head -n 20
    fi
}
has() {
    command -v "$1" >/dev/null || { echo "left out: no $1"; return 1; }
}

audit_shows_changes() { # by the line that operators are told
    "$yore" server --dir "$work/audited" --port any --http-port 0 --bolt-port 0 \
        --audit-log "$work/audit.log" >"$work/audited.out" 2>&1 &
    audited=$!
    pids="$pids $audited"
    for _ in $(seq 1500); do
        grep -q '^Ready' "$work/audited.out" && break
        sleep 0.1
    done
    port=$(sed -n 's/^redis .* port //p' "$work/audited.out")
    for key in k1 k2 "k chain=3"; do
        "$yore" put "yore://localhost:$port" "$key" v || return 1
    done
    kill "$audited"
    wait "$audited"
    line=$(grep '^p=.*sha256sum' "$root/docs/operations.md")
    grep -q 'keys=k2 outcome=ok chain=' "$work/audit.log" || return 1
    [ -z "$(cd "$work" && sh -c "$line")" ] || { echo "a line is told to be changed"; return 1; }
    sed -i 's/keys=k2/keys=k9/' "$work/audit.log"
    [ "$(cd "$work" && sh -c "$line" | head -n 1 | grep -c 'keys=k9')" = 1 ]
}
check "a change of the audit log shows" audit_shows_changes
if has systemd-analyze; then
    check "the unit exposes at most 2.0" \
        systemd-analyze security --offline=yes --threshold=20 "$root/packaging/yore-server.service"
fi
settings_are_told() { # each name is the head of a paragraph of the manual page
    "$yore" server --settings | cut -d' ' -f1 >"$work/names"
    while read -r name; do
        sed 's/\\-/-/g' "$root/man/yore.conf.5" | grep -qE "^\.B $name( |$)" ||
            { echo "$name is missing"; return 1; }
    done <"$work/names"
}
check "every setting is in yore.conf(5)" settings_are_told
check "the configuration of the package is good" \
    "$yore" server --config "$root/packaging/yore.conf" --check-config

if has promtool && has prometheus && has python3; then
    cd "$root/packaging/prometheus" || exit 1
    check "rules" promtool check rules yore.rules.yml
    check "tests of rules" promtool test rules yore.rules.test.yml
    check "configuration of prometheus" promtool check config prometheus.yml
    cd "$work" || exit 1
    "$yore" server --dir db --port any --http-port any --bolt-port any >server.out 2>&1 &
    pids="$pids $!"
    for _ in $(seq 1500); do
        grep -qs 'Ready to accept' server.out && break
        sleep 0.1
    done
    port=$(sed -n 's/^redis .* port //p' server.out)
    http=$(sed -n 's/^http .* port //p' server.out)
    listen=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >prometheus.yml <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: yore
    static_configs: [{targets: ["127.0.0.1:$http"]}]
END
    prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
        --web.listen-address="127.0.0.1:$listen" >prometheus.out 2>&1 &
    pids="$pids $!"
    python3 - "$port" "$http" "$listen" "$root" >queries.out 2>&1 <<'END'
import json, socket, sys, time, urllib.parse, urllib.request
port, http, listen, root = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]

def load():
    with socket.create_connection(("127.0.0.1", port)) as s:
        for i in range(200):
            s.sendall(b"SET k%d v\r\nGET k%d\r\nINCR k0\r\n" % (i, i))
        s.settimeout(0.2)
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass

def ask(query):
    url = "http://127.0.0.1:%s/api/v1/query?query=%s" % (listen, urllib.parse.quote(query))
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)["data"]["result"]

def wanted():
    for panel in json.load(open(root + "/packaging/grafana/yore-server.json"))["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace('instance=~"$instance"', 'instance=~".+"')
            yield panel["title"], query.replace("$__rate_interval", "20s")

end = time.time() + 60
missing = list(wanted())
while missing and time.time() < end:
    load()
    time.sleep(1)
    try:
        missing = [(title, query) for title, query in missing if not ask(query)]
    except OSError:
        pass
for title, query in missing:
    print("no data: %s: %s" % (title, query))
print("%d queries with data" % (len(list(wanted())) - len(missing)))
sys.exit(1 if missing else 0)
END
    status=$?
    check "every query of the dashboard has data: $(tail -n 1 queries.out)" \
        sh -c "cat queries.out; exit $status"
    check "metrics are clean" sh -c "
        python3 -c 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(\"http://127.0.0.1:$http/metrics\").read().decode())' |
        promtool check metrics"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
