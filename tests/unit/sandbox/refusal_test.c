/* What methods refuse, as the error tables and samples of the vendor's pages have it: status, code, text
 * (facts section 2.4). userfield.* is in userfield_test.c, limits and tokens are in others. */
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk)
{
    struct portal_options o = ask_options();

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    o.store.counts[QUOTE] = 5;
    o.store.counts[SMART] = 5;
    return ask_open_with(o);
}

struct refusal {
    const char *method, *body; /* $ in the body: the number of the method's first record */
    int status;
    const char *code, *text; /* code as JSON; text NULL: in the portal's language */
};

static char *with_id(const char *body, uint32_t id)
{
    const char *at = strchr(body, '$');

    return at == NULL ? xstrdup(body) : xasprintf("%.*s%u%s", (int)(at - body), body, id, at + 1);
}

static void check(struct portal *p, const char *method, const struct refusal *r, enum which w)
{
    char path[200], *body = with_id(r->body, p->store.crm[w].ids[0]);
    int status;

    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, method);
    char *text = ask_raw(p, path, body, "application/json", &status);
    json_t *answer = json_loads(text, 0, NULL);
    char *code = json_dumps(json_object_get(answer, "error"), JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    if (status != r->status || code == NULL || strcmp(code, r->code) != 0 ||
        (r->text != NULL && strcmp(ask_error(answer), r->text) != 0))
        fail_msg("%s %s: %d %s", method, body, status, text);
    CHECK_EQ(json_object_size(answer), 2);
    json_decref(answer);
    free(code);
    free(text);
    free(body);
}

static const struct {
    const char *name;
    enum which w;
} RECORDS[] = { { "deal", DEAL }, { "contact", CONTACT }, { "company", COMPANY }, { "lead", LEAD } };

#define NO_ID     "\"\"", "ID is not defined or invalid."
#define NOT_FOUND "\"\"", "Not found"
#define NO_FIELDS "\"\"", "Parameter 'fields' must be array."
#define NO_PARAMS "\"\"", "Parameter 'params' must be array."

TEST(records_are_refused_as_told)
{
    static const struct refusal rows[] = {
        { "list", "{\"filter\":\"x\"}", 400, "\"\"", "Parameter 'filter' must be array." },
        { "list", "{\"order\":\"x\"}", 400, "\"\"", "Parameter 'order' must be array." },
        { "get", "{}", 400, NO_ID },
        { "get", "{\"id\":0}", 400, NO_ID },
        { "get", "{\"id\":\"abc\"}", 400, NO_ID },
        { "get", "{\"id\":99999999}", 400, NOT_FOUND },
        { "update", "{\"id\":-1,\"fields\":{}}", 400, NO_ID },
        { "update", "{\"id\":99999999,\"fields\":{}}", 400, NOT_FOUND },
        { "update", "{\"id\":$}", 400, NO_FIELDS },
        { "update", "{\"id\":$,\"fields\":5}", 400, NO_FIELDS },
        { "update", "{\"id\":$,\"fields\":{},\"params\":\"x\"}", 400, NO_PARAMS },
        { "delete", "{}", 400, NO_ID },
        { "delete", "{\"id\":99999999}", 400, NOT_FOUND },
        { "add", "{}", 400, NO_FIELDS },
        { "add", "{\"fields\":\"x\"}", 400, NO_FIELDS },
        { "add", "{\"fields\":{},\"params\":\"x\"}", 400, NO_PARAMS },
    };
    struct portal *p = open_with(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(RECORDS); i++) {
        const struct refusal *r = &rows[i / ARRAY_SIZE(RECORDS)];
        char method[60];
        snprintf(method, sizeof(method), "crm.%s.%s", RECORDS[i % ARRAY_SIZE(RECORDS)].name, r->method);
        check(p, method, r, RECORDS[i % ARRAY_SIZE(RECORDS)].w);
    }
    ask_close(p);
}

TEST(addresses_of_mail_are_looked_at_in_two_entities)
{
#define MAIL         "\"fields\":{\"EMAIL\":[{\"VALUE\":\"x\",\"VALUE_TYPE\":\"WORK\"}]}}"
#define CONTACT_MAIL "\"ERROR_CORE\"", "The field `Work e-mail` contains an invalid address"
#define COMPANY_MAIL "\"ERROR_CORE\"", "The `E-mail` field contains an invalid address"
    static const struct refusal rows[] = {
        { "crm.contact.add", "{" MAIL, 400, CONTACT_MAIL },
        { "crm.contact.update", "{\"id\":$," MAIL, 400, CONTACT_MAIL },
        { "crm.company.add", "{" MAIL, 400, COMPANY_MAIL },
        { "crm.company.update", "{\"id\":$," MAIL, 400, COMPANY_MAIL },
    };
    struct portal *p = open_with(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(p, rows[i].method, &rows[i], i < 2 ? CONTACT : COMPANY);
    json_decref(ask_done(ask(p, "crm.lead.add", "{" MAIL)));
    ask_close(p);
}

static const struct {
    const char *stem;
    enum which owner;
} LINKS[] = { { "crm.deal.contact", DEAL }, { "crm.lead.contact", LEAD }, { "crm.quote.contact", QUOTE },
    { "crm.company.contact", COMPANY }, { "crm.contact.company", CONTACT } };

TEST(links_are_refused_as_told)
{
#define QUOTED   "\"\"", "The parameter 'ownerEntityID' is invalid or not defined."
#define UNQUOTED "\"\"", "The parameter ownerEntityID is invalid or not defined."
#define INVALID  "\"\"", "The parameter 'fields' is not valid."
#define NO_LIST  "\"\"", "The parameter items must be array."
#define GONE     "\"\"", "Not found."
    static const struct refusal rows[] = {
        { "add", "{}", 400, QUOTED },
        { "add", "{\"id\":-5}", 400, QUOTED },
        { "add", "{\"id\":99999999,\"fields\":{\"CONTACT_ID\":1,\"COMPANY_ID\":1}}", 400, GONE },
        { "add", "{\"id\":$,\"fields\":\"x\"}", 400, "\"\"", "The parameter 'fields' must be array." },
        { "add", "{\"id\":$,\"fields\":{}}", 400, INVALID },
        { "add", "{\"id\":$,\"fields\":{\"CONTACT_ID\":0,\"COMPANY_ID\":-1}}", 400, INVALID },
        { "delete", "{\"id\":0}", 400, QUOTED },
        { "delete", "{\"id\":99999999,\"fields\":{\"CONTACT_ID\":1,\"COMPANY_ID\":1}}", 400, GONE },
        { "delete", "{\"id\":$,\"fields\":{}}", 400, INVALID },
        { "items.get", "{}", 400, UNQUOTED },
        { "items.set", "{\"id\":0,\"items\":[]}", 400, UNQUOTED },
        { "items.set", "{\"id\":$}", 400, NO_LIST },
        { "items.set", "{\"id\":$,\"items\":\"x\"}", 400, NO_LIST },
        { "items.set", "{\"id\":99999999,\"items\":[]}", 400, GONE },
        { "items.delete", "{}", 400, UNQUOTED },
    };
    static const struct refusal no_item = { "delete", "{\"id\":$,\"fields\":\"x\"}", 400, "\"\"",
        "The parameter 'item' must be array." };
    static const struct refusal no_fields = { "delete", "{\"id\":$,\"fields\":\"x\"}", 400, "\"\"",
        "The parameter 'fields' must be array." };
    struct portal *p = open_with(NULL);
    char method[60];

    for (size_t i = 0; i < ARRAY_SIZE(LINKS); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
            snprintf(method, sizeof(method), "%s.%s", LINKS[i].stem, rows[k].method);
            check(p, method, &rows[k], LINKS[i].owner);
        }
        snprintf(method, sizeof(method), "%s.delete", LINKS[i].stem);
        check(p, method, LINKS[i].owner == CONTACT ? &no_fields : &no_item, LINKS[i].owner);
    }
    ask_close(p);
}

TEST(pages_of_single_methods_have_words_of_their_own_for_what_is_gone)
{
    static const struct refusal rows[] = {
        { "crm.contact.update", "{\"id\":99999999,\"fields\":{}}", 400, "\"\"", "Contact is not found" },
        { "crm.contact.delete", "{\"id\":99999999}", 400, "\"ERROR_CORE\"", "Element not found" },
        { "crm.contact.get", "{\"id\":99999999}", 400, NOT_FOUND },
        { "crm.company.update", "{\"id\":99999999,\"fields\":{}}", 400, "\"\"", "Company is not found" },
        { "crm.company.delete", "{\"id\":99999999}", 400, "\"\"", "Company is not found" },
        { "crm.company.get", "{\"id\":99999999}", 400, NOT_FOUND },
        { "crm.deal.update", "{\"id\":99999999,\"fields\":{}}", 400, NOT_FOUND },
        { "crm.lead.delete", "{\"id\":99999999}", 400, NOT_FOUND },
        { "crm.lead.contact.items.get", "{\"id\":99999999}", 400, "\"NOT_FOUND\"", "Not found." },
        { "crm.deal.contact.items.get", "{\"id\":99999999}", 400, GONE },
    };
    struct portal *p = open_with("not-found-own");

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(p, rows[i].method, &rows[i], DEAL);
    ask_close(p);
}

#define FILTER_OF(name) "Invalid filter: field '" name "' is not allowed in filter"
#define ORDER_OF(name)  "Invalid order: field '" name "' is not allowed in order"
#define DIRECTION(name) \
    "Invalid order: allowed sort directions are ASC, DESC. But got 'UP' for field '" name "'"

TEST(lists_and_items_are_refused_as_told)
{
    static const struct refusal rows[] = {
        { "crm.item.list", "{}", 400, "\"100\"", NULL },
        { "crm.item.list", "{\"entityTypeId\":777}", 400, "\"NOT_FOUND\"", NULL },
        { "crm.item.list", "{\"entityTypeId\":2,\"filter\":{\"FIELD\":1}}", 400, "\"INVALID_ARG_VALUE\"",
            FILTER_OF("FIELD") },
        { "crm.item.list", "{\"entityTypeId\":2,\"order\":{\"id\":\"UP\"}}", 400, "\"INVALID_ARG_VALUE\"",
            DIRECTION("id") },
        { "crm.item.get", "{\"entityTypeId\":2,\"id\":99999999}", 400, "\"NOT_FOUND\"", NULL },
        { "crm.item.delete", "{\"entityTypeId\":777,\"id\":1}", 400, "\"NOT_FOUND\"", NULL },
        { "crm.item.fields", "{\"entityTypeId\":777}", 400, "\"NOT_FOUND\"", NULL },
        { "crm.item.add", "{\"entityTypeId\":2,\"fields\":{\"opportunity\":\"abc\"}}", 400,
            "\"CRM_FIELD_ERROR_VALUE_NOT_VALID\"", NULL },
        { "crm.type.list", "{\"filter\":{\"x\":1}}", 400, "\"INVALID_ARG_VALUE\"", FILTER_OF("x") },
        { "crm.type.list", "{\"filter\":{\"id\":[[1]]}}", 400, "\"INVALID_ARG_VALUE\"",
            "Invalid filter: field 'id' has invalid value" },
        { "crm.type.list", "{\"filter\":{\"0\":{\"logic\":\"OR\",\"0\":{\"x\":1}}}}", 400,
            "\"INVALID_ARG_VALUE\"", FILTER_OF("x") },
        { "crm.type.list", "{\"order\":{\"x\":\"ASC\"}}", 400, "\"INVALID_ARG_VALUE\"", ORDER_OF("x") },
        { "crm.type.list", "{\"order\":{\"id\":\"UP\"}}", 400, "\"INVALID_ARG_VALUE\"", DIRECTION("id") },
        { "crm.stagehistory.list", "{\"entityTypeId\":2,\"filter\":{\"x\":1}}", 400, "\"INVALID_ARG_VALUE\"",
            FILTER_OF("x") },
        { "crm.stagehistory.list", "{\"entityTypeId\":2,\"order\":{\"x\":\"ASC\"}}", 400,
            "\"INVALID_ARG_VALUE\"", ORDER_OF("x") },
        { "crm.stagehistory.list", "{\"entityTypeId\":2,\"order\":{\"ID\":\"UP\"}}", 400,
            "\"INVALID_ARG_VALUE\"", DIRECTION("ID") },
        { "crm.stagehistory.list", "{\"entityTypeId\":15}", 400, "0",
            "SHIPMENT_DOCUMENT entity is not supported" },
        { "crm.status.list", "{\"filter\":\"x\"}", 400, "\"Invalid parameters.\"",
            "Incorrect parameters passed." },
        { "crm.status.list", "{\"order\":\"x\"}", 400, "\"Invalid parameters.\"",
            "Incorrect parameters passed." },
        { "crm.category.list", "{}", 400, "\"100\"", NULL },
        { "crm.category.list", "{\"entityTypeId\":777}", 400, "\"NOT_FOUND\"", NULL },
        { "crm.category.list", "{\"entityTypeId\":1}", 400, "\"ENTITY_TYPE_NOT_SUPPORTED\"",
            "Entity type LEAD is not supported" },
        { "crm.currency.get", "{\"id\":\"QQQ\"}", 400, NOT_FOUND },
        { "crm.item.productrow.list", "{}", 400, "\"100\"", "Could not find value for parameter {filter}" },
        { "crm.item.productrow.list", "{\"filter\":{\"=ownerId\":1}}", 400, "\"100\"",
            "Could not find value for parameter {filter}" },
        { "crm.duplicate.findbycomm", "{}", 400, "\"Communication type is not defined\"",
            "Parameter 'type' is required." },
    };
    struct portal *p = open_with(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(p, rows[i].method, &rows[i], DEAL);
    ask_close(p);
}

/* Facts section 4.2: these lists know `logic`, as crm.item.list does. */
TEST(conditions_may_be_joined_by_or)
{
    struct portal *p = open_with(NULL);
    static const struct {
        const char *filter;
        size_t count;
    } cases[] = {
        { "{\"0\":{\"logic\":\"OR\",\"0\":{\"%title\":\"nosuch\"},\"1\":{\"id\":3}}}", 1 },
        { "{\"0\":{\"logic\":\"OR\",\"0\":{\"%title\":\"nosuch\"},\"1\":{\"id\":4}}}", 0 },
        { "{\"logic\":\"OR\",\"0\":{\"id\":4},\"1\":{\"logic\":\"AND\",\"0\":{\"id\":3},\"1\":{\"id\":3}}}",
            1 },
        { "{\"0\":{\"logic\":\"AND\",\"0\":{\"id\":3},\"1\":{\"id\":4}}}", 0 },
        { "{\"id\":3}", 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *body = xasprintf("{\"filter\":%s}", cases[i].filter);
        json_t *result = ask_done(ask(p, "crm.type.list", body));
        CHECK_EQ(json_array_size(json_object_get(result, "types")), cases[i].count);
        json_decref(result);
        free(body);
    }
    ask_close(p);
}

TEST_MAIN(CASE(records_are_refused_as_told), CASE(addresses_of_mail_are_looked_at_in_two_entities),
    CASE(links_are_refused_as_told), CASE(pages_of_single_methods_have_words_of_their_own_for_what_is_gone),
    CASE(lists_and_items_are_refused_as_told), CASE(conditions_may_be_joined_by_or))
