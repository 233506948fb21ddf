#include "connectors/bitrix.h"

#include "connectors/bitrix_rule.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stddef.h>
#include <string.h>

#define ANY_STATUS   0, 999
#define ONLY(status) status, status

#define NEW_WEBHOOK  "make a new inbound webhook with the scope crm on the portal and set its URL"
#define OWNER_RIGHTS "give the webhook's owner the right to read this in the CRM"
#define TARIFF       "the portal's plan must allow the REST API: renew or change it"
#define ADDRESS      "the URL must read https://PORTAL/rest/USER_ID/SECRET/"
#define OUR_REQUEST  NULL

/* Facts 2.4: classic methods refuse with an empty code, and their descriptions are in the portal's language.
 * What decides something is known in English and in Russian; a text in another language decides nothing. */
#define ABSENT_WORDS "not found|не найден|не найдена|не найдено"
#define DENIED_WORDS "access denied|доступ запрещен"

/* Codes before statuses, the narrow before the wide. */
const struct bitrix_rule BITRIX_RULES[] = {
    /* Limits */
    { "query_limit", ANY_STATUS, "QUERY_LIMIT_EXCEEDED", NULL, ERR_WAIT, SAYS_NOTHING, 1000, NULL },
    { "operation_time_limit", ANY_STATUS, "OPERATION_TIME_LIMIT", NULL, ERR_WAIT, SAYS_NOTHING, 60000, NULL },
    /* The status of a rate limit, but lifted by people only. */
    { "overload_limit", ANY_STATUS, "OVERLOAD_LIMIT", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "Bitrix24 blocked the portal's REST API for overload: ask its support to lift that" },

    /* The portal is unwell */
    { "internal_server_error", ANY_STATUS, "INTERNAL_SERVER_ERROR", NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "unexpected_answer", ANY_STATUS, "ERROR_UNEXPECTED_ANSWER", NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "portal_deleted", ANY_STATUS, "PORTAL_DELETED", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the portal was deleted or closed" },

    /* Credentials */
    { "expired_token", ANY_STATUS, "expired_token", NULL, ERR_AUTH, SAYS_EXPIRED, 0, NEW_WEBHOOK },
    { "invalid_token", ANY_STATUS, "invalid_token", NULL, ERR_AUTH, SAYS_EXPIRED, 0, NEW_WEBHOOK },
    { "no_auth_found", ANY_STATUS, "NO_AUTH_FOUND", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the webhook's secret is wrong or was revoked: " NEW_WEBHOOK },
    { "invalid_credentials_in_batch", ONLY(200), "INVALID_CREDENTIALS", NULL, ERR_AUTH, SAYS_DENIED, 0,
        OWNER_RIGHTS },
    { "invalid_credentials_rights", ONLY(403), "INVALID_CREDENTIALS", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        OWNER_RIGHTS },
    { "invalid_credentials", ANY_STATUS, "INVALID_CREDENTIALS", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the webhook's secret or user id is wrong or was revoked: " NEW_WEBHOOK },
    { "authorization_error", ANY_STATUS, "authorization_error", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the webhook's owner was deactivated: " NEW_WEBHOOK },
    { "application_not_found", ANY_STATUS, "APPLICATION_NOT_FOUND", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        NEW_WEBHOOK },
    { "oauth", ANY_STATUS, "ERROR_OAUTH", NULL, ERR_AUTH, SAYS_NOTHING, 0, NEW_WEBHOOK },
    { "wrong_client", ANY_STATUS, "wrong_client", NULL, ERR_AUTH, SAYS_NOTHING, 0, NEW_WEBHOOK },
    { "invalid_client", ANY_STATUS, "invalid_client", NULL, ERR_AUTH, SAYS_NOTHING, 0, NEW_WEBHOOK },
    { "confirm_waiting", ANY_STATUS, "METHOD_CONFIRM_WAITING", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "an administrator of the portal must confirm the call there" },
    { "confirm_denied", ANY_STATUS, "METHOD_CONFIRM_DENIED", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "an administrator of the portal refused the call" },
    { "insufficient_scope", ANY_STATUS, "insufficient_scope", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the webhook lacks the scope crm: edit it on the portal, tick CRM, set its new URL" },

    /* Plan and rights */
    { "payment_required", ANY_STATUS, "PAYMENT_REQUIRED", NULL, ERR_AUTH, SAYS_NOTHING, 0, TARIFF },
    { "commercial_plans", ANY_STATUS, "ACCESS_DENIED", "commercial plan", ERR_AUTH, SAYS_NOTHING, 0, TARIFF },
    { "extended_plans", ANY_STATUS, "ACCESS_DENIED", "extended plan", ERR_AUTH, SAYS_NOTHING, 0, TARIFF },
    { "context_user", ANY_STATUS, "ACCESS_DENIED", "authorized in this context", ERR_AUTH, SAYS_NOTHING, 0,
        NEW_WEBHOOK },
    { "context_application", ANY_STATUS, "ACCESS_DENIED", "application context", ERR_AUTH, SAYS_NOTHING, 0,
        NULL },
    { "access_denied_in_batch", ONLY(200), "ACCESS_DENIED", NULL, ERR_AUTH, SAYS_DENIED, 0, OWNER_RIGHTS },
    { "access_denied_rights", ONLY(400), "ACCESS_DENIED", NULL, ERR_AUTH, SAYS_DENIED, 0, OWNER_RIGHTS },
    { "access_denied", ANY_STATUS, "ACCESS_DENIED", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the portal's plan or the rights of the webhook's owner do not allow it" },
    { "user_access", ANY_STATUS, "user_access_error", NULL, ERR_AUTH, SAYS_NOTHING, 0, OWNER_RIGHTS },
    { "wrong_auth_type", ANY_STATUS, "WRONG_AUTH_TYPE", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the portal does not let a webhook call this method" },
    { "intranet_user", ANY_STATUS, "allowed_only_intranet_user", NULL, ERR_AUTH, SAYS_NOTHING, 0,
        "the webhook's owner must be an employee, not a guest" },

    /* The request */
    { "https_required", ANY_STATUS, "INVALID_REQUEST", NULL, ERR_CONF, SAYS_NOTHING, 0,
        "set an https:// URL" },
    { "method_not_found", ANY_STATUS, "ERROR_METHOD_NOT_FOUND", NULL, ERR_CONF, SAYS_NOTHING, 0,
        ADDRESS " (is the user id left out?)" },
    { "method_not_found_text", ANY_STATUS, "", "method not found", ERR_CONF, SAYS_NOTHING, 0,
        ADDRESS " (is the user id left out?)" },
    { "manifest", ANY_STATUS, "ERROR_MANIFEST_IS_NOT_AVAILABLE", NULL, ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "invalid_arg_value", ANY_STATUS, "INVALID_ARG_VALUE", NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "batch_length", ANY_STATUS, "ERROR_BATCH_LENGTH_EXCEEDED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "batch_method", ANY_STATUS, "ERROR_BATCH_METHOD_NOT_ALLOWED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "parameter", ANY_STATUS, "100", NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "entity_type", ANY_STATUS, "ENTITY_TYPE_NOT_SUPPORTED", NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    /* The sandbox on a recording: another time it knows no more. */
    { "not_recorded", ANY_STATUS, "REPLAY_NOT_RECORDED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        "the recording has no answer to this: record more entities" },
    /* So the vendor's page has it for crm.contact.delete; elsewhere the element may be anything. */
    { "element_not_found", ANY_STATUS, "ERROR_CORE", "=element not found|элемент не найден", ERR_TEMP,
        SAYS_ABSENT_DELETED, 0, NULL },
    { "error_core", ANY_STATUS, "ERROR_CORE", NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "field_value", ANY_STATUS, "CRM_FIELD_ERROR_VALUE_NOT_VALID", NULL, ERR_PERM, SAYS_NOTHING, 0, NULL },
    { "field_required", ANY_STATUS, "CRM_FIELD_ERROR_REQUIRED", NULL, ERR_PERM, SAYS_NOTHING, 0, NULL },
    { "create_restricted", ANY_STATUS, "CREATE_DYNAMIC_ITEM_RESTRICTED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        TARIFF },
    { "update_restricted", ANY_STATUS, "UPDATE_DYNAMIC_ITEM_RESTRICTED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        TARIFF },
    { "import_length", ANY_STATUS, "MAX_IMPORT_BATCH_SIZE_EXCEEDED", NULL, ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "code_empty", ANY_STATUS, "CODE_EMPTY", NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "communication_type", ANY_STATUS, "Communication type is not defined", NULL, ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "communication_values", ANY_STATUS, "Communication values is not defined", NULL, ERR_PERM, SAYS_NOTHING,
        0, OUR_REQUEST },
    { "invalid_parameters", ANY_STATUS, "Invalid parameters.", NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "denied_by_code", ANY_STATUS, "Access denied", NULL, ERR_AUTH, SAYS_DENIED, 0, OWNER_RIGHTS },

    /* Records. "Not found" deletes a record here: by code, or a text that says nothing else. One that merely
     * has the words ("Deal is not found", for which the vendor's PHP SDK searches) is believed of one record
     * asked for by its id, and else as unexplained as any other text. */
    { "item_not_found", ANY_STATUS, "NOT_FOUND", NULL, ERR_PERM, SAYS_ABSENT, 0, NULL },
    { "error_not_found", ANY_STATUS, "ERROR_NOT_FOUND", NULL, ERR_PERM, SAYS_ABSENT, 0, NULL },
    { "not_found", ANY_STATUS, "", "=" ABSENT_WORDS, ERR_PERM, SAYS_ABSENT, 0, NULL },
    { "not_found_command", ONLY(200), "", "~" ABSENT_WORDS, ERR_TEMP, SAYS_ABSENT_ALONE, 0, NULL },
    { "not_found_request", ONLY(400), "", "~" ABSENT_WORDS, ERR_PERM, SAYS_ABSENT_ALONE, 0, NULL },
    { "denied", ANY_STATUS, "", "=" DENIED_WORDS, ERR_AUTH, SAYS_DENIED, 0, OWNER_RIGHTS },
    { "id_invalid", ANY_STATUS, "", "id is not defined or invalid", ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "must_be_array", ANY_STATUS, "", "must be array|must be an array", ERR_PERM, SAYS_NOTHING, 0,
        OUR_REQUEST },
    { "parameter_invalid", ANY_STATUS, "", "the parameter ", ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "value_invalid", ANY_STATUS, "", "invalid value for", ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "disk_exhausted", ANY_STATUS, "", "disk resource exhausted|exhausted allocated disk resource", ERR_TEMP,
        SAYS_NOTHING, 0, "the portal's disk is full" },
    { "general_error", ANY_STATUS, "", "general error", ERR_TEMP, SAYS_NOTHING, 0, NULL },

    /* A status alone: gateways, firewalls, hosts that are no portal */
    { "success_unknown", 200, 299, NULL, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "moved_within", 300, 399, BITRIX_WITHIN, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "moved", 300, 399, NULL, NULL, ERR_CONF, SAYS_NOTHING, 0, "set the URL of the portal's new address" },
    { "unauthorized", ONLY(401), NULL, NULL, ERR_AUTH, SAYS_NOTHING, 0, NEW_WEBHOOK },
    { "forbidden_page", ONLY(403), BITRIX_NO_JSON, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "forbidden", ONLY(403), NULL, NULL, ERR_AUTH, SAYS_NOTHING, 0, OWNER_RIGHTS },
    { "nothing_there", ONLY(404), NULL, NULL, ERR_CONF, SAYS_NOTHING, 0,
        "nothing is at this address: " ADDRESS },
    { "request_timeout", ONLY(408), NULL, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "gone", ONLY(410), NULL, NULL, ERR_AUTH, SAYS_NOTHING, 0, "the portal was deleted or closed" },
    { "too_large", ONLY(413), NULL, NULL, ERR_LIMIT, SAYS_NOTHING, 0, NULL },
    { "too_many", ONLY(429), NULL, NULL, ERR_WAIT, SAYS_NOTHING, 60000, NULL },
    { "bad_request", 400, 499, NULL, NULL, ERR_PERM, SAYS_NOTHING, 0, OUR_REQUEST },
    { "server_error", 500, 599, NULL, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
    { "unknown", ANY_STATUS, NULL, NULL, ERR_TEMP, SAYS_NOTHING, 0, NULL },
};
const int BITRIX_RULE_COUNT = ARRAY_SIZE(BITRIX_RULES);

#define LOGIN       "authorise the application again: potok portal login"
#define USER_RIGHTS "give the application's user the right to read this in the CRM"
#define INSTALL     "the application is not installed on the portal any more: install it, then potok portal login"
#define APP_ADDRESS "BITRIX_DOMAIN must name the portal"

static const struct {
    const char *rule, *advice;
} TO_APPLICATIONS[] = {
    { "expired_token", LOGIN },
    { "invalid_token", LOGIN },
    { "no_auth_found", LOGIN },
    { "invalid_credentials", LOGIN },
    { "unauthorized", LOGIN },
    { "context_user", LOGIN },
    { "wrong_client", LOGIN },
    { "invalid_client", LOGIN },
    { "authorization_error",
        "the user who authorised the application was deactivated: another one does it: potok portal login" },
    { "application_not_found", INSTALL },
    { "oauth", INSTALL },
    { "insufficient_scope", "the application lacks the scope crm: give it that, then potok portal login" },
    { "invalid_credentials_in_batch", USER_RIGHTS },
    { "invalid_credentials_rights", USER_RIGHTS },
    { "access_denied_in_batch", USER_RIGHTS },
    { "access_denied_rights", USER_RIGHTS },
    { "denied_by_code", USER_RIGHTS },
    { "denied", USER_RIGHTS },
    { "forbidden", USER_RIGHTS },
    { "user_access", "give the application's user access to the application on the portal" },
    { "access_denied", "the portal's plan or the rights of the application's user do not allow it" },
    { "wrong_auth_type", "the portal does not let an application call this method" },
    { "intranet_user", "the application's user must be an employee, not a guest" },
    { "method_not_found", APP_ADDRESS },
    { "method_not_found_text", APP_ADDRESS },
    { "nothing_there", "nothing is at this address: " APP_ADDRESS },
};

const char *bitrix_advice(const struct bitrix_rule *rule, bool app)
{
    for (size_t i = 0; app && i < ARRAY_SIZE(TO_APPLICATIONS); i++)
        if (strcmp(TO_APPLICATIONS[i].rule, rule->name) == 0)
            return TO_APPLICATIONS[i].advice;
    return rule->advice;
}

enum bitrix_act bitrix_act_of(const struct bitrix_rule *rule)
{
    static const enum bitrix_act of_kind[] = {
        [ERR_TEMP] = ACT_RETRY,
        [ERR_WAIT] = ACT_RETRY_AFTER,
        [ERR_AUTH] = ACT_STOP,
        [ERR_CONF] = ACT_TELL,
        [ERR_PERM] = ACT_ASIDE,
        [ERR_LIMIT] = ACT_ASIDE,
    };

    return rule->says == SAYS_EXPIRED ? ACT_REFRESH : of_kind[rule->kind];
}

const char *bitrix_act_name(enum bitrix_act act)
{
    static const char *const names[ACTS] = {
        [ACT_RETRY] = "retry",
        [ACT_RETRY_AFTER] = "retry after",
        [ACT_REFRESH] = "refresh",
        [ACT_STOP] = "stop",
        [ACT_ASIDE] = "set aside",
        [ACT_TELL] = "tell",
    };

    return names[act];
}

bool bitrix_is_absent(const struct bitrix_rule *rule)
{
    return rule->says == SAYS_ABSENT || rule->says == SAYS_ABSENT_ALONE;
}

/* ---- texts, folded ---- */

#define TEXT_MOST 512

static struct str trimmed(struct str s)
{
    while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
        s = (struct str){ s.p + 1, s.n - 1 };
    while (s.n > 0 && strchr(" \t\r\n.!", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static bool has_text(struct str whole, struct str part)
{
    return memmem(whole.p, whole.n, part.p, part.n) != NULL;
}

static bool has_words(struct str whole, struct str words)
{
    for (size_t i = 0; i + words.n <= whole.n; i++) {
        const size_t end = i + words.n;

        if (memcmp(whole.p + i, words.p, words.n) == 0 && (i == 0 || !is_letter(whole.p[i - 1])) &&
            (end == whole.n || !is_letter(whole.p[end])))
            return true;
    }
    return false;
}

/* Whether one of "a|b|c" is found in the text. */
static bool any_of(const char *alternatives, struct str text, bool (*found)(struct str, struct str))
{
    for (const char *at = alternatives;; at++) {
        const size_t n = strcspn(at, "|");

        if (found(text, (struct str){ at, n }))
            return true;
        at += n;
        if (*at == '\0')
            return false;
    }
}

/* What is not found, but is no record. */
#define NO_RECORDS \
    "method|user|portal|application|page|cache|stage|field|метод|пользователь|портал|приложение|страница|" \
    "кеш|" \
    "кэш|стадия|поле"

static bool text_fits(const char *pattern, struct str text)
{
    switch (pattern[0]) {
    case '=':
        return any_of(pattern + 1, trimmed(text), str_eq);
    case '~':
        return any_of(pattern + 1, text, has_words) && !any_of(NO_RECORDS, text, has_words);
    default:
        return any_of(pattern, text, has_text);
    }
}

static bool rule_fits(const struct bitrix_rule *r, int status, struct str code, struct str folded)
{
    if (status < r->least || status > r->most)
        return false;
    if (r->code != NULL && !str_case_eq(code, str_of(r->code)))
        return false;
    return r->text == NULL || text_fits(r->text, folded);
}

/* Facts 16: the table's 200 is a command's. An error without a code is a method's own word, under whatever
 * status. */
int bitrix_status_of(int status, bool whole, struct str code)
{
    const bool has_code = code.n > 0 && code.p[0] != '(' && !str_is(code, "0");

    return whole && status == 200 && has_code ? BITRIX_STATUS_UNTOLD : status;
}

const struct bitrix_rule *bitrix_rule_of(int status, struct str code, struct str description)
{
    const int last = BITRIX_RULE_COUNT - 1;
    char folded[TEXT_MOST];
    const struct str text = { folded, description.n < TEXT_MOST ? description.n : TEXT_MOST };

    if (text.n > 0)
        memcpy(folded, description.p, text.n);
    utf8_fold(folded, text.n);
    if (str_is(code, "0")) /* the classic methods' empty code (facts 2.2) */
        code = STR("");
    for (int i = 0; i < last; i++)
        if (rule_fits(&BITRIX_RULES[i], status, code, text))
            return &BITRIX_RULES[i];
    return &BITRIX_RULES[last];
}

enum err_kind bitrix_classify(int status, struct str code, struct str description)
{
    return bitrix_rule_of(status, code, description)->kind;
}
