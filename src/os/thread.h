/* thread.h -- threads, mutexes and conditions, with clang's thread-safety annotations. */
#ifndef YORE_OS_THREAD_H
#define YORE_OS_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#if defined(__clang__)
#define YORE_TS(x) __attribute__((x))
#else
#define YORE_TS(x)
#endif
/* On a field: which lock guards it.  For readers only: in C clang cannot name a sibling field. */
#define GUARDED_BY(lock)
#define REQUIRES(lock) YORE_TS(requires_capability(lock))
#define ACQUIRE(lock) YORE_TS(acquire_capability(lock))
#define RELEASE(lock) YORE_TS(release_capability(lock))

/* Storage for a pthread object; os/thread.c asserts that it is large enough. */
struct YORE_TS(capability("mutex")) os_mutex {
    _Alignas(16) unsigned char storage[64];
};
struct os_cond {
    _Alignas(16) unsigned char storage[64];
};
struct os_thread;

void os_mutex_init(struct os_mutex *m);
void os_mutex_release(struct os_mutex *m);
void os_mutex_lock(struct os_mutex *m) ACQUIRE(m);
bool os_mutex_try_lock(struct os_mutex *m) YORE_TS(try_acquire_capability(true, m)); /* false: it is
                                                                                        held */
void os_mutex_unlock(struct os_mutex *m) RELEASE(m);

void os_cond_init(struct os_cond *c);
void os_cond_release(struct os_cond *c);
void os_cond_wait(struct os_cond *c, struct os_mutex *m) REQUIRES(m);
/* False when `timeout_ns` (>= 0, monotonic) passed first. */
bool os_cond_wait_for(struct os_cond *c, struct os_mutex *m, int64_t timeout_ns) REQUIRES(m);
void os_cond_broadcast(struct os_cond *c);
void os_cond_signal(struct os_cond *c); /* one of those that wait */

enum yore_status os_thread_start(void (*run)(void *arg), void *arg, const char *name,
                                 struct os_thread **thread_out, struct yore_error *error_out);
void os_thread_join(struct os_thread *thread); /* frees it */
uint64_t os_thread_id(void);                   /* small, distinct per live thread */
void os_cpu_relax(void);
void os_thread_yield(void);
/* From now on this thread gets the processor when others want it less (nice 10); where that is not
 * allowed nothing changes. */
void os_thread_yield_to_others(void);
/* From now on this thread asks for short slices of a processor (0.1 ms), and so gets one soon when
 * it wakes, also where others are busy on all of them.  Linux before 6.12 does not ask back. */
void os_thread_answer_soon(void);

#endif
