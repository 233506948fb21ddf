/* The bytes of every message, pinned: proto/vectors/<message>.v<version>.<case>.hex holds envelope, body and,
 * where the message has one, payload ("empty" when it has no bytes), one line of hex each; the .json beside
 * it what msg_print() says, or {"error": ...} for bytes that must be refused.
 * --write   writes the vectors that are not there (committed ones are never rewritten), and fuzzers' corpora
 * --print   prints the tables for proto/README.md */
#include "examples.h"
#include "fields.h"

#include "base/mem.h"
#include "proto/msg_def.h"
#include "support/check.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER    "proto/vectors"
#define FRAME_MAX (1 << 20)

struct vector { /* frames of one message */
    struct buf envelope, body, payload;
    bool has_payload;
};

static void vector_init(struct vector *v)
{
    *v = (struct vector){ 0 };
    buf_init(&v->envelope, FRAME_MAX);
    buf_init(&v->body, FRAME_MAX);
    buf_init(&v->payload, FRAME_MAX);
}

static void vector_fini(struct vector *v)
{
    buf_fini(&v->envelope);
    buf_fini(&v->body);
    buf_fini(&v->payload);
}

static struct frame frame_copy(const struct buf *b)
{
    char *p = xmalloc(b->n > 0 ? b->n : 1); /* its own block: the sanitizer sees a read past the end */

    if (b->n > 0)
        memcpy(p, b->p, b->n);
    return (struct frame){ .p = p, .n = b->n, .release = free, .owner = p };
}

static int vector_decode(const struct vector *v, struct msg **ret, struct err *err)
{
    struct frame body = frame_copy(&v->body), payload = frame_copy(&v->payload);
    int result = msg_decode(ret, buf_view(&v->envelope), &body, v->has_payload ? &payload : NULL, err);

    if (body.release != NULL)
        body.release(body.owner);
    if (payload.release != NULL)
        payload.release(payload.owner);
    return result;
}

/* What the .json says. */
static void vector_tell(const struct vector *v, struct buf *out)
{
    struct err err = { 0 };
    struct msg *m = NULL;

    if (vector_decode(v, &m, &err) == 0) {
        msg_print(m, out);
        msg_free(&m);
    } else {
        buf_fmt(out, "{\"error\":\"%s\",\"text\":", err_kind_name(err.kind));
        buf_json(out, str_of(err.text));
        buf_char(out, '}');
    }
    buf_char(out, '\n');
}

/* ---- files ---- */

static bool load(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char part[4096];

    buf_clear(out);
    if (f == NULL)
        return false;
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
        buf_add(out, part, n);
    fclose(f);
    return true;
}

static void save(const char *path, const struct buf *b)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(b->p, 1, b->n, f) != b->n || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void from_hex(const char *p, size_t n, struct buf *out)
{
    CHECK(n % 2 == 0);
    for (size_t i = 0; i < n; i += 2) {
        char pair[3] = { p[i], p[i + 1], '\0' }, *end;
        buf_char(out, (char)strtoul(pair, &end, 16));
        CHECK(*end == '\0');
    }
}

static void to_hex(const struct buf *b, struct buf *out)
{
    if (b->n == 0)
        buf_str(out, "empty");
    for (size_t i = 0; i < b->n; i++)
        buf_fmt(out, "%02x", (unsigned char)b->p[i]);
    buf_char(out, '\n');
}

static void vector_load(struct vector *v, const char *path)
{
    struct buf text, *frames[] = { &v->envelope, &v->body, &v->payload };
    size_t lines = 0;

    vector_init(v);
    buf_init(&text, 8 * FRAME_MAX);
    CHECK(load(path, &text));
    for (const char *p = buf_cstr(&text), *end; (end = strchr(p, '\n')) != NULL; p = end + 1, lines++) {
        CHECK(lines < ARRAY_SIZE(frames));
        if (strncmp(p, "empty\n", 6) != 0)
            from_hex(p, (size_t)(end - p), frames[lines]);
    }
    v->has_payload = lines == 3;
    buf_fini(&text);
}

static void vector_path(enum msg_type type, const char *name, char *ret, size_t size)
{
    char lower[64];
    size_t n = 0;

    for (const char *p = msg_name(type); *p != '\0'; p++)
        lower[n++] = (char)tolower((unsigned char)*p);
    lower[n] = '\0';
    unsigned version = 1;
    do { /* of the version that brought it; a new one is of today's */
        snprintf(ret, size, FOLDER "/%s.v%u.%s.hex", lower, version, name);
    } while (access(ret, F_OK) != 0 && version++ < msg_def(type)->version);
}

/* The envelope names the sender's version: of an older vector only the body is made again. */
static bool is_of_today(const char *name, enum msg_type type)
{
    const char *dot = strstr(name, ".v");

    return dot != NULL && strtoul(dot + 2, NULL, 10) == msg_def(type)->version;
}

/* ---- making them ---- */

static void begin(struct vector *v, enum msg_type type, unsigned version)
{
    vector_init(v);
    put_envelope(&v->envelope, type, version);
    v->has_payload = msg_payload_limit(type) > 0;
}

static void publish(struct vector *v, enum msg_type type, const char *name)
{
    char path[256];
    struct buf out;

    vector_path(type, name, path, sizeof(path));
    buf_init(&out, 8 * FRAME_MAX);
    if (!load(path, &out)) {
        to_hex(&v->envelope, &out);
        to_hex(&v->body, &out);
        if (v->has_payload)
            to_hex(&v->payload, &out);
        save(path, &out);
        buf_clear(&out);
        vector_tell(v, &out);
        memcpy(strrchr(path, '.'), ".json", 6);
        save(path, &out);
    }
    buf_fini(&out);
    vector_fini(v);
}

static void write_examples(void)
{
    struct scratch scratch;

    scratch_init(&scratch);
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        struct msg *m = example_make(&examples[i], &scratch);
        struct vector v;
        struct err err;
        vector_init(&v);
        CHECK_OK(msg_encode(m, &v.envelope, &v.body, &err), err);
        v.has_payload = msg_payload_limit(m->type) > 0;
        if (m->payload.n > 0)
            buf_add(&v.payload, m->payload.p, m->payload.n);
        publish(&v, m->type, examples[i].name);
        msg_free(&m);
    }
    scratch_fini(&scratch);
}

static void write_minimal(enum msg_type type)
{
    struct vector v;
    struct buf pairs;
    uint32_t count = 0;

    begin(&v, type, 1);
    buf_init(&pairs, FRAME_MAX);
    put_required(&pairs, type, NULL, &count);
    wire_put_map(&v.body, count);
    buf_add(&v.body, pairs.p, pairs.n);
    publish(&v, type, "minimal");
    buf_fini(&pairs);
}

/* Numbers as large as they get, names as long, the rest short. */
static void write_boundary(enum msg_type type)
{
    struct vector v;
    size_t count = 0;

    begin(&v, type, 1);
    for (size_t i = 0; i < ROW_COUNT; i++)
        count += rows[i].message == type;
    wire_put_map(&v.body, (uint32_t)count);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *r = &rows[i];
        if (r->message != type)
            continue;
        if (r->kind == U64)
            put_pair(&v.body, r, UINT64_MAX);
        else if (r->kind == I64)
            put_pair(&v.body, r, (uint64_t)INT64_MIN);
        else
            put_pair(&v.body, r, r->limit <= 1024 ? r->limit : 300);
    }
    publish(&v, type, "boundary");
}

/* A later version: a key not known here, and the fields the other way round. */
static void write_newer(enum msg_type type)
{
    struct vector v;
    struct buf pairs;
    uint32_t count = 1;

    begin(&v, type, 2);
    buf_init(&pairs, FRAME_MAX);
    for (size_t i = ROW_COUNT; i-- > 0;) {
        if (rows[i].message != type || !rows[i].required)
            continue;
        put_pair(&pairs, &rows[i], 1);
        count++;
    }
    wire_put_map(&v.body, count);
    wire_put_str(&v.body, STR("colour_of_the_day"));
    wire_put_array(&v.body, 2);
    wire_put_map(&v.body, 1);
    wire_put_str(&v.body, STR("red"));
    wire_put_nil(&v.body);
    wire_put_number(&v.body, STR("0.5"));
    buf_add(&v.body, pairs.p, pairs.n);
    publish(&v, type, "newer");
    buf_fini(&pairs);
}

enum spoil { MISSING, TWICE, MISTYPED, OVERLONG, CUT, TRAILING, NUL_IN_NAME, KEY_NUMBER, SPOILS };
static const char *const spoil_names[] = {
    "hostile-missing",
    "hostile-twice",
    "hostile-mistyped",
    "hostile-overlong",
    "hostile-cut",
    "hostile-trailing",
    "hostile-nul",
    "hostile-key",
};

static const struct row *first_row(enum msg_type type, enum kind kind)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].message == type && rows[i].required && rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

/* The pair that replaces `target` among the required ones. */
static void put_spoilt(struct buf *out, enum spoil spoil, const struct row *target, uint32_t *count)
{
    switch (spoil) {
    case TWICE:
        put_pair(out, target, 1);
        *count += 1;
        break;
    case MISTYPED:
        wire_put_str(out, str_of(target->name));
        wire_put_nil(out);
        return;
    case OVERLONG:
        put_pair(out, target, target->limit + 1);
        return;
    case NUL_IN_NAME:
        wire_put_str(out, str_of(target->name));
        wire_put_str(out, STR("main\0hidden"));
        return;
    case KEY_NUMBER:
        wire_put_u64(out, 1);
        break;
    default:
        break;
    }
    put_pair(out, target, 1);
}

static void write_hostile(enum msg_type type, enum spoil spoil)
{
    const struct row *target = first_row(type, TEXT);
    struct vector v;
    struct buf pairs;
    uint32_t count = 0;

    begin(&v, type, 1);
    buf_init(&pairs, FRAME_MAX);
    put_required(&pairs, type, target, &count);
    if (spoil != MISSING) {
        put_spoilt(&pairs, spoil, target, &count);
        count++;
    }
    wire_put_map(&v.body, count);
    buf_add(&v.body, pairs.p, pairs.n - (spoil == CUT));
    if (spoil == TRAILING)
        wire_put_nil(&v.body);
    publish(&v, type, spoil_names[spoil]);
    buf_fini(&pairs);
}

/* Envelopes that lie, in front of a good body of CONTROL; and payloads where they do not belong. */
static void write_odd_frames(void)
{
    static const struct {
        const char *name, *magic, *correlation;
        uint64_t type, version, sent_ms;
        int members, body_cut;
        bool payload;
    } odd[] = {
        { "hostile-magic", "PTK0", CORRELATION, MSG_CONTROL, 1, SENT_MS, 5, 0, false },
        { "hostile-type", "PTK1", CORRELATION, 200, 1, SENT_MS, 5, 0, false },
        { "hostile-version", "PTK1", CORRELATION, MSG_CONTROL, 0, SENT_MS, 5, 0, false },
        { "hostile-correlation", "PTK1", "0190a5c2-7b1e-7c3a-9d55-3f2e1a4b5c6\"", MSG_CONTROL, 1, SENT_MS, 5,
            0, false },
        { "hostile-sent", "PTK1", CORRELATION, MSG_CONTROL, 1, UINT64_MAX, 5, 0, false },
        { "hostile-members", "PTK1", CORRELATION, MSG_CONTROL, 1, SENT_MS, 6, 0, false },
        { "hostile-payload", "PTK1", CORRELATION, MSG_CONTROL, 1, SENT_MS, 5, 0, true },
        { "hostile-no-payload", "PTK1", CORRELATION, MSG_RECORDS, 1, SENT_MS, 5, 0, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
        struct vector v;
        vector_init(&v);
        wire_put_array(&v.envelope, (uint32_t)odd[i].members);
        wire_put_str(&v.envelope, str_of(odd[i].magic));
        wire_put_u64(&v.envelope, odd[i].type);
        wire_put_u64(&v.envelope, odd[i].version);
        wire_put_str(&v.envelope, str_of(odd[i].correlation));
        wire_put_u64(&v.envelope, odd[i].sent_ms);
        wire_put_map(&v.body, 1);
        wire_put_str(&v.body, STR("command"));
        wire_put_str(&v.body, STR("status"));
        v.has_payload = odd[i].payload;
        if (v.has_payload)
            wire_put_nil(&v.payload);
        publish(&v, odd[i].type == MSG_RECORDS ? MSG_RECORDS : MSG_CONTROL, odd[i].name);
    }
}

static void write_vectors(void)
{
    write_examples();
    for (enum msg_type type = 1; type < MSG_TYPE_END; type++) {
        if (msg_name(type) == NULL)
            continue;
        write_minimal(type);
        write_boundary(type);
        write_newer(type);
        for (enum spoil spoil = 0; spoil < SPOILS; spoil++)
            write_hostile(type, spoil);
    }
    write_odd_frames();
}

/* ---- the fuzzers' corpora ---- */

static void put_length(struct buf *out, size_t n)
{
    buf_char(out, (char)(n >> 8));
    buf_char(out, (char)n);
}

static void corpus(const char *fuzzer, const char *name, const struct buf *b)
{
    char path[512];

    snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", fuzzer, name);
    if (b->n <= 4096)
        save(path, b);
}

static void write_corpus(const char *name)
{
    char path[512];
    struct vector v;
    struct buf out;
    struct wire w;

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    vector_load(&v, path);
    buf_init(&out, FRAME_MAX);
    put_length(&out, v.envelope.n);
    put_length(&out, v.body.n);
    buf_add(&out, v.envelope.p, v.envelope.n);
    buf_add(&out, v.body.p, v.body.n);
    buf_add(&out, v.payload.p, v.payload.n);
    corpus("envelope_fuzz", name, &out);

    wire_init(&w, v.envelope.p, v.envelope.n);
    wire_array(&w);
    wire_str(&w);
    buf_clear(&out);
    buf_char(&out, (char)wire_u64(&w));
    buf_add(&out, v.body.p, v.body.n);
    corpus("body_fuzz", name, &out);
    buf_fini(&out);
    vector_fini(&v);
}

static void write_schema_corpus(void)
{
    struct scratch s;
    const struct {
        const char *name;
        const struct buf *b;
    } parts[] = { { "schema", &s.schema }, { "columns", &s.columns }, { "probe", &s.learnt },
        { "operating", &s.operating }, { "rejects", &s.rejects } };

    scratch_init(&s);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        corpus("schema_fuzz", parts[i].name, parts[i].b);
    scratch_fini(&s);
}

/* ---- the tests ---- */

/* Calls f with the file name of each vector; how many there are. */
static int each_vector(void (*f)(const char *name))
{
    DIR *dir = opendir(FOLDER);
    int count = 0;

    CHECK(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".hex") != 0)
            continue;
        if (f != NULL)
            f(e->d_name);
        count++;
    }
    closedir(dir);
    return count;
}

static void check_told(const char *name)
{
    char path[512];
    struct vector v;
    struct buf told, golden;

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    vector_load(&v, path);
    memcpy(strrchr(path, '.'), ".json", 6);
    buf_init(&told, FRAME_MAX);
    buf_init(&golden, FRAME_MAX);
    vector_tell(&v, &told);
    if (!load(path, &golden) || !str_eq(buf_view(&told), buf_view(&golden)))
        fail_msg("%s: decoding says\n%snot\n%s", name, buf_cstr(&told), buf_cstr(&golden));
    if ((strstr(name, ".hostile") != NULL) != (strstr(buf_cstr(&told), "{\"error\":") == buf_cstr(&told)))
        fail_msg("%s: a hostile one was taken, or a good one was not:\n%s", name, buf_cstr(&told));
    buf_fini(&told);
    buf_fini(&golden);
    vector_fini(&v);
}

TEST(vectors_decode_to_what_their_json_says)
{
    CHECK(each_vector(check_told) > 0);
}

/* The canonical form has optional fields only where they say something, and is of our version. */
static bool is_canonical(const char *name)
{
    return strstr(name, ".hostile") == NULL && strstr(name, ".newer.") == NULL;
}

static void check_again(const char *name)
{
    char path[512];
    struct vector v;
    struct buf envelope, body;
    struct msg *m = NULL;
    struct err err;

    if (!is_canonical(name))
        return;
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    vector_load(&v, path);
    buf_init(&envelope, FRAME_MAX);
    buf_init(&body, FRAME_MAX);
    CHECK_OK(vector_decode(&v, &m, &err), err);
    CHECK_OK(msg_encode(m, &envelope, &body, &err), err);
    if ((is_of_today(name, m->type) && !str_eq(buf_view(&envelope), buf_view(&v.envelope))) ||
        !str_eq(buf_view(&body), buf_view(&v.body)))
        fail_msg("%s: encoding it again gives other bytes", name);
    msg_free(&m);
    buf_fini(&envelope);
    buf_fini(&body);
    vector_fini(&v);
}

TEST(encoding_a_decoded_vector_gives_its_bytes)
{
    each_vector(check_again);
}

TEST(examples_encode_to_their_vectors)
{
    struct scratch scratch;

    scratch_init(&scratch);
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        struct msg *m = example_make(&examples[i], &scratch);
        struct buf envelope, body;
        struct vector v;
        struct err err;
        char path[256];
        vector_path(m->type, examples[i].name, path, sizeof(path));
        vector_load(&v, path);
        buf_init(&envelope, FRAME_MAX);
        buf_init(&body, FRAME_MAX);
        CHECK_OK(msg_encode(m, &envelope, &body, &err), err);
        CHECK(!is_of_today(path, m->type) || str_eq(buf_view(&envelope), buf_view(&v.envelope)));
        CHECK(str_eq(buf_view(&body), buf_view(&v.body)));
        CHECK(str_eq((struct str){ m->payload.p, m->payload.n }, buf_view(&v.payload)));
        buf_fini(&envelope);
        buf_fini(&body);
        vector_fini(&v);
        msg_free(&m);
    }
    scratch_fini(&scratch);
}

/* One bit for each kind of vector seen, by message. */
static unsigned seen[MSG_TYPE_END];

static void note(const char *name)
{
    static const char *const wanted[] = { ".minimal.", ".full.", ".hostile", ".boundary.", ".newer." };

    for (enum msg_type type = 1; type < MSG_TYPE_END; type++) {
        size_t n = strlen(msg_name(type));
        if (strncasecmp(name, msg_name(type), n) != 0 || name[n] != '.')
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
            seen[type] |= strstr(name + n, wanted[i]) != NULL ? 1u << i : 0;
    }
}

TEST(every_message_has_minimal_full_boundary_newer_and_hostile_vectors)
{
    each_vector(note);
    for (enum msg_type type = 1; type < MSG_TYPE_END; type++)
        if (seen[type] != 0x1f)
            fail_msg("%s lacks vectors: run this program with --write", msg_name(type));
}

TEST(readme_has_the_tables_of_the_def_files)
{
    struct buf readme, tables;

    buf_init(&readme, FRAME_MAX);
    buf_init(&tables, FRAME_MAX);
    CHECK(load("proto/README.md", &readme));
    buf_str(&tables, "<!-- messages -->\n");
    msg_markdown(&tables);
    buf_str(&tables, "<!-- /messages -->\n");
    if (strstr(buf_cstr(&readme), buf_cstr(&tables)) == NULL)
        fail_msg("proto/README.md differs from the .def files: put the output of this program with --print "
                 "between its <!-- messages --> marks");
    buf_fini(&readme);
    buf_fini(&tables);
}

static void print_tables(void)
{
    struct buf out;

    buf_init(&out, FRAME_MAX);
    msg_markdown(&out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(vectors_decode_to_what_their_json_says),
        CASE(encoding_a_decoded_vector_gives_its_bytes),
        CASE(examples_encode_to_their_vectors),
        CASE(every_message_has_minimal_full_boundary_newer_and_hostile_vectors),
        CASE(readme_has_the_tables_of_the_def_files),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print_tables();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--write") == 0) {
        write_vectors();
        each_vector(write_corpus);
        write_schema_corpus();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
