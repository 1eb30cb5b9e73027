/* url.h -- where a server is, and who asks: taken from its URL. */
#ifndef YORE_CLIENT_URL_H
#define YORE_CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define CLIENT_URL_TEXT_BYTES 320

struct client_place {
    bool is_unix;
    bool is_secure; /* TLS */
    char host[256]; /* or the path of the socket */
    uint16_t port;
    char user[256];     /* "": none was named */
    char password[512]; /* "": none was named */
    unsigned database;
};

/* Is it a URL of a server, rather than the path of a directory? */
bool client_url_is_one(const char *text);

/* redis://, rediss://, yore://, yores:// with [user[:password]@]host[:port][/database], or
 * unix:///path[?db=N].  %XX in user and password is an octet.  Errors: YORE_INVALID; the text does
 * not show the URL, which may hold a password. */
enum yore_status client_url_parse(const char *url, struct client_place *place_out,
                                  struct yore_error *error_out);

/* The URL without its password, for messages and prompts.  Returns `text`. */
char *client_url_show(const char *url, char text[CLIENT_URL_TEXT_BYTES]);

#endif
