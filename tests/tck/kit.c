#include "tck/kit.h"

#include <stdio.h>
#include <string.h>
#include <zstd.h>

struct yore_bytes kit_file(struct kit *kit, const char *directory, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        return bytes_of(NULL, 0);
    }
    struct yore_bytes content = {NULL, 0};
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    rewind(file);
    void *data = size > 0 ? arena_alloc(&kit->arena, (size_t)size) : NULL;
    if (data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size) {
        content = bytes_of(data, (size_t)size);
    }
    fclose(file);
    return content;
}

static bool unpack(struct kit *kit, struct yore_bytes packed, struct yore_bytes *text_out)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.size);
    size_t capacity = size == ZSTD_CONTENTSIZE_UNKNOWN ? packed.size * 64 : (size_t)size;
    void *text = size == ZSTD_CONTENTSIZE_ERROR ? NULL : arena_alloc(&kit->arena, capacity);
    size_t got = text == NULL ? 0 : ZSTD_decompress(text, capacity, packed.data, packed.size);
    *text_out = bytes_of(text, got);
    return text != NULL && ZSTD_isError(got) == 0;
}

static bool is_true(const struct json_tree *object, const char *name)
{
    const struct json_tree *member = json_tree_member(object, name);
    return member != NULL && member->kind == TREE_BOOL && member->boolean;
}

static bool is_word(struct yore_bytes text, const char *word)
{
    return bytes_equal(text, bytes_of(word, strlen(word)));
}

static bool read_expectation(const struct json_tree *tree, struct kit_expectation *expect)
{
    struct yore_bytes kind = json_tree_text(tree, "kind");
    expect->outcome = is_word(kind, "rows")    ? KIT_ROWS
                      : is_word(kind, "empty") ? KIT_EMPTY
                      : is_word(kind, "error") ? KIT_ERROR
                                               : 0;
    expect->is_ordered = is_true(tree, "ordered");
    expect->lists_unordered = is_true(tree, "lists_unordered");
    expect->columns = json_tree_member(tree, "columns");
    expect->rows = json_tree_member(tree, "rows");
    expect->type = json_tree_text(tree, "type");
    expect->phase = json_tree_text(tree, "phase");
    expect->detail = json_tree_text(tree, "detail");
    return expect->outcome != KIT_ROWS || (expect->columns != NULL && expect->rows != NULL)
               ? expect->outcome != 0
               : false;
}

static bool read_scenario(const struct json_tree *tree, struct kit_scenario *scenario)
{
    const struct json_tree *control = json_tree_member(tree, "control");
    scenario->id = json_tree_text(tree, "id");
    scenario->category = json_tree_text(tree, "category");
    scenario->graph = json_tree_text(tree, "graph");
    scenario->setup = json_tree_member(tree, "setup");
    scenario->parameters = json_tree_member(tree, "params");
    scenario->procedures = json_tree_member(tree, "procedures");
    scenario->query = json_tree_text(tree, "query");
    scenario->expect.effects = json_tree_member(tree, "effects");
    if (control != NULL) {
        scenario->control_query = json_tree_text(control, "query");
        if (!read_expectation(json_tree_member(control, "expect"), &scenario->control)) {
            return false;
        }
    }
    return scenario->id.size > 0 && scenario->query.size > 0 && scenario->setup != NULL &&
           read_expectation(json_tree_member(tree, "expect"), &scenario->expect);
}

static size_t line_count(struct yore_bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += ((const char *)text.data)[i] == '\n';
    }
    return count;
}

static bool read_lines(struct kit *kit, struct yore_bytes text)
{
    struct kit_scenario *scenarios =
        arena_alloc(&kit->arena, (line_count(text) + 1) * sizeof(*scenarios));
    const char *at = text.data;
    const char *end = at + text.size;
    while (scenarios != NULL && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        const struct json_tree *tree =
            json_tree_parse(bytes_of(at, (size_t)(stop - at)), &kit->arena);
        struct kit_scenario *scenario = &scenarios[kit->count];
        memset(scenario, 0, sizeof(*scenario));
        if (tree == NULL || !read_scenario(tree, scenario)) {
            fprintf(stderr, "line %zu of the kit is not a scenario\n", kit->count + 1);
            return false;
        }
        kit->count++;
        at = newline == NULL ? end : newline + 1;
    }
    kit->scenarios = scenarios;
    return scenarios != NULL;
}

bool kit_open(struct kit *kit, const char *directory)
{
    struct yore_bytes text;
    memset(kit, 0, sizeof(*kit));
    arena_init(&kit->arena, 0);
    struct yore_bytes packed = kit_file(kit, directory, "tck-dev.ndjson.zst");
    if (packed.size > 0 && unpack(kit, packed, &text) && read_lines(kit, text)) {
        return true;
    }
    kit_close(kit);
    return false;
}

void kit_close(struct kit *kit)
{
    arena_release(&kit->arena);
    kit->scenarios = NULL;
    kit->count = 0;
}
