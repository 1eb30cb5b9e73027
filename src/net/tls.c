#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "os/thread.h"

struct net_tls {
    struct os_mutex lock;
    SSL_CTX *context; /* GUARDED_BY(lock) */
};

struct tls_conn {
    SSL *ssl;
    BIO *arriving; /* the ssl's own */
    BIO *leaving;
    const char *fault; /* of what was read; a constant, or NULL */
};

static enum yore_status refuse(struct yore_error *error_out, const char *what, const char *path)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return error_set(error_out, YORE_INVALID, "TLS: cannot use the %s %s: %s", what, path,
                     reason != NULL ? reason : "it does not fit");
}

static enum yore_status load_identity(SSL_CTX *context, const struct tls_files *files,
                                      struct yore_error *error_out)
{
    if (SSL_CTX_use_certificate_chain_file(context, files->cert) != 1) {
        return refuse(error_out, "certificate", files->cert);
    }
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return refuse(error_out, "key", files->key);
    }
    return YORE_OK;
}

static enum yore_status load_files(SSL_CTX *context, const struct tls_files *files,
                                   struct yore_error *error_out)
{
    if (files->cert == NULL || files->key == NULL) {
        return error_set(error_out, YORE_INVALID, "TLS: a certificate and its key are both needed");
    }
    enum yore_status status = load_identity(context, files, error_out);
    if (status != YORE_OK) {
        return status;
    }
    if (files->ca == NULL) {
        return files->is_mutual
                   ? error_set(error_out, YORE_INVALID,
                               "TLS: clients' certificates need a file of who may sign them")
                   : YORE_OK;
    }
    if (SSL_CTX_load_verify_locations(context, files->ca, NULL) != 1) {
        return refuse(error_out, "certificate of an authority", files->ca);
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->ca);
    if (names == NULL) {
        return refuse(error_out, "certificate of an authority", files->ca);
    }
    SSL_CTX_set_client_CA_list(context, names);
    int mode = SSL_VERIFY_PEER | (files->is_mutual ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    SSL_CTX_set_verify(context, mode, NULL);
    return YORE_OK;
}

static enum yore_status make_context(const struct tls_files *files, SSL_CTX **context_out,
                                     struct yore_error *error_out)
{
    *context_out = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    enum yore_status status = load_files(context, files, error_out);
    if (status != YORE_OK) {
        SSL_CTX_free(context);
        return status;
    }
    *context_out = context;
    return YORE_OK;
}

static enum yore_status wrap_context(SSL_CTX *context, struct net_tls **tls_out,
                                     struct yore_error *error_out)
{
    struct net_tls *tls = mem_zalloc(sizeof(*tls));
    if (tls == NULL) {
        SSL_CTX_free(context);
        return error_plain(error_out, YORE_NOMEM);
    }
    os_mutex_init(&tls->lock);
    tls->context = context;
    *tls_out = tls;
    return YORE_OK;
}

enum yore_status net_tls_new(const struct tls_files *files, struct net_tls **tls_out,
                             struct yore_error *error_out)
{
    *tls_out = NULL;
    SSL_CTX *context = NULL;
    enum yore_status status = make_context(files, &context, error_out);
    return status == YORE_OK ? wrap_context(context, tls_out, error_out) : status;
}

static enum yore_status load_client_files(SSL_CTX *context, const struct tls_files *files,
                                          struct yore_error *error_out)
{
    bool is_found = files->ca != NULL ? SSL_CTX_load_verify_locations(context, files->ca, NULL) == 1
                                      : SSL_CTX_set_default_verify_paths(context) == 1;
    if (!is_found) {
        return refuse(error_out, "certificate of an authority",
                      files->ca != NULL ? files->ca : "(the system's)");
    }
    if ((files->cert == NULL) != (files->key == NULL)) {
        return error_set(error_out, YORE_INVALID, "TLS: a certificate and its key go together");
    }
    return files->cert != NULL ? load_identity(context, files, error_out) : YORE_OK;
}

enum yore_status net_tls_new_client(const struct tls_files *files, struct net_tls **tls_out,
                                    struct yore_error *error_out)
{
    *tls_out = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        return error_plain(error_out, YORE_NOMEM);
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    enum yore_status status = load_client_files(context, files, error_out);
    if (status != YORE_OK) {
        SSL_CTX_free(context);
        return status;
    }
    return wrap_context(context, tls_out, error_out);
}

enum yore_status net_tls_reload(struct net_tls *tls, const struct tls_files *files,
                                struct yore_error *error_out)
{
    SSL_CTX *context = NULL;
    enum yore_status status = make_context(files, &context, error_out);
    if (status != YORE_OK) {
        return status;
    }
    os_mutex_lock(&tls->lock);
    SSL_CTX *before = tls->context;
    tls->context = context;
    os_mutex_unlock(&tls->lock);
    SSL_CTX_free(before); /* connections made with it keep it */
    return YORE_OK;
}

void net_tls_free(struct net_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_CTX_free(tls->context);
    os_mutex_release(&tls->lock);
    mem_free(tls);
}

struct tls_conn *tls_conn_new(struct net_tls *tls)
{
    struct tls_conn *conn = mem_zalloc(sizeof(*conn));
    if (conn == NULL) {
        return NULL;
    }
    os_mutex_lock(&tls->lock);
    conn->ssl = SSL_new(tls->context);
    os_mutex_unlock(&tls->lock);
    conn->arriving = BIO_new(BIO_s_mem());
    conn->leaving = BIO_new(BIO_s_mem());
    if (conn->ssl == NULL || conn->arriving == NULL || conn->leaving == NULL) {
        BIO_free(conn->arriving);
        BIO_free(conn->leaving);
        SSL_free(conn->ssl);
        mem_free(conn);
        return NULL;
    }
    SSL_set_bio(conn->ssl, conn->arriving, conn->leaving);
    SSL_set_accept_state(conn->ssl);
    return conn;
}

struct tls_conn *tls_conn_new_client(struct net_tls *tls, const char *host)
{
    struct tls_conn *conn = tls_conn_new(tls);
    if (conn == NULL) {
        return NULL;
    }
    X509_VERIFY_PARAM *wanted = SSL_get0_param(conn->ssl);
    bool is_named = X509_VERIFY_PARAM_set1_ip_asc(wanted, host) == 1;
    char *name = is_named ? NULL : mem_copy(host, strlen(host) + 1); /* not const there */
    if (name != NULL) {
        is_named =
            SSL_set1_host(conn->ssl, name) == 1 && SSL_set_tlsext_host_name(conn->ssl, name) == 1;
    }
    mem_free(name);
    ERR_clear_error();
    if (!is_named) {
        tls_conn_free(conn);
        return NULL;
    }
    SSL_set_connect_state(conn->ssl);
    return conn;
}

const char *tls_conn_refusal(const struct tls_conn *conn)
{
    long result = SSL_get_verify_result(conn->ssl);
    return result != X509_V_OK ? X509_verify_cert_error_string(result) : NULL;
}

const char *tls_conn_fault(const struct tls_conn *conn)
{
    const char *refusal = tls_conn_refusal(conn);
    return refusal != NULL ? refusal : conn->fault;
}

void tls_conn_free(struct tls_conn *conn)
{
    if (conn != NULL) {
        SSL_free(conn->ssl);
        mem_free(conn);
    }
}

bool tls_conn_is_agreed(const struct tls_conn *conn)
{
    return SSL_is_init_finished(conn->ssl) == 1;
}

bool tls_conn_feed(struct tls_conn *conn, struct yore_bytes encrypted)
{
    int taken = BIO_write(conn->arriving, encrypted.data, (int)encrypted.size);
    return taken == (int)encrypted.size;
}

bool tls_conn_read(struct tls_conn *conn, void *data, size_t size, size_t *read_out)
{
    *read_out = 0;
    ERR_clear_error();
    int result = SSL_read_ex(conn->ssl, data, size, read_out);
    if (result == 1) {
        return true;
    }
    int cause = SSL_get_error(conn->ssl, result);
    conn->fault = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return cause == SSL_ERROR_WANT_READ || cause == SSL_ERROR_WANT_WRITE;
}

bool tls_conn_write(struct tls_conn *conn, struct yore_bytes plain, struct buffer *encrypted)
{
    ERR_clear_error();
    size_t written = 0;
    bool is_good =
        plain.size == 0 ||
        (SSL_write_ex(conn->ssl, plain.data, plain.size, &written) == 1 && written == plain.size);
    char *data = NULL;
    long size = BIO_get_mem_data(conn->leaving, &data);
    if (size > 0) {
        buffer_append(encrypted, data, (size_t)size);
        if (BIO_reset(conn->leaving) != 1) {
            return false;
        }
    }
    ERR_clear_error();
    return is_good;
}

bool tls_conn_has_ended(const struct tls_conn *conn)
{
    return (SSL_get_shutdown(conn->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void tls_conn_end(struct tls_conn *conn)
{
    ERR_clear_error();
    if (tls_conn_is_agreed(conn) && SSL_shutdown(conn->ssl) < 0) {
        /* It is broken, and closed without. */
    }
    ERR_clear_error();
}

void tls_conn_name(const struct tls_conn *conn, char *name, size_t size)
{
    name[0] = '\0';
    X509 *certificate = SSL_get1_peer_certificate(conn->ssl);
    if (certificate == NULL) {
        return;
    }
    int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                           (int)size);
    if (length < 0) {
        name[0] = '\0';
    }
    X509_free(certificate);
}
