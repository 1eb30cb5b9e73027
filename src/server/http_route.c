/* http_route.c -- the one table of paths: routing and /openapi.json read it. */
#include <stdio.h>
#include <string.h>

#include "server/http_internal.h"

const struct http_route http_routes[] = {
    {"GET", "/v1/kv/{}", "at known db", NET_SHORT, false, false, false, http_get_key},
    {"HEAD", "/v1/kv/{}", "at known db", NET_SHORT, false, false, false, http_get_key},
    {"PUT", "/v1/kv/{}", "at from to until ttl db", NET_SHORT, false, true, false, http_put_key},
    {"DELETE", "/v1/kv/{}", "at from to db", NET_SHORT, false, false, false, http_delete_key},
    {"GET", "/v1/kv", "prefix start end limit at known db", NET_LONG, false, false, false,
     http_list_keys},
    {"GET", "/v1/timeline/{}", "from to known limit db", NET_LONG, false, false, false,
     http_timeline},
    {"GET", "/v1/changes", "prefix from to known limit db", NET_LONG, false, false, false,
     http_changes},
    {"POST", "/v1/batch", "db", NET_SHORT, false, true, false, http_batch},
    {"POST", "/v1/transaction", "db", NET_SHORT, false, true, false, http_transaction},
    {"GET", "/v1/watch", "prefix after db", NET_SHORT, false, false, false, http_watch},
    {"GET", "/v1/export", "prefix at known db", NET_LONG, false, false, false, http_export},
    {"POST", "/v1/import", "db", NET_LONG, false, true, true, http_import},
    {"GET", "/v1/graphs", "at known", NET_SHORT, false, false, false, http_graphs},
    {"POST", "/v1/graph/{}/query", "at known", NET_LONG, false, true, false, http_graph_query},
    {"POST", "/v1/graph/{}/ingest", "source action snapshot at rank ttl", NET_LONG, false, true,
     false, http_graph_ingest},
    {"GET", "/v1/graph/{}/export", "format every at known", NET_LONG, false, false, false,
     http_graph_export},
    {"POST", "/v1/graph/{}/import", "", NET_LONG, false, true, true, http_graph_import},
    {"GET", "/healthz", "", NET_QUICK, true, false, false, http_health},
    {"HEAD", "/healthz", "", NET_QUICK, true, false, false, http_health},
    {"GET", "/readyz", "", NET_QUICK, true, false, false, http_ready},
    {"HEAD", "/readyz", "", NET_QUICK, true, false, false, http_ready},
    {"GET", "/metrics", "", NET_SHORT, false, false, false, http_metrics},
    {"HEAD", "/metrics", "", NET_SHORT, false, false, false, http_metrics},
    {"GET", "/openapi.json", "", NET_QUICK, true, false, false, http_openapi},
    {"HEAD", "/openapi.json", "", NET_QUICK, true, false, false, http_openapi},
    /* Only with http-compat-writes; any page a browser shows could ask for these. */
    {"GET", "/put", NULL, NET_SHORT, false, false, false, http_compat_put},
    {"GET", "/get/{}", "at known db", NET_SHORT, false, false, false, http_compat_get},
    {"GET", "/delete/{}", "at from to db", NET_SHORT, false, false, false, http_compat_delete},
};

const size_t http_route_count = sizeof(http_routes) / sizeof(http_routes[0]);

static bool is_compat(const struct http_route *route)
{
    return route->run == http_compat_put || route->run == http_compat_get ||
           route->run == http_compat_delete;
}

static bool path_fits(const char *pattern, struct yore_bytes path, struct yore_bytes *param_out)
{
    const char *place = strstr(pattern, "{}");
    if (place == NULL) {
        return bytes_are(path, pattern);
    }
    size_t before = (size_t)(place - pattern);
    size_t behind = strlen(place + 2);
    if (path.size <= before + behind || memcmp(path.data, pattern, before) != 0) {
        return false;
    }
    struct yore_bytes param =
        bytes_of((const char *)path.data + before, path.size - before - behind);
    *param_out = param;
    return behind == 0 || (memcmp((const char *)param.data + param.size, place + 2, behind) == 0 &&
                           memchr(param.data, '/', param.size) == NULL);
}

void http_route_methods(struct yore_bytes path, bool allows_compat, char text[HTTP_METHODS_BYTES])
{
    struct yore_bytes param;
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        if ((is_compat(route) && !allows_compat) || !path_fits(route->path, path, &param)) {
            continue;
        }
        int added = snprintf(text + size, HTTP_METHODS_BYTES - size, "%s%s", size > 0 ? ", " : "",
                             route->method);
        size += added > 0 && (size_t)added < HTTP_METHODS_BYTES - size ? (size_t)added : 0;
    }
}

const struct http_route *http_route_find(const struct http_head *head, bool allows_compat,
                                         struct yore_bytes *param_out, bool *path_is_known_out)
{
    *path_is_known_out = false;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        if ((is_compat(route) && !allows_compat) ||
            !path_fits(route->path, head->path, param_out)) {
            continue;
        }
        *path_is_known_out = true;
        if (bytes_equal(head->method, bytes_of(route->method, strlen(route->method)))) {
            return route;
        }
    }
    return NULL;
}
