# Made by: yore help --completion bash
_yore() {
    local word=${COMP_WORDS[COMP_CWORD]} options= IFS=$' \t\n'
    local commands='put get del erase scan timeline changes feed import export query graph stats check compact backup backups restore keyspace bench shell server ping top help version'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "${COMP_WORDS[1]}" = help ]; }; then
        COMPREPLY=($(compgen -W "$commands" -- "$word"))
        return
    fi
    case ${COMP_WORDS[1]} in
    put) options='--at --from --to --ttl --keyspace --durability --output --base64 --file --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    get) options='--at --known --keyspace --output --null --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    del) options='--at --from --to --keyspace --durability --output --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    erase) options='--from --to --prefix --all --keyspace --durability --output --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    scan) options='--at --known --prefix --low --high --limit --reverse --keys --count --keyspace --output --null --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    timeline) options='--known --from --to --limit --reverse --count --every --keyspace --output --null --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    changes) options='--known --from --to --prefix --low --high --limit --count --every --by-time --keyspace --output --null --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    feed) options='--from --limit --count --output --null --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    import) options='--keyspace --durability --output --format --batch --valid --as-now --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    export) options='--at --known --prefix --low --high --keyspace --base64 --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    query) options='--at --known --limit --durability --output --null --file --param --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    graph) options='--at --known --ttl --every --durability --output --null --format --batch --source --rank --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    stats) options='--keyspace --output --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    check) options='--output --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    compact) options='--keyspace --output --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    backup) options='--output --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    backups) options='--output --null --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    restore) options='--to --output --id --color --quiet --help' ;;
    keyspace) options='--at --known --output --keep --compression --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    bench) options='--durability --output --rows --value-bytes --workloads --color --quiet --help' ;;
    shell) options='--output --command --read-only --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    server) options='--color --quiet --help --bind --port --tls-port --unixsocket --unixsocketperm --http-bind --http-port --http-tls --http-hosts --http-body-max --http-compat-writes --bolt-port --bolt-tls --bolt-graph --bolt-keep-alive --bolt-transaction-timeout --graph-settle-interval --insecure --dir --durability --sync-interval --cache --memtable --databases --io-threads --workers --long-workers --login-workers --maxclients --maxmemory-clients --timeout --login-timeout --output-timeout --drain-timeout --logfile --loglevel --log-format --audit-log --aclfile --backup-dir --pidfile --enable-debug-command --tls-cert-file --tls-key-file --tls-ca-cert-file --tls-auth-clients' ;;
    ping) options='--url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    top) options='--limit --output --interval --once --url --password-file --cacert --cert --cert-key --color --quiet --help' ;;
    help) options='--man --completion --color --quiet --help' ;;
    version) options='--color --quiet --help' ;;
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) IFS=$'\n'; COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}
complete -o filenames -F _yore yore
