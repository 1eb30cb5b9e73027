#include "file_tree.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void file_tree_remove(const char *dir)
{
    nftw(dir, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}

static uint64_t entry_bytes(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return 0;
    }
    if (S_ISDIR(st.st_mode)) {
        return file_tree_bytes(path);
    }
    uint64_t allocated = (uint64_t)st.st_blocks * 512;
    uint64_t size = (uint64_t)st.st_size;
    return allocated < size ? allocated : size;
}

uint64_t file_tree_bytes(const char *dir)
{
    uint64_t sum = 0;
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return 0;
    }
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            sum += entry_bytes(path);
        }
    }
    closedir(stream);
    return sum;
}

void file_tree_make(const char *dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", dir);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    mkdir(path, 0777);
}
