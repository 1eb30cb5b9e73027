/* Any octets are a configuration or refused with the line that is wrong; every setting that was
 * taken is taken back as it is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "server/config.h"
#include "support/fuzz.h"

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "config_fuzz: %s\n", what);
        abort();
    }
}

/* Names of another layer, so that lines of both kinds are read. */
static const char *foreign(size_t index)
{
    static const char *const names[] = {"user", "requirepass", "save", "a", "o", "dir"};
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : NULL;
}

static void check_shown(const struct config *config, struct config *again)
{
    for (size_t i = 0; i < config_count(); i++) {
        struct yore_error error = {.text = ""};
        struct buffer shown = {0};
        struct buffer back = {0};
        config_get(config, i, &shown);
        must(config_set(again, i, buffer_bytes(&shown), CONFIG_FILE, &error) == YORE_OK,
             config_name(i));
        config_get(again, i, &back);
        must(bytes_equal(buffer_bytes(&shown), buffer_bytes(&back)), config_name(i));
        buffer_release(&shown);
        buffer_release(&back);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yore_error error = {.text = ""};
    struct config config;
    struct config again;
    if (config_init(&config, foreign, &error) != YORE_OK ||
        config_init(&again, foreign, &error) != YORE_OK) {
        return 0;
    }
    enum yore_status st = config_read_text(&config, "fuzz", bytes_of(data, size), &error);
    must(st == YORE_OK || st == YORE_NOMEM || strncmp(error.text, "fuzz:", 5) == 0,
         "refused without the line");
    st = config_check(&config, &error);
    must(st == YORE_OK || error.text[0] != '\0', "contradicts without a reason");
    check_shown(&config, &again);
    config_release(&config);
    config_release(&again);
    return 0;
}
