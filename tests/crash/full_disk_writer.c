/* full_disk_writer.c -- the program that full_disk_test.sh runs on a small file system.
 *
 *     full_disk_writer fill DIR    write until there is no room; prints the number of commits
 * acknowledged full_disk_writer check DIR N the first N commits are there, and one more can be
 * written
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/store.h"

#define VALUE_BYTES 400u

static struct yore_bytes number_key(uint64_t number, char storage[32])
{
    int length = snprintf(storage, 32, "n/%012" PRIu64, number);
    return bytes_of(storage, (size_t)length);
}

static struct yore_bytes number_value(uint64_t number, unsigned char storage[VALUE_BYTES])
{
    for (unsigned i = 0; i < VALUE_BYTES; i++) {
        storage[i] = (unsigned char)(number * 31 + i * 7 + number * i);
    }
    return bytes_of(storage, VALUE_BYTES);
}

static int complain(const char *what, const struct yore_error *error)
{
    fprintf(stderr, "full_disk_writer: %s: %s\n", what, error->text);
    return 1;
}

/* True when key `number` holds its value. */
static bool is_held(struct yore_db *db, uint64_t number)
{
    char key[32];
    unsigned char bytes[VALUE_BYTES];
    struct yore_value value = {0};
    struct yore_bytes want = number_value(number, bytes);
    if (yore_get(db, NULL, number_key(number, key), NULL, &value, NULL) != YORE_OK) {
        return false;
    }
    bool is_same = bytes_equal(bytes_of(value.data, value.size), want);
    yore_value_release(&value);
    return is_same;
}

static int fill(struct yore_db *db)
{
    struct yore_error error = {0};
    enum yore_status status = YORE_OK;
    uint64_t count = 0;
    while (status == YORE_OK) {
        char key[32];
        unsigned char bytes[VALUE_BYTES];
        status =
            yore_put(db, NULL, number_key(count, key), number_value(count, bytes), NULL, &error);
        count += status == YORE_OK;
    }
    if (status != YORE_NO_SPACE) {
        return complain("the disk is full", &error);
    }
    for (unsigned i = 0; i < 3; i++) { /* the first error is final, reads go on */
        char key[32];
        unsigned char bytes[VALUE_BYTES];
        status = yore_put(db, NULL, number_key(count + 1, key), number_value(count, bytes), NULL,
                          &error);
        if (status == YORE_OK || (count > 0 && !is_held(db, count / 2))) {
            return complain("after the failure", &error);
        }
    }
    (void)yore_close(db, &error);
    printf("%" PRIu64 "\n", count);
    return 0;
}

static int check(struct yore_db *db, uint64_t count)
{
    struct yore_error error = {0};
    for (uint64_t i = 0; i < count; i++) {
        if (!is_held(db, i)) {
            fprintf(stderr, "full_disk_writer: commit %" PRIu64 " of %" PRIu64 " is missing\n", i,
                    count);
            return 1;
        }
    }
    if (is_held(db, count + 1)) {
        fprintf(stderr, "full_disk_writer: a refused write is there\n");
        return 1;
    }
    if (yore_put(db, NULL, bytes_of("more", 4), bytes_of("room", 4), NULL, &error) != YORE_OK ||
        yore_flush(db, &error) != YORE_OK || yore_close(db, &error) != YORE_OK) {
        return complain("with room again", &error);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct yore_error error = {0};
    if (argc < 3) {
        fprintf(stderr, "full_disk_writer fill DIR | check DIR N\n");
        return 2;
    }
    store_options_tiny(&options);
    options.memtable_bytes = 256u << 10;
    options.value_apart_bytes = 4096;
    if (yore_open(argv[2], &options, &db, &error) != YORE_OK) {
        return complain("open", &error);
    }
    if (strcmp(argv[1], "fill") == 0) {
        return fill(db);
    }
    return check(db, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
}
