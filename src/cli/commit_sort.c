#include "cli/commit_sort.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/coding.h"
#include "base/mem.h"

#define RUN_BUFFER_BYTES (64u << 10)
#define RECORD_HEAD_BYTES 12u /* commit, size of the line */

/* A line in memory: in `text` at `offset`. */
struct held_line {
    int64_t commit;
    size_t offset;
    size_t size;
};

/* A sorted run of the file, being read. */
struct run {
    long at;
    long end;
    struct buffer buffer; /* read ahead */
    size_t buffer_at;
    int64_t commit; /* of the next line */
    struct yore_bytes line;
    bool is_over;
};

struct commit_sort {
    size_t memory_bytes;
    struct buffer text;
    struct buffer lines; /* struct held_line */
    struct buffer runs;  /* struct run */
    FILE *file;          /* NULL: everything fitted */
};

enum yore_status commit_sort_new(size_t memory_bytes, struct commit_sort **sort_out,
                                 struct yore_error *error_out)
{
    struct commit_sort *sort = mem_zalloc(sizeof(*sort));
    if (sort == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    sort->memory_bytes = memory_bytes;
    *sort_out = sort;
    return YORE_OK;
}

static struct run *run_at(const struct commit_sort *sort, size_t index)
{
    return (struct run *)(void *)sort->runs.data + index;
}

static size_t run_count(const struct commit_sort *sort)
{
    return sort->runs.size / sizeof(struct run);
}

void commit_sort_free(struct commit_sort *sort)
{
    if (sort == NULL) {
        return;
    }
    for (size_t i = 0; i < run_count(sort); i++) {
        buffer_release(&run_at(sort, i)->buffer);
    }
    if (sort->file != NULL) {
        fclose(sort->file);
    }
    buffer_release(&sort->text);
    buffer_release(&sort->lines);
    buffer_release(&sort->runs);
    mem_free(sort);
}

/* Lines were appended in the order they came, so the offset breaks ties as it should. */
static int line_compare(const void *left, const void *right)
{
    const struct held_line *a = left;
    const struct held_line *b = right;
    if (a->commit != b->commit) {
        return a->commit < b->commit ? -1 : 1;
    }
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static struct held_line *sorted_lines(struct commit_sort *sort, size_t *count_out)
{
    struct held_line *lines = (struct held_line *)(void *)sort->lines.data;
    *count_out = sort->lines.size / sizeof(*lines);
    if (*count_out > 1) {
        qsort(lines, *count_out, sizeof(*lines), line_compare);
    }
    return lines;
}

static enum yore_status file_error(const char *what, struct yore_error *error_out)
{
    return error_set(error_out, YORE_IO, "cannot %s a temporary file for sorting: %s", what,
                     strerror(errno));
}

/* Write what is in memory to the file as one more run. */
static enum yore_status spill(struct commit_sort *sort, struct yore_error *error_out)
{
    struct run run = {.at = 0};
    size_t count;
    struct held_line *lines = sorted_lines(sort, &count);
    if (sort->file == NULL) {
        sort->file = tmpfile();
    }
    if (sort->file == NULL) {
        return file_error("make", error_out);
    }
    run.at = ftell(sort->file);
    for (size_t i = 0; i < count; i++) {
        unsigned char head[RECORD_HEAD_BYTES];
        put_u64(head, (uint64_t)lines[i].commit);
        put_u32(head + 8, (uint32_t)lines[i].size);
        if (fwrite(head, 1, sizeof(head), sort->file) != sizeof(head) ||
            fwrite(sort->text.data + lines[i].offset, 1, lines[i].size, sort->file) !=
                lines[i].size) {
            return file_error("write", error_out);
        }
    }
    run.end = ftell(sort->file);
    if (run.at < 0 || run.end < 0) {
        return file_error("write", error_out);
    }
    buffer_append(&sort->runs, &run, sizeof(run));
    buffer_clear(&sort->text);
    buffer_clear(&sort->lines);
    return sort->runs.is_nomem ? error_plain(error_out, YORE_NOMEM) : YORE_OK;
}

enum yore_status commit_sort_add(struct commit_sort *sort, int64_t commit, struct yore_bytes line,
                                 struct yore_error *error_out)
{
    const struct held_line held = {commit, sort->text.size, line.size};
    if (line.size == 0 || line.size > UINT32_MAX) {
        return error_set(error_out, YORE_TOO_BIG, "a line of %zu bytes cannot be sorted",
                         line.size);
    }
    buffer_append_bytes(&sort->text, line);
    buffer_append(&sort->lines, &held, sizeof(held));
    if (sort->text.is_nomem || sort->lines.is_nomem) {
        return error_plain(error_out, YORE_NOMEM);
    }
    return sort->text.size + sort->lines.size >= sort->memory_bytes ? spill(sort, error_out)
                                                                    : YORE_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Have `size` octets in the run's buffer from buffer_at on. */
static enum yore_status run_need(struct commit_sort *sort, struct run *run, size_t size,
                                 struct yore_error *error_out)
{
    struct buffer *buffer = &run->buffer;
    size_t held = buffer->size - run->buffer_at;
    if (held >= size) {
        return YORE_OK;
    }
    if (held > 0) {
        memmove(buffer->data, buffer->data + run->buffer_at, held);
    }
    buffer->size = held;
    run->buffer_at = 0;
    size_t wanted = size - held > RUN_BUFFER_BYTES ? size - held : RUN_BUFFER_BYTES;
    size_t left = (size_t)(run->end - run->at);
    wanted = wanted > left ? left : wanted;
    unsigned char *room = buffer_extend(buffer, wanted);
    if (room == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    if (fseek(sort->file, run->at, SEEK_SET) != 0 || fread(room, 1, wanted, sort->file) != wanted) {
        return file_error("read", error_out);
    }
    run->at += (long)wanted;
    return YORE_OK;
}

static enum yore_status run_next(struct commit_sort *sort, struct run *run,
                                 struct yore_error *error_out)
{
    if (run->at == run->end && run->buffer_at == run->buffer.size) {
        run->is_over = true;
        return YORE_OK;
    }
    enum yore_status st = run_need(sort, run, RECORD_HEAD_BYTES, error_out);
    if (st != YORE_OK) {
        return st;
    }
    const unsigned char *head = run->buffer.data + run->buffer_at;
    size_t size = get_u32(head + 8);
    run->commit = (int64_t)get_u64(head);
    st = run_need(sort, run, RECORD_HEAD_BYTES + size, error_out);
    if (st == YORE_OK) {
        run->line = bytes_of(run->buffer.data + run->buffer_at + RECORD_HEAD_BYTES, size);
        run->buffer_at += RECORD_HEAD_BYTES + size;
    }
    return st;
}

/* The run whose next line comes first; of equals the earliest run.  NULL: all are over. */
static struct run *first_run(const struct commit_sort *sort)
{
    struct run *first = NULL;
    for (size_t i = 0; i < run_count(sort); i++) {
        struct run *run = run_at(sort, i);
        if (!run->is_over && (first == NULL || run->commit < first->commit)) {
            first = run;
        }
    }
    return first;
}

enum yore_status commit_sort_each(struct commit_sort *sort,
                                  enum yore_status (*each)(void *arg, struct yore_bytes line,
                                                           struct yore_error *error_out),
                                  void *arg, struct yore_error *error_out)
{
    size_t count;
    enum yore_status st = YORE_OK;
    if (sort->file == NULL) {
        const struct held_line *lines = sorted_lines(sort, &count);
        for (size_t i = 0; i < count && st == YORE_OK; i++) {
            st = each(arg, bytes_of(sort->text.data + lines[i].offset, lines[i].size), error_out);
        }
        return st;
    }
    st = sort->lines.size > 0 ? spill(sort, error_out) : YORE_OK;
    for (size_t i = 0; i < run_count(sort) && st == YORE_OK; i++) {
        st = run_next(sort, run_at(sort, i), error_out);
    }
    struct run *run = first_run(sort);
    while (st == YORE_OK && run != NULL) {
        st = each(arg, run->line, error_out);
        if (st == YORE_OK) {
            st = run_next(sort, run, error_out);
        }
        run = first_run(sort);
    }
    return st;
}
