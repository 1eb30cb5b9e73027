/* The table.  Adding a command: a line here, its function, man/yore.1 made anew by `yore help
 * --man`, a case in tests/cli. */
#include "cli/commands.h"

#include <string.h>

#include "base/nearest.h"

#define READS (OPTION(AT) | OPTION(KNOWN) | OPTION(KEYSPACE) | OPTION(OUTPUT) | OPTION(NUL))
#define RANGE (OPTION(PREFIX) | OPTION(LOW) | OPTION(HIGH))
#define ROWS_SHOWN (OPTION(LIMIT) | OPTION(COUNT))
#define SPAN (OPTION(FROM) | OPTION(TO))
#define DATED (OPTION(AT) | SPAN | OPTION(KEYSPACE) | OPTION(DURABILITY) | OPTION(BASE64))
#define DB (COMMAND_HAS_DIR | COMMAND_OPENS | COMMAND_IN_SHELL | COMMAND_SERVERS)

const struct command command_table[] = {
    {.name = "put",
     .operands = "KEY [VALUE]",
     .summary = "write a value",
     .description =
         "Write VALUE (or what --file holds) under KEY, from now on or from --at TIME on.  With "
         "--to the "
         "write corrects the span from --from (or --at) to --to only: what held before holds again "
         "afterwards.  With --ttl the key is absent again after that time.\n",
     .examples =
         "yore put db host1 up                                  # from now on\n"
         "yore put db host1 up --at 2025-11-21T10:00:00Z        # from that moment on\n"
         "yore put db host1 down --from -2h --to -1h            # for that hour only\n"
         "yore put db session/7 open --ttl 30m                  # absent again in half an hour\n"
         "yore put db photo --file photo.jpg                    # any bytes\n",
     .options = DATED | OPTION(TTL) | OPTION(FILE) | OPTION(OUTPUT),
     .flags =
         COMMAND_HAS_DIR | COMMAND_IN_SHELL | COMMAND_CREATES | COMMAND_WRITES | COMMAND_SERVERS,
     .words_min = 1,
     .words_max = 2,
     .run = command_put},
    {.name = "get",
     .operands = "KEY...",
     .summary = "read a value",
     .description = "Print the value of KEY now, or as of --at, or as it was known at --known.  "
                    "Raw output is the "
                    "value's bytes and nothing else; of several keys, and in the shell, each value "
                    "ends with a newline.  The exit code is "
                    "1 when a key is absent at that moment.\n",
     .examples =
         "yore get db host1                                     # now\n"
         "yore get db host1 --at -1h                            # an hour ago\n"
         "yore get db host1 --at 2015-07-21 --known 2016-01-01  # that day, as known on that one\n"
         "yore get db host1 host2 -o json                       # with the times of the versions\n",
     .options = READS | OPTION(BASE64),
     .flags = DB | COMMAND_READS,
     .words_min = 1,
     .words_max = COMMAND_WORDS_MAX,
     .run = command_get},
    {.name = "del",
     .operands = "KEY",
     .summary = "delete a key from a moment on",
     .description = "KEY is absent from now on, or from --at TIME on, or (with --to) during a "
                    "span.  Its past stays "
                    "readable; to destroy it use erase.\n",
     .examples = "yore del db host1                                     # from now on\n"
                 "yore del db host1 --at 2025-11-20                     # since that day\n",
     .options = DATED | OPTION(OUTPUT),
     .flags = DB | COMMAND_WRITES,
     .words_min = 1,
     .words_max = 1,
     .run = command_del},
    {.name = "erase",
     .operands = "KEY | --prefix KEY | --all",
     .summary = "destroy values for good",
     .description =
         "Destroys the values of KEY, of KEY during --from to --to, of every key that begins "
         "with "
         "--prefix, or with --all of the whole keyspace, at every known time.  get, timeline, feed "
         "and export say that they were erased; scan and changes leave the keys out.  The bytes "
         "leave the "
         "files in the background; compact returns after they are gone.  This cannot be undone.\n",
     .examples =
         "yore erase db user/42                                 # its whole timeline\n"
         "yore erase db user/42 --from 2025-01-01 --to 2025-02-01\n"
         "yore erase db --prefix user/42/                       # every key below it\n"
         "yore erase db --all --keyspace sensors                # every key there is in it\n",
     .options = SPAN | OPTION(PREFIX) | OPTION(ALL) | OPTION(KEYSPACE) | OPTION(DURABILITY) |
                OPTION(BASE64) | OPTION(OUTPUT),
     .flags = DB | COMMAND_WRITES,
     .words_min = 0,
     .words_max = 1,
     .run = command_erase},
    {.name = "scan",
     .operands = "",
     .summary = "list keys and values of one moment",
     .description = "Keys in order of their bytes, of one moment.  Raw rows are key, tab, value; "
                    "with --keys the key "
                    "alone.\n",
     .examples =
         "yore scan db --prefix n/ --at 2015-07-21 --keys -o raw\n"
         "yore scan db --low a --high b --limit 10 --reverse    # the last ten keys below b\n"
         "yore scan db --prefix n/ --at 2015-07-21 --count      # how many there were\n",
     .options = READS | RANGE | ROWS_SHOWN | OPTION(REVERSE) | OPTION(KEYS) | OPTION(BASE64),
     .flags = DB | COMMAND_READS,
     .run = command_scan},
    {.name = "timeline",
     .operands = "KEY",
     .summary = "the versions of one key",
     .description = "What KEY held over time: one row for each version that began between --from "
                    "and --to (default: "
                    "all that is kept), the one in force at --from included.  With --every also "
                    "versions that a "
                    "later commit "
                    "corrected.  Raw rows are time, kind and value, separated by tabs.\n",
     .examples = "yore timeline db host1\n"
                 "yore timeline db host1 --from 2015-01-01 --to 2016-01-01 --reverse\n",
     .options = SPAN | OPTION(KNOWN) | OPTION(KEYSPACE) | OPTION(OUTPUT) | OPTION(NUL) |
                ROWS_SHOWN | OPTION(REVERSE) | OPTION(EVERY) | OPTION(BASE64),
     .flags = DB | COMMAND_READS,
     .words_min = 1,
     .words_max = 1,
     .run = command_timeline},
    {.name = "changes",
     .operands = "",
     .summary = "what differs between two moments",
     .description = "The keys whose value at --to (default: now) is not the value at --from "
                    "(default: the begin of what is kept), with both values in json, ndjson and "
                    "csv; a table shows the one that holds now, or held last.  With "
                    "--every each step in between.  In order of key, or with --by-time in order of "
                    "time.  Raw rows are "
                    "time, kind (added, changed, removed) and key, separated by tabs.\n",
     .examples = "yore changes db --from -1h                            # the last hour, net\n"
                 "yore changes db --from 2015-07-21T13:00:00Z --to 2015-07-21T14:00:00Z --by-time\n"
                 "yore changes db --from 2015-01-01 --to 2016-01-01 --prefix n/ --count\n",
     .options = SPAN | OPTION(KNOWN) | OPTION(KEYSPACE) | OPTION(OUTPUT) | OPTION(NUL) | RANGE |
                ROWS_SHOWN | OPTION(EVERY) | OPTION(BY_TIME) | OPTION(BASE64),
     .flags = DB | COMMAND_READS,
     .run = command_changes},
    {.name = "feed",
     .operands = "",
     .summary = "the commits in commit order",
     .description =
         "Every write of every commit after --from (a commit time; default: all that are still "
         "kept whole), in the order of commits.  To go on later, give the last commit seen as "
         "--from.  Raw rows are commit, "
         "keyspace_id (0: the database's own records), kind, valid_from, key and value, separated "
         "by tabs.\n",
     .examples = "yore feed db -o ndjson                                # all that is kept\n"
                 "yore feed db --from 2025-11-21T10:00:00.000000001Z --limit 100\n",
     .options = OPTION(FROM) | OPTION(OUTPUT) | OPTION(NUL) | ROWS_SHOWN,
     .flags = DB | COMMAND_READS,
     .run = command_feed},
    {.name = "import",
     .operands = "FILE",
     .summary = "load facts from a file",
     .description =
         "FILE (- is standard input; plain or zstd) is told by its content, or by --format:\n"
         "ndjson: what export writes; one object a line with key (or key_base64), value (or "
         "value_base64), "
         "valid_from, valid_to, kind (put, delete, erased), keyspace and commit.  Lines that "
         "follow each "
         "other with one commit text become one transaction.\n"
         "csv, tsv: rows of time, key, value; a first row `time,key,value` is passed over.\n"
         "events: graph events in nine columns (commit ms, transaction, + ~ -, n or e, id, type, "
         "source, "
         "target, properties).  One transaction for each of the source's, keys n/<id> and e/<id>, "
         "values "
         "the whole state of the element after the event.\n"
         "Facts hold from the times in the file (--valid) or from their commit (--as-now).  A line "
         "that "
         "cannot be read ends the import with its number; nothing of its transaction is written, "
         "the "
         "transactions before it stay.  Commits are handed to the system and made durable at the "
         "end; "
         "--durability sync waits for each.\n"
         "A server leaves out the lines of another one's bookkeeping (keyspaces server, server.*), "
         "and, with an error when all else is written, those of graphs and series: a directory "
         "takes them all.\n",
     .examples = "yore import db wmf-infra.tsv.zst\n"
                 "yore export old | yore import new -\n"
                 "yore import db readings.csv --keyspace sensors --batch 10000\n",
     .options = OPTION(KEYSPACE) | OPTION(FORMAT) | OPTION(DURABILITY) | OPTION(BATCH) |
                OPTION(VALID) | OPTION(AS_NOW) | OPTION(OUTPUT),
     .flags =
         COMMAND_HAS_DIR | COMMAND_IN_SHELL | COMMAND_CREATES | COMMAND_WRITES | COMMAND_SERVERS,
     .words_min = 1,
     .words_max = 1,
     .run = command_import},
    {.name = "export",
     .operands = "[FILE]",
     .summary = "write history, or one moment, as NDJSON",
     .description =
         "All versions in commit order with their valid times, or with --at the state "
         "of that moment, to "
         "FILE or standard output.  FILE is written as FILE.part and takes its name when it "
         "is whole: an export that fails or is stopped leaves the old FILE as it was.  "
         "Importing it into an empty database gives the same "
         "versions and the "
         "same transactions in the same order; only commit times are new, and what never held, as "
         "its time to live passed before its commit, is a delete.  Keys and "
         "values that are not "
         "UTF-8, or shorter so, are written as key_base64 and value_base64.  Without --keyspace "
         "every "
         "keyspace is written, "
         "and made again by import.  "
         "All of it is as of the moment export begins, also where a server goes on being written "
         "to; "
         "only a keyspace that keeps nothing but now is as it is found.  Of a server's own "
         "bookkeeping "
         "(keyspaces server, server.*) only databases that were swapped are written; graphs and "
         "series are, for an import into a directory.\n",
     .examples = "yore export db > all.ndjson\n"
                 "yore export db --at 2015-07-21 day.ndjson\n",
     .options = OPTION(AT) | OPTION(KNOWN) | OPTION(KEYSPACE) | RANGE | OPTION(BASE64),
     .flags = DB | COMMAND_READS,
     .words_min = 0,
     .words_max = 1,
     .run = command_export},
    {.name = "query",
     .operands = "GRAPH [STATEMENT]",
     .summary = "ask a graph in the query language",
     .description =
         "STATEMENT (or what --file holds; - is standard input) is openCypher, with AS OF, KNOWN "
         "and "
         "FROM ... TO for the past.  --at and --known ask the whole statement as of a moment.  A "
         "value of --param that is a number, true, false, null, or begins like a string, list or "
         "map of the language is one; anything else is a string as it stands.  A statement that "
         "writes makes the graph when it is missing, and tells on standard error what it did.  "
         "EXPLAIN before a statement shows how it would be carried out, PROFILE also what each "
         "step "
         "cost.\n"
         "Elements have id(n), their number, and externalId(n), the id their source gave them.\n",
     .examples =
         "yore query db topo 'CREATE (:Service {name: \"cart\"})'\n"
         "yore query db topo 'MATCH (s:Service) RETURN s.name, labels(s)' -o json\n"
         "yore query db topo 'MATCH (n) WHERE externalId(n) = $id RETURN n' -p id=class:standard\n"
         "yore query db topo 'MATCH (a)-[:CALLS]->(b) RETURN a.name, b.name' --at -1h\n"
         "yore query db topo 'CALL yore.diff(\"2015-07-21\", \"2015-07-22\")' -o ndjson\n",
     .options = OPTION(AT) | OPTION(KNOWN) | OPTION(OUTPUT) | OPTION(NUL) | OPTION(FILE) |
                OPTION(PARAM) | OPTION(DURABILITY) | OPTION(LIMIT),
     .flags = COMMAND_HAS_DIR | COMMAND_IN_SHELL | COMMAND_SERVERS,
     .words_min = 1,
     .words_max = 2,
     .run = command_query},
    {.name = "graph",
     .operands = "list | VERB NAME ...",
     .summary = "the graphs of a database",
     .description =
         "list tells every graph and how many nodes and relationships it has, now or --at a "
         "moment.\n"
         "import NAME FILE reads an event file (its nine columns: yore help import), makes the "
         "graph when it is missing, and dates each transaction as the file does; one that was cut "
         "off goes on where it stopped.\n"
         "apply NAME FILE... takes in what --source says, a line of JSON for each element: "
         "{\"node\":ID,\"labels\":[..],\"properties\":{..}} or "
         "{\"relationship\":ID,\"type\":T,\"start\":ID,\"end\":ID,\"properties\":{..}}, with from "
         "and to where it holds for a span, or with \"removes\":true.  What several sources say "
         "of one element is merged; a relationship waits for its ends.  --batch lines are one "
         "transaction.\n"
         "sync NAME FILE... is a snapshot: everything --source claims, at --at (default: now); "
         "what it does not name it no longer claims.  All of it or nothing, unless more than "
         "32,768 "
         "elements differ: then it is carried out in parts.  Where one of these is refused, by a "
         "constraint, say, what came before stays and the source is heard no more: put right what "
         "the error tells and use settle, or give the rest up with abort, or begin the next "
         "sync.\n"
         "source NAME sets --rank and --ttl of --source: after so long without a word it claims "
         "nothing.  end NAME: --source claims nothing any more.  sources NAME lists them, pending "
         "NAME the relationships that wait.  settle NAME ends what time has ended, "
         "and tries a snapshot again that was refused.  abort NAME gives up the snapshot of "
         "--source that is under way.\n"
         "erase NAME node|relationship ID destroys all that is known of an external id, of a node "
         "with its relationships; with a PROPERTY behind it only that of it: the rest stays, at "
         "every time, as it is known now.  This cannot be undone.\n"
         "export NAME writes one moment to standard output, lines as apply reads them; with "
         "--every all of history; with --format nodes-csv, relationships-csv or graphml what apply "
         "reads too, with events what import reads, with dot a picture for graphviz (graphml and "
         "dot hold one moment).\n"
         "drop NAME: the past stays readable with --at.  In the shell, use NAME chooses the graph "
         "to which lines that are statements go.  FILE may be - and compressed with zstd; apply "
         "and "
         "sync read NDJSON, CSV with a header (:ID,:LABEL,name:type; :START_ID,:END_ID,:TYPE) and "
         "GraphML.\n",
     .examples = "yore graph db import topo wmf-infra.tsv.zst\n"
                 "yore graph db list\n"
                 "yore graph db export topo --at 2015-07-21 --format dot | dot -Tsvg > topo.svg\n"
                 "yore graph db source topo --source k8s --ttl 10m --rank 5\n"
                 "yore graph db sync topo pods.ndjson --source k8s\n"
                 "yore graph db export topo --every | yore graph new apply topo - --source old\n"
                 "yore graph db erase topo node user:42\n"
                 "yore graph db erase topo node user:43 mail\n"
                 "yore graph db drop topo\n",
     .options = OPTION(AT) | OPTION(KNOWN) | OPTION(OUTPUT) | OPTION(NUL) | OPTION(FORMAT) |
                OPTION(DURABILITY) | OPTION(SOURCE) | OPTION(RANK) | OPTION(TTL) | OPTION(BATCH) |
                OPTION(EVERY),
     .flags = DB,
     .words_min = 1,
     .words_max = COMMAND_WORDS_MAX,
     .verbs = graph_verbs,
     .check = command_graph_check},
    {.name = "stats",
     .operands = "",
     .summary = "counters, gauges and latencies",
     .description =
         "Every statistic of the database as it stands after opening it; with --keyspace what that "
         "one takes: bytes and versions in memory, of the present and of the past, the oldest "
         "moment "
         "that can be read, and what its retention will free (whole files before the horizon).\n",
     .examples = "yore stats db\n"
                 "yore stats db --keyspace default\n",
     .options = OPTION(OUTPUT) | OPTION(KEYSPACE),
     .flags = DB | COMMAND_READS,
     .run = command_stats},
    {.name = "check",
     .operands = "",
     .summary = "verify everything",
     .description = "Read every file whole: every checksum, order, bound and reference.  Prints "
                    "one line for each "
                    "problem (file, offset, cause) and what was verified, also of a database that "
                    "is too damaged to open.  The exit code is 8 when "
                    "there is damage.\n",
     .examples = "yore check db\n",
     .options = OPTION(OUTPUT),
     .flags = COMMAND_HAS_DIR | COMMAND_IN_SHELL | COMMAND_SERVERS,
     .run = command_check},
    {.name = "compact",
     .operands = "",
     .summary = "merge files, apply retention and erasures",
     .description = "Returns when it is all done.  With --keyspace only that one.\n",
     .examples = "yore compact db\n",
     .options = OPTION(KEYSPACE) | OPTION(OUTPUT),
     .flags = DB,
     .run = command_compact},
    {.name = "backup",
     .operands = "TARGET",
     .summary = "copy the database into a backup directory",
     .description = "The first backup in TARGET is full; each later one copies only what TARGET "
                    "lacks.  Reads and "
                    "writes of the same process (libyore) go on meanwhile; like every command this "
                    "one needs the database for itself.  With a server, which goes on meanwhile, "
                    "TARGET is a name "
                    "below its setting backup-dir.\n",
     .examples = "yore backup db /srv/backup/db\n",
     .options = OPTION(OUTPUT),
     .flags = DB,
     .words_min = 1,
     .words_max = 1,
     .run = command_backup},
    {.name = "backups",
     .operands = "[NAME]",
     .summary = "list what a backup directory holds",
     .description = "DIR is the directory that backups were written to.  One row for each backup, "
                    "oldest first.  With a server, which may be asked by who has the rights of "
                    "@admin, those below its setting backup-dir, or those of NAME there.\n",
     .examples = "yore backups /srv/backup/db\n",
     .options = OPTION(OUTPUT) | OPTION(NUL),
     .flags = COMMAND_HAS_DIR | COMMAND_IN_SHELL | COMMAND_SERVERS,
     .words_max = 1,
     .run = command_backups},
    {.name = "restore",
     .operands = "BACKUP",
     .summary = "make a database from a backup",
     .description =
         "DIR must not exist, or be empty; a mount point or \".\" cannot be replaced and "
         "is refused.  With --id the backup of that number, else the latest; with --to "
         "only the commits up to that commit time, itself included (what was "
         "committed after the backup is not in it).  Erasures that any later backup "
         "knows of are applied.\n",
     .examples = "yore restore db2 /srv/backup/db\n"
                 "yore restore db2 /srv/backup/db --to 2026-11-20T18:00:00Z\n",
     .options = OPTION(ID) | OPTION(TO) | OPTION(OUTPUT),
     .flags = COMMAND_HAS_DIR,
     .words_min = 1,
     .words_max = 1,
     .run = command_restore},
    {.name = "keyspace",
     .operands = "list | create NAME | alter NAME | drop NAME | trim NAME",
     .summary = "keyspaces and what they keep",
     .description = "A keyspace has its own retention (--keep all, now, or a duration) and "
                    "--compression.  A dropped "
                    "one's past stays readable with --at.  trim gives up what ended before --at; "
                    "what held at that "
                    "moment is kept.\n",
     .examples = "yore keyspace db create sensors --keep 30d\n"
                 "yore keyspace db list\n"
                 "yore keyspace db trim sensors --at -7d\n",
     .options = OPTION(KEEP) | OPTION(COMPRESSION) | OPTION(AT) | OPTION(KNOWN) | OPTION(OUTPUT),
     .flags = DB,
     .words_min = 1,
     .words_max = 2,
     .verbs = keyspace_verbs,
     .check = command_keyspace_check},
    {.name = "bench",
     .operands = "",
     .summary = "measure this machine",
     .description = "Run the standard workloads on a new database in DIR (which must not exist, "
                    "and is left there): "
                    "fillseq, fillrandom, fillsync, readrandom, readmissing, scan100, asof_get, "
                    "asof_scan, timeline, "
                    "changes.\n",
     .examples =
         "yore bench /tmp/bench\n"
         "yore bench /tmp/bench --rows 100000 --workloads fillrandom,readrandom -o ndjson\n",
     .options = OPTION(ROWS) | OPTION(VALUE_BYTES) | OPTION(WORKLOADS) | OPTION(DURABILITY) |
                OPTION(OUTPUT),
     .flags = COMMAND_HAS_DIR,
     .run = command_bench},
    {.name = "shell",
     .operands = "",
     .summary = "work with a database interactively",
     .description =
         "The commands above without DIR, at a prompt that shows the session's moment: after `at "
         "2019-03-01` every read is as of that day, until `at now`.  Tab completes commands, "
         "options and "
         "keys; a line that ends with a backslash goes on in the next; ^C stops a command.  Reads "
         "commands "
         "from standard input when that is no terminal, and then ends at the first error; -c runs "
         "one "
         "line.  Lines that begin with a blank stay out of the history, ~/.yore_history.  With "
         "--read-only "
         "the database is opened as reading commands open it: nothing is written, others may read "
         "too.\n"
         "After `graph use NAME` a line that begins with a word of the query language (MATCH, "
         "CREATE, RETURN, AS OF ...) is a statement on that graph, as of the session's moment; Tab "
         "completes its labels, types and properties.  A backslash before a command is allowed "
         "(\\at -1h), and \\diff FROM [TO] tells what differs in the graph.\n",
     .examples = "yore shell db\n"
                 "yore shell db -c 'scan --prefix n/ --limit 5'\n"
                 "echo 'get host1' | yore shell db\n",
     .options = OPTION(COMMAND) | OPTION(OUTPUT) | OPTION(READ_ONLY),
     .flags = COMMAND_HAS_DIR | COMMAND_OPENS | COMMAND_SERVERS,
     .run = command_shell},
    {.name = "at",
     .operands = "[TIME]",
     .summary = "the moment this session reads at",
     .description =
         "Every read is as of TIME until `at now`.  Writes are refused meanwhile unless they name "
         "their own --at.  Without TIME: print it.\n",
     .examples = "at 2019-03-01\nat -1h\nat now\n",
     .flags = COMMAND_IN_SHELL | COMMAND_ONLY_SHELL,
     .words_max = 1,
     .run = command_at},
    {.name = "known",
     .operands = "[TIME]",
     .summary = "read as it was known at a moment",
     .description = "Every read ignores what was committed after TIME, until `known now`.\n",
     .examples = "known 2020-01-01\nknown now\n",
     .flags = COMMAND_IN_SHELL | COMMAND_ONLY_SHELL,
     .words_max = 1,
     .run = command_known},
    {.name = "use",
     .operands = "[KEYSPACE]",
     .summary = "the keyspace this session works in",
     .description = "Until another one is named; `use default` goes back.\n",
     .examples = "use sensors\n",
     .flags = COMMAND_IN_SHELL | COMMAND_ONLY_SHELL,
     .words_max = 1,
     .run = command_use},
    {.name = "output",
     .operands = "[FORMAT]",
     .summary = "how this session prints rows",
     .description = "table, json, ndjson, csv or raw; `output auto` goes back.\n",
     .examples = "output json\n",
     .flags = COMMAND_IN_SHELL | COMMAND_ONLY_SHELL,
     .words_max = 1,
     .run = command_output},
    {.name = "server",
     .operands = "[--config FILE] [--SETTING VALUE]...",
     .summary = "serve Redis clients and HTTP",
     .description =
         "Listen to Redis clients (RESP2 and RESP3) and HTTP, on this machine only unless told "
         "otherwise.  Settings come from the command line (--port 7000), before the environment "
         "(YORE_PORT), before the file given with --config, before their defaults; "
         "--settings lists them, --check-config tells whether a start would take them, and stops.  "
         "yore-server(8) and "
         "yore.conf(5) say more.\n",
     .examples = "yore server                                           # on 127.0.0.1:6379\n"
                 "yore server --dir /srv/yore --port 7000               # elsewhere\n"
                 "yore server --config /srv/yore.conf --check-config \n",
     .flags = COMMAND_OWN_FLAGS,
     .words_max = COMMAND_WORDS_MAX,
     .run = command_server},
    {.name = "ping",
     .operands = "",
     .summary = "ask whether a server is there",
     .description = "The exit code is 0 when the server at the URL answers, also when it wants a "
                    "login that was not given: for health checks.  DIR is the URL here.\n",
     .examples = "yore ping yore://localhost\n",
     .flags = COMMAND_HAS_DIR | COMMAND_SERVERS,
     .run = command_ping},
    {.name = "top",
     .operands = "",
     .summary = "what a server is doing, live",
     .description =
         "Commands a second (all, those that read, those that write), latencies, clients, memory, "
         "the journal, stalls, and the commands that took the most time, every --interval until "
         "^C.  On a terminal one picture that is drawn anew; elsewhere, and with --output, a row "
         "for each look.  DIR is the URL of the server here.  Latencies of commits, reads and "
         "syncs are those since the server was started; rates are of the last interval.\n",
     .examples = "yore top yore://localhost                              # until ^C\n"
                 "yore top yore://ann@db.example --once -o json         # one look\n"
                 "yore top yore://localhost --interval 10s -o csv > load.csv\n",
     .options = OPTION(INTERVAL) | OPTION(ONCE) | OPTION(LIMIT) | OPTION(OUTPUT),
     .flags = COMMAND_HAS_DIR | COMMAND_SERVERS,
     .run = command_top},
    {.name = "help",
     .operands = "[COMMAND]",
     .summary = "this overview, or one command with examples",
     .description = "--man prints the manual page; --completion what completes words in a shell.\n",
     .examples = "yore help import\n"
                 "yore help --completion bash > yore.bash               # then: source yore.bash\n",
     .options = OPTION(MAN) | OPTION(COMPLETION),
     .flags = COMMAND_IN_SHELL,
     .words_max = 1,
     .run = command_help},
    {.name = "version",
     .operands = "",
     .summary = "the version of the program",
     .description = "",
     .flags = COMMAND_IN_SHELL,
     .run = command_version},
};

const size_t command_count = sizeof(command_table) / sizeof(command_table[0]);

uint64_t command_options(const struct command *command)
{
    bool is_for_servers = (command->flags & COMMAND_SERVERS) != 0;
    return command->options | OPTIONS_EVERYWHERE | (is_for_servers ? OPTIONS_OF_SERVERS : 0);
}

const char *command_instead(const struct command *command)
{
    static const struct {
        const char *name;
        const char *text;
    } instead[] = {{"query", ": ask it with GRAPH.QUERY, or over HTTP"},
                   {"restore", ": restore into a directory, then start a server there"},
                   {"bench", ": redis-benchmark measures a server"}};
    for (size_t i = 0; i < sizeof(instead) / sizeof(instead[0]); i++) {
        if (strcmp(command->name, instead[i].name) == 0) {
            return instead[i].text;
        }
    }
    return "";
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(command_table[i].name, name) == 0) {
            return &command_table[i];
        }
    }
    return NULL;
}

const struct verb *verb_find(const struct verb *verbs, const struct args *args)
{
    for (; verbs != NULL && args->word_count > 0 && verbs->name != NULL; verbs++) {
        if (strcmp(verbs->name, args->words[0]) == 0) {
            return verbs;
        }
    }
    return NULL;
}

static const char *name_outside(const void *arg, size_t index)
{
    (void)arg;
    bool is_hidden = (command_table[index].flags & COMMAND_ONLY_SHELL) != 0;
    return is_hidden ? NULL : command_table[index].name;
}

static const char *name_in_shell(const void *arg, size_t index)
{
    (void)arg;
    bool is_shown = (command_table[index].flags & COMMAND_IN_SHELL) != 0;
    return is_shown ? command_table[index].name : NULL;
}

const char *command_nearest(const char *name, bool is_shell)
{
    return nearest_word(name, is_shell ? name_in_shell : name_outside, NULL, command_count);
}
