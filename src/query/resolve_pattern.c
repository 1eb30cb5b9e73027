/* resolve_pattern.c -- what the names in patterns are. */
#include "query/resolver_internal.h"

static bool resolve_properties(struct resolver *r, struct expr *properties, bool allows_parameter)
{
    struct type type;
    if (properties == NULL) {
        return true;
    }
    if (!allows_parameter && properties->kind == EXPR_PARAMETER) {
        return resolver_fail(r, properties->spot, "InvalidParameterUse",
                             "a parameter cannot be the whole map of a pattern to match; write "
                             "{name: $map.name}");
    }
    return resolve_plain_expr(r, properties, &type);
}

static bool type_conflict(struct resolver *r, struct ast_spot spot, struct yore_bytes name,
                          const struct binding *binding, const char *wanted)
{
    return resolver_fail(r, spot, "VariableTypeConflict", "`%.*s` is %s, not %s", NAME_SHOWN(name),
                         type_text(r->slots[binding->slot].type), wanted);
}

/* ---- MATCH -----------------------------------------------------------------------------------
 */

/* What a bound variable may hold, to be used as an element. */
static bool can_be(const struct resolver *r, const struct binding *binding, uint32_t kind)
{
    uint32_t kinds = r->slots[binding->slot].type.kinds;
    return kinds == KINDS_ANY || (kinds & kind) != 0 || kinds == KIND_NULL;
}

static bool match_node(struct resolver *r, struct node_pattern *node)
{
    const struct binding *binding = node->name.size == 0 ? NULL : scope_find(r->scope, node->name);
    if (binding != NULL) {
        if (!can_be(r, binding, KIND_NODE)) {
            return type_conflict(r, node->spot, node->name, binding, "a node");
        }
        node->slot = binding->slot;
        node->is_bound = true;
        return slot_use(r, binding->slot);
    }
    return slot_new(r, node->name, type_of(KIND_NODE), &node->slot) &&
           (node->name.size == 0 || scope_bind(r, node->name, node->slot));
}

static struct type relationship_type(const struct relationship_pattern *relationship)
{
    return relationship->is_variable_length ? (struct type){KIND_LIST, KIND_RELATIONSHIP}
                                            : type_of(KIND_RELATIONSHIP);
}

static bool match_bound_relationship(struct resolver *r, struct relationship_pattern *relationship,
                                     const struct binding *binding)
{
    uint32_t kind = relationship->is_variable_length ? KIND_LIST : KIND_RELATIONSHIP;
    struct type type = r->slots[binding->slot].type;
    bool fits =
        can_be(r, binding, kind) && (!relationship->is_variable_length || type.items == KINDS_ANY ||
                                     (type.items & (KIND_RELATIONSHIP | KIND_NULL)) != 0);
    if (!fits) {
        return type_conflict(r, relationship->spot, relationship->name, binding,
                             relationship->is_variable_length ? "a list of relationships"
                                                              : "a relationship");
    }
    if (binding->clause == r->clause) {
        return resolver_fail(r, relationship->spot, "RelationshipUniquenessViolation",
                             "`%.*s` cannot be in two places of one MATCH: every relationship "
                             "matches once",
                             NAME_SHOWN(relationship->name));
    }
    relationship->slot = binding->slot;
    relationship->is_bound = true;
    return slot_use(r, binding->slot);
}

static bool match_relationship(struct resolver *r, struct relationship_pattern *relationship)
{
    const struct binding *binding =
        relationship->name.size == 0 ? NULL : scope_find(r->scope, relationship->name);
    if (binding != NULL) {
        return match_bound_relationship(r, relationship, binding);
    }
    return slot_new(r, relationship->name, relationship_type(relationship), &relationship->slot) &&
           (relationship->name.size == 0 || scope_bind(r, relationship->name, relationship->slot));
}

static bool match_elements(struct resolver *r, struct path_pattern *path)
{
    for (uint32_t i = 0; i <= path->length; i++) {
        if (!match_node(r, &path->nodes[i]) ||
            (i < path->length && !match_relationship(r, &path->relationships[i]))) {
            return false;
        }
    }
    return true;
}

static bool name_path(struct resolver *r, struct path_pattern *path)
{
    if (path->name.size == 0) {
        return true;
    }
    return scope_declare(r, path->name, path->spot, type_of(KIND_PATH), &path->slot);
}

static bool resolve_path_properties(struct resolver *r, struct path_pattern *path,
                                    bool allows_parameter)
{
    for (uint32_t i = 0; i <= path->length; i++) {
        if (!resolve_properties(r, path->nodes[i].properties, allows_parameter) ||
            (i < path->length &&
             !resolve_properties(r, path->relationships[i].properties, allows_parameter))) {
            return false;
        }
    }
    return true;
}

/* All names of the pattern first: properties may refer to any of them. */
bool resolve_match_pattern(struct resolver *r, struct pattern *pattern)
{
    r->clause = ++r->clause_count;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (!match_elements(r, &pattern->paths[i]) || !name_path(r, &pattern->paths[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (!resolve_path_properties(r, &pattern->paths[i], false)) {
            return false;
        }
    }
    return true;
}

/* ---- patterns as conditions ------------------------------------------------------------------
 */

static bool names_are_bound(struct resolver *r, const struct path_pattern *path)
{
    for (uint32_t i = 0; i <= path->length; i++) {
        const struct node_pattern *node = &path->nodes[i];
        if (node->name.size > 0 && scope_find(r->scope, node->name) == NULL) {
            return undefined_variable(r, node->spot, node->name);
        }
        if (i == path->length) {
            return true;
        }
        const struct relationship_pattern *relationship = &path->relationships[i];
        if (relationship->name.size > 0 && scope_find(r->scope, relationship->name) == NULL) {
            return undefined_variable(r, relationship->spot, relationship->name);
        }
    }
    return true;
}

bool resolve_predicate_pattern(struct resolver *r, struct pattern *pattern)
{
    const struct binding *scope = r->scope;
    uint32_t clause = r->clause;
    bool is_resolved = names_are_bound(r, &pattern->paths[0]) && resolve_match_pattern(r, pattern);
    r->scope = scope;
    r->clause = clause;
    return is_resolved;
}

/* ---- CREATE and MERGE ------------------------------------------------------------------------
 */

/* Null would never be found again by MERGE: it is equal to nothing. */
static bool resolve_made_property(struct resolver *r, struct expr *value, bool is_merge)
{
    struct type type;
    if (!resolve_plain_expr(r, value, &type)) {
        return false;
    }
    if (is_merge && type.kinds == KIND_NULL) {
        return resolver_fail_of(r, value->spot, "SemanticError", "MergeReadOwnWrites",
                                "MERGE cannot look for a property that is null");
    }
    return check_property_value(r, value, type);
}

static bool resolve_made_properties(struct resolver *r, struct expr *properties, bool is_merge)
{
    if (properties == NULL || properties->kind != EXPR_MAP) {
        return resolve_properties(r, properties, !is_merge);
    }
    for (uint32_t i = 0; i < properties->as.map.count; i++) {
        if (!resolve_made_property(r, properties->as.map.items[i].value, is_merge)) {
            return false;
        }
    }
    return true;
}

/* A bound node can be an end of something new, bare; nothing else of it can be made anew. */
static bool make_node(struct resolver *r, struct node_pattern *node, bool is_alone, bool is_merge)
{
    const struct binding *binding = node->name.size == 0 ? NULL : scope_find(r->scope, node->name);
    if (binding == NULL) {
        return resolve_made_properties(r, node->properties, is_merge) &&
               slot_new(r, node->name, type_of(KIND_NODE), &node->slot) &&
               (node->name.size == 0 || scope_bind(r, node->name, node->slot));
    }
    if (!can_be(r, binding, KIND_NODE)) {
        return type_conflict(r, node->spot, node->name, binding, "a node");
    }
    if (is_alone || node->label_count > 0 || node->properties != NULL) {
        return resolver_fail(r, node->spot, "VariableAlreadyBound",
                             "`%.*s` is bound already: it cannot be made again, nor get labels or "
                             "properties here (SET does that)",
                             NAME_SHOWN(node->name));
    }
    node->slot = binding->slot;
    node->is_bound = true;
    return slot_use(r, binding->slot);
}

static bool make_relationship(struct resolver *r, struct relationship_pattern *relationship,
                              bool is_merge)
{
    struct ast_spot spot = relationship->spot;
    if (relationship->name.size > 0 && scope_find(r->scope, relationship->name) != NULL) {
        return resolver_fail(r, spot, "VariableAlreadyBound",
                             "`%.*s` is bound already: it cannot be made again",
                             NAME_SHOWN(relationship->name));
    }
    if (relationship->is_variable_length) {
        return resolver_fail(r, spot, "CreatingVarLength",
                             "a relationship of variable length can be matched, not made");
    }
    if (relationship->type_count != 1) {
        return resolver_fail(r, spot, "NoSingleRelationshipType",
                             "a relationship is made with exactly one type: -[:TYPE]->");
    }
    if (!is_merge && relationship->direction == PATTERN_EITHER) {
        return resolver_fail(r, spot, "RequiresDirectedRelationship",
                             "a relationship is made with one direction: -[:TYPE]-> or "
                             "<-[:TYPE]-");
    }
    if (!resolve_made_properties(r, relationship->properties, is_merge)) {
        return false;
    }
    if (relationship->name.size == 0) {
        return slot_new(r, relationship->name, type_of(KIND_RELATIONSHIP), &relationship->slot);
    }
    return scope_declare(r, relationship->name, spot, type_of(KIND_RELATIONSHIP),
                         &relationship->slot);
}

static bool make_path(struct resolver *r, struct path_pattern *path, bool is_merge)
{
    if (path->shape != PATTERN_PLAIN) {
        return resolver_fail(r, path->spot, "UnexpectedSyntax",
                             "a shortest path can be matched, not made");
    }
    for (uint32_t i = 0; i <= path->length; i++) {
        if (!make_node(r, &path->nodes[i], path->length == 0, is_merge) ||
            (i < path->length && !make_relationship(r, &path->relationships[i], is_merge))) {
            return false;
        }
    }
    return name_path(r, path);
}

bool resolve_create_pattern(struct resolver *r, struct pattern *pattern)
{
    r->clause = ++r->clause_count;
    for (uint32_t i = 0; i < pattern->path_count; i++) {
        if (!make_path(r, &pattern->paths[i], false)) {
            return false;
        }
    }
    return true;
}

bool resolve_merge_pattern(struct resolver *r, struct pattern *pattern)
{
    r->clause = ++r->clause_count;
    return make_path(r, &pattern->paths[0], true);
}
