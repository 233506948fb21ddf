#include "attr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "generate.h"

enum {
#define TYPE(id, name, truth, link) TYPE_##id,
#include "types.def"
#undef TYPE
    TYPES
};

static const struct attr_type types[TYPES] = {
#define TYPE(id, name, truth, link) { name, truth, link },
#include "types.def"
#undef TYPE
};

const struct which_name WHICH[KINDS] = {
    [DEAL] = { "deals", "deal", "crm.deal", "CRM_DEAL", "D", 2 },
    [CONTACT] = { "contacts", "contact", "crm.contact", "CRM_CONTACT", "C", 3 },
    [COMPANY] = { "companies", "company", "crm.company", "CRM_COMPANY", "CO", 4 },
    [LEAD] = { "leads", "lead", "crm.lead", "CRM_LEAD", "L", 1 },
    [QUOTE] = { "quotes", "quote", "crm.quote", "CRM_QUOTE", "Q", 7 },
    [INVOICE] = { "invoices", "invoice", "crm.item", "CRM_SMART_INVOICE", "SI", 31 },
    [SMART] = { "items", "item", "crm.item", "CRM_3", "T9c", 156 },
};

enum { /* short names for the tables */
    R = ATTR_READ_ONLY,
    I = ATTR_IMMUTABLE,
    M = ATTR_MULTIPLE,
    X = ATTR_DEPRECATED,
    Q = ATTR_REQUIRED,
    U = ATTR_UNSEEN,
    C = ATTR_CLASSIC,
    O = ATTR_UNSEEN | ATTR_ITEM,
    H = ATTR_UNSEEN | ATTR_ITEM | ATTR_HOLLOW,
};

#define ATTR(name_, type_, flags_, dictionary_, arg_, fill_, facet_, make_) \
    { .name = #name_, \
        .type = &types[TYPE_##type_], \
        .flags = flags_, \
        .dictionary = dictionary_, \
        .arg = arg_, \
        .fill = fill_, \
        .facet = FACET_##facet_, \
        .make = make_ },
static const struct attr deal_attrs[] = {
#include "deal.def"
};
static const struct attr contact_attrs[] = {
#include "contact.def"
};
static const struct attr company_attrs[] = {
#include "company.def"
};
static const struct attr lead_attrs[] = {
#include "lead.def"
};
static const struct attr quote_attrs[] = {
#include "quote.def"
};
#define STAGES         "DYNAMIC_156_STAGE_10"
#define SMART_CATEGORY 10
static const struct attr smart_attrs[] = {
#include "smart.def"
};
#undef STAGES
#undef SMART_CATEGORY
#define STAGES         "SMART_INVOICE_STAGE_5"
#define SMART_CATEGORY 5
static const struct attr invoice_attrs[] = {
#include "smart.def"
};
#undef STAGES
#undef SMART_CATEGORY
#undef ATTR

static const struct attr user_attrs[] = {
#define USERFIELD(name_, type_, flags_, fill_, facet_) \
    { .name = #name_, \
        .type = &types[TYPE_##type_], \
        .flags = ATTR_USER | flags_, \
        .fill = fill_, \
        .facet = FACET_##facet_, \
        .make = make_user_field },
#include "userfields.def"
};
static const struct attr smart_user_attrs[] = {
#include "smart_userfields.def"
#undef USERFIELD
};

static const struct {
    const struct attr *attrs;
    size_t count;
} standard[KINDS] = {
    [DEAL] = { deal_attrs, ARRAY_SIZE(deal_attrs) },
    [CONTACT] = { contact_attrs, ARRAY_SIZE(contact_attrs) },
    [COMPANY] = { company_attrs, ARRAY_SIZE(company_attrs) },
    [LEAD] = { lead_attrs, ARRAY_SIZE(lead_attrs) },
    [QUOTE] = { quote_attrs, ARRAY_SIZE(quote_attrs) },
    [INVOICE] = { invoice_attrs, ARRAY_SIZE(invoice_attrs) },
    [SMART] = { smart_attrs, ARRAY_SIZE(smart_attrs) },
};

int which_of(struct str name)
{
    for (int w = 0; w < KINDS; w++) {
        if (str_case_eq(name, str_of(WHICH[w].plural)) || str_case_eq(name, str_of(WHICH[w].singular)))
            return w;
    }
    return -1;
}

static void append_item(struct attr *a, int id, const char *text)
{
    a->items = xrealloc(a->items, (size_t)(a->item_count + 1) * sizeof(*a->items));
    a->items[a->item_count++] = (struct attr_item){ id, xstrdup(text) };
}

static void make_items(struct attr *a)
{
    static const char *const texts[ENUM_ITEMS] = { "Да", "Нет", "Уточняется", "По договору",
        "Опт <от 10 шт.>", "Другое \"прочее\" & не указано" };

    for (int i = 0; i < ENUM_ITEMS && a->item_count < ENUM_ITEMS; i++)
        append_item(a, 40 + a->place * 2 * ENUM_ITEMS + i * 2, texts[i]); /* gaps, as after deleted items */
}

static void take_type(struct attr *a)
{
    if (a->type == &types[TYPE_STATUS])
        a->dictionary = "SOURCE";
    if (strcmp(a->type_name, "enumeration") == 0)
        make_items(a);
}

static struct attr *append(struct attr_list *l, const struct attr *like)
{
    struct attr *a = xmalloc(sizeof(*a));

    *a = *like;
    a->name = xstrdup(like->name);
    a->type_name = xstrdup(like->type_name ? like->type_name : like->type->name);
    a->place = a->flags & ATTR_ITEM ? -1 : l->next_place++;
    if (a->flags & ATTR_USER) {
        a->user_id = 100 + a->place * KINDS + (int)l->which; /* one portal numbers all of them */
        a->label = xasprintf("Поле %s", a->name + strlen("UF_CRM_"));
        take_type(a);
    }
    l->edits++;
    a->key_n = (size_t)snprintf(a->key, sizeof(a->key), "\"%s\":", a->name);
    l->list = xrealloc(l->list, (size_t)(l->count + 1) * sizeof(*l->list));
    l->list[l->count++] = a;
    return a;
}

static char *label_of(enum which w, const char *name)
{
    static const struct {
        enum which w;
        const char *name, *label;
    } labels[] = {
#define LABEL(which, name, label) { which, #name, label },
#include "labels.def"
#undef LABEL
    };

    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        const bool fits = labels[i].w == KINDS || labels[i].w == w || (labels[i].w == SMART && w == INVOICE);
        if (fits && strcmp(labels[i].name, name) == 0)
            return xstrdup(labels[i].label);
    }
    return NULL;
}

void attrs_init(struct attr_list *ret, enum which w)
{
    *ret = (struct attr_list){ .which = w };
    for (size_t i = 0; i < standard[w].count; i++) {
        struct attr *a = append(ret, &standard[w].attrs[i]);
        a->label = label_of(w, a->name);
        if (w == COMPANY && strncmp(a->name, "LAST_ACTIVITY_", 14) == 0) /* facts section 6.2 */
            a->flags = (a->flags & ~(unsigned)ATTR_READ_ONLY) | ATTR_LOCKED;
    }
    const struct attr *own = w == SMART ? smart_user_attrs : user_attrs;
    const size_t count = w == SMART ? ARRAY_SIZE(smart_user_attrs) : ARRAY_SIZE(user_attrs);
    for (size_t i = 0; i < count; i++)
        append(ret, &own[i]);
}

static void attr_free(struct attr *a)
{
    for (int i = 0; i < a->item_count; i++)
        free(a->items[i].text);
    free(a->items);
    free(a->label);
    free((char *)a->name);
    free((char *)a->type_name);
    free(a);
}

void attrs_fini(struct attr_list *l)
{
    for (int i = 0; i < l->count; i++)
        attr_free(l->list[i]);
    free(l->list);
    *l = (struct attr_list){ 0 };
}

const struct attr *attr_find(const struct attr_list *l, struct str name)
{
    for (int i = 0; i < l->count; i++) {
        if (str_case_eq(str_of(l->list[i]->name), name))
            return l->list[i];
    }
    return NULL;
}

static const struct attr_type *type_of(struct str name)
{
    for (int i = 0; i < TYPES; i++) {
        if (str_is(name, types[i].name))
            return &types[i];
    }
    return &types[TYPE_OTHER];
}

struct attr *attr_add(struct attr_list *l, const char *name, struct str type, bool multiple)
{
    char *type_name = str_dup(type);
    struct attr *a = append(l, &(struct attr){ .name = name,
                                   .type = type_of(type),
                                   .type_name = type_name,
                                   .flags = ATTR_USER | (multiple ? ATTR_MULTIPLE : 0),
                                   .fill = 40,
                                   .facet = FACET_USER_C,
                                   .make = make_user_field });
    free(type_name);
    return a;
}

bool attr_is_multifield(const struct attr *a)
{
    return a->type == &types[TYPE_MULTIFIELD];
}

/* ---- as people change them ---- */

void attr_remove(struct attr_list *l, struct attr *a)
{
    int i = 0;

    while (l->list[i] != a)
        i++;
    memmove(&l->list[i], &l->list[i + 1], (size_t)(--l->count - i) * sizeof(*l->list));
    attr_free(a);
    l->edits++;
}

void attr_name(struct attr_list *l, struct attr *a, const char *label)
{
    free(a->label);
    a->label = xstrdup(label);
    l->edits++;
}

void attr_retype(struct attr_list *l, struct attr *a, struct str type, bool multiple)
{
    free((char *)a->type_name);
    a->type_name = str_dup(type);
    a->type = type_of(type);
    a->flags = (a->flags & ~(unsigned)ATTR_MULTIPLE) | (multiple ? ATTR_MULTIPLE : 0);
    a->dictionary = NULL;
    take_type(a);
    l->edits++;
}

void attr_add_item(struct attr_list *l, struct attr *a, const char *text)
{
    append_item(a, 10000 + a->place * 100 + a->item_count, text);
    l->edits++;
}

bool attr_set_item(struct attr_list *l, struct attr *a, int id, const char *text)
{
    for (int i = 0; i < a->item_count; i++) {
        if (a->items[i].id != id || a->items[i].text == NULL)
            continue;
        free(a->items[i].text);
        a->items[i].text = text != NULL ? xstrdup(text) : NULL;
        l->edits++;
        return true;
    }
    return false;
}
