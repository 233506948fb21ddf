#include "event.h"

#include "base/mem.h"
#include "proto/msg.h"

#include <string.h>

static const struct verb {
    const char *name;
    enum event_class class_;
    enum change_kind kind;
} VERBS[] = {
    { "ADD", EVENT_RECORD, CHANGE_KIND_SET },
    { "UPDATE", EVENT_RECORD, CHANGE_KIND_SET },
    { "MOVETOCATEGORY", EVENT_RECORD, CHANGE_KIND_SET },
    { "DELETE", EVENT_RECORD, CHANGE_KIND_GONE },
    { "USERFIELDADD", EVENT_FIELDS, CHANGE_KIND_FIELDS },
    { "USERFIELDUPDATE", EVENT_FIELDS, CHANGE_KIND_FIELDS },
    { "USERFIELDDELETE", EVENT_FIELDS, CHANGE_KIND_FIELDS },
    { "USERFIELDSETENUMVALUES", EVENT_FIELDS, CHANGE_KIND_FIELDS },
};

static const char *const APP_EVENTS[] = { "ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE", "ONAPPPAYMENT",
    "ONAPPTEST", "ONAPPMETHODCONFIRM", "ONOFFLINEEVENT" };

/* What follows `start` in s; p NULL: it does not begin so. */
static struct str after(struct str s, const char *start)
{
    size_t n = strlen(start);

    if (s.n < n || !str_case_eq((struct str){ s.p, n }, str_of(start)))
        return (struct str){ NULL, 0 };
    return (struct str){ s.p + n, s.n - n };
}

static struct event record_event(struct str rest)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        struct str verb = after(rest, ENTITIES[i].singular);

        for (size_t k = 0; verb.p != NULL && k < ARRAY_SIZE(VERBS); k++)
            if (str_case_eq(verb, str_of(VERBS[k].name)))
                return (struct event){ VERBS[k].class_, &ENTITIES[i], VERBS[k].kind };
    }
    return (struct event){ EVENT_UNKNOWN, NULL, CHANGE_KIND_SET };
}

struct event event_of(struct str name)
{
    struct str rest = after(name, "ONCRM");

    if (rest.p != NULL)
        return record_event(rest);
    for (size_t i = 0; i < ARRAY_SIZE(APP_EVENTS); i++)
        if (str_case_eq(name, str_of(APP_EVENTS[i])))
            return (struct event){ EVENT_APP, NULL, CHANGE_KIND_SET };
    return (struct event){ EVENT_UNKNOWN, NULL, CHANGE_KIND_SET };
}

bool event_id(struct str text, uint64_t *ret)
{
    uint64_t id;

    if (text.n == 0 || text.p[0] < '0' || text.p[0] > '9' || !str_u64(text, &id) || id == 0 ||
        id >= RANGE_OPEN)
        return false;
    *ret = id;
    return true;
}

bool event_document(struct str document, const struct entity **ret_entity, uint64_t *ret_id)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        struct str id = after(document, ENTITIES[i].singular);

        if (id.n < 2 || id.p[0] != '_' || !event_id((struct str){ id.p + 1, id.n - 1 }, ret_id))
            continue;
        *ret_entity = &ENTITIES[i];
        return true;
    }
    return false;
}
