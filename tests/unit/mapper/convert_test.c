#include "services/mapper/convert.h"

#include "wired.h"

#include <stdio.h>

/* What a value of the portal becomes. `out`: NULL = NULL; else text, or "#12" for an integer, "yes" and "no".
 * `reason`: why it does not fit. */
struct conversion {
    const char *type;
    bool multiple;
    const char *in, *out, *reason;
    const char *currency; /* money only */
};

/* facts/bitrix24.md section 6.3: every type in every form it takes on the wire, and in those it should not
 * take. */
static const struct conversion CASES[] = {
    /* text: as it is */
    { "string", false, "null", NULL, NULL, NULL },
    { "string", false, "\"\"", "", NULL, NULL },
    { "string", false, "\"0\"", "0", NULL, NULL },
    { "string", false, "\" Сделка № 7 \"", " Сделка № 7 ", NULL, NULL },
    { "string", false, "\"a\\u0000b &amp; [B]\\r\\n\"", "a\0b &amp; [B]\r\n", NULL, NULL },
    { "string", false, "\"😀\"", "😀", NULL, NULL },
    { "string", false, "false", NULL, NULL, NULL },
    { "string", false, "[]", NULL, NULL, NULL },
    { "string", false, "{}", NULL, NULL, NULL },
    { "string", false, "true", "true", NULL, NULL },
    { "string", false, "410", "410", NULL, NULL },
    { "string", false, "-9223372036854775808", "-9223372036854775808", NULL, NULL },
    { "string", false, "18446744073709551615", "18446744073709551615", NULL, NULL },
    { "string", false, "999.90", "999.90", NULL, NULL },
    { "string", false, "{\"a\":[1, 2.50, null]}", "{\"a\":[1,2.50,null]}", NULL, NULL },
    { "string", false, "[\"x\"]", "[\"x\"]", NULL, NULL },
    { "crm_status", false, "\"C5:NEW\"", "C5:NEW", NULL, NULL },
    { "crm_currency", false, "\"RUB\"", "RUB", NULL, NULL },
    { "enumeration", false, "\"89\"", "89", NULL, NULL },
    { "enumeration", false, "89", "89", NULL, NULL },
    { "crm", false, "\"CO_5\"", "CO_5", NULL, NULL },
    { "url", false, "\"https://example.com/?auth=1\"", "https://example.com/?auth=1", NULL, NULL },
    { "address", false, "\"Москва|55.75;37.61|12\"", "Москва|55.75;37.61|12", NULL, NULL },
    { "location", false, "null", NULL, NULL, NULL },
    { "no_such_type", false, "\"x\"", "x", NULL, NULL },
    { "unknown", false, "{\"k\":true}", "{\"k\":true}", NULL, NULL },

    /* whole numbers */
    { "integer", false, "\"410\"", "#410", NULL, NULL },
    { "integer", false, "410", "#410", NULL, NULL },
    { "integer", false, "\"0\"", "#0", NULL, NULL },
    { "integer", false, "0", "#0", NULL, NULL },
    { "integer", false, "\"-35\"", "#-35", NULL, NULL },
    { "integer", false, "\"007\"", "#7", NULL, NULL },
    { "integer", false, "\"+7\"", "#7", NULL, NULL },
    { "integer", false, "\"35.00\"", "#35", NULL, NULL },
    { "integer", false, "1e3", "#1000", NULL, NULL },
    { "integer", false, "\"9223372036854775807\"", "#9223372036854775807", NULL, NULL },
    { "integer", false, "\"-9223372036854775808\"", "#-9223372036854775808", NULL, NULL },
    { "integer", false, "\"9223372036854775808\"", NULL, "beyond 64 bits", NULL },
    { "integer", false, "18446744073709551615", NULL, "beyond 64 bits", NULL },
    { "integer", false, "\"1e30\"", NULL, "beyond 64 bits", NULL },
    { "integer", false, "\"1e3000\"", NULL, "beyond 64 bits", NULL },
    { "integer", false, "\"3.5\"", NULL, "not a whole number", NULL },
    { "integer", false, "3.5", NULL, "not a whole number", NULL },
    { "integer", false, "\"many\"", NULL, "not a number", NULL },
    { "integer", false, "\" 5\"", NULL, "not a number", NULL },
    { "integer", false, "null", NULL, NULL, NULL },
    { "integer", false, "\"\"", NULL, NULL, NULL },
    { "integer", false, "false", NULL, NULL, NULL },
    { "integer", false, "[]", NULL, NULL, NULL },
    { "integer", false, "{}", NULL, NULL, NULL },
    { "integer", false, "true", NULL, "neither a number nor text", NULL },
    { "integer", false, "[5]", NULL, "neither a number nor text", NULL },
    { "integer", false, "{\"a\":5}", NULL, "neither a number nor text", NULL },
    { "crm_category", false, "\"0\"", "#0", NULL, NULL },
    { "crm_category", false, "\"5\"", "#5", NULL, NULL },

    /* links: "0" is nobody */
    { "crm_company", false, "\"0\"", NULL, NULL, NULL },
    { "crm_company", false, "0", NULL, NULL, NULL },
    { "crm_company", false, "\"410\"", "#410", NULL, NULL },
    { "crm_contact", false, "null", NULL, NULL, NULL },
    { "crm_lead", false, "\"\"", NULL, NULL, NULL },
    { "crm_quote", false, "\"12\"", "#12", NULL, NULL },
    { "crm_deal", false, "12", "#12", NULL, NULL },
    { "crm_entity", false, "false", NULL, NULL, NULL },
    { "user", false, "\"1\"", "#1", NULL, NULL },
    { "user", false, "\"0\"", NULL, NULL, NULL },
    { "user", false, "\"admin\"", NULL, "not a number", NULL },
    { "employee", false, "\"0\"", NULL, NULL, NULL },
    { "iblock_element", false, "\"3\"", "#3", NULL, NULL },
    { "iblock_section", false, "\"0\"", NULL, NULL, NULL },

    /* decimals */
    { "double", false, "\"1000000.00\"", "1000000", NULL, NULL },
    { "double", false, "999.90", "999.9", NULL, NULL },
    { "double", false, "0", "0", NULL, NULL },
    { "double", false, "\"-0.00\"", "0", NULL, NULL },
    { "double", false, "-0.0", "0", NULL, NULL },
    { "double", false, "\"123456789012345678901234567890.12\"", "123456789012345678901234567890.12", NULL,
        NULL },
    { "double", false, "\"1.0E+25\"", "10000000000000000000000000", NULL, NULL },
    { "double", false, "1.5e-7", "0.00000015", NULL, NULL },
    { "double", false, "null", NULL, NULL, NULL },
    { "double", false, "\"\"", NULL, NULL, NULL },
    { "double", false, "false", NULL, NULL, NULL },
    { "double", false, "\"12,5\"", NULL, "not a number", NULL },
    { "double", false, "\"NaN\"", NULL, "not a number", NULL },
    { "double", false, "\"1e5000\"", NULL, "more than 1000 digits", NULL },
    { "double", false, "true", NULL, "neither a number nor text", NULL },

    /* money: amount and currency */
    { "money", false, "\"300|EUR\"", "300", NULL, "EUR" },
    { "money", false, "\"0|RUB\"", "0", NULL, "RUB" },
    { "money", false, "\"1500.50|USD\"", "1500.5", NULL, "USD" },
    { "money", false, "\"-7.00|RUB\"", "-7", NULL, "RUB" },
    { "money", false, "\"300\"", "300", NULL, NULL },
    { "money", false, "\"300|\"", "300", NULL, NULL },
    { "money", false, "300.5", "300.5", NULL, NULL },
    { "money", false, "\"|RUB\"", NULL, NULL, "RUB" },
    { "money", false, "\"lots|RUB\"", NULL, "not a number", "RUB" },
    { "money", false, "\"\"", NULL, NULL, NULL },
    { "money", false, "null", NULL, NULL, NULL },
    { "money", false, "false", NULL, NULL, NULL },
    { "money", false, "[]", NULL, NULL, NULL },
    { "money", false, "[\"1|EUR\"]", NULL, "neither a number nor text", NULL },

    /* yes and no */
    { "char", false, "\"Y\"", "yes", NULL, NULL },
    { "char", false, "\"N\"", "no", NULL, NULL },
    { "char", false, "null", NULL, NULL, NULL },
    { "char", false, "\"\"", NULL, NULL, NULL },
    { "char", false, "\"P\"", NULL, "neither yes nor no", NULL },
    { "boolean", false, "\"1\"", "yes", NULL, NULL },
    { "boolean", false, "\"0\"", "no", NULL, NULL },
    { "boolean", false, "1", "yes", NULL, NULL },
    { "boolean", false, "0", "no", NULL, NULL },
    { "boolean", false, "true", "yes", NULL, NULL },
    { "boolean", false, "false", "no", NULL, NULL },
    { "boolean", false, "\"true\"", "yes", NULL, NULL },
    { "boolean", false, "\"y\"", "yes", NULL, NULL },
    { "boolean", false, "[]", NULL, NULL, NULL },
    { "boolean", false, "{}", NULL, NULL, NULL },
    { "boolean", false, "2", NULL, "neither yes nor no", NULL },
    { "boolean", false, "\"maybe\"", NULL, "neither yes nor no", NULL },
    { "boolean", false, "[1]", NULL, "neither a number nor text", NULL },

    /* dates */
    { "date", false, "\"2024-08-30T02:00:00+02:00\"", "2024-08-30", NULL, NULL },
    { "date", false, "\"2024-08-30T00:00:00+03:00\"", "2024-08-30", NULL, NULL },
    { "date", false, "\"2024-08-30\"", "2024-08-30", NULL, NULL },
    { "date", false, "\"\"", NULL, NULL, NULL },
    { "date", false, "null", NULL, NULL, NULL },
    { "date", false, "false", NULL, NULL, NULL },
    { "date", false, "\"2023-02-29\"", NULL, "not a date", NULL },
    { "date", false, "\"0000-00-00\"", NULL, "not a date", NULL },
    { "date", false, "\"30.08.2024\"", NULL, "not a date", NULL },
    { "date", false, "20240830", NULL, "not a date", NULL },
    { "date", false, "[\"2024-08-30\"]", NULL, "neither a number nor text", NULL },

    /* instants */
    { "datetime", false, "\"2024-08-30T14:29:00+02:00\"", "2024-08-30T12:29:00Z", NULL, NULL },
    { "datetime", false, "\"\"", NULL, NULL, NULL },
    { "datetime", false, "null", NULL, NULL, NULL },
    { "datetime", false, "\"2024-08-30\"", NULL, "not an instant with an offset", NULL },
    { "datetime", false, "\"2024-02-30T14:29:00+02:00\"", NULL, "not an instant with an offset", NULL },
    { "datetime", false, "1725020940", NULL, "not an instant with an offset", NULL },
    { "datetime", false, "\"2024-08-30T14:29:00.0001+02:00\"", NULL, "finer than a millisecond", NULL },
    { "datetime", true, "[\"2024-08-30T14:29:00.0001+02:00\"]", "[\"2024-08-30T14:29:00.0001+02:00\"]", NULL,
        NULL },

    /* multiple: JSON */
    { "enumeration", true, "[188,209]", "[188,209]", NULL, NULL },
    { "enumeration", true, "[]", NULL, NULL, NULL },
    { "enumeration", true, "false", NULL, NULL, NULL },
    { "enumeration", true, "\"\"", NULL, NULL, NULL },
    { "enumeration", true, "null", NULL, NULL, NULL },
    { "enumeration", true, "{}", NULL, NULL, NULL },
    { "enumeration", true, "188", "[188]", NULL, NULL },
    { "enumeration", true, "{\"0\":188,\"2\":209}", "{\"0\":188,\"2\":209}", NULL, NULL },
    { "string", true, "[\"a\",\"\",\"я\\\"\"]", "[\"a\",\"\",\"я\\\"\"]", NULL, NULL },
    { "string", true, "\"one\"", "[\"one\"]", NULL, NULL },
    { "string", true, "true", "[true]", NULL, NULL },
    { "double", true, "[1.10, 2e3, -0.0, 12345678901234567890]", "[1.10,2e3,-0.0,12345678901234567890]", NULL,
        NULL },
    { "money", true, "[\"300|EUR\"]", "[\"300|EUR\"]", NULL, NULL },
    { "date", true, "[\"2024-08-30T00:00:00+03:00\",\"\",\"soon\"]", "[\"2024-08-30\",\"\",\"soon\"]", NULL,
        NULL },
    { "date", true, "\"2024-08-30T00:00:00+03:00\"", "[\"2024-08-30\"]", NULL, NULL },
    { "datetime", true, "[\"2024-08-30T14:29:00+02:00\",null]", "[\"2024-08-30T12:29:00Z\",null]", NULL,
        NULL },
    { "crm_contact", true, "[\"0\",1]", "[\"0\",1]", NULL, NULL },
    { "crm", true, "[\"D_1\",\"T80_6\"]", "[\"D_1\",\"T80_6\"]", NULL, NULL },
    { "crm_multifield", true, "[{\"ID\":\"156\",\"VALUE\":\"+7 999\"}]",
        "[{\"ID\":\"156\",\"VALUE\":\"+7 999\"}]", NULL, NULL },
    { "crm_multifield", false, "[]", NULL, NULL, NULL },
    { "resourcebooking", true, "[1,2]", "[1,2]", NULL, NULL },
    { "resourcebooking", false, "7", "[7]", NULL, NULL },

    /* files: no key to the content leaves this place */
    { "file", false, "{\"id\":37375,\"downloadUrl\":\"/d.php?auth=s3cret&id=5\"}",
        "{\"id\":37375,\"downloadUrl\":\"/d.php?auth=&id=5\"}", NULL, NULL },
    { "file", false, "{\"downloadUrl\":\"https://p/d.php?id=5&auth=s3cret#x\"}",
        "{\"downloadUrl\":\"https://p/d.php?id=5&auth=#x\"}", NULL, NULL },
    { "file", false, "{\"downloadUrl\":\"/d.php?auth=\"}", "{\"downloadUrl\":\"/d.php?auth=\"}", NULL, NULL },
    { "file", false, "{\"u\":\"/d?auth=a&auth=b&xauth=c\"}", "{\"u\":\"/d?auth=&auth=&xauth=c\"}", NULL,
        NULL },
    { "file", false, "{\"u\":\"/d?a=1&amp;auth=b\"}", "{\"u\":\"/d?a=1&amp;auth=\"}", NULL, NULL },
    { "file", false, "null", NULL, NULL, NULL },
    { "file", false, "false", NULL, NULL, NULL },
    { "file", false, "\"\"", NULL, NULL, NULL },
    { "file", false, "37375", "37375", NULL, NULL },
    { "file", true, "[{\"id\":1,\"u\":\"?auth=x\"},{\"id\":2}]", "[{\"id\":1,\"u\":\"?auth=\"},{\"id\":2}]",
        NULL, NULL },
    { "file", true, "[]", NULL, NULL, NULL },
};

static const char *shown(const struct convert *c, const struct value *v, char ret[static 256])
{
    struct str s;

    switch (v->type) {
    case VALUE_TEXT:
        s = value_text(c, v);
        snprintf(ret, 256, STR_FMT, STR_ARG(s));
        return ret;
    case VALUE_INT:
        snprintf(ret, 256, "#%lld", (long long)v->i);
        return ret;
    case VALUE_BOOL:
        return v->i != 0 ? "yes" : "no";
    default:
        return NULL;
    }
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

TEST(every_type_in_every_wire_form)
{
    struct convert c;
    struct buf bytes;

    convert_init(&c, 1 << 20);
    buf_init(&bytes, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        const struct conversion *t = &CASES[i];
        struct value value, currency = { .type = VALUE_NULL };
        char got[256], got_currency[256];
        struct wire w;

        buf_clear(&bytes);
        convert_clear(&c);
        wired(t->in, &bytes);
        wire_init(&w, bytes.p, bytes.n);
        const char *reason = convert_value(&c, rule_of(str_of(t->type), t->multiple), &w, &value, &currency);
        const char *out = shown(&c, &value, got);

        if (!same(out, t->out) || !same(reason, t->reason) ||
            !same(shown(&c, &currency, got_currency), t->currency))
            print_error("%s%s %s: %s (%s)\n", t->type, t->multiple ? "[]" : "", t->in, out ? out : "NULL",
                reason ? reason : "fits");
        CHECK(same(out, t->out));
        CHECK(same(reason, t->reason));
        CHECK(same(shown(&c, &currency, got_currency), t->currency));
        CHECK(wire_done(&w));
    }
    buf_fini(&bytes);
    convert_fini(&c);
}

TEST(a_nul_inside_text_is_kept)
{
    struct convert c;
    struct value value;
    struct buf bytes;
    struct wire w;

    convert_init(&c, 1 << 20);
    buf_init(&bytes, 1 << 20);
    wired("\"a\\u0000b\"", &bytes);
    wire_init(&w, bytes.p, bytes.n);
    CHECK(convert_value(&c, RULE_TEXT, &w, &value, NULL) == NULL);
    CHECK(str_eq(value_text(&c, &value), ((struct str){ "a\0b", 3 })));
    buf_fini(&bytes);
    convert_fini(&c);
}

/* facts section 6.3: null in a list, "" in a get, for the same record. */
TEST(an_empty_text_of_a_user_field_is_nothing_whatever_it_is_printed_as)
{
    static const struct {
        struct field field;
        const char *json;
        bool null;
    } cases[] = {
        { { STR("UF_CRM_1"), STR("string"), false, HOLD_NOT }, "\"\"", true },
        { { STR("UF_CRM_1"), STR("string"), false, HOLD_NOT }, "null", true },
        { { STR("UF_CRM_1"), STR("string"), false, HOLD_NOT }, "\" \"", false },
        { { STR("UF_CRM_1"), STR("enumeration"), false, HOLD_NOT }, "\"\"", true },
        { { STR("UF_CRM_1"), STR("string"), true, HOLD_NOT }, "[\"\"]", false },
        { { STR("TITLE"), STR("string"), false, HOLD_NOT }, "\"\"", false },
        { { STR("TITLE"), STR("string"), false, HOLD_NOT }, "null", true },
        { { STR("UFO"), STR("string"), false, HOLD_NOT }, "\"\"", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct convert c;
        struct value value;
        struct buf bytes;
        struct wire w;

        convert_init(&c, 1 << 20);
        buf_init(&bytes, 1 << 20);
        wired(cases[i].json, &bytes);
        wire_init(&w, bytes.p, bytes.n);
        CHECK(convert_value(&c, rule_of_field(&cases[i].field), &w, &value, NULL) == NULL);
        CHECK(wire_done(&w));
        CHECK_EQ(value.type == VALUE_NULL, cases[i].null);
        buf_fini(&bytes);
        convert_fini(&c);
    }
}

TEST(kinds_of_columns_agree_with_rules)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        enum rule rule = rule_of(str_of(CASES[i].type), CASES[i].multiple);
        enum col_kind kind = col_kind_of(str_of(CASES[i].type), CASES[i].multiple);

        CHECK_EQ(kind == COL_JSON, rule >= RULE_JSON);
        CHECK_EQ(kind == COL_TEXT, rule == RULE_TEXT);
        CHECK_EQ(kind == COL_INT, rule == RULE_INT || rule == RULE_LINK);
        CHECK_EQ(kind == COL_DECIMAL, rule == RULE_DECIMAL || rule == RULE_MONEY);
        CHECK_EQ(kind == COL_BOOL, rule == RULE_BOOL);
        CHECK_EQ(kind == COL_DATE, rule == RULE_DATE);
        CHECK_EQ(kind == COL_TIME, rule == RULE_TIME);
    }
}

TEST(nesting_without_end_fails_the_cursor)
{
    struct convert c;
    struct value value;
    struct buf bytes;
    struct wire w;

    convert_init(&c, 1 << 20);
    buf_init(&bytes, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_char(&bytes, '\x91');
    wire_init(&w, bytes.p, bytes.n);
    convert_value(&c, RULE_LIST, &w, &value, NULL);
    CHECK(!wire_ok(&w));
    buf_fini(&bytes);
    convert_fini(&c);
}

TEST_MAIN(CASE(every_type_in_every_wire_form), CASE(a_nul_inside_text_is_kept),
    CASE(an_empty_text_of_a_user_field_is_nothing_whatever_it_is_printed_as),
    CASE(kinds_of_columns_agree_with_rules), CASE(nesting_without_end_fails_the_cursor))
