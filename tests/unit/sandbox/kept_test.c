#include "unit/sandbox/ask.h"

/* Two portals are asked the same; one keeps its rows. Every answer must be the other's, also where links
 * carry the token of the request. */
struct pair {
    struct portal *keeps, *prints;
};

static struct pair open_pair(void)
{
    struct portal_options options = ask_options();
    struct pair ret;

    ret.prints = ask_open_with(options);
    options.keep_rows = 1;
    ret.keeps = ask_open_with(options);
    return ret;
}

static void close_pair(struct pair *p)
{
    ask_close(p->keeps);
    ask_close(p->prints);
}

static void both_say_the_same(struct pair *p, const char *method, const char *body)
{
    json_t *a = ask(p->keeps, method, body), *b = ask(p->prints, method, body);

    CHECK(json_array_size(json_object_get(a, "result")) > 0);
    CHECK(json_equal(json_object_get(a, "result"), json_object_get(b, "result")));
    json_decref(a);
    json_decref(b);
}

static void both_change(struct pair *p, const char *route, const char *body)
{
    ask_admin(p->keeps, route, body);
    ask_admin(p->prints, route, body);
}

static const char all_deals[] =
    "{\"order\":{\"ID\":\"ASC\"},\"select\":[\"*\",\"UF_*\",\"UF_CRM_FILE\"],\"start\":-1}";

TEST(a_kept_row_is_the_row_with_another_token)
{
    struct pair p = open_pair();

    for (int i = 0; i < 3; i++) {
        both_say_the_same(&p, "crm.deal.list", all_deals);
        both_say_the_same(
            &p, "crm.contact.list", "{\"select\":[\"*\",\"PHONE\"],\"order\":{\"ID\":\"ASC\"}}");
        both_say_the_same(&p, "crm.lead.list", "{\"order\":{\"ID\":\"ASC\"},\"filter\":{\">ID\":0}}");
    }
    close_pair(&p);
}

TEST(more_selections_than_are_kept_are_told_apart)
{
    static const char *const fields[] = { "TITLE", "STAGE_ID", "OPPORTUNITY", "COMMENTS", "CURRENCY_ID",
        "UF_*", "*" };
    struct pair p = open_pair();
    char body[96];

    for (size_t i = 0; i < 3 * ARRAY_SIZE(fields); i++) {
        snprintf(body, sizeof(body), "{\"order\":{\"ID\":\"ASC\"},\"select\":[\"%s\"]}",
            fields[i * i % ARRAY_SIZE(fields)]);
        both_say_the_same(&p, "crm.deal.list", body);
    }
    close_pair(&p);
}

/* Without the times of changes: one portal may be asked a second later than the other. */
static const char untimed[] = "{\"order\":{\"ID\":\"ASC\"},\"select\":[\"TITLE\",\"STAGE_ID\","
                              "\"OPPORTUNITY\",\"COMMENTS\",\"UF_*\"],\"start\":-1}";

TEST(what_changed_is_printed_anew)
{
    static const struct {
        const char *route, *body;
    } changes[] = {
        { "change?entity=deals&count=40&kind=update", "" },
        { "change?entity=deals&count=5&kind=delete", "" },
        { "change?entity=deals&count=5&kind=create", "" },
        { "field?entity=deals", "{\"name\":\"UF_CRM_LATER\",\"type\":\"double\",\"multiple\":false}" },
    };
    struct pair p = open_pair();

    both_say_the_same(&p, "crm.deal.list", untimed);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        both_change(&p, changes[i].route, changes[i].body);
        both_say_the_same(&p, "crm.deal.list", untimed);
        both_say_the_same(&p, "crm.deal.list", untimed);
    }
    close_pair(&p);
}

TEST_MAIN(CASE(a_kept_row_is_the_row_with_another_token), CASE(more_selections_than_are_kept_are_told_apart),
    CASE(what_changed_is_printed_anew))
