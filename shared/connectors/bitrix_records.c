/* Records of ranges, lists of ids and gets. A record is copied as it came; whatever would make a later reader
 * take a record for gone, or a range for read, that was not, is refused here. */
#include "connectors/bitrix_reading.h"

#include "connectors/bitrix_rule.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define FIELD_NAME_MAX    128
#define UNKNOWN_MAX_BYTES 4000 /* REPORT.unknown takes 4096 */

static void ids_add(struct ids *ids, uint64_t id, size_t most)
{
    if (ids->p == NULL)
        ids->p = xcalloc(most, sizeof(*ids->p));
    if (ids->n < most)
        ids->p[ids->n++] = id;
}

/* ---- one record ---- */

static bool is_known(struct bitrix_reading *r, struct str key, uint32_t place)
{
    bool remembered = place < SAME_KEYS_MAX && key.n > 0;

    if (remembered && str_eq(r->same[place], key))
        return true;
    if (schema_find(&r->ask.schema, key) == NULL && !str_is(key, r->ask.entities[0]->id_field))
        return false;
    if (remembered)
        r->same[place] = key;
    return true;
}

static bool is_word(struct str key)
{
    if (key.n == 0 || key.n > FIELD_NAME_MAX)
        return false;
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] <= ' ' || key.p[i] == 0x7f)
            return false;
    return true;
}

static bool has_word(struct str words, struct str word)
{
    while (words.n > 0) {
        const char *blank = memchr(words.p, ' ', words.n);
        size_t n = blank ? (size_t)(blank - words.p) : words.n;

        if (str_eq((struct str){ words.p, n }, word))
            return true;
        n += blank ? 1 : 0;
        words = (struct str){ words.p + n, words.n - n };
    }
    return false;
}

/* Those that find no room are told after the next probe. */
static void note_unknown(struct bitrix_answer *a, struct str key)
{
    if (a->unknown.n + key.n + 1 > UNKNOWN_MAX_BYTES || has_word(buf_view(&a->unknown), key))
        return;
    if (a->unknown.n > 0)
        buf_char(&a->unknown, ' ');
    buf_add(&a->unknown, key.p, key.n);
}

/* Copies {key: value} without the keys that the schema lacks: a get shows more than a list does (facts 6.2).
 */
static void copy_known(struct bitrix_reading *r, struct str record, uint32_t known)
{
    struct wire w;

    wire_init(&w, record.p, record.n);
    wire_put_map(&r->a->records, known);
    for (uint32_t n = wire_map(&w), i = 0; i < n && wire_ok(&w); i++) {
        const uint8_t *from = w.p;
        struct str key = wire_str(&w);

        wire_skip(&w);
        if (is_known(r, key, i))
            buf_add(&r->a->records, from, (size_t)(w.p - from));
    }
}

struct record {
    struct str raw;
    uint64_t id;
    uint32_t keys, known;
};

static int record_keys(struct bitrix_reading *r, struct wire *w, struct record *ret, struct err *err)
{
    const char *id_field = r->ask.entities[0]->id_field;

    for (uint32_t i = 0; i < ret->keys && wire_ok(w); i++) {
        struct str key = wire_str(w);
        struct wire value = *w;

        wire_skip(w);
        if (str_is(key, id_field)) {
            if (ret->id != 0 || !bitrix_u64(&value, &ret->id) || ret->id == 0 || ret->id >= RANGE_OPEN)
                return bitrix_nonsense(r, err, "a record whose %s is no id", id_field);
        }
        if (is_known(r, key, i))
            ret->known++;
        else if (r->ask.kind == JOB_GET)
            continue;
        else if (is_word(key))
            note_unknown(r->a, key);
        else
            return bitrix_nonsense(r, err, "a field with a name of %zu bytes or with blanks", key.n);
    }
    if (ret->id == 0)
        return bitrix_nonsense(r, err, "a record without %s", id_field);
    return 0;
}

/* [] in place of a record is a known bug of portals (facts section 11, number 19): not an empty record. */
static int record_read(struct bitrix_reading *r, struct wire *w, struct record *ret, struct err *err)
{
    const uint8_t *from = w->p;

    *ret = (struct record){ .raw = { "", 0 } };
    if (wire_peek(w) != WIRE_MAP)
        return bitrix_nonsense(r, err, "a record that is no object");
    ret->keys = wire_map(w);
    if (record_keys(r, w, ret, err) < 0)
        return -1;
    if (!wire_ok(w))
        return bitrix_nonsense(r, err, "a record that cannot be read");
    ret->raw = (struct str){ (const char *)from, (size_t)(w->p - from) };
    return 0;
}

static void record_take(struct bitrix_reading *r, const struct record *record)
{
    if (record->known == record->keys)
        buf_add(&r->a->records, record->raw.p, record->raw.n);
    else
        copy_known(r, record->raw, record->known);
    r->a->count++;
}

/* ---- a page of a list ---- */

struct page {
    uint64_t last;   /* greatest id read so far; the next is greater */
    uint64_t most;   /* no id is greater */
    struct ids only; /* n > 0: no other ids were asked for */
    size_t next;     /* of `only`, not yet met */
    int count;
};

static int page_check(struct bitrix_reading *r, struct page *p, uint64_t id, struct err *err)
{
    if (id <= p->last)
        return bitrix_nonsense(r, err, "id %" PRIu64 " after id %" PRIu64 " in a list by id", id, p->last);
    if (id > p->most)
        return bitrix_nonsense(r, err, "id %" PRIu64 " in a list up to id %" PRIu64, id, p->most);
    p->last = id;
    if (p->only.n == 0)
        return 0;
    while (p->next < p->only.n && p->only.p[p->next] < id)
        ids_add(&r->a->unlisted, p->only.p[p->next++], r->ask.job->ids.n);
    if (p->next == p->only.n || p->only.p[p->next] != id)
        return bitrix_nonsense(r, err, "id %" PRIu64 ", which was not asked for", id);
    p->next++;
    return 0;
}

static int page_read(struct bitrix_reading *r, int command, struct page *p, struct err *err)
{
    struct str raw = bitrix_part_of(r, PART_RESULT, command);
    struct wire w;

    if (bitrix_part_of(r, PART_ERROR, command).n > 0)
        return bitrix_command_refused(r, command, err);
    if (raw.n == 0)
        return bitrix_nonsense(r, err, "neither result nor error of command %d", command);
    wire_init(&w, raw.p, raw.n);
    if (wire_peek(&w) != WIRE_ARRAY)
        return bitrix_nonsense(r, err, "a list that is no array");

    uint32_t n = wire_array(&w);
    if (n > PAGE_SIZE_RECORDS)
        return bitrix_nonsense(r, err, "a page of %" PRIu32 " records", n);
    p->count = (int)n;
    for (uint32_t i = 0; i < n; i++) {
        struct record record;
        if (record_read(r, &w, &record, err) < 0 || page_check(r, p, record.id, err) < 0)
            return -1;
        record_take(r, &record);
    }
    while (p->next < p->only.n)
        ids_add(&r->a->unlisted, p->only.p[p->next++], r->ask.job->ids.n);
    return 0;
}

/* Nothing is sent on when a field is not described: the scheduler asks for the descriptions again. */
static int check_unknown(struct bitrix_reading *r, struct err *err)
{
    if (r->a->unknown.n == 0)
        return 0;
    return err_set(err, ERR_TEMP, "the portal shows fields that it has not described yet: %.200s",
        buf_cstr(&r->a->unknown));
}

/* ---- the kinds ---- */

/* A portal that does not resolve the reference to the page before answers from the beginning again. */
static bool is_page_again(struct bitrix_reading *r, int command, uint64_t last)
{
    struct str raw = bitrix_part_of(r, PART_RESULT, command);
    struct wire w;
    uint64_t id;

    wire_init(&w, raw.p, raw.n);
    return raw.n > 0 && bitrix_part_of(r, PART_ERROR, command).n == 0 && wire_peek(&w) == WIRE_ARRAY &&
           wire_array(&w) > 0 && wire_peek(&w) == WIRE_MAP && wire_find(&w, r->ask.entities[0]->id_field) &&
           bitrix_u64(&w, &id) && id > 0 && id <= last;
}

/* The first page that is not full ends the range; the commands after it refer to a record that is not there,
 * and what they answer means nothing (facts section 5). */
int bitrix_read_range(struct bitrix_reading *r, struct err *err)
{
    const struct msg_job *job = r->ask.job;
    struct page page = { .last = job->first > 0 ? job->first - 1 : 0, .most = job->last };
    bool ended = false;

    for (int i = 0; i < r->ask.commands && !ended; i++) {
        if (i > 0 && is_page_again(r, i, page.last))
            break; /* nothing of it is taken: the next job goes on behind the last id, told as a number */
        if (page_read(r, i, &page, err) < 0)
            return -1;
        if (page.count == PAGE_SIZE_RECORDS)
            continue;
        /* An empty page looks alike whether the reference to the page before was resolved or not. Behind the
         * first page nothing in this answer shows that the portal resolves them: the next job asks again,
         * with the id itself. */
        if (page.count == 0 && i == 1)
            break;
        ended = true;
    }
    if (check_unknown(r, err) < 0)
        return -1;
    if (page.last >= job->last)
        ended = true;
    r->a->covered_last = ended ? job->last : page.last;
    r->a->next_first = ended ? 0 : page.last + 1;
    return 0;
}

int bitrix_read_ids(struct bitrix_reading *r, struct err *err)
{
    for (int i = 0; i < r->ask.commands; i++) {
        struct page page = { .most = RANGE_OPEN, .only = bitrix_ask_ids(&r->ask, i) };
        if (page_read(r, i, &page, err) < 0)
            return -1;
    }
    return check_unknown(r, err);
}

static int get_refused(struct bitrix_reading *r, int command, uint64_t id, struct err *err)
{
    size_t most = r->ask.job->ids.n;
    struct bitrix_error e;

    bitrix_error_read(&e, bitrix_part_of(r, PART_ERROR, command));
    switch (bitrix_rule_of(200, str_of(e.code), str_of(e.text))->says) {
    case SAYS_ABSENT:
        ids_add(&r->a->absent, id, most);
        return 0;
    case SAYS_DENIED:
        ids_add(&r->a->denied, id, most);
        return 0;
    default:
        return bitrix_command_refused(r, command, err);
    }
}

static int get_one(struct bitrix_reading *r, int command, struct err *err)
{
    struct str raw = bitrix_part_of(r, PART_RESULT, command);
    uint64_t id = bitrix_ask_ids(&r->ask, command).p[0];
    struct record record;
    struct wire w;

    if (bitrix_part_of(r, PART_ERROR, command).n > 0)
        return get_refused(r, command, id, err);
    if (raw.n == 0)
        return bitrix_nonsense(r, err, "neither result nor error of command %d", command);
    wire_init(&w, raw.p, raw.n);
    if (record_read(r, &w, &record, err) < 0)
        return -1;
    if (record.id != id)
        return bitrix_nonsense(r, err, "id %" PRIu64 " when asked for id %" PRIu64, record.id, id);
    record_take(r, &record);
    return 0;
}

int bitrix_read_get(struct bitrix_reading *r, struct err *err)
{
    for (int i = 0; i < r->ask.commands; i++)
        if (get_one(r, i, err) < 0)
            return -1;
    return 0;
}
