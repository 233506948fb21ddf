#include "services/scheduler/rules/questions.h"

#include <stdio.h>

#include "support/check.h"

TEST(a_question_counts_until_it_is_answered_however_often_it_is_asked)
{
    struct questions q = { .count = 0 };

    CHECK_EQ(questions_ask(&q, "one", 1000), QUESTION_NEW);
    CHECK_EQ(questions_ask(&q, "one", 1000), QUESTION_AGAIN);
    CHECK_EQ(questions_ask(&q, "two", 1000), QUESTION_NEW);
    CHECK_EQ(q.count, 2);
    questions_answered(&q, "one");
    questions_answered(&q, "one");
    questions_answered(&q, "another");
    CHECK_EQ(q.count, 1);
    CHECK_EQ(questions_ask(&q, "two", 1000), QUESTION_AGAIN);
    CHECK_EQ(questions_ask(&q, "one", 1000), QUESTION_NEW);
}

TEST(there_are_so_many_and_no_more)
{
    struct questions q = { .count = 0 };
    char name[UUID_SIZE] = "";

    for (int i = 0; i < QUESTIONS_MOST; i++) {
        snprintf(name, sizeof(name), "%d", i);
        CHECK_EQ(questions_ask(&q, name, 1000), QUESTION_NEW);
    }
    CHECK_EQ(questions_ask(&q, "more", 1000), QUESTION_TOO_MANY);
    CHECK_EQ(questions_ask(&q, "7", 1000), QUESTION_AGAIN);
    questions_answered(&q, "7");
    CHECK_EQ(questions_ask(&q, "more", 1000), QUESTION_NEW);
}

TEST(one_that_nobody_asks_any_more_makes_room)
{
    struct questions q = { .count = 0 };
    char name[UUID_SIZE] = "";

    for (int i = 0; i < QUESTIONS_MOST; i++) {
        snprintf(name, sizeof(name), "%d", i);
        CHECK_EQ(questions_ask(&q, name, 1000), QUESTION_NEW);
    }
    CHECK_EQ(questions_ask(&q, "7", 2000), QUESTION_AGAIN);
    CHECK_EQ(questions_ask(&q, "more", 999 + QUESTION_LIFE_MS), QUESTION_TOO_MANY);
    CHECK_EQ(questions_ask(&q, "more", 1000 + QUESTION_LIFE_MS), QUESTION_NEW);
    CHECK_EQ(q.count, 2);
    CHECK_EQ(questions_ask(&q, "7", 1000 + QUESTION_LIFE_MS), QUESTION_AGAIN);
}

TEST_MAIN(CASE(a_question_counts_until_it_is_answered_however_often_it_is_asked),
    CASE(there_are_so_many_and_no_more), CASE(one_that_nobody_asks_any_more_makes_room))
