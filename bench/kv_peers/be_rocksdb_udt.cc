// be_rocksdb_udt.cc -- RocksDB with user-defined timestamps of 8 octets; its C interface does not
// reach them.  History workloads only.
#include "kvp.h"
#include <rocksdb/cache.h>
#include <rocksdb/comparator.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace rk = ROCKSDB_NAMESPACE;

extern "C" const char *kvp_rocksdb_version(void)
{
    static char s[32];
    snprintf(s, sizeof s, "%d.%d.%d", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
    return s;
}

namespace
{

// Bytewise user key, then 64-bit little-endian timestamp, newest first.
class U64TsComparator : public rk::Comparator
{
  public:
    U64TsComparator() : rk::Comparator(8)
    {
    }
    const char *Name() const override
    {
        return "kvp.bytewise.u64ts";
    }
    static rk::Slice Strip(const rk::Slice &s)
    {
        return rk::Slice(s.data(), s.size() - 8);
    }
    static uint64_t Ts(const rk::Slice &s)
    {
        uint64_t t;
        memcpy(&t, s.data() + s.size() - 8, 8);
        return t;
    }
    int Compare(const rk::Slice &a, const rk::Slice &b) const override
    {
        int r = Strip(a).compare(Strip(b));
        if (r) {
            return r;
        }
        uint64_t x = Ts(a), y = Ts(b);
        return x < y ? 1 : x > y ? -1 : 0;
    }
    using rk::Comparator::CompareWithoutTimestamp;
    int CompareWithoutTimestamp(const rk::Slice &a, bool aTs, const rk::Slice &b,
                                bool bTs) const override
    {
        return (aTs ? Strip(a) : a).compare(bTs ? Strip(b) : b);
    }
    int CompareTimestamp(const rk::Slice &a, const rk::Slice &b) const override
    {
        uint64_t x = Ts(a), y = Ts(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }
    void FindShortestSeparator(std::string *, const rk::Slice &) const override
    {
    }
    void FindShortSuccessor(std::string *) const override
    {
    }
};

const U64TsComparator kCmp;

struct udb {
    rk::DB *db = nullptr;
    rk::WriteOptions wo;
};

void *u_open(const kvp_config *c)
{
    rk::Options o;
    o.create_if_missing = true;
    o.comparator = &kCmp;
    o.write_buffer_size = c->memtable_bytes;
    o.max_write_buffer_number = 3;
    o.max_background_jobs = c->background_threads;
    o.level_compaction_dynamic_level_bytes = true;
    o.compression = c->compression == 0   ? rk::kNoCompression
                    : c->compression == 1 ? rk::kLZ4Compression
                                          : rk::kZSTD;
    rk::BlockBasedTableOptions t;
    t.block_cache = rk::NewLRUCache(c->cache_bytes);
    if (c->bloom_bits) {
        t.filter_policy.reset(rk::NewBloomFilterPolicy(c->bloom_bits));
    }
    o.table_factory.reset(rk::NewBlockBasedTableFactory(t));
    udb *d = new udb;
    d->wo.sync = c->is_sync;
    rk::Status s = rk::DB::Open(o, c->dir, &d->db);
    if (!s.ok()) {
        fprintf(stderr, "rocksdb-udt open: %s\n", s.ToString().c_str());
        delete d;
        return nullptr;
    }
    return d;
}
void u_close(void *p)
{
    udb *d = (udb *)p;
    delete d->db;
    delete d;
}
void *u_tb(void *db)
{
    return db;
}
void u_te(void *)
{
}

int fail(const rk::Status &s)
{
    if (s.ok()) {
        return 0;
    }
    fprintf(stderr, "rocksdb-udt: %s\n", s.ToString().c_str());
    return -1;
}

int u_batch_at(void *th, const kvp_pair *pairs, size_t count)
{
    udb *d = (udb *)th;
    rk::WriteBatch b(0, 0, 0, 8);
    rk::ColumnFamilyHandle *cf = d->db->DefaultColumnFamily();
    for (size_t i = 0; i < count; i++) {
        char ts[8];
        memcpy(ts, &pairs[i].ts, 8);
        rk::Status s = b.Put(cf, rk::Slice(pairs[i].key, pairs[i].key_size), rk::Slice(ts, 8),
                             rk::Slice(pairs[i].value, pairs[i].value_size));
        if (!s.ok()) {
            return fail(s);
        }
    }
    return fail(d->db->Write(d->wo, &b));
}

int u_get_at(void *th, const char *k, uint64_t ts, char *buf, size_t cap, size_t *vn)
{
    udb *d = (udb *)th;
    rk::ReadOptions ro;
    char t[8];
    memcpy(t, &ts, 8);
    rk::Slice tsl(t, 8);
    ro.timestamp = &tsl;
    rk::PinnableSlice v;
    rk::Status s = d->db->Get(ro, d->db->DefaultColumnFamily(), rk::Slice(k, KVP_KEY_BYTES), &v);
    if (s.IsNotFound()) {
        return 1;
    }
    if (!s.ok()) {
        return fail(s);
    }
    *vn = v.size();
    memcpy(buf, v.data(), v.size() < cap ? v.size() : cap);
    return 0;
}

long u_scan_at(void *th, const kvp_span *span, kvp_emit_fn f, void *arg)
{
    udb *d = (udb *)th;
    rk::ReadOptions ro;
    char t[8];
    memcpy(t, &span->t1, 8);
    rk::Slice tsl(t, 8), ub(span->to, KVP_KEY_BYTES);
    ro.timestamp = &tsl;
    ro.iterate_upper_bound = &ub;
    rk::Iterator *it = d->db->NewIterator(ro);
    long rows = 0;
    for (it->Seek(rk::Slice(span->from, KVP_KEY_BYTES)); it->Valid(); it->Next()) {
        rows++;
        kvp_pair row = {it->key().data(), it->key().size(), it->value().data(), it->value().size(),
                        U64TsComparator::Ts(it->timestamp())};
        if (f(arg, &row)) {
            break;
        }
    }
    rk::Status s = it->status();
    delete it;
    return s.ok() ? rows : fail(s);
}

// With iter_start_ts set, key() is an internal key: user key, 8-byte ts, 8-byte footer.
long u_history(void *th, const char *k, kvp_emit_fn f, void *arg)
{
    udb *d = (udb *)th;
    rk::ReadOptions ro;
    uint64_t lo = 0, hi = UINT64_MAX;
    rk::Slice lsl((char *)&lo, 8), hsl((char *)&hi, 8);
    ro.timestamp = &hsl;
    ro.iter_start_ts = &lsl;
    rk::Iterator *it = d->db->NewIterator(ro);
    long rows = 0;
    for (it->Seek(rk::Slice(k, KVP_KEY_BYTES)); it->Valid(); it->Next()) {
        rk::Slice ik = it->key();
        if (ik.size() != KVP_KEY_BYTES + 16 || memcmp(ik.data(), k, KVP_KEY_BYTES)) {
            break;
        }
        rows++;
        kvp_pair row = {ik.data(), KVP_KEY_BYTES, it->value().data(), it->value().size(),
                        U64TsComparator::Ts(it->timestamp())};
        if (f(arg, &row)) {
            break;
        }
    }
    rk::Status s = it->status();
    delete it;
    return s.ok() ? rows : fail(s);
}

// All versions in (t1, t2], grouped by key; the newest of each group is the value at t2, the value
// at t1 needs one more as-of get per changed key (the API has no "and the one before").
long u_diff(void *th, const kvp_span *span, kvp_diff_fn f, void *arg)
{
    udb *d = (udb *)th;
    rk::ReadOptions ro;
    uint64_t lo = span->t1 + 1, hi = span->t2;
    rk::Slice lsl((char *)&lo, 8), hsl((char *)&hi, 8), ub(span->to, KVP_KEY_BYTES);
    ro.timestamp = &hsl;
    ro.iter_start_ts = &lsl;
    ro.iterate_upper_bound = &ub;
    rk::Iterator *it = d->db->NewIterator(ro);
    long rows = 0;
    std::string cur, v1;
    v1.resize(65536);
    for (it->Seek(rk::Slice(span->from, KVP_KEY_BYTES)); it->Valid(); it->Next()) {
        rk::Slice ik = it->key();
        if (cur.size() == KVP_KEY_BYTES && !memcmp(cur.data(), ik.data(), KVP_KEY_BYTES)) {
            continue;
        }
        cur.assign(ik.data(), KVP_KEY_BYTES);
        size_t n1 = 0;
        int rc = u_get_at(th, cur.data(), span->t1, &v1[0], v1.size(), &n1);
        if (rc < 0) {
            break;
        }
        rows++;
        kvp_difference diff = {cur.data(), rc ? nullptr : v1.data(), rc ? 0 : n1,
                               it->value().data(), it->value().size()};
        if (f(arg, &diff)) {
            break;
        }
    }
    rk::Status s = it->status();
    delete it;
    return s.ok() ? rows : fail(s);
}

int u_settle(void *db)
{
    udb *d = (udb *)db;
    rk::FlushOptions fo;
    return fail(d->db->Flush(fo));
}

kvp_engine make()
{
    kvp_engine e;
    memset(&e, 0, sizeof e);
    e.name = "rocksdb-udt";
    e.caps = KVP_CAP_HISTORY_ONLY;
    e.version = kvp_rocksdb_version;
    e.open = u_open;
    e.close = u_close;
    e.thread_begin = u_tb;
    e.thread_end = u_te;
    e.settle = u_settle;
    e.batch_at = u_batch_at;
    e.get_at = u_get_at;
    e.scan_at = u_scan_at;
    e.history_of = u_history;
    e.diff = u_diff;
    return e;
}
} // namespace

extern "C" {
extern const kvp_engine kvp_rocksdb_udt;
const kvp_engine kvp_rocksdb_udt = make();
}
