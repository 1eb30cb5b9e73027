// A day's work with graphs, as the library `falkordb` for Node does it: port is the argument.
import assert from 'node:assert/strict';
import { FalkorDB } from 'falkordb';

const port = Number(process.argv[2]);
const db = await FalkorDB.connect({ socket: { host: '127.0.0.1', port } });
const graph = db.selectGraph('topology');

const made = await graph.query(
    "CREATE (:Service {name: $a, tags: $tags, up: true, load: 0.5})-[:CALLS {ms: 12}]->(:Service:Db {name: $b})",
    { params: { a: 'cart', b: "pay's", tags: ['x', 'y'] } });
assert(made.metadata.some((line) => line === 'Nodes created: 2'), String(made.metadata));
assert.deepEqual(await db.list(), ['topology']);

const rows = (await graph.query(
    'MATCH p = (a:Service)-[c:CALLS]->(b:Db) RETURN a, c, b.name AS callee, p, [1, null, {k: 1.5}] AS list, date("2026-01-02") AS day')).data;
assert.equal(rows.length, 1);
const row = rows[0];
assert.deepEqual(row.a.labels, ['Service']);
assert.deepEqual({ ...row.a.properties }, { name: 'cart', tags: ['x', 'y'], up: true, load: 0.5 });
assert.equal(row.c.relationshipType, 'CALLS');
assert.equal(row.c.sourceId, row.a.id);
assert.equal(row.callee, "pay's");
assert.equal(row.p.nodes.length, 2);
assert.equal(row.p.edges[0].properties.ms, 12);
assert.deepEqual(row.list.slice(0, 2), [1, null]);
assert.equal(row.day, '2026-01-02');

// A label that came later: the client asks for the list again.
await graph.query('CREATE (:Later {later: 1})');
assert.deepEqual((await graph.roQuery('MATCH (l:Later) RETURN l')).data[0].l.labels, ['Later']);

await assert.rejects(graph.roQuery('CREATE (:X)'), /only reading/);
await assert.rejects(graph.query('MATCH (n) RETRUN n'), /did you mean RETURN/);
await assert.rejects(
    graph.query('UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + b)', { TIMEOUT: 5 }),
    /Query timed out/);
const plan = await graph.explain('MATCH (s:Service) RETURN s.name');
assert(plan[0].startsWith('Projection'), String(plan));
const profile = await graph.profile('MATCH (s:Service) RETURN s.name');
assert(profile[0].includes('Records produced: 2'), String(profile));

await graph.delete();
assert.deepEqual(await db.list(), []);
await db.close();
console.log('a day is over');
