/* MATCH ... FROM ... TO against its oracle: the intervals of a match are those that the answers of
 * the same pattern AS OF every moment make up.  Histories and patterns are random: facts begin and
 * end at whole seconds 0 .. SECONDS-1. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "unit/query/query_bed.h"

#define SECONDS 20
#define NODES 5
#define RELATIONSHIPS 8

static int below(struct test_rand *rand, int bound)
{
    return (int)test_rand_below(rand, (uint64_t)bound);
}

__attribute__((format(printf, 3, 4))) static void say(char *to, size_t size, const char *format,
                                                      ...)
{
    size_t used = strlen(to);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(to + used, size - used, format, arguments);
    va_end(arguments);
    CHECK(more >= 0 && used + (size_t)more < size);
}

/* ---- histories ------------------------------------------------------------------------------ */

struct history {
    struct graph_txn *txn;
    struct test_rand *rand;
    uint64_t nodes[NODES];
    uint64_t relationships[RELATIONSHIPS];
};

/* What is not there at that moment cannot be changed: such a change is simply none. */
static void expect_done_or_absent(enum yore_status st)
{
    CHECK_MSG(st == YORE_OK || st == YORE_NOT_FOUND || st == YORE_INVALID, "%s",
              yore_status_name(st));
}

static void set_number(struct history *history, struct graph_id id, const char *name)
{
    struct test_rand *rand = history->rand;
    struct graph_property one = {property(history->txn, name), integer(below(rand, 3))};
    struct graph_write write = {.from = AT(below(rand, SECONDS)), .to = YORE_FOREVER};
    expect_done_or_absent(graph_properties_set(history->txn, id, &one, 1, false, &write, NULL));
}

static void change_something(struct history *history)
{
    struct test_rand *rand = history->rand;
    struct graph_id node = {GRAPH_NODE, history->nodes[below(rand, NODES)]};
    struct graph_id relationship = {GRAPH_RELATIONSHIP,
                                    history->relationships[below(rand, RELATIONSHIPS)]};
    int kind = below(rand, 10);
    struct graph_write write = {.from = AT(below(rand, SECONDS)), .to = YORE_FOREVER};
    if (kind < 4) {
        set_number(history, node, "x");
    } else if (kind < 7) {
        set_number(history, relationship, "p");
    } else if (kind == 7) {
        uint32_t one = label(history->txn, below(rand, 2) == 0 ? "A" : "B");
        expect_done_or_absent(
            graph_labels_change(history->txn, node.id, &one, 1, below(rand, 2) == 0, &write, NULL));
    } else if (kind == 8) {
        expect_done_or_absent(graph_delete(history->txn, relationship, false, &write, NULL));
    } else if (below(rand, 3) == 0) {
        expect_done_or_absent(graph_delete(history->txn, node, true, &write, NULL));
    }
}

static void make_history(struct query_bed *bed, struct test_rand *rand)
{
    struct history history = {.rand = rand};
    query_bed_open(bed);
    history.txn = begin(&bed->graph);
    for (int i = 0; i < NODES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        history.nodes[i] =
            node_made(history.txn, name, i % 2 == 0 ? "A" : "B", AT(below(rand, 4)), YORE_FOREVER);
        set_number(&history, (struct graph_id){GRAPH_NODE, history.nodes[i]}, "x");
    }
    for (int i = 0; i < RELATIONSHIPS; i++) {
        history.relationships[i] = relationship_made(
            history.txn, below(rand, 3) == 0 ? "U" : "T", history.nodes[below(rand, NODES)],
            history.nodes[below(rand, NODES)], AT(3 + below(rand, SECONDS / 2)));
        set_number(&history, (struct graph_id){GRAPH_RELATIONSHIP, history.relationships[i]}, "p");
    }
    for (int i = 0; i < 35; i++) {
        change_something(&history);
    }
    commit(history.txn);
}

/* ---- patterns ------------------------------------------------------------------------------- */

#define HOPS_MAX 3

struct question {
    int hop_count;
    int node_variables[HOPS_MAX + 1];
    bool is_long[HOPS_MAX];
    bool is_named;
    bool is_bound; /* the first node is, by a MATCH before */
    bool is_optional;
    int told_count;
    char pattern[256];
    char where[320];
    char told[256];
};

#define SAY(to, ...) say(to, sizeof(to), __VA_ARGS__)

static void say_node(struct question *q, struct test_rand *rand, int place)
{
    q->node_variables[place] =
        place > 0 && below(rand, 8) == 0 ? q->node_variables[below(rand, place)] : place;
    SAY(q->pattern, "(n%d", q->node_variables[place]);
    if (below(rand, 4) == 0) {
        SAY(q->pattern, ":%c", "AB"[below(rand, 2)]);
    }
    if (below(rand, 6) == 0) {
        SAY(q->pattern, " {x: %d}", below(rand, 3));
    }
    SAY(q->pattern, ")");
    if (q->node_variables[place] == place) {
        SAY(q->told, "%sid(n%d)", q->told_count++ > 0 ? ", " : "", place);
    }
}

static void say_hop(struct question *q, struct test_rand *rand, int place, bool may_be_long)
{
    static const char *const types[] = {"", ":T", ":U", ":T|U"};
    static const char *const lengths[] = {"*0..2", "*1..2", "*2", "*2..3"};
    char direction = "><-"[below(rand, 3)];
    q->is_long[place] = may_be_long && below(rand, 3) == 0;
    SAY(q->pattern, "%s-[r%d%s%s", direction == '<' ? "<" : "", place, types[below(rand, 4)],
        q->is_long[place] ? lengths[below(rand, 4)] : "");
    if (below(rand, 6) == 0) {
        SAY(q->pattern, " {p: %d}", below(rand, 3));
    }
    SAY(q->pattern, "]-%s", direction == '>' ? ">" : "");
    q->told_count++;
    if (q->is_long[place]) {
        SAY(q->told, ", [y IN r%d | id(y)]", place);
    } else {
        SAY(q->told, ", id(r%d)", place);
    }
}

static const char *some_test(struct test_rand *rand)
{
    static const char *const tests[] = {"= 0", "= 1", "> 0", "<> 1", "<= 1", "IS NULL"};
    return tests[below(rand, 6)];
}

static void say_relationship_condition(struct question *q, struct test_rand *rand)
{
    int place = below(rand, q->hop_count);
    const char *test = some_test(rand);
    if (!q->is_long[place] && below(rand, 2) == 0) {
        SAY(q->where, "r%d.p %s", place, test);
    } else if (!q->is_long[place]) {
        SAY(q->where, "%s(r%d).x %s", below(rand, 2) == 0 ? "startNode" : "endNode", place, test);
    } else if (below(rand, 2) == 0) {
        SAY(q->where, "%s(y IN r%d WHERE y.p %s)", below(rand, 2) == 0 ? "all" : "any", place,
            test);
    } else {
        SAY(q->where, "endNode(r%d[0]).x = %d", place, below(rand, 3));
    }
}

static void say_path_condition(struct question *q, struct test_rand *rand)
{
    if (below(rand, 2) == 0) {
        SAY(q->where, "nodes(p)[1].x = %d", below(rand, 3));
    } else {
        SAY(q->where, "%s(y IN nodes(p) WHERE y.x %s)", below(rand, 2) == 0 ? "all" : "none",
            some_test(rand));
    }
}

static void say_condition(struct question *q, struct test_rand *rand)
{
    int a = q->node_variables[below(rand, q->hop_count + 1)];
    int b = q->node_variables[below(rand, q->hop_count + 1)];
    int kind = below(rand, 12);
    if (below(rand, 5) == 0) {
        SAY(q->where, "NOT ");
    }
    if (kind >= 8 && q->hop_count > 0) {
        say_relationship_condition(q, rand);
    } else if (kind < 5 && q->is_named) {
        say_path_condition(q, rand);
    } else if (kind == 5) {
        SAY(q->where, "n%d.x = n%d.x", a, b);
    } else if (kind == 6) {
        SAY(q->where, "n%d:%c", a, "AB"[below(rand, 2)]);
    } else if (kind == 7 && below(rand, 2) == 0) {
        SAY(q->where, below(rand, 2) == 0 ? "(n%d)-[:T]->()" : "COUNT { (n%d)--() } > 1", a);
    } else {
        SAY(q->where, "n%d.x %s", a, some_test(rand));
    }
}

static struct question new_question(struct test_rand *rand)
{
    struct question q = {.hop_count = below(rand, HOPS_MAX + 1)};
    bool may_be_long = true;
    q.is_bound = below(rand, 4) == 0;
    q.is_optional = q.is_bound && below(rand, 2) == 0;
    q.is_named = below(rand, 2) == 0;
    SAY(q.pattern, q.is_named ? "p = " : "");
    for (int i = 0; i <= q.hop_count; i++) {
        say_node(&q, rand, i);
        if (i < q.hop_count) {
            say_hop(&q, rand, i, may_be_long);
            may_be_long = may_be_long && (!q.is_long[i] || q.hop_count < 3);
        }
    }
    int condition_count = below(rand, 4);
    for (int i = 0; i < condition_count; i++) {
        SAY(q.where, i == 0 ? "WHERE " : below(rand, 3) == 0 ? " OR " : " AND ");
        say_condition(&q, rand);
    }
    return q;
}

/* ---- what every moment answers -------------------------------------------------------------- */

#define MATCHES_MAX 4096
struct held {
    char match[112];
    bool at[SECONDS];
};
struct oracle {
    struct held held[MATCHES_MAX];
    size_t count;
    char lines[MATCHES_MAX][sizeof(((struct held *)NULL)->match) + 32];
    size_t line_count;
    int64_t seconds; /* that all intervals last together */
    char answer[65536];
};

static struct held *held_find(struct oracle *oracle, const char *match, size_t size)
{
    for (size_t i = 0; i < oracle->count; i++) {
        if (strlen(oracle->held[i].match) == size &&
            memcmp(oracle->held[i].match, match, size) == 0) {
            return &oracle->held[i];
        }
    }
    CHECK(oracle->count < MATCHES_MAX && size < sizeof(oracle->held[0].match));
    struct held *made = &oracle->held[oracle->count++];
    memset(made, 0, sizeof(*made));
    memcpy(made->match, match, size);
    return made;
}

static void hold(struct oracle *oracle, const char *answer, int second)
{
    while (*answer != '\0') {
        const char *end = strstr(answer, "; ");
        size_t size = end != NULL ? (size_t)(end - answer) : strlen(answer);
        held_find(oracle, answer, size)->at[second] = true;
        answer += end != NULL ? size + 2 : size;
    }
}

static const char *before_of(const struct question *q)
{
    return q->is_bound ? "MATCH (n0) WITH n0" : "";
}

static void ask_every_moment(struct query_bed *bed, const struct question *q, struct oracle *oracle)
{
    char query[1024];
    oracle->count = 0;
    snprintf(query, sizeof(query), "%s MATCH %s AS OF $at %s RETURN DISTINCT %s", before_of(q),
             q->pattern, q->where, q->told);
    for (int second = 0; second < SECONDS; second++) {
        bed->options.parameter_count = 0;
        give(bed, "at", integer(AT(second)));
        const char *answer = ask(bed, query);
        CHECK_MSG(answer[0] != '!', "%s: %s: %s", query, answer, bed->error.error.text);
        hold(oracle, answer, second);
    }
}

static void add_line(struct oracle *oracle, const char *match, int from, int to)
{
    CHECK(oracle->line_count < MATCHES_MAX);
    snprintf(oracle->lines[oracle->line_count++], sizeof(oracle->lines[0]), "%s, %d, %d", match,
             from, to);
    oracle->seconds += to - from;
}

/* Of an OPTIONAL MATCH: a first node that has no match has a row of its own. */
static void add_lonely(struct query_bed *bed, const struct question *q, struct oracle *oracle)
{
    const char *ids = ask(bed, "MATCH (n0) RETURN id(n0)");
    while (*ids != '\0') {
        char *end;
        long id = strtol(ids, &end, 10);
        char line[128] = "";
        bool is_there = false;
        SAY(line, "%ld, ", id);
        for (size_t i = 0; i < oracle->line_count; i++) {
            is_there = is_there || strncmp(oracle->lines[i], line, strlen(line)) == 0;
        }
        for (int i = 1; i < q->told_count + 2; i++) {
            SAY(line, i > 1 ? ", null" : "null");
        }
        if (!is_there) {
            CHECK(oracle->line_count < MATCHES_MAX);
            snprintf(oracle->lines[oracle->line_count++], sizeof(oracle->lines[0]), "%s", line);
        }
        ids = *end == ';' ? end + 2 : end;
    }
}

static int order_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Lines "match, from, to" in order, of seconds [from, to). */
static const char *expected(struct query_bed *bed, const struct question *q, struct oracle *oracle,
                            int from, int to)
{
    oracle->line_count = 0;
    oracle->seconds = 0;
    for (size_t i = 0; i < oracle->count; i++) {
        const struct held *held = &oracle->held[i];
        for (int s = from; s < to; s++) {
            if (!held->at[s] || (s > from && held->at[s - 1])) {
                continue;
            }
            int end = s;
            while (end < to && held->at[end]) {
                end++;
            }
            add_line(oracle, held->match, s, end);
        }
    }
    if (q->is_optional) {
        add_lonely(bed, q, oracle);
    }
    qsort(oracle->lines, oracle->line_count, sizeof(oracle->lines[0]), order_text);
    oracle->answer[0] = '\0';
    size_t used = 0;
    for (size_t i = 0; i < oracle->line_count; i++) {
        used += (size_t)snprintf(oracle->answer + used, sizeof(oracle->answer) - used, "%s%s",
                                 i > 0 ? "; " : "", oracle->lines[i]);
        CHECK(used < sizeof(oracle->answer));
    }
    return oracle->answer;
}

static void compare_window(struct query_bed *bed, const struct question *q, struct oracle *oracle,
                           int from, int to)
{
    char query[1024];
    bed->options.parameter_count = 0;
    give(bed, "from", integer(AT(from)));
    give(bed, "to", integer(AT(to)));
    const char *want = expected(bed, q, oracle, from, to);
    snprintf(query, sizeof(query),
             "%s %s MATCH %s FROM $from TO $to %s RETURN %s, "
             "(interval().from.epochSeconds - 1000000000), "
             "(interval().to.epochSeconds - 1000000000)",
             before_of(q), q->is_optional ? "OPTIONAL" : "", q->pattern, q->where, q->told);
    test_note("%s [%d, %d)", query, from, to);
    CHECK_EQ_STR(ask_sorted(bed, query), want);
    snprintf(query, sizeof(query),
             "%s %s MATCH %s FROM $from TO $to %s WITH interval() AS i "
             "RETURN count(*), sum(i.to.epochSeconds - i.from.epochSeconds)",
             before_of(q), q->is_optional ? "OPTIONAL" : "", q->pattern, q->where);
    char counted[64];
    snprintf(counted, sizeof(counted), "%zu, %lld", oracle->line_count, (long long)oracle->seconds);
    CHECK_EQ_STR(ask(bed, query), counted);
    if (!q->is_optional) {
        snprintf(query, sizeof(query),
                 "%s RETURN coalesce(sum(COUNT { MATCH %s FROM $from TO $to %s }), 0)",
                 before_of(q), q->pattern, q->where);
        snprintf(counted, sizeof(counted), "%zu", oracle->line_count);
        CHECK_EQ_STR(ask(bed, query), counted);
    }
}

static void compare_intervals(struct query_bed *bed, const struct question *q,
                              struct test_rand *rand)
{
    static struct oracle oracle;
    ask_every_moment(bed, q, &oracle);
    compare_window(bed, q, &oracle, 0, SECONDS);
    int from = below(rand, SECONDS - 1);
    compare_window(bed, q, &oracle, from, from + 1 + below(rand, SECONDS - from - 1));
}

/* ---- cases that were wrong once ------------------------------------------------------------- */

/* Seconds of the interval, behind what else is told. */
#define SPAN "interval().from.epochSeconds - 1000000000, interval().to.epochSeconds - 1000000000"

/* a -> b -> c from 1 on; the x of b is 1, and 2 from 5 on. */
static void open_chain(struct query_bed *bed, uint64_t nodes_out[3], uint64_t hops_out[2])
{
    query_bed_open(bed);
    struct graph_txn *txn = begin(&bed->graph);
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        nodes_out[i] = node_made(txn, names[i], "N", AT(1), YORE_FOREVER);
        CHECK_OK(property_set(txn, nodes_out[i], "x", integer(1), AT(1)));
    }
    for (int i = 0; i < 2; i++) {
        hops_out[i] = relationship_made(txn, "R", nodes_out[i], nodes_out[i + 1], AT(1));
    }
    CHECK_OK(property_set(txn, nodes_out[1], "x", integer(2), AT(5)));
    commit(txn);
    give(bed, "from", integer(AT(2)));
    give(bed, "to", integer(AT(9)));
}

TEST(changes_of_nodes_between_the_relationships_of_a_long_hop_cut_its_intervals)
{
    struct query_bed bed;
    uint64_t nodes[3];
    uint64_t hops[2];
    open_chain(&bed, nodes, hops);
    ASKED(&bed, "MATCH p = ()-[*2]->() FROM $from TO $to WHERE nodes(p)[1].x = 2 RETURN " SPAN,
          "5, 9");
    ASKED(&bed,
          "MATCH p = ()-[*2]->() FROM $from TO $to WHERE all(n IN nodes(p) WHERE n.x = 1) "
          "RETURN " SPAN,
          "2, 5");
    ASKED(&bed, "MATCH ()-[rs*2]->() FROM $from TO $to WHERE endNode(rs[0]).x = 1 RETURN " SPAN,
          "2, 5");
    ASKED(&bed, "MATCH ()-[rs*2]->() FROM $from TO $to RETURN " SPAN, "2, 9");
    query_bed_close(&bed);
}

TEST(conditions_on_what_has_ended_within_the_window_are_no_errors)
{
    struct query_bed bed;
    uint64_t nodes[3];
    uint64_t hops[2];
    open_chain(&bed, nodes, hops);
    struct graph_txn *txn = begin(&bed.graph);
    struct graph_write end = {.from = AT(7), .to = YORE_FOREVER};
    CHECK_OK(graph_delete(txn, (struct graph_id){GRAPH_RELATIONSHIP, hops[0]}, false, &end, NULL));
    CHECK_OK(node_deleted(txn, nodes[2], true, AT(8)));
    commit(txn);
    ASKED(&bed, "MATCH (a)-[r]->(b) FROM $from TO $to WHERE r.x IS NULL AND b.x > 1 RETURN " SPAN,
          "5, 7");
    ASKED(&bed,
          "MATCH (a)-[rs*1..2]->(c) FROM $from TO $to WHERE all(r IN rs WHERE r.x IS NULL) "
          "RETURN size(rs), " SPAN " ORDER BY size(rs), interval().to",
          "1, 2, 7; 1, 2, 8; 2, 2, 7");
    ASKED(&bed, "MATCH (b)-->(c) FROM $from TO $to WHERE b.x = c.x + 1 RETURN " SPAN, "5, 8");
    ASKED(&bed,
          "MATCH (b {x: 2}), (c) FROM $from TO $to WHERE b.x = c.x + 1 RETURN " SPAN
          " ORDER BY interval().to",
          "5, 8; 5, 9");
    query_bed_close(&bed);
}

TEST(changes_of_what_was_bound_before_the_pattern_count_too)
{
    struct query_bed bed;
    uint64_t nodes[3];
    uint64_t hops[2];
    open_chain(&bed, nodes, hops);
    ASKED(&bed, "MATCH (n {externalId: 'b'}) MATCH (n {x: 2})-->() FROM $from TO $to RETURN " SPAN,
          "5, 9");
    ASKED(&bed,
          "MATCH (n {externalId: 'b'}) MATCH (n {x: 1})-->() FROM $from TO $to RETURN n.x, " SPAN,
          "2, 2, 5");
    query_bed_close(&bed);
}

/* Made anew at the moment at which it ends, it is another element: its intervals touch and are two,
 * as what is bound differs. */
TEST(an_interval_is_of_one_incarnation_though_the_next_begins_where_it_ends)
{
    struct query_bed bed;
    uint64_t nodes[3];
    uint64_t hops[2];
    open_chain(&bed, nodes, hops);
    struct graph_txn *txn = begin(&bed.graph);
    CHECK_OK(node_deleted(txn, nodes[2], true, AT(6)));
    node_made(txn, "c", "N", AT(6), YORE_FOREVER);
    commit(txn);
    ASKED(&bed,
          "MATCH (n {externalId: 'c'}) FROM $from TO $to RETURN " SPAN " ORDER BY interval().to",
          "2, 6; 6, 9");
    ASKED(&bed, "MATCH (n {externalId: 'c'}) FROM $from TO $to RETURN count(DISTINCT id(n))", "2");
    query_bed_close(&bed);
}

TEST(intervals_stand_in_subqueries_as_well)
{
    struct query_bed bed;
    uint64_t nodes[3];
    uint64_t hops[2];
    open_chain(&bed, nodes, hops);
    ASKED(&bed, "RETURN COUNT { MATCH (n) FROM $from TO $to WHERE n.x = 1 }", "3");
    ASKED(&bed,
          "MATCH (m) WHERE EXISTS { MATCH (m)-->(n) FROM $from TO $to WHERE n.x = 2 } "
          "RETURN m.externalId",
          "'a'");
    ASKED(&bed,
          "RETURN COLLECT { MATCH (n {x: 1}) FROM $from TO $to RETURN n.externalId "
          "ORDER BY n.externalId }",
          "['a', 'b', 'c']");
    ASKED(&bed,
          "MATCH (m) FROM $from TO $to "
          "WHERE EXISTS { MATCH (m)-->(n) WHERE EXISTS { MATCH (n {x: 2}) } } "
          "RETURN m.externalId, " SPAN,
          "'a', 5, 9");
    ASKED(&bed,
          "FROM $from TO $to MATCH (m) RETURN m.externalId, COUNT { MATCH (m)-->(n) } "
          "ORDER BY m.externalId",
          "'a', 1; 'b', 1; 'c', 0");
    query_bed_close(&bed);
}

/* ---- random ones ---------------------------------------------------------------------------- */

#define QUESTIONS_PER_HISTORY 25

TEST(intervals_are_those_of_the_answers_at_every_moment)
{
    struct test_rand rand = test_rand_new(2);
    for (uint64_t round = 0; round < test_scale(10, 400); round++) {
        struct query_bed bed;
        make_history(&bed, &rand);
        for (int i = 0; i < QUESTIONS_PER_HISTORY; i++) {
            struct question q = new_question(&rand);
            compare_intervals(&bed, &q, &rand);
        }
        query_bed_close(&bed);
    }
}

TEST_MAIN(intervals_stand_in_subqueries_as_well,
          changes_of_nodes_between_the_relationships_of_a_long_hop_cut_its_intervals,
          conditions_on_what_has_ended_within_the_window_are_no_errors,
          changes_of_what_was_bound_before_the_pattern_count_too,
          an_interval_is_of_one_incarnation_though_the_next_begins_where_it_ends,
          intervals_are_those_of_the_answers_at_every_moment)
