/* The decoder of commits over any bytes.  What it accepts must survive being encoded again. */
#include <stdlib.h>

#include "journal/commit_codec.h"
#include "support/fuzz.h"

static void require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static void compare(const struct commit_write *a, const struct commit_write *b)
{
    require(a->keyspace == b->keyspace && a->kind == b->kind && a->is_apart == b->is_apart);
    require(a->is_from_commit == b->is_from_commit);
    require(a->valid_from == b->valid_from && a->valid_to == b->valid_to);
    require(bytes_equal(a->key, b->key) && bytes_equal(a->value, b->value));
}

static void check_again(const uint8_t *data, size_t size, const struct buffer *again)
{
    struct commit_decoder first;
    struct commit_decoder second;
    struct commit_write a;
    struct commit_write b;
    require(commit_decoder_init(&first, bytes_of(data, size)) == YORE_OK);
    require(commit_decoder_init(&second, buffer_bytes(again)) == YORE_OK);
    require(first.commit == second.commit && first.count == second.count);
    require(first.is_load == second.is_load && first.load.keyspace == second.load.keyspace &&
            first.load.count == second.load.count);
    while (commit_decoder_next(&first, &a) == YORE_OK) {
        require(commit_decoder_next(&second, &b) == YORE_OK);
        compare(&a, &b);
    }
    require(commit_decoder_next(&second, &b) == YORE_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct commit_decoder c;
    struct commit_write write;
    struct buffer again = {0};
    unsigned char header[COMMIT_HEADER_BYTES];
    enum yore_status st = commit_decoder_init(&c, bytes_of(data, size));
    if (st == YORE_OK && c.is_load) {
        unsigned char load[COMMIT_LOAD_BYTES];
        commit_load_encode(header, load, c.commit, &c.load);
        buffer_append(&again, header, sizeof(header));
        buffer_append(&again, load, sizeof(load));
    } else {
        commit_header_encode(header, c.commit, c.count);
        buffer_append(&again, header, sizeof(header));
    }
    while (st == YORE_OK) {
        st = commit_decoder_next(&c, &write);
        if (st == YORE_OK) {
            require(write.valid_from <= c.commit);
            commit_write_encode(&again, &write);
        }
    }
    require(st == YORE_NOT_FOUND || st == YORE_CORRUPT);
    if (st == YORE_NOT_FOUND) {
        check_again(data, size, &again);
    }
    buffer_release(&again);
    return 0;
}
