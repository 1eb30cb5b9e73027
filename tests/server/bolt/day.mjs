// day.mjs -- a day of ordinary work over Bolt, in the official Neo4j driver.
//   node day.mjs PACKAGE VERSION SCHEME PORT [USER PASSWORD]
// PACKAGE: neo4j-driver, neo4j-driver-5 or neo4j-driver-4; VERSION: of Bolt, as the driver has to agree on.
import assert from 'node:assert/strict';

const [library, version, scheme, port, user, password] = process.argv.slice(2);
const { default: neo4j } = await import(library);
const int = (number) => neo4j.int(number);

const auth = user ? neo4j.auth.basic(user, password) : neo4j.auth.none?.();
const connect = (config = {}, as = auth) => neo4j.driver(`${scheme}://127.0.0.1:${port}`, as, config);
const driver = connect();

async function within(config, work) {
  const session = driver.session(config);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
const ask = (text, parameters, config) => within(config, (session) => session.run(text, parameters));
const fails = (code, promise) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
  });
const column = (result, name) => result.records.map((record) => record.get(name));
const numbers = (result, name) => column(result, name).map((value) => value.toNumber());

// Morning: who is there?
await driver.verifyConnectivity({ database: 'shop' });
if (user) {
  const stranger = connect({}, neo4j.auth.basic(user, 'wrong'));
  await fails('Neo.ClientError.Security.Unauthorized', stranger.session().run('RETURN 1'));
  await stranger.close();
}

// Statements of their own: what they did is told.
let result = await ask(
  `CREATE (c:Service {name: 'cart', port: 80})-[:CALLS {since: 2020}]->(p:Service {name: 'pay'}),
          (p)-[:CALLS {since: 2021}]->(:Service {name: 'bank'})
   RETURN c, p.name AS name`,
  {}, { database: 'shop' });
assert.deepEqual(result.summary.counters.updates(), {
  nodesCreated: 3, nodesDeleted: 0, relationshipsCreated: 2, relationshipsDeleted: 0, propertiesSet: 6,
  labelsAdded: 3, labelsRemoved: 0, indexesAdded: 0, indexesRemoved: 0, constraintsAdded: 0, constraintsRemoved: 0,
});
assert.equal(result.summary.queryType, 'rw');
assert.equal(result.summary.database.name, 'shop');
const { agent, protocolVersion } = result.summary.server;
const { major, minor } = protocolVersion; // of later drivers; a number in others
assert.equal(major === undefined ? String(protocolVersion) : `${major}.${minor}`, version);
assert.match(agent, /^Yore\//);
const cart = result.records[0].get('c');
assert.ok(cart instanceof neo4j.types.Node);
assert.deepEqual(cart.labels, ['Service']);
assert.equal(cart.properties.port.toNumber(), 80);
if (version !== '4.4') {
  assert.equal(cart.elementId, cart.identity.toString());
}
const morning = (await ask('RETURN datetime() AS now', {}, { database: 'shop' })).records[0].get('now').toString();

// A path, and its relationships both ways.
result = await ask("MATCH p = (:Service {name: 'bank'})<-[:CALLS*2]-(s) RETURN p, s.name", {}, { database: 'shop' });
const path = result.records[0].get('p');
assert.ok(path instanceof neo4j.types.Path);
assert.equal(path.length, 2);
assert.equal(path.start.properties.name, 'bank');
assert.equal(path.end.properties.name, 'cart');
assert.deepEqual(path.segments.map((s) => s.relationship.properties.since.toNumber()), [2021, 2020]);
assert.ok(path.segments[0].relationship.start.equals(path.segments[0].end.identity));

// Values of every kind, there and back, stored too.
const { Date: Day, Time, LocalTime, LocalDateTime, DateTime, Duration } = neo4j.types;
const values = {
  nothing: null,
  yes: true,
  small: int(-17),
  large: int('9223372036854775807'),
  real: 1.5,
  text: 'Größenmaßstäbe \u{1F980}',
  empty: '',
  list: [int(1), [int(2)], []],
  texts: ['a', 'b'],
  map: { b: int(1), a: { c: null } },
  day: new Day(2026, 11, 29),
  time: new Time(1, 2, 3, 4, 3600),
  localTime: new LocalTime(1, 2, 3, 4),
  localDateTime: new LocalDateTime(2026, 11, 29, 1, 2, 3, 4),
  offset: new DateTime(2026, 7, 29, 1, 2, 3, 4, -3600),
  duration: new Duration(14, 3, int(-5), 999999999),
};
const zoned = new DateTime(2026, 7, 29, 1, 2, 3, 4, 7200, 'Europe/Stockholm');
// Parts of a date are numbers when one makes it and integers when it comes: compared as they are written.
const same = (got, want, name) => {
  const isTemporal = want?.constructor?.name in neo4j.types;
  assert.deepEqual(isTemporal ? [got.constructor.name, got.toString()] : got,
    isTemporal ? [want.constructor.name, want.toString()] : want, name);
};
for (const [name, value] of Object.entries(values)) {
  result = await ask('RETURN $value AS value', { value }, { database: 'shop' });
  same(result.records[0].get('value'), value, name);
}
result = await ask('RETURN $zoned AS zoned, toString($zoned) AS text, $zoned.epochSeconds AS seconds', { zoned },
  { database: 'shop' });
assert.equal(result.records[0].get('zoned').toString(), zoned.toString());
assert.equal(result.records[0].get('text'), '2026-07-29T01:02:03.000000004+02:00[Europe/Stockholm]');
assert.equal(result.records[0].get('seconds').toNumber(), Date.UTC(2026, 6, 28, 23, 2, 3) / 1000);
const stored = Object.fromEntries(Object.entries(values).filter(([name]) => !['list', 'map', 'nothing'].includes(name)));
result = await ask('CREATE (k:Kinds) SET k = $stored, k.zoned = $zoned RETURN k', { stored, zoned }, { database: 'shop' });
const kinds = result.records[0].get('k').properties;
for (const [name, value] of Object.entries(stored)) {
  same(kinds[name], value, name);
}
assert.equal(kinds.zoned.toString(), zoned.toString());
await fails('Neo.ClientError.Statement.TypeError',
  ask('RETURN $p', { p: new neo4j.types.Point(int(7203), 1, 2) }, { database: 'shop' }));
await fails('Neo.ClientError.Statement.TypeError', ask('RETURN $b', { b: new Int8Array(3) }, { database: 'shop' }));

// Paging: 5,000 rows, 100 at a time; and giving up a result of very many.
result = await ask('UNWIND range(1, 5000) AS x RETURN x', {}, { database: 'shop', fetchSize: 100 });
assert.equal(result.records.length, 5000);
assert.deepEqual(numbers(result, 'x').slice(-2), [4999, 5000]);
await within({ database: 'shop', fetchSize: 10 }, async (session) => {
  if (version === '4.4') {
    return; // its results are not to be walked over
  }
  const seen = [];
  for await (const record of session.run('UNWIND range(1, 1000000) AS x UNWIND range(1, 1000) AS y RETURN x * y AS z')) {
    seen.push(record.get('z').toNumber());
    if (seen.length === 25) {
      break;
    }
  }
  assert.equal(seen.length, 25);
});

// Managed transactions: whole or not at all, and tried again where others were in the way.
const write = (session, work) => session.executeWrite ? session.executeWrite(work) : session.writeTransaction(work);
const read = (session, work) => session.executeRead ? session.executeRead(work) : session.readTransaction(work);
await within({ database: 'shop' }, (session) => write(session, (tx) => tx.run('CREATE (:Counter {n: 0})')));
await Promise.all(Array.from({ length: 8 }, () => within({ database: 'shop' }, async (session) => {
  for (let i = 0; i < 5; i++) {
    await write(session, async (tx) => {
      const n = numbers(await tx.run('MATCH (c:Counter) RETURN c.n AS n'), 'n')[0];
      await tx.run('MATCH (c:Counter) SET c.n = $n', { n: int(n + 1) });
    });
  }
})));
result = await within({ database: 'shop' }, (session) => read(session, (tx) => tx.run('MATCH (c:Counter) RETURN c.n AS n')));
assert.deepEqual(numbers(result, 'n'), [40]);
await within({ database: 'shop' }, async (session) => {
  await assert.rejects(write(session, async (tx) => {
    await tx.run('CREATE (:Nothing)');
    throw new Error('changed my mind');
  }), /changed my mind/);
  const tx = await session.beginTransaction();
  await tx.run('CREATE (:Nothing)');
  await tx.rollback();
});
result = await ask('MATCH (n:Nothing) RETURN count(n) AS n', {}, { database: 'shop' });
assert.deepEqual(numbers(result, 'n'), [0]);

// Several results of one transaction, read by turns.
await within({ database: 'shop', fetchSize: 2 }, async (session) => {
  const tx = await session.beginTransaction();
  const a = tx.run('UNWIND range(1, 7) AS x RETURN x');
  const b = tx.run('UNWIND range(11, 17) AS x RETURN x');
  assert.deepEqual(numbers(await b, 'x'), [11, 12, 13, 14, 15, 16, 17]);
  assert.deepEqual(numbers(await a, 'x'), [1, 2, 3, 4, 5, 6, 7]);
  await tx.commit();
});

// Bookmarks: a session that was given one sees what it stands for.
const marks = await within({ database: 'shop' }, async (session) => {
  await write(session, (tx) => tx.run('CREATE (:Marked)'));
  return session.lastBookmarks ? session.lastBookmarks() : session.lastBookmark();
});
assert.match(marks[0], /^yore:\d+$/);
result = await ask('MATCH (m:Marked) RETURN count(m) AS n', {}, { database: 'shop', bookmarks: marks });
assert.deepEqual(numbers(result, 'n'), [1]);
await fails('Neo.ClientError.Transaction.InvalidBookmark',
  ask('RETURN 1', {}, { database: 'shop', bookmarks: ['FB:kcwQ'] }));

// Errors point at the spot; the session goes on.
await within({ database: 'shop' }, async (session) => {
  await assert.rejects(session.run('MATCH (n:Service RETURN n'), (error) => {
    assert.equal(error.code, 'Neo.ClientError.Statement.SyntaxError');
    assert.match(error.message, /line 1: MATCH \(n:Service RETURN n\n +\^+/);
    return true;
  });
  await fails('Neo.ClientError.Statement.ParameterMissing', session.run('RETURN $x'));
  await fails('Neo.ClientError.Statement.ArithmeticError', session.run('RETURN 1 / 0 AS x'));
  assert.deepEqual(numbers(await session.run('RETURN 1 AS x'), 'x'), [1]);
});
await ask('CREATE CONSTRAINT FOR (s:Service) REQUIRE s.name IS UNIQUE', {}, { database: 'shop' });
await fails('Neo.ClientError.Schema.ConstraintValidationFailed',
  ask("CREATE (:Service {name: 'cart'})", {}, { database: 'shop' }));
await fails('Neo.ClientError.Database.DatabaseNotFound',
  ask('MATCH (n) RETURN n', {}, { database: 'nowhere', defaultAccessMode: neo4j.session.READ }));
await fails('Neo.ClientError.Statement.AccessMode',
  within({ database: 'shop' }, (session) => read(session, (tx) => tx.run('CREATE (:Nothing)'))));
await fails('Neo.ClientError.Transaction.TransactionTimedOut', within({ database: 'shop' }, (session) =>
  session.run('UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN count(y)', {}, { timeout: 100 })));

// Plans and warnings.
result = await ask('EXPLAIN MATCH (s:Service) RETURN s', {}, { database: 'shop' });
assert.equal(result.summary.plan.operatorType, 'Projection');
assert.equal(result.summary.plan.children[0].operatorType, 'NodeByLabelScan');
result = await ask('PROFILE MATCH (s:Service) RETURN s', {}, { database: 'shop' });
assert.equal(result.summary.profile.rows, 3);
result = await ask('MATCH (s:Servce) RETURN s', {}, { database: 'shop' });
assert.equal(result.summary.notifications[0].code, 'Neo.ClientNotification.Statement.UnknownLabelWarning');

// Afternoon: the graph changes, and the morning stays as it was, in the database `shop@<morning>`.
await ask("MATCH (s:Service {name: 'cart'}) SET s.port = 8080 WITH s MATCH (b:Service {name: 'bank'}) DETACH DELETE b", {},
  { database: 'shop' });
const past = { database: `shop@${morning}` };
const services = 'MATCH (s:Service) RETURN s.name AS name, s.port AS port ORDER BY name';
assert.deepEqual(column(await ask(services, {}, { database: 'shop' }), 'name'), ['cart', 'pay']);
assert.deepEqual(column(await ask(services, {}, past), 'name'), ['bank', 'cart', 'pay']);
assert.equal((await ask(services, {}, past)).records[1].get('port').toNumber(), 80);
assert.equal((await ask(services, {}, past)).summary.database.name, past.database);
await within(past, async (session) => {
  result = await read(session, async (tx) => {
    const first = await tx.run(services);
    const second = await tx.run('MATCH (:Service)-[c:CALLS]->() RETURN count(c) AS n');
    return [column(first, 'name'), numbers(second, 'n')];
  });
  assert.deepEqual(result, [['bank', 'cart', 'pay'], [2]]);
  const tx = await session.beginTransaction();
  assert.equal((await tx.run(services)).records.length, 3);
  await tx.commit();
});
const began = Date.now();
await fails('Neo.ClientError.Statement.AccessMode', ask("CREATE (:Service {name: 'new'})", {}, past));
await fails('Neo.ClientError.Statement.AccessMode',
  within(past, (session) => write(session, (tx) => tx.run("MATCH (s:Service) SET s.port = 1"))));
assert.ok(Date.now() - began < 5000, 'a refused write is not tried again');
await assert.rejects(ask("MATCH (s:Service) SET s.port = 1", {}, past), /the past cannot be written to; write to database shop/);
assert.deepEqual(column(await ask(services, {}, past), 'name'), ['bank', 'cart', 'pay']);

await driver.close();
console.log('a day is over');
