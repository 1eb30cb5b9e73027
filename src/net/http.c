#include "net/http.h"

#include <string.h>

/* ---- characters -------------------------------------------------------------------------------
 */

static bool is_token(unsigned char c)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr(marks, c) != NULL);
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static unsigned char lower_of(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool http_is_word(struct yore_bytes text, const char *lower)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (lower[i] == '\0' || lower_of(at[i]) != (unsigned char)lower[i]) {
            return false;
        }
    }
    return lower[text.size] == '\0';
}

static struct yore_bytes trim(struct yore_bytes text)
{
    const unsigned char *at = text.data;
    size_t from = 0;
    size_t end = text.size;
    while (from < end && is_blank(at[from])) {
        from++;
    }
    while (end > from && is_blank(at[end - 1])) {
        end--;
    }
    return bytes_of(at + from, end - from);
}

bool http_list_has(struct yore_bytes list, const char *lower)
{
    const unsigned char *at = list.data;
    size_t from = 0;
    while (from < list.size) {
        size_t end = from;
        while (end < list.size && at[end] != ',') {
            end++;
        }
        struct yore_bytes item = bytes_of(at + from, end - from);
        const unsigned char *semicolon = memchr(item.data, ';', item.size);
        if (semicolon != NULL) {
            item.size = (size_t)(semicolon - (at + from));
        }
        if (http_is_word(trim(item), lower)) {
            return true;
        }
        from = end + 1;
    }
    return false;
}

/* ---- the head ---------------------------------------------------------------------------------
 */

static enum http_result bad(struct http_head *head, unsigned status, const char *problem)
{
    head->status = status;
    head->problem = problem;
    return HTTP_BAD;
}

/* Where the empty line ends that closes the head; 0: it has not come. */
static size_t find_end(struct yore_bytes data, size_t from)
{
    const unsigned char *at = data.data;
    for (size_t i = from; i + 3 < data.size; i++) {
        const unsigned char *found = memchr(at + i, '\r', data.size - i - 3);
        if (found == NULL) {
            return 0;
        }
        i = (size_t)(found - at);
        if (at[i + 1] == '\n' && at[i + 2] == '\r' && at[i + 3] == '\n') {
            return i + 4;
        }
    }
    return 0;
}

/* How long `http://` or `https://` is that it begins with; 0: neither. */
static size_t scheme_size(struct yore_bytes target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t size = strlen(schemes[i]);
        if (target.size > size && http_is_word(bytes_of(target.data, size), schemes[i])) {
            return size;
        }
    }
    return 0;
}

static enum http_result parse_target(struct yore_bytes target, struct http_head *head)
{
    const unsigned char *at = target.data;
    for (size_t i = 0; i < target.size; i++) {
        if (at[i] <= ' ' || at[i] >= 127 || at[i] == '#') {
            return bad(head, 400, "the target holds a character that must be percent-encoded");
        }
    }
    head->host = bytes_of("", 0);
    size_t scheme = scheme_size(target);
    if (scheme > 0) { /* as a proxy is asked */
        const unsigned char *slash = memchr(at + scheme, '/', target.size - scheme);
        if (slash == NULL) {
            return bad(head, 400, "the target has no path");
        }
        head->host = bytes_of(at + scheme, (size_t)(slash - at) - scheme);
        if (head->host.size == 0 || memchr(at + scheme, '@', head->host.size) != NULL) {
            return bad(head, 400, "the target names no host, or a user");
        }
        target = bytes_behind(target, (size_t)(slash - at));
        at = target.data;
    }
    if (target.size == 0 || (at[0] != '/' && !http_is_word(target, "*"))) {
        return bad(head, 400, "the target does not begin with /");
    }
    const unsigned char *mark = memchr(at, '?', target.size);
    size_t path_size = mark != NULL ? (size_t)(mark - at) : target.size;
    head->path = bytes_of(at, path_size);
    head->query = mark != NULL ? bytes_behind(target, path_size + 1) : bytes_of(at, 0);
    return HTTP_WHOLE;
}

static enum http_result parse_request_line(struct yore_bytes line, struct http_head *head)
{
    const unsigned char *at = line.data;
    size_t end = 0;
    while (end < line.size && is_token(at[end])) {
        end++;
    }
    if (end == 0 || end >= line.size || at[end] != ' ') {
        return bad(head, 400, "the request does not begin with a method");
    }
    head->method = bytes_of(at, end);
    struct yore_bytes rest = bytes_behind(line, end + 1);
    const unsigned char *blank = rest.size > 0 ? memchr(rest.data, ' ', rest.size) : NULL;
    if (blank == NULL || blank == rest.data) {
        return bad(head, 400, "the request line is not a method, a target and a version");
    }
    size_t target_size = (size_t)(blank - (const unsigned char *)rest.data);
    struct yore_bytes version = bytes_behind(rest, target_size + 1);
    if (version.size != 8 || memcmp(version.data, "HTTP/1.", 7) != 0) {
        return bad(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    unsigned char minor = ((const unsigned char *)version.data)[7];
    if (minor != '0' && minor != '1') {
        return bad(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    head->is_http10 = minor == '0';
    return parse_target(bytes_of(rest.data, target_size), head);
}

static enum http_result parse_header(struct yore_bytes line, struct http_head *head)
{
    const unsigned char *at = line.data;
    size_t end = 0;
    while (end < line.size && is_token(at[end])) {
        end++;
    }
    if (end == 0 || end >= line.size || at[end] != ':') {
        return bad(head, 400, "a header is not a name, a colon and a value");
    }
    if (head->header_count == HTTP_HEADERS_MAX) {
        return bad(head, 431, "more than 64 headers");
    }
    struct yore_bytes value = trim(bytes_behind(line, end + 1));
    const unsigned char *octets = value.data;
    for (size_t i = 0; i < value.size; i++) {
        if ((octets[i] < ' ' && octets[i] != '\t') || octets[i] == 127) {
            return bad(head, 400, "a header holds a control character");
        }
    }
    head->headers[head->header_count++] = (struct http_header){bytes_of(at, end), value};
    return HTTP_WHOLE;
}

struct yore_bytes http_header_find(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (http_is_word(head->headers[i].name, name)) {
            return head->headers[i].value;
        }
    }
    return bytes_of("", 0);
}

static size_t header_times(const struct http_head *head, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        count += http_is_word(head->headers[i].name, name) ? 1 : 0;
    }
    return count;
}

static bool parse_decimal(struct yore_bytes text, uint64_t *number_out)
{
    const unsigned char *at = text.data;
    uint64_t number = 0;
    if (text.size == 0 || text.size > 15) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(at[i] - '0');
    }
    *number_out = number;
    return true;
}

/* How the body is delimited: the one thing about which no two readers may disagree. */
static enum http_result parse_framing(struct http_head *head)
{
    size_t lengths = header_times(head, "content-length");
    size_t codings = header_times(head, "transfer-encoding");
    if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) {
        return bad(head, 400, "the length of the body is told more than once");
    }
    if (codings == 1) {
        if (head->is_http10 ||
            !http_is_word(http_header_find(head, "transfer-encoding"), "chunked")) {
            return bad(head, 501, "the only transfer coding is chunked, in HTTP/1.1");
        }
        head->is_chunked = true;
    }
    if (lengths == 1 &&
        !parse_decimal(http_header_find(head, "content-length"), &head->content_length)) {
        return bad(head, 400, "Content-Length is not a decimal number");
    }
    head->has_body = head->is_chunked || head->content_length > 0;
    return HTTP_WHOLE;
}

static enum http_result parse_meaning(struct http_head *head)
{
    size_t hosts = header_times(head, "host");
    if (hosts > 1 || (hosts == 0 && !head->is_http10)) {
        return bad(head, 400, "a request has exactly one Host");
    }
    if (head->host.size == 0) {
        head->host = http_header_find(head, "host");
    }
    struct yore_bytes connection = http_header_find(head, "connection");
    head->keeps_alive = head->is_http10 ? http_list_has(connection, "keep-alive")
                                        : !http_list_has(connection, "close");
    struct yore_bytes expect = http_header_find(head, "expect");
    head->expects_continue = !head->is_http10 && http_is_word(expect, "100-continue");
    if (expect.size > 0 && !head->expects_continue) {
        return bad(head, 417, "the only expectation met is 100-continue");
    }
    return parse_framing(head);
}

/* What has come first of a head that is not whole: who speaks another protocol hears of it, and
 * does not wait for an end of the head that will not come.  `judged` octets of it were there
 * before: a first line that ended among them is not looked at again. */
static enum http_result judge_begin(struct yore_bytes begin, size_t judged, struct http_head *head)
{
    const unsigned char *at = begin.data;
    const unsigned char *mark = begin.size > 0 ? memchr(at, '\r', begin.size) : NULL;
    if (mark != NULL && mark != at && (size_t)(mark - at) >= judged &&
        parse_request_line(bytes_of(at, (size_t)(mark - at)), head) != HTTP_WHOLE) {
        return HTTP_BAD;
    }
    return begin.size == 0 || mark == at || is_token(at[0])
               ? HTTP_MORE
               : bad(head, 400, "the request does not begin with a method");
}

enum http_result http_head_parse(struct yore_bytes data, size_t *scanned, struct http_head *head,
                                 size_t *size_out)
{
    head->header_count = 0;
    head->is_chunked = false;
    head->content_length = 0;
    const unsigned char *at = data.data;
    size_t begin = data.size >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0; /* RFC 9112, 2.2 */
    size_t from = *scanned > begin + 3 ? *scanned - 3 : begin;
    size_t end = find_end(data, from);
    if ((end == 0 ? data.size : end) > HTTP_HEAD_BYTES_MAX) {
        return bad(head, 431, "the head of the request is larger than 16 KiB");
    }
    if (end == 0) {
        size_t judged = *scanned > begin ? *scanned - begin : 0;
        *scanned = data.size;
        return judge_begin(bytes_behind(data, begin), judged, head);
    }
    *scanned = 0;
    for (size_t line = begin; line < end - 2;) {
        const unsigned char *mark = memchr(at + line, '\r', end - line);
        size_t size = (size_t)(mark - (at + line));
        struct yore_bytes text = bytes_of(at + line, size);
        if (mark[1] != '\n' || (size > 0 && memchr(at + line, '\n', size) != NULL)) {
            return bad(head, 400, "a line does not end with CR LF");
        }
        enum http_result result =
            line == begin ? parse_request_line(text, head) : parse_header(text, head);
        if (result != HTTP_WHOLE) {
            return result;
        }
        line += size + 2;
    }
    *size_out = end;
    return parse_meaning(head);
}

/* ---- bodies -----------------------------------------------------------------------------------
 */

void http_body_init(struct http_body *body, const struct http_head *head)
{
    *body = (struct http_body){.state = HTTP_BODY_DATA, .left = head->content_length};
    if (head->is_chunked) {
        body->state = HTTP_CHUNK_SIZE;
    } else if (head->content_length == 0) {
        body->state = HTTP_BODY_DONE;
    }
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = lower_of(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A line that ends in CR LF, within `most`. */
static enum http_result take_line(struct yore_bytes data, size_t most, size_t *size_out)
{
    const unsigned char *at = data.data;
    size_t room = data.size < most ? data.size : most;
    const unsigned char *end = room > 0 ? memchr(at, '\n', room) : NULL;
    if (end == NULL) {
        return data.size < most ? HTTP_MORE : HTTP_BAD;
    }
    size_t size = (size_t)(end - at);
    *size_out = size + 1;
    return size > 0 && at[size - 1] == '\r' ? HTTP_WHOLE : HTTP_BAD;
}

static enum http_result take_chunk_size(struct http_body *body, struct yore_bytes data,
                                        size_t *taken_out)
{
    size_t size = 0;
    enum http_result result = take_line(data, HTTP_CHUNK_LINE_BYTES_MAX, &size);
    if (result != HTTP_WHOLE) {
        return result;
    }
    const unsigned char *at = data.data;
    uint64_t length = 0;
    size_t digits = 0;
    while (digits < size && hex_digit(at[digits]) >= 0) {
        length = length * 16 + (uint64_t)hex_digit(at[digits++]);
        if (digits > 12) {
            return HTTP_BAD;
        }
    }
    if (digits == 0 || (at[digits] != '\r' && at[digits] != ';')) {
        return HTTP_BAD;
    }
    for (size_t i = digits; i < size - 2; i++) {
        if (at[i] < ' ' && at[i] != '\t') {
            return HTTP_BAD;
        }
    }
    body->left = length;
    body->state = length > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
    *taken_out = size;
    return HTTP_MORE;
}

static enum http_result take_trailer(struct http_body *body, struct yore_bytes data,
                                     size_t *taken_out)
{
    size_t size = 0;
    enum http_result result = take_line(data, HTTP_HEAD_BYTES_MAX - body->trailer_bytes, &size);
    if (result != HTTP_WHOLE) {
        return result;
    }
    *taken_out = size;
    body->trailer_bytes += size;
    if (size == 2) {
        body->state = HTTP_BODY_DONE;
        return HTTP_WHOLE;
    }
    return body->trailer_bytes >= HTTP_HEAD_BYTES_MAX ? HTTP_BAD : HTTP_MORE;
}

enum http_result http_body_take(struct http_body *body, struct yore_bytes data,
                                struct yore_bytes *payload_out, size_t *taken_out)
{
    *payload_out = bytes_of("", 0);
    *taken_out = 0;
    if (body->state == HTTP_BODY_DONE) {
        return HTTP_WHOLE;
    }
    if (data.size == 0) {
        return HTTP_MORE;
    }
    const unsigned char *at = data.data;
    switch (body->state) {
    case HTTP_CHUNK_SIZE:
        return take_chunk_size(body, data, taken_out);
    case HTTP_CHUNK_END:
        if (data.size < 2) {
            return HTTP_MORE;
        }
        body->state = HTTP_CHUNK_SIZE;
        *taken_out = 2;
        return at[0] == '\r' && at[1] == '\n' ? HTTP_MORE : HTTP_BAD;
    case HTTP_TRAILERS:
        return take_trailer(body, data, taken_out);
    default:
        break;
    }
    size_t size = body->left < data.size ? (size_t)body->left : data.size;
    *payload_out = bytes_of(at, size);
    *taken_out = size;
    body->left -= size;
    if (body->left > 0) {
        return HTTP_MORE;
    }
    if (body->state == HTTP_CHUNK_DATA) {
        body->state = HTTP_CHUNK_END;
        return HTTP_MORE;
    }
    body->state = HTTP_BODY_DONE;
    return HTTP_WHOLE;
}

/* ---- paths and queries ------------------------------------------------------------------------
 */

bool http_decode(struct yore_bytes text, bool is_query, struct buffer *out)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] == '%') {
            if (i + 2 >= text.size || hex_digit(at[i + 1]) < 0 || hex_digit(at[i + 2]) < 0) {
                return false;
            }
            buffer_append_u8(out, (uint8_t)(hex_digit(at[i + 1]) * 16 + hex_digit(at[i + 2])));
            i += 2;
        } else {
            buffer_append_u8(out, is_query && at[i] == '+' ? ' ' : at[i]);
        }
    }
    return true;
}

bool http_query_find(struct yore_bytes query, const char *name, struct yore_bytes *value_out)
{
    const char *at = query.data;
    size_t name_size = strlen(name);
    for (size_t from = 0; from < query.size;) {
        const char *mark = memchr(at + from, '&', query.size - from);
        size_t end = mark != NULL ? (size_t)(mark - at) : query.size;
        size_t size = end - from;
        bool is_same = size >= name_size && memcmp(at + from, name, name_size) == 0;
        if (is_same && (size == name_size || at[from + name_size] == '=')) {
            size_t skip = size == name_size ? size : name_size + 1;
            *value_out = bytes_of(at + from + skip, size - skip);
            return true;
        }
        from = end + 1;
    }
    return false;
}

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {{100, "Continue"},
                   {200, "OK"},
                   {201, "Created"},
                   {204, "No Content"},
                   {206, "Partial Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {406, "Not Acceptable"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {415, "Unsupported Media Type"},
                   {417, "Expectation Failed"},
                   {421, "Misdirected Request"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"},
                   {507, "Insufficient Storage"}};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}
