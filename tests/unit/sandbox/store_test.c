#include "services/sandbox/data/change.h"
#include "services/sandbox/data/store.h"
#include "services/sandbox/data/truth.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct store_options options(const char *path)
{
    return (struct store_options){ .seed = 5, .counts = { 300, 100, 50, 80 }, .path = path };
}

static struct store opened(const char *path)
{
    const struct store_options o = options(path);
    struct store s;
    struct err err = { 0 };

    CHECK_OK(store_open(&s, &o, &err), err);
    return s;
}

/* Every visible record in truth's words. */
static char *dump(struct store *s)
{
    struct arena arena = { 0 };
    struct buf out;

    buf_init(&out, 64 << 20);
    for (unsigned w = 0; w < WHICHES; w++) {
        for (uint32_t n = 0; n < s->crm[w].count; n++) {
            struct record r;
            if (s->crm[w].flags[n] != 0)
                continue;
            record_open(&r, s, w, n, &arena);
            truth_record(&out, &r);
            arena_reset(&arena);
        }
    }
    arena_fini(&arena);
    char *text = xstrdup(buf_cstr(&out));
    buf_fini(&out);
    return text;
}

static void change(struct store *s, uint64_t count)
{
    struct change_counts counts;
    struct err err = { 0 };

    CHECK_OK(change_make(s, -1, CHANGE_MIX, count, 1700000000, &counts, &err), err);
    CHECK(counts.updated > 0 && counts.created > 0 && counts.deleted > 0);
}

TEST(the_same_seed_gives_the_same_data)
{
    struct store a = opened(NULL), b = opened(NULL);
    char *x = dump(&a), *y = dump(&b);

    CHECK_STR(x, y);
    CHECK(strlen(x) > 100000);
    free(x);
    free(y);
    store_close(&a);
    store_close(&b);
}

TEST(ids_ascend_with_gaps)
{
    struct store s = opened(NULL);
    const struct crm *c = &s.crm[DEAL];
    uint32_t n;

    CHECK_EQ(c->count, 300);
    CHECK(c->ids[299] > 300);
    for (uint32_t i = 0; i < c->count; i++) {
        CHECK(i == 0 || c->ids[i] > c->ids[i - 1]);
        CHECK(crm_find(c, c->ids[i], &n));
        CHECK_EQ(n, i);
        CHECK_EQ(crm_lower_bound(c, (uint64_t)c->ids[i] + 1), i + 1);
    }
    CHECK(!crm_find(c, 0, &n));
    CHECK(!crm_find(c, UINT64_MAX, &n));
    store_close(&s);
}

TEST(changes_are_the_same_each_time_and_outlive_the_process)
{
    char path[128];
    struct err err = { 0 };
    const struct attr *a;

    snprintf(path, sizeof(path), "%s/data.db", check_folder());
    struct store kept = opened(path), other = opened(NULL);
    CHECK_OK(store_begin(&kept, &err), err);
    CHECK_OK(store_add_attr(&kept, DEAL, "UF_CRM_NEW", STR("double"), false, &a, &err), err);
    CHECK_OK(store_set(&kept, DEAL, 7, a, STR("\"1.50\""), 1700000000, &err), err);
    CHECK_OK(store_flag(&kept, LEAD, 3, RECORD_HIDDEN, &err), err);
    CHECK_OK(store_commit(&kept, &err), err);
    change(&kept, 200);
    change(&other, 200);
    CHECK_EQ(kept.crm[COMPANY].count, other.crm[COMPANY].count);
    char *before = dump(&kept);
    const uint64_t changes = kept.changes;
    store_close(&kept);
    store_close(&other);

    kept = opened(path);
    char *after = dump(&kept);
    CHECK_STR(before, after);
    CHECK_HAS(after, "\"uf_crm_new\":\"1.5\"");
    CHECK_EQ(kept.changes, changes);
    CHECK_EQ(kept.crm[LEAD].flags[3], RECORD_HIDDEN);
    free(before);
    free(after);
    store_close(&kept);
}

static void edit(struct store *s, const char *what, const char *name, const char *json)
{
    struct err err = { 0 };

    CHECK_OK(store_begin(s, &err), err);
    CHECK_OK(store_edit_field(s, DEAL, str_of(what), name, str_of(json), &err), err);
    CHECK_OK(store_commit(s, &err), err);
}

TEST(what_people_do_to_user_fields_outlives_the_process)
{
    char path[128];
    struct err err = { 0 };
    const struct attr *a;

    snprintf(path, sizeof(path), "%s/fields.db", check_folder());
    struct store kept = opened(path);
    edit(&kept, "add", "UF_CRM_X", "{\"type\":\"integer\",\"fill\":100}");
    a = attr_find(&kept.crm[DEAL].attrs, STR("UF_CRM_X"));
    CHECK_OK(store_begin(&kept, &err), err);
    CHECK_OK(store_set(&kept, DEAL, 7, a, STR("\"4711\""), 1700000000, &err), err);
    CHECK_OK(store_commit(&kept, &err), err);
    char *first = dump(&kept);
    CHECK_HAS(first, "\"uf_crm_x\":4711");
    edit(&kept, "type", "UF_CRM_X", "{\"type\":\"string\"}");
    char *retyped = dump(&kept);
    CHECK_HAS(retyped, "\"uf_crm_x\":\"4711\"");
    edit(&kept, "delete", "UF_CRM_X", "");
    edit(&kept, "add", "UF_CRM_X", "{\"type\":\"string\",\"fill\":0}");
    edit(&kept, "delete", "UF_CRM_INT", "");
    edit(&kept, "rename", "UF_CRM_DATE", "{\"label\":\"Дата\"}");
    edit(&kept, "items", "UF_CRM_ENUM_M", "{\"add\":[\"Новое\"]}");
    char *before = dump(&kept);
    CHECK(strstr(before, "\"uf_crm_x\":4711") == NULL && strstr(before, "\"uf_crm_x\":\"4711") == NULL);
    store_close(&kept);

    kept = opened(path);
    char *after = dump(&kept);
    CHECK_STR(before, after);
    CHECK(attr_find(&kept.crm[DEAL].attrs, STR("UF_CRM_INT")) == NULL);
    CHECK(attr_find(&kept.crm[LEAD].attrs, STR("UF_CRM_INT")) != NULL);
    CHECK_STR(attr_find(&kept.crm[DEAL].attrs, STR("UF_CRM_DATE"))->label, "Дата");
    a = attr_find(&kept.crm[DEAL].attrs, STR("UF_CRM_ENUM_M"));
    CHECK_STR(a->items[a->item_count - 1].text, "Новое");
    free(first);
    free(retyped);
    free(before);
    free(after);
    store_close(&kept);
}

TEST(a_deleted_item_is_nobodys_value)
{
    struct store s = opened(NULL);
    const struct attr *single = attr_find(&s.crm[DEAL].attrs, STR("UF_CRM_1721244707107"));
    const struct attr *multiple = attr_find(&s.crm[DEAL].attrs, STR("UF_CRM_ENUM_M"));
    char json[64], value[64];

    for (int i = 0; i < ENUM_ITEMS; i++) {
        snprintf(json, sizeof(json), "{\"delete\":[\"%d\"]}", single->items[i].id);
        edit(&s, "items", single->name, json);
        snprintf(json, sizeof(json), "{\"delete\":[\"%d\"]}", multiple->items[i].id);
        snprintf(value, sizeof(value), "\"uf_crm_enum_m\":[%d", multiple->items[i].id);
        char *before = dump(&s);
        CHECK_HAS(before, value);
        edit(&s, "items", multiple->name, json);
        char *after = dump(&s);
        CHECK(strstr(after, value) == NULL);
        free(before);
        free(after);
    }
    store_close(&s);
}

TEST(a_file_of_another_base_is_refused)
{
    char path[128];
    struct store_options o;
    struct err err = { 0 };
    struct store s;

    snprintf(path, sizeof(path), "%s/base.db", check_folder());
    s = opened(path);
    store_close(&s);
    o = options(path);
    o.seed = 6;
    CHECK_EQ(store_open(&s, &o, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "--seed 5");
    o = options(path);
    o.counts[LEAD] = 81;
    CHECK_EQ(store_open(&s, &o, &err), -1);
    CHECK_HAS(err.text, "--leads 80");
    o = options("/nonexistent/folder/x.db");
    CHECK_EQ(store_open(&s, &o, &err), -1);
}

TEST(a_million_records_start_at_once)
{
    const struct store_options o = { .seed = 1, .counts = { 1000000, 0, 0, 0 } };
    struct err err = { 0 };
    struct store s;

    CHECK_OK(store_open(&s, &o, &err), err);
    CHECK_EQ(s.crm[DEAL].visible, 1000000);
    store_close(&s);
}

TEST(deletes_stop_when_nothing_is_left)
{
    const struct store_options o = { .seed = 1, .counts = { 5, 0, 0, 0 } };
    struct change_counts counts;
    struct err err = { 0 };
    struct store s;

    CHECK_OK(store_open(&s, &o, &err), err);
    CHECK_OK(change_make(&s, DEAL, CHANGE_DELETE, 9, 1700000000, &counts, &err), err);
    CHECK_EQ(counts.deleted, 5);
    CHECK_EQ(s.crm[DEAL].visible, 0);
    store_close(&s);
}

TEST(background_changes_come_at_their_rate_and_end)
{
    struct store s = opened(NULL);
    struct changes c;
    struct err err = { 0 };

    change_start(&c, 100, 2, 10000);
    CHECK_OK(change_tick(&c, &s, 10500, 1700000000, &err), err);
    CHECK_EQ(s.changes, 50);
    CHECK(change_going(&c, 10500));
    CHECK_OK(change_tick(&c, &s, 99000, 1700000000, &err), err);
    CHECK_EQ(s.changes, 200);
    CHECK(!change_going(&c, 99000));
    store_close(&s);
}

TEST_MAIN(CASE(the_same_seed_gives_the_same_data), CASE(ids_ascend_with_gaps),
    CASE(changes_are_the_same_each_time_and_outlive_the_process),
    CASE(what_people_do_to_user_fields_outlives_the_process), CASE(a_deleted_item_is_nobodys_value),
    CASE(a_file_of_another_base_is_refused), CASE(a_million_records_start_at_once),
    CASE(deletes_stop_when_nothing_is_left), CASE(background_changes_come_at_their_rate_and_end))
