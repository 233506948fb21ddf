/* The codec against every field of every .def file, one at a time. */
#include "proto/msg.h"

#include "fields.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

static int decode(
    struct msg **ret, enum msg_type type, unsigned version, const struct buf *body, struct err *err)
{
    struct frame frame = { .p = body->p, .n = body->n }, payload = { 0 };
    struct buf envelope;

    buf_init(&envelope, 256);
    put_envelope(&envelope, type, version);
    int result = msg_decode(ret, buf_view(&envelope), &frame, &payload, err);
    buf_fini(&envelope);
    return result;
}

/* The required fields, and `row` with n in place of its own or beside them. */
static void put_body(struct buf *out, const struct row *row, uint64_t n)
{
    struct buf pairs;
    uint32_t count = 1;

    buf_init(&pairs, 64 << 20);
    put_required(&pairs, row->message, row, &count);
    put_pair(&pairs, row, n);
    wire_put_map(out, count);
    buf_add(out, pairs.p, pairs.n);
    buf_fini(&pairs);
}

static void check_field(const struct row *row, uint64_t n, bool taken)
{
    struct msg *m = NULL;
    struct err err = { 0 };
    struct buf body, again, envelope;
    char name[128];

    buf_init(&body, 64 << 20);
    buf_init(&again, 64 << 20);
    buf_init(&envelope, 256);
    snprintf(name, sizeof(name), "%s.%s", msg_name(row->message), row->name);
    put_body(&body, row, n);
    int result = decode(&m, row->message, 1, &body, &err);
    if (taken) {
        CHECK_OK(result, err);
        CHECK_OK(msg_encode(m, &envelope, &again, &err), err);
        CHECK(again.n == body.n || (n == 0 && !row->required));
    } else {
        CHECK_EQ(result, -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_HAS(err.text, name);
        CHECK_HAS(err.text, "over the limit");
        CHECK(m == NULL);
    }
    msg_free(&m);
    buf_fini(&body);
    buf_fini(&again);
    buf_fini(&envelope);
}

TEST(every_field_is_taken_up_to_its_limit_and_refused_above)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].kind == U64 || rows[i].kind == I64) {
            check_field(&rows[i], 0, true);
            check_field(&rows[i], INT64_MAX, true);
            continue;
        }
        CHECK(rows[i].limit > 0);
        check_field(&rows[i], 0, true);
        check_field(&rows[i], rows[i].limit, true);
        check_field(&rows[i], (uint64_t)rows[i].limit + 1, false);
    }
}

TEST(every_required_field_is_missed)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct msg *m = NULL;
        struct err err;
        struct buf body, pairs;
        char text[128];
        uint32_t count = 0;

        if (!rows[i].required)
            continue;
        buf_init(&body, 4096);
        buf_init(&pairs, 4096);
        put_required(&pairs, rows[i].message, &rows[i], &count);
        wire_put_map(&body, count);
        buf_add(&body, pairs.p, pairs.n);
        CHECK_EQ(decode(&m, rows[i].message, 1, &body, &err), -1);
        snprintf(text, sizeof(text), "%s.%s: missing", msg_name(rows[i].message), rows[i].name);
        CHECK_STR(err.text, text);
        buf_fini(&body);
        buf_fini(&pairs);
    }
}

TEST(every_field_refuses_another_type_and_itself_again)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct msg *m = NULL;
        struct err err;
        struct buf body;

        buf_init(&body, 4096);
        wire_put_map(&body, 1);
        wire_put_str(&body, str_of(rows[i].name));
        wire_put_bool(&body, true);
        CHECK_EQ(decode(&m, rows[i].message, 1, &body, &err), -1);
        CHECK_HAS(err.text, rows[i].name);
        CHECK_HAS(err.text, "not a well-formed");
        buf_clear(&body);
        wire_put_map(&body, 2);
        put_pair(&body, &rows[i], 1);
        put_pair(&body, &rows[i], 1);
        CHECK_EQ(decode(&m, rows[i].message, 1, &body, &err), -1);
        CHECK_HAS(err.text, "twice");
        buf_fini(&body);
    }
}

TEST(newer_fields_are_skipped)
{
    struct msg *m = NULL;
    struct err err;
    struct buf body;

    buf_init(&body, 4096);
    wire_put_map(&body, 2);
    wire_put_str(&body, STR("invented_later"));
    wire_put_map(&body, 1);
    wire_put_str(&body, STR("a"));
    wire_put_array(&body, 0);
    wire_put_str(&body, STR("command"));
    wire_put_str(&body, STR("status"));
    CHECK_OK(decode(&m, MSG_CONTROL, 2, &body, &err), err);
    CHECK_EQ(m->version, 2);
    CHECK_VIEW(m->control.command, "status");
    msg_free(&m);
    buf_fini(&body);
}

/* An array that claims 2500 ids in ten bytes must not be believed. */
TEST(counts_are_not_believed)
{
    struct msg *m = NULL;
    struct err err;
    struct buf body;

    buf_init(&body, 4096);
    wire_put_map(&body, 1);
    wire_put_str(&body, STR("ids"));
    buf_add(&body, "\xdc\x09\xc4\x01\x02", 5);
    CHECK_EQ(decode(&m, MSG_JOB, 1, &body, &err), -1);
    CHECK_HAS(err.text, "JOB.ids: not a well-formed");
    buf_fini(&body);
}

static int released;

static void count_release(void *owner)
{
    released++;
}

static void put_records(struct buf *envelope, struct buf *body)
{
    uint32_t count = 0;
    struct buf pairs;

    buf_init(envelope, 256);
    buf_init(body, 4096);
    buf_init(&pairs, 4096);
    put_envelope(envelope, MSG_RECORDS, 1);
    put_required(&pairs, MSG_RECORDS, NULL, &count);
    wire_put_map(body, count);
    buf_add(body, pairs.p, pairs.n);
    buf_fini(&pairs);
}

TEST(frames_belong_to_the_message_only_after_success)
{
    struct buf envelope, body;
    struct msg *m = NULL;
    struct err err;

    released = 0;
    put_records(&envelope, &body);
    struct frame f = { .p = body.p, .n = body.n - 1, .release = count_release };
    struct frame payload = { .p = "\xc0", .n = 1, .release = count_release };
    CHECK_EQ(msg_decode(&m, buf_view(&envelope), &f, &payload, &err), -1);
    CHECK(f.p == body.p && payload.n == 1);
    CHECK_EQ(released, 0);

    f.n = body.n;
    CHECK_OK(msg_decode(&m, buf_view(&envelope), &f, &payload, &err), err);
    CHECK(f.p == NULL && f.release == NULL && payload.p == NULL);
    CHECK_EQ(m->payload.n, 1);
    CHECK_EQ(released, 0);
    msg_free(&m);
    CHECK_EQ(released, 2);
    CHECK(m == NULL);
    buf_fini(&envelope);
    buf_fini(&body);
}

TEST(payload_over_its_limit_is_refused)
{
    struct buf envelope, body;
    struct msg *m = NULL;
    struct err err;

    put_records(&envelope, &body);
    struct frame f = { .p = body.p, .n = body.n };
    struct frame payload = { .p = "", .n = msg_payload_limit(MSG_RECORDS) + 1 };
    CHECK_EQ(msg_decode(&m, buf_view(&envelope), &f, &payload, &err), -1);
    CHECK_HAS(err.text, "RECORDS: payload of 67108865 bytes");
    buf_fini(&envelope);
    buf_fini(&body);
}

TEST(taking_a_payload_empties_the_buffer)
{
    struct msg *m = msg_new(MSG_ROWS);
    struct buf b;

    for (int i = 0; i < 2; i++) { /* the second replaces the first */
        buf_init(&b, 100);
        buf_str(&b, "rows");
        msg_take_payload(m, &b);
        CHECK_EQ(b.n, 0);
        CHECK(b.p == NULL);
        CHECK_EQ(b.max, 100);
        CHECK_EQ(m->payload.n, 4);
    }
    msg_free(&m);
}

TEST(a_new_message_has_an_id_and_the_time)
{
    clock_set(5, 1795228620123);
    struct msg *a = msg_new(MSG_READY), *b = msg_new(MSG_READY);

    CHECK_EQ(strlen(a->correlation), UUID_SIZE - 1);
    CHECK(strcmp(a->correlation, b->correlation) != 0);
    CHECK(a->sent_ms == 1795228620123);
    CHECK_EQ(a->version, 2);
    msg_free(&a);
    msg_free(&b);
    msg_free(&a);
    msg_free(NULL);
    clock_set(0, 0);
}

static void check_encode_fails(const struct msg *m, const char *text)
{
    struct buf envelope, body;
    struct err err;

    buf_init(&envelope, 256);
    buf_init(&body, 4096);
    CHECK_EQ(msg_encode(m, &envelope, &body, &err), -1);
    CHECK_EQ(err.kind, ERR_BUG);
    CHECK_HAS(err.text, text);
    CHECK_EQ(body.n, 0);
    CHECK_EQ(envelope.n, 0);
    buf_fini(&envelope);
    buf_fini(&body);
}

TEST(encoding_what_would_be_refused_is_our_bug)
{
    static char names[5000], url[66];
    struct msg *m = msg_new(MSG_JOB);

    memset(names, 'x', sizeof(names));
    m->job.entities = (struct str){ names, 4097 };
    check_encode_fails(m, "JOB.entities: 4097 is over the limit of 4096");
    m->job.entities = (struct str){ names, 4096 };
    check_encode_fails(m, "does not fit"); /* the buffer of this test */
    m->job.entities.n = 0;
    m->job.portal = (struct str){ url, sizeof(url) };
    check_encode_fails(m, "JOB.portal: 66");
    m->job.portal.n = 3;
    check_encode_fails(m, "JOB.portal: a NUL byte");
    m->job.portal.n = 0;
    m->job.ids.n = 2501;
    check_encode_fails(m, "JOB.ids: 2501");
    m->job.ids.n = 0;
    m->payload = (struct frame){ .p = names, .n = 1 };
    check_encode_fails(m, "JOB: payload");
    m->payload = (struct frame){ 0 };
    m->type = MSG_TYPE_END;
    check_encode_fails(m, "unknown type");
    m->type = MSG_JOB;
    msg_free(&m);
}

TEST(names_and_numbers_are_found)
{
    CHECK_EQ(msg_type_of("RECORDS"), MSG_RECORDS);
    CHECK_EQ(msg_type_of("records"), MSG_NONE);
    CHECK_STR(msg_name(MSG_CONTROL_REPLY), "CONTROL_REPLY");
    CHECK(msg_name(MSG_NONE) == NULL);
    CHECK(msg_name(MSG_TYPE_END) == NULL);
    CHECK_EQ(msg_payload_limit(MSG_JOB), 0);
    CHECK_EQ(msg_payload_limit(MSG_NONE), 0);
}

/* What BIN fields say: their msgpack when it is some and short, else their size. */
TEST(binary_is_printed_as_its_msgpack_or_size)
{
    static char large[8192];
    const struct {
        struct str bytes;
        const char *text;
    } cases[] = { { STR("\x92\x01\xa1x"), "\"schema\":[1,\"x\"]" },
        { STR("\xc1"), "\"schema\":{\"bytes\":1}" }, { STR("\x01\x02"), "\"schema\":{\"bytes\":2}" },
        { { large, sizeof(large) }, "\"schema\":{\"bytes\":8192}" } };

    memcpy(large, "\xda\x1f\xfd", 3);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct msg *m = msg_new(MSG_JOB);
        struct buf out;
        buf_init(&out, 1 << 16);
        m->job.schema = cases[i].bytes;
        msg_print(m, &out);
        CHECK_HAS(buf_cstr(&out), cases[i].text);
        buf_fini(&out);
        msg_free(&m);
    }
}

TEST_MAIN(CASE(every_field_is_taken_up_to_its_limit_and_refused_above), CASE(every_required_field_is_missed),
    CASE(every_field_refuses_another_type_and_itself_again), CASE(newer_fields_are_skipped),
    CASE(counts_are_not_believed), CASE(frames_belong_to_the_message_only_after_success),
    CASE(payload_over_its_limit_is_refused), CASE(taking_a_payload_empties_the_buffer),
    CASE(a_new_message_has_an_id_and_the_time), CASE(encoding_what_would_be_refused_is_our_bug),
    CASE(names_and_numbers_are_found), CASE(binary_is_printed_as_its_msgpack_or_size))
