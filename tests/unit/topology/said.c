#include "unit/topology/said.h"

#include <stdio.h>
#include <string.h>

#include "topology/ingest.h"

struct yore_graph_word *node_word(struct said *said, const char *id, const char *label_name,
                                  const char *property_name, int64_t value)
{
    *said = (struct said){.word = {.element = YORE_GRAPH_ELEMENT_NODE,
                                   .external_id = text(id),
                                   .from = YORE_NOW,
                                   .to = YORE_FOREVER}};
    if (label_name != NULL) {
        said->labels[0] = text(label_name);
        said->word.labels = said->labels;
        said->word.label_count = 1;
    }
    if (property_name != NULL) {
        said->entries[0] = (struct yore_graph_entry){text(property_name), integer(value)};
        said->word.properties = (struct yore_graph_map){said->entries, 1};
    }
    return &said->word;
}

struct yore_graph_word *relationship_word(struct said *said, const char *id, const char *start,
                                          const char *end)
{
    node_word(said, id, NULL, NULL, 0);
    said->word.element = YORE_GRAPH_ELEMENT_RELATIONSHIP;
    said->word.type = text("CALLS");
    said->word.start = text(start);
    said->word.end = text(end);
    return &said->word;
}

struct yore_graph_ingest_tally say(struct graph_bed *bed, const char *source,
                                   const struct yore_graph_word *word)
{
    struct graph_speech speech = {text(source), word, 1, YORE_DURABILITY_DEFAULT};
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {0};
    enum yore_status st = graph_ingest(bed->graph, &speech, &tally, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return tally;
}

void say_node(struct graph_bed *bed, const char *source, const char *id, int64_t from)
{
    struct said said;
    node_word(&said, id, "Pod", "seen_by", source[0])->from = from;
    say(bed, source, &said.word);
}

void say_call(struct graph_bed *bed, const char *source, const char *start, const char *end,
              int64_t from)
{
    char id[64];
    struct said said;
    snprintf(id, sizeof id, "%s>%s", start, end);
    relationship_word(&said, id, start, end)->from = from;
    say(bed, source, &said.word);
}

void take_back(struct graph_bed *bed, const char *source, enum yore_graph_element element,
               const char *id, int64_t from)
{
    struct yore_graph_word word = {.element = element,
                                   .external_id = text(id),
                                   .removes = true,
                                   .from = from,
                                   .to = YORE_FOREVER};
    say(bed, source, &word);
}

/* The id at a moment; 0: none. */
uint64_t id_at(struct graph_bed *bed, enum graph_element element, const char *id, int64_t valid)
{
    struct graph_view *view = view_at(bed, NULL, valid);
    uint64_t found = 0;
    enum yore_status st = element == GRAPH_NODE
                              ? graph_node_find(view, text(id), &found, NULL)
                              : graph_relationship_find(view, text(id), &found, NULL);
    graph_view_close(view);
    CHECK(st == YORE_OK || st == YORE_NOT_FOUND);
    return st == YORE_OK ? found : 0;
}

int64_t value_at(struct graph_bed *bed, const char *id, const char *name, int64_t valid)
{
    uint64_t node = id_at(bed, GRAPH_NODE, id, valid);
    return node != 0 ? property_of(bed, valid, node, name) : -2;
}

static int count_one(void *arg, const struct yore_graph_pending *pending)
{
    (void)pending;
    (*(unsigned *)arg)++;
    return 0;
}

unsigned pending_at(struct graph_bed *bed, int64_t valid)
{
    unsigned count = 0;
    struct yore_time at = {valid, YORE_NOW};
    CHECK_OK(graph_pending(bed->graph, valid == YORE_NOW ? NULL : &at, count_one, &count, NULL));
    return count;
}

static void print_problem(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

void close_whole(struct graph_bed *bed)
{
    struct yore_error error = {0};
    enum yore_status st = graph_verify(bed->graph, print_problem, NULL, NULL, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    graph_bed_close(bed);
}

struct yore_graph_ingest_tally settle(struct graph_bed *bed)
{
    struct yore_graph_ingest_tally tally = {0};
    struct yore_error error = {0};
    enum yore_status st = graph_settle(bed->graph, &tally, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return tally;
}
