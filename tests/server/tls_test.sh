#!/bin/sh
# tls_test.sh -- TLS and mutual TLS on both ports, and certificates changed while the server runs.
#   tls_test.sh YORE
# Needs openssl and redis-cli; skipped without them.
set -eu
yore=$1
for tool in openssl redis-cli; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
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
        sed 's/^/    /' out
    fi
}
fails() { ! "$@"; }
becomes() { # becomes COMMAND...: it succeeds in the end
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca 2>err
echo 'subjectAltName = DNS:localhost, IP:127.0.0.1' >names
signed() { # signed NAME
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>err
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -out "$1.pem" -days 2 \
        -extfile names 2>err
}
signed server
signed second
signed client
openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -days 2 -subj /CN=stranger 2>err
cp server.pem cert.pem
cp server.key cert.key

start() { # start FLAG...
    rm -f server.out # the last one's must not be taken for this one's
    "$yore" server --dir db --port 0 --tls-port any --http-port any --http-tls --bolt-port any --bolt-tls \
        --tls-cert-file cert.pem --tls-key-file cert.key "$@" >server.out 2>&1 &
    server=$!
    for _ in $(seq 3000); do
        grep -qs 'Ready to accept' server.out && break
        kill -0 $server || { cat server.out; exit 1; }
        sleep 0.05
    done
    port=$(sed -n 's/^redis tls .* port //p' server.out)
    bolt=$(sed -n 's/^bolt .* port \([0-9]*\).*/\1/p' server.out)
    http=$(sed -n 's/^http .* port \([0-9]*\).*/\1/p' server.out)
}
end() {
    kill $server
    wait $server
    server=
}
cli() { redis-cli -p "$port" --tls --cacert ca.pem --sni server "$@"; }
says() { # says TEXT COMMAND...
    text=$1
    shift
    "$@" 2>&1 | grep -q -- "$text"
}
get() { # get FLAG...: one request over TLS
    printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        openssl s_client -connect "127.0.0.1:$http" -CAfile ca.pem -quiet "$@" 2>err
}
hello() { # hello FLAG...: the version that a Bolt handshake over TLS agrees on
    { printf '\140\140\260\027\000\004\004\005\000\000\004\004\000\000\000\000\000\000\000\000'; sleep 1; } |
        openssl s_client -connect "127.0.0.1:$bolt" -CAfile ca.pem -quiet "$@" 2>err | od -An -tx1
}
half_closed() { # requests and the end of what is sent in one piece: the replies, and whether their end is told
    cat >half.py <<'END'
import socket, ssl, sys
context = ssl.create_default_context(cafile="ca.pem")
arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(arriving, leaving, server_hostname="localhost")
wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def step(what):
    while True:
        try:
            done = what()
            wire.sendall(leaving.read())
            return done
        except ssl.SSLWantReadError:
            wire.sendall(leaving.read())
            got = wire.recv(65536)
            arriving.write(got) if got else arriving.write_eof()
step(tls.do_handshake)
tls.write(b"PING\r\nECHO there\r\n")
try:
    tls.unwrap()
except ssl.SSLWantReadError:
    pass
wire.sendall(leaving.read())
text = b""
try:
    while True:
        text += step(lambda: tls.read(1000))
except ssl.SSLZeroReturnError:
    print(text)
END
    python3 half.py "$port" 2>&1
}
subject() {
    openssl s_client -connect "127.0.0.1:$port" -CAfile ca.pem "$@" </dev/null 2>err |
        sed -n 's/^subject=//p'
}

start --tls-auth-clients no
check "a command over TLS" says PONG cli ping
check "a large value goes both ways" sh -c "
    head -c 300000 /dev/zero | tr '\\0' x >large
    redis-cli -p $port --tls --cacert ca.pem --sni server -x set large <large >out1 &&
    redis-cli -p $port --tls --cacert ca.pem --sni server --raw get large >back &&
    [ \$(wc -c <back) = 300001 ]"
check "a pipeline over TLS" says 1000 sh -c "
    for i in \$(seq 1000); do echo SET k\$i v; done |
    redis-cli -p $port --tls --cacert ca.pem --sni server --pipe"
check "a value to ask for" says OK cli set ping PONG
check "yore over TLS, by address" says PONG "$yore" get "yores://127.0.0.1:$port" ping --cacert ca.pem
check "yore over TLS, by name" says PONG "$yore" get "rediss://localhost:$port" ping --cacert ca.pem
check "a stranger's certificate is refused" says 'certificate is not good' "$yore" get "yores://127.0.0.1:$port" ping --cacert stranger.pem
check "and the log says that a client did not trust ours" \
    becomes grep -q 'no TLS could be agreed on with a client: .*unknown ca' server.out
check "yore without TLS is told of it" says 'yores://' "$yore" get "yore://127.0.0.1:$port" ping
check "HTTP over TLS" says '^ok' get
check "Bolt over TLS" says '00 00 04 05' hello
check "plain text is refused" fails says PONG redis-cli -p "$port" ping
if command -v python3 >/dev/null; then
    check "who says that it sends no more gets its replies, and their end is told" \
        says "^b'+PONG.r.n.5.r.nthere.r.n'$" half_closed
fi
check "TLS 1.1 is refused" fails says 'Cipher is [A-Z]' openssl s_client -connect "127.0.0.1:$port" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null
check "it shows its certificate" says 'CN = server' subject
cp second.pem cert.pem
cp second.key cert.key
kill -HUP $server
check "a new one after SIGHUP" becomes says 'CN = second' subject
echo rubbish >cert.pem
kill -HUP $server
check "the log says when a new one is none" becomes grep -q 'cannot use the certificate' server.out
check "and the old one stays" says 'CN = second' subject
end

cp server.pem cert.pem
cp server.key cert.key
start --tls-ca-cert-file ca.pem
check "without a certificate a client is refused" fails says PONG cli ping
check "and the log says why" becomes grep -q 'no TLS could be agreed on with a client: peer did not return a certificate' server.out
check "with one it is served" says PONG cli --cert client.pem --key client.key ping
check "yore with one is served" says PONG "$yore" get "yores://127.0.0.1:$port" ping --cacert ca.pem \
    --cert client.pem --cert-key client.key
check "a stranger's is refused" fails says PONG cli --cert stranger.pem --key stranger.key ping
check "Bolt too is refused without" fails says '00 00 04 05' hello
check "and served with it" says '00 00 04 05' hello -cert client.pem -key client.key
check "HTTP too is refused without" fails says '^ok' get
check "HTTP with one" says '^ok' get -cert client.pem -key client.key
end
start --port any --tls-ca-cert-file ca.pem
plain=$(sed -n '/^redis tls/d; s/^redis .* port //p' server.out)
check "a port without TLS is told" says 'speaks no TLS at this port' "$yore" get "yores://127.0.0.1:$plain" ping --cacert ca.pem
end
check "no certificate, no start" fails "$yore" server --dir db --tls-port any --tls-auth-clients no
echo "$passed passed, $failed failed"
[ $failed = 0 ]
