/* tls.h -- TLS for connections of net: certificates, and one connection's state.
 *
 * A loop feeds what arrived encrypted and takes what is to be sent encrypted; no descriptor is
 * touched here.  TLS 1.2 and later, the library's default suites of that.  Session tickets are off:
 * a certificate taken back must not live on in them.
 */
#ifndef YORE_NET_TLS_H
#define YORE_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct net_tls; /* certificates, shared by the connections of a port */
struct tls_conn;

struct tls_files {
    const char *cert; /* PEM, the whole chain */
    const char *key;  /* PEM */
    const char *ca;   /* PEM of those who sign clients' certificates; NULL: clients need none */
    bool is_mutual;   /* a client without a certificate is refused; needs `ca` */
};

/* Errors: YORE_INVALID (a file that cannot be read or does not fit; the text names it). */
enum yore_status net_tls_new(const struct tls_files *files, struct net_tls **tls_out,
                             struct yore_error *error_out);
/* Read the files again: connections from now on get the new ones.  After an error nothing has
 * changed.  Any thread. */
enum yore_status net_tls_reload(struct net_tls *tls, const struct tls_files *files,
                                struct yore_error *error_out);
void net_tls_free(struct net_tls *tls);

/* The other side of it, for connections to servers: `files->ca` says whose certificates are good
 * (NULL: those the system trusts), `cert` and `key` prove who we are (NULL: nobody asks). */
enum yore_status net_tls_new_client(const struct tls_files *files, struct net_tls **tls_out,
                                    struct yore_error *error_out);

struct tls_conn *tls_conn_new(struct net_tls *tls); /* NULL: no memory */
/* To the server `host`, a name or an address, which its certificate must have. */
struct tls_conn *tls_conn_new_client(struct net_tls *tls, const char *host);
void tls_conn_free(struct tls_conn *conn);
bool tls_conn_is_agreed(const struct tls_conn *conn);
/* What arrived; false: no memory. */
bool tls_conn_feed(struct tls_conn *conn, struct yore_bytes encrypted);
/* Read plain octets; 0: there are no more now.  False: the client ended it, or broke the protocol.
 */
bool tls_conn_read(struct tls_conn *conn, void *data, size_t size, size_t *read_out);
/* Append to `encrypted` what is to be sent: the handshake's, and `plain`, which must wait for it to
 * be agreed (tls_conn_is_agreed()).  False: it broke. */
bool tls_conn_write(struct tls_conn *conn, struct yore_bytes plain, struct buffer *encrypted);
/* Was that since it said that it sends no more?  It may still read. */
bool tls_conn_has_ended(const struct tls_conn *conn);
/* Say the same: the next tls_conn_write() has it, with nothing else to send. */
void tls_conn_end(struct tls_conn *conn);
/* Why the other side's certificate was not taken, or NULL. */
const char *tls_conn_refusal(const struct tls_conn *conn);
/* Why they could not agree, in a few words; NULL: it is not known. */
const char *tls_conn_fault(const struct tls_conn *conn);
/* The client's certificate's common name, or "": as text in `name`. */
void tls_conn_name(const struct tls_conn *conn, char *name, size_t size);

#endif
