#include "base/seal.h"

#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 1,
    MARK = 4,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEAD = 1 + MARK + NONCE
};
_Static_assert(SEAL_OVERHEAD == HEAD + TAG, "the header's figure");
_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key of the cipher");

static int no_key(struct err *err)
{
    return err_set(err, ERR_CONF,
        "POTOK_SECRET_KEY is not set; make a key and keep it: head -c 32 /dev/urandom | base64");
}

/* ---- keys --------------------------------------------------------------------------------------------- */

/* The text is as random as its owner made it; hashing gives it the cipher's length and binds it to this use.
 */
static void hash(const void *p, size_t n, const char *use, unsigned char ret[static SEAL_KEY_BYTES])
{
    crypto_generichash(ret, SEAL_KEY_BYTES, p, n, (const unsigned char *)use, strlen(use));
}

/* Tells which key sealed a text without telling the key: "another key" is another mistake than "damaged". */
static void mark_of(const unsigned char key[static SEAL_KEY_BYTES], unsigned char ret[static MARK])
{
    unsigned char whole[SEAL_KEY_BYTES];

    hash(key, SEAL_KEY_BYTES, "potok seal mark 1", whole);
    memcpy(ret, whole, MARK);
}

static struct str trim(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r'))
        s.p++, s.n--;
    while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

static int add_key(struct seal_keys *keys, struct str text, struct err *err)
{
    if (text.n < SEAL_TEXT_MIN)
        return err_set(err, ERR_CONF,
            "POTOK_SECRET_KEY: key %d has %zu characters, at least %d are needed; make one: head -c 32 "
            "/dev/urandom | base64",
            keys->n + 1, text.n, SEAL_TEXT_MIN);
    if (keys->n == SEAL_KEYS_MAX)
        return err_set(err, ERR_CONF, "POTOK_SECRET_KEY: more than %d keys", SEAL_KEYS_MAX);
    hash(text.p, text.n, "potok seal key 1", keys->key[keys->n++]);
    return 0;
}

int seal_keys_read(struct seal_keys *ret, const char *setting, struct err *err)
{
    struct seal_keys keys = { 0 };
    struct str rest = trim(str_of(setting));

    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium does not start");
    while (rest.n > 0) {
        const char *comma = memchr(rest.p, ',', rest.n);
        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

        if (add_key(&keys, trim((struct str){ rest.p, n }), err) != 0) {
            seal_keys_wipe(&keys);
            return -1;
        }
        rest.p += comma ? n + 1 : n;
        rest.n -= comma ? n + 1 : n;
    }
    *ret = keys;
    sodium_memzero(&keys, sizeof(keys));
    return 0;
}

void seal_keys_wipe(struct seal_keys *keys)
{
    if (keys)
        sodium_memzero(keys, sizeof(*keys));
}

/* ---- sealed bytes ------------------------------------------------------------------------------------- */

int seal(const struct seal_keys *keys, struct str purpose, struct str plain, struct buf *out, struct err *err)
{
    unsigned char *at;

    if (keys->n == 0)
        return no_key(err);
    if (!buf_room(out, plain.n + SEAL_OVERHEAD))
        return err_set(err, ERR_LIMIT, "%zu bytes to seal do not fit", plain.n);

    at = (unsigned char *)out->p + out->n;
    at[0] = VERSION;
    mark_of(keys->key[0], at + 1);
    randombytes_buf(at + 1 + MARK, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + HEAD, NULL, (const unsigned char *)plain.p, plain.n,
        (const unsigned char *)purpose.p, purpose.n, NULL, at + 1 + MARK, keys->key[0]);
    out->n += plain.n + SEAL_OVERHEAD;
    return 0;
}

static const unsigned char *key_of(const struct seal_keys *keys, const unsigned char *mark)
{
    for (int i = 0; i < keys->n; i++) {
        unsigned char own[MARK];

        mark_of(keys->key[i], own);
        if (memcmp(own, mark, MARK) == 0)
            return keys->key[i];
    }
    return NULL;
}

int seal_open(
    const struct seal_keys *keys, struct str purpose, struct str sealed, struct buf *plain, struct err *err)
{
    const unsigned char *at = (const unsigned char *)sealed.p, *key;

    if (keys->n == 0)
        return no_key(err);
    if (sealed.n < SEAL_OVERHEAD || at[0] != VERSION)
        return err_set(err, ERR_PERM, "these bytes are not sealed");
    key = key_of(keys, at + 1);
    if (!key)
        return err_set(err, ERR_CONF,
            "sealed under another POTOK_SECRET_KEY; put the key of that time back, after the new one and a "
            "comma");
    if (!buf_room(plain, sealed.n - SEAL_OVERHEAD))
        return err_set(err, ERR_LIMIT, "%zu bytes to open do not fit", sealed.n);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain->p + plain->n, NULL, NULL,
            at + HEAD, sealed.n - HEAD, (const unsigned char *)purpose.p, purpose.n, at + 1 + MARK, key) != 0)
        return err_set(err, ERR_PERM, "sealed for another use, or damaged");
    plain->n += sealed.n - SEAL_OVERHEAD;
    return 0;
}

void seal_derive(
    const struct seal_keys *keys, int which, struct str purpose, char ret[static SEAL_DERIVED_SIZE])
{
    unsigned char own[SEAL_KEY_BYTES], derived[(SEAL_DERIVED_SIZE - 1) / 2];

    hash(keys->key[which], SEAL_KEY_BYTES, "potok derived key 1", own); /* not the cipher's */
    crypto_generichash(
        derived, sizeof(derived), (const unsigned char *)purpose.p, purpose.n, own, sizeof(own));
    sodium_bin2hex(ret, SEAL_DERIVED_SIZE, derived, sizeof(derived));
    sodium_memzero(own, sizeof(own));
    sodium_memzero(derived, sizeof(derived));
}

void seal_wipe(struct buf *secret)
{
    if (!secret)
        return;
    if (secret->p)
        sodium_memzero(secret->p, secret->cap);
    buf_fini(secret);
}

void seal_free(char *secret)
{
    if (!secret)
        return;
    sodium_memzero(secret, strlen(secret));
    free(secret);
}

/* ---- as text ------------------------------------------------------------------------------------------ */

void seal_text(struct str bytes, struct buf *out)
{
    size_t size = sodium_base64_encoded_len(bytes.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    if (!buf_room(out, size))
        return;
    sodium_bin2base64(out->p + out->n, size, (const unsigned char *)bytes.p, bytes.n,
        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->n += size - 1;
}

int seal_bytes(struct str text, struct buf *out, struct err *err)
{
    size_t n = 0;

    if (!buf_room(out, text.n))
        return err_set(err, ERR_LIMIT, "%zu bytes to open do not fit", text.n);
    if (text.n > 0 && sodium_base642bin((unsigned char *)out->p + out->n, text.n, text.p, text.n, NULL, &n,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return err_set(err, ERR_PERM, "these bytes are not sealed");
    out->n += n;
    return 0;
}
