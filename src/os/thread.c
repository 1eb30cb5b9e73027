#include "os/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

#define NS_PER_SECOND 1000000000
#define SLICE_NS 100000      /* the least there is */
#define THREAD_NAME_BYTES 16 /* the kernel's limit, closing zero included */

static_assert(sizeof(pthread_mutex_t) <= sizeof(struct os_mutex), "room for a mutex");
static_assert(sizeof(pthread_cond_t) <= sizeof(struct os_cond), "room for a condition");

/* The bodies below are the capability itself: the analysis cannot look through pthread. */
#define UNCHECKED YORE_TS(no_thread_safety_analysis)

static pthread_mutex_t *mutex_of(struct os_mutex *m)
{
    return (pthread_mutex_t *)(void *)m->storage;
}

static pthread_cond_t *cond_of(struct os_cond *c)
{
    return (pthread_cond_t *)(void *)c->storage;
}

void os_mutex_init(struct os_mutex *m)
{
    int rc = pthread_mutex_init(mutex_of(m), NULL);
    YORE_ASSERT(rc == 0);
}

void os_mutex_release(struct os_mutex *m)
{
    int rc = pthread_mutex_destroy(mutex_of(m));
    YORE_ASSERT(rc == 0); /* EBUSY: somebody holds it */
}

UNCHECKED void os_mutex_lock(struct os_mutex *m)
{
    int rc = pthread_mutex_lock(mutex_of(m));
    YORE_ASSERT(rc == 0);
}

UNCHECKED bool os_mutex_try_lock(struct os_mutex *m)
{
    int rc = pthread_mutex_trylock(mutex_of(m));
    YORE_ASSERT(rc == 0 || rc == EBUSY);
    return rc == 0;
}

UNCHECKED void os_mutex_unlock(struct os_mutex *m)
{
    int rc = pthread_mutex_unlock(mutex_of(m));
    YORE_ASSERT(rc == 0);
}

void os_cond_init(struct os_cond *c)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);
    YORE_ASSERT(rc == 0);
    rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    YORE_ASSERT(rc == 0);
    rc = pthread_cond_init(cond_of(c), &attributes);
    YORE_ASSERT(rc == 0);
    pthread_condattr_destroy(&attributes);
}

void os_cond_release(struct os_cond *c)
{
    int rc = pthread_cond_destroy(cond_of(c));
    YORE_ASSERT(rc == 0);
}

UNCHECKED void os_cond_wait(struct os_cond *c, struct os_mutex *m)
{
    int rc = pthread_cond_wait(cond_of(c), mutex_of(m));
    YORE_ASSERT(rc == 0);
}

UNCHECKED bool os_cond_wait_for(struct os_cond *c, struct os_mutex *m, int64_t timeout_ns)
{
    YORE_ASSERT(timeout_ns >= 0);
    struct timespec until;
    int rc = clock_gettime(CLOCK_MONOTONIC, &until);
    YORE_ASSERT(rc == 0);
    until.tv_sec += timeout_ns / NS_PER_SECOND;
    until.tv_nsec += timeout_ns % NS_PER_SECOND;
    if (until.tv_nsec >= NS_PER_SECOND) {
        until.tv_nsec -= NS_PER_SECOND;
        until.tv_sec++;
    }
    rc = pthread_cond_timedwait(cond_of(c), mutex_of(m), &until);
    YORE_ASSERT(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

void os_cond_broadcast(struct os_cond *c)
{
    int rc = pthread_cond_broadcast(cond_of(c));
    YORE_ASSERT(rc == 0);
}

void os_cond_signal(struct os_cond *c)
{
    int rc = pthread_cond_signal(cond_of(c));
    YORE_ASSERT(rc == 0);
}

struct os_thread {
    pthread_t handle;
    void (*run)(void *arg);
    void *arg;
    char name[THREAD_NAME_BYTES];
};

static void *thread_main(void *arg)
{
    struct os_thread *thread = arg;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->arg);
    return NULL;
}

enum yore_status os_thread_start(void (*run)(void *arg), void *arg, const char *name,
                                 struct os_thread **thread_out, struct yore_error *error_out)
{
    *thread_out = NULL;
    struct os_thread *thread = mem_zalloc(sizeof(*thread));
    if (thread == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    thread->run = run;
    thread->arg = arg;
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    /* The program's signals are for its own threads: ours are born with all of them blocked. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread->handle, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        mem_free(thread);
        char text[128];
        return error_set(error_out, YORE_NOMEM, "start thread %s: %s", name,
                         strerror_r(rc, text, sizeof(text)));
    }
    *thread_out = thread;
    return YORE_OK;
}

void os_thread_join(struct os_thread *thread)
{
    int rc = pthread_join(thread->handle, NULL);
    YORE_ASSERT(rc == 0);
    mem_free(thread);
}

uint64_t os_thread_id(void)
{
    static _Thread_local uint64_t id; /* the kernel's number costs a call; it never changes */
    if (id == 0) {
        id = (uint64_t)gettid();
    }
    return id;
}

void os_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#else
    sched_yield();
#endif
}

void os_thread_yield(void)
{
    sched_yield();
}

/* struct sched_attr as Linux 3.14 began it; libraries do not agree on where it is declared. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of SCHED_OTHER: the slice that is asked for */
    uint64_t deadline_ns;
    uint64_t period_ns;
};

void os_thread_answer_soon(void)
{
    struct scheduling wanted = {.size = sizeof wanted,
                                .policy = SCHED_OTHER,
                                .nice = getpriority(PRIO_PROCESS, (id_t)os_thread_id()),
                                .runtime_ns = SLICE_NS};
    if (syscall(SYS_sched_setattr, 0, &wanted, 0u) != 0) {
        /* It is a wish, and no more. */
    }
}

void os_thread_yield_to_others(void)
{
    if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10) != 0) {
        /* It is a favour to others, and no more. */
    }
}
