#include "connectors/bitrix_event.h"

#include "base/mem.h"
#include "proto/msg.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    enum bitrix_event_class class_;
    enum change_kind kind;
    const char *only; /* entity that alone has it; NULL: each */
} VERBS[] = {
    { "ADD", EVENT_RECORD, CHANGE_KIND_SET, NULL },
    { "UPDATE", EVENT_RECORD, CHANGE_KIND_SET, NULL },
    { "MOVETOCATEGORY", EVENT_RECORD, CHANGE_KIND_SET, "deal" },
    { "DELETE", EVENT_RECORD, CHANGE_KIND_GONE, NULL },
    { "USERFIELDADD", EVENT_FIELDS, CHANGE_KIND_FIELDS, NULL },
    { "USERFIELDUPDATE", EVENT_FIELDS, CHANGE_KIND_FIELDS, NULL },
    { "USERFIELDDELETE", EVENT_FIELDS, CHANGE_KIND_FIELDS, NULL },
    { "USERFIELDSETENUMVALUES", EVENT_FIELDS, CHANGE_KIND_FIELDS, NULL },
};

static const char *const APP_EVENTS[] = { "ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPPAYMENT", "ONAPPTEST",
    "ONAPPMETHODCONFIRM" };

/* What follows `start` in s; p NULL: it does not begin so. */
static struct str after(struct str s, const char *start)
{
    size_t n = strlen(start);

    if (s.n < n || !str_case_eq((struct str){ s.p, n }, str_of(start)))
        return (struct str){ NULL, 0 };
    return (struct str){ s.p + n, s.n - n };
}

static struct bitrix_event record_event(struct str rest)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        struct str verb = after(rest, ENTITIES[i].singular);

        for (size_t k = 0; verb.p != NULL && k < ARRAY_SIZE(VERBS); k++)
            if (str_case_eq(verb, str_of(VERBS[k].name)))
                return (struct bitrix_event){ VERBS[k].class_, &ENTITIES[i], VERBS[k].kind };
    }
    return (struct bitrix_event){ EVENT_UNKNOWN, NULL, CHANGE_KIND_SET };
}

struct bitrix_event bitrix_event_of(struct str name)
{
    struct str rest = after(name, "ONCRM");

    if (rest.p != NULL)
        return record_event(rest);
    if (str_case_eq(name, STR(BITRIX_EVENT_QUEUE_NAME)))
        return (struct bitrix_event){ EVENT_PORTAL, NULL, CHANGE_KIND_QUEUE };
    if (str_case_eq(name, STR("ONAPPUPDATE")))
        return (struct bitrix_event){ EVENT_PORTAL, NULL, CHANGE_KIND_RENEWED };
    for (size_t i = 0; i < ARRAY_SIZE(APP_EVENTS); i++)
        if (str_case_eq(name, str_of(APP_EVENTS[i])))
            return (struct bitrix_event){ EVENT_APP, NULL, CHANGE_KIND_SET };
    return (struct bitrix_event){ EVENT_UNKNOWN, NULL, CHANGE_KIND_SET };
}

int bitrix_events_of(const struct entity *e, char ret[static BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE])
{
    int n = 0;

    static_assert(ARRAY_SIZE(VERBS) <= BITRIX_EVENTS_MAX, "room for each");
    for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++) {
        if (VERBS[i].only != NULL && strcmp(VERBS[i].only, e->singular) != 0)
            continue;
        snprintf(ret[n], BITRIX_EVENT_NAME_SIZE, "ONCRM%s%s", e->singular, VERBS[i].name);
        for (char *c = ret[n]; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        n++;
    }
    return n;
}

bool bitrix_event_id(struct str text, uint64_t *ret)
{
    uint64_t id;

    if (text.n == 0 || text.p[0] < '0' || text.p[0] > '9' || !str_u64(text, &id) || id == 0 ||
        id >= RANGE_OPEN)
        return false;
    *ret = id;
    return true;
}

bool bitrix_event_document(struct str document, const struct entity **ret_entity, uint64_t *ret_id)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        struct str id = after(document, ENTITIES[i].singular);

        if (id.n < 2 || id.p[0] != '_' || !bitrix_event_id((struct str){ id.p + 1, id.n - 1 }, ret_id))
            continue;
        *ret_entity = &ENTITIES[i];
        return true;
    }
    return false;
}
