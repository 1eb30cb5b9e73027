#include "query/procedure.h"

#include "query/procedures.h"

static const struct procedure *const ALL[] = {
    &procedure_db_indexes,
    &procedure_db_labels,
    &procedure_db_property_keys,
    &procedure_db_relationship_types,
    &procedure_db_show_constraints,
    &procedure_db_show_indexes,
    &procedure_dbms_components,
    &procedure_yore_changes,
    &procedure_yore_diff,
    &procedure_yore_history,
    &procedure_yore_next_change,
    &procedure_yore_pending,
    &procedure_yore_previous_change,
    &procedure_yore_sources,
    &procedure_yore_timeline,
};

const struct procedure *const *procedure_all(size_t *count_out)
{
    *count_out = sizeof(ALL) / sizeof(ALL[0]);
    return ALL;
}

static bool is_same_but_for_case(struct yore_bytes a, struct yore_bytes b)
{
    const unsigned char *x = a.data;
    const unsigned char *y = b.data;
    bool is_same = a.size == b.size;
    for (size_t i = 0; is_same && i < a.size; i++) {
        unsigned char low_x = x[i] >= 'A' && x[i] <= 'Z' ? (unsigned char)(x[i] + 32) : x[i];
        unsigned char low_y = y[i] >= 'A' && y[i] <= 'Z' ? (unsigned char)(y[i] + 32) : y[i];
        is_same = low_x == low_y;
    }
    return is_same;
}

static const struct procedure *find_in(const struct procedure *const *items, size_t count,
                                       struct yore_bytes name)
{
    const struct procedure *close = NULL;
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(items[i]->name, name)) {
            return items[i];
        }
        if (close == NULL && is_same_but_for_case(items[i]->name, name)) {
            close = items[i];
        }
    }
    return close;
}

const struct procedure *procedure_find(const struct procedure_set *own, struct yore_bytes name)
{
    const struct procedure *found = own != NULL ? find_in(own->items, own->count, name) : NULL;
    return found != NULL ? found : find_in(ALL, sizeof(ALL) / sizeof(ALL[0]), name);
}

bool procedure_accepts(enum procedure_type type, enum yore_graph_kind kind)
{
    if (kind == YORE_GRAPH_NULL) {
        return true;
    }
    switch (type) {
    case PROCEDURE_ANY:
        return true;
    case PROCEDURE_BOOLEAN:
        return kind == YORE_GRAPH_BOOL;
    case PROCEDURE_INTEGER:
        return kind == YORE_GRAPH_INT;
    case PROCEDURE_FLOAT:
    case PROCEDURE_NUMBER:
        return kind == YORE_GRAPH_INT || kind == YORE_GRAPH_FLOAT;
    case PROCEDURE_STRING:
        return kind == YORE_GRAPH_STRING;
    case PROCEDURE_LIST:
        return kind == YORE_GRAPH_LIST;
    case PROCEDURE_MAP:
        return kind == YORE_GRAPH_MAP;
    case PROCEDURE_NODE:
        return kind == YORE_GRAPH_NODE || kind == YORE_GRAPH_NODE_REF;
    case PROCEDURE_RELATIONSHIP:
        return kind == YORE_GRAPH_RELATIONSHIP || kind == YORE_GRAPH_RELATIONSHIP_REF;
    case PROCEDURE_PATH:
        return kind == YORE_GRAPH_PATH;
    case PROCEDURE_DATETIME:
        return kind == YORE_GRAPH_DATETIME;
    case PROCEDURE_MOMENT:
        return kind == YORE_GRAPH_STRING || kind == YORE_GRAPH_INT || kind == YORE_GRAPH_DATETIME ||
               kind == YORE_GRAPH_LOCAL_DATETIME || kind == YORE_GRAPH_DATE;
    }
    return false;
}
