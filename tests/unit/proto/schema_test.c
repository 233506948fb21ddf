#include "proto/schema.h"

#include "base/mem.h"
#include "proto/wire.h"
#include "support/check.h"

static const struct field fields[] = {
    { { "TITLE", 5 }, { "string", 6 }, false, HOLD_NOT },
    { { "UF_CRM_1", 8 }, { "enumeration", 11 }, true, HOLD_NOT }, /* the portal's own */
    { { "ID", 2 }, { "integer", 7 }, false, HOLD_NOT },
    { { "TITLE", 5 }, { "integer", 7 }, true, HOLD_NOT }, /* once more: the first counts */
};

static struct schema decoded(void)
{
    struct schema s = { 0 };
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    schema_encode(fields, ARRAY_SIZE(fields), &b);
    CHECK_OK(schema_decode(&s, buf_view(&b), &err), err);
    buf_fini(&b);
    return s;
}

TEST(schema_is_sorted_and_each_field_once)
{
    struct schema s = decoded();

    CHECK_EQ(s.count, 3);
    CHECK_VIEW(s.fields[0].name, "ID");
    CHECK_VIEW(s.fields[1].name, "TITLE");
    CHECK_VIEW(s.fields[1].type, "string");
    CHECK(s.fields[2].multiple);
    schema_free(&s);
    CHECK_EQ(s.count, 0);
}

TEST(find_is_exact)
{
    struct schema s = decoded();

    CHECK(schema_find(&s, STR("UF_CRM_1")) == &s.fields[2]);
    CHECK(schema_find(&s, STR("ID")) == &s.fields[0]);
    CHECK(schema_find(&s, STR("UF_CRM_")) == NULL);
    CHECK(schema_find(&s, STR("UF_CRM_11")) == NULL);
    CHECK(schema_find(&s, STR("id")) == NULL);
    CHECK(schema_find(&s, STR("")) == NULL);
    schema_free(&s);
}

TEST(equal_schemas_are_equal_bytes)
{
    struct field turned[3] = { fields[2], fields[1], fields[0] };
    struct buf a, b;

    buf_init(&a, 4096);
    buf_init(&b, 4096);
    schema_encode(fields, 3, &a);
    schema_encode(turned, 3, &b);
    CHECK(str_eq(buf_view(&a), buf_view(&b)));
    buf_fini(&a);
    buf_fini(&b);
}

static void put_field(struct buf *b, const char *name, const char *type)
{
    wire_put_array(b, 3);
    wire_put_str(b, str_of(name));
    wire_put_str(b, str_of(type));
    wire_put_bool(b, false);
}

static void check_refused(const struct buf *b, const char *text)
{
    struct schema s = { .count = 77 };
    struct err err;

    CHECK_EQ(schema_decode(&s, buf_view(b), &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_HAS(err.text, text);
    CHECK_EQ(s.count, 77);
}

/* One held field among others, and what a peer that knows no holds wrote of the same. */
TEST(a_hold_travels_and_none_costs_nothing)
{
    static const struct field held[] = { { STR("A"), STR("string"), false, HOLD_NOT },
        { STR("B"), STR("double"), true, HOLD_OUT }, { STR("C"), STR("date"), false, HOLD_ASIDE } };
    struct schema s = { 0 };
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    schema_encode(held, 3, &b);
    CHECK(memcmp(b.p + 5,
              "\x93\xa1"
              "A\xa6string\xc2\x94\xa1"
              "B\xa6"
              "double\xc3\x01\x94",
              23) == 0);
    CHECK_OK(schema_decode(&s, buf_view(&b), &err), err);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(s.fields[i].hold, i);
    schema_free(&s);
    buf_fini(&b);
}

TEST(holds_that_are_not_known_are_refused)
{
    static const uint64_t holds[] = { HOLD_NOT, HOLDS, UINT64_MAX };
    struct buf b;

    buf_init(&b, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
        buf_clear(&b);
        wire_put_array(&b, 1);
        wire_put_array(&b, 4);
        wire_put_str(&b, STR("A"));
        wire_put_str(&b, STR("string"));
        wire_put_bool(&b, false);
        wire_put_u64(&b, holds[i]);
        check_refused(&b, "hold of A");
    }
    buf_fini(&b);
}

TEST(spoilt_schemas_are_refused)
{
    static const struct {
        const char *first, *second, *text;
    } cases[] = { { "A", "A", "twice" }, { "B", "A", "order" }, { "", "A", "empty" } };
    struct buf b;

    buf_init(&b, 1 << 20);
    check_refused(&b, "malformed");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        buf_clear(&b);
        wire_put_array(&b, 2);
        put_field(&b, cases[i].first, "string");
        put_field(&b, cases[i].second, "string");
        check_refused(&b, cases[i].text);
    }
    buf_clear(&b);
    wire_put_array(&b, 1);
    put_field(&b, "A", "string");
    wire_put_nil(&b);
    check_refused(&b, "after its end");
    buf_clear(&b);
    wire_put_array(&b, SCHEMA_FIELDS_MAX + 1);
    for (int i = 0; i <= SCHEMA_FIELDS_MAX; i++)
        wire_put_nil(&b);
    check_refused(&b, "over 5000");
    buf_fini(&b);
}

TEST(kinds_follow_the_portal_types)
{
    static const struct {
        const char *type;
        bool multiple;
        const char *kind;
    } cases[] = { { "string", false, "text" }, { "crm_status", false, "text" }, { "crm", false, "text" },
        { "enumeration", false, "text" }, { "no_such_type", false, "text" }, { "unknown", false, "text" },
        { "", false, "text" }, { "integer", false, "int" }, { "crm_company", false, "int" },
        { "user", false, "int" }, { "crm_entity", false, "int" }, { "iblock_section", false, "int" },
        { "double", false, "decimal" }, { "money", false, "decimal" }, { "boolean", false, "bool" },
        { "char", false, "bool" }, { "date", false, "date" }, { "datetime", false, "time" },
        { "crm_multifield", false, "json" }, { "file", false, "json" }, { "resourcebooking", false, "json" },
        { "integer", true, "json" }, { "date", true, "json" }, { "no_such_type", true, "json" } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(col_kind_name(col_kind_of(str_of(cases[i].type), cases[i].multiple)), cases[i].kind);
}

TEST(kind_names_are_read_back)
{
    enum col_kind kind;

    for (int i = 0; i < COL_KINDS; i++) {
        CHECK_EQ(col_kind_parse(str_of(col_kind_name((enum col_kind)i)), &kind), 0);
        CHECK_EQ(kind, i);
    }
    CHECK_EQ(col_kind_parse(STR("blob"), &kind), -1);
    CHECK_STR(col_kind_name(COL_KINDS), "unknown");
}

TEST(column_names_are_plain)
{
    static const char *const cases[][2] = { { "UF_CRM_1639669411830", "uf_crm_1639669411830" },
        { "PARENT_ID_128", "parent_id_128" }, { "ufCrm2_1", "ufcrm2_1" }, { "a b;--\"'", "a_b_____" },
        { "_hi", "f_hi" }, { "\xd0\x9f", "f__" }, { "1C", "1c" }, { "", "" } };
    char ret[129], longest[300];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        col_name(str_of(cases[i][0]), ret);
        CHECK_STR(ret, cases[i][1]);
    }
    memset(longest, '_', sizeof(longest));
    for (size_t n = 126; n <= sizeof(longest); n++) {
        col_name((struct str){ longest, n }, ret);
        CHECK_EQ(strlen(ret), n < 128 ? n + 1 : 128);
    }
}

static void check_columns(const struct column *list, int count, const char *text)
{
    struct columns c = { .count = 77 };
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    columns_encode(list, count, &b);
    if (text == NULL) {
        CHECK_OK(columns_decode(&c, buf_view(&b), &err), err);
        CHECK_EQ(c.count, count);
        for (int i = 0; i < count; i++) {
            CHECK(str_eq(c.list[i].name, list[i].name));
            CHECK_EQ(c.list[i].kind, list[i].kind);
        }
        columns_free(&c);
    } else {
        CHECK_EQ(columns_decode(&c, buf_view(&b), &err), -1);
        CHECK_HAS(err.text, text);
        CHECK_EQ(c.count, 77);
    }
    buf_fini(&b);
}

TEST(columns_keep_their_order)
{
    check_columns((struct column[]){ { STR("title"), COL_TEXT }, { STR("money_currency"), COL_TEXT },
                      { STR("begindate"), COL_DATE } },
        3, NULL);
    check_columns(NULL, 0, NULL);
}

TEST(column_names_that_could_harm_are_refused)
{
    check_columns((struct column[]){ { STR("a"), COL_TEXT }, { STR("b"), COL_INT }, { STR("a"), COL_INT } },
        3, "twice");
    check_columns((struct column[]){ { STR("_hi"), COL_INT } }, 1, "cannot be one");
    check_columns((struct column[]){ { STR("id"), COL_INT } }, 1, "cannot be one");
    check_columns((struct column[]){ { STR("a\" int"), COL_INT } }, 1, "cannot be one");
    check_columns((struct column[]){ { STR("Title"), COL_INT } }, 1, "cannot be one");
    check_columns((struct column[]){ { STR(""), COL_INT } }, 1, "cannot be one");
    check_columns((struct column[]){ { STR("a"), COL_KINDS } }, 1, "not known");
}

TEST_MAIN(CASE(schema_is_sorted_and_each_field_once), CASE(find_is_exact),
    CASE(equal_schemas_are_equal_bytes), CASE(a_hold_travels_and_none_costs_nothing),
    CASE(holds_that_are_not_known_are_refused), CASE(spoilt_schemas_are_refused),
    CASE(kinds_follow_the_portal_types), CASE(kind_names_are_read_back), CASE(column_names_are_plain),
    CASE(columns_keep_their_order), CASE(column_names_that_could_harm_are_refused))
