#include "base/access.h"

#include "base/form.h"
#include "base/mem.h"
#include "base/seal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const KINDS[ACCESS_KINDS] = {
    [ACCESS_TOKENS] = "tokens",
    [ACCESS_CODE] = "code",
    [ACCESS_REMOVED] = "removed",
};

static const struct {
    const char *name;
    size_t offset;
} TEXTS[] = {
    { "access_token", offsetof(struct access, access_token) },
    { "refresh_token", offsetof(struct access, refresh_token) },
    { "code", offsetof(struct access, code) },
    { "application_token", offsetof(struct access, application_token) },
    { "former_token", offsetof(struct access, former_token) },
    { "member_id", offsetof(struct access, member_id) },
    { "domain", offsetof(struct access, domain) },
    { "server", offsetof(struct access, server) },
    { "scope", offsetof(struct access, scope) },
    { "status", offsetof(struct access, status) },
    { "by", offsetof(struct access, by) },
};

static char **text_at(const struct access *a, size_t i)
{
    return (char **)((char *)a + TEXTS[i].offset);
}

void access_set(char **to, struct str text)
{
    char *copy = text.p != NULL && text.n > 0 ? str_dup(text) : NULL;

    seal_free(*to);
    *to = copy;
}

void access_copy(struct access *to, const struct access *from)
{
    struct access copy = { .kind = from->kind, .expires_ms = from->expires_ms };

    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        access_set(text_at(&copy, i), str_of(*text_at(from, i)));
    access_free(to);
    *to = copy;
}

void access_free(struct access *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        seal_free(*text_at(a, i));
    *a = (struct access){ 0 };
}

void access_encode(const struct access *a, struct buf *out)
{
    buf_fmt(out, "kind=%s", KINDS[a->kind]);
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
        const char *text = *text_at(a, i);

        if (text == NULL)
            continue;
        buf_fmt(out, "&%s=", TEXTS[i].name);
        buf_urlenc(out, str_of(text));
    }
    if (a->expires_ms > 0)
        buf_fmt(out, "&expires_ms=%" PRId64, a->expires_ms);
}

static int read_texts(struct access *a, const struct form *f, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
        struct str value = form_get(f, TEXTS[i].name);

        if (value.n > ACCESS_TEXT_MAX || (value.n > 0 && memchr(value.p, '\0', value.n) != NULL))
            return err_set(err, ERR_PERM, "access: %s is not one", TEXTS[i].name);
        access_set(text_at(a, i), value);
    }
    return 0;
}

int access_decode(struct access *ret, struct str bytes, struct err *err)
{
    struct access a = { .kind = ACCESS_KINDS };
    struct form f;
    int result;

    if (form_parse(&f, bytes, err) < 0)
        return err_set(err, ERR_PERM, "access: malformed");
    for (int kind = 0; kind < ACCESS_KINDS; kind++)
        if (str_is(form_get(&f, "kind"), KINDS[kind]))
            a.kind = (enum access_kind)kind;
    if (!str_i64(form_get(&f, "expires_ms"), &a.expires_ms) || a.expires_ms < 0)
        a.expires_ms = 0;
    result = a.kind == ACCESS_KINDS ? err_set(err, ERR_PERM, "access: malformed") : read_texts(&a, &f, err);
    if (f.bytes != NULL && bytes.n > 0)
        explicit_bzero(f.bytes, bytes.n); /* decoded, it is no longer than that */
    form_free(&f);
    if (result < 0) {
        access_free(&a);
        return -1;
    }
    access_free(ret);
    *ret = a;
    return 0;
}

/* ---- state ---- */

#define SKEW_MS 60000 /* two machines' clocks */

static void purpose_of(const char *portal, char ret[static 80])
{
    snprintf(ret, 80, "state:%.64s", portal);
}

int access_state_make(
    const struct seal_keys *keys, const char *portal, uint64_t now_ms, struct buf *out, struct err *err)
{
    char purpose[80], text[24];
    struct buf sealed;
    int result;

    purpose_of(portal, purpose);
    snprintf(text, sizeof(text), "%" PRIu64, now_ms);
    buf_init(&sealed, 256);
    result = seal(keys, str_of(purpose), str_of(text), &sealed, err);
    if (result == 0)
        seal_text(buf_view(&sealed), out);
    buf_fini(&sealed);
    return result;
}

static int check_age(struct str text, uint64_t now_ms, struct err *err)
{
    uint64_t made_ms;

    if (!str_u64(text, &made_ms) || made_ms > now_ms + SKEW_MS)
        return err_set(err, ERR_PERM, "this login was not begun here");
    if (now_ms > made_ms && now_ms - made_ms > ACCESS_STATE_MS)
        return err_set(err, ERR_PERM, "this login was begun more than 15 minutes ago: begin again");
    return 0;
}

int access_state_check(
    const struct seal_keys *keys, const char *portal, struct str text, uint64_t now_ms, struct err *err)
{
    char purpose[80];
    struct buf sealed, plain;
    int result = -1;

    purpose_of(portal, purpose);
    buf_init(&sealed, 256);
    buf_init(&plain, 64);
    if (text.n > 200 || seal_bytes(text, &sealed, NULL) < 0 ||
        seal_open(keys, str_of(purpose), buf_view(&sealed), &plain, NULL) < 0)
        err_set(err, ERR_PERM, "this login was not begun here");
    else
        result = check_age(buf_view(&plain), now_ms, err);
    buf_fini(&sealed);
    buf_fini(&plain);
    return result;
}
