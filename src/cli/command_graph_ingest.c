/* graph apply and graph sync: what a source says, from files. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/graph_speaker.h"
#include "cli/graph_tally.h"
#include "cli/progress.h"
#include "cli/word_reader.h"
#include "cli/words.h"
#include "os/term.h"

#define BATCH_DEFAULT 1000u

struct ingest_run {
    struct cli *cli;
    const struct args *args;
    struct graph_speaker *speaker;
    struct yore_bytes source;
    enum word_format format;
    enum yore_durability durability;
    uint64_t snapshot; /* 0: words are taken in as they come */
    uint64_t batch;
    struct yore_graph_word *words;
    size_t count; /* of words in hand */
    struct arena arena;
    struct yore_graph_ingest_tally tally;
    struct progress progress;
    uint64_t lines;
};

/* ---- words ---------------------------------------------------------------------------------- */

static enum yore_status send(struct ingest_run *run, struct yore_error *error_out)
{
    if (run->count == 0) {
        return YORE_OK;
    }
    enum yore_status st = run->snapshot != 0
                              ? graph_speaker_send(run->speaker, run->snapshot, run->words,
                                                   run->count, run->durability, error_out)
                              : graph_speaker_say(run->speaker, run->words, run->count,
                                                  run->durability, &run->tally, error_out);
    run->count = 0;
    arena_reset(&run->arena);
    return st;
}

static enum yore_status take_words(struct ingest_run *run, struct word_reader *reader,
                                   struct line_source *lines, struct yore_error *error_out)
{
    enum yore_status st;
    while ((st = word_reader_next(reader, &run->arena, &run->words[run->count], error_out)) ==
           YORE_OK) {
        run->count++;
        run->lines++;
        if (run->count == run->batch) {
            st = send(run, error_out);
        }
        if (st == YORE_OK && os_interrupt_take()) {
            st = error_set(error_out, YORE_CANCELLED, "stopped at line %" PRIu64 " of %s",
                           line_source_number(lines), line_source_name(lines));
        }
        if (st != YORE_OK) {
            return st;
        }
        progress_show(&run->progress, 0, 0, run->lines);
    }
    return st == YORE_NOT_FOUND ? YORE_OK : st;
}

static enum yore_status take_file(struct ingest_run *run, const char *name,
                                  struct yore_error *error_out)
{
    bool is_standard = strcmp(name, "-") == 0;
    FILE *stream;
    struct line_source *lines = NULL;
    struct word_reader *reader = NULL;
    enum yore_status st = open_stream(name, run->cli->in, &stream, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = line_source_open(stream, is_standard ? "standard input" : name, &lines, error_out);
    if (st == YORE_OK) {
        st = word_reader_open(lines, run->format, cli_now(run->cli), &reader, error_out);
    }
    if (st == YORE_OK) {
        st = take_words(run, reader, lines, error_out);
    }
    word_reader_close(reader);
    if (lines != NULL) {
        line_source_close(lines);
    }
    if (!is_standard) {
        fclose(stream);
    }
    return st;
}

static enum yore_status take_files(struct ingest_run *run, struct yore_error *error_out)
{
    enum yore_status st = YORE_OK;
    run->words = mem_array(run->batch, sizeof(*run->words));
    if (run->words == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    progress_begin(&run->progress, run->cli, "words", "words");
    for (size_t i = 2; st == YORE_OK && i < run->args->word_count; i++) {
        st = take_file(run, run->args->words[i], error_out);
    }
    if (st == YORE_OK) {
        st = send(run, error_out);
    }
    progress_end(&run->progress);
    return st;
}

/* ---- options -------------------------------------------------------------------------------- */

static enum yore_status read_options(struct ingest_run *run, struct yore_error *error_out)
{
    static const char *const formats[] = {"ndjson", "csv", "graphml", NULL};
    size_t format = 0;
    enum yore_status st = graph_source_name(run->args, &run->source, error_out);
    if (st == YORE_OK) {
        st = cli_durability(run->cli, run->args, &run->durability, error_out);
    }
    if (st == YORE_OK && args_has(run->args, OPT_FORMAT)) {
        st = args_choice(run->args, OPT_FORMAT, formats, &format, error_out);
        run->format = (enum word_format)(WORDS_NDJSON + format);
    }
    run->batch = BATCH_DEFAULT;
    if (st == YORE_OK) {
        st = args_count(run->args, OPT_BATCH, YORE_GRAPH_WORDS_MAX, &run->batch, error_out);
    }
    if (st == YORE_OK && run->batch == 0) {
        st = error_set(error_out, YORE_INVALID, "--batch takes 1 to %u", YORE_GRAPH_WORDS_MAX);
    }
    return st;
}

static int finish(struct ingest_run *run, enum output_format format, enum yore_status st,
                  const struct yore_error *error)
{
    graph_speaker_close(run->speaker);
    mem_free(run->words);
    arena_release(&run->arena);
    return st == YORE_OK ? graph_tally_print(run->cli, format, &run->tally)
                         : cli_fail(run->cli, error);
}

/* ---- the commands --------------------------------------------------------------------------- */

int command_graph_apply(struct cli *cli, const struct args *args)
{
    struct ingest_run run = {.cli = cli, .args = args};
    enum output_format format;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = read_options(&run, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], run.source, true, &run.speaker, &error);
    if (st == YORE_OK) {
        st = take_files(&run, &error);
    }
    return finish(&run, format, st, &error);
}

static enum yore_status run_sync(struct ingest_run *run, int64_t at, struct yore_error *error_out)
{
    struct yore_error ignored;
    enum yore_status st = graph_speaker_start(run->speaker, at, &run->snapshot, error_out);
    if (st != YORE_OK) {
        return st;
    }
    st = take_files(run, error_out);
    if (st == YORE_OK) {
        return graph_speaker_stop(run->speaker, run->snapshot, run->durability, &run->tally,
                                  error_out);
    }
    enum yore_status abort_st = graph_speaker_abort(run->speaker, run->snapshot, &ignored);
    (void)abort_st; /* the first fault is told; the next snapshot takes this one away */
    return st;
}

int command_graph_sync(struct cli *cli, const struct args *args)
{
    struct ingest_run run = {.cli = cli, .args = args};
    int64_t at = YORE_NOW;
    enum output_format format;
    struct yore_error error = {YORE_OK, ""};
    enum yore_status st = output_choose(cli, args, &format, &error);
    if (st == YORE_OK) {
        st = read_options(&run, &error);
    }
    if (st == YORE_OK) {
        st = args_moment(args, OPT_AT, cli_now(cli), &at, &error);
    }
    if (st != YORE_OK) {
        return cli_usage_error(cli, &error);
    }
    st = graph_speaker_open(cli, args->words[1], run.source, true, &run.speaker, &error);
    if (st == YORE_OK) {
        st = run_sync(&run, at, &error);
    }
    return finish(&run, format, st, &error);
}
