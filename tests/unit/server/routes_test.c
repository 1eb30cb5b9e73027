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
    char params[128]; /* of the query, as a route has them, but in the document's order */
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

/* {"name":"at","in":"query",...}: the name of one in the query is added to `params`. */
static void read_param(struct json_reader *reader, char params[128])
{
    struct buffer member = {0};
    char name[32] = "";
    bool is_query = false;
    CHECK(json_object_begin(reader));
    while (next_member(reader, &member)) {
        struct buffer text = {0};
        bool is_name = bytes_are(buffer_bytes(&member), "name");
        if (is_name || bytes_are(buffer_bytes(&member), "in")) {
            CHECK(json_string(reader, &text));
            if (is_name) {
                snprintf(name, sizeof name, "%.*s", (int)text.size, (const char *)text.data);
            } else {
                is_query = bytes_are(buffer_bytes(&text), "query");
            }
        } else {
            skip(reader);
        }
        buffer_release(&text);
    }
    if (is_query) {
        size_t used = strlen(params);
        snprintf(params + used, 128 - used, "%s%s", used > 0 ? " " : "", name);
    }
    buffer_release(&member);
}

static void read_method(struct json_reader *reader, char params[128])
{
    struct buffer member = {0};
    bool has_item = true;
    CHECK(json_object_begin(reader));
    while (next_member(reader, &member)) {
        if (!bytes_are(buffer_bytes(&member), "parameters")) {
            skip(reader);
            continue;
        }
        CHECK(json_array_begin(reader));
        while (json_array_item(reader, &has_item) && has_item) {
            read_param(reader, params);
        }
    }
    buffer_release(&member);
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
            read_method(reader, list->items[list->count - 1].params);
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

/* Are the words of `some` among those of `all`? */
static bool has_words(const char *all, const char *some)
{
    while (*some != '\0') {
        size_t size = strcspn(some, " ");
        const char *at = all;
        while (strcspn(at, " ") != size || memcmp(at, some, size) != 0) {
            at += strcspn(at, " ");
            if (*at++ == '\0') {
                return false;
            }
        }
        some += size;
        some += *some == ' ' ? 1 : 0;
    }
    return true;
}

TEST(every_parameter_that_is_taken_is_told)
{
    struct told_list list;
    read_openapi(&list);
    for (size_t i = 0; i < list.count; i++) {
        struct yore_bytes param;
        bool is_known;
        const struct http_route *route =
            find(list.items[i].method, list.items[i].path, &param, &is_known);
        CHECK(route != NULL);
        CHECK_MSG(has_words(route->params, list.items[i].params) &&
                      has_words(list.items[i].params, route->params),
                  "%s %s takes [%s], told are [%s]", route->method, route->path, route->params,
                  list.items[i].params);
    }
}

static const char *problem_of(const char *query)
{
    static char text[HTTP_PARAM_PROBLEM_BYTES];
    static const struct http_route route = {.params = "at known prefix limit ttl until"};
    return http_params_problem(&route, bytes_of(query, strlen(query)), text);
}

TEST(parameters_are_known_ones_each_once)
{
    CHECK(problem_of("") == NULL && problem_of("at=x&known=y&prefix=") == NULL);
    CHECK(problem_of("&at&&prefix=a%26b&") == NULL);
    CHECK_EQ_STR(problem_of("AT=-1h"), "there is no parameter 'AT' here; did you mean at?");
    CHECK_EQ_STR(problem_of("at=1&knwon=2"),
                 "there is no parameter 'knwon' here; did you mean known?");
    CHECK_EQ_STR(problem_of("frobnicate=1"),
                 "there is no parameter 'frobnicate' here; /openapi.json lists them");
    CHECK_EQ_STR(problem_of("at=1&prefix=a&at=1"), "the parameter 'at' stands there twice");
    CHECK_EQ_STR(problem_of("limit=a"), "limit is a whole number, not 'a'");
    CHECK_EQ_STR(problem_of("limit"), "limit is a whole number, not ''");
    CHECK(problem_of("limit=-12") == NULL && problem_of("limit=%31") == NULL);
    CHECK_EQ_STR(problem_of("limit=%61"), "limit is a whole number, not 'a'");
    CHECK_EQ_STR(problem_of("at=1&prefix=%zz"), "the parameter 'prefix' is badly percent-encoded");
    CHECK_EQ_STR(problem_of("prefix=a%2"), "the parameter 'prefix' is badly percent-encoded");
    CHECK_EQ_STR(problem_of("ttl=5m&until=now"), "ttl is a whole number of seconds, not '5m'");
    CHECK_EQ_STR(problem_of("=1"), "there is no parameter '' here; /openapi.json lists them");
    CHECK_EQ_STR(problem_of("this-parameter-is-longer-than-any-name-there-is=1"),
                 "there is no parameter 'this-parameter-is-longer-than-a' here; /openapi.json "
                 "lists them");
}

TEST_MAIN(every_route_is_told, every_parameter_that_is_taken_is_told,
          parameters_are_known_ones_each_once, everything_told_has_a_route,
          a_parameter_is_one_segment_or_the_rest)
