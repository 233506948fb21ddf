#include "connectors/bitrix_write_ask.h"

#include "base/mem.h"
#include "support/check.h"

#define ORIGIN .originator = STR("potok"), .origin = STR("A:7")
#define FOUND_BY(o, i, id) \
    "\"filter\":{\"=" i "\":\"A:7\",\"=" o "\":\"potok\"},\"select\":[\"" id "\",\"" i "\",\"" o \
    "\"],\"order\":{\"" id "\":\"ASC\"},\"start\":-1}"

TEST(each_write_is_a_method_and_what_looks_for_it_another)
{
    static const struct {
        struct write_task task;
        const char *method, *params, *look, *asks;
    } cases[] = {
        { { .kind = WRITE_ADD, .type_id = 2, ORIGIN, .fields = STR("{\"TITLE\":\"Сделка\"}") },
            "crm.deal.add",
            "{\"fields\":{\"TITLE\":\"Сделка\",\"ORIGINATOR_ID\":\"potok\",\"ORIGIN_ID\":\"A:7\"}}",
            "crm.deal.list", "{" FOUND_BY("ORIGINATOR_ID", "ORIGIN_ID", "ID") },
        { { .kind = WRITE_ADD, .type_id = 1, ORIGIN, .fields = STR("{}") }, "crm.lead.add",
            "{\"fields\":{\"ORIGINATOR_ID\":\"potok\",\"ORIGIN_ID\":\"A:7\"}}", "crm.lead.list",
            "{" FOUND_BY("ORIGINATOR_ID", "ORIGIN_ID", "ID") },
        { { .kind = WRITE_ADD, .type_id = 4, .by_item = true, ORIGIN, .fields = STR("{}") }, "crm.item.add",
            "{\"entityTypeId\":4,\"fields\":{\"originatorId\":\"potok\",\"originId\":\"A:7\"}}",
            "crm.item.list", "{\"entityTypeId\":4," FOUND_BY("originatorId", "originId", "id") },
        { { .kind = WRITE_ADD, .type_id = 128, ORIGIN, .fields = STR("{\"title\":\"x\"}") }, "crm.item.add",
            "{\"entityTypeId\":128,\"fields\":{\"title\":\"x\",\"xmlId\":\"potok/A:7\"}}", "crm.item.list",
            "{\"entityTypeId\":128,\"filter\":{\"=xmlId\":\"potok/A:7\"},\"select\":[\"id\",\"xmlId\"],"
            "\"order\":{\"id\":\"ASC\"},\"start\":-1}" },
        { { .kind = WRITE_ROWS, .type_id = 3, .id = 9, .fields = STR("{\"PHONE\":[{\"VALUE\":\"1\"}]}") },
            "crm.contact.update", "{\"id\":9,\"fields\":{\"PHONE\":[{\"VALUE\":\"1\"}]}}", "crm.contact.get",
            "{\"id\":9}" },
        { { .kind = WRITE_UPDATE, .type_id = 2, .id = 9, .fields = STR("{\"TITLE\":\"y\"}") },
            "crm.deal.update", "{\"id\":9,\"fields\":{\"TITLE\":\"y\"}}", NULL, NULL },
        { { .kind = WRITE_DELETE, .type_id = 4, .id = 9 }, "crm.company.delete", "{\"id\":9}",
            "crm.company.get", "{\"id\":9}" },
        { { .kind = WRITE_DELETE, .type_id = 156, .id = 9 }, "crm.item.delete",
            "{\"entityTypeId\":156,\"id\":9}", "crm.item.get", "{\"entityTypeId\":156,\"id\":9}" },
        { { .kind = WRITE_BIND, .event = STR("ONCRMDEALADD"), .handler = STR("https://a/b") }, "event.bind",
            "{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://a/b\"}", "event.get", "{}" },
        { { .kind = WRITE_UNBIND, .event = STR("ONCRMDEALADD"), .offline = true, .connector = STR("potok") },
            "event.unbind",
            "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\",\"auth_connector\":\"potok\"}",
            "event.get", "{}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf room;
        struct call call;
        struct err err;

        buf_init(&room, 4096);
        CHECK_OK(bitrix_write_call(&cases[i].task, &room, &call, &err), err);
        CHECK_VIEW(call.method, cases[i].method);
        CHECK_VIEW(call.params, cases[i].params);
        CHECK_EQ(bitrix_write_look(&cases[i].task, &room, &call, &err), cases[i].look == NULL ? -1 : 0);
        if (cases[i].look != NULL) {
            CHECK_VIEW(call.method, cases[i].look);
            CHECK_VIEW(call.params, cases[i].asks);
        }
        buf_fini(&room);
    }
}

#define ONE_PHONE "{\"PHONE\":[{\"VALUE\":\"1\"}]}"

TEST(what_could_not_be_found_again_is_not_written)
{
    static char long_origin[WRITE_ORIGIN_SIZE];
    struct write_task cases[] = {
        { .kind = WRITE_ADD, .type_id = 7, ORIGIN, .fields = STR("{}") },
        { .kind = WRITE_ADD, .type_id = 31, ORIGIN, .fields = STR("{}") },
        { .kind = WRITE_ADD, .type_id = 2, .originator = STR("potok"), .fields = STR("{}") },
        { .kind = WRITE_ADD, .type_id = 2, .origin = STR("7"), .fields = STR("{}") },
        { .kind = WRITE_ADD, .type_id = 2, .originator = STR("potok"), .fields = STR("{}") },
        { .kind = WRITE_ADD,
            .type_id = 2,
            .originator = STR("potok"),
            .origin = STR("\xff"),
            .fields = STR("{}") },
        { .kind = WRITE_ADD, .type_id = 2, ORIGIN, .fields = STR("[]") },
        { .kind = WRITE_ADD, .type_id = 2, ORIGIN },
        { .kind = WRITE_UPDATE, .type_id = 2, .fields = STR("{}") },
        { .kind = WRITE_ROWS, .type_id = 3, .by_item = true, .id = 1, .fields = STR(ONE_PHONE) },
        { .kind = WRITE_ROWS, .type_id = 2, .id = 1, .fields = STR(ONE_PHONE) }, /* deals have none */
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[]}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":\"79991234567\"}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[\"79991234567\"]}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[{\"VALUE\":79991234567}]}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[{\"VALUE\":\" \"}]}") },
        { .kind = WRITE_ROWS,
            .type_id = 3,
            .id = 1,
            .fields = STR("{\"PHONE\":{\"n0\":{\"VALUE\":\"1\"}}}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"TITLE\":[{\"VALUE\":\"1\"}]}") },
        { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[{\"VALUE\":\"1\"},{}]}") },
        { .kind = WRITE_ROWS,
            .type_id = 3,
            .id = 1,
            .fields = STR("{\"PHONE\":[{\"ID\":7,\"VALUE\":\"1\"}]}") },
        { .kind = WRITE_ROWS,
            .type_id = 3,
            .id = 1,
            .fields = STR("{\"PHONE\":[{\"VALUE\":\"1\",\"DELETE\":\"Y\"}]}") },
        { .kind = WRITE_DELETE, .type_id = 2, .id = UINT64_MAX },
    };

    memset(long_origin, 'x', sizeof(long_origin) - 1);
    cases[4].origin = str_of(long_origin);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf room;
        struct call call;
        struct err err;

        buf_init(&room, 4096);
        CHECK_EQ(bitrix_write_call(&cases[i], &room, &call, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        buf_fini(&room);
    }
}

TEST(what_is_too_large_is_said_so)
{
    struct write_task t = {
        .kind = WRITE_ADD, .type_id = 2, ORIGIN, .fields = STR("{\"TITLE\":\"long enough\"}")
    };
    struct buf room;
    struct call call;
    struct err err;

    buf_init(&room, 64);
    CHECK_EQ(bitrix_write_call(&t, &room, &call, &err), -1);
    CHECK_HAS(err.text, "crm.deal.add: over 64 bytes");
    buf_fini(&room);
}

TEST_MAIN(CASE(each_write_is_a_method_and_what_looks_for_it_another),
    CASE(what_could_not_be_found_again_is_not_written), CASE(what_is_too_large_is_said_so))
