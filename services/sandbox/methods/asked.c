#include "asked.h"

#include "base/mem.h"
#include "multipart.h"
#include "params.h"

static bool has_word(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

/* Shown in samples of a few methods alone, so an option (facts section 1.2). */
static void add_bearer(const struct portal *p, const struct portal_request *in, json_t *params)
{
    static const char word[] = "Bearer ";

    if (portal_has(p, QUIRK_BEARER) && in->authorization != NULL &&
        strncasecmp(in->authorization, word, strlen(word)) == 0 && params_get(params, "auth") == NULL)
        params_add_pair(params, STR("auth"), str_of(in->authorization + strlen(word)));
}

/* By its type alone, whatever the body looks like (facts section 1.2). */
static enum api_error parse_body(const struct portal_request *in, json_t *params)
{
    if (in->body.n == 0)
        return API_OK;
    if (has_word(in->content_type, "multipart/"))
        return multipart_add(params, in->content_type, in->body) ? API_OK : API_BAD_REQUEST;
    if (has_word(in->content_type, "json"))
        return params_add_json(params, in->body) ? API_OK : API_BAD_REQUEST;
    params_add_query(params, in->body);
    return API_OK;
}

enum api_error asked_params(const struct portal *p, const struct portal_request *in, json_t *params)
{
    params_add_query(params, in->query);
    const enum api_error e = parse_body(in, params);
    add_bearer(p, in, params);
    return e;
}
