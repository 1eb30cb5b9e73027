/* store.c -- see store.h. */
#include "support/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/env.h"
#include "support/model.h"

void store_options_tiny(struct yore_options *options)
{
    yore_options_init(options);
    options->cache_bytes = 1u << 20;
    options->memtable_bytes = 64u << 10;
    options->segment_bytes = 64u << 10;
    options->table_bytes = 16u << 10;
    options->page_bytes = 512;
    options->seal_versions_per_key = 2;
    options->seal_bytes_min = 4u << 10;
    options->value_apart_bytes = 256;
    options->background_threads = 1;
    options->open_files_max = 64;
}

static const char *const store_source_names[STORE_SOURCE_COUNT] = {
#define STORE_SOURCE_NAME(name, stat) stat,
    STORE_SOURCES(STORE_SOURCE_NAME)
#undef STORE_SOURCE_NAME
};

static void store_add_source(void *arg, const struct yore_stat *stat)
{
    uint64_t *counts = arg;
    for (unsigned i = 0; i < STORE_SOURCE_COUNT; i++) {
        if (strcmp(stat->name, store_source_names[i]) == 0) {
            counts[i] += stat->value;
        }
    }
}

void store_add_sources(struct yore_db *db, uint64_t *counts)
{
    yore_stats(db, store_add_source, counts);
}

struct store_stat {
    const char *name;
    uint64_t value;
};

static void store_find_stat(void *arg, const struct yore_stat *stat)
{
    struct store_stat *wanted = arg;
    if (strcmp(stat->name, wanted->name) == 0) {
        wanted->value = stat->value;
    }
}

uint64_t store_stat(struct yore_db *db, const char *name)
{
    struct store_stat wanted = {name, 0};
    yore_stats(db, store_find_stat, &wanted);
    return wanted.value;
}

void store_add_cuts(struct yore_db *db, struct store_cuts *cuts)
{
    uint64_t slices = store_stat(db, "history_slices");
    cuts->databases++;
    cuts->merges += store_stat(db, "merges");
    cuts->seals += store_stat(db, "seals");
    cuts->late_merges += store_stat(db, "late_merges");
    cuts->slices_dropped += store_stat(db, "slices_dropped");
    cuts->runs_dropped += store_stat(db, "runs_dropped");
    cuts->trims += store_stat(db, "trims");
    cuts->slices_most = slices > cuts->slices_most ? slices : cuts->slices_most;
}

bool store_print_cuts(const struct store_cuts *cuts, uint64_t seals_min)
{
    printf("  %" PRIu64 " databases: %" PRIu64 " merges, %" PRIu64 " seals, %" PRIu64
           " merges of late facts, at most %" PRIu64 " slices; %" PRIu64 " slices and %" PRIu64
           " runs dropped, %" PRIu64 " trims\n",
           cuts->databases, cuts->merges, cuts->seals, cuts->late_merges, cuts->slices_most,
           cuts->slices_dropped, cuts->runs_dropped, cuts->trims);
    return cuts->seals >= seals_min && cuts->merges > 0 && cuts->late_merges > 0 &&
           cuts->slices_dropped > 0 && cuts->runs_dropped > 0 && cuts->trims > 0 &&
           cuts->slices_most > 1;
}

bool store_print_sources(const uint64_t *counts, unsigned percent_min)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < STORE_SOURCE_COUNT; i++) {
        sum += counts[i];
    }
    bool is_enough = true;
    for (unsigned i = 0; i < STORE_SOURCE_COUNT; i++) {
        double share = sum == 0 ? 0.0 : 100.0 * (double)counts[i] / (double)sum;
        printf("  %s: %" PRIu64 " (%.1f %%)\n", store_source_names[i], counts[i], share);
        is_enough = is_enough && share >= (double)percent_min;
    }
    return is_enough;
}

/* ---- files ---------------------------------------------------------------------------------- */

struct store_names {
    char **names;
    size_t count;
};

static int store_add_name(void *arg, const char *name)
{
    struct store_names *list = arg;
    char **grown = realloc(list->names, (list->count + 1) * sizeof *grown);
    if (grown == NULL) {
        exit(2);
    }
    list->names = grown;
    list->names[list->count] = model_alloc(strlen(name) + 1);
    memcpy(list->names[list->count], name, strlen(name) + 1);
    list->count++;
    return 0;
}

void store_files(struct sim_disk *disk, const char *path,
                 void (*each)(void *arg, const char *file, uint64_t size), void *arg)
{
    struct store_names list = {0};
    struct os_env *env = sim_disk_env(disk);
    (void)os_dir_list(env, path, store_add_name, &list, NULL);
    for (size_t i = 0; i < list.count; i++) {
        char file[512];
        uint64_t size = 0;
        bool is_dir = false;
        (void)snprintf(file, sizeof file, "%s/%s", path, list.names[i]);
        if (os_path_stat(env, file, &size, &is_dir, NULL) == YORE_OK) {
            if (is_dir) {
                store_files(disk, file, each, arg);
            } else {
                each(arg, file, size);
            }
        }
        free(list.names[i]);
    }
    free(list.names);
}

struct store_removal {
    struct os_env *env;
};

static void store_unlink(void *arg, const char *file, uint64_t size)
{
    struct store_removal *removal = arg;
    (void)size;
    (void)os_path_unlink(removal->env, file, NULL);
}

void store_remove(struct sim_disk *disk, const char *path)
{
    struct store_removal removal = {sim_disk_env(disk)};
    store_files(disk, path, store_unlink, &removal);
    (void)os_dir_remove(removal.env, path, NULL);
}
