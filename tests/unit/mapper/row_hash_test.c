#include "services/mapper/row_hash.h"

#include "support/check.h"

#include <sodium.h>
#include <stdio.h>

static struct row_hash hash;

static void add(const char *column, enum col_kind kind, const char *value)
{
    struct buf prefix;

    buf_init(&prefix, 256);
    row_hash_prefix(&prefix, str_of(column), kind);
    row_hash_add(&hash, buf_view(&prefix), str_of(value));
    buf_fini(&prefix);
}

static void end(char ret[static 33])
{
    uint8_t bytes[ROW_HASH_BYTES];

    CHECK_EQ(row_hash_end(&hash, bytes), 0);
    for (int i = 0; i < ROW_HASH_BYTES; i++)
        sprintf(ret + 2 * i, "%02x", bytes[i]);
}

TEST(stored_hashes_stay_what_they_are)
{
    char got[33];

    row_hash_init(&hash, 4096);
    row_hash_begin(&hash);
    add("opportunity", COL_DECIMAL, "1000");
    add("title", COL_TEXT, "Сделка");
    end(got);
    CHECK_STR(
        got, "683f7aa965252342db073ba79acf7d13"); /* a change here rewrites every row of every mirror once */
    row_hash_fini(&hash);
}

TEST(a_value_moved_to_another_column_is_another_row)
{
    char first[33], second[33];

    row_hash_init(&hash, 4096);
    row_hash_begin(&hash);
    add("a", COL_TEXT, "x");
    end(first);
    row_hash_begin(&hash);
    add("b", COL_TEXT, "x");
    end(second);
    CHECK(strcmp(first, second) != 0);
    row_hash_begin(&hash);
    add("a", COL_TEXT, "");
    add("b", COL_TEXT, "x");
    end(first);
    CHECK(strcmp(first, second) != 0); /* "" is not NULL */
    row_hash_begin(&hash);
    add("a", COL_JSON, "x");
    end(second);
    CHECK(strcmp(first, second) != 0);
    row_hash_fini(&hash);
}

TEST(a_row_too_large_has_no_hash)
{
    uint8_t bytes[ROW_HASH_BYTES];

    row_hash_init(&hash, 16);
    row_hash_begin(&hash);
    add("title", COL_TEXT, "longer than sixteen bytes");
    CHECK_EQ(row_hash_end(&hash, bytes), -1);
    row_hash_fini(&hash);
}

TEST_MAIN(CASE(stored_hashes_stay_what_they_are), CASE(a_value_moved_to_another_column_is_another_row),
    CASE(a_row_too_large_has_no_hash))
