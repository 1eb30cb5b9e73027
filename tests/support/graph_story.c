#include "support/graph_story.h"

#include <stdio.h>

#include "engine/db.h"
#include "support/store.h"
#include "topology/graph_internal.h"

static bool story_open(struct graph_story *s, bool creates)
{
    struct yore_error error;
    s->db = NULL;
    s->graph = NULL;
    s->options.must_exist = !creates;
    bool is_open =
        db_open_inline(sim_disk_env(s->disk), "db", &s->options, &s->db, &error) == YORE_OK &&
        graph_open(s->db, bytes_of("g", 1), creates, NULL, &s->graph, &error) == YORE_OK;
    if (is_open && s->words_max != 0) {
        s->graph->words_max = s->words_max;
    }
    return is_open;
}

static void story_close(struct graph_story *s)
{
    graph_close(s->graph);
    enum yore_status ignored = yore_close(s->db, NULL);
    (void)ignored; /* it repeats what stopped the database */
}

static void tell(struct graph_story *s, const struct graph_plot *plot)
{
    bool goes_on = story_open(s, true);
    for (unsigned step = 0; goes_on && step < plot->step_count; step++) {
        goes_on = plot->take_step(s, step);
        s->acked += goes_on;
        if (goes_on && plot->after_step != NULL) {
            goes_on = plot->after_step(s, step);
        }
    }
    story_close(s);
}

static void print_problem(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

void graph_story_check_whole(struct graph_story *s)
{
    CHECK_OK(graph_verify(s->graph, print_problem, NULL, NULL, NULL));
}

static void judge(struct graph_story *s, const struct graph_plot *plot)
{
    bool is_open = story_open(s, false);
    CHECK(is_open || s->acked == 0); /* else the graph was not made yet */
    if (is_open) {
        graph_story_check_whole(s);
        plot->judge(s);
    }
    story_close(s);
}

/* Tells how many operations there were. */
static uint64_t run(const struct graph_plot *plot, uint64_t crash_at, enum sim_crash_mode mode)
{
    struct graph_story s = {
        .disk = sim_disk_new(crash_at + 1), .rand = test_rand_new(7), .words_max = plot->words_max};
    CHECK(s.disk != NULL);
    sim_disk_set_wall(s.disk, GRAPH_STORY_WALL);
    store_options_tiny(&s.options);
    if (crash_at != 0) {
        sim_disk_crash_at(s.disk, crash_at);
    }
    tell(&s, plot);
    uint64_t ops = sim_disk_op_count(s.disk);
    if (crash_at != 0) {
        test_note("crash at operation %llu, mode %d", (unsigned long long)crash_at, (int)mode);
        sim_disk_crash(s.disk, mode, crash_at);
    } else {
        CHECK_EQ_UINT(s.acked, plot->step_count);
    }
    judge(&s, plot);
    sim_disk_free(s.disk);
    return ops;
}

void graph_story_crash_everywhere(const struct graph_plot *plot)
{
    static const enum sim_crash_mode modes[] = {SIM_CRASH_DROP_ALL, SIM_CRASH_RANDOM};
    uint64_t ops = run(plot, 0, SIM_CRASH_DROP_ALL);
    uint64_t stride = test_stride(3, 1);
    uint64_t cases = 0;
    for (uint64_t op = 1; op <= ops; op += stride) {
        run(plot, op, modes[op % 2]);
        cases++;
    }
    test_count(cases);
}
