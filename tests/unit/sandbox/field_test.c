/* What fields are described as: fields.def against the portal. */
#include "tests/unit/sandbox/ask.h"

static const struct {
    const char *method, *body, *fields;
} TABLES[] = {
#define FIELDS(method, body, fields) { method, body, fields },
#include "tests/unit/sandbox/fields.def"
#undef FIELDS
};

static bool is_of_somebody(const char *name)
{
    return strncmp(name, "UF_", 3) == 0 || strncmp(name, "ufCrm", 5) == 0 ||
           strncmp(name, "PARENT_ID_", 10) == 0 || strncmp(name, "parentId", 8) == 0;
}

/* NAME:TYPE=DICTIONARY/FLAGS */
static void spell(char *ret, size_t size, const char *name, const json_t *field)
{
    static const struct {
        char letter;
        const char *key;
    } flags[] = { { 'R', "isReadOnly" }, { 'I', "isImmutable" }, { 'M', "isMultiple" }, { 'Q', "isRequired" },
        { 'X', "isDeprecated" } };
    const char *dictionary = json_string_value(json_object_get(field, "statusType"));
    char letters[8] = "";
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (json_is_true(json_object_get(field, flags[i].key)))
            letters[n++] = flags[i].letter;
    letters[n] = '\0';
    snprintf(ret, size, "%s:%s%s%s%s%s", name, json_string_value(json_object_get(field, "type")),
        dictionary != NULL ? "=" : "", dictionary != NULL ? dictionary : "", n > 0 ? "/" : "", letters);
}

static bool is_told(const char *fields, const char *text)
{
    const size_t n = strlen(text);

    for (const char *p = strstr(fields, text); p != NULL; p = strstr(p + 1, text))
        if ((p == fields || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static size_t words_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text += strspn(text, " "), n++)
        text += strcspn(text, " ");
    return n;
}

TEST(standard_fields_are_those_that_are_told_and_no_other)
{
    struct portal *p = ask_open();
    char text[120];

    for (size_t i = 0; i < ARRAY_SIZE(TABLES); i++) {
        json_t *result = ask_done(ask(p, TABLES[i].method, TABLES[i].body)), *field;
        json_t *wrapped = json_object_get(result, "fields");
        size_t count = 0;
        const char *name;
        json_object_foreach(wrapped != NULL ? wrapped : result, name, field) {
            if (is_of_somebody(name))
                continue;
            spell(text, sizeof(text), name, field);
            if (!is_told(TABLES[i].fields, text))
                fail_msg("%s: %s", TABLES[i].method, text);
            count++;
        }
        CHECK_EQ(count, words_of(TABLES[i].fields));
        json_decref(result);
    }
    ask_close(p);
}

/* They are described as if anybody might (facts section 6.2), and a portal goes its own way. */
TEST(the_last_activity_of_a_company_is_not_written)
{
    struct portal *p = ask_open();
    char body[200];

    snprintf(body, sizeof(body), "{\"id\":%u,\"fields\":{\"LAST_ACTIVITY_BY\":23,\"COMMENTS\":\"x\"}}",
        p->store.crm[COMPANY].ids[3]);
    json_t *before = ask_done(ask(p, "crm.company.get", body));
    json_decref(ask_done(ask(p, "crm.company.update", body)));
    json_t *after = ask_done(ask(p, "crm.company.get", body));
    CHECK(
        json_equal(json_object_get(before, "LAST_ACTIVITY_BY"), json_object_get(after, "LAST_ACTIVITY_BY")));
    ask_has(after, "COMMENTS", "\"x\"");
    json_decref(before);
    json_decref(after);
    ask_close(p);
}

/* Long texts are of another type there than in classic methods. */
TEST(long_texts_are_texts_in_item_fields)
{
    static const char *const names[] = { "comments", "sourceDescription", "statusDescription", "address" };
    struct portal *p = ask_open();
    json_t *result = ask_done(ask(p, "crm.item.fields", "{\"entityTypeId\":1}"));

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ask_has(json_object_get(json_object_get(result, "fields"), names[i]), "type", "\"text\"");
    json_decref(result);
    ask_close(p);
}

TEST_MAIN(CASE(standard_fields_are_those_that_are_told_and_no_other),
    CASE(the_last_activity_of_a_company_is_not_written), CASE(long_texts_are_texts_in_item_fields))
