#include "proto/job_kind.h"

#include "support/check.h"

TEST(names_are_read_back)
{
    enum job_kind kind;

    for (int i = 0; i < JOB_KINDS; i++) {
        CHECK_EQ(job_kind_of(str_of(job_kind_name((enum job_kind)i)), &kind), 0);
        CHECK_EQ(kind, i);
    }
}

TEST(other_names_are_not_known)
{
    enum job_kind kind = JOB_IDS;

    CHECK_EQ(job_kind_of(STR("Range"), &kind), -1);
    CHECK_EQ(job_kind_of(STR(""), &kind), -1);
    CHECK_EQ(kind, JOB_IDS);
    CHECK_STR(job_kind_name(JOB_KINDS), "unknown");
}

TEST_MAIN(CASE(names_are_read_back), CASE(other_names_are_not_known))
