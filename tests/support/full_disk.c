/* full_disk.c - a disk that a test can fill: preloaded into a program, writes that would lengthen a file
 * below a folder fail with ENOSPC while a switch file exists; when something stands in that file, those that
 * overwrite fail as well, as where they take new blocks too. FULL_DISKS="SWITCH=FOLDER:SWITCH=FOLDER". */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISKS_MOST = 8 };

static struct disk {
    char *file, *below;
} disks[DISKS_MOST];
static int disk_count;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fallocate)(int, off_t, off_t);

__attribute__((constructor)) static void begin(void)
{
    char *words = getenv("FULL_DISKS");

    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
    words = words != NULL ? strdup(words) : NULL;
    for (char *word = words ? strtok(words, ":") : NULL; word != NULL && disk_count < DISKS_MOST;
         word = strtok(NULL, ":")) {
        char *is = strchr(word, '=');

        if (is == NULL)
            continue;
        *is = '\0';
        disks[disk_count++] = (struct disk){ word, is + 1 };
    }
}

static bool is_below(int fd, const char *folder)
{
    char name[64], path[PATH_MAX];
    size_t n = strlen(folder);

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t got = readlink(name, path, sizeof(path) - 1);
    if (got < 0)
        return false;
    path[got] = '\0';
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '-' || path[n] == '\0');
}

/* Up to `end` there would be no room. */
static bool full(int fd, off_t end)
{
    struct stat on, st;
    int reason = errno;
    bool is = false;

    for (int i = 0; i < disk_count && !is; i++)
        is = stat(disks[i].file, &on) == 0 && is_below(fd, disks[i].below) &&
             (on.st_size > 0 || fstat(fd, &st) < 0 || end > st.st_size);
    errno = is ? ENOSPC : reason;
    return is;
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (real_write == NULL)
        begin();
    if (disk_count > 0 && fd > 2 && full(fd, lseek(fd, 0, SEEK_CUR) + (off_t)n))
        return -1;
    return real_write(fd, p, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    if (disk_count > 0 && full(fd, at + (off_t)n))
        return -1;
    return real_pwrite(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

int posix_fallocate64(int fd, off_t at, off_t n)
{
    return disk_count > 0 && full(fd, at + n) ? ENOSPC : real_fallocate(fd, at, n);
}

int posix_fallocate(int fd, off_t at, off_t n)
{
    return posix_fallocate64(fd, at, n);
}
