/* options.c -- the limits of a database: their defaults, and what is allowed. */
#include "engine/options.h"

#include "base/status.h"
#include "engine/limits.h"

void yore_options_init(struct yore_options *options)
{
    if (options == NULL) {
        return;
    }
    *options = (struct yore_options){.durability = YORE_DURABILITY_SYNC,
                                     .interval_ms = 100,
                                     .cache_bytes = 256ull << 20,
                                     .memtable_bytes = 64ull << 20,
                                     .segment_bytes = 64ull << 20,
                                     .table_bytes = 32ull << 20,
                                     .page_bytes = 4u << 10,
                                     .seal_versions_per_key = 8,
                                     .seal_bytes_min = 13ull << 18,
                                     .value_apart_bytes = YORE_VALUE_APART_BYTES,
                                     .background_threads = 2,
                                     .open_files_max = 512,
                                     .clock_skew_max_ns = 500000000};
}

struct bound {
    const char *name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
    bool is_signed; /* `value` is an int64_t */
};

static enum yore_status refuse_bound(const struct bound *bound, struct yore_error *error_out)
{
    bool is_below_zero = bound->is_signed && (int64_t)bound->value < 0;
    return error_set(error_out, YORE_INVALID, "option %s is %s%llu: %llu to %llu are allowed",
                     bound->name, is_below_zero ? "-" : "",
                     (unsigned long long)(is_below_zero ? 0 - bound->value : bound->value),
                     (unsigned long long)bound->least, (unsigned long long)bound->most);
}

enum yore_status options_check(const struct yore_options *o, bool is_tiny,
                               struct yore_error *error_out)
{
    const uint64_t memtable_least = is_tiny ? TINY_MEMTABLE_BYTES : 64u << 10;
    const uint64_t segment_least = is_tiny ? TINY_FILE_BYTES : 64u << 10;
    const uint64_t table_least = is_tiny ? TINY_FILE_BYTES : 16u << 10;
    const struct bound bounds[] = {
        {"durability", (uint64_t)(int64_t)o->durability, 1, 3, true},
        {"interval_ms", o->interval_ms, 1, 60000, false},
        {"cache_bytes", o->cache_bytes, 1u << 20, UINT64_MAX, false},
        {"memtable_bytes", o->memtable_bytes, memtable_least, 4ull << 30, false},
        {"segment_bytes", o->segment_bytes, segment_least, 4ull << 30, false},
        {"table_bytes", o->table_bytes, table_least, 1ull << 30, false},
        {"page_bytes", o->page_bytes, 512, PAGE_BYTES_MAX, false},
        {"seal_versions_per_key", o->seal_versions_per_key, 1, 1u << 20, false},
        {"seal_bytes_min", o->seal_bytes_min, 1, 1ull << 40, false},
        {"value_apart_bytes", o->value_apart_bytes, 256, YORE_VALUE_BYTES_MAX, false},
        {"background_threads", o->background_threads, 1, 16, false},
        {"open_files_max", o->open_files_max, OPEN_FILES_MIN, 1u << 20, false},
        {"clock_skew_max_ns", (uint64_t)o->clock_skew_max_ns, 1, 3600000000000ull, true},
    };
    if (o->read_only && o->must_not_exist) {
        return error_set(error_out, YORE_INVALID,
                         "options read_only and must_not_exist exclude each other");
    }
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        if (bounds[i].value < bounds[i].least || bounds[i].value > bounds[i].most) {
            return refuse_bound(&bounds[i], error_out);
        }
    }
    return YORE_OK;
}

#define DEFAULT_WHERE_ZERO(field) given.field = given.field != 0 ? given.field : defaults.field

struct yore_options options_fill(const struct yore_options *options)
{
    struct yore_options defaults;
    yore_options_init(&defaults);
    if (options == NULL) {
        return defaults;
    }
    struct yore_options given = *options;
    DEFAULT_WHERE_ZERO(durability);
    DEFAULT_WHERE_ZERO(interval_ms);
    DEFAULT_WHERE_ZERO(cache_bytes);
    DEFAULT_WHERE_ZERO(memtable_bytes);
    DEFAULT_WHERE_ZERO(segment_bytes);
    DEFAULT_WHERE_ZERO(table_bytes);
    DEFAULT_WHERE_ZERO(page_bytes);
    DEFAULT_WHERE_ZERO(seal_versions_per_key);
    DEFAULT_WHERE_ZERO(seal_bytes_min);
    DEFAULT_WHERE_ZERO(value_apart_bytes);
    DEFAULT_WHERE_ZERO(background_threads);
    DEFAULT_WHERE_ZERO(open_files_max);
    DEFAULT_WHERE_ZERO(clock_skew_max_ns);
    return given;
}
