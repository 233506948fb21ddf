/* logs.c - `potok logs`: the services' log files as one, in the order of time; -f follows them. */
#include "command.h"

#include "base/mem.h"
#include "base/str.h"
#include "home.h"
#include "log_line.h"
#include "words/say.h"
#include "words/screen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX      256
#define LINE_MAX_BYTES (1 << 20)
#define POLL_MS        200
#define FOLLOW_FROM    "20" /* lines shown before following, unless -n says otherwise */

enum { OPTION_FOLLOW, OPTION_LEVEL, OPTION_LINES, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--follow", 'f', false, "показывать и новые строки", "go on with new lines" },
    { "--level", 'l', true, "не ниже: DEBUG, INFO, WARNING, ERROR",
        "least level: DEBUG, INFO, WARNING, ERROR" },
    { "--lines", 'n', true, "только последние строки", "the last lines only" },
    { "--json", 0, false, "строки как они есть", "the lines as they are" },
    { NULL, 0, false, NULL, NULL },
};

struct source { /* one file, read from the front */
    char path[900];
    char origin[80]; /* "fetcher.1" */
    FILE *file;
    char *line; /* next line, without its end; NULL: none yet */
    size_t room;
    struct log_line parsed;
};

struct logs {
    struct source list[FILES_MAX];
    int count;
    enum log_level least;
    bool json, colour;
    char **ring; /* the last lines, when only they are wanted */
    int64_t ring_size, ring_seen;
};

/* "fetcher" takes every instance, "fetcher.2" one. */
static bool is_wanted(const struct args *args, const char *origin)
{
    for (int i = 0; i < args->word_count; i++) {
        size_t n = strlen(args->words[i]);

        if (strncmp(origin, args->words[i], n) == 0 && (origin[n] == '\0' || origin[n] == '.'))
            return true;
    }
    return args->word_count == 0;
}

static void source_add(struct logs *l, const char *dir, const char *file, size_t stem)
{
    struct source *s = &l->list[l->count];

    snprintf(s->path, sizeof(s->path), "%s/%s", dir, file);
    snprintf(s->origin, sizeof(s->origin), "%.*s", (int)stem, file);
    s->file = fopen(s->path, "re");
    if (s->file != NULL)
        l->count++;
}

static int by_path_old_first(const void *a, const void *b)
{
    const char *pa = ((const struct source *)a)->path, *pb = ((const struct source *)b)->path;

    return strcmp(pb, pa); /* "x.log.1" before "x.log" */
}

static int sources_open(struct logs *l, const char *dir, const struct args *args, struct err *err)
{
    DIR *d = opendir(dir);

    if (d == NULL)
        return err_code(err, ERR_TEMP, errno, "%s: %s", dir, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL && l->count < FILES_MAX;) {
        const char *end = strstr(e->d_name, ".log");
        char origin[80];

        if (end == NULL || (strcmp(end, ".log") != 0 && strcmp(end, ".log.1") != 0))
            continue;
        snprintf(origin, sizeof(origin), "%.*s", (int)(end - e->d_name), e->d_name);
        if (is_wanted(args, origin))
            source_add(l, dir, e->d_name, (size_t)(end - e->d_name));
    }
    closedir(d);
    qsort(l->list, (size_t)l->count, sizeof(l->list[0]), by_path_old_first);
    return 0;
}

/* Reads the next whole line; a line that is still being written is left for later. */
static bool source_next(struct source *s)
{
    long at = ftell(s->file);
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, s->file);

    if (n <= 0 || line[n - 1] != '\n') {
        free(line);
        clearerr(s->file);
        fseek(s->file, at, SEEK_SET);
        return false;
    }
    line[n - 1] = '\0';
    s->line = line;
    log_line_read(&s->parsed, (struct str){ line, (size_t)n - 1 });
    return true;
}

/* The source whose next line is the oldest; lines without a time come at once, beside what was before them.
 */
static struct source *oldest(struct logs *l)
{
    struct source *first = NULL;

    for (int i = 0; i < l->count; i++) {
        struct source *s = &l->list[i];

        if (s->line == NULL && !source_next(s))
            continue;
        if (first == NULL || strcmp(s->parsed.timestamp, first->parsed.timestamp) < 0)
            first = s;
    }
    return first;
}

static void text_put(struct logs *l, const char *text)
{
    if (l->ring_size == 0) {
        puts(text);
        return;
    }
    char **slot = &l->ring[l->ring_seen++ % l->ring_size];

    free(*slot);
    *slot = xstrdup(text);
}

static void line_show(struct logs *l, const struct source *s)
{
    struct buf out;

    if (s->parsed.level < l->least)
        return;
    if (l->json) {
        text_put(l, s->line);
        return;
    }
    buf_init(&out, LINE_MAX_BYTES);
    log_line_print(&s->parsed, str_of(s->line), s->origin, l->colour, &out);
    text_put(l, buf_cstr(&out));
    buf_fini(&out);
}

static void line_done(struct source *s)
{
    log_line_fini(&s->parsed);
    free(s->line);
    s->line = NULL;
}

static void all_show(struct logs *l)
{
    for (struct source *s; (s = oldest(l)) != NULL;) {
        line_show(l, s);
        line_done(s);
    }
}

static void ring_show(struct logs *l)
{
    int64_t from = l->ring_seen > l->ring_size ? l->ring_seen - l->ring_size : 0;

    for (int64_t i = from; i < l->ring_seen; i++)
        puts(l->ring[i % l->ring_size]);
    for (int64_t i = 0; i < l->ring_size; i++)
        free(l->ring[i]);
    free(l->ring);
    l->ring = NULL;
    l->ring_size = 0;
}

/* A log that was put aside goes on under its old name. */
static void source_reopen(struct source *s)
{
    struct stat now, open_one;

    if (stat(s->path, &now) < 0 || fstat(fileno(s->file), &open_one) < 0 || now.st_ino == open_one.st_ino)
        return;
    FILE *file = fopen(s->path, "re");

    if (file == NULL)
        return;
    fclose(s->file);
    s->file = file;
}

/* Until Ctrl-C, or until nobody reads. */
static void follow(struct logs *l)
{
    const struct timespec pause = { 0, POLL_MS * 1000000L };

    while (fflush(stdout) == 0) {
        nanosleep(&pause, NULL);
        all_show(l);
        for (int i = 0; i < l->count; i++)
            source_reopen(&l->list[i]);
    }
}

static int options_read(struct logs *l, const struct args *args, struct err *err)
{
    const char *level = args->option[OPTION_LEVEL], *lines = args->option[OPTION_LINES];

    if (level != NULL && log_level_of(level, &l->least) < 0)
        return err_set(err, ERR_CONF, "--level %.20s: DEBUG, INFO, WARNING, ERROR", level);
    if (lines == NULL && args->option[OPTION_FOLLOW] != NULL)
        lines = FOLLOW_FROM;
    if (lines != NULL &&
        (!str_i64(str_of(lines), &l->ring_size) || l->ring_size < 1 || l->ring_size > 1000000))
        return err_set(err, ERR_CONF, "--lines %.20s: 1..1000000", lines);
    if (l->ring_size > 0)
        l->ring = xcalloc((size_t)l->ring_size, sizeof(*l->ring));
    l->json = args->option[OPTION_JSON] != NULL;
    l->colour = screen_colour();
    return 0;
}

static int logs_show(struct logs *l, const struct home *home, const struct args *args)
{
    struct err err = { 0 };

    if (options_read(l, args, &err) < 0)
        return command_misused("logs", &err);
    if (sources_open(l, home->log_dir, args, &err) < 0)
        return command_failed(&err);
    if (l->count == 0) {
        fprintf(stderr, "potok: %s: %s\n", home->log_dir, say("нет таких журналов", "no such logs"));
        return EXIT_FAILED;
    }
    all_show(l);
    if (l->ring_size > 0)
        ring_show(l);
    if (args->option[OPTION_FOLLOW] != NULL)
        follow(l);
    for (int i = 0; i < l->count; i++)
        fclose(l->list[i].file);
    return EXIT_WELL;
}

static int logs_run(const struct args *args)
{
    struct logs *l = xcalloc(1, sizeof(*l));
    struct home home;
    struct err err = { 0 };
    int code;

    if (home_load(&home, NULL, &err) < 0) {
        free(l);
        return command_failed(&err);
    }
    code = logs_show(l, &home, args);
    free(l);
    home_free(&home);
    return code;
}

const struct command COMMAND_LOGS = { "logs", "[SERVICE…]", "журналы служб, по порядку времени",
    "the services' logs, in the order of time", OPTIONS, logs_run };
