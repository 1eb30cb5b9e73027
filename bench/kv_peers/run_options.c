/* run_options.c -- profiles and the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

int run_list_has(const char *list, const char *name)
{
    size_t size = strlen(name);
    if (strcmp(list, "all") == 0) {
        return 1;
    }
    for (const char *at = strstr(list, name); at != NULL; at = strstr(at + size, name)) {
        int is_begin = at == list || at[-1] == ',';
        int is_end = at[size] == '\0' || at[size] == ',';
        if (is_begin && is_end) {
            return 1;
        }
    }
    return 0;
}

static void usage(void)
{
    fprintf(stderr,
            "kvbench [--profile=quick|std|full] [--engines=A,B|all] [--workloads=LIST|all]\n"
            "        [--dir=DIR] [--n=KEYS] [--hist=VERSIONS] [--h=1,10,100] [--vlen=BYTES]\n"
            "        [--cache=BYTES] [--small=BYTES] [--memtable=BYTES] [--maxsec=S]\n"
            "        [--syncsec=S] [--loadsec=S] [--compression=0|1|2] [--valmode=0|1]\n"
            "        [--bloom=BITS] [--seed=N] [--range=KEYS] [--round=N] [--list]\n"
            "Numbers may end in k, m (thousands, millions), M or G (2^20, 2^30).\n"
            "workloads: fillseq fillrandom fillsync read scan overwrite narrow large bulk hist\n");
    exit(2);
}

static void set_profile(struct run_options *o, const char *name)
{
    *o = (struct run_options){
        .key_count = 2000000,
        .version_count = 2000000,
        .scan_keys = 1000,
        .seed = 42,
        .versions_per_key = {1, 10, 100},
        .shape_count = 3,
        .value_bytes = 100,
        .cache_bytes = (size_t)1 << 30,
        .small_cache_bytes = (size_t)64 << 20,
        .memtable_bytes = (size_t)64 << 20,
        .read_s = 10,
        .sync_s = 3,
        .load_s = 240,
        .compression = 1,
        .bloom_bits = 10,
        .round = 1,
        .engines = "all",
        .workloads = "all",
    };
    if (strcmp(name, "quick") == 0) {
        o->key_count = 100000;
        o->version_count = 100000;
        o->read_s = 0.25;
        o->sync_s = 0.6;
        o->load_s = 20;
        o->small_cache_bytes = (size_t)4 << 20;
        o->memtable_bytes = (size_t)8 << 20;
        o->cache_bytes = (size_t)256 << 20;
    } else if (strcmp(name, "std") == 0) {
        o->key_count = 1000000;
        o->version_count = 1000000;
        o->read_s = 1.5;
        o->sync_s = 2;
        o->load_s = 60;
        o->small_cache_bytes = (size_t)32 << 20;
    } else if (strcmp(name, "full") != 0) {
        usage();
    }
}

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    switch (*end) {
    case 'k':
        return value * 1e3;
    case 'm':
        return value * 1e6;
    case 'M':
        return value * 1048576.0;
    case 'G':
        return value * 1073741824.0;
    default:
        return value;
    }
}

static void set_shapes(struct run_options *o, const char *text)
{
    char *end;
    o->shape_count = 0;
    while (*text != '\0' && o->shape_count < RUN_HISTORY_SHAPES_MAX) {
        o->versions_per_key[o->shape_count++] = strtoull(text, &end, 10);
        if (end == text || o->versions_per_key[o->shape_count - 1] == 0) {
            usage();
        }
        text = *end == ',' ? end + 1 : end;
    }
}

static int set_text(struct run_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--engines") == 0) {
        o->engines = value;
    } else if (strcmp(name, "--workloads") == 0) {
        o->workloads = value;
    } else if (strcmp(name, "--h") == 0) {
        set_shapes(o, value);
    } else if (strcmp(name, "--dir") == 0) {
        snprintf(o->dir, sizeof o->dir, "%s", value);
        o->is_own_dir = 0;
    } else {
        return 0;
    }
    return 1;
}

static int set_size(struct run_options *o, const char *name, double value)
{
    struct {
        const char *name;
        size_t *field;
    } sizes[] = {
        {"--vlen", &o->value_bytes},
        {"--cache", &o->cache_bytes},
        {"--small", &o->small_cache_bytes},
        {"--memtable", &o->memtable_bytes},
    };
    struct {
        const char *name;
        uint64_t *field;
    } counts[] = {
        {"--n", &o->key_count},
        {"--hist", &o->version_count},
        {"--seed", &o->seed},
        {"--range", &o->scan_keys},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(name, sizes[i].name) == 0) {
            *sizes[i].field = (size_t)value;
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (strcmp(name, counts[i].name) == 0) {
            *counts[i].field = (uint64_t)value;
            return 1;
        }
    }
    return 0;
}

static int set_other(struct run_options *o, const char *name, double value)
{
    if (strcmp(name, "--maxsec") == 0) {
        o->read_s = value;
    } else if (strcmp(name, "--syncsec") == 0) {
        o->sync_s = value;
    } else if (strcmp(name, "--loadsec") == 0) {
        o->load_s = value;
    } else if (strcmp(name, "--compression") == 0) {
        o->compression = (int)value;
    } else if (strcmp(name, "--bloom") == 0) {
        o->bloom_bits = (int)value;
    } else if (strcmp(name, "--valmode") == 0) {
        o->value_mode = value != 0 ? DATA_VALUES_SIMILAR : DATA_VALUES_FRESH;
    } else if (strcmp(name, "--round") == 0) {
        o->round = (unsigned)value;
    } else {
        return 0;
    }
    return 1;
}

static void list_engines(void)
{
    for (int i = 0; kvp_engines[i] != NULL; i++) {
        printf("%s\t%s\n", kvp_engines[i]->name, kvp_engines[i]->version());
    }
    exit(0);
}

void run_options_parse(struct run_options *options, int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    const char *profile = "full";
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--profile=", 10) == 0) {
            profile = argv[i] + 10;
        }
    }
    set_profile(options, profile);
    snprintf(options->dir, sizeof options->dir, "%s/kvbench.%ld",
             tmp != NULL && *tmp != '\0' ? tmp : "/tmp", (long)getpid());
    options->is_own_dir = 1;
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (strcmp(argv[i], "--list") == 0) {
            list_engines();
        }
        if (value == NULL) {
            usage();
            return;
        }
        *value++ = '\0';
        if (strcmp(argv[i], "--profile") != 0 && !set_text(options, argv[i], value) &&
            !set_size(options, argv[i], number(value)) &&
            !set_other(options, argv[i], number(value))) {
            usage();
        }
    }
}
