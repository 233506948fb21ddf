#include "services/mapper/shape.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

struct given {
    const char *name, *type;
    bool multiple;
};

static void shape_of(struct shape *s, const struct given *given, int count)
{
    struct field *fields = xcalloc((size_t)count, sizeof(*fields));
    struct buf bytes;
    struct err err = { 0 };

    for (int i = 0; i < count; i++)
        fields[i] =
            (struct field){ str_of(given[i].name), str_of(given[i].type), given[i].multiple, HOLD_NOT };
    buf_init(&bytes, 1 << 20);
    schema_encode(fields, count, &bytes);
    CHECK_OK(shape_init(s, buf_view(&bytes), &err), err);
    CHECK(shape_is(s, buf_view(&bytes)));
    buf_fini(&bytes);
    free(fields);
}

/* "name:kind name:kind" */
static void columns_are(const struct shape *s, const char *want)
{
    struct buf got;

    buf_init(&got, 65536);
    for (int i = 0; i < s->column_count; i++)
        buf_fmt(&got, "%s" STR_FMT ":%s", i > 0 ? " " : "", STR_ARG(s->columns[i].name),
            col_kind_name(s->columns[i].kind));
    CHECK_STR(buf_cstr(&got), want);
    buf_fini(&got);
}

TEST(columns_are_fields_in_lower_case_sorted_by_name)
{
    static const struct given given[] = {
        { "TITLE", "string", false },
        { "ID", "integer", false },
        { "UF_CRM_2", "date", true },
        { "OPPORTUNITY", "double", false },
        { "CLOSED", "char", false },
        { "COMPANY_ID", "crm_company", false },
        { "DATE_CREATE", "datetime", false },
        { "BEGINDATE", "date", false },
    };
    struct shape s;

    shape_of(&s, given, ARRAY_SIZE(given));
    columns_are(&s, "begindate:date closed:bool company_id:int date_create:time opportunity:decimal "
                    "title:text uf_crm_2:json");
    CHECK_EQ(s.fields[s.id_field].column, SHAPE_NONE);
    shape_fini(&s);
}

TEST(money_has_two_columns)
{
    static const struct given given[] = { { "ID", "integer", false }, { "UF_PRICE", "money", false },
        { "UF_PRICES", "money", true } };
    struct shape s;

    shape_of(&s, given, ARRAY_SIZE(given));
    columns_are(&s, "uf_price:decimal uf_price_currency:text uf_prices:json");
    shape_fini(&s);
}

TEST(names_that_meet_get_numbers_and_fields_come_before_currencies)
{
    static const struct given given[] = {
        { "ID", "integer", false },
        { "id", "string", false },
        { "A_B", "string", false },
        { "A-B", "integer", false },
        { "A.B", "date", false },
        { "UF", "money", false },
        { "UF_CURRENCY", "crm_status", false },
        { "_HI", "string", false },
    };
    struct shape s;

    shape_of(&s, given, ARRAY_SIZE(given));
    /* by name: A-B, A.B, A_B */
    columns_are(&s,
        "a_b:int a_b_2:date a_b_3:text f_hi:text id_2:text uf:decimal uf_currency:text uf_currency_2:text");
    CHECK_EQ(s.fields[schema_find(&s.schema, STR("UF")) - s.schema.fields].currency, 7);
    shape_fini(&s);
}

TEST(a_long_name_keeps_its_currency)
{
    char name[129];
    struct given given = { name, "money", false };
    struct shape s;

    memset(name, 'A', 128);
    name[128] = '\0';
    shape_of(&s, &given, 1);
    CHECK_EQ(s.column_count, 2);
    CHECK_EQ(s.columns[0].name.n, 63); /* of both: the longest name that every database takes */
    CHECK_EQ(s.columns[1].name.n, 63);
    shape_fini(&s);
}

TEST(the_columns_travel)
{
    static const struct given given[] = { { "ID", "integer", false }, { "TITLE", "string", false } };
    struct columns columns;
    struct err err = { 0 };
    struct shape s;

    shape_of(&s, given, ARRAY_SIZE(given));
    CHECK_OK(columns_decode(&columns, buf_view(&s.encoded), &err), err);
    CHECK_EQ(columns.count, 1);
    CHECK_VIEW(columns.list[0].name, "title");
    columns_free(&columns);
    shape_fini(&s);
}

TEST(thousands_of_fields_that_meet_are_no_trouble)
{
    struct field *fields = xcalloc(SCHEMA_FIELDS_MAX, sizeof(*fields));
    char(*names)[16] = xcalloc(SCHEMA_FIELDS_MAX, 16);
    struct buf bytes;
    struct shape s;
    struct err err = { 0 };

    for (int i = 0; i < SCHEMA_FIELDS_MAX; i++) {
        snprintf(names[i], 16, "F%d%c", i / 2, i % 2 ? '-' : '_');
        fields[i] = (struct field){ str_of(names[i]), STR("money"), false, HOLD_NOT };
    }
    buf_init(&bytes, 1 << 20);
    schema_encode(fields, SCHEMA_FIELDS_MAX, &bytes);
    CHECK_OK(shape_init(&s, buf_view(&bytes), &err), err);
    CHECK_EQ(s.column_count, 2 * SCHEMA_FIELDS_MAX);
    for (int i = 1; i < s.column_count; i++)
        CHECK(memcmp(s.columns[i - 1].name.p, s.columns[i].name.p, s.columns[i].name.n + 1) < 0);
    shape_fini(&s);
    buf_fini(&bytes);
    free(names);
    free(fields);
}

TEST(garbage_is_no_schema)
{
    struct shape s;
    struct err err = { 0 };

    CHECK_EQ(shape_init(&s, STR("\xc1garbage"), &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    shape_fini(&s);
}

TEST_MAIN(CASE(columns_are_fields_in_lower_case_sorted_by_name), CASE(money_has_two_columns),
    CASE(names_that_meet_get_numbers_and_fields_come_before_currencies), CASE(a_long_name_keeps_its_currency),
    CASE(the_columns_travel), CASE(thousands_of_fields_that_meet_are_no_trouble), CASE(garbage_is_no_schema))
