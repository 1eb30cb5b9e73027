// day.mjs -- a day of ordinary work, in ioredis or node-redis, RESP2 or RESP3.
//   node day.mjs ioredis|redis 2|3 PORT
import assert from 'node:assert/strict';

const [library, protocol, port] = process.argv.slice(2);

async function withIoredis() {
  const { default: Redis } = await import('ioredis');
  const client = new Redis({ port: Number(port), host: '127.0.0.1', protocol: Number(protocol) });
  const call = (...words) => client.call(...words.map(String));
  const listen = async (channel, heard) => {
    const ear = client.duplicate();
    ear.on('message', (from, text) => heard(text));
    await ear.subscribe(channel);
    return () => ear.quit();
  };
  const transact = async (commands) => {
    const multi = client.multi();
    for (const [name, ...args] of commands) {
      multi[name.toLowerCase()](...args);
    }
    return (await multi.exec()).map(([error, value]) => {
      if (error) {
        throw error;
      }
      return value;
    });
  };
  return { call, listen, transact, end: () => client.quit() };
}

async function withNodeRedis() {
  const { createClient } = await import('redis');
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: Number(protocol) });
  await client.connect();
  const call = (...words) => client.sendCommand(words.map(String));
  const listen = async (channel, heard) => {
    const ear = client.duplicate();
    await ear.connect();
    await ear.subscribe(channel, heard);
    return () => ear.close();
  };
  const transact = (commands) => {
    const multi = client.multi();
    for (const command of commands) {
      multi.addCommand(command.map(String));
    }
    return multi.exec();
  };
  return { call, listen, transact, end: () => client.close() };
}

const day = await (library === 'ioredis' ? withIoredis() : withNodeRedis());
const { call } = day;
const host = `host:${library}:${protocol}`; // a key without a past

assert.equal(await call('PING'), 'PONG');
await call('FLUSHALL');
assert.equal(await call('SET', 'greeting', 'hello'), 'OK');
assert.equal(await call('GET', 'greeting'), 'hello');
assert.equal(await call('GET', 'nothing'), null);
assert.equal(await call('APPEND', 'greeting', ' wörld ☃'), 'hello wörld ☃'.length + 3);
assert.equal(await call('GET', 'greeting'), 'hello wörld ☃');
assert.equal(await call('SET', 'once', '1', 'NX', 'EX', 100), 'OK');
assert.equal(await call('SET', 'once', '2', 'NX'), null);
assert.ok(Number(await call('TTL', 'once')) > 90);
assert.equal(Number(await call('INCRBY', 'count', 41)), 41);
assert.equal(Number(await call('INCR', 'count')), 42);
assert.equal(await call('MSET', 'a', '1', 'b', '2', 'c', '3'), 'OK');
assert.deepEqual(await call('MGET', 'a', 'nothing', 'c'), ['1', null, '3']);
assert.equal(Number(await call('DEL', 'a', 'b', 'nothing')), 2);
assert.equal(Number(await call('EXISTS', 'a', 'c')), 1);
assert.equal(await call('TYPE', 'c'), 'string');

const many = await Promise.all(Array.from({ length: 2000 }, (_, i) => call('SET', `many:${i}`, i)));
assert.ok(many.every((reply) => reply === 'OK'));
const found = new Set();
let cursor = '0';
do {
  const [next, keys] = await call('SCAN', cursor, 'MATCH', 'many:*', 'COUNT', 300);
  keys.forEach((key) => found.add(key));
  cursor = String(next);
} while (cursor !== '0');
assert.equal(found.size, 2000);

const replies = await day.transact([['SET', 'x', '1'], ['INCR', 'x'], ['GET', 'x']]);
assert.deepEqual(replies.map(String), ['OK', '2', '2']);
await assert.rejects(call('INCR', 'greeting'), /not an integer/);
await assert.rejects(call('NOSUCHCOMMAND'), /unknown command/i);

const heard = [];
const leave = await day.listen('news', (text) => heard.push(text));
for (let i = 0; i < 100; i++) {
  await call('PUBLISH', 'news', `item ${i}`);
}
for (let i = 0; i < 6000 && heard.length < 100; i++) {
  await new Promise((done) => setTimeout(done, 10));
}
assert.equal(heard.length, 100);
assert.equal(heard[99], 'item 99');
await leave();

assert.ok(Number(await call('YORE.PUT', host, 'up', 'AT', '2025-11-21T10:00:00Z')) > 0);
assert.equal(await call('YORE.GET', host, 'AT', '2025-11-21T11:00:00Z'), 'up');
assert.equal(await call('YORE.GET', host, 'AT', '2025-11-20'), null);
assert.equal((await call('YORE.TIMELINE', host)).length, 1);
await call('YORE.AT', '2025-11-20');
assert.equal(await call('GET', host), null);
await assert.rejects(call('SET', host, 'x'));
await call('YORE.AT', 'NOW');
assert.equal(await call('GET', host), 'up');
assert.ok(Number(await call('DBSIZE')) >= 2000);
const big = 'x'.repeat(3_000_000);
assert.equal(await call('SET', 'big', big), 'OK');
assert.equal((await call('GET', 'big')).length, big.length);
await day.end();
console.log(`${library} in RESP${protocol}: a day is over`);
