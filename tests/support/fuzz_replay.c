/* fuzz_replay.c -- a main for fuzz targets built without libFuzzer: feeds them the files of a
 * folder, so that the committed corpus and every crasher are tests of the ordinary build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fuzz.h"

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    size_t got = 0;
    do {
        uint8_t *grown = realloc(bytes, size + 65536);
        if (grown == NULL) {
            free(bytes);
            fclose(file);
            return 1;
        }
        bytes = grown;
        got = fread(bytes + size, 1, 65536, file);
        size += got;
    } while (got > 0);
    fclose(file);
    /* An exact copy, so that a sanitizer sees the first byte read past the end. */
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact != NULL) {
        memcpy(exact, bytes, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(bytes);
    return exact == NULL;
}

int main(int argc, char **argv)
{
    unsigned replayed = 0;
    unsigned failed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
            char path[8192];
            if (entry->d_name[0] == '.') {
                continue;
            }
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            failed += (unsigned)replay(path);
            replayed++;
        }
        closedir(dir);
    }
    printf("%u passed, %u failed\n", replayed - failed, failed);
    return failed != 0 || replayed == 0;
}
