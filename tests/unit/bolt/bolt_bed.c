#include "unit/bolt/bolt_bed.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "bolt/frame.h"
#include "support/bolt_text.h"

/* ---- the port ---------------------------------------------------------------------------------
 */

static bool is_text(struct yore_bytes bytes, const char *text_of)
{
    return bytes_equal(bytes, bytes_of(text_of, strlen(text_of)));
}

static bool on_log_in(void *arg, void *conn, struct yore_bytes user, struct yore_bytes password,
                      int64_t *wait_ns_out)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    *wait_ns_out = bed->login_wait_ns;
    bool is_good = *wait_ns_out == 0 && is_text(user, "ann") && is_text(password, "secret");
    bed->is_in = bed->is_in || is_good;
    return is_good;
}

static bool on_log_out(void *arg, void *conn)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    bed->is_in = false;
    return true;
}

static bool on_is_trusted(void *arg, void *conn)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    return bed->is_in || !bed->needs_login;
}

static bool on_may(void *arg, void *conn, struct yore_bytes graph, bool writes,
                   struct yore_error *error_out)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    if (bed->is_unreadable) {
        error_set(error_out, YORE_INVALID, "may not read");
        return false;
    }
    if (writes && bed->unwritable != NULL && is_text(graph, bed->unwritable)) {
        error_set(error_out, YORE_INVALID, "may not write");
        return false;
    }
    return true;
}

static bool on_may_look(void *arg, void *conn, int64_t moment)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    return moment >= bed->horizon;
}

static bool on_is_paused(void *arg, void *conn, bool writes)
{
    const struct bolt_bed *bed = conn;
    (void)arg;
    return writes ? bed->pauses_writes || bed->pauses_all : bed->pauses_all;
}

static void on_limits(void *arg, uint64_t *time_ns_out, uint64_t *memory_bytes_out)
{
    (void)arg;
    *time_ns_out = 0;
    *memory_bytes_out = 0;
}

static void on_tell(void *arg, void *conn, const struct bolt_event *event)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    bed->denied += event->is_denied ? 1 : 0;
}

static void on_ran(void *arg, int64_t time_ns)
{
    struct bolt_bed *bed = arg;
    CHECK(time_ns >= 0);
    bed->statements++;
}

static bool on_is_gone(void *arg, void *conn)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    return bed->is_gone;
}

static void on_send_now(void *arg, void *conn, struct yore_bytes octets)
{
    struct bolt_bed *bed = conn;
    (void)arg;
    CHECK_EQ_UINT(octets.size, 2);
    bed->noops++;
}

/* ---- the bed ----------------------------------------------------------------------------------
 */

void bolt_bed_open(struct bolt_bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    bed->horizon = INT64_MIN;
    bed->is_watched = true;
    bed_open(&bed->bed);
    CHECK_OK(graph_pool_new(bed->bed.db, &bed->graphs));
    CHECK_OK(query_cache_new(NULL, &bed->queries));
    struct bolt_options options = {.db = bed->bed.db,
                                   .graphs = bed->graphs,
                                   .queries = bed->queries,
                                   .durability = YORE_DURABILITY_SYNC,
                                   .graph = "neo4j",
                                   .keep_alive_ns = 1,
                                   .port = {bed, on_log_in, on_log_out, on_is_trusted, on_may,
                                            on_may_look, on_is_paused, on_limits, on_tell, on_ran,
                                            on_is_gone, on_send_now}};
    CHECK_OK(bolt_server_new(&options, &bed->server));
}

static void hang_up(struct bolt_bed *bed)
{
    bolt_session_free(bed->session);
    bed->session = NULL;
    buffer_clear(&bed->input);
    buffer_clear(&bed->out);
}

void bolt_bed_close(struct bolt_bed *bed)
{
    hang_up(bed);
    bolt_server_tick(bed->server);
    struct bolt_stats stats;
    bolt_server_stats(bed->server, &stats);
    CHECK_EQ_UINT(stats.sessions, 0);
    CHECK_EQ_UINT(stats.transactions, 0);
    bolt_server_free(bed->server);
    query_cache_free(bed->queries);
    graph_pool_free(bed->graphs);
    buffer_release(&bed->input);
    buffer_release(&bed->out);
    bed_close(&bed->bed);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

/* As net does: at the pace that is wanted, until more octets are. */
static void give_turns(struct bolt_bed *bed)
{
    enum bolt_pace pace = BOLT_QUICK;
    do {
        size_t before = bed->out.size;
        struct buffer out = {0};
        struct bolt_turn turn = {
            .pace = pace, .requests = 16, .input = buffer_bytes(&bed->input), .out = &out};
        bed->next = bolt_session_turn(bed->session, &turn);
        CHECK(turn.consumed <= bed->input.size);
        memmove(bed->input.data, bed->input.data + turn.consumed, bed->input.size - turn.consumed);
        bed->input.size -= turn.consumed;
        buffer_append_bytes(&bed->out, buffer_bytes(&out));
        buffer_release(&out);
        bed->long_turns += pace == BOLT_LONG ? 1 : 0;
        size_t more = bed->out.size - before;
        bed->turn_bytes = more > bed->turn_bytes ? more : bed->turn_bytes;
        bed->pace = turn.wanted;
        pace = bed->next == BOLT_PACE ? turn.wanted : BOLT_QUICK;
    } while (bed->next == BOLT_PACE || bed->next == BOLT_ROOM);
}

void talk_octets(struct bolt_bed *bed, const void *data, size_t size)
{
    if (bed->is_watched) {
        bolt_session_arrived(bed->session, bytes_of(data, size));
    }
    buffer_append(&bed->input, data, size);
    give_turns(bed);
}

static char *answer_place(void)
{
    static char places[4][BOLT_BED_TEXT_BYTES];
    static unsigned next;
    char *place = places[next++ % 4];
    place[0] = '\0';
    return place;
}

const char *answers(struct bolt_bed *bed)
{
    char *told = answer_place();
    size_t used = 0;
    struct frame_reader reader = {0};
    struct yore_bytes rest = buffer_bytes(&bed->out);
    size_t consumed = 0;
    while (frame_read(&reader, rest, SIZE_MAX, &consumed) == FRAME_WHOLE) {
        rest = bytes_behind(rest, consumed);
        used += used > 0 ? (size_t)snprintf(told + used, BOLT_BED_TEXT_BYTES - used, "\n") : 0;
        CHECK(bolt_read(reader.message.data, reader.message.size, told + used,
                        BOLT_BED_TEXT_BYTES - used));
        used += strlen(told + used);
    }
    CHECK_EQ_UINT(rest.size, consumed); /* whole messages only */
    frame_reader_release(&reader);
    buffer_clear(&bed->out);
    return told;
}

const char *talk(struct bolt_bed *bed, const char *messages)
{
    unsigned char octets[32768];
    size_t size = 0;
    for (const char *at = messages; *at != '\0';) {
        char line[8192];
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)length, at);
        size += bolt_write_chunk(line, octets + size, sizeof(octets) - size);
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    talk_octets(bed, octets, size);
    return answers(bed);
}

void connect_as(struct bolt_bed *bed, unsigned major, unsigned minor)
{
    unsigned char handshake[20] = {
        0x60, 0x60, 0xB0, 0x17, 0, 0, (unsigned char)minor, (unsigned char)major};
    hang_up(bed);
    bed->is_in = false;
    bed->is_gone = false;
    CHECK_OK(bolt_session_new(bed->server, bed, "127.0.0.1:7687", &bed->session));
    talk_octets(bed, handshake, sizeof(handshake));
    const unsigned char want[] = {0, 0, (unsigned char)minor, (unsigned char)major};
    CHECK_EQ_BYTES(bed->out.data, bed->out.size, want, sizeof(want));
    buffer_clear(&bed->out);
}

void connect_ready(struct bolt_bed *bed)
{
    connect_as(bed, 5, 4);
    talk(bed, "HELLO {user_agent: 'test'}\nLOGON {scheme: 'basic', principal: 'ann', "
              "credentials: 'secret'}");
    CHECK(bolt_session_is_trusted(bed->session));
}
