/* replace.h -- a small file gets another text: whole or not at all, whatever happens meanwhile. */
#ifndef YORE_OS_REPLACE_H
#define YORE_OS_REPLACE_H

#include "base/bytes.h"
#include "base/status.h"

struct os_env;

#define OS_REPLACE_PATH_BYTES_MAX 4096u

/* Write `text` beside `path` (as <path>.new, which is removed first), make it durable, give it the
 * name, and make that durable.  What stood there keeps its rights and, as far as this process may
 * give files away, its owner; where nothing stood only this process' user may read it.  After an
 * error the old text stands there, but for one in the very last step: the new one then, which a
 * power cut may take back.  Errors: YORE_TOO_BIG (the path), YORE_IO, YORE_NO_SPACE. */
enum yore_status os_file_replace(struct os_env *env, const char *path, struct yore_bytes text,
                                 struct yore_error *error_out);

#endif
