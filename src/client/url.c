#include "client/url.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *begin;
    bool is_secure;
} SCHEMES[] = {{"yore://", false}, {"yores://", true}, {"redis://", false}, {"rediss://", true}};

static const char UNIX_BEGIN[] = "unix://";

static const char *behind_scheme(const char *url, bool *is_secure_out)
{
    for (size_t i = 0; i < sizeof(SCHEMES) / sizeof(SCHEMES[0]); i++) {
        size_t size = strlen(SCHEMES[i].begin);
        if (strncmp(url, SCHEMES[i].begin, size) == 0) {
            *is_secure_out = SCHEMES[i].is_secure;
            return url + size;
        }
    }
    return NULL;
}

bool client_url_is_one(const char *text)
{
    bool ignored;
    return behind_scheme(text, &ignored) != NULL ||
           strncmp(text, UNIX_BEGIN, sizeof(UNIX_BEGIN) - 1) == 0;
}

static enum yore_status refuse_url(const char *problem, struct yore_error *error_out)
{
    return error_set(
        error_out, YORE_INVALID,
        "the URL of the server %s; write yore://[user[:password]@]host[:port][/db] (yores:// for "
        "TLS) or unix:///path",
        problem);
}

static bool copy_part(char *to, size_t room, const char *from, size_t size)
{
    if (size >= room) {
        return false;
    }
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

/* 0..65535 */
static bool parse_small(const char *text, size_t size, unsigned *number_out)
{
    unsigned number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || number > UINT16_MAX) {
            return false;
        }
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    *number_out = number;
    return size > 0 && number <= UINT16_MAX;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* %XX becomes an octet, in place; a % before anything else stays. */
static void decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        int high = at[0] == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;
        bool is_octet = low >= 0 && high + low > 0;
        *to++ = is_octet ? (char)(high * 16 + low) : *at;
        at += is_octet ? 2 : 0;
    }
    *to = '\0';
}

static bool parse_login(struct client_place *place, const char *text, size_t size)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon != NULL ? (size_t)(colon - text) : size;
    bool is_good = copy_part(place->user, sizeof(place->user), text, user_size) &&
                   (colon == NULL || copy_part(place->password, sizeof(place->password), colon + 1,
                                               size - user_size - 1));
    decode(place->user);
    decode(place->password);
    return is_good;
}

static bool parse_host(struct client_place *place, const char *text, size_t size)
{
    size_t skip = size > 0 && text[0] == '[' ? 1 : 0; /* IPv6 stands in brackets */
    const char *end = memchr(text + skip, skip > 0 ? ']' : ':', size - skip);
    if (end == NULL && skip > 0) {
        return false;
    }
    size_t host_size = end != NULL ? (size_t)(end - text) - skip : size;
    const char *behind = text + skip + host_size + skip;
    size_t rest = size - (size_t)(behind - text);
    unsigned port = 6379;
    if (rest > 0 && (*behind != ':' || !parse_small(behind + 1, rest - 1, &port))) {
        return false;
    }
    place->port = (uint16_t)port;
    return host_size > 0 && copy_part(place->host, sizeof(place->host), text + skip, host_size);
}

/* user:password@ up to the last @ before the path: a password may hold one. */
static size_t login_bytes(const char *text, size_t size)
{
    size_t end = 0;
    for (size_t i = 0; i < size; i++) {
        end = text[i] == '@' ? i + 1 : end;
    }
    return end;
}

static enum yore_status parse_unix(const char *url, struct client_place *place,
                                   struct yore_error *error_out)
{
    const char *path = url + sizeof(UNIX_BEGIN) - 1;
    const char *mark = strstr(path, "?db=");
    size_t size = mark != NULL ? (size_t)(mark - path) : strlen(path);
    place->is_unix = true;
    bool is_good = size > 0 && copy_part(place->host, sizeof(place->host), path, size) &&
                   (mark == NULL || parse_small(mark + 4, strlen(mark + 4), &place->database));
    return is_good ? YORE_OK : refuse_url("names no socket", error_out);
}

enum yore_status client_url_parse(const char *url, struct client_place *place_out,
                                  struct yore_error *error_out)
{
    struct client_place *place = place_out;
    *place = (struct client_place){.port = 6379};
    if (strncmp(url, UNIX_BEGIN, sizeof(UNIX_BEGIN) - 1) == 0) {
        return parse_unix(url, place, error_out);
    }
    const char *at = behind_scheme(url, &place->is_secure);
    if (at == NULL) {
        return refuse_url("begins with none of yore://, yores://, redis://, rediss:// and unix://",
                          error_out);
    }
    const char *slash = strchr(at, '/');
    size_t size = slash != NULL ? (size_t)(slash - at) : strlen(at);
    size_t login = login_bytes(at, size);
    if (login > 0 && !parse_login(place, at, login - 1)) {
        return refuse_url("has a user or a password that is too long", error_out);
    }
    if (!parse_host(place, at + login, size - login)) {
        return refuse_url("names no host and port", error_out);
    }
    if (slash != NULL && slash[1] != '\0' &&
        !parse_small(slash + 1, strlen(slash + 1), &place->database)) {
        return refuse_url("ends in something that is no number of a database", error_out);
    }
    return YORE_OK;
}

char *client_url_show(const char *url, char text[CLIENT_URL_TEXT_BYTES])
{
    bool ignored;
    const char *at = behind_scheme(url, &ignored);
    size_t login = at != NULL ? login_bytes(at, strcspn(at, "/")) : 0;
    const char *colon = login > 0 ? memchr(at, ':', login) : NULL;
    if (colon == NULL) {
        snprintf(text, CLIENT_URL_TEXT_BYTES, "%.300s", url);
    } else {
        snprintf(text, CLIENT_URL_TEXT_BYTES, "%.*s@%.200s",
                 (int)(colon - url < 100 ? colon - url : 100), url, at + login);
    }
    return text;
}
