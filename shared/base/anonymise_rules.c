#include "base/anonymise_rules.h"

#include "base/mem.h"

/* Keys that may stay, in the spelling of the classic methods, by rule; and keys that are standard and hold
 * text, so that their labels may stay. */
static const struct {
    enum anon_rule rule;
    const char *keys;
} rules[] = {
    { ANON_ID, "ID IDS SORT TOTAL NEXT ASSIGNED_BY_ID CREATED_BY_ID MODIFY_BY_ID MOVED_BY_ID "
               "LAST_ACTIVITY_BY CREATED_BY "
               "UPDATED_BY MOVED_BY COMPANY_ID COMPANY_IDS CONTACT_ID CONTACT_IDS LEAD_ID QUOTE_ID "
               "CATEGORY_ID FACE_ID "
               "ADDRESS_LOC_ADDR_ID REG_ADDRESS_LOC_ADDR_ID LOC_ADDR_ID OWNER_ID OWNER_TYPE_ID "
               "ENTITY_TYPE_ID UF_DEPARTMENT "
               "PARENT_ENTITY_TYPE_ID IBLOCK_ID DECIMALS AMOUNT_CNT ANCHOR_ID ANCHOR_TYPE_ID" },
    { ANON_CODE,
        "ERROR STAGE_ID STATUS_ID TYPE_ID COMPANY_TYPE SOURCE_ID HONORIFIC INDUSTRY EMPLOYEES CURRENCY_ID "
        "STAGE_SEMANTIC_ID STATUS_SEMANTIC_ID PREVIOUS_STAGE_ID VALUE_TYPE ENTITY_ID FIELD_NAME USER_TYPE_ID "
        "SEMANTICS "
        "COLOR TYPE STATUS_TYPE UPPER_NAME BASE CURRENCY LID USER_TYPE COMPLEX_ID DISPLAY ENTITY_TYPE "
        "TIME_ZONE LANGUAGE_ID" },
    { ANON_DATE,
        "DATE_CREATE DATE_MODIFY MOVED_TIME BEGINDATE CLOSEDATE DATE_CLOSED LAST_ACTIVITY_TIME CREATED_TIME "
        "UPDATED_TIME LAST_COMMUNICATION_TIME TIMESTAMP_X LAST_ACTIVITY_DATE LAST_LOGIN DATE_REGISTER "
        "CREATED_DATE "
        "DATE_UPDATE" },
    { ANON_LABEL, "TITLE" },
    { ANON_WORDS, "ERROR_DESCRIPTION MESSAGE" },
    { ANON_TEXT,
        "NAME SECOND_NAME LAST_NAME BIRTHDATE POST ADDRESS ADDRESS_2 ADDRESS_CITY ADDRESS_POSTAL_CODE "
        "ADDRESS_REGION "
        "ADDRESS_PROVINCE ADDRESS_COUNTRY ADDRESS_COUNTRY_CODE ADDRESS_LEGAL REG_ADDRESS REG_ADDRESS_2 "
        "REG_ADDRESS_CITY "
        "REG_ADDRESS_POSTAL_CODE REG_ADDRESS_REGION REG_ADDRESS_PROVINCE REG_ADDRESS_COUNTRY "
        "REG_ADDRESS_COUNTRY_CODE "
        "BANKING_DETAILS COMMENTS OPPORTUNITY TAX_VALUE REVENUE PROBABILITY ORIGINATOR_ID ORIGIN_ID "
        "ORIGIN_VERSION "
        "UTM_SOURCE UTM_MEDIUM UTM_CAMPAIGN UTM_CONTENT UTM_TERM SOURCE_DESCRIPTION STATUS_DESCRIPTION "
        "ADDITIONAL_INFO "
        "LOCATION_ID COMPANY_TITLE PHONE EMAIL WEB IM LINK PHOTO LOGO IS_NEW IS_RECURRING IS_RETURN_CUSTOMER "
        "IS_REPEATED_APPROACH IS_MANUAL_OPPORTUNITY OPENED CLOSED EXPORT IS_MY_COMPANY HAS_PHONE HAS_EMAIL "
        "HAS_IMOL" },
};

/* A trailing point, quotes and case differ between portals (facts section 16). */
static const char *const known_words[] = {
    "Too many requests",
    "Method is blocked due to operation time limit",
    "REST API is blocked due to overload",
    "Internal server error",
    "Server returned an unexpected response",
    "Portal was deleted",
    "The access token provided has expired",
    "Unable to get application by token",
    "Wrong authorization data",
    "Invalid request credentials",
    "Unable to authorize user",
    "Application not found",
    "Application not installed",
    "Waiting for confirmation",
    "Subscription has been ended",
    "Payment required",
    "The request requires higher privileges than provided by the webhook token",
    "The request requires higher privileges than provided by the access token",
    "REST API is available only on commercial plans",
    "Access denied",
    "Access denied!",
    "Access denied! Available only on extended plans",
    "Access denied! Application context required",
    "Current user can't be authorized in this context",
    "The user does not have access to the application",
    "Action is allowed only for intranet users",
    "Https required",
    "Max batch length exceeded",
    "Method is not allowed for batch usage",
    "Method not found!",
    "Not found",
    "ID is not defined or invalid",
    "Parameter 'filter' must be array",
    "Parameter 'order' must be array",
    "Parameter 'fields' must be array",
    "Parameter 'params' must be array",
    "Parameter 'cmd' must be array",
    "Parameter 'type' is required",
    "Failed to get list. General error",
    "Communication type is not defined",
    "Communication values is not defined",
    "Invalid filter: field 'NO_SUCH_FIELD' is not allowed in filter",
    "Invalid filter: field 'noSuchField' is not allowed in filter",
    "The entity type is not supported",
    "Item not found",
    "Element not found",
    "Элемент не найден",
    "Доступ запрещён",
    "Доступ запрещен",
    "Доступ запрещен.",
    "Не найдено",
};

static bool is_in(const char *name, const char *list)
{
    const size_t n = strlen(name);

    for (const char *p = list; (p = strstr(p, name)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

bool anon_name(struct str key, char ret[static ANON_NAME_SIZE])
{
    const bool camel = key.n > 0 && key.p[0] >= 'a' && key.p[0] <= 'z';
    size_t n = 0;

    for (size_t i = 0; i < key.n; i++) {
        const char c = key.p[i];
        const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

        if (!upper && !lower && !(c >= '0' && c <= '9') && c != '_')
            return false;
        if (n + 3 > ANON_NAME_SIZE)
            return false;
        if (camel && upper && i > 0 && key.p[i - 1] != '_')
            ret[n++] = '_';
        ret[n++] = (char)(lower ? c & ~0x20 : c);
    }
    ret[n] = '\0';
    return n > 0;
}

bool anon_rule_of(struct str key, enum anon_rule *ret)
{
    char name[ANON_NAME_SIZE];

    *ret = ANON_TEXT;
    if (!anon_name(key, name))
        return false;
    if (strncmp(name, "PARENT_ID_", 10) == 0) { /* a link to a record of a smart process */
        *ret = ANON_ID;
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (is_in(name, rules[i].keys)) {
            *ret = rules[i].rule;
            return true;
        }
    }
    return false;
}

/* The same but for case (ASCII), quotes and points at the end. */
static bool same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '\'' || *a == '"')
            a++;
        while (*b == '\'' || *b == '"')
            b++;
        if (*a == '\0' || *b == '\0')
            break;
        const int x = *a >= 'A' && *a <= 'Z' ? *a | 0x20 : *a, y = *b >= 'A' && *b <= 'Z' ? *b | 0x20 : *b;
        if (x != y)
            break;
    }
    while (*a == '.' || *a == '!' || *a == ' ')
        a++;
    while (*b == '.' || *b == '!')
        b++;
    return *a == '\0' && *b == '\0';
}

bool anon_words_known(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_words); i++)
        if (same_words(text, known_words[i]))
            return true;
    return false;
}

bool anon_is_id(const char *text)
{
    size_t letters = 0, digits = 0;

    while (text[letters] >= 'A' && text[letters] <= 'Z' && letters < 4)
        letters++;
    if (letters > 0 && text[letters] != '_')
        return false;
    text += letters > 0 ? letters + 1 : text[0] == '-';
    while (text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return text[digits] == '\0' && digits > 0 && digits <= 20;
}

bool anon_is_code(const char *text)
{
    size_t n = 0;

    for (; text[n] != '\0'; n++) {
        const char c = text[n];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                strchr("_-:.#/*", c)))
            return false;
    }
    return n <= 64;
}
