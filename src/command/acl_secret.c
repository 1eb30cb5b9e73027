/* acl_secret.c -- passwords: made, checked, and remembered for a while. */
#include <argon2.h>
#include <string.h>

#include "base/sha256.h"
#include "command/acl.h"
#include "command/server.h"

/* OWASP's second choice: 19 MiB, two passes, one lane; about 25 ms here. */
#define PASSES 2
#define MEMORY_KIB 19456
#define LANES 1
#define SALT_BYTES 16
#define HASH_BYTES 32

static void fill_random(struct command_server *server, unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t chance = os_random_u64(server->env);
        memcpy(to + i, &chance, size - i < 8 ? size - i : 8);
    }
}

static void set_id(struct acl_secret *secret)
{
    sha256_text(bytes_of(secret->encoded, strlen(secret->encoded)), secret->id);
}

enum yore_status acl_secret_from_digest(struct command_server *server, struct yore_bytes digest,
                                        struct acl_secret *secret_out, struct yore_error *error_out)
{
    unsigned char salt[SALT_BYTES];
    fill_random(server, salt, sizeof salt);
    int failure = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, digest.data, digest.size, salt,
                                        sizeof salt, HASH_BYTES, secret_out->encoded,
                                        sizeof secret_out->encoded);
    if (failure != ARGON2_OK) {
        return error_set(error_out, YORE_NOMEM, "the password could not be hashed: %s",
                         argon2_error_message(failure));
    }
    set_id(secret_out);
    return YORE_OK;
}

enum yore_status acl_secret_make(struct command_server *server, struct yore_bytes password,
                                 struct acl_secret *secret_out, struct yore_error *error_out)
{
    char digest[SHA256_TEXT_BYTES];
    sha256_text(password, digest);
    return acl_secret_from_digest(server, bytes_of(digest, SHA256_TEXT_BYTES - 1), secret_out,
                                  error_out);
}

enum yore_status acl_secret_decode(struct yore_bytes encoded, struct acl_secret *secret_out,
                                   struct yore_error *error_out)
{
    static const char begin[] = "$argon2id$v=19$m=";
    if (encoded.size >= sizeof secret_out->encoded ||
        !bytes_starts_with(encoded, bytes_of(begin, sizeof begin - 1))) {
        return error_set(error_out, YORE_INVALID,
                         "The password hash must begin with %s and have less than %d characters",
                         begin, ACL_SECRET_BYTES);
    }
    memcpy(secret_out->encoded, encoded.data, encoded.size);
    secret_out->encoded[encoded.size] = '\0';
    set_id(secret_out);
    return YORE_OK;
}

bool acl_secret_fits_digest(const struct acl_secret *secret, struct yore_bytes digest)
{
    return argon2id_verify(secret->encoded, digest.data, digest.size) == ARGON2_OK;
}

bool acl_secret_fits(const struct acl_secret *secret, struct yore_bytes password)
{
    char digest[SHA256_TEXT_BYTES];
    sha256_text(password, digest);
    return acl_secret_fits_digest(secret, bytes_of(digest, SHA256_TEXT_BYTES - 1));
}

/* ---- remembering who was right ---- */

/* A keyed hash of secret and password: says nothing without the key, which never leaves memory. */
static void memory_mark(const struct acl *acl, const struct acl_secret *secret,
                        struct yore_bytes password, unsigned char mark[SHA256_BYTES])
{
    struct sha256 sha;
    unsigned char pad[64] = {0};
    unsigned char inner[SHA256_BYTES];
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] = (unsigned char)((i < sizeof acl->key ? acl->key[i] : 0) ^ 0x36);
    }
    sha256_init(&sha);
    sha256_add(&sha, bytes_of(pad, sizeof pad));
    sha256_add(&sha, bytes_of(secret->id, sizeof secret->id));
    sha256_add(&sha, password);
    sha256_end(&sha, inner);
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    sha256_init(&sha);
    sha256_add(&sha, bytes_of(pad, sizeof pad));
    sha256_add(&sha, bytes_of(inner, sizeof inner));
    sha256_end(&sha, mark);
}

static bool is_remembered(struct acl *acl, const unsigned char mark[SHA256_BYTES])
{
    os_mutex_lock(&acl->memory_lock);
    bool is_there = secret_equal(acl->remembered[mark[0] % ACL_REMEMBERED], mark, SHA256_BYTES);
    os_mutex_unlock(&acl->memory_lock);
    return is_there;
}

static void remember(struct acl *acl, const unsigned char mark[SHA256_BYTES])
{
    os_mutex_lock(&acl->memory_lock);
    memcpy(acl->remembered[mark[0] % ACL_REMEMBERED], mark, SHA256_BYTES);
    os_mutex_unlock(&acl->memory_lock);
}

/* The one of the user's passwords that it is; NULL: none. */
static const struct acl_secret *find_secret(struct command_server *server,
                                            const struct acl_rules *rules,
                                            struct yore_bytes password, bool if_remembered)
{
    unsigned char mark[SHA256_BYTES];
    for (size_t i = 0; i < rules->secret_count; i++) {
        memory_mark(&server->acl, &rules->secrets[i], password, mark);
        if (is_remembered(&server->acl, mark)) {
            return &rules->secrets[i];
        }
    }
    for (size_t i = 0; i < rules->secret_count && !if_remembered; i++) {
        if (acl_secret_fits(&rules->secrets[i], password)) {
            memory_mark(&server->acl, &rules->secrets[i], password, mark);
            remember(&server->acl, mark);
            return &rules->secrets[i];
        }
    }
    return NULL;
}

/* Take as long as a check, so that the clock does not tell which users there are. */
static void spend(struct command_server *server, struct yore_bytes password)
{
    struct acl_secret nobody;
    enum yore_status st = acl_secret_make(server, password, &nobody, NULL);
    (void)st;
}

bool acl_check_password(struct command_server *server, struct yore_bytes user,
                        struct yore_bytes password, bool if_remembered, struct acl_user **user_out,
                        char id_out[ACL_SECRET_ID_BYTES])
{
    struct acl_user *found = acl_user_get(&server->acl, user);
    struct acl_rules *rules = found != NULL ? acl_user_rules(&server->acl, found) : NULL;
    bool may_enter = rules != NULL && rules->is_on && (rules->is_nopass || rules->secret_count > 0);
    memset(id_out, 0, ACL_SECRET_ID_BYTES);
    bool fits = may_enter && rules->is_nopass;
    if (may_enter && !fits) {
        const struct acl_secret *secret = find_secret(server, rules, password, if_remembered);
        fits = secret != NULL;
        if (fits) {
            memcpy(id_out, secret->id, ACL_SECRET_ID_BYTES);
        }
    } else if (!may_enter && !if_remembered) {
        spend(server, password);
    }
    acl_rules_unref(rules);
    if (!fits) {
        acl_user_unref(found);
        return false;
    }
    *user_out = found;
    return true;
}

bool acl_rules_admit(const struct acl_rules *rules, const char *id)
{
    bool is_there = rules->is_nopass;
    for (size_t i = 0; i < rules->secret_count && !is_there; i++) {
        is_there = strcmp(rules->secrets[i].id, id) == 0;
    }
    return rules->is_on && is_there;
}
