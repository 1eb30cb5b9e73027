/* graphml_reader.c -- see graphml_reader.h.
 *
 * The parser is suspended at the end of each node and edge, and goes on when the next one is asked
 * for: so a word is made within one call, in the arena of that call.
 */
#include "cli/graphml_reader.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "query/map.h"
#include "query/number.h"
#include "query/value.h"
#include "query/word_json.h"

enum data_type { DATA_STRING, DATA_INT, DATA_FLOAT, DATA_BOOL, DATA_JSON };

struct data_key {
    char *id;
    char *name;
    enum data_type type;
};

struct graphml_reader {
    XML_Parser parser;
    struct yore_bytes octets;
    bool is_last;
    bool is_fed;
    bool is_suspended;
    struct data_key *keys;
    size_t key_count;
    unsigned depth;
    uint64_t edge_count;
    /* the element at work */
    struct arena *arena;
    struct yore_graph_word word;
    bool is_open;
    bool is_done;
    const struct data_key *data; /* NULL: outside */
    struct buffer text;
    struct yore_graph_entry *entries;
    size_t entry_count;
    const char *problem;
    bool is_nomem;
};

/* ---- faults --------------------------------------------------------------------------------- */

static void refuse(struct graphml_reader *reader, const char *problem)
{
    if (reader->problem == NULL) {
        reader->problem = problem;
        XML_StopParser(reader->parser, XML_FALSE);
    }
}

static void run_out(struct graphml_reader *reader)
{
    reader->is_nomem = true;
    refuse(reader, "out of memory");
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp(attributes[i], name) == 0) {
            return attributes[i + 1];
        }
    }
    return NULL;
}

static struct yore_bytes keep(struct graphml_reader *reader, const char *text, size_t size)
{
    void *copy = arena_copy(reader->arena, text, size);
    if (copy == NULL) {
        run_out(reader);
    }
    return bytes_of(copy, copy == NULL ? 0 : size);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void begin_key(struct graphml_reader *reader, const XML_Char **attributes)
{
    static const struct {
        const char *name;
        enum data_type type;
    } types[] = {{"string", DATA_STRING}, {"int", DATA_INT},      {"long", DATA_INT},
                 {"float", DATA_FLOAT},   {"double", DATA_FLOAT}, {"boolean", DATA_BOOL}};
    const char *id = attribute(attributes, "id");
    const char *name = attribute(attributes, "attr.name");
    const char *type = attribute(attributes, "attr.type");
    const char *own = attribute(attributes, "yore.type");
    size_t which = 0;
    type = type == NULL ? "string" : type;
    while (which < sizeof(types) / sizeof(types[0]) && strcmp(types[which].name, type) != 0) {
        which++;
    }
    if (id == NULL || which == sizeof(types) / sizeof(types[0])) {
        refuse(reader, "a key has an id, and a type of boolean, int, long, float, double, string");
        return;
    }
    if (reader->key_count == GRAPHML_KEYS_MAX) {
        refuse(reader, "more than 4,096 keys");
        return;
    }
    if ((reader->key_count & (reader->key_count - 1)) == 0) {
        size_t room = reader->key_count == 0 ? 1 : reader->key_count * 2;
        struct data_key *keys = mem_realloc(reader->keys, room * sizeof(*keys));
        if (keys == NULL) {
            run_out(reader);
            return;
        }
        reader->keys = keys;
    }
    struct data_key *key = &reader->keys[reader->key_count];
    *key =
        (struct data_key){copy_text(id), copy_text(name != NULL ? name : id),
                          own != NULL && strcmp(own, "json") == 0 ? DATA_JSON : types[which].type};
    reader->key_count++;
    if (key->id == NULL || key->name == NULL) {
        run_out(reader);
    }
}

static const struct data_key *find_key(const struct graphml_reader *reader, const char *id)
{
    for (size_t i = 0; id != NULL && i < reader->key_count; i++) {
        if (strcmp(reader->keys[i].id, id) == 0) {
            return &reader->keys[i];
        }
    }
    return NULL;
}

/* ---- elements ------------------------------------------------------------------------------- */

/* ":A:B\:C" */
static void take_labels(struct graphml_reader *reader, const char *text)
{
    size_t size = strlen(text);
    char *copy = arena_alloc_unaligned(reader->arena, size + 1);
    struct yore_bytes *labels = arena_alloc(reader->arena, (size / 2 + 1) * sizeof(*labels));
    size_t filled = 0;
    size_t begin = 0;
    if (copy == NULL || labels == NULL) {
        run_out(reader);
        return;
    }
    reader->word.label_count = 0;
    for (size_t i = 0; i <= size; i++) {
        bool is_end = i == size || text[i] == ':';
        if (is_end && filled > begin) {
            labels[reader->word.label_count++] = bytes_of(copy + begin, filled - begin);
        }
        if (is_end) {
            begin = filled;
            continue;
        }
        i += text[i] == '\\' && i + 1 < size;
        copy[filled++] = text[i];
    }
    reader->word.labels = labels;
}

static void begin_element(struct graphml_reader *reader, bool is_node, const XML_Char **attributes)
{
    const char *id = attribute(attributes, "id");
    char made[24];
    if (reader->is_open) {
        refuse(reader, "a node or edge inside another");
        return;
    }
    reader->word = (struct yore_graph_word){.element = is_node ? YORE_GRAPH_ELEMENT_NODE
                                                               : YORE_GRAPH_ELEMENT_RELATIONSHIP,
                                            .from = YORE_NOW,
                                            .to = YORE_FOREVER};
    reader->is_open = true;
    reader->entries = NULL;
    reader->entry_count = 0;
    if (!is_node) {
        const char *source = attribute(attributes, "source");
        const char *target = attribute(attributes, "target");
        const char *label = attribute(attributes, "label");
        if (source == NULL || target == NULL) {
            refuse(reader, "an edge has a source and a target");
            return;
        }
        snprintf(made, sizeof(made), "e%llu", (unsigned long long)reader->edge_count++);
        id = id == NULL ? made : id;
        label = label == NULL ? "RELATED" : label;
        reader->word.start = keep(reader, source, strlen(source));
        reader->word.end = keep(reader, target, strlen(target));
        reader->word.type = keep(reader, label, strlen(label));
    } else if (attribute(attributes, "labels") != NULL) {
        take_labels(reader, attribute(attributes, "labels"));
    }
    if (id == NULL) {
        refuse(reader, "a node has an id");
        return;
    }
    reader->word.external_id = keep(reader, id, strlen(id));
}

static bool take_value(struct graphml_reader *reader, struct yore_graph_value *value)
{
    struct yore_bytes text = buffer_bytes(&reader->text);
    struct yore_error error;
    int64_t integer;
    double real;
    switch (reader->data->type) {
    case DATA_INT:
        *value = value_int(integer_read(text, &integer) ? integer : 0);
        return integer_read(text, &integer);
    case DATA_FLOAT:
        *value = value_float(float_read(text, &real) ? real : 0);
        return float_read(text, &real);
    case DATA_BOOL:
        *value = value_bool(bytes_equal(text, bytes_of("true", 4)));
        return value->as.boolean || bytes_equal(text, bytes_of("false", 5));
    case DATA_JSON: {
        enum yore_status st = word_json_read_value(text, reader->arena, value, &error);
        reader->is_nomem |= st == YORE_NOMEM;
        return st == YORE_OK;
    }
    default:
        *value = value_string(keep(reader, text.data, text.size));
        return true;
    }
}

static bool add_entry(struct graphml_reader *reader, const struct yore_graph_value *value)
{
    size_t count = reader->entry_count;
    if ((count & (count - 1)) == 0) {
        struct yore_graph_entry *entries =
            arena_alloc(reader->arena, (count == 0 ? 1 : count * 2) * sizeof(*entries));
        if (entries == NULL) {
            return false;
        }
        if (count > 0) {
            memcpy(entries, reader->entries, count * sizeof(*entries));
        }
        reader->entries = entries;
    }
    reader->entries[count] = (struct yore_graph_entry){
        keep(reader, reader->data->name, strlen(reader->data->name)), *value};
    reader->entry_count++;
    return true;
}

/* The data of other writers that say labels and types as data. */
static bool take_role(struct graphml_reader *reader)
{
    bool is_node = reader->word.element == YORE_GRAPH_ELEMENT_NODE;
    if (is_node && strcmp(reader->data->id, "labels") == 0) {
        buffer_append_u8(&reader->text, 0);
        if (!reader->text.is_nomem) {
            take_labels(reader, (const char *)reader->text.data);
        }
        return true;
    }
    if (!is_node && strcmp(reader->data->id, "label") == 0) {
        reader->word.type = keep(reader, (const char *)reader->text.data, reader->text.size);
        return true;
    }
    return false;
}

static void end_data(struct graphml_reader *reader)
{
    struct yore_graph_value value;
    if (reader->text.is_nomem) {
        run_out(reader);
    } else if (!take_role(reader)) {
        if (!take_value(reader, &value)) {
            refuse(reader, "the data is not of its key's type");
        } else if (!add_entry(reader, &value)) {
            run_out(reader);
        }
    }
    reader->data = NULL;
}

/* ---- events --------------------------------------------------------------------------------- */

/* Behind the prefix of a namespace. */
static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static void XMLCALL on_begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct graphml_reader *reader = arg;
    const char *local = local_name(name);
    if (++reader->depth > GRAPHML_DEPTH_MAX) {
        refuse(reader, "elements are nested deeper than 16");
    } else if (reader->depth == 1 && strcmp(local, "graphml") != 0) {
        refuse(reader, "the document is no graphml");
    } else if (reader->data != NULL) {
        refuse(reader, "data holds text alone");
    } else if (strcmp(local, "key") == 0) {
        begin_key(reader, attributes);
    } else if (strcmp(local, "node") == 0 || strcmp(local, "edge") == 0) {
        begin_element(reader, *local == 'n', attributes);
    } else if (strcmp(local, "data") == 0 && reader->is_open) {
        reader->data = find_key(reader, attribute(attributes, "key"));
        buffer_clear(&reader->text);
        if (reader->data == NULL) {
            refuse(reader, "data of a key that is not declared");
        }
    } else if (strcmp(local, "default") == 0 || strcmp(local, "hyperedge") == 0 ||
               strcmp(local, "port") == 0) {
        refuse(reader, "defaults, hyperedges and ports are not read");
    }
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct graphml_reader *reader = arg;
    const char *local = local_name(name);
    reader->depth--;
    if (reader->problem != NULL) {
        return;
    }
    if (strcmp(local, "data") == 0 && reader->data != NULL) {
        end_data(reader);
    } else if (reader->is_open && (strcmp(local, "node") == 0 || strcmp(local, "edge") == 0)) {
        reader->is_open = false;
        reader->is_done = true;
        XML_StopParser(reader->parser, XML_TRUE);
    }
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int size)
{
    struct graphml_reader *reader = arg;
    if (reader->data == NULL) {
        return;
    }
    if (reader->text.size + (size_t)size > GRAPHML_DATA_BYTES_MAX) {
        refuse(reader, "data is longer than 64 MiB");
        return;
    }
    buffer_append(&reader->text, text, (size_t)size);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(arg, "a document type declaration is refused: its entities could grow without end");
}

/* ---- the reader ----------------------------------------------------------------------------- */

enum yore_status graphml_reader_new(struct graphml_reader **reader_out,
                                    struct yore_error *error_out)
{
    struct graphml_reader *reader = mem_zalloc(sizeof(*reader));
    *reader_out = NULL;
    if (reader == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL) {
        graphml_reader_free(reader);
        return error_plain(error_out, YORE_NOMEM);
    }
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    *reader_out = reader;
    return YORE_OK;
}

void graphml_reader_free(struct graphml_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->parser != NULL) {
        XML_ParserFree(reader->parser);
    }
    for (size_t i = 0; i < reader->key_count; i++) {
        mem_free(reader->keys[i].id);
        mem_free(reader->keys[i].name);
    }
    mem_free(reader->keys);
    buffer_release(&reader->text);
    mem_free(reader);
}

void graphml_reader_feed(struct graphml_reader *reader, struct yore_bytes octets, bool is_last)
{
    reader->octets = octets;
    reader->is_last = is_last;
    reader->is_fed = true;
}

static enum yore_status tell_fault(struct graphml_reader *reader, struct yore_error *error_out)
{
    if (reader->is_nomem || XML_GetErrorCode(reader->parser) == XML_ERROR_NO_MEMORY) {
        return error_plain(error_out, YORE_NOMEM);
    }
    const char *problem = reader->problem != NULL
                              ? reader->problem
                              : XML_ErrorString(XML_GetErrorCode(reader->parser));
    return error_set(error_out, YORE_INVALID, "line %llu, column %llu: %s",
                     (unsigned long long)XML_GetCurrentLineNumber(reader->parser),
                     (unsigned long long)XML_GetCurrentColumnNumber(reader->parser) + 1, problem);
}

static enum yore_status finish_word(struct graphml_reader *reader, struct yore_graph_word *word_out,
                                    struct yore_error *error_out)
{
    size_t count = reader->entry_count;
    enum yore_status st = map_settle(reader->arena, reader->entries, &count);
    reader->is_done = false;
    *word_out = reader->word;
    word_out->properties = (struct yore_graph_map){reader->entries, count};
    return st == YORE_OK ? st : error_plain(error_out, st);
}

enum yore_status graphml_reader_next(struct graphml_reader *reader, struct arena *arena,
                                     struct yore_graph_word *word_out, struct yore_error *error_out)
{
    enum XML_Status status = XML_STATUS_OK;
    reader->arena = arena;
    if (reader->is_suspended) {
        status = XML_ResumeParser(reader->parser);
    } else if (reader->is_fed) {
        status = XML_Parse(reader->parser, reader->octets.data, (int)reader->octets.size,
                           reader->is_last);
        reader->is_fed = false;
    } else {
        return YORE_NOT_FOUND;
    }
    reader->is_suspended = status == XML_STATUS_SUSPENDED;
    if (status == XML_STATUS_ERROR || reader->problem != NULL) {
        return tell_fault(reader, error_out);
    }
    if (reader->is_done) {
        return finish_word(reader, word_out, error_out);
    }
    return YORE_NOT_FOUND;
}
