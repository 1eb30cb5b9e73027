/* A program as a user writes it: only <yore/yore.h>, only the installed tree.  Puts a value, puts
 * another, reads the present and the past. */
#include <yore/version.h>
#include <yore/yore.h>

#include <stdio.h>
#include <string.h>

static int failed(const char *what, const struct yore_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    return 1;
}

static int expect_value(struct yore_db *db, struct yore_bytes key, const struct yore_time *at,
                        const char *want)
{
    struct yore_error error;
    struct yore_value value;
    if (yore_get(db, NULL, key, at, &value, &error) != YORE_OK) {
        return failed("get", &error);
    }
    int differs = value.size != strlen(want) || memcmp(value.data, want, value.size) != 0;
    yore_value_release(&value);
    if (differs) {
        fprintf(stderr, "the value is not %s\n", want);
    }
    return differs;
}

static int use(struct yore_db *db)
{
    const struct yore_bytes key = {"host1", 5};
    const struct yore_bytes down = {"down", 4};
    const struct yore_bytes up = {"up", 2};
    struct yore_error error;
    int64_t first = 0;
    struct yore_write write = {YORE_NOW, YORE_FOREVER, false, YORE_DURABILITY_DEFAULT, &first};
    if (yore_put(db, NULL, key, down, &write, &error) != YORE_OK) {
        return failed("first put", &error);
    }
    if (yore_put(db, NULL, key, up, NULL, &error) != YORE_OK) {
        return failed("second put", &error);
    }
    const struct yore_time then = {first, YORE_NOW};
    return expect_value(db, key, NULL, "up") || expect_value(db, key, &then, "down");
}

int main(int argc, char **argv)
{
    struct yore_db *db = NULL;
    struct yore_error error;
    if (argc != 2) {
        fputs("consumer DIRECTORY\n", stderr);
        return 2;
    }
    if (strcmp(yore_version(), YORE_VERSION) != 0) {
        fprintf(stderr, "header %s, library %s\n", YORE_VERSION, yore_version());
        return 1;
    }
    if (yore_open(argv[1], NULL, &db, &error) != YORE_OK) {
        return failed("open", &error);
    }
    int result = use(db);
    if (yore_close(db, &error) != YORE_OK) {
        return failed("close", &error);
    }
    return result;
}
