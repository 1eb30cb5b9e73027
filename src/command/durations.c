/* durations.c -- see durations.h. */
#include "command/durations.h"

#include "command/server.h"
#include "command/table.h"

static const int64_t bounds_ns[COMMAND_DURATION_BUCKETS - 1] = {
    50000,     100000,     250000,     500000,     1000000,    2500000,
    5000000,   10000000,   25000000,   50000000,   100000000,  250000000,
    500000000, 1000000000, 2500000000, 5000000000, 10000000000};

enum duration_class duration_class_of(const struct command *command)
{
    if ((command->category & CC_GRAPH) != 0) {
        return DURATION_GRAPH;
    }
    if ((command->flags & CF_WRITE) != 0) {
        return DURATION_WRITE;
    }
    if (command->pace == COMMAND_LONG) {
        return DURATION_WALK;
    }
    return (command->flags & CF_READ) != 0 ? DURATION_READ : DURATION_OTHER;
}

void durations_note(struct durations *durations, int64_t time_ns)
{
    size_t i = 0;
    while (i < COMMAND_DURATION_BUCKETS - 1 && time_ns > bounds_ns[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&durations->counts[i], 1, memory_order_relaxed);
}

void command_note_statement(struct command_server *server, int64_t time_ns)
{
    atomic_fetch_add_explicit(&server->statement_ns, (uint64_t)time_ns, memory_order_relaxed);
    durations_note(&server->durations[DURATION_GRAPH], time_ns);
}

bool command_durations(struct command_server *server, size_t index,
                       struct command_durations *durations_out)
{
    static const char *const names[DURATION_CLASSES] = {"read", "write", "walk", "graph", "other"};
    size_t count;
    const struct command *rows = table_rows(&count);
    if (index >= DURATION_CLASSES) {
        return false;
    }
    *durations_out = (struct command_durations){.name = names[index]};
    for (size_t i = 0; i < COMMAND_DURATION_BUCKETS; i++) {
        durations_out->counts[i] =
            atomic_load_explicit(&server->durations[index].counts[i], memory_order_relaxed);
    }
    if (index == DURATION_GRAPH) {
        durations_out->time_ns += atomic_load_explicit(&server->statement_ns, memory_order_relaxed);
    }
    for (size_t i = 0; i < count; i++) {
        if (duration_class_of(&rows[i]) == (enum duration_class)index) {
            durations_out->time_ns +=
                atomic_load_explicit(&server->command_stats[i].time_ns, memory_order_relaxed);
        }
    }
    return true;
}
