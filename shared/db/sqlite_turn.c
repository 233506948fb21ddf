/* The turn of the writers of an SQLite database.
 *
 * It is a lock file with two locks, each on one byte, held by the open file (not by the process, so threads
 * of one process take turns too). Byte 0 is the head of the line, byte 1 the turn: whoever wants the turn
 * first stands at the head, waits there for the turn, and only then leaves the head. With one lock alone the
 * writer that gives the turn would take it again before the one it woke has run, and a busy writer would
 * starve the others. Behind them stands the number of the process that took the turn last.
 *
 * The system keeps the line, and wakes each in its time. Who has to stop is interrupted there by a signal
 * (db_pool.c), and who has little time asks again and again instead: it does so at the end of a process. */
#include "db/sqlite.h"
#include "db/turn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASK_AGAIN_MS 5

enum { HEAD = 0, TURN = 1, SIGN_AT = 2, SIGN_BYTES = 20 };

int sqlite_turn_open(struct sqlite *s, struct err *err)
{
    char *path = xasprintf("%s.turn", s->path);

    s->turn_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->turn_fd < 0)
        err_code(err, ERR_CONF, errno,
            "cannot write %s: %s: SQLite keeps files beside the database, so its folder "
            "must be writable for this user",
            path, err_reason(errno));
    free(path);
    return s->turn_fd < 0 ? -1 : 0;
}

static void unlock_byte(const struct sqlite *s, int byte)
{
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    fcntl(s->turn_fd, F_OFD_SETLK, &lock);
}

/* until_ms 0: as long as it takes. */
static int lock_byte(const struct sqlite *s, int byte, uint64_t until_ms)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    for (;;) {
        if (fcntl(s->turn_fd, until_ms > 0 ? F_OFD_SETLK : F_OFD_SETLKW, &lock) == 0)
            return 0;
        if (errno == EINTR && s->stop != NULL && atomic_load(s->stop))
            return -1;
        if (until_ms > 0 && (errno == EAGAIN || errno == EACCES)) {
            if (clock_mono_ms() >= until_ms)
                return -1;
            sqlite3_sleep(ASK_AGAIN_MS);
        } else if (errno != EINTR) {
            return -1;
        }
    }
}

static int fail_waiting(const struct sqlite *s, int byte, struct err *err)
{
    if (errno == EINTR)
        return err_set(err, ERR_TEMP, "stopping");
    return err_code(err, ERR_TEMP, errno,
        byte == HEAD ? "%s.turn: cannot stand in line: %s" : "%s.turn: cannot take the turn: %s", s->path,
        err_reason(errno));
}

/* Such locks tell no process. What stands there counts while the turn is taken. */
static void sign(int fd)
{
    char text[SIGN_BYTES + 1];

    snprintf(text, sizeof(text), "%-*ld", SIGN_BYTES, (long)getpid());
    (void)!pwrite(fd, text, SIGN_BYTES, SIGN_AT);
}

int sqlite_turn_take(struct sqlite *s, struct err *err)
{
    uint64_t until_ms = s->patience_ms > 0 ? clock_mono_ms() + (uint64_t)s->patience_ms : 0;

    if (lock_byte(s, HEAD, until_ms) < 0)
        return fail_waiting(s, HEAD, err);
    if (lock_byte(s, TURN, until_ms) < 0) {
        fail_waiting(s, TURN, err);
        sqlite_turn_give(s);
        return -1;
    }
    unlock_byte(s, HEAD);
    sign(s->turn_fd);
    return 0;
}

void sqlite_turn_give(struct sqlite *s)
{
    unlock_byte(s, TURN);
    unlock_byte(s, HEAD);
}

/* ---- who has it ---- */

static bool is_taken(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = TURN, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* "77 (potok-writer) T …": the name may hold anything. */
static void know_process(struct turn_holder *h)
{
    char path[48], text[256], *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)h->pid);
    f = fopen(path, "re");
    if (f == NULL)
        return;
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    char *name = strchr(text, '(');
    end = strrchr(text, ')');
    if (name == NULL || end == NULL || end < name || end[1] == '\0')
        return;
    *end = '\0';
    snprintf(h->program, sizeof(h->program), "%s", name + 1);
    h->stopped = end[2] == 'T' || end[2] == 't';
}

bool turn_look(const char *url, struct turn_holder *ret)
{
    static const char scheme[] = "sqlite://";
    char *path, *file, text[SIGN_BYTES + 1] = "";
    struct err err;

    *ret = (struct turn_holder){ 0 };
    if (url == NULL || url[0] == '\0')
        url = scheme;
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0 ||
        sqlite_path(str_of(url + sizeof(scheme) - 1), &path, &err) < 0)
        return false;
    file = xasprintf("%s.turn", path);
    free(path);
    int fd = open(file, O_RDWR | O_CLOEXEC);
    free(file);
    if (fd < 0)
        return false;
    bool taken = is_taken(fd) && pread(fd, text, SIGN_BYTES, SIGN_AT) > 0;
    close(fd);
    ret->pid = taken ? strtoull(text, NULL, 10) : 0;
    if (ret->pid > 0)
        know_process(ret);
    return ret->pid > 0;
}
