/* acl_secret.c -- passwords: made, checked, and remembered for a while. */
#include <argon2.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
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

/* How a hash was made, its salt too: all of its text before the hash. */
static struct yore_bytes way_of(const struct acl_secret *secret)
{
    const char *end = strrchr(secret->encoded, '$');
    return bytes_of(secret->encoded, end != NULL ? (size_t)(end - secret->encoded) : 0);
}

static bool is_alike(const struct acl_secret *a, const struct acl_secret *b)
{
    return bytes_equal(way_of(a), way_of(b));
}

/* Octets of argon2's base64, which has no padding. */
static bool decode_unpadded(struct yore_bytes text, struct buffer *out)
{
    struct buffer padded = {0};
    buffer_append_bytes(&padded, text);
    buffer_append(&padded, "===", (4 - text.size % 4) % 4);
    bool is_good = base64_decode(out, buffer_bytes(&padded)) && !out->is_nomem;
    buffer_release(&padded);
    return is_good;
}

/* Hash `digest` as `model` was.  False: that is no way to hash. */
static bool hash_alike(const struct acl_secret *model, struct yore_bytes digest,
                       char encoded_out[ACL_SECRET_BYTES])
{
    unsigned memory = 0;
    unsigned passes = 0;
    unsigned lanes = 0;
    int begin = 0;
    struct yore_bytes way = way_of(model);
    struct buffer salt = {0};
    int found = sscanf(model->encoded, "$argon2id$v=19$m=%u,t=%u,p=%u$%n", &memory, &passes, &lanes,
                       &begin);
    bool is_good = found == 3 && begin > 0 && (size_t)begin < way.size &&
                   decode_unpadded(bytes_behind(way, (size_t)begin), &salt);
    if (is_good) {
        size_t hash_bytes = (strlen(model->encoded) - way.size - 1) * 3 / 4;
        is_good = argon2id_hash_encoded(passes, memory, lanes, digest.data, digest.size, salt.data,
                                        salt.size, hash_bytes, encoded_out,
                                        ACL_SECRET_BYTES) == ARGON2_OK;
    }
    buffer_release(&salt);
    return is_good;
}

/* One of `rules` that is made as new ones are; NULL: there is none. */
static const struct acl_secret *model_of(const struct acl_rules *rules)
{
    char begin[64];
    snprintf(begin, sizeof begin, "$argon2id$v=19$m=%d,t=%d,p=%d$", MEMORY_KIB, PASSES, LANES);
    for (size_t i = 0; rules != NULL && i < rules->secret_count; i++) {
        if (strncmp(rules->secrets[i].encoded, begin, strlen(begin)) == 0) {
            return &rules->secrets[i];
        }
    }
    return NULL;
}

enum yore_status acl_secret_from_digest(struct command_server *server,
                                        const struct acl_rules *rules, struct yore_bytes digest,
                                        struct acl_secret *secret_out, struct yore_error *error_out)
{
    unsigned char salt[SALT_BYTES];
    const struct acl_secret *model = model_of(rules);
    int failure = ARGON2_OK;
    if (model == NULL || !hash_alike(model, digest, secret_out->encoded)) {
        fill_random(server, salt, sizeof salt);
        failure = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, digest.data, digest.size, salt,
                                        sizeof salt, HASH_BYTES, secret_out->encoded,
                                        sizeof secret_out->encoded);
    }
    if (failure != ARGON2_OK) {
        return error_set(error_out, YORE_NOMEM, "the password could not be hashed: %s",
                         argon2_error_message(failure));
    }
    set_id(secret_out);
    return YORE_OK;
}

enum yore_status acl_secret_make(struct command_server *server, const struct acl_rules *rules,
                                 struct yore_bytes password, struct acl_secret *secret_out,
                                 struct yore_error *error_out)
{
    char digest[SHA256_TEXT_BYTES];
    sha256_text(password, digest);
    return acl_secret_from_digest(server, rules, bytes_of(digest, SHA256_TEXT_BYTES - 1),
                                  secret_out, error_out);
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

static bool is_first_alike(const struct acl_rules *rules, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_alike(&rules->secrets[i], &rules->secrets[index])) {
            return false;
        }
    }
    return true;
}

size_t acl_rules_hash_count(const struct acl_rules *rules)
{
    size_t count = 0;
    for (size_t i = 0; i < rules->secret_count; i++) {
        count += is_first_alike(rules, i) ? 1 : 0;
    }
    return count;
}

/* The one of the user's passwords that was right lately and is this; NULL: none. */
static const struct acl_secret *find_remembered(struct command_server *server,
                                                const struct acl_rules *rules,
                                                struct yore_bytes password)
{
    unsigned char mark[SHA256_BYTES];
    for (size_t i = 0; i < rules->secret_count; i++) {
        memory_mark(&server->acl, &rules->secrets[i], password, mark);
        if (is_remembered(&server->acl, mark)) {
            return &rules->secrets[i];
        }
    }
    return NULL;
}

/* Any of those that are made as the one at `first`, one hash for all; NULL: none. */
static const struct acl_secret *find_alike(const struct acl_rules *rules, size_t first,
                                           struct yore_bytes digest)
{
    char encoded[ACL_SECRET_BYTES] = "";
    const struct acl_secret *found = NULL;
    if (!hash_alike(&rules->secrets[first], digest, encoded)) {
        return NULL;
    }
    size_t size = strlen(encoded);
    for (size_t i = first; i < rules->secret_count; i++) {
        const struct acl_secret *secret = &rules->secrets[i];
        bool fits =
            strlen(secret->encoded) == size && secret_equal((const unsigned char *)secret->encoded,
                                                            (const unsigned char *)encoded, size);
        found = fits ? secret : found;
    }
    return found;
}

/* The one of the user's passwords that it is; NULL: none, and `*hashes_out` were made. */
static const struct acl_secret *find_secret(struct command_server *server,
                                            const struct acl_rules *rules,
                                            struct yore_bytes password, size_t *hashes_out)
{
    char digest[SHA256_TEXT_BYTES];
    unsigned char mark[SHA256_BYTES];
    sha256_text(password, digest);
    const struct acl_secret *found = NULL;
    for (size_t i = 0; i < rules->secret_count && found == NULL; i++) {
        if (is_first_alike(rules, i)) {
            found = find_alike(rules, i, bytes_of(digest, SHA256_TEXT_BYTES - 1));
            (*hashes_out)++;
        }
    }
    if (found != NULL) {
        memory_mark(&server->acl, found, password, mark);
        remember(&server->acl, mark);
    }
    return found;
}

/* Make as many hashes as the dearest user costs, so that the clock does not tell which users there
 * are, nor how many passwords they have. */
static void spend(struct command_server *server, struct yore_bytes password, size_t made)
{
    struct acl_secret nobody;
    for (size_t most = atomic_load(&server->acl.hash_count); made < most; made++) {
        enum yore_status st = acl_secret_make(server, NULL, password, &nobody, NULL);
        (void)st;
    }
}

bool acl_check_password(struct command_server *server, struct yore_bytes user,
                        struct yore_bytes password, bool if_remembered, struct acl_user **user_out,
                        char id_out[ACL_SECRET_ID_BYTES])
{
    struct acl_user *found = acl_user_get(&server->acl, user);
    struct acl_rules *rules = found != NULL ? acl_user_rules(&server->acl, found) : NULL;
    bool may_enter = rules != NULL && rules->is_on;
    const struct acl_secret *secret = NULL;
    size_t hashes = 0;
    memset(id_out, 0, ACL_SECRET_ID_BYTES);
    bool fits = may_enter && rules->is_nopass;
    if (may_enter && !fits) {
        secret = find_remembered(server, rules, password);
    }
    if (may_enter && !fits && secret == NULL && !if_remembered) {
        secret = find_secret(server, rules, password, &hashes);
    }
    if (secret != NULL) {
        fits = true;
        memcpy(id_out, secret->id, ACL_SECRET_ID_BYTES);
    }
    acl_rules_unref(rules);
    if (!fits) {
        acl_user_unref(found);
        if (!if_remembered) {
            spend(server, password, hashes);
        }
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
