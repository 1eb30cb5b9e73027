/* remote_internal.h -- between the files of remote.h. */
#ifndef YORE_CLI_REMOTE_INTERNAL_H
#define YORE_CLI_REMOTE_INTERNAL_H

#include <stdbool.h>

#include "cli/remote.h"

#define REMOTE_IDLE_MAX 4u
#define REMOTE_MOMENT_BYTES 32

struct net_tls;

struct remote {
    char *url;
    char *password; /* NULL: the URL's, or none */
    bool has_password;
    struct net_tls *tls;
    struct yore_client *idle[REMOTE_IDLE_MAX];
    size_t idle_count;
    struct yore_client *last; /* holds the reply of the last command */
};

void remote_moment_text(int64_t moment, char text[REMOTE_MOMENT_BYTES]);

#endif
