/* sync_rate.c -- how many durable writes a second this disk takes from one thread: 4 KiB pwrite and
 * fdatasync over a preallocated, written file.
 *     sync_rate FILE [SECONDS]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 4096 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static char block[BLOCK];
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2.0;
    int fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: sync_rate FILE [SECONDS]\n");
        return 2;
    }
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < BLOCKS; i++) {
        if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK) {
            return 1;
        }
    }
    if (fsync(fd) != 0) {
        return 1;
    }
    long count = 0;
    double begin = now();
    while (now() - begin < seconds) {
        if (pwrite(fd, block, BLOCK, (off_t)(count % BLOCKS) * BLOCK) != BLOCK ||
            fdatasync(fd) != 0) {
            return 1;
        }
        count++;
    }
    printf("%.0f\n", (double)count / (now() - begin));
    close(fd);
    return unlink(argv[1]) == 0 ? 0 : 1;
}
