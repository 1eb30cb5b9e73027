/* page_decode.c -- from the columns of a page to the form that is searched.
 *
 * Two passes: the first finds the columns and adds up what they need, the second fills one
 * allocation.  Nothing here trusts the bytes: a check sum tells accident from truth, not a hostile
 * file from an honest one. */
#include "table/page.h"

#include "base/checked.h"
#include "base/coding.h"
#include "base/mem.h"
#include "table/int_column.h"
#include "table/number_column.h"
#include "table/table_format.h"

struct column {
    const unsigned char *data; /* NULL: left out */
    size_t size;
    uint8_t encoding;
};

/* Everything on the way from columns to page. */
struct page_loader {
    struct column columns[PAGE_COLUMN_VALUES + 1];
    uint32_t version_count;
    uint32_t key_count;
    size_t key_bytes;
    size_t value_bytes;
    struct page *page;
    uint64_t *heads;
    uint32_t *key_starts;
    unsigned char *keys;
    uint32_t *starts;
    int64_t *valid_from;
    int64_t *commit;
    int64_t *valid_to;
    unsigned char *marks;
    uint32_t *value_starts;
    unsigned char *values;
    int64_t *scratch; /* version_count integers */
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
    case PAGE_COLUMN_KEY_SHAPES:
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
        if (id > PAGE_COLUMN_VALUES || !is_known_encoding(id, encoding)) {
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

/* Integers of a column into `to`; all of its octets must be used. */
static bool read_ints(const struct column *c, size_t count, int64_t *to)
{
    struct decoder d = column_decoder(c);
    return count > 0 && int_column_decode(&d, c->encoding, count, to) && decoder_left(&d) == 0;
}

/* Sum of the keys' sizes; shapes must agree with the octets there are. */
static enum yore_status measure_keys(struct page_loader *l)
{
    if (!has(l, PAGE_COLUMN_KEY_SHAPES) || !has(l, PAGE_COLUMN_KEY_BYTES)) {
        return corrupt(l, "no keys");
    }
    struct decoder d = column_decoder(&l->columns[PAGE_COLUMN_KEY_SHAPES]);
    size_t rest_bytes = 0;
    uint64_t size_before = 0;
    for (uint32_t i = 0; i < l->key_count; i++) {
        uint64_t shared = decode_varint(&d);
        uint64_t rest = decode_varint(&d);
        if (d.is_bad || shared > size_before || rest == 0 || rest > YORE_KEY_BYTES_MAX ||
            shared + rest > YORE_KEY_BYTES_MAX) {
            return corrupt(l, "impossible key size");
        }
        size_before = shared + rest;
        rest_bytes += (size_t)rest;
        l->key_bytes += (size_t)size_before;
        if (l->key_bytes > PAGE_KEYS_BYTES_MAX) {
            return corrupt(l, "keys are too large");
        }
    }
    if (decoder_left(&d) != 0 || rest_bytes != l->columns[PAGE_COLUMN_KEY_BYTES].size) {
        return corrupt(l, "key sizes and octets disagree");
    }
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

static void *carve(unsigned char **at, size_t size)
{
    void *part = *at;
    *at += (size + 7) & ~(size_t)7;
    return part;
}

/* Are all versions puts with values of one size?  Then no table of value starts is kept. */
static bool has_stride(const struct page_loader *l)
{
    const struct column *marks = &l->columns[PAGE_COLUMN_MARKS];
    bool all_puts =
        marks->data == NULL || (marks->encoding == OCTETS_CONSTANT && marks->size == 1 &&
                                (marks->data[0] & MARK_KIND) == YORE_KIND_PUT);
    const struct column *sizes = &l->columns[PAGE_COLUMN_VALUE_SIZES];
    return sizes->data == NULL || (all_puts && sizes->encoding == 0);
}

static enum yore_status make_page(struct page_loader *l)
{
    size_t n = l->version_count;
    size_t k = l->key_count;
    bool has_commit = has(l, PAGE_COLUMN_COMMIT) || has(l, PAGE_COLUMN_COMMIT_LAG);
    bool has_ends = has(l, PAGE_COLUMN_VALID_SPAN);
    bool has_starts = has(l, PAGE_COLUMN_COUNTS);
    bool is_strided = has_stride(l);
    size_t bytes = ((sizeof(struct page) + 7) & ~(size_t)7) + 8 * k + (4 * (k + 1) + 7) +
                   (l->key_bytes + 7) + (has_starts ? 4 * (k + 1) + 7 : 0) +
                   8 * n * (1u + (has_commit ? 1u : 0u) + (has_ends ? 1u : 0u)) + (n + 7) +
                   (is_strided ? 0 : 4 * (n + 1) + 7) + (l->value_bytes + 7);
    l->page = mem_alloc(bytes);
    l->scratch = mem_alloc(8 * n);
    if (l->page == NULL || l->scratch == NULL) {
        return YORE_NOMEM;
    }
    unsigned char *at = (unsigned char *)l->page + ((sizeof(struct page) + 7) & ~(size_t)7);
    l->heads = carve(&at, 8 * k);
    l->valid_from = carve(&at, 8 * n);
    l->commit = has_commit ? carve(&at, 8 * n) : l->valid_from;
    l->valid_to = has_ends ? carve(&at, 8 * n) : NULL;
    l->key_starts = carve(&at, 4 * (k + 1));
    l->starts = has_starts ? carve(&at, 4 * (k + 1)) : NULL;
    l->value_starts = is_strided ? NULL : carve(&at, 4 * (n + 1));
    l->marks = carve(&at, n);
    l->keys = carve(&at, l->key_bytes);
    l->values = carve(&at, l->value_bytes);
    *l->page = (struct page){.key_count = l->key_count,
                             .version_count = l->version_count,
                             .heads = l->heads,
                             .key_starts = l->key_starts,
                             .keys = l->keys,
                             .starts = l->starts,
                             .valid_from = l->valid_from,
                             .commit = l->commit,
                             .valid_to = l->valid_to,
                             .marks = l->marks,
                             .value_starts = l->value_starts,
                             .values = l->values,
                             .bytes = bytes};
    return YORE_OK;
}

/* ---- the second pass ---- */

/* Keys from what they share with the one before; ascending is checked on the first octet that
 * differs. */
static enum yore_status fill_keys(struct page_loader *l)
{
    struct decoder d = column_decoder(&l->columns[PAGE_COLUMN_KEY_SHAPES]);
    const unsigned char *from = l->columns[PAGE_COLUMN_KEY_BYTES].data;
    const unsigned char *before = l->keys;
    size_t before_size = 0;
    unsigned char *to = l->keys;
    for (uint32_t i = 0; i < l->key_count; i++) {
        size_t shared = (size_t)decode_varint(&d);
        size_t rest = (size_t)decode_varint(&d);
        if (shared < before_size && from[0] <= before[shared]) {
            return corrupt(l, "keys out of order");
        }
        l->key_starts[i] = (uint32_t)(to - l->keys);
        memcpy(to, before, shared);
        memcpy(to + shared, from, rest);
        before = to;
        before_size = shared + rest;
        from += rest;
        to += before_size;
    }
    l->key_starts[l->key_count] = (uint32_t)(to - l->keys);
    return YORE_OK;
}

static void fill_heads(struct page_loader *l)
{
    struct yore_bytes first = page_key(l->page, 0);
    struct yore_bytes last = page_key(l->page, l->key_count - 1);
    const unsigned char *a = first.data;
    const unsigned char *b = last.data;
    size_t limit = first.size < last.size ? first.size : last.size;
    size_t prefix = 0;
    while (prefix < limit && a[prefix] == b[prefix]) {
        prefix++;
    }
    l->page->prefix_size = (uint32_t)prefix;
    for (uint32_t i = 0; i < l->key_count; i++) {
        struct yore_bytes key = page_key(l->page, i);
        l->heads[i] = key_head((const unsigned char *)key.data + prefix, key.size - prefix);
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

static enum yore_status fill_valid_from(struct page_loader *l)
{
    uint32_t k = l->key_count;
    uint32_t stepped = l->version_count - k;
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
    if (has_lag && has(l, PAGE_COLUMN_COMMIT)) {
        return corrupt(l, "commits twice");
    }
    if (l->commit == l->valid_from) {
        return YORE_OK;
    }
    const struct column *c = &l->columns[has_lag ? PAGE_COLUMN_COMMIT_LAG : PAGE_COLUMN_COMMIT];
    if (!read_ints(c, l->version_count, l->commit)) {
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

static enum yore_status fill_marks(struct page_loader *l)
{
    const struct column *c = &l->columns[PAGE_COLUMN_MARKS];
    uint32_t n = l->version_count;
    if (c->data == NULL) {
        memset(l->marks, YORE_KIND_PUT, n);
        return YORE_OK;
    }
    if (c->size != (c->encoding == OCTETS_CONSTANT ? 1 : n)) {
        return corrupt(l, "malformed marks");
    }
    if (c->encoding == OCTETS_CONSTANT) {
        memset(l->marks, c->data[0], n);
    } else {
        memcpy(l->marks, c->data, n);
    }
    for (uint32_t i = 0; i < n; i++) {
        unsigned mark = l->marks[i];
        bool is_put = (mark & MARK_KIND) == YORE_KIND_PUT;
        if ((mark & ~MARK_BITS) != 0 || (mark & MARK_KIND) == 0 ||
            (!is_put && (mark & MARK_HAS_END) != 0)) {
            return corrupt(l, "impossible mark");
        }
    }
    return YORE_OK;
}

static enum yore_status fill_valid_to(struct page_loader *l)
{
    uint32_t ending = 0;
    for (uint32_t i = 0; i < l->version_count; i++) {
        ending += (l->marks[i] & MARK_HAS_END) != 0;
    }
    if ((l->valid_to != NULL) != (ending > 0)) {
        return corrupt(l, "ends and marks disagree");
    }
    if (ending == 0) {
        return YORE_OK;
    }
    if (!read_ints(&l->columns[PAGE_COLUMN_VALID_SPAN], ending, l->scratch)) {
        return corrupt(l, "malformed ends");
    }
    const int64_t *span = l->scratch;
    for (uint32_t i = 0; i < l->version_count; i++) {
        l->valid_to[i] = YORE_FOREVER;
        if ((l->marks[i] & MARK_HAS_END) != 0) {
            l->valid_to[i] = (int64_t)((uint64_t)l->valid_from[i] + (uint64_t)*span++);
        }
    }
    return YORE_OK;
}

static uint32_t count_puts(const struct page_loader *l)
{
    uint32_t puts = 0;
    for (uint32_t i = 0; i < l->version_count; i++) {
        puts += (l->marks[i] & MARK_KIND) == YORE_KIND_PUT;
    }
    return puts;
}

/* Where each value starts, from the sizes in `scratch`; `*bytes_out` their sum. */
static enum yore_status fill_value_starts(struct page_loader *l, uint32_t puts, uint64_t *bytes_out)
{
    uint64_t sum = 0;
    const int64_t *size = l->scratch;
    for (uint32_t i = 0; i < puts; i++) {
        if (size[i] < 0 || size[i] > (int64_t)YORE_VALUE_BYTES_MAX) {
            return corrupt(l, "impossible value size");
        }
        sum += (uint64_t)size[i];
    }
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
        if ((l->marks[i] & MARK_KIND) == YORE_KIND_PUT) {
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
    if (puts == 0 || !read_ints(sizes, puts, l->scratch)) {
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
    return YORE_OK;
}

enum yore_status page_decode(struct yore_bytes raw, struct page **page_out, const char **what_out)
{
    struct page_loader loader = {.what = "out of memory"};
    *page_out = NULL;
    enum yore_status st = read_columns(&loader, raw);
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
    mem_free(loader.scratch);
    if (st != YORE_OK) {
        mem_free(loader.page);
        *what_out = loader.what;
        return st;
    }
    *page_out = loader.page;
    return YORE_OK;
}
