/* References counted in stripes. */
#include "os/striped_ref.h"

#include "support/test.h"

#define THREADS 4
#define ROUNDS 20000

TEST(a_closed_one_gives_no_references)
{
    static struct striped_ref ref;
    striped_ref_init(&ref);
    CHECK(!striped_ref_take(&ref));
    CHECK(!striped_ref_take_held(&ref));
    striped_ref_open(&ref);
    CHECK(striped_ref_take(&ref));
    CHECK_EQ_INT(striped_ref_count(&ref), 1);
    CHECK(!striped_ref_give(&ref));
    CHECK(striped_ref_close(&ref));
    CHECK(!striped_ref_take(&ref));
    CHECK_EQ_INT(striped_ref_count(&ref), 0);
}

TEST(the_last_holder_of_a_closed_one_is_told)
{
    static struct striped_ref ref;
    striped_ref_init(&ref);
    striped_ref_open(&ref);
    CHECK(striped_ref_take(&ref));
    CHECK(striped_ref_take_held(&ref));
    CHECK(!striped_ref_close(&ref));
    CHECK(striped_ref_take_held(&ref)); /* as long as somebody holds it */
    CHECK(!striped_ref_give(&ref));
    CHECK(!striped_ref_give(&ref));
    CHECK(striped_ref_give(&ref));
    CHECK(!striped_ref_take_held(&ref));
}

TEST(one_that_is_opened_again_keeps_its_holders)
{
    static struct striped_ref ref;
    striped_ref_init(&ref);
    striped_ref_open(&ref);
    CHECK(striped_ref_take(&ref));
    CHECK(!striped_ref_close(&ref));
    striped_ref_open(&ref);
    CHECK(striped_ref_take(&ref));
    CHECK_EQ_INT(striped_ref_count(&ref), 2);
    (void)striped_ref_give(&ref);
    (void)striped_ref_give(&ref);
    CHECK(striped_ref_close(&ref));
}

/* Holders in several threads hand each other what they took, while one opens and closes. */
struct crowd {
    struct striped_ref ref;
    uint64_t guarded; /* written only while closed and without holders */
    _Atomic uint32_t handed;
    _Atomic bool is_over;
};

static void hold(void *arg)
{
    struct crowd *c = arg;
    uint64_t last = 0;
    while (!atomic_load(&c->is_over)) {
        if (!striped_ref_take(&c->ref)) {
            os_thread_yield();
            continue;
        }
        CHECK(c->guarded >= last);
        last = c->guarded;
        if (atomic_exchange(&c->handed, 1) != 0) { /* leave this one, give back another's */
            (void)striped_ref_give(&c->ref);
        }
    }
}

TEST(what_it_guards_is_touched_only_without_holders)
{
    static struct crowd c;
    struct os_thread *threads[THREADS];
    uint64_t alone = 0;
    striped_ref_init(&c.ref);
    striped_ref_open(&c.ref);
    for (int i = 0; i < THREADS; i++) {
        CHECK_OK(os_thread_start(hold, &c, "hold", &threads[i], NULL));
    }
    for (int i = 0; i < ROUNDS; i++) {
        bool is_idle = striped_ref_close(&c.ref);
        if (!is_idle && atomic_exchange(&c.handed, 0) != 0) {
            is_idle = striped_ref_give(&c.ref);
        }
        if (is_idle) {
            alone++;
            c.guarded++;
        }
        striped_ref_open(&c.ref);
        if (i % 64 == 0) {
            os_thread_yield();
        }
    }
    atomic_store(&c.is_over, true);
    for (int i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
    }
    int64_t left = striped_ref_count(&c.ref);
    CHECK(left == 0 || left == 1);
    CHECK_EQ_UINT(c.guarded, alone);
}

TEST_MAIN(a_closed_one_gives_no_references, the_last_holder_of_a_closed_one_is_told,
          one_that_is_opened_again_keeps_its_holders,
          what_it_guards_is_touched_only_without_holders)
