/* The past over the wire: sessions at a moment, dated writes, timelines, differences, watches. */
#include <stdio.h>
#include <string.h>

#include "os/env.h"
#include "unit/command/bed.h"

/* "|...|" of a commit time is not known beforehand. */
static void expect_commit(struct bed_client *client, const char *request)
{
    const char *reply = bed_run(client, request);
    CHECK_MSG(reply[0] == ':', "%s: %s", request, reply);
}

static bool starts(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static void put_past(struct bed_client *c)
{
    expect_commit(c, "YORE.PUT host up AT 2025-01-01");
    expect_commit(c, "YORE.PUT host down AT 2025-01-03T12:00:00Z");
    expect_commit(c, "YORE.PUT host draining FROM 2025-01-02 TO 2025-01-02T01:00:00Z");
    expect_commit(c, "YORE.PUT guest hi AT 2025-01-02 UNTIL 2025-01-04");
}

TEST(a_session_at_a_moment_reads_as_of_it_and_writes_nothing)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    put_past(c);
    EXPECT(c, "DBSIZE", ":1|");
    EXPECT(c, "YORE.AT 2025-01-02T00:30:00Z", "+OK|");
    EXPECT(c, "GET host", "$8|draining|");
    EXPECT(c, "MGET host guest x", "*3|$8|draining|$2|hi|$-1|");
    EXPECT(c, "DBSIZE", ":2|");
    EXPECT(c, "KEYS *", "*2|$5|guest|$4|host|");
    EXPECT(c, "SCAN 0", "*2|$1|0|*2|$5|guest|$4|host|");
    EXPECT(c, "TTL guest", ":171000|");
    EXPECT(c, "SET host x",
           "-READONLY the session is at a moment of the past: YORE.AT NOW returns to the present, "
           "where writes are|");
    EXPECT(c, "YORE.AT 2025-01-02T02:00:00Z", "+OK|");
    EXPECT(c, "GET host", "$2|up|");
    EXPECT(c, "YORE.GET host AT 2025-01-03T12:00:00Z", "$4|down|");
    EXPECT(c, "YORE.AT NOW", "+OK|");
    EXPECT(c, "GET host", "$4|down|");
    EXPECT(c, "GET guest", "$-1|");
    CHECK(starts(bed_run(c, "YORE.AT yesterday"), "-ERR "));
    bed_close(&bed);
}

/* Its commands run at one moment, which their queueing was judged by. */
TEST(a_transaction_does_not_change_the_moment_of_its_session)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET k now", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "YORE.AT 2025-01-02", "-ERR Command not allowed inside a transaction|");
    EXPECT(c, "GET k", "+QUEUED|");
    EXPECT(c, "EXEC", "-EXECABORT Transaction discarded because of previous errors.|");
    EXPECT(c, "GET k", "$3|now|");
    bed_close(&bed);
}

TEST(databases_that_were_swapped_are_found_as_they_were)
{
    struct bed bed = {0};
    char request[64];
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    snprintf(request, sizeof request, "YORE.AT @%lldns", (long long)yore_now(bed.db));
    EXPECT(c, "SWAPDB 0 1", "+OK|");
    EXPECT(c, "GET a", "$-1|");
    EXPECT(c, request, "+OK|");
    EXPECT(c, "GET a", "$1|1|");
    bed_close(&bed);
}

TEST(a_timeline_tells_every_version)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    put_past(c);
    const char *reply = bed_run(c, "YORE.TIMELINE host");
    CHECK_MSG(starts(reply, "*4|*10|$4|kind|$3|put|$4|from|$20|2025-01-01T00:00:00Z|$2|to|$-1|"),
              "%s", reply);
    CHECK(strstr(reply, "$8|draining|") != NULL && strstr(reply, "$4|down|") != NULL);
    reply = bed_run(c, "YORE.TIMELINE host REV LIMIT 1");
    CHECK_MSG(starts(reply, "*1|") && strstr(reply, "$4|down|") != NULL, "%s", reply);
    reply = bed_run(c, "YORE.TIMELINE host FROM 2025-01-02 TO 2025-01-02T00:30:00Z");
    CHECK_MSG(starts(reply, "*1|") && strstr(reply, "$8|draining|") != NULL, "%s", reply);
    EXPECT(c, "YORE.TIMELINE nothing", "*0|");
    EXPECT(c, "YORE.TIMELINE host LIMIT 0",
           "-ERR value is out of range, must be between 1 and 9223372036854775807|");
    bed_close(&bed);
}

TEST(changes_tell_what_differs)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    put_past(c);
    const char *reply = bed_run(c, "YORE.CHANGES \"\" FROM 2025-01-01T12:00:00Z TO 2025-01-05");
    CHECK_MSG(starts(reply, "*1|*12|$4|kind|$7|changed|$3|key|$4|host|"), "%s", reply);
    CHECK(strstr(reply, "$6|before|$2|up|$5|after|$4|down|") != NULL);
    reply = bed_run(c, "YORE.CHANGES g FROM 2025-01-01 TO 2025-01-05 EVERY");
    CHECK_MSG(starts(reply, "*2|"), "%s", reply);
    EXPECT(c, "YORE.CHANGES g FROM 2025-01-01 LIMIT 3",
           "-ERR syntax error; usage: YORE.CHANGES prefix FROM moment TO moment [KNOWN moment] "
           "[LIMIT count] [EVERY] [BYTIME] [LOW key] [HIGH key] [KEYSPACE name]|");
    bed_close(&bed);
}

TEST(ranges_are_told_in_pages)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "MSET a 1 b 2 c 3 d 4", "+OK|");
    EXPECT(c, "YORE.SCAN \"\" COUNT 2", "*2|$1|c|*4|$1|a|$1|1|$1|b|$1|2|");
    EXPECT(c, "YORE.SCAN c COUNT 2 KEYS", "*2|$-1|*2|$1|c|$1|d|");
    EXPECT(c, "YORE.SCAN \"\" END b", "*2|$-1|*2|$1|a|$1|1|");
    EXPECT(c, "YORE.SCAN \"\" PREFIX d", "*2|$-1|*2|$1|d|$1|4|");
    bed_close(&bed);
}

TEST(who_may_not_see_the_past_does_not)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    put_past(root);
    EXPECT(root, "ACL SETUSER bob on nopass +@all ~host nohistory", "+OK|");
    EXPECT(c, "AUTH bob x", "+OK|");
    EXPECT(c, "GET host", "$4|down|");
    EXPECT(c, "YORE.GET host", "$4|down|");
    EXPECT(c, "YORE.AT NOW", "+OK|");
    EXPECT(c, "YORE.AT 2025-01-02", "-NOPERM this user has no permissions to look at that moment|");
    EXPECT(c, "YORE.GET host AT 2025-01-02",
           "-NOPERM this user has no permissions to look at that moment|");
    EXPECT(c, "YORE.TIMELINE host", "-NOPERM this user has no permissions to look at that moment|");
    EXPECT(root, "ACL SETUSER bob history:1h", "+OK|");
    EXPECT(c, "YORE.GET host AT -30m", "$4|down|");
    EXPECT(c, "YORE.AT 2025-01-02", "-NOPERM this user has no permissions to look at that moment|");
    CHECK(starts(bed_run(c, "YORE.TIMELINE host"), "*1|"));
    EXPECT(c, "YORE.SCAN \"\"", "*2|$-1|*2|$4|host|$4|down|");
    EXPECT(c, "YORE.CHANGES g FROM -30m TO NOW", "*0|");
    bed_close(&bed);
}

TEST(a_watch_pushes_commits_from_where_it_was)
{
    struct bed bed = {0};
    char request[64];
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *eye = bed_client(&bed, 1);
    EXPECT(eye, "YORE.WATCH", "-ERR YORE.WATCH pushes: say HELLO 3 first|");
    bed_run(eye, "HELLO 3");
    long long position = 0;
    CHECK(sscanf(bed_run(eye, "YORE.WATCH PREFIX a"), ":%lld|", &position) == 1);
    EXPECT(c, "SET b 1", "+OK|");
    EXPECT(c, "SET a1 x", "+OK|");
    command_tick(bed.server);
    const char *pushed = bed_pushed(eye);
    CHECK_MSG(starts(pushed, ">4|$11|yore.commit|:") &&
                  strstr(pushed, "$3|key|$2|a1|$5|value|$1|x|") != NULL &&
                  strstr(pushed, "$1|b|") == NULL,
              "%s", pushed);
    EXPECT(eye, "YORE.UNWATCH", "+OK|");
    EXPECT(c, "SET a2 x", "+OK|");
    command_tick(bed.server);
    CHECK_EQ_STR(bed_pushed(eye), "");
    snprintf(request, sizeof request, "YORE.WATCH PREFIX a AFTER %lld", position);
    bed_run(eye, request);
    command_tick(bed.server);
    pushed = bed_pushed(eye);
    CHECK(strstr(pushed, "$2|a1|") != NULL && strstr(pushed, "$2|a2|") != NULL);
    bed_close(&bed);
}

/* Who may read the past may not give it up, nor may a session that looks at it. */
TEST(the_feed_goes_on_after_a_commit_as_it_was_told)
{
    struct bed bed = {0};
    char request[80];
    long long commit = 0;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    CHECK(sscanf(bed_run(c, "YORE.PUT a 1"), ":%lld|", &commit) == 1);
    EXPECT(c, "SET b 2", "+OK|");
    snprintf(request, sizeof request, "YORE.FEED AFTER %lld", commit);
    const char *told = bed_run(c, request);
    CHECK_MSG(starts(told, "*1|*3|:") && strstr(told, "$1|b|") != NULL, "%s", told);
    CHECK(starts(bed_run(c, "YORE.FEED AFTER -1h"), "*"));
    CHECK(starts(bed_run(c, "YORE.FEED AFTER yesterday"), "-ERR moment"));
    bed_close(&bed);
}

TEST(retention_changes_where_writes_may_be)
{
    static const char *const changes[] = {"YORE.RETENTION KEEP 30d", "YORE.RETENTION KEEP ALL",
                                          "YORE.RETENTION TRIM -1d"};
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *reader = bed_client(&bed, 1);
    EXPECT(c, "ACL SETUSER bob on nopass +@read ~*", "+OK|");
    EXPECT(c, "COMMAND INFO yore.retention",
           "*1|*10|$14|yore.retention|:-1|*3|+write|+admin|+no_multi|:0|:0|:0|*3|+@admin|+@slow|"
           "+@dangerous|*0|*0|*0|");
    EXPECT(reader, "AUTH bob x", "+OK|");
    EXPECT(c, "YORE.AT -1h", "+OK|");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        EXPECT(reader, changes[i],
               "-NOPERM this user has no permissions to run the 'yore.retention' command|");
        EXPECT(c, changes[i],
               "-READONLY the session is at a moment of the past: YORE.AT NOW returns to the "
               "present, where writes are|");
    }
    const char *reply = bed_run(c, "YORE.RETENTION");
    CHECK_MSG(strstr(reply, "$4|keep|$3|all|") != NULL && strstr(reply, "$7|horizon|$-1|") != NULL,
              "%s", reply);
    EXPECT(c, "YORE.AT NOW", "+OK|");
    EXPECT(c, "SELECT 3", "+OK|");
    EXPECT(c, "YORE.RETENTION",
           "*8|$8|keyspace|$3|db3|$4|keep|$3|all|$12|keep_seconds|:0|$7|horizon|$-1|");
    CHECK(strstr(bed_run(c, "YORE.KEYSPACE LIST"), "|db3|") == NULL); /* asking made none */
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        EXPECT(c, changes[i], "+OK|");
    }
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "YORE.RETENTION KEEP 1d", "-ERR Command not allowed inside a transaction|");
    bed_close(&bed);
}

TEST(a_transaction_reads_the_history_of_its_own_writes)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "YORE.TIMELINE a", "+QUEUED|");
    EXPECT(c, "SET a 2", "+QUEUED|");
    EXPECT(c, "YORE.TIMELINE a REV", "+QUEUED|");
    EXPECT(c, "YORE.GET a WITHTIMES", "+QUEUED|");
    EXPECT(c, "DEL a", "+QUEUED|");
    EXPECT(c, "YORE.TIMELINE a REV LIMIT 1", "+QUEUED|");
    const char *reply = bed_run(c, "EXEC");
    CHECK_MSG(starts(reply, "*6|*1|*10|$4|kind|$3|put|"), "%s", reply);
    const char *own = strstr(reply, "|+OK|*2|*10|$4|kind|$3|put|$4|from|");
    CHECK_MSG(own != NULL && strstr(own, "|$6|commit|$-1|$5|value|$1|2|*10|") != NULL, "%s", reply);
    own = strstr(reply, "|$1|1|*8|$5|value|$1|2|");
    CHECK_MSG(own != NULL && strstr(own, "|$6|commit|$-1|:1|*1|*10|$4|kind|$6|delete|") != NULL,
              "%s", reply);
    CHECK(starts(bed_run(c, "YORE.TIMELINE a"), "*2|")); /* and so it was committed */
    bed_close(&bed);
}

TEST(a_transaction_tells_no_changes_behind_its_own_writes)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "MULTI", "+OK|");
    EXPECT(c, "YORE.CHANGES a FROM -1h TO NOW", "+QUEUED|");
    EXPECT(c, "SET a 2", "+QUEUED|");
    EXPECT(c, "YORE.CHANGES a FROM -1h TO NOW", "+QUEUED|");
    const char *reply = bed_run(c, "EXEC");
    CHECK_MSG(starts(reply, "*3|*1|*12|"), "%s", reply);
    CHECK_MSG(strstr(reply,
                     "|+OK|-ERR 'yore.changes' does not see what its transaction has "
                     "written: let it stand before the writes, or send it after EXEC|") != NULL,
              "%s", reply);
    EXPECT(c, "GET a", "$1|2|");
    bed_close(&bed);
}

TEST(retention_backup_and_check_answer)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    EXPECT(c, "YORE.RETENTION",
           "*8|$8|keyspace|$7|default|$4|keep|$3|all|$12|keep_seconds|:0|$7|horizon|$-1|");
    EXPECT(c, "YORE.RETENTION KEEP 30d", "+OK|");
    CHECK(strstr(bed_run(c, "YORE.RETENTION"), "$3|for|$12|keep_seconds|:2592000|") != NULL);
    EXPECT(c, "YORE.RETENTION KEEP ALL", "+OK|");
    CHECK(strstr(bed_run(c, "YORE.RETENTION"), "$3|all|$12|keep_seconds|:0|") != NULL);
    EXPECT(c, "YORE.RETENTION KEEP 30d", "+OK|");
    EXPECT(c, "YORE.RETENTION KEEP",
           "-ERR syntax error; usage: YORE.RETENTION [KEEP ALL | KEEP duration | TRIM moment]|");
    EXPECT(c, "YORE.BACKUP ../x",
           "-ERR the server has no backup directory: set backup-dir and "
           "start it again|");
    EXPECT(c, "YORE.BACKUPS",
           "-ERR the server has no backup directory: set backup-dir and start it again|");
    CHECK(strstr(bed_run(c, "YORE.CHECK"), "$8|problems|:0|$8|findings|*0|") != NULL);
    bed_close(&bed);
}

/* "noon/1 noon/2 ...": what a reply of YORE.BACKUPS tells, a name and a number each. */
static const char *backups_told(struct bed_client *client, const char *request)
{
    static char told[200];
    const char *reply = bed_run(client, request);
    const char *at = strchr(reply, '|');
    CHECK_MSG(reply[0] == '*' && at != NULL, "%s", reply);
    told[0] = '\0';
    while (at = strstr(at, "$4|name|"), at != NULL) {
        char name[20];
        unsigned id;
        CHECK_MSG(sscanf(at, "$4|name|$%*u|%19[^|]|$2|id|:%u|", name, &id) == 2, "%s", at);
        size_t size = strlen(told);
        snprintf(told + size, sizeof told - size, "%s%s/%u", size > 0 ? " " : "", name, id);
        at++;
    }
    return told;
}

TEST(where_the_server_keeps_its_files_is_told_to_nobody)
{
    struct bed bed = {.backup_path = test_path("backups")};
    struct yore_error error;
    CHECK_OK(os_dir_make(os_env_posix(), bed.backup_path, &error));
    fclose(fopen(test_path("backups/note"), "w"));
    bed_open(&bed);
    const char *told = bed_run(&bed.clients[0], "YORE.BACKUP note");
    CHECK_MSG(told[0] == '-' && strstr(told, "note") != NULL, "%s", told);
    CHECK_MSG(strstr(told, bed.backup_path) == NULL, "%s", told);
    bed_close(&bed);
}

TEST(a_check_and_a_merge_end_once_their_client_has_left)
{
    struct bed bed = {.is_ended = false};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "SET a 1", "+OK|");
    c->is_gone = true; /* or the server waits no longer */
    CHECK(strncmp(bed_run(c, "YORE.CHECK"), "-CANCELLED ", 11) == 0);
    CHECK(strncmp(bed_run(c, "YORE.COMPACT"), "-CANCELLED ", 11) == 0);
    c->is_gone = false;
    EXPECT(c, "YORE.COMPACT", "+OK|");
    CHECK(bed_run(c, "YORE.CHECK")[0] == '*');
    bed_close(&bed);
}

TEST(backups_are_told_by_name_and_oldest_first_to_who_may)
{
    struct bed bed = {.backup_path = test_path("backups")};
    struct yore_error error;
    CHECK_OK(os_dir_make(os_env_posix(), bed.backup_path, &error));
    CHECK_OK(os_dir_make(os_env_posix(), test_path("backups/empty"), &error));
    CHECK_OK(os_dir_make(os_env_posix(), test_path("backups/lost+found"), &error));
    fclose(fopen(test_path("backups/note"), "w"));
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "YORE.BACKUPS", "*0|");
    static const char *const made[] = {"noon", "morning", "noon"};
    for (size_t i = 0; i < 3; i++) {
        char request[40];
        snprintf(request, sizeof request, "YORE.BACKUP %s", made[i]);
        EXPECT(c, "SET a 1", "+OK|");
        CHECK(bed_run(c, request)[0] == '*');
    }
    c->is_gone = true; /* it has left, or the server waits no longer */
    CHECK(strncmp(bed_run(c, "YORE.BACKUP late"), "-CANCELLED ", 11) == 0);
    c->is_gone = false;
    CHECK_EQ_STR(backups_told(c, "YORE.BACKUPS"), "morning/1 noon/1 noon/2");
    CHECK_EQ_STR(backups_told(c, "YORE.BACKUPS noon"), "noon/1 noon/2");
    EXPECT(c, "YORE.BACKUPS empty", "*0|");
    CHECK(strncmp(bed_run(c, "YORE.BACKUPS nosuch"), "-NOTFOUND ", 10) == 0);
    EXPECT(c, "YORE.BACKUPS ../db", "-ERR a backup's name is 1 to 64 of A-Z a-z 0-9 - _|");
    EXPECT(c, "YORE.BACKUPS a b", "-ERR syntax error; usage: YORE.BACKUPS [name]|");
    EXPECT(c, "ACL SETUSER ann on nopass ~* +@all -@admin", "+OK|");
    EXPECT(bed_client(&bed, 1), "AUTH ann x", "+OK|");
    CHECK(strncmp(bed_run(&bed.clients[1], "YORE.BACKUPS"), "-NOPERM ", 8) == 0);
    bed_close(&bed);
}

/* What is known now of then is told; what will be known then nobody can tell. */
TEST(what_is_read_under_a_hold_is_of_one_moment)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "ACL SETUSER ann on nopass ~* +@all nohistory", "+OK|");
    EXPECT(root, "ACL SETUSER bob on nopass ~* +@all history:1h", "+OK|");
    EXPECT(root, "MSET a 1 z 1", "+OK|");
    EXPECT(c, "AUTH ann x", "+OK|");
    CHECK_OK(command_client_hold(c->client, NULL)); /* the present is no past, however long */
    EXPECT(c, "GET a", "$1|1|");
    EXPECT(root, "MSET a 2 z 2 b 2", "+OK|");
    expect_commit(root, "YORE.PUT a 3 AT 2025-01-01");
    EXPECT(c, "MGET a b z", "*3|$1|1|$-1|$1|1|");
    EXPECT(c, "YORE.SCAN \"\"", "*2|$-1|*4|$1|a|$1|1|$1|z|$1|1|");
    command_client_let_go(c->client);
    EXPECT(c, "GET b", "$1|2|");
    EXPECT(c, "SET b 3", "+OK|");
    EXPECT(c, "AUTH bob x", "+OK|");
    EXPECT(c, "YORE.AT 2025-01-02", "-NOPERM this user has no permissions to look at that moment|");
    bed_close(&bed);
}

TEST(what_is_asked_for_at_a_moment_is_held_as_it_is_known_now)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    expect_commit(root, "YORE.PUT a 1 AT 2025-01-01");
    EXPECT(c, "YORE.AT 2025-06-01", "+OK|");
    CHECK_OK(command_client_hold(c->client, NULL));
    expect_commit(root, "YORE.PUT a 2 AT 2025-05-01"); /* of the past, and learnt later */
    EXPECT(c, "GET a", "$1|1|");
    command_client_let_go(c->client);
    EXPECT(c, "YORE.AT 2025-06-01", "+OK|");
    EXPECT(c, "GET a", "$1|2|");
    bed_close(&bed);
}

TEST(moments_in_the_future_are_answered_or_refused_alike)
{
    static const char *const refused[] = {
        "YORE.AT now KNOWN 2200-01-01",
        "YORE.GET k KNOWN 2200-01-01",
        "YORE.GET nosuch AT -1h KNOWN 2200-01-01",
        "YORE.TIMELINE k KNOWN 2200-01-01",
        "YORE.CHANGES \"\" FROM -1h TO now KNOWN 2200-01-01",
        "YORE.RANGE KNOWN 2200-01-01",
        "YORE.KEYSPACE LIST KNOWN 2200-01-01",
        "YORE.KEYSPACE INFO default KNOWN 2200-01-01",
        "GRAPH.LIST KNOWN 2200-01-01",
        "GRAPH.QUERY g \"RETURN 1\" KNOWN 2200-01-01",
        "GRAPH.RO_QUERY nosuch \"RETURN 1\" KNOWN 2200-01-01",
    };
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    for (unsigned round = 0; round < 2; round++) { /* also where nothing was ever written */
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
            const char *reply = bed_run(c, refused[i]);
            CHECK_MSG(strncmp(reply, "-FUTURE known time 2200-01-01T00:00:00Z is later than now",
                              57) == 0,
                      "%s: %s", refused[i], reply);
        }
        EXPECT(c, "SET k v", "+OK|");
        EXPECT(c, "SET ends v EX 100", "+OK|");
        bed_run(c, "GRAPH.QUERY g \"CREATE (:A)\"");
    }
    EXPECT(c, "YORE.GET k AT 2200-01-01", "$1|v|");
    EXPECT(c, "YORE.GET ends AT 2200-01-01", "$-1|"); /* known already */
    EXPECT(c, "YORE.AT 2200-01-01", "+OK|");
    EXPECT(c, "KEYS *", "*1|$1|k|");
    EXPECT(c, "MGET k ends", "*2|$1|v|$-1|");
    EXPECT(c, "DBSIZE", ":1|");
    EXPECT(c, "EXISTS k ends", ":1|");
    EXPECT(c, "YORE.SCAN \"\"", "*2|$-1|*2|$1|k|$1|v|");
    EXPECT(c, "GRAPH.LIST", "*1|$1|g|");
    const char *reply = bed_run(c, "SET k w");
    CHECK_MSG(strncmp(reply, "-READONLY ", 10) == 0, "%s", reply);
    EXPECT(bed_client(&bed, 1), "SET k w", "+OK|");
    EXPECT(c, "GET k", "$1|w|"); /* what is known of then has changed */
    bed_close(&bed);
}

TEST_MAIN(the_feed_goes_on_after_a_commit_as_it_was_told,
          a_transaction_does_not_change_the_moment_of_its_session,
          moments_in_the_future_are_answered_or_refused_alike,
          what_is_read_under_a_hold_is_of_one_moment,
          what_is_asked_for_at_a_moment_is_held_as_it_is_known_now,
          a_session_at_a_moment_reads_as_of_it_and_writes_nothing,
          databases_that_were_swapped_are_found_as_they_were, a_timeline_tells_every_version,
          changes_tell_what_differs, ranges_are_told_in_pages, who_may_not_see_the_past_does_not,
          a_watch_pushes_commits_from_where_it_was, retention_changes_where_writes_may_be,
          a_transaction_reads_the_history_of_its_own_writes,
          a_transaction_tells_no_changes_behind_its_own_writes, retention_backup_and_check_answer,
          where_the_server_keeps_its_files_is_told_to_nobody,
          a_check_and_a_merge_end_once_their_client_has_left,
          backups_are_told_by_name_and_oldest_first_to_who_may)
