/* The scenarios of the openCypher Technology Compatibility Kit, each on a graph of its own: rows,
 * errors with type, phase and detail, effects and control queries.  Then the same, time-shifted:
 * every reading scenario that passes is asked again as of the moment before everything in its graph
 * was changed and deleted, the database compacted and opened anew.
 *
 *     YORE_TCK=word      only scenarios whose id has it
 *     YORE_TCK_LANE=n    only every other one, from the n-th (0 or 1); ctest runs both lanes
 *     YORE_TCK_SHOW=1    print each one that fails, with its queries
 *
 * tests/tck/skips.txt lists what need not pass, a reason each; what passes must not stand there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/parser.h"
#include "query/query.h"
#include "support/statement_text.h"
#include "support/test.h"
#include "tck/answer.h"
#include "tck/kit.h"
#include "tck/kit_procedure.h"
#include "tck/literal.h"
#include "topology/graph.h"

#define BATCH_COUNT 128 /* scenarios in one database */
#define ALL_LANES 2u
#define PARAMETERS_MAX 8
#define PROBLEM_BYTES 1024
#define CATEGORIES_MAX 64

/* ---- judging ---------------------------------------------------------------------------------
 */

struct verdict {
    bool passes;
    char problem[PROBLEM_BYTES];
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct verdict *verdict,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->problem, sizeof(verdict->problem), format, arguments);
    va_end(arguments);
    verdict->passes = false;
    return false;
}

#define SHOWN(bytes) (int)((bytes).size < 300 ? (bytes).size : 300), (const char *)(bytes).data

static bool is_word(struct yore_bytes text, const char *word)
{
    return bytes_equal(text, bytes_of(word, strlen(word)));
}

static bool judge_error(const struct kit_expectation *expect, const struct answer *answer,
                        struct verdict *verdict)
{
    if (answer->status == YORE_OK) {
        return refuse(verdict, "no error, %zu rows; expected %.*s %.*s", answer->rows.count,
                      SHOWN(expect->type), SHOWN(expect->detail));
    }
    const char *type = answer->error.type != NULL ? answer->error.type : "none";
    const char *detail = answer->error.detail != NULL ? answer->error.detail : "none";
    bool is_phase = is_word(expect->phase, "any time") ||
                    is_word(expect->phase, "compile time") == answer->error.is_compile_time;
    bool is_detail = is_word(expect->detail, "*") || is_word(expect->detail, detail);
    if (!is_word(expect->type, type) || !is_detail || !is_phase) {
        return refuse(verdict, "%s %s %s, expected %.*s %.*s %.*s: %s", type, detail,
                      answer->error.is_compile_time ? "compile time" : "runtime",
                      SHOWN(expect->type), SHOWN(expect->detail), SHOWN(expect->phase),
                      answer->error.error.text);
    }
    return true;
}

/* Where each expected column stands among those that came. */
static bool map_columns(const struct kit_expectation *expect, const struct answer *answer,
                        size_t *places, struct verdict *verdict)
{
    if (expect->columns->count != answer->columns.count) {
        return refuse(verdict, "%zu columns, expected %zu", answer->columns.count,
                      expect->columns->count);
    }
    for (size_t i = 0; i < expect->columns->count; i++) {
        size_t k = 0;
        while (k < answer->columns.count && !bytes_equal(buffer_bytes(&answer->columns.items[k]),
                                                         expect->columns->items[i].text)) {
            k++;
        }
        if (k == answer->columns.count) {
            return refuse(verdict, "no column %.*s", SHOWN(expect->columns->items[i].text));
        }
        places[k] = i;
    }
    return true;
}

#define COLUMNS_MAX 64

/* The expected rows, in canonical text, their cells in the order of what came. */
static bool expected_rows(const struct kit_expectation *expect, const size_t *places,
                          struct texts *rows, struct verdict *verdict)
{
    for (size_t i = 0; i < expect->rows->count; i++) {
        const struct json_tree *row = &expect->rows->items[i];
        struct buffer *text = texts_push(rows);
        for (size_t k = 0; k < row->count; k++) {
            struct yore_bytes cell = row->items[places[k]].text;
            buffer_append(text, "|", k == 0 ? 0 : 1);
            if (!literal_canonical(text, cell, expect->lists_unordered)) {
                return refuse(verdict, "the runner does not understand %.*s", SHOWN(cell));
            }
        }
    }
    return true;
}

static bool compare_rows(const struct kit_expectation *expect, struct texts *want,
                         struct answer *answer, struct verdict *verdict)
{
    if (!expect->is_ordered) {
        texts_sort(want);
        texts_sort(&answer->rows);
    }
    if (want->count != answer->rows.count) {
        return refuse(verdict, "%zu rows, expected %zu", answer->rows.count, want->count);
    }
    for (size_t i = 0; i < want->count; i++) {
        if (!bytes_equal(buffer_bytes(&want->items[i]), buffer_bytes(&answer->rows.items[i]))) {
            return refuse(verdict, "row %zu is %.*s, expected %.*s", i + 1,
                          SHOWN(buffer_bytes(&answer->rows.items[i])),
                          SHOWN(buffer_bytes(&want->items[i])));
        }
    }
    return true;
}

static bool judge_rows(const struct kit_expectation *expect, struct answer *answer,
                       struct verdict *verdict)
{
    size_t places[COLUMNS_MAX];
    struct texts want = {NULL, 0, 0};
    if (answer->columns.count > COLUMNS_MAX || !map_columns(expect, answer, places, verdict)) {
        return false;
    }
    bool passes = expected_rows(expect, places, &want, verdict) &&
                  compare_rows(expect, &want, answer, verdict);
    texts_release(&want);
    return passes;
}

static bool judge(const struct kit_expectation *expect, struct answer *answer,
                  struct verdict *verdict)
{
    if (expect->outcome == KIT_ERROR) {
        return judge_error(expect, answer, verdict);
    }
    if (answer->status != YORE_OK) {
        return refuse(verdict, "%s%s%s: %s", answer->error.is_compile_time ? "compile time " : "",
                      answer->error.type != NULL ? answer->error.type : "status",
                      answer->error.detail != NULL ? answer->error.detail : "",
                      answer->error.error.text);
    }
    if (expect->outcome == KIT_EMPTY) {
        return answer->rows.count == 0 || refuse(verdict, "%zu rows", answer->rows.count);
    }
    return judge_rows(expect, answer, verdict);
}

/* ---- effects ---------------------------------------------------------------------------------
 */

static bool judge_effect(const struct kit_expectation *expect, const char *name, size_t got,
                         struct verdict *verdict)
{
    const struct json_tree *effect = json_tree_member(expect->effects, name);
    size_t want = 0;
    if (effect != NULL) {
        char digits[24] = "";
        memcpy(digits, effect->text.data, effect->text.size < 20 ? effect->text.size : 20);
        want = strtoull(digits, NULL, 10);
    }
    return got == want || refuse(verdict, "effect %s is %zu, expected %zu", name, got, want);
}

static bool judge_effects(const struct kit_expectation *expect, const struct graph_state *before,
                          const struct graph_state *after, struct verdict *verdict)
{
    const struct {
        const char *added;
        const char *removed;
        const struct texts *before;
        const struct texts *after;
    } kinds[] = {
        {"+nodes", "-nodes", &before->nodes, &after->nodes},
        {"+relationships", "-relationships", &before->relationships, &after->relationships},
        {"+labels", "-labels", &before->labels, &after->labels},
        {"+properties", "-properties", &before->properties, &after->properties},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!judge_effect(expect, kinds[i].added, texts_missing(kinds[i].after, kinds[i].before),
                          verdict) ||
            !judge_effect(expect, kinds[i].removed, texts_missing(kinds[i].before, kinds[i].after),
                          verdict)) {
            return false;
        }
    }
    return true;
}

/* ---- running ---------------------------------------------------------------------------------
 */

struct suite {
    struct kit kit;
    const char *filter;
    bool is_shown;
    bool is_shifted;
    struct yore_bytes skips;
    size_t passed[CATEGORIES_MAX];
    size_t total[CATEGORIES_MAX];
    struct yore_bytes categories[CATEGORIES_MAX];
    size_t category_count;
    size_t failed;
    size_t skipped;
    size_t shifted; /* asked again as of the past */
};

struct attempt {
    const struct kit_scenario *scenario;
    struct graph *graph;
    struct arena arena; /* parameters, procedures */
    struct question question;
    struct query_parameter parameters[PARAMETERS_MAX];
    struct procedure_set procedures;
    struct verdict verdict;
    bool is_reading;
    int64_t moment;
};

static bool run_text(struct attempt *a, struct yore_bytes text)
{
    struct question question = {.text = text, .at = {YORE_NOW, YORE_NOW}};
    question.parameters = a->parameters;
    question.parameter_count = a->question.parameter_count;
    struct answer answer = ask(a->graph, &question);
    bool is_run = answer.status == YORE_OK;
    if (!is_run) {
        refuse(&a->verdict, "set-up failed: %s", answer.error.error.text);
    }
    answer_release(&answer);
    return is_run;
}

static bool run_words(struct attempt *a, const char *text)
{
    return run_text(a, bytes_of(text, strlen(text)));
}

static bool set_up(struct suite *suite, struct attempt *a)
{
    const struct kit_scenario *scenario = a->scenario;
    if (!is_word(scenario->graph, "empty") && !is_word(scenario->graph, "any")) {
        char name[128];
        snprintf(name, sizeof(name), "%.*s.cypher", SHOWN(scenario->graph));
        struct yore_bytes text = kit_file(&suite->kit, TCK_DIR, name);
        if (text.size == 0 || !run_text(a, text)) {
            return false;
        }
    }
    for (size_t i = 0; i < scenario->setup->count; i++) {
        if (!run_text(a, scenario->setup->items[i].text)) {
            return false;
        }
    }
    return true;
}

static bool make_question(struct attempt *a)
{
    const struct kit_scenario *scenario = a->scenario;
    const struct json_tree *parameters = scenario->parameters;
    size_t count = parameters == NULL ? 0 : parameters->count;
    a->question.text = scenario->query;
    a->question.at = (struct yore_time){YORE_NOW, YORE_NOW};
    a->question.lists_unordered = scenario->expect.lists_unordered;
    if (count > PARAMETERS_MAX ||
        !kit_procedures(scenario->procedures, &a->arena, &a->procedures)) {
        return refuse(&a->verdict, "the runner does not understand the scenario");
    }
    for (size_t i = 0; i < count; i++) {
        a->parameters[i].name = parameters->names[i];
        if (!literal_value(parameters->items[i].text, &a->arena, &a->parameters[i].value)) {
            return refuse(&a->verdict, "the runner does not understand a parameter");
        }
    }
    a->question.parameters = a->parameters;
    a->question.parameter_count = count;
    a->question.procedures = &a->procedures;
    return true;
}

static bool ask_control(struct attempt *a)
{
    struct question question = a->question;
    question.text = a->scenario->control_query;
    question.lists_unordered = a->scenario->control.lists_unordered;
    if (question.text.size == 0) {
        return true;
    }
    struct answer answer = ask(a->graph, &question);
    bool passes = judge(&a->scenario->control, &answer, &a->verdict);
    answer_release(&answer);
    return passes;
}

/* What fails has no effects either. */
static bool ask_plainly(struct attempt *a)
{
    struct graph_state before;
    struct graph_state after;
    if (!graph_state_take(a->graph, &before)) {
        graph_state_release(&before);
        return refuse(&a->verdict, "the state before cannot be read");
    }
    struct answer answer = ask(a->graph, &a->question);
    a->is_reading = !answer.writes && a->scenario->expect.outcome != KIT_ERROR;
    bool passes = judge(&a->scenario->expect, &answer, &a->verdict);
    answer_release(&answer);
    bool is_taken = graph_state_take(a->graph, &after);
    passes = passes && (is_taken || refuse(&a->verdict, "the state after cannot be read")) &&
             judge_effects(&a->scenario->expect, &before, &after, &a->verdict);
    graph_state_release(&before);
    graph_state_release(&after);
    return passes && ask_control(a);
}

/* Nothing stays as it was, and there is something else. */
static bool change_everything(struct attempt *a)
{
    return run_words(a, "MATCH (n) SET n = {num: -1, name: 'changed', id: -1}, n:Changed") &&
           run_words(a, "MATCH ()-[r]->() SET r = {num: -1, name: 'changed', id: -1}") &&
           run_words(a, "MATCH (n) DETACH DELETE n") &&
           run_words(a, "CREATE (:A {num: 7, name: 'other'})-[:T {num: 8}]->(:B:X {id: 9})"
                        "-[:KNOWS]->(:Person {age: 10})");
}

/* What is there now is what change_everything() has left. */
static bool is_changed(struct attempt *a)
{
    struct graph_state now;
    bool is_taken = graph_state_take(a->graph, &now);
    bool is_changed = is_taken && now.nodes.count == 3 && now.relationships.count == 2 &&
                      now.properties.count == 5;
    graph_state_release(&now);
    return is_changed;
}

static struct yore_db *open_db(void)
{
    struct yore_options options;
    struct yore_error error;
    struct yore_db *db = NULL;
    yore_options_init(&options);
    options.durability = YORE_DURABILITY_NONE;
    enum yore_status st = yore_open(test_path("db"), &options, &db, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
    return db;
}

static void open_graph(struct yore_db *db, struct attempt *a, size_t number, bool creates)
{
    char name[32];
    struct yore_error error;
    int size = snprintf(name, sizeof(name), "tck%zu", number);
    enum yore_status st =
        graph_open(db, bytes_of(name, (size_t)size), creates, NULL, &a->graph, &error);
    CHECK_MSG(st == YORE_OK, "%s", error.text);
}

static void attempt_plainly(struct suite *suite, struct yore_db *db, struct attempt *a,
                            size_t number)
{
    arena_init(&a->arena, 0);
    open_graph(db, a, number, true);
    a->verdict.passes = make_question(a) && set_up(suite, a);
    if (a->verdict.passes) {
        a->moment = yore_now(db);
        a->verdict.passes = ask_plainly(a);
    }
    if (suite->is_shifted && a->verdict.passes && a->is_reading) {
        a->verdict.passes = change_everything(a);
    }
    graph_close(a->graph);
    a->graph = NULL;
}

/* Once with AS OF in the text, once with the moment given beside it. */
static void attempt_shifted(struct suite *suite, struct yore_db *db, struct attempt *a,
                            size_t number)
{
    if (!a->verdict.passes || !a->is_reading) {
        return;
    }
    suite->shifted++;
    open_graph(db, a, number, false);
    CHECK(is_changed(a));
    char *text = malloc(a->scenario->query.size + 64);
    CHECK(text != NULL);
    int size = snprintf(text, a->scenario->query.size + 64, "AS OF %lld %.*s", (long long)a->moment,
                        (int)a->scenario->query.size, (const char *)a->scenario->query.data);
    struct question said = a->question;
    said.text = bytes_of(text, (size_t)size);
    struct answer answer = ask(a->graph, &said);
    a->verdict.passes = judge(&a->scenario->expect, &answer, &a->verdict);
    answer_release(&answer);
    struct question given = a->question;
    given.at.valid = a->moment;
    if (a->verdict.passes) {
        answer = ask(a->graph, &given);
        a->verdict.passes = judge(&a->scenario->expect, &answer, &a->verdict);
        answer_release(&answer);
    }
    free(text);
    graph_close(a->graph);
}

/* ---- the tally -------------------------------------------------------------------------------
 */

static bool is_skipped(const struct suite *suite, struct yore_bytes id)
{
    const char *at = suite->skips.data;
    const char *end = suite->skips.size > 0 ? at + suite->skips.size : at;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        size_t size = (size_t)(stop - at);
        if (size > id.size && memcmp(at, id.data, id.size) == 0 && at[id.size] == '\t') {
            return true;
        }
        at = newline == NULL ? end : newline + 1;
    }
    return false;
}

static size_t category_of(struct suite *suite, struct yore_bytes category)
{
    size_t i = 0;
    while (i < suite->category_count && !bytes_equal(suite->categories[i], category)) {
        i++;
    }
    if (i == suite->category_count && i < CATEGORIES_MAX) {
        suite->categories[suite->category_count++] = category;
    }
    CHECK(i < CATEGORIES_MAX);
    return i;
}

static void show(const struct kit_scenario *scenario)
{
    for (size_t i = 0; i < scenario->setup->count; i++) {
        printf("    set-up: %.*s\n", SHOWN(scenario->setup->items[i].text));
    }
    printf("    query: %.*s\n", SHOWN(scenario->query));
}

static void tally(struct suite *suite, const struct attempt *a)
{
    const struct kit_scenario *scenario = a->scenario;
    size_t category = category_of(suite, scenario->category);
    bool is_listed = is_skipped(suite, scenario->id);
    suite->total[category]++;
    suite->passed[category] += a->verdict.passes ? 1 : 0;
    suite->skipped += is_listed && !a->verdict.passes ? 1 : 0;
    if (a->verdict.passes != is_listed) {
        return;
    }
    suite->failed++;
    printf("%.*s: %s\n", SHOWN(scenario->id),
           is_listed ? "passes, and stands in skips.txt" : a->verdict.problem);
    if (suite->is_shown) {
        show(scenario);
    }
}

static void report(const struct suite *suite)
{
    size_t passed = 0;
    size_t total = 0;
    for (size_t i = 0; i < suite->category_count; i++) {
        printf("%5zu of %5zu  %.*s\n", suite->passed[i], suite->total[i],
               SHOWN(suite->categories[i]));
        passed += suite->passed[i];
        total += suite->total[i];
    }
    printf("%5zu of %5zu scenarios (%.2f %%)%s, %zu listed as skipped\n", passed, total,
           total == 0 ? 0.0 : 100.0 * (double)passed / (double)total,
           suite->is_shifted ? " plainly" : "", suite->skipped);
    if (suite->is_shifted) {
        printf("%5zu that read were asked as of the past too\n", suite->shifted);
    }
    test_count(total);
    CHECK_MSG(total > 0 && suite->failed == 0, "%zu scenarios fail", suite->failed);
}

/* ---- batches ---------------------------------------------------------------------------------
 */

static bool is_wanted(const struct suite *suite, const struct kit_scenario *scenario)
{
    char id[512];
    snprintf(id, sizeof(id), "%.*s", SHOWN(scenario->id));
    return suite->filter == NULL || strstr(id, suite->filter) != NULL;
}

static void remove_db(void)
{
    char command[600];
    snprintf(command, sizeof(command), "rm -rf '%s'", test_path("db"));
    CHECK_EQ_INT(system(command), 0);
}

static void run_batch(struct suite *suite, struct attempt *attempts, size_t count)
{
    struct yore_error error;
    struct yore_db *db = open_db();
    for (size_t i = 0; i < count; i++) {
        attempt_plainly(suite, db, &attempts[i], i);
    }
    if (suite->is_shifted) {
        CHECK_OK(yore_compact(db, NULL, &error));
        CHECK_OK(yore_close(db, &error));
        db = open_db();
        for (size_t i = 0; i < count; i++) {
            attempt_shifted(suite, db, &attempts[i], i);
        }
    }
    CHECK_OK(yore_close(db, &error));
    remove_db();
    for (size_t i = 0; i < count; i++) {
        tally(suite, &attempts[i]);
        arena_release(&attempts[i].arena);
    }
}

static void run_suite(bool is_shifted)
{
    static struct suite suite;
    static struct attempt attempts[BATCH_COUNT];
    size_t count = 0;
    memset(&suite, 0, sizeof(suite));
    suite.filter = getenv("YORE_TCK");
    suite.is_shown = getenv("YORE_TCK_SHOW") != NULL;
    suite.is_shifted = is_shifted;
    CHECK(kit_open(&suite.kit, TCK_DIR));
    suite.skips = kit_file(&suite.kit, TCK_DIR, "../skips.txt");
    /* Compacting is what takes the time: a tenth of it will do where time is short. */
    uint64_t stride = is_shifted ? test_stride(1, 1) : 1;
    uint64_t lane = test_number("YORE_TCK_LANE", ALL_LANES);
    for (size_t i = 0; i < suite.kit.count; i++) {
        bool is_turn = i % stride == 0 && (lane == ALL_LANES || i / stride % 2 == lane);
        if (is_turn && is_wanted(&suite, &suite.kit.scenarios[i])) {
            memset(&attempts[count], 0, sizeof(attempts[count]));
            attempts[count++].scenario = &suite.kit.scenarios[i];
        }
        if (count == BATCH_COUNT || (count > 0 && i + 1 == suite.kit.count)) {
            run_batch(&suite, attempts, count);
            count = 0;
        }
    }
    report(&suite);
    kit_close(&suite.kit);
}

TEST(scenarios_pass_or_are_listed)
{
    run_suite(false);
}

TEST(reading_scenarios_answer_the_same_as_of_the_past)
{
    run_suite(true);
}

/* Written out and read again a statement is the same: nothing was lost on the way. */
static void check_round_trip(struct yore_bytes text)
{
    struct query_error error;
    struct statement *statement = NULL;
    struct arena arena;
    struct buffer once = {0};
    struct buffer twice = {0};
    arena_init(&arena, 0);
    if (query_parse(text, &arena, &statement, &error) == YORE_OK) {
        statement_write(&once, statement);
        enum yore_status st = query_parse(buffer_bytes(&once), &arena, &statement, &error);
        CHECK_MSG(st == YORE_OK, "%.*s: %s", SHOWN(buffer_bytes(&once)), error.error.text);
        statement_write(&twice, statement);
        CHECK_EQ_BYTES(twice.data, twice.size, once.data, once.size);
    }
    buffer_release(&once);
    buffer_release(&twice);
    arena_release(&arena);
}

TEST(statements_written_out_read_as_they_were)
{
    struct kit kit;
    CHECK(kit_open(&kit, TCK_DIR));
    for (size_t i = 0; i < kit.count; i++) {
        const struct kit_scenario *scenario = &kit.scenarios[i];
        test_note("%.*s", SHOWN(scenario->id));
        check_round_trip(scenario->query);
        for (size_t k = 0; k < scenario->setup->count; k++) {
            check_round_trip(scenario->setup->items[k].text);
        }
    }
    kit_close(&kit);
}

TEST_MAIN(statements_written_out_read_as_they_were, scenarios_pass_or_are_listed,
          reading_scenarios_answer_the_same_as_of_the_past)
