#include "item_name.h"

#include <ctype.h>
#include <stdio.h>

#include "base/mem.h"

static const struct {
    const char *classic, *item;
} special[] = {
#define ITEM_NAME(classic, item) { classic, item },
#include "item_names.def"
#undef ITEM_NAME
};

int item_which(int64_t entity_type_id)
{
    for (int w = 0; w < KINDS; w++) {
        if (WHICH[w].type_id == entity_type_id)
            return w;
    }
    return -1;
}

/* TITLE -> title, LAST_ACTIVITY_BY -> lastActivityBy, PARENT_ID_156 -> parentId156. */
static void camel(const char *name, char *ret)
{
    bool upper = false;
    size_t n = 0;

    for (const char *p = name; *p != '\0' && n < ITEM_NAME_MAX - 1; p++) {
        if (*p == '_')
            upper = n > 0;
        else
            ret[n++] = (char)(upper ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
        upper &= *p == '_';
    }
    ret[n] = '\0';
}

/* Behind the object's number there are only digits or only letters. */
static bool is_regular(const char *rest)
{
    bool digits = false, letters = false;

    for (; *rest != '\0'; rest++) {
        digits |= isdigit((unsigned char)*rest) != 0;
        letters |= isalpha((unsigned char)*rest) != 0;
    }
    return digits != letters;
}

/* UF_CRM_3_DIGIT -> ufCrm3Digit, UF_CRM_2_1639 -> ufCrm2_1639; without a number, or mixed: ufCrm_ and the
 * rest as it is. */
static void user_name(const char *name, char *ret)
{
    const char *rest = name + strlen("UF_CRM_");
    const size_t number = strspn(rest, "0123456789");
    char tail[ITEM_NAME_MAX];

    if (number == 0 || rest[number] != '_' || !is_regular(rest + number + 1)) {
        snprintf(ret, ITEM_NAME_MAX, "ufCrm_%s", rest);
        return;
    }
    const bool digits = isdigit((unsigned char)rest[number + 1]);
    camel(rest + number + 1, tail);
    if (!digits)
        tail[0] = (char)toupper((unsigned char)tail[0]);
    snprintf(ret, ITEM_NAME_MAX, "ufCrm%.*s%s%.60s", (int)number, rest, digits ? "_" : "", tail);
}

static void plain_name(const struct attr *a, char *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
        if (strcmp(special[i].classic, a->name) == 0) {
            snprintf(ret, ITEM_NAME_MAX, "%s", special[i].item);
            return;
        }
    }
    if (a->flags & ATTR_MULTIPLE && strcmp(a->name, "CONTACT_ID") == 0) /* those of a company */
        snprintf(ret, ITEM_NAME_MAX, "contactIds");
    else if (strncmp(a->name, "UF_CRM_", 7) == 0)
        user_name(a->name, ret);
    else
        camel(a->name, ret);
}

const char *item_name(
    const struct attr_list *l, const struct attr *a, bool original, char room[static ITEM_NAME_MAX])
{
    char other[ITEM_NAME_MAX];

    room[0] = '\0';
    if (attr_is_multifield(a) || a->flags & ATTR_CLASSIC)
        return room;
    if (original && a->flags & ATTR_USER) {
        snprintf(room, ITEM_NAME_MAX, "%s", a->name);
        return room;
    }
    plain_name(a, room);
    for (int i = 0; a->flags & ATTR_USER && i < l->count && l->list[i] != a; i++) {
        plain_name(l->list[i], other);
        if (strcmp(other, room) == 0)
            snprintf(room, ITEM_NAME_MAX, "%s", a->name);
    }
    return room;
}

const struct attr *item_attr(const struct attr_list *l, struct str name, bool original)
{
    char room[ITEM_NAME_MAX];

    for (int i = 0; i < l->count; i++) {
        if (name.n > 0 && str_is(name, item_name(l, l->list[i], original, room)))
            return l->list[i];
    }
    return NULL;
}
