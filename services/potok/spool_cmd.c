/* spool_cmd.c - `potok spool stats|list|export|check|drain`: what gateways hold on this machine, also while
 * they run. */
#include "command.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "home.h"
#include "words/say.h"
#include "services/gateway/spool.h"
#include "spool_drain.h"
#include "words/table.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_JSON, OPTION_TIMEOUT };
static const struct option_def OPTIONS[] = {
    { "--json", 0, false, "для программ", "for programs" },
    { "--timeout", 0, true, "сколько секунд ждёт drain (60)", "how many seconds drain waits (60)" },
    { NULL, 0, false, NULL, NULL },
};

const struct option_def SPOOL_VERBS[] = {
    { "stats", 0, false, "сколько ждёт, с каких пор, сколько отложено (без слова — это)",
        "how many wait, since when, how many were set aside (the default)" },
    { "list", 0, false, "каждое событие строкой", "a line for each event" },
    { "export", 0, false, "то же строками JSON", "the same as lines of JSON" },
    { "check", 0, false, "целы ли файл и каждая запись; код выхода 1, если нет",
        "are the file and each of its rows sound; exit code 1 when not" },
    { "drain", 0, false, "шлюз (или все) больше не принимает и передаёт всё: перед его удалением",
        "a gateway (or all) takes no more and hands on all it has: before it is removed" },
    { NULL, 0, false, NULL, NULL },
};

#define SPOOLS_MAX 64

struct spools {
    char names[SPOOLS_MAX][80]; /* "gateway.1" */
    int count;
    char folder[700];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every gateway of this POTOK_HOME has one; none yet is no error. */
static void find(struct spools *s, const struct home *h)
{
    DIR *dir;
    struct dirent *e;

    s->count = 0;
    snprintf(s->folder, sizeof(s->folder), "%s/spool", h->dir);
    dir = opendir(s->folder);
    while (dir != NULL && (e = readdir(dir)) != NULL && s->count < SPOOLS_MAX) {
        size_t n = strlen(e->d_name);

        if (n < 4 || n - 3 >= sizeof(s->names[0]) || strcmp(e->d_name + n - 3, ".db") != 0)
            continue;
        snprintf(s->names[s->count++], sizeof(s->names[0]), "%.*s", (int)(n - 3), e->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    qsort(s->names, (size_t)s->count, sizeof(s->names[0]), by_name);
}

static int open_one(const struct spools *s, int i, struct spool **ret, struct err *err)
{
    char path[800];

    snprintf(path, sizeof(path), "%s/%s.db", s->folder, s->names[i]);
    return spool_open_read(ret, path, err);
}

static const char *kind_name(enum change_kind kind)
{
    static const char *const names[CHANGE_KINDS] = { [CHANGE_KIND_SET] = "set",
        [CHANGE_KIND_GONE] = "gone",
        [CHANGE_KIND_FIELDS] = "fields",
        [CHANGE_KIND_ACCESS] = "access",
        [CHANGE_KIND_QUEUE] = "queue",
        [CHANGE_KIND_RENEWED] = "renewed" };

    return names[kind];
}

/* ---- stats ---- */

static json_t *stats_json(const char *name, const struct spool_stats *x, uint64_t now_ms)
{
    uint64_t age_ms = x->oldest_ms > 0 && now_ms > x->oldest_ms ? now_ms - x->oldest_ms : 0;

    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "gateway", name, "waiting", (json_int_t)x->waiting,
        "oldest_ms", (json_int_t)age_ms, "unknown", (json_int_t)x->odd, "damaged", (json_int_t)x->damaged,
        "bytes", (json_int_t)x->bytes);
}

static void stats_row(struct table *t, const char *name, const struct spool_stats *x, uint64_t now_ms)
{
    char cells[5][SAY_COUNT_SIZE];

    table_add(t,
        (const char *[]){ name, say_count(x->waiting, cells[0]),
            x->oldest_ms == 0 ? "–" : say_span(now_ms > x->oldest_ms ? now_ms - x->oldest_ms : 0, cells[1]),
            say_count(x->odd, cells[2]), say_count(x->damaged, cells[3]), say_bytes(x->bytes, cells[4]) });
}

static int stats(const struct spools *s, bool json, struct err *err)
{
    const char *heads[] = { say("шлюз", "gateway"), say(">ждут", ">waiting"), say(">старшее", ">oldest"),
        say(">неизвестных", ">unknown"), say(">повреждённых", ">damaged"), say(">размер", ">size") };
    json_t *list = json_array();
    uint64_t now_ms = clock_wall_ms();
    struct table t;
    struct buf out;
    int failed = 0;

    table_init(&t, ARRAY_SIZE(heads), heads);
    for (int i = 0; i < s->count && failed == 0; i++) {
        struct spool_stats x;
        struct spool *spool = NULL;

        failed = open_one(s, i, &spool, err) < 0 || spool_stats(spool, &x, err) < 0 ? -1 : 0;
        spool_close(&spool);
        if (failed == 0) {
            json_array_append_new(list, stats_json(s->names[i], &x, now_ms));
            stats_row(&t, s->names[i], &x, now_ms);
        }
    }
    if (failed == 0 && json) {
        json_dumpf(list, stdout, JSON_COMPACT);
        printf("\n");
    } else if (failed == 0) {
        buf_init(&out, 1 << 20);
        table_render(&t, false, &out);
        fwrite(out.p, 1, out.n, stdout);
        buf_fini(&out);
    }
    table_fini(&t);
    json_decref(list);
    return failed;
}

/* ---- list, export ---- */

struct listing {
    const char *gateway;
    uint64_t rows;
};

static int on_listed(void *ctx, const struct spool_row *r, bool sound)
{
    struct listing *l = ctx;
    char when[CLOCK_ISO_SIZE];

    l->rows++;
    clock_iso(r->at_ms, when);
    printf("%s  %8" PRIu64 "  %s  %s %s %" PRIu64 "  %s%s\n", l->gateway, r->seq, when, r->portal, r->entity,
        r->id, r->event, sound ? "" : say("  ПОВРЕЖДЕНО", "  DAMAGED"));
    return 0;
}

static int on_exported(void *ctx, const struct spool_row *r, bool sound)
{
    struct listing *l = ctx;
    char when[CLOCK_ISO_SIZE];
    json_t *o;

    clock_iso(r->at_ms, when);
    o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:b}", "gateway", l->gateway, "seq",
        (json_int_t)r->seq, "at", when, "portal", r->portal, "entity", r->entity, "id", (json_int_t)r->id,
        "kind", kind_name(r->kind), "event", r->event, "sound", sound);
    if (o != NULL) /* a damaged row may hold no text */
        json_dumpf(o, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(o);
    return 0;
}

static int each(const struct spools *s, spool_on_row *on_row, uint64_t *ret_rows, struct err *err)
{
    struct listing l = { .rows = 0 };
    int failed = 0;

    for (int i = 0; i < s->count && failed == 0; i++) {
        struct spool *spool = NULL;

        l.gateway = s->names[i];
        failed = open_one(s, i, &spool, err) < 0 || spool_each(spool, on_row, &l, err) < 0 ? -1 : 0;
        spool_close(&spool);
    }
    *ret_rows = l.rows;
    return failed;
}

/* ---- check ---- */

struct checked {
    uint64_t rows, bad;
};

static int on_checked(void *ctx, const struct spool_row *r, bool sound)
{
    struct checked *c = ctx;

    (void)r;
    c->rows++;
    c->bad += !sound;
    return 0;
}

static int check_one(const struct spools *s, int i, struct checked *c, struct spool_stats *x, struct err *err)
{
    struct spool *spool = NULL;
    int failed = open_one(s, i, &spool, err);

    if (failed == 0)
        failed = spool_check(spool, err);
    if (failed == 0)
        failed = spool_each(spool, on_checked, c, err);
    if (failed == 0)
        failed = spool_stats(spool, x, err);
    spool_close(&spool);
    return failed;
}

/* Every one is looked at; the exit code says whether all are well. */
static int check(const struct spools *s)
{
    int code = EXIT_WELL;

    for (int i = 0; i < s->count; i++) {
        struct checked c = { 0, 0 };
        struct spool_stats x = { 0 };
        struct err err = { 0 };

        if (check_one(s, i, &c, &x, &err) < 0) {
            printf("%s: %s\n", s->names[i], err.text);
            code = EXIT_FAILED;
            continue;
        }
        printf("%s: %s %" PRIu64 ", %s %" PRIu64 ", %s %" PRIu64 "\n", s->names[i], say("событий", "events"),
            c.rows, say("повреждено", "damaged"), c.bad, say("отложено раньше", "set aside before"),
            x.damaged);
        if (c.bad > 0 || x.damaged > 0)
            code = EXIT_FAILED;
    }
    if (code != EXIT_WELL)
        printf("%s\n", say("Повреждённое не передаётся: полная синхронизация (`potok sync --full`) найдёт, "
                           "чего не хватает.",
                           "What is damaged is not handed on: a full sync (`potok sync --full`) finds what "
                           "is missing."));
    return code;
}

/* ---- drain ---- */

static int drain_one(const struct spools *s, int i, const struct home *home, uint64_t timeout_ms)
{
    struct err err = { 0 };
    uint64_t left;
    char path[800];

    snprintf(path, sizeof(path), "%s/%s.db", s->folder, s->names[i]);
    if (spool_drain(home, s->names[i], path, timeout_ms, &left, &err) < 0) {
        printf("%s: %s\n", s->names[i], err.text);
        return EXIT_FAILED;
    }
    if (left > 0)
        printf("%s: %s %" PRIu64 "\n", s->names[i],
            say("планировщик не принял всё за отведённое время, осталось",
                "the scheduler did not take all of it in time, left"),
            left);
    else
        printf("%s: %s\n", s->names[i], say("пуст", "empty"));
    return left > 0 ? EXIT_FAILED : EXIT_WELL;
}

/* One of them, or all. */
static int drain(const struct spools *s, const struct home *home, const char *instance, uint64_t timeout_ms)
{
    int code = EXIT_WELL, found = 0;

    for (int i = 0; i < s->count; i++) {
        if (instance != NULL && strcmp(instance, s->names[i]) != 0)
            continue;
        found++;
        if (drain_one(s, i, home, timeout_ms) != EXIT_WELL)
            code = EXIT_FAILED;
    }
    if (instance != NULL && found == 0) {
        printf("%s: %s\n", instance, say("такого накопителя нет", "there is no such spool"));
        return EXIT_FAILED;
    }
    return code;
}

static int run_verb(const struct spools *s, const char *verb, bool json)
{
    struct err err = { 0 };
    uint64_t rows = 0;
    int failed;

    if (strcmp(verb, "check") == 0)
        return check(s);
    if (strcmp(verb, "stats") == 0)
        failed = stats(s, json, &err);
    else
        failed = each(s, json || strcmp(verb, "export") == 0 ? on_exported : on_listed, &rows, &err);
    if (failed == 0 && strcmp(verb, "list") == 0 && !json && rows == 0)
        fprintf(
            stderr, "%s\n", say("ничего не ждёт: всё принятое передано", "nothing waits: all was handed on"));
    return failed < 0 ? command_failed(&err) : EXIT_WELL;
}

static int spool_run(const struct args *args)
{
    static const char *const verbs[] = { "stats", "list", "export", "check", "drain" };
    const char *verb = args->word_count == 0 ? "stats" : args->words[0];
    struct err err = { 0 };
    struct spools s;
    struct home home;
    bool known = false;
    int code;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        known |= strcmp(verb, verbs[i]) == 0;
    bool drains = strcmp(verb, "drain") == 0;
    const char *timeout = args->option[OPTION_TIMEOUT];
    uint64_t seconds = 60;

    if (timeout != NULL && (!drains || !str_u64(str_of(timeout), &seconds) || seconds > 86400)) {
        err_set(
            &err, ERR_CONF, "--timeout: %s", say("целое число секунд, для drain", "whole seconds, of drain"));
        return command_misused("spool", &err);
    }
    if (!known || args->word_count > (drains ? 2 : 1)) {
        err_set(&err, ERR_CONF, "%s",
            say("нужно: stats, list, export, check или drain",
                "it wants stats, list, export, check or drain"));
        return command_misused("spool", &err);
    }
    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    find(&s, &home);
    if (drains)
        code = drain(&s, &home, args->word_count > 1 ? args->words[1] : NULL, seconds * 1000);
    else
        code = run_verb(&s, verb, args->option[OPTION_JSON] != NULL);
    home_free(&home);
    return code;
}

const struct command COMMAND_SPOOL = { "spool", "stats|list|export|check|drain",
    "события, которые шлюз хранит и ещё не передал", "events that the gateway keeps and has not handed on",
    OPTIONS, spool_run };
