/* op_schema.c -- indexes and constraints made and dropped.  They are not part of the transaction:
 * the graph makes them online, and backfills their history. */
#include "query/element.h"
#include "query/operator.h"
#include "query/value_format.h"
#include "query/writer.h"

struct schema_step {
    struct operator base;
    bool is_done;
};

/* The tokens of a label and a property; made, in a transaction of their own, when missing. */
static enum yore_status make_tokens(struct run *run, const struct clause *clause,
                                    struct graph_schema *schema)
{
    struct graph_txn *txn = NULL;
    enum yore_status st = graph_begin(run->graph, &txn, run_error(run));
    if (st != YORE_OK) {
        return st;
    }
    st = graph_txn_token(txn, GRAPH_LABEL, clause->as.schema.label, &schema->label, run_error(run));
    if (st == YORE_OK) {
        st = graph_txn_token(txn, GRAPH_PROPERTY, clause->as.schema.property, &schema->property,
                             run_error(run));
    }
    if (st != YORE_OK) {
        graph_abort(txn);
        return st;
    }
    int64_t commit;
    return graph_commit(txn, run->options->durability, &commit, run_error(run));
}

static bool is_cancelled(void *arg)
{
    return run_cancelled(arg) != YORE_OK;
}

/* The rule that is there for a label and a property. */
struct rule_search {
    struct run *run;
    const struct graph_schema *wanted;
    bool is_found;
    bool is_unique;
    struct yore_bytes name;
};

#define SHOWN_MAX 100 /* octets of a label or a property */

static int shown(const struct buffer *name)
{
    return name->size < SHOWN_MAX ? (int)name->size : SHOWN_MAX;
}

static int take_rule(void *arg, const struct graph_schema *schema)
{
    struct rule_search *search = arg;
    struct run *run = search->run;
    bool is_it =
        schema->label == search->wanted->label && schema->property == search->wanted->property;
    if (is_it) {
        search->is_found =
            graph_schema_name(run->graph, schema, &run->memory, &search->name) == YORE_OK;
        search->is_unique = schema->is_unique;
    }
    return is_it ? 1 : 0;
}

/* A constraint is an index, too: the error says how to make room for it. */
static enum yore_status refuse_over_index(struct run *run, const struct clause *clause,
                                          struct yore_bytes index)
{
    struct buffer label = {0};
    struct buffer property = {0};
    struct buffer name = {0};
    value_format_name(&label, clause->as.schema.label);
    value_format_name(&property, clause->as.schema.property);
    value_format_name(&name, index);
    enum yore_status st = YORE_NOMEM;
    if (label.is_nomem || property.is_nomem || name.is_nomem) {
        error_plain(run_error(run), st);
    } else {
        error_set(run_error(run), YORE_EXISTS,
                  "there is an index on (:%.*s).%.*s already, and a constraint brings its own: say "
                  "DROP INDEX %.*s first",
                  shown(&label), (const char *)label.data, shown(&property),
                  (const char *)property.data, (int)name.size, (const char *)name.data);
        st = write_refused(run, YORE_EXISTS, clause->spot);
    }
    buffer_release(&label);
    buffer_release(&property);
    buffer_release(&name);
    return st;
}

/* What is there stands in the way; unless the statement is content with it. */
static enum yore_status refuse_there(struct run *run, const struct clause *clause,
                                     const struct graph_schema *schema)
{
    struct rule_search search = {.run = run, .wanted = schema};
    struct graph_schema named;
    struct yore_error unheard;
    enum yore_status st = graph_schema_list(run->eval.view, take_rule, &search, &unheard);
    bool is_there = st == YORE_OK && search.is_found;
    if (is_there && schema->is_unique && !search.is_unique) {
        return refuse_over_index(run, clause, search.name);
    }
    bool is_named = schema->name.size > 0 &&
                    graph_schema_find(run->graph, schema->name, &named, &unheard) == YORE_OK;
    return clause->as.schema.if_not_exists && (is_there || is_named)
               ? YORE_OK
               : write_refused(run, YORE_EXISTS, clause->spot);
}

static enum yore_status create(struct run *run, const struct clause *clause,
                               struct graph_schema *schema)
{
    if (element_is_external_id(clause->as.schema.property)) {
        return eval_fail(&run->eval, clause->spot, "DatabaseError", "NotSupported",
                         "external ids are unique, and found without an index");
    }
    enum yore_status st = make_tokens(run, clause, schema);
    if (st == YORE_OK) {
        const struct graph_cancel cancel = {is_cancelled, run};
        st = graph_schema_create(run->graph, schema, &cancel, run_error(run));
    }
    if (st == YORE_EXISTS) {
        return refuse_there(run, clause, schema);
    }
    if (st == YORE_OK && schema->is_unique) {
        run->schema_tally.constraints_added++;
    } else if (st == YORE_OK) {
        run->schema_tally.indexes_added++;
    }
    return st == YORE_OK ? st : write_refused(run, st, clause->spot);
}

static enum yore_status refuse_drop(struct run *run, const struct clause *clause,
                                    bool is_constraint)
{
    static const char *const kinds[] = {"index", "constraint"};
    struct yore_bytes name = clause->as.schema.name;
    struct graph_schema other;
    struct yore_error unheard;
    int size = (int)(name.size < 100 ? name.size : 100);
    if (name.size == 0) {
        return eval_fail(&run->eval, clause->spot, "DatabaseError", "SchemaNotFound",
                         "there is no such %s; SHOW %s lists them", kinds[is_constraint],
                         is_constraint ? "CONSTRAINTS" : "INDEXES");
    }
    if (graph_schema_find(run->graph, name, &other, &unheard) == YORE_OK) {
        return eval_fail(&run->eval, clause->spot, "DatabaseError", "SchemaNotFound",
                         "%.*s is no %s: DROP %s takes it out", size, (const char *)name.data,
                         kinds[is_constraint], is_constraint ? "INDEX" : "CONSTRAINT");
    }
    return eval_fail(&run->eval, clause->spot, "DatabaseError", "SchemaNotFound",
                     "there is no %s called %.*s; SHOW %s lists them", kinds[is_constraint], size,
                     (const char *)name.data, is_constraint ? "CONSTRAINTS" : "INDEXES");
}

/* What a DROP means: by its name, or its label and property. */
static enum yore_status find(struct run *run, const struct clause *clause,
                             struct graph_schema *schema)
{
    if (clause->as.schema.label.size > 0) {
        schema->label = graph_token(run->graph, GRAPH_LABEL, clause->as.schema.label);
        schema->property = graph_token(run->graph, GRAPH_PROPERTY, clause->as.schema.property);
        bool is_known = schema->label != GRAPH_NO_TOKEN && schema->property != GRAPH_NO_TOKEN;
        return is_known ? YORE_OK : YORE_NOT_FOUND;
    }
    bool is_unique = schema->is_unique;
    enum yore_status st =
        graph_schema_find(run->graph, clause->as.schema.name, schema, run_error(run));
    return st == YORE_OK && schema->is_unique != is_unique ? YORE_NOT_FOUND : st;
}

static enum yore_status drop(struct run *run, const struct clause *clause,
                             struct graph_schema *schema)
{
    bool is_constraint = schema->is_unique;
    enum yore_status st = find(run, clause, schema);
    if (st == YORE_OK) {
        const struct graph_cancel cancel = {is_cancelled, run};
        st = graph_schema_drop(run->graph, schema, &cancel, run_error(run));
    }
    if (st == YORE_NOT_FOUND && clause->as.schema.if_not_exists) {
        return YORE_OK;
    }
    if (st == YORE_NOT_FOUND) {
        return refuse_drop(run, clause, is_constraint);
    }
    if (st == YORE_OK && schema->is_unique) {
        run->schema_tally.constraints_removed++;
    } else if (st == YORE_OK) {
        run->schema_tally.indexes_removed++;
    }
    return st == YORE_OK ? st : write_refused(run, st, clause->spot);
}

static enum yore_status schema_next(struct operator* op)
{
    struct schema_step *self = (struct schema_step *)op;
    const struct clause *clause = op->plan->as.clause;
    if (self->is_done) {
        return YORE_NOT_FOUND;
    }
    self->is_done = true;
    if (op->run->options->txn != NULL) {
        return eval_fail(&op->run->eval, clause->spot, "TransactionError", "SchemaInTransaction",
                         "an index or a constraint is made or dropped outside of transactions: "
                         "it is no part of one");
    }
    struct graph_schema schema = {.is_unique = clause->kind == CLAUSE_CREATE_CONSTRAINT ||
                                               clause->kind == CLAUSE_DROP_CONSTRAINT};
    schema.name = clause->as.schema.name;
    bool creates = clause->kind == CLAUSE_CREATE_INDEX || clause->kind == CLAUSE_CREATE_CONSTRAINT;
    enum yore_status st =
        creates ? create(op->run, clause, &schema) : drop(op->run, clause, &schema);
    return st == YORE_OK ? YORE_NOT_FOUND : st;
}

const struct operator_kind op_schema = {sizeof(struct schema_step), schema_next, NULL, NULL};
