/* keyspace.h -- what a keyspace may be called. */
#ifndef YORE_ENGINE_KEYSPACE_H
#define YORE_ENGINE_KEYSPACE_H

#include "base/status.h"

/* YORE_INVALID: no keyspace can have that name. */
enum yore_status keyspace_check_name(const char *name, struct yore_error *error_out);

#endif
