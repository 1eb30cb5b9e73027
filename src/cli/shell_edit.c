/* The shell at a terminal: libedit, history, completion, ^C.
 *
 * While a line is edited ^C is a key like any other, bound to a function that drops the line; while
 * a command runs it is a signal, caught by os/term, that ends the command.  So the signal never
 * meets libedit.
 */
#include <histedit.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell.h"
#include "cli/shell_complete.h"
#include "os/term.h"

#define HISTORY_LINES 5000
#define PATH_BYTES_MAX 4096

struct editor {
    struct shell *shell;
    EditLine *el;
    History *history;
    char history_path[PATH_BYTES_MAX]; /* empty: none */
    char prompt[SHELL_PROMPT_BYTES];
    bool is_dropped; /* ^C: the line does not count */
};

static struct editor *editor_of(EditLine *el)
{
    void *editor = NULL;
    el_get(el, EL_CLIENTDATA, &editor);
    return editor;
}

static char *prompt_of(EditLine *el)
{
    struct editor *editor = editor_of(el);
    return shell_prompt(editor->shell, editor->prompt);
}

static unsigned char on_cancel(EditLine *el, int c)
{
    struct editor *editor = editor_of(el);
    (void)c;
    editor->is_dropped = true;
    fputs("^C\n", editor->shell->cli->out);
    return CC_NEWLINE;
}

/* Candidates below the line, in columns. */
static void show_candidates(struct cli *cli, const struct completion *completion)
{
    const char *at = (const char *)completion->shown.data;
    const char *end = at + completion->shown.size;
    size_t widest = 0;
    size_t column = 0;
    size_t shown = 0;
    for (const char *p = at; p < end; p += strlen(p) + 1) {
        widest = strlen(p) > widest ? strlen(p) : widest;
    }
    size_t per_line = cli->columns > widest + 2 ? cli->columns / (widest + 2) : 1;
    fputc('\n', cli->out);
    for (; at < end; at += strlen(at) + 1) {
        column++;
        shown++;
        bool is_line_end = column == per_line;
        fprintf(cli->out, "%-*s%s", is_line_end ? 0 : (int)widest + 2, at, is_line_end ? "\n" : "");
        column = is_line_end ? 0 : column;
    }
    fputs(column > 0 ? "\n" : "", cli->out);
    if (completion->count > shown) {
        fputs("... and more\n", cli->out);
    }
}

static unsigned char on_complete(EditLine *el, int c)
{
    struct editor *editor = editor_of(el);
    struct completion completion;
    const LineInfo *info = el_line(el);
    size_t before = (size_t)(info->cursor - info->buffer);
    unsigned char answer = CC_ERROR;
    (void)c;
    if (!shell_complete(editor->shell->cli, bytes_of(info->buffer, before), &completion)) {
        completion_release(&completion);
        return CC_ERROR;
    }
    size_t word_size = before - completion.word_begin;
    struct buffer *text = &completion.replacement;
    bool is_same =
        text->size == word_size &&
        bytes_equal(buffer_bytes(text), bytes_of(info->buffer + completion.word_begin, word_size));
    if (completion.count > 0 && !is_same) {
        buffer_append_u8(text, '\0');
        if (!text->is_nomem) {
            el_deletestr(el, (int)word_size);
            answer = el_insertstr(el, (const char *)text->data) == 0 ? CC_REFRESH : CC_ERROR;
        }
    } else if (completion.count > 1) {
        show_candidates(editor->shell->cli, &completion);
        answer = CC_REDISPLAY;
    }
    completion_release(&completion);
    return answer;
}

static void open_history(struct editor *editor)
{
    HistEvent event;
    const char *home = getenv("HOME");
    editor->history = history_init();
    if (editor->history == NULL) {
        return;
    }
    history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (home != NULL && strlen(home) + sizeof("/.yore_history") <= PATH_BYTES_MAX) {
        snprintf(editor->history_path, PATH_BYTES_MAX, "%s/.yore_history", home);
        history(editor->history, &event, H_LOAD, editor->history_path);
    }
    el_set(editor->el, EL_HIST, history, editor->history);
}

static void keep_history(struct editor *editor, const char *line)
{
    HistEvent event;
    bool is_private = *line == ' ' || *line == '\n' || *line == '\0';
    if (editor->history != NULL && !is_private) {
        history(editor->history, &event, H_ENTER, line);
    }
}

static void close_history(struct editor *editor)
{
    HistEvent event;
    if (editor->history == NULL) {
        return;
    }
    if (editor->history_path[0] != '\0') {
        history(editor->history, &event, H_SAVE, editor->history_path);
    }
    history_end(editor->history);
}

static bool open_editor(struct editor *editor)
{
    struct cli *cli = editor->shell->cli;
    editor->el = el_init("yore", cli->in, cli->out, cli->err);
    if (editor->el == NULL) {
        return false;
    }
    EditLine *el = editor->el;
    el_set(el, EL_CLIENTDATA, editor);
    el_set(el, EL_PROMPT, prompt_of);
    el_set(el, EL_EDITOR, "emacs");
    open_history(editor);
    el_set(el, EL_ADDFN, "yore-complete", "complete a command, option or key", on_complete);
    el_set(el, EL_BIND, "^I", "yore-complete", NULL);
    el_set(el, EL_ADDFN, "yore-cancel", "drop the line", on_cancel);
    el_set(el, EL_BIND, "^C", "yore-cancel", NULL);
    el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(el, NULL);
    el_set(el, EL_SETTY, "-d", "-isig", NULL);
    return true;
}

/* One line from the terminal; false at the end of input. */
static bool edit_line(struct editor *editor)
{
    struct shell *shell = editor->shell;
    int count = 0;
    editor->is_dropped = false;
    const char *line = el_gets(editor->el, &count);
    if (editor->is_dropped) { /* an empty line that is dropped looks like the end of input */
        buffer_clear(&shell->line);
        return true;
    }
    if (line == NULL || count <= 0) {
        return false;
    }
    keep_history(editor, line);
    size_t size = (size_t)count;
    size -= line[size - 1] == '\n' ? 1 : 0;
    if (shell_take_line(shell, bytes_of(line, size))) {
        shell_run_line(shell);
        fflush(shell->cli->out);
    }
    return true;
}

int shell_edit(struct shell *shell)
{
    struct editor editor = {.shell = shell};
    struct cli *cli = shell->cli;
    if (!open_editor(&editor)) {
        return cli_fail_text(cli, YORE_IO, "the terminal cannot be used for editing");
    }
    fprintf(cli->out, "yore %s, %s; help tells what there is, ^D leaves\n", yore_version(),
            cli->dir);
    os_interrupt_catch(true);
    while (!shell->is_over && edit_line(&editor)) {
    }
    os_interrupt_catch(false);
    if (!shell->is_over) {
        fputc('\n', cli->out);
    }
    close_history(&editor);
    el_end(editor.el);
    return EXIT_FOUND;
}
