/* assert.h -- what must hold.  YORE_ASSERT stays on in release builds; YORE_DEBUG_ASSERT is for
 * costly sweeps and is on when YORE_DEBUG is defined (presets dev, asan, tsan). */
#ifndef YORE_BASE_ASSERT_H
#define YORE_BASE_ASSERT_H

_Noreturn void assert_failed(const char *expression, const char *file, int line);

#define YORE_ASSERT(expression)                                                                    \
    ((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#ifdef YORE_DEBUG
#define YORE_DEBUG_ASSERT(expression) YORE_ASSERT(expression)
#else
#define YORE_DEBUG_ASSERT(expression) ((void)sizeof(expression))
#endif

#endif
