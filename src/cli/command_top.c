/* top: what a server is doing, again and again. */
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/store.h"
#include "os/env.h"
#include "os/term.h"

#define INTERVAL_NS INT64_C(1000000000)
#define SLICE_NS INT64_C(50000000)
#define HOT_TEXT_BYTES 400

struct top {
    struct cli *cli;
    struct remote *remote;
    struct load_sample samples[2]; /* the last two, in turn */
    size_t latest;
    struct buffer reads; /* names of commands, each with a closing zero */
    struct buffer writes;
    int64_t interval_ns;
    uint64_t limit;
    enum output_format format;
    bool is_panel; /* redrawn on a terminal */
};

/* ---- asking ---- */

/* Who may not ask for categories sees all commands as others. */
static void ask_category(struct top *top, const char *category, struct buffer *names)
{
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    struct yore_error ignored;
    remote_word(&words, "ACL");
    remote_word(&words, "CAT");
    remote_word(&words, category);
    if (remote_call(top->remote, &words, &reply, &ignored) != YORE_OK) {
        return;
    }
    for (size_t i = 1; i < reply->values[0].next; i = reply->values[i].next) {
        buffer_append_bytes(names, reply->values[i].bytes);
        buffer_append(names, "", 1);
    }
}

static bool has_name(const struct buffer *names, const char *name)
{
    for (size_t i = 0; i < names->size; i += strlen((const char *)names->data + i) + 1) {
        if (strcmp((const char *)names->data + i, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum load_class class_of(const void *arg, const char *name)
{
    const struct top *top = arg;
    return has_name(&top->writes, name)  ? LOAD_WRITE
           : has_name(&top->reads, name) ? LOAD_READ
                                         : LOAD_OTHER;
}

static enum yore_status look(struct top *top, struct yore_error *error_out)
{
    const struct load_sample *before = &top->samples[top->latest];
    struct load_sample *sample = &top->samples[1 - top->latest];
    const struct yore_client_reply *reply = NULL;
    struct remote_words words = {.count = 0};
    remote_word(&words, "INFO");
    remote_word(&words, "everything");
    enum yore_status st = remote_call(top->remote, &words, &reply, error_out);
    if (st != YORE_OK) {
        return st;
    }
    sample->moment_ns = os_monotonic_ns(top->cli->env);
    load_read(sample, reply->values[0].bytes);
    load_classify(sample, before, class_of, top);
    top->latest = 1 - top->latest;
    return YORE_OK;
}

/* False: ^C. */
static bool wait(struct top *top)
{
    struct os_env *env = top->cli->env;
    int64_t end = os_monotonic_ns(env) + top->interval_ns;
    for (int64_t left = top->interval_ns; left > 0; left = end - os_monotonic_ns(env)) {
        if (os_interrupt_take()) {
            return false;
        }
        os_sleep_ns(env, left < SLICE_NS ? left : SLICE_NS);
    }
    return !os_interrupt_take();
}

/* ---- telling ---- */

#define TOP_COLUMNS 18

static const struct column top_columns[TOP_COLUMNS] = {
    {"ops", COLUMN_EVERYWHERE},
    {"reads", COLUMN_EVERYWHERE},
    {"writes", COLUMN_EVERYWHERE},
    {"others", COLUMN_EVERYWHERE},
    {"commit_p50_us", COLUMN_EVERYWHERE},
    {"commit_p99_us", COLUMN_EVERYWHERE},
    {"read_p50_us", COLUMN_DATA},
    {"read_p99_us", COLUMN_DATA},
    {"sync_p99_us", COLUMN_EVERYWHERE},
    {"clients", COLUMN_EVERYWHERE},
    {"memory_bytes", COLUMN_EVERYWHERE},
    {"cache_bytes", COLUMN_DATA},
    {"journal_bytes", COLUMN_EVERYWHERE},
    {"received", COLUMN_DATA},
    {"sent", COLUMN_DATA},
    {"stalls", COLUMN_EVERYWHERE},
    {"stall_ms", COLUMN_DATA},
    {"hot", COLUMN_EVERYWHERE},
};

/* "set 812/s 41us, get 200/s 3us" */
static const char *hot_text(const struct load *load, char text[HOT_TEXT_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < load->hot_count && used < HOT_TEXT_BYTES - 100; i++) {
        const struct load_hot *hot = &load->hot[i];
        used += (size_t)snprintf(text + used, HOT_TEXT_BYTES - used, "%s%s %.0f/s %.0fus",
                                 i > 0 ? ", " : "", hot->name, hot->per_second, hot->mean_us);
    }
    return text;
}

static bool tell_row(struct top *top, struct output *output, const struct load *load)
{
    const struct load_sample *sample = &top->samples[top->latest];
    char hot[HOT_TEXT_BYTES];
    const struct cell cells[TOP_COLUMNS] = {cell_real(load->ops),
                                            cell_real(load->reads),
                                            cell_real(load->writes),
                                            cell_real(load->others),
                                            cell_count(sample->commit_p50_us),
                                            cell_count(sample->commit_p99_us),
                                            cell_count(sample->read_p50_us),
                                            cell_count(sample->read_p99_us),
                                            cell_count(sample->sync_p99_us),
                                            cell_count(sample->clients),
                                            cell_count(sample->memory_bytes),
                                            cell_count(sample->cache_bytes),
                                            cell_count(sample->journal_bytes),
                                            cell_real(load->received),
                                            cell_real(load->sent),
                                            cell_real(load->stalls),
                                            cell_real(load->stall_ms),
                                            cell_word(hot_text(load, hot))};
    bool is_good = output_row(output, cells);
    return fflush(top->cli->out) == 0 && is_good;
}

static void draw_sizes(FILE *out, const struct load_sample *sample, const struct load *load)
{
    char memory[SIZE_TEXT_BYTES];
    char cache[SIZE_TEXT_BYTES];
    char journal[SIZE_TEXT_BYTES];
    char received[SIZE_TEXT_BYTES];
    char sent[SIZE_TEXT_BYTES];
    fprintf(out, "  memory    memtables %s, cache %s, journal held %s\n",
            size_format(sample->memory_bytes, memory), size_format(sample->cache_bytes, cache),
            size_format(sample->journal_bytes, journal));
    fprintf(out, "  network   %llu clients, in %s/s, out %s/s\n",
            (unsigned long long)sample->clients, size_format((uint64_t)load->received, received),
            size_format((uint64_t)load->sent, sent));
}

/* The whole screen: home, the lines, each cleared behind its text, and all below. */
static void draw(struct top *top, const struct load *load)
{
    const struct load_sample *sample = &top->samples[top->latest];
    FILE *out = top->cli->out;
    const char *bold = top->cli->has_color ? "\033[1m" : "";
    const char *plain = top->cli->has_color ? "\033[0m" : "";
    fprintf(out, "\033[H\033[J%s%s%s   up %llu s%s\n\n", bold, top->cli->dir, plain,
            (unsigned long long)sample->uptime_s,
            sample->has_failed ? "   IT HAS FAILED AND TAKES NO WRITES" : "");
    fprintf(out, "  %scommands%s  %.0f/s: %.0f reads, %.0f writes, %.0f others\n", bold, plain,
            load->ops, load->reads, load->writes, load->others);
    fprintf(out,
            "  latency   commit p50 %llu us, p99 %llu us; read p50 %llu us, p99 %llu us; sync "
            "p99 %llu us (since the start)\n",
            (unsigned long long)sample->commit_p50_us, (unsigned long long)sample->commit_p99_us,
            (unsigned long long)sample->read_p50_us, (unsigned long long)sample->read_p99_us,
            (unsigned long long)sample->sync_p99_us);
    draw_sizes(out, sample, load);
    fprintf(out,
            "  stalls    %.1f/s, %.0f ms/s\n\n  %scommand                   calls/s   mean us%s\n",
            load->stalls, load->stall_ms, bold, plain);
    for (size_t i = 0; i < load->hot_count; i++) {
        fprintf(out, "  %-22s %10.0f %9.0f\n", load->hot[i].name, load->hot[i].per_second,
                load->hot[i].mean_us);
    }
    fprintf(out, "\n  ^C ends\n");
    fflush(out);
}

static int watch(struct top *top)
{
    struct output *output = NULL;
    struct yore_error error;
    uint64_t count = 0;
    bool goes_on = true;
    enum yore_status st = YORE_OK;
    if (!top->is_panel) {
        st = output_open(top->cli, top->format, top_columns, TOP_COLUMNS, &output);
        if (st != YORE_OK) {
            return cli_fail_status(top->cli, st);
        }
    }
    st = look(top, &error);
    while (st == YORE_OK && goes_on && count < top->limit && wait(top)) {
        st = look(top, &error);
        if (st == YORE_OK) {
            struct load load =
                load_between(&top->samples[1 - top->latest], &top->samples[top->latest]);
            if (top->is_panel) {
                draw(top, &load);
            } else {
                goes_on = tell_row(top, output, &load);
            }
            count++;
        }
    }
    enum yore_status close_st = output != NULL ? output_close(output) : YORE_OK;
    if (st != YORE_OK) {
        return cli_fail(top->cli, &error);
    }
    return close_st == YORE_OK ? EXIT_FOUND : cli_fail_status(top->cli, close_st);
}

static enum yore_status parse_top(struct top *top, const struct args *args,
                                  struct yore_error *error_out)
{
    bool is_once = args_has(args, OPT_ONCE);
    top->interval_ns = INTERVAL_NS;
    top->limit = is_once ? 1 : UINT64_MAX;
    enum yore_status st = output_choose(top->cli, args, &top->format, error_out);
    if (st == YORE_OK) {
        st = args_duration(args, OPT_INTERVAL, &top->interval_ns, error_out);
    }
    if (st == YORE_OK && is_once && args_has(args, OPT_LIMIT)) {
        st = error_set(error_out, YORE_INVALID, "--once is --limit 1; give one of them");
    }
    if (st == YORE_OK) {
        st = args_count(args, OPT_LIMIT, INT64_MAX, &top->limit, error_out);
    }
    top->is_panel = top->cli->is_out_terminal && !args_has(args, OPT_OUTPUT) && top->limit > 1;
    return st;
}

int command_top(struct cli *cli, const struct args *args)
{
    struct yore_error error;
    if (cli->server == NULL) {
        return cli_usage(cli, "top watches a server: yore top yore://host[:port]");
    }
    struct top *top = mem_zalloc(sizeof(*top));
    if (top == NULL) {
        return cli_fail_status(cli, YORE_NOMEM);
    }
    top->cli = cli;
    int code = EXIT_FOUND;
    if (parse_top(top, args, &error) != YORE_OK) {
        code = cli_usage_error(cli, &error);
    } else if (cli_open(cli, false, &error) != YORE_OK) {
        code = cli_fail(cli, &error);
    } else {
        top->remote = store_remote(cli->store);
        os_interrupt_catch(true);
        ask_category(top, "read", &top->reads);
        ask_category(top, "write", &top->writes);
        code = watch(top);
        os_interrupt_catch(false);
    }
    buffer_release(&top->reads);
    buffer_release(&top->writes);
    mem_free(top);
    return code;
}
