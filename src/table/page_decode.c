/* page_decode.c -- from the columns of a page to the form that is searched.
 *
 * Two passes: the first finds the columns and adds up what they need, the second fills one
 * allocation.  Nothing here trusts the bytes: a check sum tells accident from truth, not a hostile
 * file from an honest one. */
#include "table/page.h"

#include "base/coding.h"
#include "base/mem.h"
#include "table/int_column.h"
#include "table/key_order.h"
#include "table/number_column.h"
#include "table/table_format.h"

#define COPY_BYTES 16    /* copied at once where there is room for it */
#define SCRATCH_INTS 512 /* on the stack: enough for pages of the usual size */
#define ERAS_VERSIONS_MIN 64
#define MARKS_BLOCK 16 /* of versions: looked at together */

struct column {
    const unsigned char *data; /* NULL: left out */
    size_t size;
    uint8_t encoding;
};

/* Everything on the way from columns to page; the arrays are the page's, still to be written. */
struct page_loader {
    struct page_room *room;
    struct column columns[PAGE_COLUMN_LAST + 1];
    uint32_t version_count;
    uint32_t key_count;
    size_t key_bytes;
    size_t value_bytes;
    uint8_t marks_differ; /* bits in which some mark is not that of a plain put */
    int64_t *scratch;     /* version_count integers */
    int64_t *shared;      /* key_count */
    int64_t *sizes;       /* key_count */
    struct page *page;
    uint64_t *heads;
    int64_t *valid_from;
    int64_t *commit;
    int64_t *valid_to;
    uint32_t *key_starts;
    uint32_t *starts;
    uint32_t *value_starts;
    unsigned char *marks;
    unsigned char *keys;
    unsigned char *values;
    const char *what;
};

static enum yore_status corrupt(struct page_loader *l, const char *what)
{
    l->what = what;
    return YORE_CORRUPT;
}

static struct decoder column_decoder(const struct column *c)
{
    struct decoder d;
    decoder_init(&d, c->data, c->size);
    return d;
}

/* ---- the first pass ---- */

static bool is_known_encoding(unsigned id, uint8_t encoding)
{
    switch ((enum page_column)id) {
    case PAGE_COLUMN_KEY_BYTES:
        return encoding == OCTETS_PLAIN;
    case PAGE_COLUMN_MARKS:
        return encoding == OCTETS_PLAIN || encoding == OCTETS_CONSTANT;
    case PAGE_COLUMN_VALUES:
        return encoding == OCTETS_PLAIN || encoding == OCTETS_DECIMALS || encoding == OCTETS_PLANES;
    default:
        return encoding < INT_COLUMN_ENCODINGS;
    }
}

static enum yore_status read_columns(struct page_loader *l, struct yore_bytes raw)
{
    struct decoder d;
    decoder_init(&d, raw.data, raw.size);
    uint64_t versions = decode_varint(&d);
    uint64_t keys = decode_varint(&d);
    if (d.is_bad || keys == 0 || keys > versions || versions > PAGE_VERSIONS_MAX) {
        return corrupt(l, "impossible counts");
    }
    l->version_count = (uint32_t)versions;
    l->key_count = (uint32_t)keys;
    unsigned last = 0;
    while (decoder_left(&d) > 0) {
        unsigned id = decode_u8(&d);
        uint8_t encoding = decode_u8(&d);
        uint64_t size = decode_varint(&d);
        if (d.is_bad || size > decoder_left(&d) || id <= last) {
            return corrupt(l, "columns do not fit");
        }
        if (id > PAGE_COLUMN_LAST || !is_known_encoding(id, encoding)) {
            l->what = "a column or encoding of a later version";
            return YORE_BAD_FORMAT;
        }
        last = id;
        l->columns[id] = (struct column){decode_run(&d, (size_t)size), (size_t)size, encoding};
    }
    return YORE_OK;
}

static bool has(const struct page_loader *l, enum page_column id)
{
    return l->columns[id].data != NULL;
}

/* One look at all marks: most pages have only puts without end, and then none is looked at again.
 */
static void compare_marks(struct page_loader *l)
{
    const struct column *marks = &l->columns[PAGE_COLUMN_MARKS];
    uint8_t differ = 0;
    size_t i = 0;
    for (; i + MARKS_BLOCK <= marks->size; i += MARKS_BLOCK) {
        for (size_t j = 0; j < MARKS_BLOCK; j++) { /* a vector of octets */
            differ |= marks->data[i + j] ^ YORE_KIND_PUT;
        }
    }
    for (; i < marks->size; i++) {
        differ |= marks->data[i] ^ YORE_KIND_PUT;
    }
    l->marks_differ = differ;
}

static bool are_all_puts(const struct page_loader *l)
{
    return (l->marks_differ & MARK_KIND) == 0;
}

/* Integers of a column into `to`; all of its octets must be used. */
static bool read_ints(const struct column *c, size_t count, int64_t *to)
{
    struct decoder d = column_decoder(c);
    return count > 0 && int_column_decode(&d, c->encoding, count, to) && decoder_left(&d) == 0;
}

/* Integers for the way: of versions, and two runs of keys.  In `small` if they fit. */
static enum yore_status make_scratch(struct page_loader *l, int64_t small[SCRATCH_INTS])
{
    size_t count = l->version_count + 2 * (size_t)l->key_count;
    l->scratch = count <= SCRATCH_INTS ? small : mem_alloc(8 * count);
    if (l->scratch == NULL) {
        return YORE_NOMEM;
    }
    l->shared = l->scratch + l->version_count;
    l->sizes = l->shared + l->key_count;
    return YORE_OK;
}

/* Sum of the keys' sizes; they must agree with the octets there are. */
static enum yore_status measure_keys(struct page_loader *l)
{
    const struct column *shared = &l->columns[PAGE_COLUMN_KEY_SHARED];
    memset(l->shared, 0, 8 * (size_t)l->key_count);
    if (!read_ints(&l->columns[PAGE_COLUMN_KEY_SIZES], l->key_count, l->sizes) ||
        (shared->data != NULL && !read_ints(shared, l->key_count, l->shared))) {
        return corrupt(l, "malformed key sizes");
    }
    int64_t rest_bytes = 0;
    int64_t key_bytes = 0;
    int64_t size_before = 0;
    for (uint32_t i = 0; i < l->key_count; i++) {
        int64_t size = l->sizes[i];
        int64_t common = l->shared[i];
        if (common < 0 || common > size_before || size <= common ||
            size > (int64_t)YORE_KEY_BYTES_MAX) {
            return corrupt(l, "impossible key size");
        }
        size_before = size;
        rest_bytes += size - common;
        key_bytes += size;
    }
    if (key_bytes > PAGE_KEYS_BYTES_MAX) {
        return corrupt(l, "keys are too large");
    }
    if ((size_t)rest_bytes != l->columns[PAGE_COLUMN_KEY_BYTES].size) {
        return corrupt(l, "key sizes and octets disagree");
    }
    l->key_bytes = (size_t)key_bytes;
    return YORE_OK;
}

static enum yore_status measure_values(struct page_loader *l)
{
    const struct column *values = &l->columns[PAGE_COLUMN_VALUES];
    l->value_bytes = values->size;
    if (has(l, PAGE_COLUMN_VALUES) && values->encoding != OCTETS_PLAIN) {
        l->value_bytes = (size_t)l->version_count * 8; /* at most: deletes have none */
    }
    if (has(l, PAGE_COLUMN_VALUES) != has(l, PAGE_COLUMN_VALUE_SIZES)) {
        return corrupt(l, "values without sizes");
    }
    return YORE_OK;
}

/* Where the next array of the page goes, and how far the page reaches with it. */
static uint32_t reserve(size_t *bytes, size_t size)
{
    size_t at = *bytes;
    *bytes = (at + size + 7) & ~(size_t)7;
    return (uint32_t)at;
}

static void *array_of(struct page_loader *l, uint32_t at)
{
    return at != 0 ? (unsigned char *)l->page + at : NULL;
}

static bool has_uniform_mark(const struct page_loader *l)
{
    const struct column *marks = &l->columns[PAGE_COLUMN_MARKS];
    return marks->data == NULL || marks->encoding == OCTETS_CONSTANT;
}

/* Are all versions puts with values of one size?  Then no table of value starts is kept. */
static bool has_value_stride(const struct page_loader *l)
{
    const struct column *sizes = &l->columns[PAGE_COLUMN_VALUE_SIZES];
    return sizes->data == NULL || (are_all_puts(l) && sizes->encoding == 0);
}

/* Lay the page out: what a point read touches comes first. */
static enum yore_status make_page(struct page_loader *l)
{
    size_t n = l->version_count;
    size_t k = l->key_count;
    struct page page = {.key_count = l->key_count, .version_count = l->version_count};
    size_t bytes = sizeof(page) + 8 * k;
    page.has_eras = n >= ERAS_VERSIONS_MIN && has(l, PAGE_COLUMN_COUNTS);
    if (page.has_eras) {
        (void)reserve(&bytes, page_eras_bytes(l->version_count));
    }
    page.valid_from_at = reserve(&bytes, 8 * n);
    page.commit_at = page.valid_from_at;
    if (has(l, PAGE_COLUMN_COUNTS)) {
        page.starts_at = reserve(&bytes, 4 * (k + 1));
    }
    if (l->columns[PAGE_COLUMN_KEY_SIZES].encoding == 0) {
        page.key_stride = (uint32_t)l->sizes[0];
    } else {
        page.key_starts_at = reserve(&bytes, 4 * (k + 1));
    }
    page.keys_at = reserve(&bytes, l->key_bytes + COPY_BYTES);
    if (has(l, PAGE_COLUMN_COMMIT) || has(l, PAGE_COLUMN_COMMIT_LAG) ||
        has(l, PAGE_COLUMN_TIME_COMMITS)) {
        page.commit_at = reserve(&bytes, 8 * n);
    }
    if (has(l, PAGE_COLUMN_VALID_SPAN)) {
        page.valid_to_at = reserve(&bytes, 8 * n);
    }
    if (!has_uniform_mark(l)) {
        page.marks_at = reserve(&bytes, n);
    }
    if (!has_value_stride(l)) {
        page.value_starts_at = reserve(&bytes, 4 * (n + 1));
    }
    page.values_at = reserve(&bytes, l->value_bytes);
    page.has_lives = page.has_eras && !are_all_puts(l);
    if (page.has_lives) {
        (void)reserve(&bytes, page_lives_bytes(l->key_count));
    }
    page.bytes = (uint32_t)bytes;
    l->page = page_alloc(l->room, bytes);
    if (l->page == NULL) {
        return YORE_NOMEM;
    }
    *l->page = page;
    l->heads = array_of(l, sizeof(page));
    l->valid_from = array_of(l, page.valid_from_at);
    l->commit = array_of(l, page.commit_at);
    l->valid_to = array_of(l, page.valid_to_at);
    l->key_starts = array_of(l, page.key_starts_at);
    l->starts = array_of(l, page.starts_at);
    l->value_starts = array_of(l, page.value_starts_at);
    l->marks = array_of(l, page.marks_at);
    l->keys = array_of(l, page.keys_at);
    l->values = array_of(l, page.values_at);
    return YORE_OK;
}

/* ---- the second pass ---- */

/* Copy a few octets quickly: COPY_BYTES may be written, and are read while `readable` allows it. */
static void copy_run(unsigned char *to, const unsigned char *from, size_t size, size_t readable)
{
    if (size <= COPY_BYTES && readable >= COPY_BYTES) {
        memmove(to, from, COPY_BYTES);
    } else {
        memcpy(to, from, size);
    }
}

/* Keys from what they share with the one before; ascending is checked on the first octet that
 * differs. */
static enum yore_status fill_keys(struct page_loader *l)
{
    const struct column *rests = &l->columns[PAGE_COLUMN_KEY_BYTES];
    const unsigned char *from = rests->data;
    size_t left = rests->size;
    const unsigned char *before = l->keys;
    size_t before_size = 0;
    unsigned char *to = l->keys;
    for (uint32_t i = 0; i < l->key_count; i++) {
        size_t size = (size_t)l->sizes[i];
        size_t shared = (size_t)l->shared[i];
        size_t rest = size - shared;
        if (shared < before_size && from[0] <= before[shared]) {
            return corrupt(l, "keys out of order");
        }
        if (l->key_starts != NULL) {
            l->key_starts[i] = (uint32_t)(to - l->keys);
        }
        if (shared > 0) {
            copy_run(to, before, shared, COPY_BYTES);
        }
        copy_run(to + shared, from, rest, left);
        before = to;
        before_size = size;
        from += rest;
        left -= rest;
        to += size;
    }
    if (l->key_starts != NULL) {
        l->key_starts[l->key_count] = (uint32_t)(to - l->keys);
    }
    return YORE_OK;
}

static void fill_heads(struct page_loader *l)
{
    size_t prefix = key_shared(page_key(l->page, 0), page_key(l->page, l->key_count - 1));
    l->page->prefix_size = (uint32_t)prefix;
    for (uint32_t i = 0; i < l->key_count; i++) {
        struct yore_bytes key = page_key(l->page, i);
        /* Eight octets can be read behind any key; those that are not its own are cut off. */
        uint64_t head = key_head((const unsigned char *)key.data + prefix, 8);
        size_t rest = key.size - prefix;
        l->heads[i] = rest >= 8 ? head : rest > 0 ? head >> (64 - 8 * rest) << (64 - 8 * rest) : 0;
    }
}

static enum yore_status fill_counts(struct page_loader *l)
{
    if (l->starts == NULL) {
        return l->key_count == l->version_count ? YORE_OK : corrupt(l, "no version counts");
    }
    if (!read_ints(&l->columns[PAGE_COLUMN_COUNTS], l->key_count, l->scratch)) {
        return corrupt(l, "malformed version counts");
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < l->key_count; i++) {
        int64_t count = l->scratch[i];
        if (count < 1 || count > l->version_count - sum) {
            return corrupt(l, "impossible version count");
        }
        l->starts[i] = sum;
        sum += (uint32_t)count;
    }
    l->starts[l->key_count] = sum;
    return sum == l->version_count ? YORE_OK : corrupt(l, "version counts do not add up");
}

/* Of each version the time that `to` has the number of, from a column of `times` of them. */
static bool read_times(struct page_loader *l, struct decoder d, uint8_t encoding, uint64_t times,
                       int64_t *to)
{
    if (!int_column_decode(&d, encoding, (size_t)times, l->scratch) || decoder_left(&d) > 0) {
        return false;
    }
    for (uint32_t i = 0; i < l->version_count; i++) {
        to[i] = l->scratch[to[i]];
    }
    return true;
}

static enum yore_status fill_shared_times(struct page_loader *l)
{
    const struct column *valids = &l->columns[PAGE_COLUMN_TIMES];
    const struct column *commits = &l->columns[PAGE_COLUMN_TIME_COMMITS];
    struct decoder d = column_decoder(valids);
    uint64_t times = decode_varint(&d);
    if (has(l, PAGE_COLUMN_VALID_FIRST) || has(l, PAGE_COLUMN_VALID_STEPS) ||
        has(l, PAGE_COLUMN_COMMIT) || has(l, PAGE_COLUMN_COMMIT_LAG)) {
        return corrupt(l, "times twice");
    }
    if (d.is_bad || times == 0 || times > l->version_count ||
        !read_ints(&l->columns[PAGE_COLUMN_TIME_OF], l->version_count, l->valid_from)) {
        return corrupt(l, "malformed times");
    }
    bool is_bad = false;
    for (uint32_t i = 0; i < l->version_count; i++) {
        is_bad |= (uint64_t)l->valid_from[i] >= times;
    }
    if (is_bad) {
        return corrupt(l, "a time that is not there");
    }
    if (l->commit != l->valid_from) {
        memcpy(l->commit, l->valid_from, 8 * (size_t)l->version_count);
        if (!read_times(l, column_decoder(commits), commits->encoding, times, l->commit)) {
            return corrupt(l, "malformed commits");
        }
    }
    return read_times(l, d, valids->encoding, times, l->valid_from) ? YORE_OK
                                                                    : corrupt(l, "malformed times");
}

static enum yore_status fill_valid_from(struct page_loader *l)
{
    uint32_t k = l->key_count;
    uint32_t stepped = l->version_count - k;
    if (has(l, PAGE_COLUMN_TIMES)) {
        return fill_shared_times(l);
    }
    if (!has(l, PAGE_COLUMN_VALID_FIRST) || has(l, PAGE_COLUMN_VALID_STEPS) != (stepped > 0)) {
        return corrupt(l, "no times");
    }
    if (l->starts == NULL) {
        return read_ints(&l->columns[PAGE_COLUMN_VALID_FIRST], k, l->valid_from)
                   ? YORE_OK
                   : corrupt(l, "malformed times");
    }
    if (!read_ints(&l->columns[PAGE_COLUMN_VALID_FIRST], k, l->scratch)) {
        return corrupt(l, "malformed times");
    }
    for (uint32_t i = 0; i < k; i++) {
        l->valid_from[l->starts[i]] = l->scratch[i];
    }
    if (stepped > 0 && !read_ints(&l->columns[PAGE_COLUMN_VALID_STEPS], stepped, l->scratch)) {
        return corrupt(l, "malformed times");
    }
    const int64_t *step = l->scratch;
    for (uint32_t i = 0; i < k; i++) {
        for (uint32_t v = l->starts[i] + 1; v < l->starts[i + 1]; v++) {
            l->valid_from[v] = (int64_t)((uint64_t)l->valid_from[v - 1] - (uint64_t)*step++);
        }
    }
    return YORE_OK;
}

static enum yore_status fill_commit(struct page_loader *l)
{
    bool has_lag = has(l, PAGE_COLUMN_COMMIT_LAG);
    if (!has(l, PAGE_COLUMN_TIMES) &&
        (has(l, PAGE_COLUMN_TIME_COMMITS) || has(l, PAGE_COLUMN_TIME_OF))) {
        return corrupt(l, "numbers of no times");
    }
    if (has_lag && has(l, PAGE_COLUMN_COMMIT)) {
        return corrupt(l, "commits twice");
    }
    if (l->commit == l->valid_from) {
        return YORE_OK;
    }
    const struct column *c = &l->columns[has_lag ? PAGE_COLUMN_COMMIT_LAG : PAGE_COLUMN_COMMIT];
    if (!has(l, PAGE_COLUMN_TIMES) && !read_ints(c, l->version_count, l->commit)) {
        return corrupt(l, "malformed commits");
    }
    for (uint32_t i = 0; has_lag && i < l->version_count; i++) {
        l->commit[i] = (int64_t)((uint64_t)l->commit[i] + (uint64_t)l->valid_from[i]);
    }
    for (uint32_t i = 0; i < l->version_count; i++) {
        if (l->commit[i] < l->valid_from[i]) {
            return corrupt(l, "a commit before its valid_from");
        }
    }
    return YORE_OK;
}

static enum yore_status check_order(struct page_loader *l)
{
    if (l->commit == l->valid_from) { /* then the one decides, and strictly */
        bool is_bad = false;
        for (uint32_t i = 0; l->starts != NULL && i < l->key_count; i++) {
            for (uint32_t v = l->starts[i] + 1; v < l->starts[i + 1]; v++) {
                is_bad |= l->valid_from[v - 1] <= l->valid_from[v];
            }
        }
        return is_bad ? corrupt(l, "versions out of order") : YORE_OK;
    }
    for (uint32_t i = 0; l->starts != NULL && i < l->key_count; i++) {
        for (uint32_t v = l->starts[i] + 1; v < l->starts[i + 1]; v++) {
            if (version_time_compare(l->valid_from[v - 1], l->commit[v - 1], l->valid_from[v],
                                     l->commit[v]) >= 0) {
                return corrupt(l, "versions out of order");
            }
        }
    }
    return YORE_OK;
}

static bool is_mark(unsigned mark)
{
    bool is_delete = (mark & MARK_KIND) == YORE_KIND_DELETE;
    return (mark & ~MARK_BITS) == 0 && (mark & MARK_KIND) != 0 &&
           (!is_delete || (mark & MARK_HAS_END) == 0);
}

static enum yore_status fill_marks(struct page_loader *l)
{
    const struct column *c = &l->columns[PAGE_COLUMN_MARKS];
    l->page->mark = YORE_KIND_PUT;
    if (c->data == NULL) {
        return YORE_OK;
    }
    if (c->size != (l->marks == NULL ? 1 : l->version_count)) {
        return corrupt(l, "malformed marks");
    }
    bool are_plain = (l->marks_differ & ~(MARK_FLAGS << MARK_FLAGS_SHIFT)) == 0;
    for (size_t i = 0; !are_plain && i < c->size; i++) {
        if (!is_mark(c->data[i])) {
            return corrupt(l, "impossible mark");
        }
    }
    if (l->marks == NULL) {
        l->page->mark = c->data[0];
    } else {
        memcpy(l->marks, c->data, c->size);
    }
    return YORE_OK;
}

static unsigned mark_of(const struct page_loader *l, uint32_t version)
{
    return l->marks != NULL ? l->marks[version] : l->page->mark;
}

static enum yore_status fill_valid_to(struct page_loader *l)
{
    bool has_end = (l->marks_differ & MARK_HAS_END) != 0;
    if ((l->valid_to != NULL) != has_end) {
        return corrupt(l, "ends and marks disagree");
    }
    if (!has_end) {
        return YORE_OK;
    }
    uint32_t ending = 0;
    for (uint32_t i = 0; i < l->version_count; i++) {
        ending += (mark_of(l, i) & MARK_HAS_END) != 0;
    }
    if (!read_ints(&l->columns[PAGE_COLUMN_VALID_SPAN], ending, l->scratch)) {
        return corrupt(l, "malformed ends");
    }
    const int64_t *span = l->scratch;
    for (uint32_t i = 0; i < l->version_count; i++) {
        l->valid_to[i] = YORE_FOREVER;
        if ((mark_of(l, i) & MARK_HAS_END) != 0) {
            l->valid_to[i] = (int64_t)((uint64_t)l->valid_from[i] + (uint64_t)*span++);
        }
    }
    return YORE_OK;
}

static uint32_t count_puts(const struct page_loader *l)
{
    uint32_t puts = 0;
    if (are_all_puts(l) || l->marks == NULL) {
        return are_all_puts(l) ? l->version_count : 0;
    }
    for (uint32_t i = 0; i < l->version_count; i++) {
        puts += (mark_of(l, i) & MARK_KIND) == YORE_KIND_PUT;
    }
    return puts;
}

/* Where each value starts, from the sizes in `scratch`; `*bytes_out` their sum. */
static enum yore_status fill_value_starts(struct page_loader *l, uint32_t puts, uint64_t *bytes_out)
{
    uint64_t sum = 0;
    const int64_t *size = l->scratch;
    bool is_uniform = l->value_starts == NULL; /* there is one size for all */
    for (uint32_t i = 0; i < (is_uniform ? 1 : puts); i++) {
        if (size[i] < 0 || size[i] > (int64_t)YORE_VALUE_BYTES_MAX) {
            return corrupt(l, "impossible value size");
        }
        sum += (uint64_t)size[i];
    }
    sum *= is_uniform ? puts : 1;
    *bytes_out = sum;
    if (sum > l->value_bytes) {
        return corrupt(l, "value sizes and octets disagree");
    }
    if (l->value_starts == NULL) {
        l->page->value_stride = (uint32_t)size[0];
        return YORE_OK;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < l->version_count; i++) {
        l->value_starts[i] = at;
        if ((mark_of(l, i) & MARK_KIND) == YORE_KIND_PUT) {
            at += (uint32_t)*size++;
        }
    }
    l->value_starts[l->version_count] = at;
    return YORE_OK;
}

static enum yore_status fill_values(struct page_loader *l)
{
    const struct column *sizes = &l->columns[PAGE_COLUMN_VALUE_SIZES];
    const struct column *values = &l->columns[PAGE_COLUMN_VALUES];
    if (sizes->data == NULL) {
        return YORE_OK; /* all empty: stride 0 */
    }
    uint32_t puts = count_puts(l);
    if (puts == 0 || !read_ints(sizes, l->value_starts == NULL ? 1 : puts, l->scratch)) {
        return corrupt(l, "malformed value sizes");
    }
    uint64_t bytes = 0;
    enum yore_status st = fill_value_starts(l, puts, &bytes);
    if (st != YORE_OK) {
        return st;
    }
    if (values->encoding == OCTETS_PLAIN) {
        if (bytes != values->size) {
            return corrupt(l, "value sizes and octets disagree");
        }
        memcpy(l->values, values->data, values->size);
        return YORE_OK;
    }
    if (sizes->encoding != 0 || l->scratch[0] != 8) {
        return corrupt(l, "numbers that are not of eight octets");
    }
    if (!number_column_decode(bytes_of(values->data, values->size), values->encoding, puts,
                              l->scratch, l->values)) {
        return corrupt(l, "malformed numbers");
    }
    return YORE_OK;
}

static void fill_eras(struct page_loader *l)
{
    if (!l->page->has_eras) {
        return;
    }
    struct page_eras *eras = array_of(l, (uint32_t)sizeof(*l->page) + 8 * l->key_count);
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (uint32_t i = 0; i < l->key_count; i++) { /* those of a key are in order */
        int64_t earliest = l->valid_from[l->starts[i + 1] - 1];
        int64_t latest = l->valid_from[l->starts[i]];
        first = earliest < first ? earliest : first;
        last = latest > last ? latest : last;
    }
    uint64_t span = (uint64_t)last - (uint64_t)first;
    unsigned bits = 64 - (unsigned)__builtin_clzll(span | 0xff);
    *eras = (struct page_eras){.first = first, .shift = bits - 8};
    for (uint32_t i = 0; i < l->version_count; i++) {
        eras->of[i] = (uint8_t)(((uint64_t)l->valid_from[i] - (uint64_t)first) >> eras->shift);
    }
    memset(eras->of + l->version_count, 0, (0 - l->version_count) % PAGE_ERAS_BLOCK);
}

/* The stretches from the first to the last. */
static uint32_t lives_between(uint8_t first_era, uint8_t last_era)
{
    return UINT32_MAX >> (31 - page_life_of(last_era)) & UINT32_MAX << page_life_of(first_era);
}

static void fill_lives(struct page_loader *l)
{
    if (!l->page->has_lives) {
        return;
    }
    const uint8_t *eras = page_eras(l->page)->of;
    uint32_t *lives = array_of(
        l, (uint32_t)((const unsigned char *)page_lives(l->page) - (const unsigned char *)l->page));
    for (uint32_t i = 0; i < l->key_count; i++) {
        uint8_t last = UINT8_MAX; /* the latest holds on */
        lives[i] = 0;
        for (uint32_t v = l->starts[i]; v < l->starts[i + 1]; v++) {
            if ((mark_of(l, v) & MARK_KIND) != YORE_KIND_DELETE) {
                lives[i] |= lives_between(eras[v], last);
            }
            last = eras[v];
        }
    }
}

static enum yore_status fill_page(struct page_loader *l)
{
    enum yore_status (*const steps[])(struct page_loader *) = {
        fill_keys,   fill_counts, fill_valid_from, fill_commit,
        check_order, fill_marks,  fill_valid_to,   fill_values};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum yore_status st = steps[i](l);
        if (st != YORE_OK) {
            return st;
        }
    }
    fill_heads(l);
    fill_eras(l);
    fill_lives(l);
    return YORE_OK;
}

enum yore_status page_decode(struct page_room *room, struct yore_bytes raw, struct page **page_out,
                             const char **what_out)
{
    struct page_loader loader = {.room = room, .what = "out of memory"};
    int64_t small[SCRATCH_INTS];
    *page_out = NULL;
    enum yore_status st = read_columns(&loader, raw);
    if (st == YORE_OK) {
        compare_marks(&loader);
        st = make_scratch(&loader, small);
    }
    if (st == YORE_OK) {
        st = measure_keys(&loader);
    }
    if (st == YORE_OK) {
        st = measure_values(&loader);
    }
    if (st == YORE_OK) {
        st = make_page(&loader);
    }
    if (st == YORE_OK) {
        st = fill_page(&loader);
    }
    if (loader.scratch != small) {
        mem_free(loader.scratch);
    }
    if (st != YORE_OK) {
        page_free(loader.page);
        *what_out = loader.what;
        return st;
    }
    *page_out = loader.page;
    return YORE_OK;
}

bool page_stamp(struct page *page, int64_t time)
{
    int64_t *times = (int64_t *)(void *)((unsigned char *)page + page->valid_from_at);
    bool is_right = page->commit_at == page->valid_from_at && page->valid_to_at == 0;
    page->has_eras = false;
    page->has_lives = false;
    for (uint32_t i = 0; i < page->version_count; i++) {
        is_right &= times[i] == 0;
        times[i] = time;
    }
    return is_right;
}
