/* posix_internal.h -- shared by posix_env.c and posix_file.c. */
#ifndef YORE_OS_POSIX_INTERNAL_H
#define YORE_OS_POSIX_INTERNAL_H

#include "os/env.h"

/* The status an errno stands for, with the text "<what> <path>: <cause>". */
enum yore_status posix_error(struct yore_error *error_out, int cause, const char *what,
                             const char *path);

enum yore_status posix_file_open(struct os_env *env, const char *path, enum os_open_mode mode,
                                 struct os_file **file_out, struct yore_error *error_out);

#endif
