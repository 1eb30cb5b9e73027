/* dispatch.h -- running a command whose right to run was checked: for EXEC beside dispatch. */
#ifndef YORE_COMMAND_DISPATCH_H
#define YORE_COMMAND_DISPATCH_H

#include <stdbool.h>

struct call;
struct client;
struct command;

/* Run, count, time and tell it; call->access is ready and the locks are held. */
void dispatch_run(struct call *call);

#endif
