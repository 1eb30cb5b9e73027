/* Threads, mutexes, conditions. */
#include "os/thread.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "os/env.h"
#include "support/test.h"

struct shared {
    struct os_mutex mutex;
    struct os_cond cond;
    uint64_t count GUARDED_BY(mutex);
    bool is_ready GUARDED_BY(mutex);
    _Atomic uint64_t ids[4];
    _Atomic int next;
};

static void shared_init(struct shared *s)
{
    *s = (struct shared){.is_ready = false};
    os_mutex_init(&s->mutex);
    os_cond_init(&s->cond);
}

static void shared_release(struct shared *s)
{
    os_cond_release(&s->cond);
    os_mutex_release(&s->mutex);
}

static void count_up(void *arg)
{
    struct shared *s = arg;
    s->ids[s->next++] = os_thread_id();
    for (int i = 0; i < 10000; i++) {
        os_mutex_lock(&s->mutex);
        s->count++;
        os_mutex_unlock(&s->mutex);
    }
    os_mutex_lock(&s->mutex); /* all four live until the last has taken its number */
    while (!s->is_ready) {
        os_cond_wait(&s->cond, &s->mutex);
    }
    os_mutex_unlock(&s->mutex);
}

TEST(threads_share_a_counter_and_have_numbers_of_their_own)
{
    static struct shared s;
    struct os_thread *threads[4];
    shared_init(&s);
    for (int i = 0; i < 4; i++) {
        CHECK_OK(os_thread_start(count_up, &s, "a name longer than fifteen", &threads[i], NULL));
    }
    while (s.next < 4) {
        os_cpu_relax();
        os_thread_yield();
        test_pause();
    }
    os_mutex_lock(&s.mutex);
    s.is_ready = true;
    os_cond_broadcast(&s.cond);
    os_mutex_unlock(&s.mutex);
    for (int i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
    }
    os_mutex_lock(&s.mutex);
    CHECK_EQ_UINT(s.count, 40000);
    os_mutex_unlock(&s.mutex);
    for (int i = 0; i < 4; i++) {
        CHECK(s.ids[i] != os_thread_id());
        for (int j = 0; j < i; j++) {
            CHECK(s.ids[i] != s.ids[j]);
        }
    }
    CHECK_EQ_UINT(os_thread_id(), os_thread_id());
    shared_release(&s);
}

TEST(a_wait_without_signal_times_out)
{
    static struct shared s;
    shared_init(&s);
    int64_t before = os_monotonic_ns(os_env_posix());
    os_mutex_lock(&s.mutex);
    bool is_signalled = os_cond_wait_for(&s.cond, &s.mutex, 3000000);
    while (is_signalled) { /* woken for nothing */
        is_signalled = os_cond_wait_for(&s.cond, &s.mutex, 3000000);
    }
    os_mutex_unlock(&s.mutex);
    CHECK(os_monotonic_ns(os_env_posix()) - before >= 3000000);
    shared_release(&s);
}

static void make_ready(void *arg)
{
    struct shared *s = arg;
    os_mutex_lock(&s->mutex);
    s->is_ready = true;
    os_cond_broadcast(&s->cond);
    os_mutex_unlock(&s->mutex);
}

TEST(a_signal_ends_a_timed_wait)
{
    static struct shared s;
    struct os_thread *thread;
    bool is_in_time = true;
    shared_init(&s);
    os_mutex_lock(&s.mutex);
    CHECK_OK(os_thread_start(make_ready, &s, "signal", &thread, NULL));
    while (!s.is_ready && is_in_time) {
        is_in_time = os_cond_wait_for(&s.cond, &s.mutex, INT64_C(60000000000));
    }
    CHECK(s.is_ready);
    os_mutex_unlock(&s.mutex);
    os_thread_join(thread);
    shared_release(&s);
}

TEST(a_thread_without_memory_is_refused)
{
    static struct shared s;
    struct os_thread *thread;
    mem_fail_at(1, false);
    enum yore_status st = os_thread_start(make_ready, &s, "none", &thread, NULL);
    mem_fail_at(0, false);
    CHECK_STATUS(st, YORE_NOMEM);
    CHECK(thread == NULL);
}

TEST_MAIN(threads_share_a_counter_and_have_numbers_of_their_own, a_wait_without_signal_times_out,
          a_signal_ends_a_timed_wait, a_thread_without_memory_is_refused)
