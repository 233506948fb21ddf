/* The SQLite driver: WAL, every commit synced, writers in line (sqlite_file.c). */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000 /* a net for programs that do not know of the turn */
#define BUSY_LOOK_MS    10

static struct sqlite *sqlite_of(struct db *db)
{
    return (struct sqlite *)db;
}

static int exec(struct sqlite *s, const char *sql, const char *doing, struct err *err)
{
    int code = sqlite3_exec(s->h, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : sqlite_fail(s, code, doing, err);
}

static void close_db(struct db *db)
{
    struct sqlite *s = sqlite_of(db);

    sqlite_forget_statements(s);
    sqlite3_close_v2(s->h);
    if (s->turn_fd >= 0)
        close(s->turn_fd);
    free(s->path);
    free(s);
}

/* The switch to WAL needs the file alone, and SQLite does not wait for that by itself: under the turn. Before
 * it a look into the file: beside one that is no database nothing is left behind. */
static int set_up(struct sqlite *s, struct err *err)
{
    int result;

    if (sqlite3_db_readonly(s->h, "main") == 1)
        return sqlite_fail(s, SQLITE_READONLY, "opening", err);
    if (exec(s, "PRAGMA schema_version", "opening", err) < 0)
        return -1;
    if (sqlite_turn_open(s, err) < 0 || sqlite_turn_take(s, err) < 0)
        return -1;
    result = exec(s, "PRAGMA journal_mode = WAL", "opening", err);
    sqlite_turn_give(s);
    if (result < 0)
        return -1;
    return exec(s,
        "PRAGMA synchronous = FULL;"
        "PRAGMA foreign_keys = OFF;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -8000;"
        "PRAGMA journal_size_limit = 67108864;"
        "CREATE TEMP TABLE potok_ids (id INTEGER PRIMARY KEY)",
        "opening", err);
}

/* Asked by SQLite for the `tries`-th time; 0: no longer. */
static int on_busy(void *ctx, int tries)
{
    struct sqlite *s = ctx;

    if (tries * BUSY_LOOK_MS >= s->busy_ms || (s->stop != NULL && atomic_load(s->stop)))
        return 0;
    sqlite3_sleep(BUSY_LOOK_MS);
    return 1;
}

static void wait_when_busy(struct sqlite *s)
{
    sqlite3_busy_handler(s->h, on_busy, s);
}

/* SQLite wants files of its own beside the database even for reading. Where it may not make them and none are
 * there, nobody writes: then the file is read as it lies, by an address that says it does not change. */
static int open_still(struct sqlite *s, struct err *err)
{
    struct buf uri;
    int code;

    buf_init(&uri, 16384);
    buf_str(&uri, "file:");
    for (const char *p = s->path; *p != '\0'; p++) {
        if (strchr("%?#", *p) != NULL)
            buf_fmt(&uri, "%%%02X", (unsigned)*p);
        else
            buf_char(&uri, *p);
    }
    buf_str(&uri, "?immutable=1");
    sqlite3_close_v2(s->h);
    code = sqlite3_open_v2(
        buf_cstr(&uri), &s->h, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    buf_fini(&uri);
    if (code != SQLITE_OK)
        return sqlite_fail(s, code, "opening", err);
    return exec(s, "PRAGMA schema_version", "opening", err);
}

static bool has_journal(const struct sqlite *s)
{
    char *path = xasprintf("%s-wal", s->path);
    struct stat st;
    bool has = stat(path, &st) == 0 && st.st_size > 0;

    free(path);
    return has;
}

static int open_for_reading(struct sqlite *s, struct err *err)
{
    struct err why = { 0 };
    int code;

    if (access(s->path, F_OK) < 0 && errno == ENOENT)
        return err_code(err, ERR_CONF, ENOENT, "%s: there is no database yet: `potok up` makes it", s->path);
    code = sqlite3_open_v2(s->path, &s->h, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return sqlite_fail(s, code, "opening", err);
    wait_when_busy(s);
    if (exec(s, "PRAGMA schema_version", "opening", &why) == 0)
        return 0;
    code = why.code & 0xff;
    if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && !has_journal(s)) {
        s->db.lost = false;
        return open_still(s, err);
    }
    if (err != NULL)
        *err = why;
    return -1;
}

static int open_file(struct sqlite *s, struct err *err)
{
    int code;

    if (sqlite_make_folder(s->path, err) < 0)
        return -1;
    code = sqlite3_open_v2(
        s->path, &s->h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return sqlite_fail(s, code, "opening", err);
    sqlite3_extended_result_codes(s->h, 1);
    wait_when_busy(s);
    return set_up(s, err);
}

static int open_db(struct db **ret, struct str where, const struct db_opening *how, struct err *err)
{
    struct sqlite *s = xcalloc(1, sizeof(*s));

    s->turn_fd = -1;
    s->db.driver = &db_sqlite;
    s->db.reading = how->reading;
    s->stop = how->stop;
    s->patience_ms = how->patience_ms;
    s->busy_ms =
        how->patience_ms > 0 && how->patience_ms < BUSY_TIMEOUT_MS ? how->patience_ms : BUSY_TIMEOUT_MS;
    if (sqlite_path(where, &s->path, err) < 0 ||
        (how->reading ? open_for_reading(s, err) : open_file(s, err)) < 0) {
        close_db(&s->db);
        return -1;
    }
    *ret = &s->db;
    return 0;
}

/* A file that was removed or replaced under us would swallow what is written. */
static int check_in_place(struct sqlite *s, struct err *err)
{
    int moved = 0;

    if (sqlite3_file_control(s->h, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
        return sqlite_fail(s, SQLITE_READONLY_DBMOVED, "beginning a transaction", err);
    return 0;
}

static int begin(struct db *db, struct err *err)
{
    struct sqlite *s = sqlite_of(db);

    if (check_in_place(s, err) < 0 || sqlite_turn_take(s, err) < 0)
        return -1;
    if (exec(s, "BEGIN IMMEDIATE", "beginning a transaction", err) < 0) {
        sqlite_turn_give(s);
        return -1;
    }
    return 0;
}

static void rollback(struct db *db)
{
    struct sqlite *s = sqlite_of(db);

    if (!sqlite3_get_autocommit(s->h)) /* a full disk may have rolled back already */
        sqlite3_exec(s->h, "ROLLBACK", NULL, NULL, NULL);
    sqlite_turn_give(s);
}

static int commit(struct db *db, struct err *err)
{
    struct sqlite *s = sqlite_of(db);

    if (exec(s, "COMMIT", "committing", err) < 0) {
        rollback(db);
        return -1;
    }
    sqlite_turn_give(s);
    return 0;
}

/* $3 takes args[2] wherever it stands: SQLite itself would number names in the order it meets them. */
static int bind_args(
    struct sqlite *s, sqlite3_stmt *stmt, const struct db_val *args, int arg_count, struct err *err)
{
    int places = sqlite3_bind_parameter_count(stmt);

    for (int i = 1; i <= places; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        int number = name != NULL ? atoi(name + 1) : i;

        if (number < 1 || number > arg_count)
            return err_set(
                err, ERR_BUG, "no argument for %s in: %s", name != NULL ? name : "?", sqlite3_sql(stmt));
        int code = sqlite_bind(stmt, i, &args[number - 1]);
        if (code != SQLITE_OK)
            return sqlite_fail(s, code, "binding a value", err);
    }
    return 0;
}

/* Floats as text live in `texts`, SQLITE_FLOAT_TEXT bytes a column. */
static void read_row(sqlite3_stmt *stmt, struct db_val *row, int columns, char *texts)
{
    for (int i = 0; i < columns; i++, texts += SQLITE_FLOAT_TEXT) {
        switch (sqlite3_column_type(stmt, i)) {
        case SQLITE_INTEGER:
            row[i] = dbv_i(sqlite3_column_int64(stmt, i));
            break;
        case SQLITE_FLOAT:
            sqlite_float_text(sqlite3_column_double(stmt, i), texts);
            row[i] = (struct db_val){ DB_DECIMAL, 0, str_of(texts) };
            break;
        case SQLITE_TEXT:
            row[i] = dbv_s((struct str){
                (const char *)sqlite3_column_text(stmt, i), (size_t)sqlite3_column_bytes(stmt, i) });
            break;
        case SQLITE_BLOB:
            row[i] =
                dbv_b((struct str){ sqlite3_column_blob(stmt, i), (size_t)sqlite3_column_bytes(stmt, i) });
            break;
        default:
            row[i] = DBV_NULL;
        }
    }
}

static int step_all(struct sqlite *s, sqlite3_stmt *stmt, db_on_row *on_row, void *ctx, struct err *err)
{
    int columns = sqlite3_column_count(stmt), code;
    struct db_val *row = NULL;
    char *texts = NULL;

    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (on_row == NULL)
            continue;
        if (row == NULL) {
            columns = sqlite3_column_count(stmt); /* the first step may have prepared it anew */
            row = xcalloc((size_t)columns, sizeof(*row));
            texts = xmalloc((size_t)columns * SQLITE_FLOAT_TEXT);
        }
        read_row(stmt, row, columns, texts);
        if (on_row(ctx, row, columns) != 0) {
            code = SQLITE_DONE;
            break;
        }
    }
    free(row);
    free(texts);
    return code == SQLITE_DONE ? 0 : sqlite_fail(s, code, "running a statement", err);
}

static int run(struct db *db, const char *sql, const struct db_val *args, int arg_count, db_on_row *on_row,
    void *ctx, int64_t *ret_changes, struct err *err)
{
    struct sqlite *s = sqlite_of(db);
    struct statement loose, *st = sqlite_take(s, str_of(sql), &loose, err);
    int result = -1;

    if (st == NULL)
        return -1;
    if (!sqlite3_stmt_readonly(st->stmt) && !db->in_transaction)
        err_set(err, ERR_BUG, "a statement that writes outside a transaction: %s", sql);
    else if (bind_args(s, st->stmt, args, arg_count, err) == 0 &&
             step_all(s, st->stmt, on_row, ctx, err) == 0)
        result = 0;
    if (result == 0 && ret_changes != NULL)
        *ret_changes = sqlite3_stmt_readonly(st->stmt) ? 0 : sqlite3_changes64(s->h);
    sqlite_give(s, st);
    return result;
}

static int script(struct db *db, const char *sql, struct err *err)
{
    return exec(sqlite_of(db), sql, "running a statement", err);
}

/* SQLite's own rule of affinities: what keeps every integer, and what keeps every text. */
static bool kind_of(struct str type, enum col_kind *ret)
{
    static const struct {
        const char *part;
        enum col_kind kind;
    } parts[] = { { "INT", COL_INT }, { "CHAR", COL_TEXT }, { "CLOB", COL_TEXT }, { "TEXT", COL_TEXT } };
    char *upper = str_dup(type);
    bool found = false;

    for (char *p = upper; *p != '\0'; p++)
        *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    for (size_t i = 0; i < ARRAY_SIZE(parts) && !found; i++) {
        found = strstr(upper, parts[i].part) != NULL;
        *ret = parts[i].kind;
    }
    free(upper);
    return found;
}

const struct db_driver db_sqlite = {
    .engine = "sqlite",
    .columns_max = 2000,
    .bytes_type = "BLOB",
    .for_update = "",
    .key_type = "INTEGER PRIMARY KEY",
    .types = {
        [COL_TEXT] = "TEXT",
        [COL_INT] = "INTEGER",
        [COL_DECIMAL] = "",             /* no affinity: what is bound is kept (sqlite_value.c) */
        [COL_BOOL] = "BOOLEAN",
        [COL_DATE] = "DATE",
        [COL_TIME] = "DATETIME",
        [COL_JSON] = "JSON TEXT",       /* plain JSON would have the affinity of a number: "2.50" would lose its zero */
    },
    .kind_of = kind_of,
    .is_as_written = sqlite_is_as_written,
    .migrations = DB_SQLITE_MIGRATIONS,
    .column_names_sql = "SELECT lower(name), type FROM pragma_table_info($1)",
    .version_sql = "(SELECT schema_version FROM pragma_schema_version WHERE $1 <> '')",
    .open = open_db,
    .file = sqlite_path,
    .close = close_db,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .run = run,
    .script = script,
    .put_ids = sqlite_put_ids,
    .upsert = sqlite_upsert,
    .widen = sqlite_widen,
};
