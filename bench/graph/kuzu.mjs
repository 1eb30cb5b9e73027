// kuzu.mjs -- the questions of bench/graph_questions.c to Kuzu, which has no history: a graph of now.
//   node kuzu.mjs MODULE_DIR EXPORT.ndjson SAMPLES SCRATCH
// MODULE_DIR holds node_modules/kuzu; EXPORT.ndjson is `yore graph DB export GRAPH`; SAMPLES what
// graph_questions wrote.  Prepared statements, one thread, in process, by the synchronous calls.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync, rmSync, mkdirSync, statSync } from "node:fs";
import { performance } from "node:perf_hooks";

const [moduleDir, exported, samplesPath, scratch] = process.argv.slice(2);
if (scratch === undefined) {
    console.error("usage: kuzu.mjs MODULE_DIR EXPORT.ndjson SAMPLES SCRATCH");
    process.exit(2);
}
const kuzu = createRequire(`${moduleDir}/package.json`)("kuzu");
rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });

const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
const nodes = [];
const relationships = [];
for (const line of readFileSync(exported, "utf8").split("\n")) {
    const one = line === "" ? null : JSON.parse(line);
    if (one?.node !== undefined) {
        nodes.push([one.node, (one.labels ?? [])[0] ?? ""].map(quoted).join(","));
    } else if (one?.relationship !== undefined) {
        relationships.push([one.start, one.end, one.type].map(quoted).join(","));
    }
}
writeFileSync(`${scratch}/nodes.csv`, nodes.join("\n") + "\n");
writeFileSync(`${scratch}/relationships.csv`, relationships.join("\n") + "\n");
const samples = readFileSync(samplesPath, "utf8").split("\n").filter((line) => line !== "");

const db = new kuzu.Database(`${scratch}/db`);
const connection = new kuzu.Connection(db, 1);
connection.initSync();
const all = (text) => connection.querySync(text).getAllSync();
all("CREATE NODE TABLE N(id STRING, label STRING, PRIMARY KEY(id))");
all("CREATE REL TABLE E(FROM N TO N, type STRING)");
const begun = performance.now();
all(`COPY N FROM "${scratch}/nodes.csv" (PARALLEL=false)`);
all(`COPY E FROM "${scratch}/relationships.csv" (PARALLEL=false)`);
all("CHECKPOINT");
const loaded = (performance.now() - begun) / 1000;
const size = statSync(`${scratch}/db`);
console.log(JSON.stringify({
    row: "load of now", engine: "kuzu", seconds: Number(loaded.toFixed(3)),
    elements: nodes.length + relationships.length, bytes: size.isFile() ? size.size : undefined,
}));

const hops = (n) => `MATCH (a:N {id: $a})-[e:E*1..${n}]-(b:N) WHERE a.id <> b.id RETURN count(DISTINCT b.id) AS x`;
const questions = [
    ["look-up", "MATCH (a:N {id: $a}) RETURN count(a) AS x", 1],
    ["1 hop", hops(1), 1],
    ["2 hops", hops(2), 1],
    ["3 hops", hops(3), 1],
    ["shortest path", "MATCH (a:N {id: $a})-[e:E* SHORTEST 1..4]-(b:N {id: $b}) RETURN length(e) AS x", 2],
    ["count by type", "MATCH (:N)-[r:E]->(:N) RETURN r.type AS t, count(*) AS x", 0],
    ["degrees", "MATCH (a:N)-[r:E]->(:N) WITH a, count(*) AS d RETURN max(d) AS x", 0],
];
for (const [row, text, pairs] of questions) {
    const statement = connection.prepareSync(text);
    if (!statement.isSuccess()) {
        console.error(`${row}: ${statement.getErrorMessage()}`);
        process.exit(1);
    }
    const count = pairs === 0 ? 9 : samples.length;
    let took = [];
    let sum = 0;
    for (let warm = 0; warm < 2; warm++) {
        took = [];
        sum = 0;
        for (let i = 0; i < count; i++) {
            const parameters = {};
            if (pairs > 0) parameters.a = samples[i];
            if (pairs > 1) parameters.b = samples[(i + 7) % samples.length];
            const from = performance.now();
            for (const answer of connection.executeSync(statement, parameters).getAllSync()) {
                sum += Number(answer.x);
            }
            took.push((performance.now() - from) * 1000);
        }
    }
    took.sort((x, y) => x - y);
    console.log(JSON.stringify({
        row, engine: "kuzu", p50_us: Number(took[Math.floor(count / 2)].toFixed(1)),
        p99_us: Number(took[Math.floor(((count - 1) * 99) / 100)].toFixed(1)), sum,
    }));
}
process.exit(0); // closing both by hand crashes in 0.11.3
