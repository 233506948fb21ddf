#include "services/sandbox/methods/render.h"

#include "base/mem.h"
#include "support/check.h"

/* How one value of a field looks in a list and in a get (facts section 6.3). */
struct look {
    enum which which;
    const char *field;
    struct value value;
    const char *list, *get;
};

#define NONE(form_) \
    { \
        .kind = VALUE_NULL, .form = form_ \
    }
#define TEXT_OF(s) \
    { \
        .kind = VALUE_TEXT, .text = { s, sizeof(s) - 1 } \
    }
#define INT_OF(n) \
    { \
        .kind = VALUE_INT, .i = n \
    }
#define DECIMAL_OF(s) \
    { \
        .kind = VALUE_DECIMAL, .text = { s, sizeof(s) - 1 } \
    }
#define LIST_OF(...) \
    { \
        .kind = VALUE_LIST, .items = (const struct value[]){ __VA_ARGS__ }, \
        .count = sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value) \
    }

static const struct look looks[] = {
    { DEAL, "TITLE", TEXT_OF("a/b"), "\"a\\/b\"", "\"a\\/b\"" },
    { DEAL, "TITLE", TEXT_OF(""), "\"\"", "\"\"" },
    { DEAL, "TITLE", NONE(1), "null", "null" },
    { DEAL, "PROBABILITY", INT_OF(50), "\"50\"", "\"50\"" },
    { DEAL, "PROBABILITY", NONE(3), "null", "null" },
    { DEAL, "COMPANY_ID", INT_OF(410), "\"410\"", "\"410\"" },
    { DEAL, "COMPANY_ID", NONE(0), "null", "null" },
    { DEAL, "COMPANY_ID", NONE(1), "\"0\"", "\"0\"" },
    { DEAL, "OPPORTUNITY", DECIMAL_OF("1000000.00"), "\"1000000.00\"", "\"1000000.00\"" },
    { DEAL, "CLOSED", { .kind = VALUE_BOOL, .i = 1 }, "\"Y\"", "\"Y\"" },
    { DEAL, "BEGINDATE", { .kind = VALUE_DATE, .i = 19965 }, "\"2024-08-30T03:00:00+03:00\"",
        "\"2024-08-30T03:00:00+03:00\"" },
    { DEAL, "BEGINDATE", NONE(0), "null", "null" },
    { DEAL, "BEGINDATE", NONE(1), "\"\"", "\"\"" },
    { DEAL, "DATE_CREATE", { .kind = VALUE_TIME, .i = 1725017340 }, "\"2024-08-30T14:29:00+03:00\"",
        "\"2024-08-30T14:29:00+03:00\"" },
    { DEAL, "UF_CRM_STRING", NONE(0), "null", "\"\"" },
    { DEAL, "UF_CRM_STRING", NONE(5), "false", "\"\"" },
    { DEAL, "UF_CRM_STRING", NONE(6), "[]", "\"\"" },
    { DEAL, "UF_CRM_INT", NONE(0), "null", "\"\"" },
    { DEAL, "UF_CRM_INT", NONE(4), "false", "\"\"" },
    { DEAL, "UF_CRM_FLAG", { .kind = VALUE_BOOL, .i = 1 }, "\"1\"", "\"1\"" },
    { LEAD, "UF_CRM_FLAG", { .kind = VALUE_BOOL, .i = 1 }, "true", "\"1\"" },
    { LEAD, "UF_CRM_FLAG", { .kind = VALUE_BOOL, .i = 0 }, "false", "\"0\"" },
    { LEAD, "UF_CRM_FLAG", NONE(0), "null", "\"\"" },
    { DEAL, "UF_CRM_MONEY", { .kind = VALUE_MONEY, .text = { "300", 3 }, .extra = { "EUR", 3 } },
        "\"300|EUR\"", "\"300|EUR\"" },
    { DEAL, "UF_CRM_INT_M", LIST_OF(INT_OF(188), INT_OF(209)), "[188,209]", "[188,209]" },
    { DEAL, "UF_CRM_DOUBLE_M", LIST_OF(DECIMAL_OF("1.50")), "[1.50]", "[1.50]" },
    { DEAL, "UF_CRM_DATE_M", LIST_OF({ .kind = VALUE_DATE, .i = 19965 }), "[\"2024-08-30T00:00:00+03:00\"]",
        "[\"2024-08-30T00:00:00+03:00\"]" },
    { DEAL, "UF_CRM_ENUM_M", NONE(0), "[]", "[]" },
    { DEAL, "UF_CRM_ENUM_M", NONE(3), "false", "[]" },
    { DEAL, "UF_CRM_ENUM_M", NONE(4), "null", "[]" },
    { CONTACT, "PHONE",
        LIST_OF({ .kind = VALUE_COMM,
            .i = 156,
            .text = { "+1", 2 },
            .extra = { "WORK", 4 },
            .more = { "PHONE", 5 } }),
        "[{\"ID\":\"156\",\"VALUE_TYPE\":\"WORK\",\"VALUE\":\"+1\",\"TYPE_ID\":\"PHONE\"}]", NULL },
    { CONTACT, "PHONE", NONE(0), "", "" },
    { CONTACT, "PHOTO", { .kind = VALUE_FILE, .i = 5, .extra = { "&ownerId=1", 10 } },
        "{\"id\":5,\"showUrl\":\"\\/bitrix\\/components\\/bitrix\\/crm.show\\/"
        "show_file.php?auth=\\u0026ownerId=1\","
        "\"downloadUrl\":\"\\/bitrix\\/components\\/bitrix\\/crm.show\\/"
        "show_file.php?fileId=5\\u0026auth=abc\"}",
        NULL },
};

static void check_look(const struct look *l, struct wire wire, const char *want)
{
    struct attr_list attrs;
    struct buf b;

    attrs_init(&attrs, l->which);
    const struct attr *a = attr_find(&attrs, str_of(l->field));
    CHECK(a != NULL);
    buf_init(&b, 1 << 16);
    wire.lead = l->which == LEAD;
    strcpy(wire.token, "abc");
    CHECK_EQ(render_value(&b, &wire, a, &l->value), *want != '\0');
    CHECK_STR(buf_cstr(&b), want);
    buf_fini(&b);
    attrs_fini(&attrs);
}

TEST(every_type_has_its_wire_form_in_lists)
{
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        check_look(&looks[i], (struct wire){ .get = false }, looks[i].list);
}

TEST(every_type_has_its_wire_form_in_gets)
{
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        check_look(&looks[i], (struct wire){ .get = true }, looks[i].get ? looks[i].get : looks[i].list);
}

TEST(second_forms_are_options)
{
    static const struct look number = { DEAL, "PROBABILITY", INT_OF(50), NULL, NULL };
    static const struct look date = { DEAL, "BEGINDATE", { .kind = VALUE_DATE, .i = 19965 }, NULL, NULL };

    check_look(&number, (struct wire){ .numbers = true }, "50");
    check_look(&date, (struct wire){ .local_midnight = true }, "\"2024-08-30T00:00:00+03:00\"");
}

TEST_MAIN(CASE(every_type_has_its_wire_form_in_lists), CASE(every_type_has_its_wire_form_in_gets),
    CASE(second_forms_are_options))
