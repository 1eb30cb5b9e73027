#include "integration/match_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int below(struct test_rand *rand, int bound)
{
    return (int)test_rand_below(rand, (uint64_t)bound);
}

static bool one_in(struct test_rand *rand, int n)
{
    return below(rand, n) == 0;
}

__attribute__((format(printf, 2, 3))) static void say(struct buffer *to, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    CHECK(size >= 0 && (size_t)size < sizeof(text));
    buffer_append(to, text, (size_t)size);
}

/* ---- changes ---------------------------------------------------------------------------------
 */

static void say_number(struct buffer *to, const char *name, int number)
{
    if (number != MODEL_NULL) {
        say(to, ", %s: %d", name, number);
    }
}

static void add_node(struct model_state *state, struct test_rand *rand, struct buffer *to)
{
    int place = state->node_count++;
    struct model_node *node = &state->nodes[place];
    *node = (struct model_node){true, {one_in(rand, 2), one_in(rand, 2)}, below(rand, 4) - 1};
    say(to, "CREATE (%s%s {id: %d", node->labels[0] ? ":A" : "", node->labels[1] ? ":B" : "",
        place + 1);
    say_number(to, "x", node->x);
    say(to, "})");
}

static int some_node(const struct model_state *state, struct test_rand *rand)
{
    int place = state->node_count == 0 ? 0 : below(rand, state->node_count);
    for (int i = 0; i < state->node_count; i++) {
        if (state->nodes[(place + i) % state->node_count].is_there) {
            return (place + i) % state->node_count;
        }
    }
    return -1;
}

static void add_relationship(struct model_state *state, struct test_rand *rand, struct buffer *to)
{
    int place = state->relationship_count++;
    struct model_relationship *relationship = &state->relationships[place];
    *relationship = (struct model_relationship){true, below(rand, 3), some_node(state, rand),
                                                some_node(state, rand), below(rand, 3) - 1};
    say(to, "MATCH (a {id: %d}), (b {id: %d}) CREATE (a)-[:%c {id: %d", relationship->from + 1,
        relationship->to + 1, "RST"[relationship->type], place + 101);
    say_number(to, "w", relationship->w);
    say(to, "}]->(b)");
}

static void delete_node(struct model_state *state, int place, struct buffer *to)
{
    state->nodes[place].is_there = false;
    for (int i = 0; i < state->relationship_count; i++) {
        struct model_relationship *relationship = &state->relationships[i];
        if (relationship->from == place || relationship->to == place) {
            relationship->is_there = false;
        }
    }
    say(to, "MATCH (n {id: %d}) DETACH DELETE n", place + 1);
}

static void change_node(struct model_state *state, int place, struct test_rand *rand,
                        struct buffer *to)
{
    struct model_node *node = &state->nodes[place];
    int label = below(rand, 3);
    if (label == 2) {
        node->x = below(rand, 4) - 1;
        say(to, "MATCH (n {id: %d}) SET n.x = ", place + 1);
        if (node->x == MODEL_NULL) {
            say(to, "null");
        } else {
            say(to, "%d", node->x);
        }
        return;
    }
    node->labels[label] = !node->labels[label];
    say(to, "MATCH (n {id: %d}) %s n:%c", place + 1, node->labels[label] ? "SET" : "REMOVE",
        "AB"[label]);
}

static void delete_relationship(struct model_state *state, int place, struct buffer *to)
{
    state->relationships[place].is_there = false;
    say(to, "MATCH ()-[r {id: %d}]->() DELETE r", place + 101);
}

static void change_one(struct model_state *state, struct test_rand *rand, struct buffer *to)
{
    int node = some_node(state, rand);
    int kind = below(rand, 20);
    bool has_room = state->node_count < MODEL_NODES_MAX;
    if (node < 0 || (kind < 4 && has_room)) {
        if (has_room) {
            add_node(state, rand, to);
        }
    } else if (kind < 10 && state->relationship_count < MODEL_RELATIONSHIPS_MAX) {
        add_relationship(state, rand, to);
    } else if (kind < 12 && state->relationship_count > 0) {
        delete_relationship(state, below(rand, state->relationship_count), to);
    } else if (kind < 16) {
        change_node(state, node, rand, to);
    } else {
        delete_node(state, node, to);
    }
}

void model_change(struct model_state *state, struct test_rand *rand, struct texts *statements)
{
    int count = 2 + below(rand, 6);
    for (int i = 0; i < count; i++) {
        struct buffer text = {0};
        change_one(state, rand, &text);
        if (text.size > 0) {
            *texts_push(statements) = text;
        }
    }
}

/* ---- queries ---------------------------------------------------------------------------------
 */

#define VARIABLES_MAX 16
#define LENGTH_MAX 2
#define WAY_MAX 8 /* relationships that a way of variable length can have here */

struct node_wish {
    int variable;
    int label;
    int x;
};
struct hop_wish {
    int variable;
    unsigned types; /* bits; 0: any */
    char direction; /* '>', '<', '-' */
    bool is_variable_length;
    int minimum;
    int maximum;
    int w;
    int w_of; /* its w is the x of this node, which may be bound later */
};
struct path_wish {
    int variable;
    int length;
    struct node_wish nodes[LENGTH_MAX + 1];
    struct hop_wish hops[LENGTH_MAX];
};

enum condition_kind {
    CONDITION_NONE,
    CONDITION_NUMBER,  /* a.x op number */
    CONDITION_NUMBERS, /* a.x op b.x */
    CONDITION_NULL,
    CONDITION_LABEL,
    CONDITION_PATTERN,
    CONDITION_EXISTS,
    CONDITION_COUNT
};
struct condition {
    enum condition_kind kind;
    bool is_negated;
    int a;
    int b;
    int operator; /* of = <> < >= */
    int number;
    struct path_wish path;
};

struct clause_wish {
    bool is_optional;
    int path_count;
    struct path_wish paths[2];
    struct condition conditions[2];
    bool is_or;
    int moment; /* MODEL_NULL: the statement's */
};

struct model_query {
    int clause_count;
    struct clause_wish clauses[3];
    int node_count; /* variables n0, n1, ... */
    int hop_count;  /* r0, r1, ... */
    bool is_list[VARIABLES_MAX];
    int path_count; /* p0, p1, ... */
};

static struct node_wish new_node_wish(struct model_query *query, struct test_rand *rand)
{
    struct node_wish node = {MODEL_NULL, MODEL_NULL, MODEL_NULL};
    int kind = below(rand, 20);
    if (kind < 9 && query->node_count > 0) {
        node.variable = below(rand, query->node_count);
    } else if (kind < 16 && query->node_count < VARIABLES_MAX) {
        node.variable = query->node_count++;
    }
    node.label = one_in(rand, 3) ? below(rand, 2) : MODEL_NULL;
    node.x = one_in(rand, 4) ? below(rand, 2) : MODEL_NULL;
    return node;
}

static struct hop_wish new_hop_wish(struct model_query *query, struct test_rand *rand)
{
    struct hop_wish hop = {MODEL_NULL, 0,         "><-"[below(rand, 3)], one_in(rand, 4), 1, 1,
                           MODEL_NULL, MODEL_NULL};
    if (hop.is_variable_length) {
        hop.minimum = below(rand, 3);
        hop.maximum = hop.minimum + below(rand, 3);
    }
    if (one_in(rand, 2) && query->hop_count < VARIABLES_MAX) {
        query->is_list[query->hop_count] = hop.is_variable_length;
        hop.variable = query->hop_count++;
    }
    hop.types = one_in(rand, 2) ? 0 : 1 + (unsigned)below(rand, 6);
    hop.w = one_in(rand, 7) ? 1 : MODEL_NULL;
    return hop;
}

static void new_path_wish(struct model_query *query, struct test_rand *rand, struct path_wish *path)
{
    path->variable = MODEL_NULL;
    path->length = below(rand, LENGTH_MAX + 1);
    for (int i = 0; i <= path->length; i++) {
        path->nodes[i] = new_node_wish(query, rand);
        if (i < path->length) {
            path->hops[i] = new_hop_wish(query, rand);
        }
    }
    if (one_in(rand, 4) && query->path_count < VARIABLES_MAX) {
        path->variable = query->path_count++;
    }
}

static void new_condition(const struct model_query *query, struct test_rand *rand,
                          struct condition *condition)
{
    if (query->node_count == 0 || one_in(rand, 2)) {
        return;
    }
    condition->kind = (enum condition_kind)(1 + below(rand, CONDITION_COUNT));
    condition->is_negated = one_in(rand, 4);
    condition->a = below(rand, query->node_count);
    condition->b = below(rand, query->node_count);
    condition->operator= below(rand, 4);
    condition->number = below(rand, 3);
    struct path_wish *path = &condition->path;
    struct hop_wish hop = {MODEL_NULL, 0,         "><-"[below(rand, 3)], false, 1, 1,
                           MODEL_NULL, MODEL_NULL};
    hop.types = one_in(rand, 2) ? 0 : 1 + (unsigned)below(rand, 6);
    *path = (struct path_wish){.variable = MODEL_NULL, .length = 1, .hops = {hop}};
    path->nodes[0] = (struct node_wish){condition->a, MODEL_NULL, MODEL_NULL};
    path->nodes[1] = (struct node_wish){one_in(rand, 3) ? condition->b : MODEL_NULL,
                                        one_in(rand, 3) ? below(rand, 2) : MODEL_NULL, MODEL_NULL};
}

/* Properties of relationships that hang on nodes of this clause, or of those before. */
static void new_dependences(const struct model_query *query, struct test_rand *rand,
                            struct clause_wish *clause)
{
    for (int i = 0; i < clause->path_count && query->node_count > 0; i++) {
        for (int k = 0; k < clause->paths[i].length; k++) {
            struct hop_wish *hop = &clause->paths[i].hops[k];
            if (hop->w == MODEL_NULL && one_in(rand, 6)) {
                hop->w_of = below(rand, query->node_count);
            }
        }
    }
}

struct model_query *model_query_new(struct test_rand *rand)
{
    struct model_query *query = calloc(1, sizeof(*query));
    CHECK(query != NULL);
    query->clause_count = 1 + below(rand, 3);
    for (int i = 0; i < query->clause_count; i++) {
        struct clause_wish *clause = &query->clauses[i];
        clause->is_optional = i > 0 && one_in(rand, 2);
        clause->path_count = one_in(rand, 4) ? 2 : 1;
        for (int k = 0; k < clause->path_count; k++) {
            new_path_wish(query, rand, &clause->paths[k]);
        }
        new_dependences(query, rand, clause);
        new_condition(query, rand, &clause->conditions[0]);
        new_condition(query, rand, &clause->conditions[1]);
        clause->is_or = one_in(rand, 2);
        clause->moment = !one_in(rand, 3) ? below(rand, MODEL_STATES) : MODEL_NULL;
    }
    return query;
}

void model_query_free(struct model_query *query)
{
    free(query);
}

/* ---- text ------------------------------------------------------------------------------------
 */

static void say_node(struct buffer *to, const struct node_wish *node)
{
    say(to, "(");
    if (node->variable != MODEL_NULL) {
        say(to, "n%d", node->variable);
    }
    if (node->label != MODEL_NULL) {
        say(to, ":%c", "AB"[node->label]);
    }
    if (node->x != MODEL_NULL) {
        say(to, " {x: %d}", node->x);
    }
    say(to, ")");
}

static void say_hop(struct buffer *to, const struct hop_wish *hop)
{
    say(to, hop->direction == '<' ? "<-[" : "-[");
    if (hop->variable != MODEL_NULL) {
        say(to, "r%d", hop->variable);
    }
    const char *between = ":";
    for (int i = 0; i < 3; i++) {
        if ((hop->types >> i & 1) != 0) {
            say(to, "%s%c", between, "RST"[i]);
            between = "|";
        }
    }
    if (hop->is_variable_length) {
        say(to, "*%d..%d", hop->minimum, hop->maximum);
    }
    if (hop->w != MODEL_NULL) {
        say(to, " {w: %d}", hop->w);
    } else if (hop->w_of != MODEL_NULL) {
        say(to, " {w: n%d.x}", hop->w_of);
    }
    say(to, hop->direction == '>' ? "]->" : "]-");
}

static void say_path(struct buffer *to, const struct path_wish *path)
{
    if (path->variable != MODEL_NULL) {
        say(to, "p%d = ", path->variable);
    }
    for (int i = 0; i <= path->length; i++) {
        say_node(to, &path->nodes[i]);
        if (i < path->length) {
            say_hop(to, &path->hops[i]);
        }
    }
}

static void say_condition(struct buffer *to, const struct condition *condition)
{
    static const char *const operators[] = {"=", "<>", "<", ">="};
    say(to, condition->is_negated ? "NOT (" : "(");
    switch (condition->kind) {
    case CONDITION_NUMBER:
        say(to, "n%d.x %s %d", condition->a, operators[condition->operator], condition->number);
        break;
    case CONDITION_NUMBERS:
        say(to, "n%d.x %s n%d.x", condition->a, operators[condition->operator], condition->b);
        break;
    case CONDITION_NULL:
        say(to, "n%d.x IS NULL", condition->a);
        break;
    case CONDITION_LABEL:
        say(to, "n%d:%c", condition->a, "AB"[condition->number % 2]);
        break;
    default:
        say(to, condition->kind == CONDITION_PATTERN  ? ""
                : condition->kind == CONDITION_EXISTS ? "EXISTS { "
                                                      : "COUNT { ");
        say_path(to, &condition->path);
        say(to, condition->kind == CONDITION_PATTERN  ? ""
                : condition->kind == CONDITION_EXISTS ? " }"
                                                      : " } > 1");
        break;
    }
    say(to, ")");
}

static void say_clause(struct buffer *to, const struct clause_wish *clause)
{
    say(to, clause->is_optional ? "OPTIONAL MATCH " : "MATCH ");
    for (int i = 0; i < clause->path_count; i++) {
        say(to, i == 0 ? "" : ", ");
        say_path(to, &clause->paths[i]);
    }
    if (clause->moment != MODEL_NULL) {
        say(to, " AS OF $m%d", clause->moment);
    }
    const char *word = " WHERE ";
    for (int i = 0; i < 2; i++) {
        if (clause->conditions[i].kind != CONDITION_NONE) {
            say(to, "%s", word);
            say_condition(to, &clause->conditions[i]);
            word = clause->is_or ? " OR " : " AND ";
        }
    }
    say(to, " ");
}

void model_query_text(const struct model_query *query, struct buffer *to)
{
    for (int i = 0; i < query->clause_count; i++) {
        say_clause(to, &query->clauses[i]);
    }
    say(to, "RETURN 0");
    for (int i = 0; i < query->node_count; i++) {
        say(to, ", n%d.id, n%d.x", i, i);
    }
    for (int i = 0; i < query->hop_count; i++) {
        say(to, query->is_list[i] ? ", [x IN r%d | x.id] AS l%d" : ", r%d.id AS l%d", i, i);
    }
    for (int i = 0; i < query->path_count; i++) {
        say(to, ", [x IN nodes(p%d) | x.id] + [x IN relationships(p%d) | x.id] AS w%d", i, i, i);
    }
}

/* ---- matching by trying everything ------------------------------------------------------------
 */

#define UNBOUND (-1)
#define NOTHING (-2) /* null, after an OPTIONAL MATCH */

struct way {
    int count; /* UNBOUND, NOTHING */
    int ids[LENGTH_MAX * WAY_MAX * 2 + 1];
};

struct row {
    int nodes[VARIABLES_MAX];
    const struct model_state *seen[VARIABLES_MAX]; /* when a node was bound: its properties */
    struct way hops[VARIABLES_MAX];
    struct way paths[VARIABLES_MAX];
};

#define ROWS_MAX 2000

struct rows {
    struct row *items;
    size_t count;
    bool is_over;
};

struct search {
    const struct model_state *state;
    const struct path_wish *paths;
    int path_count;
    struct rows *found;
    const struct condition *conditions; /* NULL: none */
    bool is_or;
    struct row row;
    bool is_used[MODEL_RELATIONSHIPS_MAX]; /* by this match of the clause */
    int nodes[LENGTH_MAX * WAY_MAX + 1];   /* of the way at work */
    int hops[LENGTH_MAX * WAY_MAX];
    int hop_count;
    int waits[2 * LENGTH_MAX * WAY_MAX][2]; /* relationship and node: w of it is x of that */
    int wait_count;
};

static void search_path(struct search *s, int path);

static bool node_fits(const struct search *s, const struct node_wish *wish, int place)
{
    const struct model_node *node = &s->state->nodes[place];
    int bound = wish->variable == MODEL_NULL ? UNBOUND : s->row.nodes[wish->variable];
    return node->is_there && (bound == UNBOUND || bound == place) &&
           (wish->label == MODEL_NULL || node->labels[wish->label]) &&
           (wish->x == MODEL_NULL || node->x == wish->x);
}

/* Returns whether it was bound here, to be undone. */
static bool bind_node(struct search *s, const struct node_wish *wish, int place)
{
    if (wish->variable == MODEL_NULL || s->row.nodes[wish->variable] != UNBOUND) {
        return false;
    }
    s->row.nodes[wish->variable] = place;
    s->row.seen[wish->variable] = s->state;
    return true;
}

static void unbind_node(struct search *s, const struct node_wish *wish, bool was_bound)
{
    if (was_bound) {
        s->row.nodes[wish->variable] = UNBOUND;
    }
}

static void search_hops(struct search *s, int path, int hop, int taken);

/* A hop is long enough: its far end, then the next hop, or the next path. */
static void end_hop(struct search *s, int path, int hop, int taken)
{
    const struct path_wish *wish = &s->paths[path];
    const struct hop_wish *hop_wish = &wish->hops[hop];
    int place = s->nodes[s->hop_count];
    if (!node_fits(s, &wish->nodes[hop + 1], place)) {
        return;
    }
    bool was_bound = bind_node(s, &wish->nodes[hop + 1], place);
    if (hop_wish->variable != MODEL_NULL) {
        struct way *way = &s->row.hops[hop_wish->variable];
        way->count = taken;
        for (int i = 0; i < taken; i++) {
            way->ids[i] = s->hops[s->hop_count - taken + i];
        }
    }
    int wait_count = s->wait_count;
    for (int i = 0; i < taken && hop_wish->w_of != MODEL_NULL; i++) {
        s->waits[s->wait_count][0] = s->hops[s->hop_count - taken + i];
        s->waits[s->wait_count++][1] = hop_wish->w_of;
    }
    search_hops(s, path, hop + 1, 0);
    s->wait_count = wait_count;
    if (hop_wish->variable != MODEL_NULL) {
        s->row.hops[hop_wish->variable].count = UNBOUND;
    }
    unbind_node(s, &wish->nodes[hop + 1], was_bound);
}

/* One relationship further, in either direction that fits. */
static void take_relationship(struct search *s, int path, int hop, int taken, int place)
{
    const struct hop_wish *wish = &s->paths[path].hops[hop];
    const struct model_relationship *r = &s->state->relationships[place];
    int at = s->nodes[s->hop_count];
    bool fits = r->is_there && !s->is_used[place] &&
                (wish->types == 0 || (wish->types >> r->type & 1) != 0) &&
                (wish->w == MODEL_NULL || r->w == wish->w);
    for (int turn = 0; turn < 2 && fits; turn++) {
        bool is_forward = turn == 0;
        bool goes = is_forward ? wish->direction != '<' && r->from == at
                               : wish->direction != '>' && r->to == at &&
                                     !(r->from == r->to && wish->direction == '-');
        if (goes) {
            s->is_used[place] = true;
            s->hops[s->hop_count++] = place;
            s->nodes[s->hop_count] = is_forward ? r->to : r->from;
            search_hops(s, path, hop, taken + 1);
            s->hop_count--;
            s->is_used[place] = false;
        }
    }
}

static void end_path(struct search *s, int path)
{
    const struct path_wish *wish = &s->paths[path];
    if (wish->variable != MODEL_NULL) {
        struct way *way = &s->row.paths[wish->variable];
        way->count = 2 * s->hop_count + 1;
        for (int i = 0; i <= s->hop_count; i++) {
            way->ids[i] = s->nodes[i] + 1;
        }
        for (int i = 0; i < s->hop_count; i++) {
            way->ids[s->hop_count + 1 + i] = s->hops[i] + 101;
        }
    }
    int hop_count = s->hop_count;
    int nodes[LENGTH_MAX * WAY_MAX + 1];
    int hops[LENGTH_MAX * WAY_MAX];
    memcpy(nodes, s->nodes, sizeof(nodes));
    memcpy(hops, s->hops, sizeof(hops));
    search_path(s, path + 1);
    memcpy(s->nodes, nodes, sizeof(nodes));
    memcpy(s->hops, hops, sizeof(hops));
    s->hop_count = hop_count;
    if (wish->variable != MODEL_NULL) {
        s->row.paths[wish->variable].count = UNBOUND;
    }
}

static void search_hops(struct search *s, int path, int hop, int taken)
{
    const struct path_wish *wish = &s->paths[path];
    if (hop == wish->length) {
        end_path(s, path);
        return;
    }
    if (taken >= wish->hops[hop].minimum) {
        end_hop(s, path, hop, taken);
    }
    for (int i = 0; i < s->state->relationship_count && taken < wish->hops[hop].maximum; i++) {
        take_relationship(s, path, hop, taken, i);
    }
}

/* ---- conditions ------------------------------------------------------------------------------
 */

enum truth { NO, YES, UNKNOWN };

static enum truth truth_of(bool is_true)
{
    return is_true ? YES : NO;
}

static int x_of(const struct row *row, int variable)
{
    int place = row->nodes[variable];
    return place < 0 ? MODEL_NULL : row->seen[variable]->nodes[place].x;
}

static enum truth compare(int a, int operator, int b)
{
    if (a == MODEL_NULL || b == MODEL_NULL) {
        return UNKNOWN;
    }
    return truth_of(operator== 0 ? a == b : operator== 1 ? a != b : operator== 2 ? a < b : a >= b);
}

static size_t count_path(const struct model_state *state, const struct row *row,
                         const struct path_wish *path)
{
    for (int i = 0; i <= path->length; i++) {
        int variable = path->nodes[i].variable;
        if (variable != MODEL_NULL && row->nodes[variable] == NOTHING) {
            return 0;
        }
    }
    struct rows found = {NULL, 0, false};
    struct search s = {
        .state = state, .paths = path, .path_count = 1, .found = &found, .row = *row};
    search_path(&s, 0);
    free(found.items);
    return found.count;
}

static enum truth condition_truth(const struct model_state *state, const struct row *row,
                                  const struct condition *c)
{
    int place = row->nodes[c->a];
    enum truth truth = NO;
    switch (c->kind) {
    case CONDITION_NUMBER:
        truth = compare(x_of(row, c->a), c->operator, c->number);
        break;
    case CONDITION_NUMBERS:
        truth = compare(x_of(row, c->a), c->operator, x_of(row, c->b));
        break;
    case CONDITION_NULL:
        truth = truth_of(x_of(row, c->a) == MODEL_NULL);
        break;
    case CONDITION_LABEL:
        truth = place < 0 ? UNKNOWN : truth_of(row->seen[c->a]->nodes[place].labels[c->number % 2]);
        break;
    case CONDITION_COUNT:
        truth = truth_of(count_path(state, row, &c->path) > 1);
        break;
    default:
        truth = truth_of(count_path(state, row, &c->path) > 0);
        break;
    }
    return c->is_negated && truth != UNKNOWN ? truth_of(truth == NO) : truth;
}

/* What waited for a node to be bound. */
static bool waits_pass(const struct search *s)
{
    for (int i = 0; i < s->wait_count; i++) {
        int w = s->state->relationships[s->waits[i][0]].w;
        if (compare(w, 0, x_of(&s->row, s->waits[i][1])) != YES) {
            return false;
        }
    }
    return true;
}

/* WHERE keeps what is true; AND and OR of two, either of which may be missing. */
static bool passes(const struct search *s)
{
    bool has[2] = {s->conditions[0].kind != CONDITION_NONE,
                   s->conditions[1].kind != CONDITION_NONE};
    bool first = has[0] && condition_truth(s->state, &s->row, &s->conditions[0]) == YES;
    bool second = has[1] && condition_truth(s->state, &s->row, &s->conditions[1]) == YES;
    if (!has[0] || !has[1]) {
        return (first || !has[0]) && (second || !has[1]);
    }
    return s->is_or ? first || second : first && second;
}

/* ---- clauses ---------------------------------------------------------------------------------
 */

static void keep_row(struct rows *rows, const struct row *row)
{
    if (rows->count == ROWS_MAX) {
        rows->is_over = true;
        return;
    }
    if ((rows->count & (rows->count - 1)) == 0) {
        size_t capacity = rows->count == 0 ? 1 : rows->count * 2;
        rows->items = realloc(rows->items, capacity * sizeof(*rows->items));
        CHECK(rows->items != NULL);
    }
    rows->items[rows->count++] = *row;
}

static void search_path(struct search *s, int path)
{
    if (path == s->path_count) {
        if (waits_pass(s) && (s->conditions == NULL || passes(s))) {
            keep_row(s->found, &s->row);
        }
        return;
    }
    for (int i = 0; i < s->state->node_count && !s->found->is_over; i++) {
        const struct node_wish *wish = &s->paths[path].nodes[0];
        if (node_fits(s, wish, i)) {
            bool was_bound = bind_node(s, wish, i);
            s->hop_count = 0;
            s->nodes[0] = i;
            search_hops(s, path, 0, 0);
            unbind_node(s, wish, was_bound);
        }
    }
}

/* Everything that the clause would have bound is null. */
static struct row nothing_found(const struct clause_wish *clause, const struct row *row)
{
    struct row empty = *row;
    for (int i = 0; i < clause->path_count; i++) {
        const struct path_wish *path = &clause->paths[i];
        for (int k = 0; k <= path->length; k++) {
            int variable = path->nodes[k].variable;
            if (variable != MODEL_NULL && empty.nodes[variable] == UNBOUND) {
                empty.nodes[variable] = NOTHING;
            }
            if (k < path->length && path->hops[k].variable != MODEL_NULL) {
                empty.hops[path->hops[k].variable].count = NOTHING;
            }
        }
        if (path->variable != MODEL_NULL) {
            empty.paths[path->variable].count = NOTHING;
        }
    }
    return empty;
}

static void match_clause(const struct clause_wish *clause, const struct model_state *state,
                         const struct row *row, struct rows *found)
{
    size_t before = found->count;
    struct search s = {.state = state,
                       .paths = clause->paths,
                       .path_count = clause->path_count,
                       .found = found,
                       .conditions = clause->conditions,
                       .is_or = clause->is_or,
                       .row = *row};
    search_path(&s, 0);
    if (found->count == before && clause->is_optional) {
        struct row empty = nothing_found(clause, row);
        keep_row(found, &empty);
    }
}

/* ---- rows as text ----------------------------------------------------------------------------
 */

static void say_way(struct buffer *to, const struct way *way, int base, bool is_list)
{
    if (way->count < 0) {
        say(to, "|null");
        return;
    }
    say(to, is_list ? "|[" : "|");
    for (int i = 0; i < way->count; i++) {
        say(to, i == 0 ? "%d" : ", %d", way->ids[i] + base);
    }
    say(to, is_list ? "]" : "");
}

static void say_row(struct buffer *to, const struct model_query *query, const struct row *row)
{
    say(to, "0");
    for (int i = 0; i < query->node_count; i++) {
        int x = x_of(row, i);
        if (row->nodes[i] < 0) {
            say(to, "|null|null");
        } else if (x == MODEL_NULL) {
            say(to, "|%d|null", row->nodes[i] + 1);
        } else {
            say(to, "|%d|%d", row->nodes[i] + 1, x);
        }
    }
    for (int i = 0; i < query->hop_count; i++) {
        say_way(to, &row->hops[i], 101, query->is_list[i]);
    }
    for (int i = 0; i < query->path_count; i++) {
        say_way(to, &row->paths[i], 0, true);
    }
}

static struct row first_row(void)
{
    struct row row;
    memset(&row, 0, sizeof(row));
    for (int i = 0; i < VARIABLES_MAX; i++) {
        row.nodes[i] = UNBOUND;
        row.hops[i].count = UNBOUND;
        row.paths[i].count = UNBOUND;
    }
    return row;
}

bool model_query_rows(const struct model_query *query, const struct model_state *states, int base,
                      struct texts *rows)
{
    struct rows now = {NULL, 0, false};
    struct row first = first_row();
    keep_row(&now, &first);
    for (int i = 0; i < query->clause_count && !now.is_over; i++) {
        const struct clause_wish *clause = &query->clauses[i];
        int moment = clause->moment == MODEL_NULL ? base : clause->moment;
        struct rows next = {NULL, 0, false};
        for (size_t k = 0; k < now.count && !next.is_over; k++) {
            match_clause(clause, &states[moment], &now.items[k], &next);
        }
        free(now.items);
        now = next;
    }
    for (size_t i = 0; i < now.count && !now.is_over; i++) {
        say_row(texts_push(rows), query, &now.items[i]);
    }
    free(now.items);
    return !now.is_over;
}
