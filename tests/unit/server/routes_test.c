/* Every route that answers is told in /openapi.json, and everything told there answers. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "server/http_internal.h"
#include "server/openapi.h"
#include "support/test.h"

#define TOLD_MAX 64

struct told {
    char method[16];
    char path[64];
};

struct told_list {
    struct told items[TOLD_MAX];
    size_t count;
};

/* "get /v1/graph/{graph}/query" -> "GET", "/v1/graph/{}/query" */
static void add(struct told_list *list, struct yore_bytes path, struct yore_bytes method)
{
    CHECK(list->count < TOLD_MAX);
    struct told *told = &list->items[list->count++];
    const char *text = path.data;
    const char *lower = method.data;
    size_t size = 0;
    bool is_inside = false;
    CHECK(path.size < sizeof told->path && method.size < sizeof told->method);
    for (size_t i = 0; i < path.size; i++) {
        is_inside = is_inside && text[i] != '}';
        if (!is_inside) {
            told->path[size++] = text[i];
        }
        is_inside = is_inside || text[i] == '{';
    }
    told->path[size] = '\0';
    for (size_t i = 0; i <= method.size; i++) {
        told->method[i] = i == method.size ? '\0' : (char)(lower[i] - 32);
    }
}

/* The members of an object, one after another, at `reader`. */
static bool next_member(struct json_reader *reader, struct buffer *name)
{
    bool has_member = false;
    buffer_clear(name);
    CHECK(json_object_member(reader, name, &has_member));
    return has_member;
}

static void skip(struct json_reader *reader)
{
    struct buffer text = {0};
    CHECK(json_copy(reader, &text));
    buffer_release(&text);
}

static void read_paths(struct json_reader *reader, struct told_list *list)
{
    struct buffer path = {0};
    struct buffer method = {0};
    CHECK(json_object_begin(reader));
    while (next_member(reader, &path)) {
        CHECK(json_object_begin(reader));
        while (next_member(reader, &method)) {
            add(list, buffer_bytes(&path), buffer_bytes(&method));
            skip(reader);
        }
    }
    buffer_release(&path);
    buffer_release(&method);
}

static void read_openapi(struct told_list *list)
{
    struct json_reader reader;
    struct buffer name = {0};
    json_reader_init(&reader, bytes_of(openapi_text, strlen(openapi_text)));
    *list = (struct told_list){.count = 0};
    CHECK(json_object_begin(&reader));
    while (next_member(&reader, &name)) {
        if (bytes_equal(buffer_bytes(&name), bytes_of("paths", 5))) {
            read_paths(&reader, list);
        } else {
            skip(&reader);
        }
    }
    CHECK(json_end(&reader));
    buffer_release(&name);
}

static bool is_told(const struct told_list *list, const char *method, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].method, method) == 0 && strcmp(list->items[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* HEAD goes with GET; the forms of small servers are there only when they are switched on. */
static bool needs_telling(const struct http_route *route)
{
    return strcmp(route->method, "HEAD") != 0 && route->run != http_compat_put &&
           route->run != http_compat_get && route->run != http_compat_delete;
}

TEST(every_route_is_told)
{
    struct told_list list;
    read_openapi(&list);
    size_t count = 0;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        if (needs_telling(route)) {
            CHECK_MSG(is_told(&list, route->method, route->path), "%s %s is not in openapi.json",
                      route->method, route->path);
            count++;
        }
    }
    CHECK_EQ_UINT(list.count, count);
}

static const struct http_route *find(const char *method, const char *path,
                                     struct yore_bytes *param_out, bool *is_known_out)
{
    struct http_head head = {.method = bytes_of(method, strlen(method)),
                             .path = bytes_of(path, strlen(path))};
    return http_route_find(&head, false, param_out, is_known_out);
}

TEST(everything_told_has_a_route)
{
    struct told_list list;
    read_openapi(&list);
    for (size_t i = 0; i < list.count; i++) {
        struct yore_bytes param;
        bool is_known;
        CHECK_MSG(find(list.items[i].method, list.items[i].path, &param, &is_known) != NULL,
                  "%s %s has no route", list.items[i].method, list.items[i].path);
    }
}

TEST(a_parameter_is_one_segment_or_the_rest)
{
    struct yore_bytes param = {NULL, 0};
    bool is_known;
    CHECK(find("POST", "/v1/graph/topo/query", &param, &is_known) != NULL);
    CHECK_EQ_BYTES(param.data, param.size, "topo", 4);
    CHECK(find("GET", "/v1/graph/topo/query", &param, &is_known) == NULL);
    CHECK(is_known);
    CHECK(find("POST", "/v1/graph/a/b/query", &param, &is_known) == NULL);
    CHECK(!is_known);
    CHECK(find("POST", "/v1/graph//query", &param, &is_known) == NULL);
    CHECK(find("POST", "/v1/graph/query", &param, &is_known) == NULL);
    CHECK(find("GET", "/v1/kv/a/b", &param, &is_known) != NULL);
    CHECK_EQ_BYTES(param.data, param.size, "a/b", 3);
    CHECK(find("GET", "/v1/kv/", &param, &is_known) == NULL);
}

TEST_MAIN(every_route_is_told, everything_told_has_a_route, a_parameter_is_one_segment_or_the_rest)
