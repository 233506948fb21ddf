/* entity.h - the table of entities.def. Constant; any thread. */
#pragma once

#include "base/str.h"

struct entity {
    const char *plural;         /* "deals": the name in configuration, messages, tables */
    const char *singular;       /* "deal" */
    const char *method;         /* "crm.deal": + ".list", ".get", ".fields", ".userfield.list" */
    const char *id_field;       /* "ID" */
    const char *changed_field;  /* "DATE_MODIFY" */
    int type_id;                /* entityTypeId (facts/bitrix24.md section 4.4) */
    int multifields;            /* PHONE, EMAIL, WEB, IM, LINK must be named in select (section 4.3) */
};

extern const struct entity ENTITIES[];
extern const int ENTITY_COUNT;
const struct entity *entity_of(struct str name);    /* plural or singular, any case; NULL = unknown */
const char *entity_plural(struct str name);         /* for config_checks; NULL = unknown */
const char *entity_names(void);                     /* "deals, contacts, …": for messages */
