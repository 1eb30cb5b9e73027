/* Users: rules, what they allow, passwords, the file. */
#include <stdio.h>
#include <string.h>

#include "command/acl.h"
#include "command/server.h"
#include "unit/command/bed.h"

#define DENIED_KEY                                                                                 \
    "-NOPERM this user has no permissions to access one of the keys used as arguments|"

TEST(nobody_is_asked_until_there_is_a_password)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    CHECK(!command_needs_login(bed.server));
    EXPECT(c, "ACL WHOAMI", "$7|default|");
    EXPECT(c, "CONFIG SET requirepass secret", "+OK|");
    CHECK(command_needs_login(bed.server));
    EXPECT(c, "PING", "+PONG|"); /* who was in stays in */
    struct bed_client *late = bed_client(&bed, 1);
    CHECK(!command_client_is_trusted(late->client));
    EXPECT(late, "PING", "-NOAUTH Authentication required.|");
    EXPECT(late, "AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.|");
    EXPECT(late, "AUTH nobody secret",
           "-WRONGPASS invalid username-password pair or user is disabled.|");
    EXPECT(late, "AUTH secret", "+OK|");
    EXPECT(late, "PING", "+PONG|");
    EXPECT(late, "RESET", "+RESET|");
    EXPECT(late, "PING", "-NOAUTH Authentication required.|");
    CHECK(strstr(bed_run(late, "HELLO 3 AUTH default secret SETNAME me"), "%7|") != NULL);
    EXPECT(late, "CLIENT GETNAME", "$2|me|");
    bed_close(&bed);
}

TEST(rules_decide_over_commands_keys_and_channels)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root,
           "ACL SETUSER bob on nopass +@read +set +config|get +publish +subscribe %R~r:* %W~w:* "
           "~b:* &news*",
           "+OK|");
    EXPECT(c, "AUTH bob any", "+OK|");
    EXPECT(c, "GET r:1", "$-1|");
    EXPECT(c, "GET w:1", DENIED_KEY);
    EXPECT(c, "SET w:1 x", "+OK|");
    EXPECT(c, "SET w:1 x GET", DENIED_KEY);
    EXPECT(c, "SET b:1 x GET", "$-1|");
    EXPECT(c, "SET r:1 x", DENIED_KEY);
    EXPECT(c, "MGET r:1 x", DENIED_KEY);
    EXPECT(c, "DEL b:1", "-NOPERM this user has no permissions to run the 'del' command|");
    EXPECT(c, "CONFIG GET maxmemory", "*2|$9|maxmemory|$1|0|");
    EXPECT(c, "CONFIG SET maxmemory 1",
           "-NOPERM this user has no permissions to run the 'config|set' command|");
    EXPECT(c, "PUBLISH news:1 x", ":0|");
    EXPECT(c, "EXISTS w:1 r:1",
           ":1|"); /* any right to a key is enough to ask whether it is there */
    EXPECT(c, "EXISTS x", DENIED_KEY);
    EXPECT(c, "PUBLISH old x",
           "-NOPERM this user has no permissions to access one of the channels used as arguments|");
    EXPECT(root, "ACL SETUSER bob -get (+del ~gone:*)", "+OK|");
    EXPECT(c, "GET r:1", "-NOPERM this user has no permissions to run the 'get' command|");
    EXPECT(c, "DEL gone:1", ":0|");
    EXPECT(c, "DEL r:1", DENIED_KEY);
    EXPECT(c, "SUBSCRIBE news:1", "*3|$9|subscribe|$6|news:1|:1|");
    EXPECT(root, "ACL SETUSER bob +ping +subscribe", "+OK|");
    CHECK(!c->is_closed);
    EXPECT(root, "ACL SETUSER bob resetchannels", "+OK|");
    CHECK(c->is_closed); /* it listened to what it may not any more */
    EXPECT(root, "ACL DRYRUN bob get r:1",
           "$53|This user has no permissions to run the 'get' command|");
    EXPECT(root, "ACL DELUSER bob", ":1|");
    CHECK(c->is_closed);
    bed_close(&bed);
}

TEST(who_may_do_everything_may_no_more_once_something_is_taken)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    static const char *const taken[][3] = {
        {"-get", "+get", "GET a"},
        {"resetkeys", "~*", "GET a"},
        {"resetchannels", "&*", "PUBLISH a b"},
        {"nohistory", "allhistory", "YORE.TIMELINE a"},
    };
    EXPECT(c, "SET a 1", "+OK|");
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        char text[100];
        test_note("%s", taken[i][0]);
        CHECK(bed_run(c, taken[i][2])[0] != '-');
        snprintf(text, sizeof text, "ACL SETUSER default %s", taken[i][0]);
        EXPECT(c, text, "+OK|");
        CHECK(strncmp(bed_run(c, taken[i][2]), "-NOPERM", 7) == 0);
        snprintf(text, sizeof text, "ACL SETUSER default %s", taken[i][1]);
        EXPECT(c, text, "+OK|");
        CHECK(bed_run(c, taken[i][2])[0] != '-');
    }
    bed_close(&bed);
}

TEST(rules_are_told_as_they_were_given)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "ACL LIST", "*1|$34|user default on nopass ~* &* +@all|");
    EXPECT(c, "ACL SETUSER a ~k* %R~r -@all +@read -get nohistory", "+OK|");
    EXPECT(c, "ACL LIST",
           "*2|$61|user a off nohistory ~k* %R~r resetchannels -@all +@read -get|"
           "$34|user default on nopass ~* &* +@all|");
    EXPECT(c, "ACL SETUSER a +foo",
           "-ERR Error in ACL SETUSER modifier '+foo': Unknown command or category name in ACL|");
    EXPECT(c, "ACL SETUSER a xyz", "-ERR Error in ACL SETUSER modifier 'xyz': Syntax error|");
    EXPECT(c, "ACL SETUSER a (+get",
           "-ERR Unmatched parenthesis in acl selector starting at '(+get'.|");
    EXPECT(c, "ACL SETUSER a #12",
           "-ERR Error in ACL SETUSER modifier '#': The password hash must be exactly 64 "
           "characters and contain only lowercase hexadecimal characters|");
    EXPECT(c, "ACL USERS", "*2|$1|a|$7|default|");
    EXPECT(c, "ACL DELUSER default", "-ERR The 'default' user cannot be removed|");
    EXPECT(c, "ACL GETUSER nobody", "$-1|");
    EXPECT(c, "ACL CAT nothing", "-ERR Unknown category 'nothing'|");
    bed_close(&bed);
}

TEST(a_password_is_kept_as_what_cannot_be_read_back)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c,
           "ACL SETUSER a on >hunter2 "
           "#31d77b2d0f1a4f2b8c4ab2b7c2d8a1e0a0f5b1c2d3e4f5061728394a5b6c7d8e",
           "+OK|");
    CHECK(strstr(bed_run(c, "ACL LIST"), "31d77b2d") == NULL);
    CHECK(strstr(bed_run(c, "ACL LIST"), "hunter2") == NULL);
    EXPECT(c, "AUTH a hunter2", "+OK|");
    EXPECT(c, "AUTH default x", "+OK|");
    EXPECT(c, "ACL SETUSER a >hunter2", "+OK|");
    EXPECT(c, "ACL SETUSER a <hunter2", "+OK|");
    EXPECT(c, "AUTH a hunter2", "-WRONGPASS invalid username-password pair or user is disabled.|");
    EXPECT(c, "ACL SETUSER a <hunter2",
           "-ERR Error in ACL SETUSER modifier '<': The password you are trying to remove "
           "from the user does not exist|");
    /* A digest from elsewhere: SHA-256 of "x". */
    EXPECT(c, "ACL SETUSER a #2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
           "+OK|");
    EXPECT(c, "AUTH a x", "+OK|");
    bed_close(&bed);
}

/* The clock would tell how many passwords a user has, and so that there is one. */
TEST(a_wrong_password_costs_the_same_however_many_the_user_has)
{
    struct bed bed = {0};
    bed.aclfile = test_path("users.acl");
    FILE *file = fopen(bed.aclfile, "w");
    CHECK(file != NULL && fclose(file) == 0);
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct acl *acl = &bed.server->acl;
    EXPECT(c, "ACL SETUSER ann on >one >two ~* +@all", "+OK|");
    EXPECT(c, "ACL SETUSER ann >three", "+OK|");
    struct acl_user *ann = acl_user_get(acl, bytes_of("ann", 3));
    struct acl_rules *rules = acl_user_rules(acl, ann);
    CHECK_EQ_UINT(rules->secret_count, 3);
    CHECK_EQ_UINT(acl_rules_hash_count(rules), 1);
    CHECK_EQ_UINT(atomic_load(&acl->hash_count), 1);
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(other, "AUTH ann three", "+OK|");
    EXPECT(other, "AUTH ann two", "+OK|");
    EXPECT(other, "AUTH ann four",
           "-WRONGPASS invalid username-password pair or user is disabled.|");
    /* Hashes of elsewhere have salts of their own: then nobody costs less. */
    EXPECT(c, "ACL SETUSER eve on >five ~* +@all", "+OK|");
    struct acl_user *eve = acl_user_get(acl, bytes_of("eve", 3));
    struct acl_rules *others = acl_user_rules(acl, eve);
    char request[400];
    snprintf(request, sizeof request, "ACL SETUSER ann %s", others->secrets[0].encoded);
    EXPECT(c, request, "+OK|");
    CHECK_EQ_UINT(atomic_load(&acl->hash_count), 2);
    EXPECT(other, "AUTH ann five", "+OK|");
    EXPECT(other, "AUTH ann one", "+OK|");
    EXPECT(c, "ACL SETUSER ann <five", "+OK|");
    EXPECT(c, "ACL SAVE", "+OK|");
    EXPECT(c, "ACL LOAD", "+OK|");
    CHECK_EQ_UINT(atomic_load(&acl->hash_count), 1);
    EXPECT(other, "AUTH ann two", "+OK|");
    acl_rules_unref(rules);
    acl_rules_unref(others);
    acl_user_unref(ann);
    acl_user_unref(eve);
    bed_close(&bed);
}

TEST(users_are_saved_and_loaded)
{
    struct bed bed = {0};
    const char *path = test_path("users.acl");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fprintf(file, "# people\nuser default on nopass ~* &* +@all\nuser ann on >first ~a* +@all\n");
    CHECK(fclose(file) == 0);
    bed.aclfile = path;
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "ACL USERS", "*2|$3|ann|$7|default|");
    EXPECT(c, "ACL SETUSER bob on >second (~x +get)", "+OK|");
    EXPECT(c, "ACL SAVE", "+OK|");
    EXPECT(c, "ACL DELUSER ann bob", ":2|");
    EXPECT(c, "ACL LOAD", "+OK|");
    EXPECT(c, "ACL USERS", "*3|$3|ann|$3|bob|$7|default|");
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(other, "AUTH bob second", "+OK|");
    EXPECT(other, "GET x", "$-1|");
    EXPECT(other, "GET y", DENIED_KEY);
    file = fopen(path, "a");
    CHECK(file != NULL);
    fprintf(file, "user bob on\n");
    CHECK(fclose(file) == 0);
    const char *reply = bed_run(c, "ACL LOAD");
    CHECK_MSG(strstr(reply, "users.acl:4: Duplicate user 'bob' found.") != NULL, "%s", reply);
    EXPECT(c, "ACL USERS", "*3|$3|ann|$3|bob|$7|default|");
    bed_close(&bed);
}

static void write_users(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

TEST(loaded_users_begin_with_the_password_of_the_configuration)
{
    struct bed bed = {0};
    bed.aclfile = test_path("users.acl");
    write_users(bed.aclfile, "user ann on >first ~* &* +@all\n");
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    EXPECT(c, "CONFIG SET requirepass secret", "+OK|");
    EXPECT(c, "AUTH secret", "+OK|");
    EXPECT(c, "ACL LOAD", "+OK|");
    CHECK(command_needs_login(bed.server));
    EXPECT(bed_client(&bed, 1), "AUTH secret", "+OK|");
    write_users(bed.aclfile, "user default on nopass ~* &* +@all\n");
    const char *reply = bed_run(c, "ACL LOAD");
    CHECK_MSG(strstr(reply, "lets default in without a password") != NULL, "%s", reply);
    EXPECT(c, "ACL USERS", "*2|$3|ann|$7|default|");
    write_users(bed.aclfile, "user default on >other ~* &* +@all\n");
    EXPECT(c, "ACL LOAD", "+OK|"); /* what the file says of a user counts */
    EXPECT(bed_client(&bed, 2), "AUTH other", "+OK|");
    EXPECT(c, "CONFIG SET requirepass \"\"", "+OK|");
    write_users(bed.aclfile, "");
    EXPECT(c, "ACL LOAD", "+OK|");
    CHECK(!command_needs_login(bed.server));
    bed_close(&bed);
}

TEST(who_listens_to_what_loaded_rules_do_not_allow_is_closed)
{
    struct bed bed = {0};
    bed.aclfile = test_path("users.acl");
    write_users(bed.aclfile,
                "user ann on nopass ~* &news &old +@all\nuser bob on nopass &* +@all\n");
    bed_open(&bed);
    struct bed_client *ann = bed_client(&bed, 1);
    struct bed_client *bob = bed_client(&bed, 2);
    struct bed_client *gone = bed_client(&bed, 3);
    EXPECT(ann, "AUTH ann x", "+OK|");
    EXPECT(ann, "SUBSCRIBE old", "*3|$9|subscribe|$3|old|:1|");
    EXPECT(bob, "AUTH bob x", "+OK|");
    EXPECT(bob, "SUBSCRIBE old", "*3|$9|subscribe|$3|old|:1|");
    EXPECT(gone, "AUTH bob x", "+OK|");
    write_users(bed.aclfile, "user ann on nopass ~* &news +@all\nuser bob on nopass &* +@all\n");
    EXPECT(&bed.clients[0], "ACL LOAD", "+OK|");
    CHECK(ann->is_closed && !bob->is_closed && !gone->is_closed);
    write_users(bed.aclfile, "user ann on nopass ~* &news +@all\n");
    EXPECT(&bed.clients[0], "ACL LOAD", "+OK|");
    CHECK(bob->is_closed && gone->is_closed);
    bed_close(&bed);
}

TEST(refusals_are_logged_and_counted_together)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *c = &bed.clients[0];
    struct bed_client *other = bed_client(&bed, 1);
    EXPECT(c, "ACL SETUSER bob on nopass +get ~a", "+OK|");
    EXPECT(other, "AUTH bob x", "+OK|");
    bed_run(other, "GET b");
    bed_run(other, "GET b");
    bed_run(other, "SET a 1");
    const char *log = bed_run(c, "ACL LOG");
    CHECK_MSG(strncmp(log, "*2|*20|$5|count|:1|$6|reason|$7|command|", 40) == 0, "%s", log);
    CHECK(strstr(log, "$5|count|:2|$6|reason|$3|key|$7|context|$8|toplevel|$6|object|$1|b|"
                      "$8|username|$3|bob|") != NULL);
    EXPECT(c, "ACL LOG RESET", "+OK|");
    EXPECT(c, "ACL LOG", "*0|");
    bed_close(&bed);
}

TEST(names_are_told_to_who_has_a_right_to_them)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "ACL SETUSER bob on >p +@all ~mine:* %W~drop:*", "+OK|");
    EXPECT(root, "MSET a 1 drop:1 1 mine:1 1 mine:2 1 z 1", "+OK|");
    EXPECT(c, "AUTH bob p", "+OK|");
    EXPECT(c, "KEYS *", "*3|$6|drop:1|$6|mine:1|$6|mine:2|");
    EXPECT(c, "KEYS a", "*0|");
    EXPECT(c, "SCAN 0", "*2|$1|0|*3|$6|drop:1|$6|mine:1|$6|mine:2|");
    EXPECT(c, "SCAN 0 MATCH z*", "*2|$1|0|*0|");
    for (int i = 0; i < 50; i++) {
        const char *name = bed_run(c, "RANDOMKEY");
        CHECK(strncmp(name, "$6|drop:", 8) == 0 || strncmp(name, "$6|mine:", 8) == 0);
    }
    EXPECT(root, "ACL SETUSER bob resetkeys ~none:*", "+OK|");
    EXPECT(c, "KEYS *", "*0|");
    EXPECT(c, "RANDOMKEY", "$-1|");
    EXPECT(root, "KEYS *", "*5|$1|a|$6|drop:1|$6|mine:1|$6|mine:2|$1|z|");
    bed_close(&bed);
}

TEST(an_open_session_loses_a_moment_with_the_right_to_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "SET k 1", "+OK|");
    EXPECT(root, "ACL SETUSER bob on >p +@all ~* &*", "+OK|");
    EXPECT(c, "AUTH bob p", "+OK|");
    EXPECT(c, "YORE.AT -1h", "+OK|");
    EXPECT(c, "GET k", "$-1|");
    EXPECT(root, "ACL SETUSER bob history:2h", "+OK|");
    EXPECT(c, "GET k", "$-1|");
    EXPECT(root, "ACL SETUSER bob history:10m", "+OK|");
    EXPECT(c, "GET k", "-NOPERM this user has no permissions to look at that moment|");
    EXPECT(c, "PING", "+PONG|");
    EXPECT(root, "ACL SETUSER bob nohistory", "+OK|");
    EXPECT(c, "GET k", "-NOPERM this user has no permissions to look at that moment|");
    EXPECT(root, "ACL SETUSER bob allhistory", "+OK|");
    EXPECT(c, "GET k", "$-1|");
    EXPECT(c, "YORE.AT now", "+OK|");
    EXPECT(c, "GET k", "$1|1|");
    bed_close(&bed);
}

TEST(a_watch_ends_with_the_right_to_it)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "ACL SETUSER bob on >p +@all ~* &*", "+OK|");
    (void)bed_run(c, "HELLO 3 AUTH bob p");
    (void)bed_run(c, "YORE.WATCH");
    EXPECT(root, "SET k 1", "+OK|");
    command_tick(bed.server);
    CHECK(strstr(bed_pushed(c), "yore.commit") != NULL);
    EXPECT(root, "ACL SETUSER bob -yore.watch", "+OK|");
    EXPECT(root, "SET k 2", "+OK|");
    command_tick(bed.server);
    const char *pushed = bed_pushed(c);
    CHECK_MSG(strstr(pushed, "yore.end") != NULL && strstr(pushed, "may not watch") != NULL, "%s",
              pushed);
    CHECK(strstr(pushed, "yore.commit") == NULL);
    CHECK(c->is_closed);
    command_tick(bed.server); /* it is not closed at once */
    CHECK_EQ_STR(bed_pushed(c), "");
    bed_close(&bed);
}

/* Send wrong passwords until none is looked at any more. */
static void guess(struct bed_client *client)
{
    for (int i = 0; i < 200; i++) {
        if (strncmp(bed_run(client, "AUTH bob guess"), "-WRONGPASS too many ", 20) == 0) {
            return;
        }
    }
    FAIL("all were looked at");
}

TEST(after_many_wrong_passwords_of_an_address_none_is_looked_at_for_a_while)
{
    struct bed bed = {0};
    bed_open(&bed);
    struct bed_client *root = &bed.clients[0];
    struct bed_client *c = bed_client(&bed, 1);
    EXPECT(root, "ACL SETUSER ann on >one +@all", "+OK|");
    EXPECT(root, "ACL SETUSER bob on >two +@all", "+OK|");
    EXPECT(root, "ACL SETUSER eve on nopass +@all", "+OK|");
    EXPECT(c, "AUTH ann one", "+OK|");
    guess(c);
    CHECK(strncmp(bed_run(c, "AUTH bob two"), "-WRONGPASS too many ", 20) == 0);
    CHECK(strncmp(bed_run(c, "AUTH nobody x"), "-WRONGPASS too many ", 20) == 0);
    EXPECT(c, "ACL WHOAMI", "$3|ann|");
    EXPECT(bed_client(&bed, 2), "AUTH ann one", "+OK|"); /* was right lately */
    EXPECT(bed_client(&bed, 2), "AUTH eve x", "+OK|");   /* there is nothing to guess */
    bed_close(&bed);
}

TEST_MAIN(after_many_wrong_passwords_of_an_address_none_is_looked_at_for_a_while,
          names_are_told_to_who_has_a_right_to_them,
          an_open_session_loses_a_moment_with_the_right_to_it, a_watch_ends_with_the_right_to_it,
          nobody_is_asked_until_there_is_a_password, rules_decide_over_commands_keys_and_channels,
          who_may_do_everything_may_no_more_once_something_is_taken,
          rules_are_told_as_they_were_given, a_password_is_kept_as_what_cannot_be_read_back,
          a_wrong_password_costs_the_same_however_many_the_user_has, users_are_saved_and_loaded,
          loaded_users_begin_with_the_password_of_the_configuration,
          who_listens_to_what_loaded_rules_do_not_allow_is_closed,
          refusals_are_logged_and_counted_together)
