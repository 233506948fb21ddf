#include "base/uuid.h"

#include "base/clock.h"
#include "support/check.h"

#include <pthread.h>
#include <stdlib.h>

TEST(an_id_is_a_version_7_uuid_of_the_moment)
{
    char id[UUID_SIZE];

    clock_set(1, 0x0123456789ab);
    uuid7(id);
    CHECK_EQ(strlen(id), 36);
    CHECK_HAS(id, "01234567-89ab-7");
    CHECK(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-');
    CHECK(strchr("89ab", id[19]) != NULL);
    CHECK_EQ(strspn(id, "0123456789abcdef-"), 36);
}

TEST(ids_sort_by_time_within_a_millisecond_and_when_the_clock_steps_back)
{
    char before[UUID_SIZE], after[UUID_SIZE];

    clock_set(1, 0x0123456789ff);
    uuid7(before);
    for (int i = 0; i < 10000; i++) {
        if (i == 5000)
            clock_set(1, 0x012345678000);
        uuid7(after);
        CHECK(strcmp(before, after) < 0);
        memcpy(before, after, UUID_SIZE);
    }
}

#define IDS 5000
static char ids[4 * IDS][UUID_SIZE];

static void *make_ids(void *arg)
{
    char(*mine)[UUID_SIZE] = arg;

    for (int i = 0; i < IDS; i++)
        uuid7(mine[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

TEST(threads_never_make_the_same_id)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, make_ids, ids[i * IDS]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, 4 * IDS, UUID_SIZE, compare);
    for (int i = 1; i < 4 * IDS; i++)
        CHECK(strncmp(ids[i - 1], ids[i], 18) != 0); /* the time part alone differs */
}

TEST_MAIN(CASE(an_id_is_a_version_7_uuid_of_the_moment),
    CASE(ids_sort_by_time_within_a_millisecond_and_when_the_clock_steps_back),
    CASE(threads_never_make_the_same_id))
