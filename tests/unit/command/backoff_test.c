/* Wrong passwords of an address: how many are free, how long it waits, what is forgiven, and that
 * no number of addresses takes more memory or frees a guesser. */
#include "command/backoff.h"

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define ANN 0x0a000001u
#define BOB 0x0a000002u

static void note_times(struct backoff *backoff, uint64_t network, int64_t now, int times)
{
    for (int i = 0; i < times; i++) {
        backoff_note(backoff, network, now);
    }
}

TEST(some_wrong_passwords_are_free_then_the_wait_doubles_up_to_a_bound)
{
    static struct backoff backoff;
    int64_t now = 5 * SECOND;
    backoff_init(&backoff, 1);
    note_times(&backoff, ANN, now, BACKOFF_FREE);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), 0);
    int64_t want = BACKOFF_FIRST_NS;
    for (int i = 0; i < 12; i++) {
        backoff_note(&backoff, ANN, now);
        CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), want);
        want = want < 64 * SECOND ? 2 * want : want;
    }
    CHECK_EQ_INT(want, 64 * SECOND);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now + 63 * SECOND), SECOND);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now + 64 * SECOND), 0);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, BOB, now), 0);
    backoff_release(&backoff);
}

TEST(time_forgives_one_by_one)
{
    static struct backoff backoff;
    int64_t now = SECOND;
    backoff_init(&backoff, 2);
    /* one in the time in which one is forgiven: never a wait */
    for (int i = 0; i < 1000; i++) {
        now += BACKOFF_FORGIVE_NS;
        backoff_note(&backoff, ANN, now);
        CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), 0);
    }
    note_times(&backoff, ANN, now, BACKOFF_FREE);
    CHECK(backoff_wait_ns(&backoff, ANN, now) > 0);
    now += 3 * BACKOFF_FORGIVE_NS;
    note_times(&backoff, ANN, now, 2);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), 0);
    note_times(&backoff, ANN, now, 1);
    CHECK(backoff_wait_ns(&backoff, ANN, now) == BACKOFF_FIRST_NS);
    now += (BACKOFF_FREE + BACKOFF_DOUBLINGS) * BACKOFF_FORGIVE_NS;
    note_times(&backoff, ANN, now, BACKOFF_FREE);
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), 0); /* all was */
    backoff_release(&backoff);
}

TEST(who_waits_is_not_pushed_out_by_any_number_of_others)
{
    static struct backoff backoff;
    int64_t now = SECOND;
    backoff_init(&backoff, 3);
    note_times(&backoff, ANN, now, BACKOFF_FREE + 4);
    for (uint64_t other = 1; other < 100000; other++) {
        backoff_note(&backoff, other << 32, now);
    }
    CHECK_EQ_INT(backoff_wait_ns(&backoff, ANN, now), 8 * BACKOFF_FIRST_NS);
    backoff_release(&backoff);
}

TEST_MAIN(some_wrong_passwords_are_free_then_the_wait_doubles_up_to_a_bound,
          time_forgives_one_by_one, who_waits_is_not_pushed_out_by_any_number_of_others)
