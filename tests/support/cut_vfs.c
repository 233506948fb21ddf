#include "support/cut_vfs.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR    512
#define FILES_MAX 16

struct op { /* not synced */
    int64_t at;
    size_t n;
    char *bytes; /* NULL: truncated at `at` */
};

struct image { /* of a file, by its name */
    char *name;
    bool lasting; /* its name is on the disk */
    bool gone;    /* removed, which the disk may not know */
    char *bytes;
    size_t n;
    struct op *ops;
    int op_count;
};

struct cut_file {
    sqlite3_file base;
    struct image *image; /* NULL: of no interest */
    sqlite3_file *real;  /* behind this struct */
};

static struct {
    sqlite3_vfs vfs, *real;
    struct image images[FILES_MAX];
    int count;
    unsigned steps, at;
    bool cut;
    uint64_t random;
} disk;

static uint64_t chance(uint64_t n)
{
    disk.random ^= disk.random << 13;
    disk.random ^= disk.random >> 7;
    disk.random ^= disk.random << 17;
    return disk.random % n;
}

/* False: there is no power any more. */
static bool step(void)
{
    if (!disk.cut && ++disk.steps == disk.at)
        disk.cut = true;
    return !disk.cut;
}

/* ---- images ---- */

static void forget_ops(struct image *i)
{
    for (int k = 0; k < i->op_count; k++)
        free(i->ops[k].bytes);
    free(i->ops);
    i->ops = NULL;
    i->op_count = 0;
}

static void forget_image(struct image *i)
{
    forget_ops(i);
    free(i->name);
    free(i->bytes);
    *i = (struct image){ 0 };
}

static struct image *image_of(const char *name)
{
    for (int i = 0; i < disk.count; i++)
        if (disk.images[i].name != NULL && strcmp(disk.images[i].name, name) == 0)
            return &disk.images[i];
    for (int i = 0; i < FILES_MAX; i++)
        if (disk.images[i].name == NULL) {
            disk.images[i].name = xstrdup(name);
            disk.count = i >= disk.count ? i + 1 : disk.count;
            return &disk.images[i];
        }
    abort();
}

static void put(struct image *i, int64_t at, const char *bytes, size_t n)
{
    size_t end = (size_t)at + n;

    if (end > i->n) {
        i->bytes = xrealloc(i->bytes, end);
        memset(i->bytes + i->n, 0, end - i->n);
        i->n = end;
    }
    memcpy(i->bytes + at, bytes, n);
}

/* Whole sectors of it, any of them. */
static void put_in_part(struct image *i, const struct op *op)
{
    for (size_t from = 0; from < op->n;) {
        size_t n = SECTOR - ((size_t)op->at + from) % SECTOR;

        n = n < op->n - from ? n : op->n - from;
        if (chance(2) == 0)
            put(i, op->at + (int64_t)from, op->bytes + from, n);
        from += n;
    }
}

static void apply(struct image *i, const struct op *op)
{
    if (op->bytes == NULL)
        i->n = (size_t)op->at < i->n ? (size_t)op->at : i->n;
    else
        put(i, op->at, op->bytes, op->n);
}

/* As the ordinary VFS does with the first sync of a new file; removals before it last too. */
static void sync_folder(void)
{
    for (int k = 0; k < disk.count; k++)
        if (disk.images[k].gone)
            forget_image(&disk.images[k]);
}

static void make_lasting(struct image *i)
{
    if (!i->lasting)
        sync_folder();
    for (int k = 0; k < i->op_count; k++)
        apply(i, &i->ops[k]);
    forget_ops(i);
    i->lasting = true;
}

static void remember(struct image *i, int64_t at, const void *bytes, size_t n)
{
    struct op *op;

    i->ops = xrealloc(i->ops, (size_t)(i->op_count + 1) * sizeof(*i->ops));
    op = &i->ops[i->op_count++];
    *op = (struct op){ .at = at, .n = n };
    if (bytes != NULL) {
        op->bytes = xmalloc(n + 1);
        memcpy(op->bytes, bytes, n);
    }
}

/* ---- a file ---- */

#define REAL(file)              (((struct cut_file *)(file))->real)
#define CALL(file, method, ...) REAL(file)->pMethods->method(REAL(file), ##__VA_ARGS__)

static int on_close(sqlite3_file *f)
{
    return CALL(f, xClose);
}

static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return disk.cut ? SQLITE_IOERR_READ : CALL(f, xRead, to, n, at);
}

static int on_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    struct cut_file *c = (struct cut_file *)f;
    bool was_cut = disk.cut, on = step();

    if (c->image != NULL && !was_cut)
        remember(c->image, at, bytes, (size_t)n); /* also the one that was cut short */
    return on ? CALL(f, xWrite, bytes, n, at) : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct cut_file *c = (struct cut_file *)f;

    if (!step())
        return SQLITE_IOERR_TRUNCATE;
    if (c->image != NULL)
        remember(c->image, size, NULL, 0);
    return CALL(f, xTruncate, size);
}

static int on_sync(sqlite3_file *f, int flags)
{
    struct cut_file *c = (struct cut_file *)f;

    if (!step())
        return SQLITE_IOERR_FSYNC;
    if (c->image != NULL)
        make_lasting(c->image);
    return SQLITE_OK; /* the real disk need not work */
}

static int on_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return CALL(f, xFileSize, ret);
}

static int on_lock(sqlite3_file *f, int level)
{
    return CALL(f, xLock, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
    return CALL(f, xUnlock, level);
}

static int on_check_lock(sqlite3_file *f, int *ret)
{
    return CALL(f, xCheckReservedLock, ret);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
    return CALL(f, xFileControl, op, arg);
}

static int on_sector(sqlite3_file *f)
{
    return CALL(f, xSectorSize);
}

static int on_kind(sqlite3_file *f)
{
    return CALL(f, xDeviceCharacteristics);
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return CALL(f, xShmMap, page, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *f, int from, int n, int flags)
{
    return CALL(f, xShmLock, from, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
    CALL(f, xShmBarrier);
}

static int on_shm_unmap(sqlite3_file *f, int remove)
{
    return CALL(f, xShmUnmap, remove);
}

static const sqlite3_io_methods METHODS = { 2, on_close, on_read, on_write, on_truncate, on_sync, on_size,
    on_lock, on_unlock, on_check_lock, on_control, on_sector, on_kind, on_shm_map, on_shm_lock,
    on_shm_barrier, on_shm_unmap, NULL, NULL };

/* ---- the disk ---- */

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct cut_file *c = (struct cut_file *)f;
    int kinds = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL, code;

    *c = (struct cut_file){ .real = (sqlite3_file *)(c + 1) };
    if (disk.cut)
        return SQLITE_CANTOPEN;
    if (name != NULL && (flags & kinds) != 0 && access(name, F_OK) < 0)
        forget_image(image_of(name)); /* another file of that name */
    code = disk.real->xOpen(disk.real, name, c->real, flags, ret_flags);
    if (c->real->pMethods == NULL)
        return code;
    c->base.pMethods = &METHODS;
    if (name != NULL && (flags & kinds) != 0)
        c->image = image_of(name);
    return code;
}

/* Whether the name outlives a cut is a matter of luck, unless the folder was synced. */
static int on_delete(sqlite3_vfs *vfs, const char *name, int lasting)
{
    if (!step())
        return SQLITE_IOERR_DELETE;
    forget_ops(image_of(name));
    image_of(name)->gone = true;
    if (lasting)
        sync_folder();
    return disk.real->xDelete(disk.real, name, 0);
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    return disk.real->xAccess(disk.real, name, flags, ret);
}

static int on_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
    return disk.real->xFullPathname(disk.real, name, size, ret);
}

void cut_vfs_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "cut";
    disk.vfs.szOsFile = (int)sizeof(struct cut_file) + disk.real->szOsFile;
    disk.vfs.xOpen = on_open;
    disk.vfs.xDelete = on_delete;
    disk.vfs.xAccess = on_access;
    disk.vfs.xFullPathname = on_full_name;
    sqlite3_vfs_register(&disk.vfs, 1);
}

void cut_vfs_remove(void)
{
    for (int i = 0; i < disk.count; i++)
        forget_image(&disk.images[i]);
    disk.count = 0;
    sqlite3_vfs_unregister(&disk.vfs);
    sqlite3_vfs_register(disk.real, 1);
}

void cut_vfs_begin(uint64_t seed, unsigned at)
{
    for (int i = 0; i < disk.count; i++)
        forget_image(&disk.images[i]);
    disk.count = 0;
    disk.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    disk.steps = 0;
    disk.at = at;
    disk.cut = false;
}

bool cut_vfs_is_cut(void)
{
    return disk.cut;
}

unsigned cut_vfs_steps(void)
{
    return disk.steps;
}

static void lose(struct image *i)
{
    for (int k = 0; k < i->op_count; k++)
        switch (chance(4)) {
        case 0:
            break;
        case 1:
            if (i->ops[k].bytes != NULL)
                put_in_part(i, &i->ops[k]);
            break;
        default:
            apply(i, &i->ops[k]);
        }
    forget_ops(i);
    if (!i->lasting && chance(2) == 0) /* nor was its name ever synced */
        forget_image(i);
    else
        i->lasting = true;
    i->gone = false;
}

static void write_out(const struct image *i)
{
    FILE *f = fopen(i->name, "wb");

    if (f == NULL || (i->n > 0 && fwrite(i->bytes, 1, i->n, f) != i->n) || fclose(f) != 0)
        abort();
}

void cut_vfs_power_on(unsigned at)
{
    for (int k = 0; k < disk.count; k++) {
        struct image *i = &disk.images[k];
        char shm[600], *name;

        if (i->name == NULL)
            continue;
        name = xstrdup(i->name);
        snprintf(shm, sizeof(shm), "%s-shm", name);
        unlink(shm); /* memory */
        unlink(name);
        if (i->gone && (!i->lasting || chance(2) == 0))
            forget_image(i);
        else
            lose(i);
        if (i->name != NULL)
            write_out(i);
        free(name);
    }
    disk.cut = false;
    disk.steps = 0;
    disk.at = at;
}
