"""day.py -- a day of ordinary work with redis-py.
   python3 day.py PORT"""
import sys
import threading

import redis

port = int(sys.argv[1])
r = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)
assert r.ping()
r.flushall()
assert r.set("greeting", "hello") and r.get("greeting") == "hello" and r.get("nothing") is None
assert r.set("once", "1", nx=True, ex=100) and not r.set("once", "2", nx=True)
assert 90 < r.ttl("once") <= 100
assert r.incrby("count", 41) == 41 and r.incr("count") == 42
r.mset({"a": "1", "b": "2", "c": "3"})
assert r.mget("a", "nothing", "c") == ["1", None, "3"]
assert r.delete("a", "b", "nothing") == 2
with r.pipeline(transaction=False) as pipe:
    for i in range(2000):
        pipe.set("many:%d" % i, i)
    assert all(pipe.execute())
assert len(set(r.scan_iter("many:*", count=300))) == 2000


def add_one(pipe):
    value = int(pipe.get("x") or 0)
    pipe.multi()
    pipe.set("x", value + 1)


def adder():
    own = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)
    for _ in range(50):
        own.transaction(add_one, "x")


threads = [threading.Thread(target=adder) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert r.get("x") == "200"

ear = r.pubsub()
ear.subscribe("news")
assert ear.get_message(timeout=60)["type"] == "subscribe"
for i in range(100):
    r.publish("news", "item %d" % i)
heard = [ear.get_message(timeout=60)["data"] for _ in range(100)]
assert heard[-1] == "item 99"
ear.close()
try:
    r.incr("greeting")
    raise SystemExit("no error")
except redis.ResponseError as error:
    assert "not an integer" in str(error)

assert r.execute_command("YORE.PUT", "host", "up", "AT", "2025-11-21T10:00:00Z") > 0
assert r.execute_command("YORE.GET", "host", "AT", "2025-11-21T11:00:00Z") == "up"
assert r.execute_command("YORE.GET", "host", "AT", "2025-11-20") is None

if hasattr(r, "ts"):  # time series, where the client knows them
    ts = r.ts()
    assert ts.create("temp:hall", retention_msecs=0, labels={"room": "hall", "kind": "temp"}, duplicate_policy="last")
    assert ts.create("temp:attic", labels={"room": "attic", "kind": "temp"})
    assert ts.alter("temp:hall", labels={"room": "hall", "kind": "temp", "unit": "C"})
    assert ts.add("temp:hall", 1000, 21.5) == 1000 and ts.add("temp:hall", 1000, 20.5) == 1000
    assert ts.madd([("temp:hall", 2000, 22), ("temp:attic", 1000, 5), ("temp:attic", 3000, 7)]) == [2000, 1000, 3000]
    assert ts.get("temp:hall") == (2000, 22.0)
    assert ts.range("temp:hall", "-", "+") == [(1000, 20.5), (2000, 22.0)]
    assert ts.range("temp:attic", 0, 5000, aggregation_type="avg", bucket_size_msec=5000) == [(0, 6.0)]
    assert ts.revrange("temp:attic", "-", "+", count=1) == [(3000, 7.0)]
    assert ts.range("temp:attic", 0, 5000, filter_by_ts=[3000], filter_by_min_value=0, filter_by_max_value=9) == [(3000, 7.0)]
    assert ts.queryindex(["kind=temp", "room!=hall"]) == ["temp:attic"]
    assert ts.mget(["kind=temp"], with_labels=True)[1]["temp:hall"][0]["unit"] == "C"
    assert ts.mrange(0, 5000, ["kind=temp"])[0] == {"temp:attic": [{}, [(1000, 5.0), (3000, 7.0)]]}
    assert ts.incrby("visits", 2, timestamp=1000) == 1000 and ts.decrby("visits", 1, timestamp=2000) == 2000
    assert ts.range("visits", "-", "+") == [(1000, 2.0), (2000, 1.0)]
    info = ts.info("temp:hall")
    assert info.total_samples == 2 and info.labels["room"] == "hall" and info.duplicate_policy == "last"
    assert ts.delete("temp:hall", 0, 1500) == 1 and ts.range("temp:hall", "-", "+") == [(2000, 22.0)]
assert r.info("server")["redis_mode"] == "standalone"
assert r.config_get("maxclients") == {"maxclients": "10000"}
print("redis-py %s: a day is over" % redis.__version__)
