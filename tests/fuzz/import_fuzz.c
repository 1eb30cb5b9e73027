/* Any file must import or be refused; what was imported must export, import again and export the
 * same. On the simulated disk, without threads: the same input takes the same way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yore/yore.h>

#include "base/buffer.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/store.h"
#include "engine/db.h"
#include "os/sim_disk.h"
#include "support/fuzz.h"

#define NOW INT64_C(1763719200000000000)

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "import_fuzz: %s\n", what);
        abort();
    }
}

static struct yore_db *open_db(struct sim_disk *disk, const char *path)
{
    struct yore_options options;
    struct yore_db *db = NULL;
    struct yore_error error;
    yore_options_init(&options);
    options.memtable_bytes = 64u << 10;
    options.segment_bytes = 64u << 10;
    options.cache_bytes = 1u << 20;
    must(db_open_inline(sim_disk_env(disk), path, &options, &db, &error) == YORE_OK, error.text);
    return db;
}

static struct store *store_on(struct yore_db *db)
{
    struct store *store = NULL;
    struct yore_error error;
    must(store_of_db(db, &store, &error) == YORE_OK, error.text);
    return store;
}

/* Import `size` octets; the status. */
static enum yore_status import_text(struct yore_db *db, const void *data, size_t size,
                                    int forced_format)
{
    const struct import_options options = {.durability = YORE_DURABILITY_NONE, .batch_rows = 3};
    struct import_counts counts;
    struct line_source *source;
    struct yore_error error;
    enum import_format format = (enum import_format)forced_format;
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "rb") : tmpfile();
    must(stream != NULL, "no stream");
    enum yore_status st = line_source_open(stream, "fuzz", &source, &error);
    if (st == YORE_OK && forced_format < 0) {
        st = import_detect(source, &format, &error);
    }
    if (st == YORE_OK) {
        struct store *store = store_on(db);
        st = import_run(store, source, format, &options, &counts, &error);
        store_leave(store);
    }
    must(st == YORE_OK || error.text[0] != '\0' || st == YORE_NOT_FOUND, "an error without a text");
    line_source_close(source);
    fclose(stream);
    return st;
}

/* The export without its commit times; freed by the caller. */
static char *export_text(struct yore_db *db, bool keeps_commits)
{
    const struct export_options options = {.at = NULL};
    struct export_counts counts;
    struct yore_error error;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    must(stream != NULL, "no stream");
    struct store *store = store_on(db);
    must(export_run(store, stream, &options, &counts, &error) == YORE_OK, error.text);
    store_leave(store);
    fclose(stream);
    char *to = text;
    for (char *at = text; !keeps_commits && *at != '\0';) {
        if (strncmp(at, ",\"commit\":\"", 11) == 0 && strchr(at, '}') != NULL) {
            at += 11;
            at += strcspn(at, "\"") + 1;
        } else {
            *to++ = *at++;
        }
    }
    if (!keeps_commits) {
        *to = '\0';
    }
    return text;
}

static void check_round_trip(struct sim_disk *disk, struct yore_db *db)
{
    char *first = export_text(db, true);
    struct yore_db *other = open_db(disk, "other");
    /* Lines of a keyspace that keeps only now have no times of their own; nothing to compare. */
    if (strstr(first, "\"keep\":\"now\"") == NULL) {
        enum yore_status st = import_text(other, first, strlen(first), *first != '\0' ? 1 : -1);
        must(st == YORE_OK || *first == '\0', "the export does not import");
        char *want = export_text(db, false);
        char *got = export_text(other, false);
        if (strcmp(want, got) != 0) {
            fprintf(stderr, "exported:\n%simported and exported again:\n%s", want, got);
        }
        must(strcmp(want, got) == 0, "import(export(x)) is not x");
        free(want);
        free(got);
    }
    free(first);
    must(yore_close(other, NULL) == YORE_OK, "close");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct sim_disk *disk = sim_disk_new(1);
    must(disk != NULL, "no disk");
    sim_disk_set_wall(disk, NOW);
    struct yore_db *db = open_db(disk, "db");
    int format = (data[0] & 7) < 4 ? data[0] & 3 : -1;
    import_text(db, data + 1, size - 1, format);
    check_round_trip(disk, db);
    must(yore_close(db, NULL) == YORE_OK, "close");
    sim_disk_free(disk);
    return 0;
}
