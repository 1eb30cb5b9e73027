#include "cli/progress.h"

#include "cli/output.h"
#include "os/env.h"
#include "os/term.h"

#define SHOW_EVERY_NS 100000000

void progress_begin(struct progress *p, struct cli *cli, const char *label, const char *unit)
{
    *p = (struct progress){.cli = cli, .label = label, .unit = unit};
    p->is_shown = cli->is_err_terminal && !cli->is_quiet;
    p->begin_ns = os_monotonic_ns(cli->env);
    p->shown_ns = p->begin_ns;
}

double progress_seconds(const struct progress *p)
{
    double seconds = (double)(os_monotonic_ns(p->cli->env) - p->begin_ns) / 1e9;
    return seconds > 1e-6 ? seconds : 1e-6;
}

char *span_format(double seconds, char text[SPAN_TEXT_BYTES])
{
    uint64_t whole = seconds > 0 ? (uint64_t)(seconds + 0.5) : 0;
    if (whole >= 3600) {
        snprintf(text, SPAN_TEXT_BYTES, "%llu:%02u:%02u", (unsigned long long)(whole / 3600),
                 (unsigned)(whole / 60 % 60), (unsigned)(whole % 60));
    } else {
        snprintf(text, SPAN_TEXT_BYTES, "%u:%02u", (unsigned)(whole / 60), (unsigned)(whole % 60));
    }
    return text;
}

void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t count)
{
    if (!p->is_shown) {
        return;
    }
    int64_t now = os_monotonic_ns(p->cli->env);
    if (now - p->shown_ns < SHOW_EVERY_NS) {
        return;
    }
    p->shown_ns = now;
    double seconds = progress_seconds(p);
    char text[SIZE_TEXT_BYTES];
    FILE *err = p->cli->err;
    fprintf(err, "\r%s", p->label);
    if (total > 0) {
        fprintf(err, " %5.1f%%", 100.0 * (double)(done < total ? done : total) / (double)total);
    }
    if (p->unit != NULL) {
        fprintf(err, "  %s %s", count_format(count, text), p->unit);
        fprintf(err, "  %s/s", count_format((uint64_t)((double)count / seconds), text));
    } else {
        fprintf(err, "  %s", size_format(done, text));
        fprintf(err, "  %s/s", size_format((uint64_t)((double)done / seconds), text));
    }
    if (total > 0 && done > 0 && done <= total) {
        double left = seconds * (double)(total - done) / (double)done;
        fprintf(err, "  %s left", span_format(left, text));
    }
    fputs("\033[K", err);
    fflush(err);
}

void progress_end(struct progress *p)
{
    if (p->is_shown && p->shown_ns != p->begin_ns) {
        fputs("\r\033[K", p->cli->err);
        fflush(p->cli->err);
    }
    p->is_shown = false;
}

int progress_callback(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
    progress_show(arg, done_bytes, total_bytes, done_bytes);
    return os_interrupt_take();
}
