/* failure.c -- what stops writes for good, who is told, and how the rest of the engine asks. */
#include "engine/db_internal.h"

enum yore_status db_fail(struct yore_db *db, enum yore_status st, const struct yore_error *cause)
{
    st = os_missing_is_io(st, NULL);
    os_mutex_lock(&db->lock);
    bool is_first = atomic_load(&db->failed_status) == YORE_OK;
    if (is_first) {
        error_set(&db->failed, st,
                  "writes are stopped since: %s; mend the cause and open the database again",
                  cause != NULL && cause->text[0] != '\0' ? cause->text : yore_status_message(st));
        atomic_store(&db->failed_status, (int)st);
        atomic_store(&db->is_failure_untold, true);
        os_cond_broadcast(&db->timer);
        jobs_wake_locked(db); /* upkeep tells it */
    }
    os_mutex_unlock(&db->lock);
    if (is_first) {
        os_mutex_lock(&db->commit.lock);
        os_cond_broadcast(&db->commit.done);
        os_cond_broadcast(&db->commit.published);
        os_mutex_unlock(&db->commit.lock);
        os_mutex_lock(&db->lock);
        os_cond_broadcast(&db->idle);
        os_mutex_unlock(&db->lock);
    }
    return st;
}

bool db_has_found_handle(struct yore_db *db, enum yore_status st, struct yore_error *error_out)
{
    bool has_found = st == YORE_NO_FILES && table_pool_close_file(db->pool);
    if (has_found) {
        error_clear(error_out);
    }
    return has_found;
}

void db_refuse_writes(struct yore_db *db)
{
    error_set(&db->failed, YORE_READ_ONLY,
              "%.300s was opened to read only: open it without read_only to write", db->path);
    atomic_store(&db->failed_status, YORE_READ_ONLY);
}

void db_tell_failure(struct yore_db *db)
{
    if (atomic_exchange(&db->is_failure_untold, false)) {
        struct yore_event event = {.kind = YORE_EVENT_FAILED, .text = db->failed.text};
        db_event(db, &event);
    }
}

enum yore_status db_values_check(struct yore_db *db, enum yore_status st,
                                 const struct yore_error *cause)
{
    return st == YORE_OK || status_is_want(st) ? st : db_fail(db, st, cause);
}

enum yore_status db_journal_check(struct yore_db *db, enum yore_status st,
                                  const struct yore_error *cause)
{
    return st != YORE_OK && journal_has_failed(db->journal) ? db_fail(db, st, cause) : st;
}

enum yore_status db_check_writable(struct yore_db *db, struct yore_error *error_out)
{
    enum yore_status st = (enum yore_status)atomic_load(&db->failed_status);
    return st == YORE_OK ? YORE_OK : error_set(error_out, st, "%s", db->failed.text);
}
