/* Writers stand in line: nobody is overtaken, in one process or between several. */
#include "unit/db/fixture.h"

#include "base/mem.h"
#include "db/turn.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 40

/* Adds the writer's name to the log, ROUNDS times, as fast as it can. */
static void write_rounds(const char *url, int name)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, url, &err), err);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(db_begin(db, &err), err);
        CHECK_OK(
            db_run(db, "INSERT INTO log (name) VALUES ($1)", DB_ARGS(dbv_i(name)), NULL, NULL, NULL, &err),
            err);
        CHECK_OK(db_commit(db, &err), err);
    }
    db_close(&db);
}

static void make_log(const char *name)
{
    struct db *db = test_open(name);

    test_write(db, "CREATE TABLE log (id INTEGER PRIMARY KEY, name INTEGER)");
    db_close(&db);
}

struct run {
    int last, length, longest_shared;
    int left[3];
};

/* The longest run of one writer while another was still writing. */
static int on_line(void *ctx, const struct db_val *row, int columns)
{
    struct run *r = ctx;
    int name = (int)row[0].i;

    (void)columns;
    r->length = name == r->last ? r->length + 1 : 1;
    r->last = name;
    r->left[name]--;
    if (r->left[1] > 0 && r->left[2] > 0 && r->left[1] < ROUNDS && r->left[2] < ROUNDS &&
        r->length > r->longest_shared)
        r->longest_shared = r->length;
    return 0;
}

static void check_fair(const char *name)
{
    struct db *db = test_open(name);
    struct run r = { .left = { 0, ROUNDS, ROUNDS } };
    struct err err = { 0 };

    CHECK_OK(db_run(db, "SELECT name FROM log ORDER BY id", DB_NOARGS, on_line, &r, NULL, &err), err);
    CHECK_EQ(r.left[1] + r.left[2], 0);
    if (r.longest_shared > ROUNDS / 2) /* a lock without a line gives runs of nearly all rounds */
        print_error("one writer went %d times in a row\n", r.longest_shared);
    CHECK(r.longest_shared <= ROUNDS / 2);
    db_close(&db);
}

static char url_of_all[256];

static void *thread_main(void *name)
{
    write_rounds(url_of_all, (int)(intptr_t)name);
    return NULL;
}

TEST(threads_of_one_process_take_turns)
{
    ONLY_SQLITE();
    pthread_t threads[2];

    make_log("threads.db");
    snprintf(url_of_all, sizeof(url_of_all), "%s", test_url("threads.db"));
    for (intptr_t i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, thread_main, (void *)(i + 1)), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    check_fair("threads.db");
}

TEST(processes_take_turns)
{
    ONLY_SQLITE();
    pid_t children[2];
    char url[256];

    make_log("processes.db");
    snprintf(url, sizeof(url), "%s", test_url("processes.db"));
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            write_rounds(url, i + 1);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;
        CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
        CHECK_EQ(status, 0);
    }
    check_fair("processes.db");
}

static void add_line(struct db *db, int name)
{
    struct err err = { 0 };

    CHECK_OK(
        db_run(db, "INSERT INTO log (name) VALUES ($1)", DB_ARGS(dbv_i(name)), NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

static void *second_in_line(void *db)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    add_line(db, 2);
    return NULL;
}

TEST(who_gives_the_turn_goes_to_the_end_of_the_line)
{
    ONLY_SQLITE();
    struct err err = { 0 };
    pthread_t thread;

    make_log("line.db");
    struct db *first = test_open("line.db"), *second = test_open("line.db");
    CHECK_OK(db_begin(first, &err), err);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, second_in_line, second), 0);
        test_wait_for_a_waiter("line.db");
        add_line(first, 1);
        CHECK_OK(db_begin(first, &err), err); /* at once: and yet behind the one that waited */
        CHECK_EQ(test_i64(first, "SELECT count(*) FROM log"), 2 * (i + 1));
        pthread_join(thread, NULL);
    }
    db_rollback(first);
    CHECK_EQ(test_i64(first, "SELECT count(*) FROM log WHERE (id % 2 = 1) <> (name = 1)"), 0);
    CHECK_EQ(test_i64(first, "SELECT count(*) FROM log"), 40);
    db_close(&first);
    db_close(&second);
}

TEST(a_killed_writer_gives_its_turn)
{
    ONLY_SQLITE();
    char url[256];
    int status;

    make_log("killed.db");
    snprintf(url, sizeof(url), "%s", test_url("killed.db"));
    pid_t child = fork();
    if (child == 0) {
        struct db *db = NULL;
        struct err err = { 0 };
        if (db_open(&db, url, &err) == 0 && db_begin(db, &err) == 0 &&
            db_run(db, "INSERT INTO log (name) VALUES (1)", DB_NOARGS, NULL, NULL, NULL, &err) == 0)
            kill(getpid(), SIGKILL);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    struct db *db = test_open("killed.db");
    test_write(db, "INSERT INTO log (name) VALUES (2)");
    CHECK_STR(test_rows(db, "SELECT name FROM log"), "2;");
    db_close(&db);
}

TEST(a_reader_does_not_wait_for_the_writer)
{
    make_log("reader.db");
    struct db *writer = test_open("reader.db"), *reader = test_open("reader.db");
    struct err err = { 0 };

    CHECK_OK(db_begin(writer, &err), err);
    CHECK_OK(db_run(writer, "INSERT INTO log (name) VALUES (1)", DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_EQ(test_i64(reader, "SELECT count(*) FROM log"), 0);
    CHECK_OK(db_commit(writer, &err), err);
    CHECK_EQ(test_i64(reader, "SELECT count(*) FROM log"), 1);
    db_close(&writer);
    db_close(&reader);
}

TEST(who_has_the_turn_is_told_and_whether_it_is_stopped)
{
    ONLY_SQLITE();
    const char *url = check_database("holder.db");
    struct turn_holder h;
    struct db *db = NULL;
    struct err err = { 0 };
    pid_t child;

    make_log("holder.db");
    CHECK(!turn_look(url, &h));
    CHECK(!turn_look("postgresql://a@b/c", &h) && !turn_look("sqlite:////nowhere/at/all.db", &h));
    CHECK_OK(db_open(&db, url, &err), err);
    CHECK_OK(db_begin(db, &err), err);
    CHECK(turn_look(url, &h));
    CHECK_EQ(h.pid, getpid());
    CHECK(!h.stopped && h.program[0] != '\0');
    CHECK_OK(db_commit(db, &err), err);
    CHECK(!turn_look(url, &h));
    db_close(&db);

    child = fork();
    if (child == 0) {
        if (db_open(&db, url, &err) == 0 && db_begin(db, &err) == 0)
            raise(SIGSTOP);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
    CHECK(turn_look(url, &h));
    CHECK_EQ(h.pid, child);
    CHECK(h.stopped);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(!turn_look(url, &h));
}

TEST_MAIN(CASE(threads_of_one_process_take_turns), CASE(processes_take_turns),
    CASE(who_gives_the_turn_goes_to_the_end_of_the_line), CASE(a_killed_writer_gives_its_turn),
    CASE(a_reader_does_not_wait_for_the_writer), CASE(who_has_the_turn_is_told_and_whether_it_is_stopped))
