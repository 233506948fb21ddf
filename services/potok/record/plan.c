#include "plan.h"

#include "base/mem.h"
#include "proto/job_kind.h"

#include <stdio.h>
#include <string.h>

#define EACH         RECORD_EACH
#define NEEDS_ID     RECORD_NEEDS_ID
#define WRONG_SECRET RECORD_WRONG_SECRET
#define BY_CLIENT    RECORD_BY_CLIENT
#define OF_51        RECORD_51
#define OF_NO_SCOPE  RECORD_NO_SCOPE
#define OF_CODES     RECORD_CODES
#define OF_TIME      RECORD_TIME

const struct record_row RECORD_ROWS[] = {
#define ROW(name, flags, method, params, facts, why, ru) { name, flags, method, params, facts, why, ru },
#include "rows.def"
#undef ROW
};
const int RECORD_ROW_COUNT = ARRAY_SIZE(RECORD_ROWS);

int record_batches(int records)
{
    const int each = PAGE_SIZE_RECORDS * BATCH_COMMANDS;

    return (records + each - 1) / each;
}

int record_requests(int entities, int records)
{
    int n = entities * record_batches(records);

    for (int i = 0; i < RECORD_ROW_COUNT; i++)
        n += RECORD_ROWS[i].flags & RECORD_EACH ? entities : 1;
    return n;
}

/* Puts the row's entity into a template. */
static void fill(const char *template, const struct record_of *of, struct buf *out)
{
    char type[16];
    const struct {
        const char *mark, *value;
    } marks[] = { { "{m}", of->entity->method }, { "{id}", of->id }, { "{type}", type } };

    snprintf(type, sizeof(type), "%d", of->entity->type_id);
    while (*template != '\0') {
        size_t i = 0, n = 0;

        for (; i < ARRAY_SIZE(marks); i++) {
            n = strlen(marks[i].mark);
            if (strncmp(template, marks[i].mark, n) == 0)
                break;
        }
        if (i < ARRAY_SIZE(marks)) {
            buf_str(out, marks[i].value);
            template += n;
        } else {
            buf_char(out, *template ++);
        }
    }
}

static void fill_51(struct buf *out)
{
    buf_str(out, "{\"halt\":0,\"cmd\":{");
    for (int i = 0; i <= BATCH_COMMANDS; i++)
        buf_fmt(out, "%s\"c%02d\":\"profile\"", i > 0 ? "," : "", i);
    buf_str(out, "}}");
}

bool record_call(
    const struct record_row *row, const struct record_of *of, char method[static 64], struct buf *params)
{
    struct buf name;

    if ((row->flags & RECORD_NEEDS_ID) && of->id[0] == '\0')
        return false;
    buf_init(&name, 64);
    fill(row->method, of, &name);
    snprintf(method, 64, "%s", buf_cstr(&name));
    buf_fini(&name);
    if (row->flags & RECORD_51)
        fill_51(params);
    else
        fill(row->params, of, params);
    return true;
}

const char *record_no_scope(struct str scopes)
{
    static const struct {
        const char *scope, *method;
    } known[] = {
        { "\"telephony\"", "voximplant.statistic.get" },
        { "\"department\"", "department.get" },
        { "\"task\"", "tasks.task.list" },
        { "\"lists\"", "lists.get" },
        { "\"user\"", "user.get" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (memmem(scopes.p, scopes.n, known[i].scope, strlen(known[i].scope)) == NULL)
            return known[i].method;
    return NULL;
}

enum anon_rule record_rule(const struct record_row *row)
{
    return row->flags & RECORD_CODES ? ANON_CODE : row->flags & RECORD_TIME ? ANON_TIME : ANON_TEXT;
}
