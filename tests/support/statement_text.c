#include "support/statement_text.h"

#include <stdio.h>
#include <string.h>

#include "query/lexer.h"
#include "query/value_format.h"

/* How tightly an expression holds together, as the parser reads it. */
enum tightness {
    TIGHT_OR,
    TIGHT_XOR,
    TIGHT_AND,
    TIGHT_NOT,
    TIGHT_COMPARISON,
    TIGHT_PREDICATE,
    TIGHT_SUM,
    TIGHT_PRODUCT,
    TIGHT_POWER,
    TIGHT_SIGN,
    TIGHT_POSTFIX,
    TIGHT_ATOM
};

static void write_expr(struct buffer *to, const struct expr *expr);
static void write_part(struct buffer *to, const struct query_part *part);
static void write_clause(struct buffer *to, const struct clause *clause);

static void say(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

/* In backticks: whatever it is, it is a name then. */
static void write_name(struct buffer *to, struct yore_bytes name)
{
    say(to, "`");
    for (size_t i = 0; i < name.size; i++) {
        char c = ((const char *)name.data)[i];
        buffer_append(to, &c, 1);
        if (c == '`') {
            buffer_append(to, &c, 1);
        }
    }
    say(to, "`");
}

/* Namespaces are told by dots again. */
static void write_dotted(struct buffer *to, struct yore_bytes name)
{
    const char *at = name.data;
    size_t begin = 0;
    for (size_t i = 0; i <= name.size; i++) {
        if (i == name.size || (at[i] == '.' && i > begin && i + 1 < name.size)) {
            say(to, begin > 0 ? "." : "");
            write_name(to, bytes_of(at + begin, i - begin));
            begin = i + 1;
        }
    }
}

static void write_labels(struct buffer *to, const struct yore_bytes *labels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        say(to, ":");
        write_name(to, labels[i]);
    }
}

/* ---- expressions -----------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    enum tightness tightness;
} operators[] = {
    [OPERATOR_NOT] = {"NOT ", TIGHT_NOT},
    [OPERATOR_MINUS] = {"- ", TIGHT_SIGN},
    [OPERATOR_PLUS] = {"+ ", TIGHT_SIGN},
    [OPERATOR_OR] = {" OR ", TIGHT_OR},
    [OPERATOR_XOR] = {" XOR ", TIGHT_XOR},
    [OPERATOR_AND] = {" AND ", TIGHT_AND},
    [OPERATOR_EQUAL] = {" = ", TIGHT_COMPARISON},
    [OPERATOR_NOT_EQUAL] = {" <> ", TIGHT_COMPARISON},
    [OPERATOR_LESS] = {" < ", TIGHT_COMPARISON},
    [OPERATOR_LESS_EQUAL] = {" <= ", TIGHT_COMPARISON},
    [OPERATOR_GREATER] = {" > ", TIGHT_COMPARISON},
    [OPERATOR_GREATER_EQUAL] = {" >= ", TIGHT_COMPARISON},
    [OPERATOR_ADD] = {" + ", TIGHT_SUM},
    [OPERATOR_SUBTRACT] = {" - ", TIGHT_SUM},
    [OPERATOR_MULTIPLY] = {" * ", TIGHT_PRODUCT},
    [OPERATOR_DIVIDE] = {" / ", TIGHT_PRODUCT},
    [OPERATOR_MODULO] = {" % ", TIGHT_PRODUCT},
    [OPERATOR_POWER] = {" ^ ", TIGHT_POWER},
    [OPERATOR_IN] = {" IN ", TIGHT_PREDICATE},
    [OPERATOR_STARTS_WITH] = {" STARTS WITH ", TIGHT_PREDICATE},
    [OPERATOR_ENDS_WITH] = {" ENDS WITH ", TIGHT_PREDICATE},
    [OPERATOR_CONTAINS] = {" CONTAINS ", TIGHT_PREDICATE},
    [OPERATOR_MATCHES] = {" =~ ", TIGHT_PREDICATE},
};

static bool is_negative(const struct yore_graph_value *value)
{
    return (value->kind == YORE_GRAPH_INT && value->as.integer < 0) ||
           (value->kind == YORE_GRAPH_FLOAT && (value->as.real < 0 || 1 / value->as.real < 0));
}

static enum tightness tightness_of(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        return is_negative(&expr->as.literal) ? TIGHT_SIGN : TIGHT_ATOM;
    case EXPR_UNARY:
    case EXPR_BINARY:
        return operators[expr->as.binary.operator].tightness;
    case EXPR_COMPARISON:
        return TIGHT_COMPARISON;
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        return TIGHT_PREDICATE;
    case EXPR_PROPERTY:
    case EXPR_HAS_LABELS:
    case EXPR_INDEX:
    case EXPR_SLICE:
        return TIGHT_POSTFIX;
    default:
        return TIGHT_ATOM;
    }
}

static void write_at(struct buffer *to, const struct expr *expr, enum tightness least)
{
    bool is_loose = tightness_of(expr) < least;
    say(to, is_loose ? "(" : "");
    write_expr(to, expr);
    say(to, is_loose ? ")" : "");
}

static void write_list(struct buffer *to, const struct expr_list *list, enum tightness first)
{
    for (uint32_t i = 0; i < list->count; i++) {
        say(to, i == 0 ? "" : ", ");
        write_at(to, list->items[i], i == 0 ? first : TIGHT_OR);
    }
}

static void write_map(struct buffer *to, const struct expr *expr)
{
    if (expr->kind == EXPR_MAP_PROJECTION) {
        write_expr(to, expr->as.map.object);
    }
    say(to, " {");
    for (uint32_t i = 0; i < expr->as.map.count; i++) {
        const struct map_item *item = &expr->as.map.items[i];
        say(to, i == 0 ? "" : ", ");
        if (item->value == NULL) {
            say(to, item->name.size == 0 ? ".*" : ".");
        }
        if (item->value != NULL || item->name.size > 0) {
            write_name(to, item->name);
        }
        if (item->value != NULL) {
            say(to, ": ");
            write_expr(to, item->value);
        }
    }
    say(to, "}");
}

static void write_binary(struct buffer *to, const struct expr *expr)
{
    enum tightness own = operators[expr->as.binary.operator].tightness;
    bool is_logic = own <= TIGHT_AND; /* balanced again by the parser, whatever the grouping */
    write_at(to, expr->as.binary.left, own);
    say(to, operators[expr->as.binary.operator].text);
    write_at(to, expr->as.binary.right, is_logic ? own : own + 1);
}

static void write_comparison(struct buffer *to, const struct expr *expr)
{
    for (uint32_t i = 0; i <= expr->as.comparison.count; i++) {
        if (i > 0) {
            say(to, operators[expr->as.comparison.operators[i - 1]].text);
        }
        write_at(to, expr->as.comparison.operands[i], TIGHT_PREDICATE);
    }
}

static void write_index(struct buffer *to, const struct expr *expr)
{
    write_at(to, expr->as.index.object, TIGHT_POSTFIX);
    say(to, "[");
    if (expr->as.index.low != NULL) {
        write_expr(to, expr->as.index.low);
    }
    say(to, expr->kind == EXPR_SLICE ? ".." : "");
    if (expr->as.index.high != NULL) {
        write_expr(to, expr->as.index.high);
    }
    say(to, "]");
}

static void write_call(struct buffer *to, const struct expr *expr)
{
    write_dotted(to, expr->as.call.name);
    say(to, expr->as.call.is_distinct ? "(DISTINCT " : "(");
    write_list(to, &expr->as.call.arguments, TIGHT_OR);
    say(to, ")");
}

static void write_case(struct buffer *to, const struct expr *expr)
{
    say(to, "CASE ");
    if (expr->as.choice.subject != NULL) {
        write_expr(to, expr->as.choice.subject);
    }
    for (uint32_t i = 0; i < expr->as.choice.branch_count; i++) {
        say(to, " WHEN ");
        write_expr(to, expr->as.choice.branches[i].when);
        say(to, " THEN ");
        write_expr(to, expr->as.choice.branches[i].then);
    }
    if (expr->as.choice.otherwise != NULL) {
        say(to, " ELSE ");
        write_expr(to, expr->as.choice.otherwise);
    }
    say(to, " END");
}

static void write_walk(struct buffer *to, const struct expr *expr)
{
    static const char *const quantifiers[] = {
        [QUANTIFIER_ALL] = "all(",
        [QUANTIFIER_ANY] = "any(",
        [QUANTIFIER_NONE] = "none(",
        [QUANTIFIER_SINGLE] = "single(",
    };
    bool is_list = expr->kind == EXPR_LIST_COMPREHENSION;
    say(to, is_list                         ? "["
            : expr->kind == EXPR_QUANTIFIER ? quantifiers[expr->as.walk.quantifier]
                                            : "reduce(");
    if (expr->kind == EXPR_REDUCE) {
        write_name(to, expr->as.walk.accumulator);
        say(to, " = ");
        write_expr(to, expr->as.walk.initial);
        say(to, ", ");
    }
    write_name(to, expr->as.walk.name);
    say(to, " IN ");
    write_expr(to, expr->as.walk.list);
    if (expr->as.walk.where != NULL) {
        say(to, " WHERE ");
        write_expr(to, expr->as.walk.where);
    }
    if (expr->as.walk.mapped != NULL) {
        say(to, " | ");
        write_expr(to, expr->as.walk.mapped);
    }
    say(to, is_list ? "]" : ")");
}

/* ---- patterns --------------------------------------------------------------------------------
 */

static void write_node(struct buffer *to, const struct node_pattern *node)
{
    say(to, "(");
    if (node->name.size > 0) {
        write_name(to, node->name);
    }
    write_labels(to, node->labels, node->label_count);
    if (node->properties != NULL) {
        write_expr(to, node->properties);
    }
    say(to, ")");
}

static void write_length(struct buffer *to, const struct relationship_pattern *relationship)
{
    char text[32];
    snprintf(text, sizeof(text), "*%u..", relationship->minimum);
    say(to, text);
    if (relationship->maximum != PATTERN_NO_MAXIMUM) {
        snprintf(text, sizeof(text), "%u", relationship->maximum);
        say(to, text);
    }
}

static void write_relationship(struct buffer *to, const struct relationship_pattern *relationship)
{
    say(to, relationship->direction == PATTERN_LEFT ? "<-[" : "-[");
    if (relationship->name.size > 0) {
        write_name(to, relationship->name);
    }
    for (uint32_t i = 0; i < relationship->type_count; i++) {
        say(to, i == 0 ? ":" : "|");
        write_name(to, relationship->types[i]);
    }
    if (relationship->is_variable_length) {
        write_length(to, relationship);
    }
    if (relationship->properties != NULL) {
        write_expr(to, relationship->properties);
    }
    say(to, relationship->direction == PATTERN_RIGHT ? "]->" : "]-");
}

static void write_path(struct buffer *to, const struct path_pattern *path)
{
    static const char *const shapes[] = {
        [PATTERN_PLAIN] = "",
        [PATTERN_SHORTEST] = "shortestPath(",
        [PATTERN_ALL_SHORTEST] = "allShortestPaths(",
    };
    if (path->name.size > 0) {
        write_name(to, path->name);
        say(to, " = ");
    }
    say(to, shapes[path->shape]);
    for (uint32_t i = 0; i <= path->length; i++) {
        write_node(to, &path->nodes[i]);
        if (i < path->length) {
            write_relationship(to, &path->relationships[i]);
        }
    }
    say(to, path->shape == PATTERN_PLAIN ? "" : ")");
}

static void write_pattern(struct buffer *to, const struct pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        say(to, i == 0 ? "" : ", ");
        write_path(to, &pattern->paths[i]);
    }
}

static void write_pattern_comprehension(struct buffer *to, const struct expr *expr)
{
    say(to, "[");
    write_pattern(to, expr->as.pattern.pattern);
    if (expr->as.pattern.where != NULL) {
        say(to, " WHERE ");
        write_expr(to, expr->as.pattern.where);
    }
    say(to, " | ");
    write_expr(to, expr->as.pattern.mapped);
    say(to, "]");
}

static void write_subquery(struct buffer *to, const struct expr *expr)
{
    say(to, expr->kind == EXPR_EXISTS  ? "EXISTS { "
            : expr->kind == EXPR_COUNT ? "COUNT { "
                                       : "COLLECT { ");
    write_part(to, expr->as.subquery);
    say(to, " }");
}

static void write_postfix(struct buffer *to, const struct expr *expr)
{
    if (expr->kind == EXPR_PROPERTY) {
        write_at(to, expr->as.property.object, TIGHT_POSTFIX);
        say(to, ".");
        write_name(to, expr->as.property.name);
    } else if (expr->kind == EXPR_HAS_LABELS) {
        /* Not to be taken for the labels of SET and REMOVE, nor for a node. */
        say(to, "((");
        write_at(to, expr->as.has_labels.object, TIGHT_POSTFIX);
        write_labels(to, expr->as.has_labels.labels, expr->as.has_labels.label_count);
        say(to, "))");
    } else {
        write_index(to, expr);
    }
}

static void write_null_test(struct buffer *to, const struct expr *expr)
{
    write_at(to, expr->as.binary.left, TIGHT_PREDICATE);
    say(to, expr->kind == EXPR_IS_NULL ? " IS NULL" : " IS NOT NULL");
}

static void write_unary(struct buffer *to, const struct expr *expr)
{
    say(to, operators[expr->as.binary.operator].text);
    write_at(to, expr->as.binary.left, operators[expr->as.binary.operator].tightness);
}

/* style: long because it is one table. */
static void write_expr(struct buffer *to, const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_LITERAL:
        value_format(to, &expr->as.literal);
        break;
    case EXPR_PARAMETER:
        say(to, "$");
        write_name(to, expr->as.parameter.name);
        break;
    case EXPR_VARIABLE:
        write_name(to, expr->as.variable.name);
        break;
    case EXPR_PROPERTY:
    case EXPR_HAS_LABELS:
    case EXPR_INDEX:
    case EXPR_SLICE:
        write_postfix(to, expr);
        break;
    case EXPR_LIST:
        /* `[x IN list]` would be a comprehension. */
        say(to, "[");
        write_list(to, &expr->as.list, TIGHT_SUM);
        say(to, "]");
        break;
    case EXPR_MAP:
    case EXPR_MAP_PROJECTION:
        write_map(to, expr);
        break;
    case EXPR_UNARY:
        write_unary(to, expr);
        break;
    case EXPR_BINARY:
        write_binary(to, expr);
        break;
    case EXPR_COMPARISON:
        write_comparison(to, expr);
        break;
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        write_null_test(to, expr);
        break;
    case EXPR_CALL:
    case EXPR_AGGREGATE:
        write_call(to, expr);
        break;
    case EXPR_COUNT_STAR:
        say(to, "count(*)");
        break;
    case EXPR_CASE:
        write_case(to, expr);
        break;
    case EXPR_LIST_COMPREHENSION:
    case EXPR_QUANTIFIER:
    case EXPR_REDUCE:
        write_walk(to, expr);
        break;
    case EXPR_PATTERN_COMPREHENSION:
        write_pattern_comprehension(to, expr);
        break;
    case EXPR_PATTERN:
    case EXPR_SHORTEST_PATH:
        write_pattern(to, expr->as.pattern.pattern);
        break;
    case EXPR_EXISTS:
    case EXPR_COUNT:
    case EXPR_COLLECT:
        write_subquery(to, expr);
        break;
    }
}

/* ---- clauses ---------------------------------------------------------------------------------
 */

static void write_where(struct buffer *to, const char *word, const struct expr *where)
{
    if (where != NULL) {
        say(to, word);
        write_expr(to, where);
    }
}

static void write_time(struct buffer *to, const struct time_spec *time)
{
    write_where(to, " AS OF ", time->as_of);
    write_where(to, " FROM ", time->from);
    write_where(to, " TO ", time->to);
    write_where(to, " KNOWN ", time->known);
}

static void write_projection(struct buffer *to, const struct projection *projection)
{
    say(to, projection->is_distinct ? "DISTINCT " : "");
    say(to, projection->has_star ? "*" : "");
    for (uint32_t i = 0; i < projection->item_count; i++) {
        say(to, i > 0 || projection->has_star ? ", " : "");
        write_expr(to, projection->items[i].value);
        if (projection->items[i].has_alias) {
            say(to, " AS ");
            write_name(to, projection->items[i].name);
        }
    }
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        say(to, i == 0 ? " ORDER BY " : ", ");
        write_expr(to, projection->sorts[i].value);
        say(to, projection->sorts[i].is_descending ? " DESC" : "");
    }
    write_where(to, " SKIP ", projection->skip);
    write_where(to, " LIMIT ", projection->limit);
    write_where(to, " WHERE ", projection->where);
}

static void write_set_items(struct buffer *to, const struct set_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct set_item *item = &items[i];
        say(to, i == 0 ? " " : ", ");
        write_at(to, item->object, TIGHT_POSTFIX);
        if (item->kind == SET_PROPERTY || item->kind == REMOVE_PROPERTY) {
            say(to, ".");
            write_name(to, item->name);
        }
        write_labels(to, item->labels, item->label_count);
        write_where(to, item->kind == SET_MERGE ? " += " : " = ", item->value);
    }
}

static void write_merge(struct buffer *to, const struct clause *clause)
{
    say(to, "MERGE ");
    write_pattern(to, &clause->as.merge.pattern);
    if (clause->as.merge.on_create_count > 0) {
        say(to, " ON CREATE SET");
        write_set_items(to, clause->as.merge.on_create, clause->as.merge.on_create_count);
    }
    if (clause->as.merge.on_match_count > 0) {
        say(to, " ON MATCH SET");
        write_set_items(to, clause->as.merge.on_match, clause->as.merge.on_match_count);
    }
}

static void write_foreach(struct buffer *to, const struct clause *clause)
{
    say(to, "FOREACH (");
    write_name(to, clause->as.foreach.name);
    say(to, " IN ");
    write_expr(to, clause->as.foreach.list);
    say(to, " |");
    for (uint32_t i = 0; i < clause->as.foreach.body_count; i++) {
        say(to, " ");
        write_clause(to, &clause->as.foreach.body[i]);
    }
    say(to, ")");
}

static void write_procedure(struct buffer *to, const struct clause *clause)
{
    say(to, "CALL ");
    write_dotted(to, clause->as.call.name);
    if (clause->as.call.has_arguments) {
        say(to, "(");
        write_list(to, &clause->as.call.arguments, TIGHT_OR);
        say(to, ")");
    }
    say(to, clause->as.call.yields_all ? " YIELD *" : "");
    for (uint32_t i = 0; i < clause->as.call.yield_count; i++) {
        say(to, i == 0 ? " YIELD " : ", ");
        write_name(to, clause->as.call.yields[i].column);
        say(to, " AS ");
        write_name(to, clause->as.call.yields[i].name);
    }
    write_where(to, " WHERE ", clause->as.call.where);
}

static void write_call_subquery(struct buffer *to, const struct clause *clause)
{
    say(to, "CALL ");
    if (clause->as.subquery.has_scope) {
        say(to, clause->as.subquery.takes_all ? "(*" : "(");
        for (uint32_t i = 0; i < clause->as.subquery.scope_count; i++) {
            say(to, i == 0 ? "" : ", ");
            write_name(to, clause->as.subquery.scope[i]);
        }
        say(to, ") ");
    }
    say(to, "{ ");
    write_part(to, clause->as.subquery.body);
    say(to, " }");
}

static void write_schema(struct buffer *to, const struct clause *clause)
{
    bool is_drop = clause->kind == CLAUSE_DROP_INDEX || clause->kind == CLAUSE_DROP_CONSTRAINT;
    bool is_index = clause->kind == CLAUSE_CREATE_INDEX || clause->kind == CLAUSE_DROP_INDEX;
    say(to, is_drop ? "DROP " : "CREATE ");
    say(to, is_index ? "INDEX " : "CONSTRAINT ");
    if (clause->as.schema.name.size > 0) {
        write_name(to, clause->as.schema.name);
    }
    if (clause->as.schema.if_not_exists) {
        say(to, is_drop ? " IF EXISTS" : " IF NOT EXISTS");
    }
    if (clause->as.schema.label.size == 0) {
        return;
    }
    if (is_drop && is_index) {
        say(to, " ON :");
        write_name(to, clause->as.schema.label);
        say(to, "(");
        write_name(to, clause->as.schema.property);
        say(to, ")");
        return;
    }
    say(to, is_drop ? " ON (n:" : " FOR (n:");
    write_name(to, clause->as.schema.label);
    say(to, is_index ? ") ON (n." : is_drop ? ") ASSERT (n." : ") REQUIRE (n.");
    write_name(to, clause->as.schema.property);
    say(to, is_index ? ")" : ") IS UNIQUE");
}

static void write_match(struct buffer *to, const struct clause *clause)
{
    say(to, clause->as.match.is_optional ? "OPTIONAL MATCH " : "MATCH ");
    write_pattern(to, &clause->as.match.pattern);
    write_time(to, &clause->as.match.time);
    write_where(to, " WHERE ", clause->as.match.where);
}

/* style: long because it is one table. */
static void write_clause(struct buffer *to, const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_MATCH:
        write_match(to, clause);
        break;
    case CLAUSE_UNWIND:
        say(to, "UNWIND ");
        write_expr(to, clause->as.unwind.list);
        say(to, " AS ");
        write_name(to, clause->as.unwind.name);
        break;
    case CLAUSE_WITH:
    case CLAUSE_RETURN:
        say(to, clause->kind == CLAUSE_WITH ? "WITH " : "RETURN ");
        write_projection(to, &clause->as.projection);
        break;
    case CLAUSE_CREATE:
        say(to, "CREATE ");
        write_pattern(to, &clause->as.create.pattern);
        break;
    case CLAUSE_MERGE:
        write_merge(to, clause);
        break;
    case CLAUSE_SET:
    case CLAUSE_REMOVE:
        say(to, clause->kind == CLAUSE_SET ? "SET" : "REMOVE");
        write_set_items(to, clause->as.set.items, clause->as.set.count);
        break;
    case CLAUSE_DELETE:
        say(to, clause->as.delete.detaches ? "DETACH DELETE " : "DELETE ");
        write_list(to, &clause->as.delete.targets, TIGHT_OR);
        break;
    case CLAUSE_FOREACH:
        write_foreach(to, clause);
        break;
    case CLAUSE_CALL:
        write_procedure(to, clause);
        break;
    case CLAUSE_CALL_SUBQUERY:
        write_call_subquery(to, clause);
        break;
    case CLAUSE_CREATE_INDEX:
    case CLAUSE_DROP_INDEX:
    case CLAUSE_CREATE_CONSTRAINT:
    case CLAUSE_DROP_CONSTRAINT:
        write_schema(to, clause);
        break;
    }
}

static void write_part(struct buffer *to, const struct query_part *part)
{
    for (uint32_t i = 0; i < part->query_count; i++) {
        say(to, i == 0 ? "" : part->is_union_all ? " UNION ALL " : " UNION ");
        for (uint32_t k = 0; k < part->queries[i].clause_count; k++) {
            say(to, k == 0 ? "" : " ");
            write_clause(to, &part->queries[i].clauses[k]);
        }
    }
}

void statement_write(struct buffer *to, const struct statement *statement)
{
    say(to, statement->mode == STATEMENT_EXPLAIN   ? "EXPLAIN"
            : statement->mode == STATEMENT_PROFILE ? "PROFILE"
                                                   : "");
    write_time(to, &statement->time);
    say(to, " ");
    write_part(to, &statement->body);
}
