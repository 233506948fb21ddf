/* attr.h - the fields of an entity: standard ones from deal.def and its like, user fields from userfields.def, and
 * those added while the sandbox runs. Facts sections 6.1-6.4. Loop thread. */
#pragma once

#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record;
struct attr;

/* What kind of column a value of the type is in truth. */
enum truth_kind { TRUTH_TEXT, TRUTH_INT, TRUTH_DECIMAL, TRUTH_BOOL, TRUTH_DATE, TRUTH_TIME, TRUTH_JSON, TRUTH_MONEY };

struct attr_type {
    const char *name;           /* "crm_status" */
    enum truth_kind truth;
    bool link;                  /* an id elsewhere: "0" says none */
};

enum {
    ATTR_READ_ONLY = 1,
    ATTR_IMMUTABLE = 2,         /* settable only on create */
    ATTR_MULTIPLE = 4,
    ATTR_DEPRECATED = 8,
    ATTR_REQUIRED = 16,
    ATTR_UNSEEN = 32,           /* described, but in no row: CONTACT_IDS (section 4.2) */
    ATTR_USER = 64,
    ATTR_ITEM = 128,            /* known to crm.item.* alone, and empty in every record */
    ATTR_HOLLOW = 256,          /* described there, and in no item either */
    ATTR_CLASSIC = 512,         /* unknown to crm.item.* */
    ATTR_LOCKED = 1024,         /* not described as read-only, and not to be written all the same */
};

/* Fields of one facet change together: a new stage moves its semantics and CLOSED with it. */
enum facet {
    FACET_FIXED,                /* never changes */
    FACET_PERSON, FACET_TITLE, FACET_STAGE, FACET_MONEY, FACET_LINK, FACET_TEXT, FACET_COMM, FACET_ADDRESS,
    FACET_USER_A, FACET_USER_B, FACET_USER_C,
    FACETS
};

/* Makes the value of a field that is not empty. h: chance of this field of this record in its version. */
typedef void attr_make(const struct record *r, const struct attr *a, uint64_t h, struct value *ret);

struct attr {
    const char *name;           /* "UF_CRM_STRING" */
    const struct attr_type *type;
    const char *type_name;      /* of a type nobody knows: as it was given */
    const char *dictionary;     /* crm_status: ENTITY_ID of its dictionary */
    attr_make *make;
    int arg;                    /* of the generator */
    int fill;                   /* of 100 records, how many have a value */
    enum facet facet;
    unsigned flags;
    int place;                  /* in the entity's list; chance depends on it; -1: of ATTR_ITEM, it needs none */
    int user_id;                /* ID in userfield.list */
    char *label;                /* as people read it; NULL of some standard fields: the code */
    struct attr_item *items;    /* values are made of the first ENUM_ITEMS */
    int item_count;
    size_t key_n;
    char key[72];               /* "\"TITLE\":" */
};

struct attr_item {              /* of an enumeration */
    int id;
    char *text;                 /* NULL: deleted; who had it has nothing */
};

/* The first four are what classic methods and the admin routes for people's changes are about; the others are seen by
 * crm.item.* alone. */
enum which { DEAL, CONTACT, COMPANY, LEAD, WHICHES, QUOTE = WHICHES, INVOICE, SMART, KINDS };

struct which_name {
    const char *plural, *singular, *method;     /* "deals", "deal", "crm.deal" */
    const char *uf_entity;                      /* "CRM_DEAL" */
    const char *letter;                         /* "D": in bindings "D_12" */
    int type_id;                                /* entityTypeId */
};
extern const struct which_name WHICH[KINDS];
int which_of(struct str plural_or_singular);    /* -1: none */

struct attr_list {
    enum which which;
    struct attr **list;
    int count;
    int next_place;             /* places of deleted fields are not given again */
    unsigned edits;             /* rises whenever a field is added, changed or deleted: what was made of them is stale */
};
void attrs_init(struct attr_list *ret, enum which w);
void attrs_fini(struct attr_list *l);
const struct attr *attr_find(const struct attr_list *l, struct str name);       /* any case; NULL */
/* A user field added at run time; name at most 50 bytes, of [A-Z0-9_] (checked by the caller). */
struct attr *attr_add(struct attr_list *l, const char *name, struct str type, bool multiple);
bool attr_is_multifield(const struct attr *a);

/* User fields as people change them in the portal's settings. */
void attr_remove(struct attr_list *l, struct attr *a);          /* frees it */
void attr_name(struct attr_list *l, struct attr *a, const char *label);
/* Values generated so far become others, of the new type; those set by hand are read anew. */
void attr_retype(struct attr_list *l, struct attr *a, struct str type, bool multiple);
void attr_add_item(struct attr_list *l, struct attr *a, const char *text);
bool attr_set_item(struct attr_list *l, struct attr *a, int id, const char *text);  /* NULL: deletes; false: no such */

#define ENUM_ITEMS 6            /* an enumeration begins with so many */
