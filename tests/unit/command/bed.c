#include "unit/command/bed.h"

#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 512

static void push(void *arg, void *conn, struct yore_bytes bytes)
{
    (void)arg;
    struct bed_client *client = conn;
    buffer_append_bytes(&client->pushed, bytes);
}

static void close_conn(void *arg, void *conn, bool is_gentle)
{
    (void)arg;
    (void)is_gentle;
    struct bed_client *client = conn;
    client->is_closed = true;
}

static bool is_gone(void *arg, void *conn)
{
    (void)arg;
    return ((struct bed_client *)conn)->is_gone;
}

static void wake(void *arg, void *conn)
{
    (void)arg;
    (void)conn;
}

static void end(void *arg)
{
    struct bed *bed = arg;
    bed->is_ended = true;
}

static void open_all(struct bed *bed)
{
    struct yore_error error = {.text = ""};
    CHECK_MSG(yore_open(bed->path, NULL, &bed->db, &error) == YORE_OK, "%s", error.text);
    struct command_options options = {.db = bed->db,
                                      .durability = YORE_DURABILITY_NONE,
                                      .path = bed->path,
                                      .tcp_port = 6379,
                                      .process_id = 7,
                                      .has_debug_commands = true,
                                      .aclfile = bed->aclfile,
                                      .backup_path = bed->backup_path,
                                      .port = {.arg = bed,
                                               .push = push,
                                               .close = close_conn,
                                               .is_gone = is_gone,
                                               .wake = wake,
                                               .shutdown = end}};
    CHECK_MSG(command_server_new(&options, &bed->server, &error) == YORE_OK, "%s", error.text);
    CHECK_MSG(command_users_load(bed->server, &error) == YORE_OK, "%s", error.text);
    bed_client(bed, 0);
}

static void close_all(struct bed *bed)
{
    for (size_t i = 0; i < 4; i++) {
        command_client_free(bed->clients[i].client);
        buffer_release(&bed->clients[i].pushed);
        buffer_release(&bed->clients[i].text);
        bed->clients[i] = (struct bed_client){0};
    }
    command_server_free(bed->server);
    CHECK((yore_close(bed->db, NULL) != YORE_OK) == bed->has_failed);
}

void bed_open(struct bed *bed)
{
    *bed = (struct bed){.aclfile = bed->aclfile, .backup_path = bed->backup_path};
    bed->path = test_path("db");
    open_all(bed);
}

void bed_close(struct bed *bed)
{
    close_all(bed);
}

void bed_reopen(struct bed *bed)
{
    close_all(bed);
    open_all(bed);
}

struct bed_client *bed_client(struct bed *bed, size_t index)
{
    struct bed_client *client = &bed->clients[index];
    if (client->client == NULL) {
        struct command_origin origin = {client, "127.0.0.1:5000", "127.0.0.1:6379"};
        client->bed = bed;
        CHECK_OK(command_client_new(bed->server, &origin, &client->client));
    }
    return client;
}

static unsigned char digit(char c)
{
    return (unsigned char)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/* Words of `request` into args; octets go to `room`. */
static size_t split(const char *request, unsigned char *room, struct yore_bytes *args)
{
    size_t count = 0;
    const char *at = request;
    while (*at != '\0') {
        at += strspn(at, " ");
        if (*at == '\0') {
            break;
        }
        bool is_quoted = *at == '"';
        unsigned char *begin = room;
        at += is_quoted ? 1 : 0;
        while (*at != '\0' && (is_quoted ? *at != '"' : *at != ' ')) {
            if (at[0] == '\\' && at[1] == 'x') {
                *room++ = (unsigned char)(digit(at[2]) << 4 | digit(at[3]));
                at += 4;
            } else {
                *room++ = (unsigned char)*at++;
            }
        }
        at += is_quoted && *at == '"' ? 1 : 0;
        CHECK(count < ARGS_MAX);
        args[count++] = bytes_of(begin, (size_t)(room - begin));
    }
    return count;
}

static const char *as_text(struct buffer *text, const struct buffer *out)
{
    buffer_clear(text);
    for (size_t i = 0; i < out->size; i++) {
        if (out->data[i] == '\r' && i + 1 < out->size && out->data[i + 1] == '\n') {
            buffer_append(text, "|", 1);
            i++;
        } else {
            buffer_append(text, &out->data[i], 1);
        }
    }
    buffer_append(text, "", 1);
    CHECK(!text->is_nomem);
    return (const char *)text->data;
}

const char *bed_run(struct bed_client *client, const char *request)
{
    struct yore_bytes args[ARGS_MAX];
    unsigned char *room = malloc(strlen(request) + 1);
    struct reply reply;
    struct command_job own;
    struct command_job *job = client->job != NULL ? client->job : &own;
    CHECK(room != NULL);
    size_t count = split(request, room, args);
    CHECK(count > 0);
    reply_init(&reply, 2);
    command_pace(client->client, args, count);
    if (job == &own) {
        command_job_begin(job, client->bed->server);
    }
    client->must_close = command_run(job, client->client, args, count, &reply) == COMMAND_CLOSE;
    if (job == &own) {
        CHECK_OK(command_job_end(job, NULL));
    }
    const char *text = as_text(&client->text, &reply.out);
    reply_release(&reply);
    free(room);
    return text;
}

void bed_expect(struct bed_client *client, const char *request, const char *reply,
                const struct test_place *place)
{
    enum { PASSED_MAX = 30 };
    const char *got = bed_run(client, request);
    if (strncmp(request, "TTL ", 4) == 0 && got[0] == ':' && reply[1] != '-') {
        long late = strtol(reply + 1, NULL, 10) - strtol(got + 1, NULL, 10);
        test_check_msg(late >= 0 && late <= PASSED_MAX, place, "got %s, want %s", got, reply);
        return;
    }
    test_check_str(got, reply, place);
}

const char *bed_pushed(struct bed_client *client)
{
    const char *text = as_text(&client->text, &client->pushed);
    buffer_clear(&client->pushed);
    return text;
}
