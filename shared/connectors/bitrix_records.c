/* Records of ranges, lists of ids and gets. A record is copied as it came; whatever would make a later reader
 * take a record for gone, or a range for read, that was not, is refused here. */
#include "connectors/bitrix_reading.h"

#include "connectors/bitrix_rule.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

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
    bool remembered = place < LIMIT_KEYS_REMEMBERED && key.n > 0;

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
    if (key.n == 0 || key.n > LIMIT_FIELD_NAME_BYTES)
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
static void note_unknown(struct bitrix_reading *r, struct str key)
{
    struct bitrix_answer *a = r->a;

    if (a->unknown.n + key.n + 1 > LIMIT_UNKNOWN_BYTES || has_word(buf_view(&a->unknown), key))
        return;
    if (a->unknown.n > 0)
        buf_char(&a->unknown, ' ');
    buf_add(&a->unknown, key.p, key.n);
    r->unknown++;
}

/* Copies {key: value} without the keys that the schema lacks: a get shows more than a list (facts 6.2). */
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
    const struct str id_name = str_of(id_field);

    for (uint32_t i = 0; i < ret->keys && wire_ok(w); i++) {
        struct str key = wire_str(w);
        struct wire value = *w;

        wire_skip(w);
        if (str_eq(key, id_name)) {
            if (ret->id != 0 || !bitrix_u64(&value, &ret->id) || ret->id == 0 || ret->id >= RANGE_OPEN)
                return bitrix_nonsense(r, err, "a record whose %s is no id", id_field);
        }
        if (is_known(r, key, i))
            ret->known++;
        else if (r->ask.kind == JOB_GET)
            continue;
        else if (is_word(key))
            note_unknown(r, key);
        else
            return bitrix_nonsense(r, err, "a field with a name of %zu bytes or with blanks", key.n);
    }
    if (r->unknown > LIMIT_UNKNOWN_FIELDS) {
        buf_clear(&r->a->unknown);
        return err_set(
            err, ERR_PERM, "a record shows more than %d fields that are not described", LIMIT_UNKNOWN_FIELDS);
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

bool bitrix_is_answered(struct bitrix_reading *r, int command, struct err *err)
{
    if (bitrix_part_of(r, PART_ERROR, command).n > 0)
        return bitrix_command_refused(r, command, err), false;
    if (bitrix_part_of(r, PART_RESULT, command).n > 0)
        return true;
    err_set(err, ERR_TEMP, "portal answered nonsense: neither result nor error of command %d", command);
    return false;
}

/* For a command without which nothing of the answer can be used. */
static int answer_check(struct bitrix_reading *r, int command, struct err *err)
{
    if (bitrix_is_answered(r, command, err))
        return 0;
    r->a->nonsense = bitrix_part_of(r, PART_ERROR, command).n == 0;
    return -1;
}

static int page_read(struct bitrix_reading *r, int command, struct page *p, struct err *err)
{
    struct bitrix_list l;

    if (!bitrix_list_open(&l, bitrix_part_of(r, PART_RESULT, command)))
        return bitrix_nonsense(r, err, "a list that is no array");
    if (l.n > PAGE_SIZE_RECORDS)
        return bitrix_nonsense(r, err, "a page of %" PRIu32 " records", l.n);
    p->count = (int)l.n;
    for (uint32_t i = 0; i < l.n; i++) {
        struct record record;
        if (!bitrix_list_next(&l))
            return bitrix_nonsense(r, err, "a list that is no array");
        if (record_read(r, &l.w, &record, err) < 0 || page_check(r, p, record.id, err) < 0)
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
    struct bitrix_list l;
    uint64_t id;

    return bitrix_list_open(&l, bitrix_part_of(r, PART_RESULT, command)) && l.n > 0 && bitrix_list_next(&l) &&
           wire_peek(&l.w) == WIRE_MAP && wire_find(&l.w, r->ask.entities[0]->id_field) &&
           bitrix_u64(&l.w, &id) && id > 0 && id <= last;
}

/* The greatest id of the range when the portal began to answer; 0: it is empty. The greatest that is shown,
 * whatever the order: a portal may not heed it. */
static int greatest_read(struct bitrix_reading *r, uint64_t *ret, struct err *err)
{
    const struct msg_job *job = r->ask.job;
    int command = r->ask.greatest;
    struct bitrix_list l;

    *ret = 0;
    if (answer_check(r, command, err) < 0)
        return -1;
    if (!bitrix_list_open(&l, bitrix_part_of(r, PART_RESULT, command)))
        return bitrix_nonsense(r, err, "a list that is no array");
    for (uint32_t i = 0; i < l.n; i++) {
        uint64_t id;

        if (!bitrix_list_next(&l))
            return bitrix_nonsense(r, err, "a list that is no array");
        struct wire record = l.w;
        wire_skip(&l.w);
        if (wire_peek(&record) != WIRE_MAP || !wire_find(&record, r->ask.entities[0]->id_field) ||
            !bitrix_u64(&record, &id) || id < job->first || id > job->last)
            return bitrix_nonsense(r, err, "a greatest id outside the range");
        *ret = id > *ret ? id : *ret;
    }
    return 0;
}

/* Reads pages up to the first that is not full, or that the portal did not answer: the commands after it
 * refer to a record that is not there, and what they answer means nothing (facts section 5). */
static int pages_read(struct bitrix_reading *r, struct page *page, struct err *err)
{
    for (int i = 0; i < r->ask.commands; i++) {
        if (i > 0 && is_page_again(r, i, page->last))
            return 0; /* nothing of it is taken: the next job goes on behind the last id, told as a number */
        if (i == 0 && answer_check(r, i, err) < 0)
            return -1;
        if (i > 0 && !bitrix_is_answered(r, i, &r->a->partial))
            return 0;
        if (page_read(r, i, page, err) < 0)
            return -1;
        if (page->count < PAGE_SIZE_RECORDS)
            return 0;
    }
    return 0;
}

/* A short page does not end a range: portals take out of a page what the caller may not see, and one that did
 * not resolve its reference looks like an empty one. The range ends with its greatest id, or is gone on with
 * behind the last one read. */
int bitrix_read_range(struct bitrix_reading *r, struct err *err)
{
    const struct msg_job *job = r->ask.job;
    struct page page = { .last = job->first > 0 ? job->first - 1 : 0, .most = job->last };
    uint64_t before = page.last, greatest = RANGE_OPEN;

    if (r->ask.greatest >= 0 && greatest_read(r, &greatest, err) < 0)
        return -1;
    if (pages_read(r, &page, err) < 0 || check_unknown(r, err) < 0)
        return -1;
    bool ended = page.last >= job->last || page.last >= greatest;
    if (!ended && page.last == before && greatest == RANGE_OPEN)
        return err_set(err, ERR_LIMIT, "%s.list shows nothing where more than a call's records were expected",
            r->ask.entities[0]->method);
    if (!ended && page.last == before)
        return bitrix_nonsense(r, err,
            "a list that is shorter than it should be: nothing from id %" PRIu64 " on, though id %" PRIu64
            " is there",
            job->first, greatest);
    if (ended) { /* what was not answered is not missing */
        r->a->partial.kind = ERR_NONE;
        r->a->retry_ms = 0;
        r->a->blocked[0] = '\0';
    }
    r->a->covered_last = ended ? job->last : page.last;
    r->a->next_first = ended ? 0 : page.last + 1;
    return 0;
}

static void leave_out(struct bitrix_reading *r, int command)
{
    struct ids ids = bitrix_ask_ids(&r->ask, command);

    for (size_t i = 0; i < ids.n; i++)
        ids_add(&r->a->left, ids.p[i], r->ask.job->ids.n);
}

/* All that was asked is left: the failure of the job. */
static int left_check(struct bitrix_reading *r, struct err *err)
{
    if (r->a->left.n < r->ask.job->ids.n)
        return 0;
    *err = r->a->partial;
    r->a->nonsense = bitrix_part_of(r, PART_ERROR, 0).n == 0;
    return -1;
}

int bitrix_read_ids(struct bitrix_reading *r, struct err *err)
{
    for (int i = 0; i < r->ask.commands; i++) {
        struct page page = { .most = RANGE_OPEN, .only = bitrix_ask_ids(&r->ask, i) };

        if (!bitrix_is_answered(r, i, &r->a->partial))
            leave_out(r, i);
        else if (page_read(r, i, &page, err) < 0)
            return -1;
    }
    return left_check(r, err) < 0 ? -1 : check_unknown(r, err);
}

static int get_refused(struct bitrix_reading *r, int command, uint64_t id)
{
    size_t most = r->ask.job->ids.n;
    struct bitrix_error e;

    bitrix_error_read(&e, bitrix_part_of(r, PART_ERROR, command));
    const struct bitrix_rule *rule = bitrix_rule_of(200, str_of(e.code), str_of(e.text));
    if (bitrix_is_absent(rule)) {
        ids_add(&r->a->absent, id, most);
    } else if (rule->says == SAYS_DENIED) {
        ids_add(&r->a->denied, id, most);
    } else {
        leave_out(r, command);
        (void)bitrix_command_refused(r, command, &r->a->partial);
    }
    return 0;
}

static int get_one(struct bitrix_reading *r, int command, struct err *err)
{
    struct str raw = bitrix_part_of(r, PART_RESULT, command);
    uint64_t id = bitrix_ask_ids(&r->ask, command).p[0];
    struct record record;
    struct wire w;

    if (bitrix_part_of(r, PART_ERROR, command).n > 0)
        return get_refused(r, command, id);
    if (!bitrix_is_answered(r, command, &r->a->partial)) {
        leave_out(r, command);
        return 0;
    }
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
    return left_check(r, err);
}
