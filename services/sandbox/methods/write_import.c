/* write_import.c - what crm.item.import alone may tell of a record: when and by whom it was made, changed and
 * moved (facts section 8). */
#include "write_private.h"

#include <stdio.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "params.h"

enum { MADE, CHANGED, MOVED, MOMENTS };

/* Classic entities and smart processes call them differently. */
static const char *const times[MOMENTS][2] = { { "DATE_CREATE", "CREATED_TIME" },
    { "DATE_MODIFY", "UPDATED_TIME" }, { "MOVED_TIME", "MOVED_TIME" } };
static const char *const people[MOMENTS][2] = { { "CREATED_BY_ID", "CREATED_BY" },
    { "MODIFY_BY_ID", "UPDATED_BY" }, { "MOVED_BY_ID", "MOVED_BY" } };

static const json_t *sent(const struct write *x, const char *const names[2])
{
    const json_t *v = write_sent_value(x, names[0]);

    return v != NULL ? v : write_sent_value(x, names[1]);
}

/* Of what was not sent: it was made now, changed when it was made, moved when it was made. */
static bool read_times(const struct write *x, int64_t ret[MOMENTS], int *ret_wrong)
{
    int64_t days, otherwise = x->now_s;
    char room[40];

    for (int i = 0; i < MOMENTS; i++) {
        const json_t *v = sent(x, times[i]);

        ret[i] = otherwise;
        *ret_wrong = i;
        if (v != NULL && (params_is_array(v) || !calendar_parse(params_text(v, room), &ret[i], &days)))
            return false;
        otherwise = ret[MADE];
    }
    return true;
}

/* None may be older than the record that was made last. */
static int64_t made_last(const struct write *x)
{
    const struct crm *crm = &x->store->crm[x->w];
    struct arena arena = { 0 };
    struct record r;
    uint32_t n = crm->count;

    while (n > 0 && crm->flags[n - 1] & RECORD_DELETED)
        n--;
    if (n == 0)
        return 0;
    record_open(&r, x->store, x->w, n - 1, &arena);
    const int64_t made_s = record_created_s(&r);
    arena_fini(&arena);
    return made_s;
}

static bool is_empty(const json_t *v)
{
    char room[40];

    return !params_is_array(v) && params_text(v, room).n == 0;
}

static enum api_error invalid(const struct write *x, const char *name)
{
    return call_refuse(x->call, API_VALUE_NOT_VALID, "Invalid value for field \"%.100s\"", name);
}

static enum api_error judge_required(const struct write *x)
{
    const struct attr_list *l = &x->store->crm[x->w].attrs;

    for (int i = 0; i < l->count; i++) {
        const json_t *v = l->list[i]->flags & ATTR_REQUIRED ? write_sent_value(x, l->list[i]->name) : NULL;
        if (v == NULL || !is_empty(v))
            continue;
        return call_refuse(x->call, API_REQUIRED, "The \"%.100s\" field is required", l->list[i]->name);
    }
    return API_OK;
}

enum api_error write_judge_history(const struct write *x)
{
    int64_t at[MOMENTS];
    int wrong = MADE;

    for (int i = 0; i < MOMENTS; i++) {
        if (portal_has(x->call->portal, QUIRK_NO_ADMIN) && (sent(x, times[i]) || sent(x, people[i])))
            return invalid(x, sent(x, times[i]) ? times[i][0] : people[i][0]);
    }
    bool fine = read_times(x, at, &wrong);
    if (fine && (at[MADE] > x->now_s || at[MADE] < made_last(x))) {
        wrong = MADE;
        fine = false;
    } else if (fine && (at[CHANGED] > x->now_s || at[CHANGED] < at[MADE])) {
        wrong = CHANGED;
        fine = false;
    } else if (fine && (at[MOVED] < at[MADE] || at[MOVED] > at[CHANGED])) {
        wrong = MOVED;
        fine = false;
    }
    return fine ? judge_required(x) : invalid(x, times[wrong][0]);
}

void write_history(struct write *x)
{
    int64_t at[MOMENTS];
    int wrong;
    char code[24];

    for (int i = 0; i < MOMENTS; i++) {
        const json_t *who = sent(x, people[i]);
        snprintf(code, sizeof(code), "%lld", who != NULL ? (long long)params_int(who) : 0);
        for (int name = 0; who != NULL && params_int(who) > 0 && name < 2; name++)
            write_put_code(x, people[i][name], code);
    }
    if (read_times(x, at, &wrong) && !x->broken &&
        store_date(x->store, x->w, x->n, at[MADE], at[CHANGED], at[MOVED], &x->err) < 0)
        x->broken = true;
}
