/* engines.c -- the table of engines.  ../Makefile defines HAVE_* for those that are installed. */
#include "kvp.h"

#ifdef HAVE_YORE
extern const struct kvp_engine kvp_yore;
extern const struct kvp_engine kvp_yore_live;
extern const struct kvp_engine kvp_yore_now;
#endif
#ifdef HAVE_ROCKSDB
extern const struct kvp_engine kvp_rocksdb;
extern const struct kvp_engine kvp_rocksdb_udt;
#endif
#ifdef HAVE_LEVELDB
extern const struct kvp_engine kvp_leveldb;
#endif
#ifdef HAVE_LMDB
extern const struct kvp_engine kvp_lmdb;
#endif
#ifdef HAVE_WIREDTIGER
extern const struct kvp_engine kvp_wiredtiger;
extern const struct kvp_engine kvp_wiredtiger_ts;
#endif

const struct kvp_engine *const kvp_engines[] = {
#ifdef HAVE_YORE
    &kvp_yore,
    &kvp_yore_live,
    &kvp_yore_now,
#endif
#ifdef HAVE_ROCKSDB
    &kvp_rocksdb,
    &kvp_rocksdb_udt,
#endif
#ifdef HAVE_LEVELDB
    &kvp_leveldb,
#endif
#ifdef HAVE_LMDB
    &kvp_lmdb,
#endif
#ifdef HAVE_WIREDTIGER
    &kvp_wiredtiger,
    &kvp_wiredtiger_ts,
#endif
    0,
};
