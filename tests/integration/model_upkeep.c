/* model_upkeep.c -- everything that must not change an answer: flush, compaction, retention,
 * restarts, backup. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/db.h"
#include "integration/model_run.h"
#include "os/env.h"

#define SECOND 1000000000

static bool run_done(struct run *run, const char *what, enum yore_status status,
                     const struct yore_error *error)
{
    return status == YORE_OK ||
           run_fail(run, "%s: %s [%s]", what, yore_status_name(status), error->text);
}

bool run_flush(struct run *run)
{
    struct yore_error error = {0};
    enum yore_status status = yore_flush(run->compare.db, &error);
    return run_done(run, "flush", status, &error);
}

bool run_compact(struct run *run)
{
    struct yore_error error = {0};
    unsigned keyspace = run_space(run);
    enum yore_status status =
        yore_compact(run->compare.db, run->compare.keyspaces[keyspace], &error);
    return run_done(run, "compact", status, &error);
}

/* Every checksum, order, bound and reference. */
bool run_verify(struct run *run)
{
    struct yore_verify_report report = {0};
    struct yore_error error = {0};
    enum yore_status status = yore_verify(run->compare.db, NULL, NULL, &report, &error);
    return run_done(run, "verify", status, &error);
}

static bool run_check_horizon(struct run *run, unsigned keyspace, int64_t at_most)
{
    struct yore_keyspace_info info;
    struct yore_error error = {0};
    enum yore_status status =
        yore_keyspace_info(run->compare.db, run->compare.keyspaces[keyspace], &info, &error);
    if (status != YORE_OK) {
        return run_done(run, "keyspace info", status, &error);
    }
    return info.horizon <= at_most ||
           run_fail(run, "the horizon of keyspace %u is %" PRId64 ", past %" PRId64, keyspace,
                    info.horizon, at_most);
}

bool run_trim(struct run *run)
{
    int64_t now = run_now(run);
    int64_t low = run->trimmed_to == YORE_TIME_MIN ? run->start : run->trimmed_to;
    uint64_t span = now > low ? (uint64_t)(now - low) / 2 + 1 : 1;
    int64_t horizon = low + (int64_t)test_rand_below(&run->rand, span);
    struct yore_error error = {0};
    struct yore_keyspace *space = run->compare.keyspaces[RUN_TRIMMED];
    enum yore_status status = yore_trim(run->compare.db, space, horizon, &error);
    if (status != YORE_OK) {
        return run_done(run, "trim", status, &error);
    }
    run->trimmed_to = horizon;
    run->horizon[RUN_TRIMMED] = horizon;
    struct yore_keyspace_info info;
    status = yore_keyspace_info(run->compare.db, space, &info, &error);
    if (status == YORE_OK && info.horizon != horizon) {
        return run_fail(run, "trimmed to %" PRId64 ", the horizon is %" PRId64, horizon,
                        info.horizon);
    }
    return run_done(run, "keyspace info", status, &error);
}

bool run_alter(struct run *run)
{
    int64_t keep_ns = (int64_t)SECOND * (10 + (int64_t)test_rand_below(&run->rand, 60));
    struct yore_keyspace_options options = {.keep = YORE_KEEP_FOR,
                                            .keep_ns = keep_ns,
                                            .compression = test_rand_one_in(&run->rand, 2)
                                                               ? YORE_COMPRESSION_LZ4
                                                               : YORE_COMPRESSION_NONE};
    struct yore_error error = {0};
    enum yore_status status =
        yore_keyspace_alter(run->compare.db, run->compare.keyspaces[RUN_FOR], &options, &error);
    if (status != YORE_OK) {
        return run_done(run, "alter", status, &error);
    }
    run->keep_ns = keep_ns;
    int64_t horizon = run_now(run) - keep_ns + SECOND;
    if (run->horizon[RUN_FOR] < horizon) {
        run->horizon[RUN_FOR] = horizon;
    }
    return run_check_horizon(run, RUN_FOR, run->horizon[RUN_FOR]);
}

/* After a crash only commits bound the clock from below: a now that was told since the last one may
 * be forgotten. */
static void run_forget_now(struct run *run)
{
    int64_t last = model_last_commit(run->model);
    if (run->now_seen != INT64_MIN && last < run->now_seen) {
        run->now_seen = last > INT64_MIN ? last : run->start;
    }
}

/* Opened to read only it answers the same, and nothing is written. */
static bool run_look(struct run *run)
{
    uint64_t before = sim_disk_op_count(run->disk);
    run->options.read_only = true;
    bool is_right = run_open(run);
    is_right = is_right && run_compare_all(run);
    run_close(run);
    run->options.read_only = false;
    if (is_right && sim_disk_op_count(run->disk) != before) {
        is_right = run_fail(run, "opened to read, and something was written");
    }
    return is_right;
}

bool run_reopen(struct run *run)
{
    run_close(run);
    if (test_rand_one_in(&run->rand, 4) && run->now_seen > run->start && !run_look(run)) {
        return false;
    }
    return run_open(run) && (!test_rand_one_in(&run->rand, 4) || run_compare_all(run));
}

/* The power goes; everything was acknowledged as synced, so nothing may be missing. */
bool run_crash(struct run *run)
{
    static const enum sim_crash_mode modes[4] = {SIM_CRASH_KEEP_ALL, SIM_CRASH_DROP_ALL,
                                                 SIM_CRASH_RANDOM, SIM_CRASH_RANDOM};
    sim_disk_crash_at(run->disk, sim_disk_op_count(run->disk));
    run_close(run);
    sim_disk_crash(run->disk, modes[test_rand_below(&run->rand, 4)], test_rand_u64(&run->rand));
    run_forget_now(run);
    if (test_rand_one_in(&run->rand, 4) && !run_look(run)) {
        return false;
    }
    return run_open(run) && (!test_rand_one_in(&run->rand, 4) || run_compare_all(run));
}

/* ---- backup and restore --------------------------------------------------------------------- */

#define RUN_BACKUPS_MAX 60u

bool run_backup(struct run *run)
{
    if (run->backups == RUN_BACKUPS_MAX) {
        return true;
    }
    struct yore_backup_info info = {0};
    struct yore_error error = {0};
    enum yore_status status = yore_backup(run->compare.db, "backup", NULL, NULL, &info, &error);
    if (status != YORE_OK) {
        return run_done(run, "backup", status, &error);
    }
    run->backups++;
    if (info.id != run->backups || info.commit < model_last_commit(run->model)) {
        return run_fail(
            run, "backup %" PRIu64 " up to commit %" PRId64 ", expected %" PRIu64 " up to %" PRId64,
            info.id, info.commit, run->backups, model_last_commit(run->model));
    }
    run->backup_commit[info.id] = info.commit;
    return true;
}

/* What a restore must hold: the commits up to the one asked for, and every erasure a backup knows
 * of.  NULL: that cannot be told from here, because an erasure of a span is applied anew, at a
 * commit time of its own. */
static struct model *run_restored_model(struct run *run, int64_t to_commit)
{
    size_t count = model_commits_until(run->model, to_commit);
    size_t known = model_commits_until(run->model, run->backup_commit[run->backups]);
    struct model *model = model_prefix(run->model, count);
    for (size_t i = count; i < known; i++) {
        const struct model_commit *commit = &run->model->commits[i];
        if (commit->count != 1 || commit->writes[0].kind != MODEL_ERASE) {
            continue;
        }
        if (commit->writes[0].to != YORE_FOREVER) {
            model_free(model);
            return NULL;
        }
        model_apply(model, commit->commit, commit->writes, 1);
    }
    return model;
}

static bool run_compare_restored(struct run *run, struct compare *restored)
{
    struct yore_error error = {0};
    enum yore_status status = db_open(run->env, "restored", &run->options, &restored->db, &error);
    if (status != YORE_OK) {
        return run_fail(run, "open of a restored database: %s [%s]", yore_status_name(status),
                        error.text);
    }
    struct yore_cursor_options all = {0};
    struct compare_at at = {NULL, {yore_now(restored->db), YORE_NOW}};
    bool is_right = compare_versions(restored, RUN_DEFAULT);
    for (unsigned i = 1; i < RUN_SPACES && is_right; i++) {
        status = yore_keyspace_open(restored->db, run_space_names[i], NULL, &restored->keyspaces[i],
                                    &error);
        is_right = run_done(run, "keyspace of a restored database", status, &error) &&
                   compare_scan(restored, i, &all, &at, false);
    }
    (void)yore_close(restored->db, NULL);
    return is_right;
}

bool run_restore(struct run *run)
{
    if (run->backups == 0) {
        return true;
    }
    uint64_t id = 1 + test_rand_below(&run->rand, run->backups);
    struct yore_restore restore = {
        .backup_path = "backup", .target_path = "restored", .id = id, .to_commit = YORE_FOREVER};
    int64_t to_commit = run->backup_commit[id];
    if (test_rand_one_in(&run->rand, 2)) {
        size_t count = model_commits_until(run->model, run->backup_commit[id]);
        uint64_t back = test_rand_below(&run->rand, count / 20 + 1);
        to_commit = count == 0 ? to_commit : run->model->commits[count - 1 - back].commit;
        restore.to_commit = to_commit;
    }
    struct yore_error error = {0};
    store_remove(run->disk, "restored"); /* a power cut may have brought the last one back */
    enum yore_status status = db_restore(run->env, &restore, &error);
    if (status == YORE_BEFORE_HORIZON && restore.to_commit != YORE_FOREVER) {
        return true;
    }
    if (status != YORE_OK) {
        return run_done(run, "restore", status, &error);
    }
    struct model *model = run_restored_model(run, to_commit);
    struct compare restored = {.model = model};
    bool is_right = model == NULL || run_compare_restored(run, &restored);
    if (!is_right && restored.text[0] != '\0') {
        (void)run_fail(run, "restored to %" PRId64 ": %s", to_commit, restored.text);
    }
    run->compare.reads += restored.reads;
    model_free(model);
    store_remove(run->disk, "restored");
    return is_right;
}

/* ---- the clock ------------------------------------------------------------------------------ */

bool run_clock(struct run *run)
{
    if (!run->is_clock_wild) {
        sim_disk_advance(run->disk, (int64_t)test_rand_below(&run->rand, 20000000));
        return true;
    }
    if (!test_rand_one_in(&run->rand, 8)) {
        return true;
    }
    int64_t wall = os_wall_ns(run->env);
    int64_t step = (int64_t)test_rand_below(&run->rand, 30 * (uint64_t)SECOND);
    sim_disk_set_wall(run->disk, test_rand_one_in(&run->rand, 2) ? wall + step : wall - step);
    return true;
}
