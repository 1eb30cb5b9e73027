#include "query/resolver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "query/compile_error.h"
#include "query/error.h"
#include "query/limits.h"
#include "query/resolver_internal.h"

/* ---- failing ---------------------------------------------------------------------------------
 */

static bool nomem(struct resolver *r)
{
    r->status = compile_nomem(r->error);
    return false;
}

__attribute__((format(printf, 4, 0))) static bool fail_list(struct resolver *r,
                                                            struct ast_spot spot,
                                                            struct query_error_class class,
                                                            const char *format, va_list arguments)
{
    r->status = query_error_set_list(r->error, r->statement->text, spot, class, format, arguments);
    if (r->status == YORE_OK) {
        r->status = YORE_INVALID;
    }
    return false;
}

bool resolver_fail(struct resolver *r, struct ast_spot spot, const char *detail, const char *format,
                   ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_list(r, spot, (struct query_error_class){"SyntaxError", detail, true}, format, arguments);
    va_end(arguments);
    return false;
}

bool resolver_fail_of(struct resolver *r, struct ast_spot spot, const char *type,
                      const char *detail, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail_list(r, spot, (struct query_error_class){type, detail, true}, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- memory ----------------------------------------------------------------------------------
 */

void *resolver_alloc(struct resolver *r, size_t size)
{
    void *memory = arena_alloc(r->arena, size);
    if (memory == NULL) {
        nomem(r);
        return NULL;
    }
    return memset(memory, 0, size);
}

void *resolver_grow(struct resolver *r, void *items, uint32_t count, uint32_t *capacity,
                    size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    uint32_t larger = *capacity == 0 ? 4 : *capacity * 2;
    void *copy = arena_alloc(r->arena, larger * item_size);
    if (copy == NULL) {
        nomem(r);
        return NULL;
    }
    if (count > 0) {
        memcpy(copy, items, count * item_size);
    }
    *capacity = larger;
    return copy;
}

/* ---- slots -----------------------------------------------------------------------------------
 */

bool slot_new(struct resolver *r, struct yore_bytes name, struct type type, uint32_t *slot_out)
{
    if (r->slot_count == QUERY_SLOTS_MAX) {
        struct query_place place = {r->statement->text, {0, 1}};
        r->status = compile_refuse(r->error, &place, YORE_TOO_BIG,
                                   "the statement has more than %u variables and temporaries",
                                   QUERY_SLOTS_MAX);
        return false;
    }
    struct slot_facts *slots =
        resolver_grow(r, r->slots, r->slot_count, &r->slot_capacity, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    r->slots = slots;
    slots[r->slot_count] = (struct slot_facts){name, type};
    *slot_out = r->slot_count++;
    return true;
}

bool slot_use(struct resolver *r, uint32_t slot)
{
    for (struct capture *c = r->capture; c != NULL && slot < c->first_slot; c = c->outer) {
        bool is_known = false;
        for (uint32_t i = 0; i < c->count && !is_known; i++) {
            is_known = c->slots[i] == slot;
        }
        if (is_known) {
            continue;
        }
        uint32_t *slots = resolver_grow(r, c->slots, c->count, &c->capacity, sizeof(*slots));
        if (slots == NULL) {
            return false;
        }
        c->slots = slots;
        slots[c->count++] = slot;
    }
    return true;
}

/* ---- scopes ----------------------------------------------------------------------------------
 */

const struct binding *scope_find(const struct binding *scope, struct yore_bytes name)
{
    while (scope != NULL && !bytes_equal(scope->name, name)) {
        scope = scope->outer;
    }
    return scope;
}

bool scope_bind(struct resolver *r, struct yore_bytes name, uint32_t slot)
{
    struct binding *binding = resolver_alloc(r, sizeof(*binding));
    if (binding == NULL) {
        return false;
    }
    *binding = (struct binding){name, slot, r->clause, r->scope};
    r->scope = binding;
    return true;
}

bool scope_declare(struct resolver *r, struct yore_bytes name, struct ast_spot spot,
                   struct type type, uint32_t *slot_out)
{
    if (scope_find(r->scope, name) != NULL) {
        return resolver_fail(r, spot, "VariableAlreadyBound",
                             "`%.*s` is bound already; take another name", NAME_SHOWN(name));
    }
    return slot_new(r, name, type, slot_out) && scope_bind(r, name, *slot_out);
}

#define NAME_TEXT_BYTES 41

static const char *binding_text(const void *arg, size_t index)
{
    const char(*names)[NAME_TEXT_BYTES] = arg;
    return names[index];
}

#define NEAREST_NAMES_MAX 64

bool undefined_variable(struct resolver *r, struct ast_spot spot, struct yore_bytes name)
{
    char names[NEAREST_NAMES_MAX][NAME_TEXT_BYTES];
    char wanted[NAME_TEXT_BYTES];
    size_t count = 0;
    for (const struct binding *b = r->scope; b != NULL && count < NEAREST_NAMES_MAX; b = b->outer) {
        if (b->name.size > 1 && b->name.size < NAME_TEXT_BYTES) {
            memcpy(names[count], b->name.data, b->name.size);
            names[count++][b->name.size] = '\0';
        }
    }
    const char *near = NULL;
    if (name.size > 1 && name.size < NAME_TEXT_BYTES) {
        memcpy(wanted, name.data, name.size);
        wanted[name.size] = '\0';
        near = nearest_word(wanted, binding_text, names, count);
    }
    return resolver_fail(r, spot, "UndefinedVariable", "`%.*s` is not defined here%s%s%s",
                         NAME_SHOWN(name), near != NULL ? "; did you mean `" : "",
                         near != NULL ? near : "", near != NULL ? "`?" : "");
}

/* The place of `name` in the table, or the free place where it belongs. */
static uint32_t *names_place(const struct names *names, struct yore_bytes name)
{
    uint32_t at = (uint32_t)hash_bytes(name) & (names->table_size - 1);
    while (names->table[at] != 0 && !bytes_equal(names->items[names->table[at] - 1], name)) {
        at = (at + 1) & (names->table_size - 1);
    }
    return &names->table[at];
}

static bool names_rehash(struct resolver *r, struct names *names)
{
    uint32_t size = names->table_size == 0 ? 16 : names->table_size * 2;
    uint32_t *table = resolver_alloc(r, size * sizeof(*table));
    if (table == NULL) {
        return false;
    }
    names->table = table;
    names->table_size = size;
    for (uint32_t i = 0; i < names->count; i++) {
        *names_place(names, names->items[i]) = i + 1;
    }
    return true;
}

bool names_index(struct resolver *r, struct names *names, struct yore_bytes name,
                 uint32_t *index_out)
{
    if (names->count * 2 >= names->table_size && !names_rehash(r, names)) {
        return false;
    }
    uint32_t *place = names_place(names, name);
    if (*place == 0) {
        struct yore_bytes *items =
            resolver_grow(r, names->items, names->count, &names->capacity, sizeof(*items));
        if (items == NULL) {
            return false;
        }
        names->items = items;
        items[names->count++] = name;
        *place = names->count;
    }
    *index_out = *place - 1;
    return true;
}

/* ---- the statement ---------------------------------------------------------------------------
 */

static bool publish_slots(struct resolver *r)
{
    size_t count = r->slot_count;
    struct yore_bytes *names = resolver_alloc(r, (count + 1) * sizeof(*names));
    if (names == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = r->slots[i].name;
    }
    r->statement->slot_count = r->slot_count;
    r->statement->slot_names = names;
    return true;
}

const struct expr *time_first(const struct time_spec *time)
{
    return time->as_of != NULL ? time->as_of : time->from != NULL ? time->from : time->known;
}

static bool resolve_statement(struct resolver *r)
{
    struct statement *statement = r->statement;
    if (!resolve_time(r, &statement->time) || !resolve_query(r, &statement->body, QUERY_TOP)) {
        return false;
    }
    const struct expr *time = time_first(&statement->time);
    time = time != NULL ? time : r->match_time;
    if (statement->body.writes && time != NULL) {
        return resolver_fail(r, time->spot, "InvalidClauseComposition",
                             "what writes cannot be asked as of another moment; what was written "
                             "can");
    }
    return true;
}

enum yore_status query_resolve(struct statement *statement, struct arena *arena,
                               const struct procedure_set *procedures,
                               struct query_error *error_out)
{
    struct resolver r = {
        .statement = statement, .arena = arena, .procedures = procedures, .error = error_out};
    if (!resolve_statement(&r) || !publish_slots(&r)) {
        YORE_ASSERT(r.status != YORE_OK);
        return r.status;
    }
    statement->parameters = r.parameters.items;
    statement->parameter_count = r.parameters.count;
    statement->properties = r.properties.items;
    statement->property_count = r.properties.count;
    return YORE_OK;
}
