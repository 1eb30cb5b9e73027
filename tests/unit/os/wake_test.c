/* Calls that end a wait for input. */
#include "os/wake.h"

#include <poll.h>

#include "os/thread.h"
#include "support/test.h"

#define CALLERS 3
#define CALLS 20000

static bool is_readable(const struct os_wake *wake, int timeout_ms)
{
    struct pollfd waited = {.fd = wake->fd, .events = POLLIN};
    return poll(&waited, 1, timeout_ms) == 1;
}

TEST(a_call_makes_it_readable_until_it_is_taken)
{
    struct os_wake wake;
    struct yore_error error;
    CHECK_OK(os_wake_open(&wake, &error));
    CHECK(!is_readable(&wake, 0));
    os_wake_call(&wake);
    os_wake_call(&wake);
    CHECK(is_readable(&wake, 0));
    os_wake_take(&wake);
    CHECK(!is_readable(&wake, 0));
    os_wake_call(&wake);
    CHECK(is_readable(&wake, 0));
    os_wake_close(&wake);
}

struct news {
    struct os_wake wake;
    struct os_mutex lock;
    unsigned count; /* GUARDED_BY(lock) */
};

static void call(void *arg)
{
    struct news *news = arg;
    for (unsigned i = 0; i < CALLS; i++) {
        os_mutex_lock(&news->lock);
        news->count++;
        os_mutex_unlock(&news->lock);
        os_wake_call(&news->wake);
    }
}

/* A call that was lost would leave the last news lying: the wait then ends by its timeout. */
TEST(no_call_is_lost)
{
    static struct news news;
    struct yore_error error;
    struct os_thread *callers[CALLERS];
    unsigned seen = 0;
    bool is_called = true;
    os_mutex_init(&news.lock);
    CHECK_OK(os_wake_open(&news.wake, &error));
    for (int i = 0; i < CALLERS; i++) {
        CHECK_OK(os_thread_start(call, &news, "caller", &callers[i], &error));
    }
    while (is_called && seen < CALLERS * CALLS) {
        is_called = is_readable(&news.wake, 60000);
        os_wake_take(&news.wake);
        os_mutex_lock(&news.lock);
        seen = news.count;
        os_mutex_unlock(&news.lock);
    }
    for (int i = 0; i < CALLERS; i++) {
        os_thread_join(callers[i]);
    }
    CHECK(is_called);
    CHECK_EQ_UINT(seen, CALLERS * CALLS);
    os_wake_close(&news.wake);
    os_mutex_release(&news.lock);
}

TEST_MAIN(a_call_makes_it_readable_until_it_is_taken, no_call_is_lost)
