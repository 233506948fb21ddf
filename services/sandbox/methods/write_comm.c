#include "write_comm.h"

#include <stdio.h>

#include "json_out.h"
#include "params.h"
#include "write_value.h"

static struct str member(const json_t *of, const char *name, char room[static 40])
{
    const json_t *v = params_get(of, name);

    return v != NULL && !params_is_array(v) ? params_text(v, room) : STR("");
}

static json_t *text_of(struct str s)
{
    json_t *j = json_stringn(s.p, s.n);

    return j != NULL ? j : json_string("");
}

static json_t *find_row(json_t *rows, struct str id, size_t *ret_at)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        char room[40];
        if (id.n > 0 && str_eq(member(row, "ID", room), id)) {
            *ret_at = i;
            return row;
        }
    }
    return NULL;
}

static bool add_row(json_t *rows, const char *type, const json_t *given, int64_t id)
{
    char room[40], number[24];
    const struct str kind = member(given, "VALUE_TYPE", room);
    json_t *row = json_object();

    snprintf(number, sizeof(number), "%lld", (long long)id);
    json_object_set_new(row, "ID", json_string(number));
    json_object_set_new(row, "VALUE_TYPE", kind.n > 0 ? text_of(kind) : json_string("WORK"));
    json_object_set_new(row, "VALUE", text_of(member(given, "VALUE", room)));
    json_object_set_new(row, "TYPE_ID", json_string(type));
    json_array_append_new(rows, row);
    return true;
}

static bool change_row(json_t *row, const json_t *given)
{
    static const char *const names[] = { "VALUE", "VALUE_TYPE" };
    bool changed = false;
    char room[40], was[40];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct str now = member(given, names[i], room);
        if (now.n == 0 || str_eq(now, member(row, names[i], was)))
            continue;
        json_object_set_new(row, names[i], text_of(now));
        changed = true;
    }
    return changed;
}

/* A row that has its ID; one that has another's is added like one without. */
static bool apply(json_t *rows, const char *type, const json_t *given, int64_t id)
{
    char id_room[40], room[40];
    size_t at;
    json_t *row = find_row(rows, member(given, "ID", id_room), &at);
    const json_t *value = params_get(given, "VALUE");
    const bool emptied = value != NULL && member(given, "VALUE", room).n == 0;

    if (row == NULL)
        return value != NULL && !emptied ? add_row(rows, type, given, id) : false;
    if (emptied || str_case_eq(member(given, "DELETE", room), STR("Y")))
        return json_array_remove(rows, at) == 0;
    return change_row(row, given);
}

bool write_comm(json_t *rows, const char *type, const json_t *given, int64_t next_id)
{
    struct params_walk walk = { .of = (json_t *)given };
    bool changed = false;
    const char *key;
    json_t *one;

    while (params_next(&walk, &key, &one)) {
        const size_t before = json_array_size(rows);
        if (!json_is_object(one)) /* a bare text is ignored without a word */
            continue;
        changed |= apply(rows, type, one, next_id);
        next_id += json_array_size(rows) > before;
    }
    return changed;
}

void write_comm_out(struct buf *out, const json_t *rows)
{
    buf_char(out, '=');
    if (json_array_size(rows) > 0)
        json_out_value(out, rows, false);
}

bool write_comm_mails_fine(const json_t *given)
{
    struct params_walk walk = { .of = (json_t *)given };
    const char *key;
    json_t *one;
    char room[40];

    while (params_next(&walk, &key, &one)) {
        const struct str mail = json_is_object(one) ? member(one, "VALUE", room) : STR("");
        const char *at = mail.n > 0 ? memchr(mail.p, '@', mail.n) : NULL;
        if (mail.n > 0 && (at == NULL || at == mail.p || at == mail.p + mail.n - 1))
            return false;
    }
    return true;
}
