#include "services/mapper/map.h"

#include "proto/msg.h"
#include "wired.h"

#include <stdio.h>

#define WHOLE SIZE_MAX / 2

static char *file_text(const char *name)
{
    char path[256];
    long n;
    char *text;

    snprintf(path, sizeof(path), "tests/fixtures/mapper/%s", name);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        print_error("%s: cannot be opened (tests run in the top folder)\n", path);
    CHECK(f != NULL);
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    text = xcalloc(1, (size_t)n + 1);
    CHECK_EQ(fread(text, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return text;
}

/* Lines "NAME type [multiple|out|aside]". */
static void schema_of(const char *lines, struct buf *out)
{
    static char copy[65536];
    struct field fields[256];
    int count = 0;
    char *at = NULL;

    snprintf(copy, sizeof(copy), "%s", lines);
    for (char *line = strtok_r(copy, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at)) {
        char *inner = NULL, *name = strtok_r(line, " ", &inner), *type = strtok_r(NULL, " ", &inner);

        struct str more = str_of(strtok_r(NULL, " ", &inner));
        enum field_hold hold = str_is(more, "out") ? HOLD_OUT : str_is(more, "aside") ? HOLD_ASIDE : HOLD_NOT;

        fields[count++] = (struct field){ str_of(name), str_of(type), str_is(more, "multiple"), hold };
    }
    schema_encode(fields, count, out);
}

/* Lines of JSON to records; how many. */
static uint64_t records_of(const char *lines, struct buf *out)
{
    static char copy[65536];
    uint64_t count = 0;
    char *at = NULL;

    snprintf(copy, sizeof(copy), "%s", lines);
    for (char *line = strtok_r(copy, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at), count++)
        wired(line, out);
    return count;
}

static struct map map;

/* Maps all; each row as a line: id and column=value of what is not NULL, then "! id field value: reason". */
static void rows_print(const struct map *m, struct buf *out)
{
    struct wire w;

    wire_init(&w, m->rows.p, m->rows.n);
    while (!wire_done(&w)) {
        CHECK_EQ(wire_array(&w), (uint32_t)m->shape.column_count + 2);
        buf_fmt(out, "%lld", (long long)wire_i64(&w));
        CHECK_EQ(wire_bin(&w).n, 16);
        for (int i = 0; i < m->shape.column_count; i++) {
            if (wire_peek(&w) == WIRE_NIL) {
                wire_nil(&w);
                continue;
            }
            buf_fmt(out, " " STR_FMT "=", STR_ARG(m->shape.columns[i].name));
            wire_json(&w, out);
        }
        buf_char(out, '\n');
        CHECK(wire_ok(&w));
    }
    wire_init(&w, m->rejects.p, m->rejects.n);
    for (uint32_t i = m->rejects.n > 0 ? wire_array(&w) : 0; i > 0; i--) {
        CHECK_EQ(wire_array(&w), 4);
        buf_fmt(out, "! %lld", (long long)wire_i64(&w));
        for (int j = 0; j < 3; j++) {
            struct str s = wire_str(&w);

            buf_fmt(out, j == 2 ? ": " STR_FMT "\n" : " " STR_FMT, STR_ARG(s));
        }
    }
    CHECK(wire_done(&w));
}

static int map_lines(const char *schema, const char *lines, size_t slice, struct buf *out, struct err *err)
{
    struct buf bytes, payload;
    uint64_t count;
    int left;

    buf_init(&bytes, 1 << 20);
    buf_init(&payload, 1 << 20);
    schema_of(schema, &bytes);
    count = records_of(lines, &payload);
    left = map_begin(&map, buf_view(&bytes), buf_view(&payload), count, err) < 0 ? -1 : 1;
    while (left == 1)
        left = map_step(&map, slice, err);
    if (left == 0)
        rows_print(&map, out);
    buf_fini(&bytes);
    buf_fini(&payload);
    return left;
}

static void becomes(const char *schema, const char *lines, const char *want)
{
    struct err err = { 0 };
    struct buf got;

    buf_init(&got, 1 << 20);
    CHECK_OK(map_lines(schema, lines, WHOLE, &got, &err), err);
    CHECK_STR(buf_cstr(&got), want);
    buf_fini(&got);
}

static void refused(const char *schema, const char *lines, const char *why)
{
    struct err err = { 0 };
    struct buf got;

    buf_init(&got, 1 << 20);
    CHECK_EQ(map_lines(schema, lines, WHOLE, &got, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_HAS(err.text, why);
    buf_fini(&got);
}

TEST(recorded_records_become_the_rows_beside_them)
{
    static const char *const names[] = { "deal", "contact" };

    map_init(&map);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char name[64], *text[3];
        static const char *const parts[] = { "schema.txt", "records.ndjson", "rows.txt" };

        for (int j = 0; j < 3; j++) {
            snprintf(name, sizeof(name), "%s.%s", names[i], parts[j]);
            text[j] = file_text(name);
        }
        becomes(text[0], text[1], text[2]);
        for (int j = 0; j < 3; j++)
            free(text[j]);
    }
    map_fini(&map);
}

#define SCHEMA "ID integer\nTITLE string\nSUM double\nWHO user\n"

TEST(keys_in_any_order_and_missing_ones)
{
    map_init(&map);
    becomes(SCHEMA,
        "{\"ID\":\"1\",\"TITLE\":\"a\",\"SUM\":\"1.50\",\"WHO\":\"7\"}\n"
        "{\"WHO\":\"8\",\"SUM\":2,\"TITLE\":\"b\",\"ID\":2}\n"
        "{\"ID\":\"3\",\"WHO\":\"9\"}\n"
        "{\"ID\":\"4\",\"TITLE\":\"d\",\"SUM\":null,\"WHO\":\"0\"}\n"
        "{\"ID\":\"5\"}\n",
        "1 sum=\"1.5\" title=\"a\" who=7\n"
        "2 sum=\"2\" title=\"b\" who=8\n"
        "3 who=9\n"
        "4 title=\"d\"\n"
        "5\n");
    CHECK_EQ(map.stats.rows, 5);
    CHECK_EQ(map.stats.unknown, 0);
    map_fini(&map);
}

TEST(what_does_not_fit_is_told_and_the_rest_is_kept)
{
    map_init(&map);
    becomes(SCHEMA,
        "{\"SUM\":\"lots\",\"ID\":\"1\",\"TITLE\":\"a\",\"WHO\":[1]}\n"
        "{\"ID\":\"2\",\"TITLE\":\"b\",\"SUM\":{\"x\":1.50}}\n",
        "1 title=\"a\"\n"
        "2 title=\"b\"\n"
        "! 1 SUM lots: not a number\n"
        "! 1 WHO [1]: neither a number nor text\n"
        "! 2 SUM {\"x\":1.50}: neither a number nor text\n");
    CHECK_EQ(map.stats.rejects, 3);
    map_fini(&map);
}

/* What is empty, NULL for its kind or "", is not told: 300,000 lines that say nothing hide those that do. */
TEST(held_fields_have_no_column_and_quarantine_tells_their_values)
{
    map_init(&map);
    becomes(
        "ID integer\nTITLE string\nUF_A string aside\nUF_B money out\nUF_C money aside\nUF_D date aside\n",
        "{\"ID\":\"1\",\"TITLE\":\"a\",\"UF_A\":\"x\",\"UF_B\":\"1|RUB\",\"UF_C\":\"2|EUR\",\"UF_D\":\"no "
        "date\"}\n"
        "{\"ID\":\"2\",\"TITLE\":\"b\",\"UF_A\":\"\",\"UF_B\":{\"odd\":[1]},\"UF_C\":\"\",\"UF_D\":null}\n"
        "{\"UF_A\":[],\"UF_C\":false,\"UF_A\":\"twice\",\"ID\":\"3\"}\n",
        "1 title=\"a\"\n"
        "2 title=\"b\"\n"
        "3\n"
        "! 1 UF_A x: " MAP_QUARANTINE "\n"
        "! 1 UF_C 2|EUR: " MAP_QUARANTINE "\n"
        "! 1 UF_D no date: " MAP_QUARANTINE "\n");
    CHECK_EQ(map.stats.rejects, 3);
    CHECK_EQ(map.stats.unknown, 0);
    CHECK_EQ(map.shape.column_count, 1);
    map_fini(&map);
}

/* A hold is no change of the record: rows of before and after it are the same row. */
TEST(a_hold_does_not_move_the_hash)
{
    static const char *const schemas[] = { "ID integer\nTITLE string\n",
        "ID integer\nTITLE string\nUF_A string out\n", "ID integer\nTITLE string\nUF_A string aside\n" };
    char hash[ARRAY_SIZE(schemas)][ROW_HASH_BYTES];
    struct err err = { 0 };
    struct buf got;

    map_init(&map);
    buf_init(&got, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(schemas); i++) {
        struct wire w;

        CHECK_EQ(
            map_lines(schemas[i], "{\"ID\":\"1\",\"TITLE\":\"a\",\"UF_A\":\"x\"}\n", WHOLE, &got, &err), 0);
        wire_init(&w, map.rows.p, map.rows.n);
        wire_array(&w);
        wire_i64(&w);
        memcpy(hash[i], wire_bin(&w).p, ROW_HASH_BYTES);
        CHECK(memcmp(hash[i], hash[0], ROW_HASH_BYTES) == 0);
    }
    buf_fini(&got);
    map_fini(&map);
}

TEST(fields_told_twice_or_not_described_are_left_out)
{
    map_init(&map);
    becomes(SCHEMA,
        "{\"ID\":\"1\",\"SUM\":\"x\",\"FACE_ID\":{\"a\":[1,2]},\"SUM\":\"y\",\"TITLE\":\"a\",\"TITLE\":\"b\"}"
        "\n",
        "1 title=\"a\"\n! 1 SUM x: not a number\n");
    CHECK_EQ(map.stats.unknown, 1);
    map_fini(&map);
}

TEST(a_record_without_a_positive_id_spoils_its_message)
{
    static const char *const records[] = { "{\"TITLE\":\"a\"}", "{\"ID\":\"0\"}", "{\"ID\":-1}",
        "{\"ID\":null}", "{\"ID\":\"1x\"}", "{\"ID\":\"\"}", "{\"ID\":[1]}", "{\"ID\":18446744073709551615}",
        "{}" };

    map_init(&map);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        refused(SCHEMA, records[i], "no positive ID");
    refused(SCHEMA, "[1]", "not a record");
    refused(SCHEMA, "\"x\"", "not a record");
    becomes(SCHEMA, "{\"ID\":\"1\"}\n", "1\n"); /* nothing is left of the bad ones */
    map_fini(&map);
}

TEST(counts_and_bytes_must_agree)
{
    struct buf schema, payload;
    struct err err = { 0 };

    map_init(&map);
    buf_init(&schema, 65536);
    buf_init(&payload, 65536);
    schema_of(SCHEMA, &schema);
    records_of("{\"ID\":1}\n{\"ID\":2}\n", &payload);
    CHECK_OK(map_begin(&map, buf_view(&schema), buf_view(&payload), 1, &err), err);
    CHECK_EQ(map_step(&map, WHOLE, &err), -1);
    CHECK_HAS(err.text, "left");
    CHECK_OK(map_begin(&map, buf_view(&schema), buf_view(&payload), 3, &err), err);
    CHECK_EQ(map_step(&map, WHOLE, &err), -1);
    CHECK_EQ(map_begin(&map, buf_view(&schema), buf_view(&payload), UINT64_MAX, &err), -1);
    CHECK_EQ(map_begin(&map, STR("\xc1"), buf_view(&payload), 1, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    buf_fini(&payload);
    buf_fini(&schema);
    map_fini(&map);
}

TEST(no_records_are_no_rows)
{
    map_init(&map);
    becomes(SCHEMA, "", "");
    CHECK_EQ(map.rows.n, 0);
    CHECK_EQ(map.rejects.n, 0);
    map_fini(&map);
}

TEST(slices_give_the_same_rows)
{
    static const char lines[] = "{\"ID\":1,\"TITLE\":\"a\"}\n{\"ID\":2,\"SUM\":\"?\"}\n{\"ID\":3}\n";
    struct buf whole, sliced;
    struct err err = { 0 };

    map_init(&map);
    buf_init(&whole, 65536);
    buf_init(&sliced, 65536);
    CHECK_OK(map_lines(SCHEMA, lines, WHOLE, &whole, &err), err);
    CHECK_OK(map_lines(SCHEMA, lines, 1, &sliced, &err), err);
    CHECK_STR(buf_cstr(&sliced), buf_cstr(&whole));
    buf_fini(&whole);
    buf_fini(&sliced);
    map_fini(&map);
}

/* The hash of the only row of a message. */
static void hash_of(const char *schema, const char *line, uint8_t ret[static 16])
{
    struct err err = { 0 };
    struct buf got;
    struct wire w;

    buf_init(&got, 1 << 20);
    CHECK_OK(map_lines(schema, line, WHOLE, &got, &err), err);
    wire_init(&w, map.rows.p, map.rows.n);
    wire_array(&w);
    wire_i64(&w);
    memcpy(ret, wire_bin(&w).p, 16);
    buf_fini(&got);
}

TEST(the_hash_is_of_what_is_there)
{
    static const char record[] = "{\"ID\":\"1\",\"TITLE\":\"a\",\"SUM\":\"1.50\"}";
    uint8_t first[16], other[16];

    map_init(&map);
    hash_of(SCHEMA, record, first);
    hash_of(SCHEMA "AAA string\nUF_1 money\nZZZ date multiple\n", record, other);
    CHECK(memcmp(first, other, 16) == 0); /* a new column that is NULL changes nothing */
    hash_of(SCHEMA, "{\"ID\":\"1\",\"SUM\":1.5,\"TITLE\":\"a\",\"WHO\":\"0\"}", other);
    CHECK(memcmp(first, other, 16) == 0); /* nor does another spelling */
    hash_of(SCHEMA, "{\"ID\":\"2\",\"TITLE\":\"a\",\"SUM\":\"1.50\"}", other);
    CHECK(memcmp(first, other, 16) == 0); /* the id is the key, not the content */
    hash_of(SCHEMA, "{\"ID\":\"1\",\"TITLE\":\"a\",\"SUM\":\"1.51\"}", other);
    CHECK(memcmp(first, other, 16) != 0);
    hash_of(SCHEMA, "{\"ID\":\"1\",\"TITLE\":\"\",\"SUM\":\"1.50\"}", other);
    CHECK(memcmp(first, other, 16) != 0);
    hash_of(SCHEMA, "{\"ID\":\"1\",\"SUM\":\"1.50\"}", first);
    CHECK(memcmp(first, other, 16) != 0); /* "" is not NULL */
    map_fini(&map);
}

TEST(a_long_rejected_value_is_cut_between_characters)
{
    struct buf line, got;
    struct err err = { 0 };
    struct wire w;

    map_init(&map);
    buf_init(&line, 1 << 20);
    buf_init(&got, 1 << 20);
    buf_str(&line, "{\"ID\":1,\"SUM\":\"x");
    for (int i = 0; i < 30000; i++)
        buf_str(&line, "я");
    buf_str(&line, "\"}");
    CHECK_OK(map_lines(SCHEMA, buf_cstr(&line), WHOLE, &got, &err), err);
    wire_init(&w, map.rejects.p, map.rejects.n);
    CHECK_EQ(wire_array(&w), 1);
    CHECK_EQ(wire_array(&w), 4);
    wire_i64(&w);
    wire_str(&w);
    CHECK_EQ(wire_str(&w).n, 60001);
    buf_fini(&line);
    buf_fini(&got);
    map_fini(&map);
}

TEST_MAIN(CASE(recorded_records_become_the_rows_beside_them), CASE(keys_in_any_order_and_missing_ones),
    CASE(what_does_not_fit_is_told_and_the_rest_is_kept),
    CASE(held_fields_have_no_column_and_quarantine_tells_their_values), CASE(a_hold_does_not_move_the_hash),
    CASE(fields_told_twice_or_not_described_are_left_out),
    CASE(a_record_without_a_positive_id_spoils_its_message), CASE(counts_and_bytes_must_agree),
    CASE(no_records_are_no_rows), CASE(slices_give_the_same_rows), CASE(the_hash_is_of_what_is_there),
    CASE(a_long_rejected_value_is_cut_between_characters))
