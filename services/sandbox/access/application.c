#include "application.h"

#include <stdio.h>

#include "base/mem.h"
#include "data/hash.h"

static const char *const names[APP_STATES] = {
#define APP_STATE(id, name, method_error, oauth_error) [APP_##id] = name,
#include "app_states.def"
#undef APP_STATE
};

bool app_state_of(struct str name, enum app_state *ret)
{
    for (unsigned s = 0; s < APP_STATES; s++) {
        if (str_is(name, names[s])) {
            *ret = s;
            return true;
        }
    }
    return false;
}

const char *app_state_name(enum app_state s)
{
    return names[s];
}

static int read_client(struct application *a, const char *client, uint64_t seed, struct err *err)
{
    const char *colon = client != NULL ? strchr(client, ':') : NULL;

    if (client == NULL) {
        snprintf(a->client_id, sizeof(a->client_id), "local.%012llx.%08llu",
            (unsigned long long)(hash_two(seed, 0x636c69) & 0xFFFFFFFFFFFF),
            (unsigned long long)(hash_two(seed, 0x656e74) % 100000000));
        snprintf(a->client_secret, sizeof(a->client_secret), "%016llx%016llx%016llx",
            (unsigned long long)hash_two(seed, 0x736563), (unsigned long long)hash_two(seed, 0x726574),
            (unsigned long long)hash_two(seed, 0x6b6579));
        return 0;
    }
    if (colon == NULL || colon == client || colon[1] == '\0' ||
        (size_t)(colon - client) >= sizeof(a->client_id) || strlen(colon + 1) >= sizeof(a->client_secret))
        return err_set(err, ERR_CONF, "--app-client: ID:SECRET, at most 64 and 128 characters");
    memcpy(a->client_id, client, (size_t)(colon - client));
    memcpy(a->client_secret, colon + 1, strlen(colon + 1));
    return 0;
}

int application_open(struct application *ret, const struct application_options *o, bool there,
    struct sqlite3 *db, uint64_t seed, uint64_t now_ms, struct err *err)
{
    *ret = (struct application){ .there = there };
    snprintf(ret->redirect, sizeof(ret->redirect), "%s", o->redirect ? o->redirect : "");
    if (read_client(ret, o->client, seed, err) < 0 ||
        tokens_open(&ret->tokens, db, seed, (o->life_s ? o->life_s : 3600) * 1000, err) < 0)
        return -1;
    return there && application_own(ret, now_ms, err) == NULL ? -1 : 0;
}

void application_close(struct application *a)
{
    tokens_close(&a->tokens);
}

const struct token_pair *application_own(struct application *a, uint64_t now_ms, struct err *err)
{
    const struct token_pair *newest = tokens_newest(&a->tokens);

    if (newest != NULL && now_ms < newest->access_until_ms)
        return newest;
    return tokens_issue(&a->tokens, now_ms, err);
}

const char *application_code(struct application *a, uint64_t now_ms)
{
    struct app_code *c = &a->codes[a->code_count % CODES_MOST];
    const uint64_t h = hash_two(hash_two(a->tokens.seed ^ 0x636f6465, now_ms), ++a->code_count);

    *c = (struct app_code){ .until_ms = now_ms + CODE_LIFE_MS };
    snprintf(c->text, sizeof(c->text), "%016llx%016llx", (unsigned long long)h,
        (unsigned long long)hash_two(h, 3));
    return c->text;
}

bool application_use_code(struct application *a, struct str code, uint64_t now_ms)
{
    for (int i = 0; i < CODES_MOST; i++) {
        struct app_code *c = &a->codes[i];
        if (c->text[0] == '\0' || !str_is(code, c->text))
            continue;
        const bool good = !c->used && now_ms < c->until_ms;
        c->used = true;
        return good;
    }
    return false;
}

void application_expire_codes(struct application *a)
{
    for (int i = 0; i < CODES_MOST; i++)
        a->codes[i].until_ms = 0;
}
