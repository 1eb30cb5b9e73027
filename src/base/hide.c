#include "base/hide.h"

#include <stdbool.h>
#include <string.h>

void hide_dir(char *text, const char *dir)
{
    size_t size = dir != NULL ? strlen(dir) : 0;
    while (size > 0 && dir[size - 1] == '/') { /* it may be named with and without */
        size--;
    }
    if (size == 0) {
        return;
    }
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        bool is_named = strncmp(from, dir, size) == 0;
        if (is_named && from[size] == '/') {
            from += size + strspn(from + size, "/");
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}
