/* TZif, version 2 and later: a block with 32-bit times that is skipped, one with 64-bit times, a
 * line with the rule.
 *
 *   header, 44 octets: "TZif", version, 15 reserved, then six counts of 32 bits:
 *       UT indicators, standard indicators, leap seconds, transitions, types, octets of names
 *   transitions (4 or 8 octets each), their types (1), types (6: offset, is_dst, name), names,
 *   leap seconds (transition size + 4), indicators
 *
 * All numbers are big-endian.  Leap seconds and names are of no use here. */
#include "query/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/env.h"
#include "query/zone_rule.h"

#define HEADER_BYTES 44u
#define TYPE_BYTES 6u
#define OFFSET_MAX (26 * 3600) /* RFC 8536: less than that east or west */
#define DAY_SECONDS 86400

struct zone {
    const int64_t *transitions; /* ascending */
    const int32_t *offsets;     /* after each */
    size_t count;
    int32_t first_offset; /* before the first */
    bool has_rule;
    struct zone_rule rule;
};

struct cached_zone {
    struct yore_bytes name;
    const struct zone *zone; /* NULL: there is none of that name */
};

struct zone_cache {
    struct arena arena;
    struct cached_zone *zones;
    size_t count;
    size_t capacity;
};

/* ---- the file ---- */

struct block {
    size_t transition_count;
    size_t type_count;
    size_t time_bytes; /* of a transition: 4 or 8 */
    const unsigned char *transitions;
    const unsigned char *indexes;
    const unsigned char *types;
    size_t size; /* header included */
};

static uint64_t read_big(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static bool read_block(struct yore_bytes file, size_t time_bytes, struct block *block_out)
{
    const unsigned char *at = file.data;
    if (file.size < HEADER_BYTES || memcmp(at, "TZif", 4) != 0 || at[4] < '2') {
        return false;
    }
    uint64_t counts[6];
    for (size_t i = 0; i < 6; i++) {
        counts[i] = read_big(at + 20 + i * 4, 4);
        if (counts[i] > ZONE_FILE_BYTES_MAX) {
            return false;
        }
    }
    uint64_t size = HEADER_BYTES + counts[3] * (time_bytes + 1) + counts[4] * TYPE_BYTES +
                    counts[5] + counts[2] * (time_bytes + 4) + counts[1] + counts[0];
    if (size > file.size) {
        return false;
    }
    block_out->transition_count = (size_t)counts[3];
    block_out->type_count = (size_t)counts[4];
    block_out->time_bytes = time_bytes;
    block_out->transitions = at + HEADER_BYTES;
    block_out->indexes = block_out->transitions + block_out->transition_count * time_bytes;
    block_out->types = block_out->indexes + block_out->transition_count;
    block_out->size = (size_t)size;
    return true;
}

static bool type_offset(const struct block *block, size_t index, int32_t *offset_out)
{
    if (index >= block->type_count) {
        return false;
    }
    int32_t offset = (int32_t)(uint32_t)read_big(block->types + index * TYPE_BYTES, 4);
    *offset_out = offset;
    return offset > -OFFSET_MAX && offset < OFFSET_MAX;
}

static enum yore_status fill(struct zone *zone, const struct block *block, struct arena *arena)
{
    int64_t *transitions = arena_alloc(arena, block->transition_count * sizeof(*transitions));
    int32_t *offsets = arena_alloc(arena, block->transition_count * sizeof(*offsets));
    if (transitions == NULL || offsets == NULL) {
        return YORE_NOMEM;
    }
    if (!type_offset(block, 0, &zone->first_offset)) {
        return YORE_CORRUPT;
    }
    for (size_t i = 0; i < block->transition_count; i++) {
        transitions[i] = (int64_t)read_big(block->transitions + i * 8, 8);
        if (!type_offset(block, block->indexes[i], &offsets[i]) ||
            (i > 0 && transitions[i] <= transitions[i - 1])) {
            return YORE_CORRUPT;
        }
    }
    zone->transitions = transitions;
    zone->offsets = offsets;
    zone->count = block->transition_count;
    return YORE_OK;
}

enum yore_status zone_parse(struct yore_bytes file, struct arena *arena,
                            const struct zone **zone_out)
{
    struct block block;
    if (file.size > ZONE_FILE_BYTES_MAX || !read_block(file, 4, &block)) {
        return YORE_CORRUPT;
    }
    struct yore_bytes rest = bytes_behind(file, block.size);
    if (!read_block(rest, 8, &block)) {
        return YORE_CORRUPT;
    }
    struct zone *zone = arena_alloc(arena, sizeof(*zone));
    if (zone == NULL) {
        return YORE_NOMEM;
    }
    *zone = (struct zone){.count = 0};
    enum yore_status st = fill(zone, &block, arena);
    if (st != YORE_OK) {
        return st;
    }
    struct yore_bytes footer = bytes_behind(rest, block.size);
    const char *text = footer.data;
    if (footer.size >= 2 && text[0] == '\n') {
        const char *end = memchr(text + 1, '\n', footer.size - 1);
        size_t size = end == NULL ? 0 : (size_t)(end - text) - 1;
        zone->has_rule = size > 0;
        if (size > 0 && !zone_rule_parse(bytes_of(text + 1, size), &zone->rule)) {
            return YORE_CORRUPT;
        }
    }
    *zone_out = zone;
    return YORE_OK;
}

/* ---- offsets ---- */

int32_t zone_offset(const struct zone *zone, int64_t seconds)
{
    size_t low = 0;
    size_t high = zone->count; /* transitions[low..high) may be the first one after `seconds` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle] <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->count && zone->has_rule) {
        return zone_rule_offset(&zone->rule, seconds);
    }
    return low == 0 ? zone->first_offset : zone->offsets[low - 1];
}

int32_t zone_local_offset(const struct zone *zone, int64_t local_seconds, int64_t *seconds_out)
{
    int32_t before = zone_offset(zone, local_seconds - DAY_SECONDS);
    int32_t after = zone_offset(zone, local_seconds + DAY_SECONDS);
    int64_t moment = local_seconds - before;
    if (zone_offset(zone, moment) != before && zone_offset(zone, local_seconds - after) == after) {
        moment = local_seconds - after;
    }
    *seconds_out = moment;
    return zone_offset(zone, moment);
}

/* ---- the cache ---- */

/* Letters, digits, _ + - and single slashes inside: nothing that leaves the folder. */
static bool is_name(struct yore_bytes name)
{
    const char *at = name.data;
    if (name.size == 0 || name.size > ZONE_NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        bool is_letter = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z');
        bool is_inner = (at[i] >= '0' && at[i] <= '9') || at[i] == '_' || at[i] == '+' ||
                        at[i] == '-' || (at[i] == '/' && at[i - (i > 0)] != '/');
        if (!is_letter && (i == 0 || !is_inner)) {
            return false;
        }
    }
    return at[name.size - 1] != '/';
}

static enum yore_status load(struct zone_cache *cache, struct yore_bytes name,
                             const struct zone **zone_out, struct yore_error *error_out)
{
    char path[sizeof(ZONE_FOLDER) + ZONE_NAME_BYTES_MAX];
    (void)snprintf(path, sizeof(path), ZONE_FOLDER "%.*s", (int)name.size, (const char *)name.data);
    struct os_file *file = NULL;
    unsigned char *data = NULL;
    uint64_t size = 0;
    size_t read = 0;
    bool is_dir = false;
    enum yore_status st = os_path_stat(os_env_posix(), path, &size, &is_dir, error_out);
    if (st == YORE_IO || is_dir) { /* below a file, as UTC/x is; or a folder: no zone */
        st = YORE_NOT_FOUND;
    }
    if (st == YORE_OK) {
        st = os_file_open(os_env_posix(), path, OS_OPEN_READ, &file, error_out);
    }
    if (st != YORE_OK) {
        goto out;
    }
    if (size > ZONE_FILE_BYTES_MAX) {
        st = error_set(error_out, YORE_CORRUPT, "%s: too large for a time zone", path);
        goto out;
    }
    data = mem_alloc((size_t)size);
    st = data == NULL ? YORE_NOMEM : os_file_read(file, 0, data, (size_t)size, &read, error_out);
    if (st == YORE_OK) {
        st = zone_parse(bytes_of(data, read), &cache->arena, zone_out);
        if (st == YORE_CORRUPT) {
            (void)error_set(error_out, st, "%s is not a time zone (TZif, version 2)", path);
        }
    }
out:
    mem_free(data);
    os_file_close(file);
    return st;
}

static enum yore_status make_room(struct zone_cache *cache)
{
    if (cache->count < cache->capacity) {
        return YORE_OK;
    }
    if (cache->count == ZONE_CACHE_ZONES_MAX) {
        return YORE_TOO_BIG;
    }
    size_t capacity = cache->capacity == 0 ? 8 : cache->capacity * 2;
    struct cached_zone *zones = mem_realloc(cache->zones, capacity * sizeof(*zones));
    if (zones == NULL) {
        return YORE_NOMEM;
    }
    cache->zones = zones;
    cache->capacity = capacity;
    return YORE_OK;
}

static enum yore_status remember(struct zone_cache *cache, struct yore_bytes name,
                                 const struct zone *zone)
{
    enum yore_status st = make_room(cache);
    if (st != YORE_OK) {
        return st;
    }
    void *copy = arena_copy(&cache->arena, name.data, name.size);
    if (copy == NULL) {
        return YORE_NOMEM;
    }
    cache->zones[cache->count++] = (struct cached_zone){bytes_of(copy, name.size), zone};
    return YORE_OK;
}

enum yore_status zone_find(struct zone_cache **cache, struct yore_bytes name,
                           const struct zone **zone_out, struct yore_error *error_out)
{
    if (!is_name(name)) {
        return YORE_NOT_FOUND;
    }
    if (*cache == NULL) {
        *cache = mem_zalloc(sizeof(**cache));
        if (*cache == NULL) {
            return YORE_NOMEM;
        }
        arena_init(&(*cache)->arena, 4096);
    }
    for (size_t i = 0; i < (*cache)->count; i++) {
        if (bytes_equal((*cache)->zones[i].name, name)) {
            *zone_out = (*cache)->zones[i].zone;
            return *zone_out == NULL ? YORE_NOT_FOUND : YORE_OK;
        }
    }
    const struct zone *zone = NULL;
    enum yore_status st = load(*cache, name, &zone, error_out);
    if (st == YORE_OK || st == YORE_NOT_FOUND) {
        enum yore_status kept = remember(*cache, name, zone);
        st = kept == YORE_OK ? st : kept;
    }
    *zone_out = zone;
    return st;
}

void zone_cache_free(struct zone_cache *cache)
{
    if (cache != NULL) {
        arena_release(&cache->arena);
        mem_free(cache->zones);
        mem_free(cache);
    }
}
