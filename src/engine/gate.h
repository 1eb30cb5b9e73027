/* gate.h -- who writes a keyspace for a while: any number at once, or one alone.
 *
 * A layer above that keeps invariants over many keys, and wants to go without reading them one by
 * one (a bulk import), takes the keyspace for itself.  Only callers that go through the gate are
 * kept out.  Nothing of it is on disk: it ends with the process.  Any thread.
 */
#ifndef YORE_ENGINE_GATE_H
#define YORE_ENGINE_GATE_H

#include <stdbool.h>

#include <yore/yore.h>

/* Begin to write beside others; false: somebody has it alone. */
bool gate_enter(struct yore_keyspace *keyspace);
void gate_leave(struct yore_keyspace *keyspace);
/* Take it alone; false: somebody is writing. */
bool gate_close(struct yore_keyspace *keyspace);
void gate_reopen(struct yore_keyspace *keyspace);

#endif
