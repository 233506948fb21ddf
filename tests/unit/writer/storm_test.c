/* Storms as in the model's SQL check: a portal whose three deals change A -> B -> A, lost webhooks, attempts
 * given up that come back, doubles, floors rising. At last one full scan, and the marks it leaves are read:
 * then the database is the portal. The number of a storm is its seed. */
#include "story.h"

#include "base/clock.h"

#define STORMS      300
#define BUDGET_MS   8000 /* fewer storms on a slow machine */
#define FLIGHTS_MAX 400
#define IDS         3

struct aloft { /* a flight, and what it has read */
    struct flight flight;
    uint64_t ids[IDS]; /* asked for */
    size_t count;
    struct note notes[IDS];
    size_t note_count;
    bool was_read;
    bool last; /* of the end of the storm: it is waited for */
};

struct storm {
    struct story *s;
    unsigned seed;
    const char *portal[IDS + 1]; /* titles by id; NULL = not there */
    struct aloft aloft[FLIGHTS_MAX];
    int aloft_count;
    struct apply begun;
    struct msg *begun_msg; /* NULL = nobody is in a transaction */
    bool by_id_last;       /* readings of ids come late */
};

static int roll(struct storm *w, int n)
{
    return rand_r(&w->seed) / 7 % n;
}

static bool chance(struct storm *w, int percent)
{
    return roll(w, 100) < percent;
}

static struct aloft *launch(
    struct storm *w, const char *kind, const uint64_t *ids, size_t n, uint64_t first, uint64_t last)
{
    struct aloft *a = &w->aloft[w->aloft_count];

    CHECK(w->aloft_count < FLIGHTS_MAX);
    *a = (struct aloft){ .flight = { tick(w->s), 0, kind, first, last }, .count = n };
    memcpy(a->ids, ids, n * sizeof(*ids));
    w->aloft_count++;
    return a;
}

static void launch_range(struct storm *w, int which)
{
    if (which == 0)
        launch(w, "range", (const uint64_t[]){ 1, 2 }, 2, 1, 2);
    else
        launch(w, "range", (const uint64_t[]){ 3 }, 1, 3, END);
}

static int on_mark(void *ctx, const struct db_val *row, int columns)
{
    struct aloft *a = ctx;

    (void)columns;
    a->ids[a->count++] = (uint64_t)row[0].i;
    return a->count == IDS;
}

static bool launch_marks(struct storm *w)
{
    struct aloft marked = { .count = 0 };
    struct err err = { 0 };

    CHECK_OK(
        db_run(w->s->other, "SELECT id FROM potok_mark ORDER BY id", DB_NOARGS, on_mark, &marked, NULL, &err),
        err);
    if (marked.count > 0)
        launch(w, "get", marked.ids, marked.count, 0, 0);
    return marked.count > 0;
}

static void read_now(struct storm *w, struct aloft *a)
{
    if (a->was_read)
        return;
    a->was_read = true;
    for (size_t i = 0; i < a->count; i++)
        if (w->portal[a->ids[i]] != NULL || strcmp(a->flight.kind, "get") == 0)
            a->notes[a->note_count++] = (struct note){ a->ids[i], w->portal[a->ids[i]] };
}

/* Each message has a job of its own, also a double: the rules must hold without the look at the job. */
static struct msg *message(struct storm *w, struct aloft *a)
{
    a->flight = fly_as(w->s, a->flight.d, a->flight.kind, a->flight.first, a->flight.last);
    return read_flight(&a->flight, a->notes, a->note_count);
}

static void land(struct storm *w, int i)
{
    memmove(&w->aloft[i], &w->aloft[i + 1], (size_t)(w->aloft_count - i - 1) * sizeof(*w->aloft));
    w->aloft_count--;
}

/* One of those that were read; with by_id_last a range where there is one. -1: none. */
static int choose_read(struct storm *w)
{
    int best = -1, best_weight = 1000;

    for (int i = 0; i < w->aloft_count; i++) {
        int weight = roll(w, 100) + (w->by_id_last && strcmp(w->aloft[i].flight.kind, "get") == 0 ? 100 : 0);
        if (w->aloft[i].was_read && weight < best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    return best;
}

static void enter(struct storm *w)
{
    struct err err = { 0 };
    int i = choose_read(w);

    if (i < 0)
        return;
    w->begun_msg = message(w, &w->aloft[i]);
    CHECK_OK(apply_begin(&w->begun, chance(w, 50) ? w->s->one : w->s->two, w->begun_msg, &err), err);
    if (chance(w, 90))
        land(w, i); /* else its double comes later */
}

static void leave(struct storm *w)
{
    struct err err = { 0 };

    if (chance(w, 5))
        apply_abandon(&w->begun); /* killed before the commit */
    else
        CHECK_OK(apply_end(&w->begun, &err), err);
    msg_free(&w->begun_msg);
}

static void change(struct storm *w)
{
    uint64_t id = 1 + (uint64_t)roll(w, IDS);

    w->portal[id] = chance(w, 80) ? (chance(w, 50) ? "A" : "B") : NULL;
    if (chance(w, 50))
        mark(w->s, id); /* else the webhook is lost */
}

static void rise(struct storm *w)
{
    uint64_t low = (uint64_t)test_i64(w->s->other, "SELECT tick FROM potok_lease");

    for (int i = 0; i < w->aloft_count; i++) /* three in ten were given up: nobody waits for them */
        if (chance(w, 70) && w->aloft[i].flight.d <= low)
            low = w->aloft[i].flight.d - 1;
    raise_floor(w->s, low);
}

static void step(struct storm *w)
{
    static const char what[] = "cccssiirrrrreeeellllllf";
    char c = what[roll(w, (int)sizeof(what) - 1)];

    if (w->begun_msg != NULL && c != 'r' && c != 'l')
        return; /* it has the turn: nobody else writes */
    if (c == 'c')
        change(w);
    else if (c == 's')
        launch_range(w, roll(w, 2));
    else if (c == 'i')
        launch_marks(w);
    else if (c == 'r' && w->aloft_count > 0)
        read_now(w, &w->aloft[roll(w, w->aloft_count)]);
    else if (c == 'e')
        enter(w);
    else if (c == 'l' && w->begun_msg != NULL)
        leave(w);
    else if (c == 'f')
        rise(w);
}

static void commit_all(struct storm *w, struct aloft *list, int n)
{
    while (n > 0) {
        int i = roll(w, n);
        read_now(w, &list[i]);
        apply_msg(chance(w, 50) ? w->s->one : w->s->two, message(w, &list[i]));
        list[i] = list[--n];
    }
}

/* What was launched last, and half of the others, in any order. */
static void come_down(struct storm *w)
{
    struct aloft *now = xcalloc(FLIGHTS_MAX, sizeof(*now));
    int n = 0;

    for (int i = w->aloft_count - 1; i >= 0; i--) {
        if (w->aloft[i].last || chance(w, 50)) {
            now[n++] = w->aloft[i];
            land(w, i);
        }
    }
    commit_all(w, now, n);
    free(now);
}

/* One full scan, then the marks, while what is left in the air comes down. False: it does not come to rest.
 */
static bool rest(struct storm *w)
{
    bool more = true;

    launch_range(w, 0);
    w->aloft[w->aloft_count - 1].last = true;
    launch_range(w, 1);
    for (int round = 0; round < 20 && more; round++) {
        w->aloft[w->aloft_count > 0 ? w->aloft_count - 1 : 0].last = true;
        come_down(w);
        more = launch_marks(w) || w->aloft_count > 0;
    }
    return !more;
}

static bool is_as_the_portal(struct storm *w)
{
    for (uint64_t id = 1; id <= IDS; id++)
        if (strcmp(deal(w->s, id), w->portal[id] != NULL ? w->portal[id] : "-") != 0)
            return false;
    return true;
}

static bool play(struct story *s, unsigned number)
{
    struct storm *w = xcalloc(1, sizeof(*w));
    static const int lengths[] = { 20, 40, 150 };
    bool right;

    forget_all(s);
    *w = (struct storm){ .s = s, .seed = number * 2654435761u + 1, .portal = { NULL, "A", "A", NULL } };
    w->by_id_last = chance(w, 50);
    for (int left = lengths[roll(w, 3)]; left > 0 && w->aloft_count < FLIGHTS_MAX - 10; left--)
        step(w);
    if (w->begun_msg != NULL)
        leave(w);
    right = rest(w) && is_as_the_portal(w);
    free(w);
    return right;
}

static void fast(struct db *db)
{
    if (check_is_postgres()) { /* no power is lost in here */
        test_rows(db, "SELECT set_config('synchronous_commit', 'off', false)");
        return;
    }
    CHECK_EQ(test_i64(db, "PRAGMA synchronous"), 2);
    test_rows(db, "PRAGMA synchronous = OFF");
}

TEST(after_a_storm_the_database_is_the_portal)
{
    struct story s;
    uint64_t until = clock_mono_ms() + BUDGET_MS;
    int wrong = 0, played = 0;

    open_story(&s, "storm.db");
    fast(s.one);
    fast(s.two);
    fast(s.other);
    for (unsigned n = 0; n < STORMS && clock_mono_ms() < until; n++, played++) {
        if (play(&s, n))
            continue;
        print_error("storm %u went wrong\n", n);
        wrong++;
    }
    print_message("%d storms\n", played);
    CHECK_EQ(wrong, 0);
    CHECK(played > 10);
    close_story(&s);
}

TEST_MAIN(CASE(after_a_storm_the_database_is_the_portal))
