#include "cli/load.h"

#include <stdlib.h>
#include <string.h>

/* ---- INFO ---- */

static uint64_t number_at(struct yore_bytes text)
{
    const char *at = text.data;
    uint64_t number = 0;
    for (size_t i = 0; i < text.size && at[i] >= '0' && at[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(at[i] - '0');
    }
    return number;
}

/* The number behind "<name>=" in "calls=1,usec=2,..."; 0 where it is not there. */
static uint64_t part_of(struct yore_bytes text, const char *name)
{
    size_t size = strlen(name);
    while (text.size > size) {
        if (memcmp(text.data, name, size) == 0 && ((const char *)text.data)[size] == '=') {
            return number_at(bytes_behind(text, size + 1));
        }
        const char *comma = memchr(text.data, ',', text.size);
        if (comma == NULL) {
            break;
        }
        text = bytes_behind(text, (size_t)(comma - (const char *)text.data) + 1);
    }
    return 0;
}

static void read_command(struct load_sample *sample, struct yore_bytes name,
                         struct yore_bytes value)
{
    if (sample->command_count == LOAD_COMMANDS_MAX || name.size >= LOAD_NAME_BYTES) {
        return;
    }
    struct load_command *command = &sample->commands[sample->command_count++];
    *command =
        (struct load_command){.calls = part_of(value, "calls"), .usec = part_of(value, "usec")};
    memcpy(command->name, name.data, name.size);
}

static void read_line(struct load_sample *sample, struct yore_bytes name, struct yore_bytes value)
{
    const struct {
        const char *name;
        const char *part; /* of a histogram */
        uint64_t *number_out;
    } known[] = {{"uptime_in_seconds", NULL, &sample->uptime_s},
                 {"connected_clients", NULL, &sample->clients},
                 {"memtable_bytes", NULL, &sample->memory_bytes},
                 {"cache_used_bytes", NULL, &sample->cache_bytes},
                 {"journal_held_bytes", NULL, &sample->journal_bytes},
                 {"total_net_input_bytes", NULL, &sample->received_bytes},
                 {"total_net_output_bytes", NULL, &sample->sent_bytes},
                 {"stalls", NULL, &sample->stalls},
                 {"stall_us", NULL, &sample->stall_us},
                 {"commit_latency_us", "p50", &sample->commit_p50_us},
                 {"commit_latency_us", "p99", &sample->commit_p99_us},
                 {"read_latency_us", "p50", &sample->read_p50_us},
                 {"read_latency_us", "p99", &sample->read_p99_us},
                 {"sync_latency_us", "p99", &sample->sync_p99_us}};
    static const char command[] = "cmdstat_";
    const size_t size = sizeof(command) - 1;
    if (name.size > size && memcmp(name.data, command, size) == 0) {
        read_command(sample, bytes_behind(name, size), value);
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (bytes_equal(name, bytes_of(known[i].name, strlen(known[i].name)))) {
            *known[i].number_out =
                known[i].part != NULL ? part_of(value, known[i].part) : number_at(value);
        }
    }
    if (bytes_equal(name, bytes_of("is_failed", 9))) {
        sample->has_failed = number_at(value) != 0;
    }
}

void load_read(struct load_sample *sample, struct yore_bytes info)
{
    int64_t moment_ns = sample->moment_ns;
    *sample = (struct load_sample){.moment_ns = moment_ns};
    while (info.size > 0) {
        const char *end = memchr(info.data, '\n', info.size);
        size_t size = end != NULL ? (size_t)(end - (const char *)info.data) : info.size;
        struct yore_bytes line = bytes_of(info.data, size);
        info = bytes_behind(info, end != NULL ? size + 1 : size);
        if (line.size > 0 && ((const char *)line.data)[line.size - 1] == '\r') {
            line.size--;
        }
        const char *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
        if (colon != NULL) {
            size_t name = (size_t)(colon - (const char *)line.data);
            read_line(sample, bytes_of(line.data, name), bytes_behind(line, name + 1));
        }
    }
}

static const struct load_command *find_command(const struct load_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->command_count; i++) {
        if (strcmp(sample->commands[i].name, name) == 0) {
            return &sample->commands[i];
        }
    }
    return NULL;
}

void load_classify(struct load_sample *sample, const struct load_sample *before,
                   enum load_class (*class_of)(const void *arg, const char *name), const void *arg)
{
    for (size_t i = 0; i < sample->command_count; i++) {
        struct load_command *command = &sample->commands[i];
        const struct load_command *known =
            before != NULL ? find_command(before, command->name) : NULL;
        command->class = known != NULL ? known->class : class_of(arg, command->name);
    }
}

/* ---- between two ---- */

static double grown(uint64_t before, uint64_t after)
{
    return (double)(after >= before ? after - before : after);
}

static int compare_hot(const void *a, const void *b)
{
    const struct load_hot *first = a;
    const struct load_hot *second = b;
    double left = first->per_second * first->mean_us;
    double right = second->per_second * second->mean_us;
    return left > right ? -1 : left < right ? 1 : strcmp(first->name, second->name);
}

struct load load_between(const struct load_sample *before, const struct load_sample *after)
{
    struct load_hot all[LOAD_COMMANDS_MAX];
    struct load load = {.seconds = (double)(after->moment_ns - before->moment_ns) / 1e9};
    double seconds = load.seconds > 0 ? load.seconds : 1;
    size_t count = 0;
    for (size_t i = 0; i < after->command_count; i++) {
        const struct load_command *command = &after->commands[i];
        const struct load_command *past = find_command(before, command->name);
        double calls = grown(past != NULL ? past->calls : 0, command->calls);
        double usec = grown(past != NULL ? past->usec : 0, command->usec);
        if (calls > 0) {
            all[count++] = (struct load_hot){command->name, calls / seconds, usec / calls};
            load.ops += calls / seconds;
            load.reads += command->class == LOAD_READ ? calls / seconds : 0;
            load.writes += command->class == LOAD_WRITE ? calls / seconds : 0;
            load.others += command->class == LOAD_OTHER ? calls / seconds : 0;
        }
    }
    if (count > 0) {
        qsort(all, count, sizeof(all[0]), compare_hot);
    }
    load.hot_count = count < LOAD_HOT_MAX ? count : LOAD_HOT_MAX;
    memcpy(load.hot, all, load.hot_count * sizeof(all[0]));
    load.received = grown(before->received_bytes, after->received_bytes) / seconds;
    load.sent = grown(before->sent_bytes, after->sent_bytes) / seconds;
    load.stalls = grown(before->stalls, after->stalls) / seconds;
    load.stall_ms = grown(before->stall_us, after->stall_us) / 1000 / seconds;
    return load;
}
