/* The views that stand over a column: none of them lets its type change, so they are taken away and made
 * again as they were: definition and options, defaults, indexes, rules, triggers, comments, rights and owner.
 * The server prints every statement itself, as for a dump. */
#include "db/postgres.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct view {
    char *oid, *name; /* with its schema, in quotes */
    char *kind;       /* VIEW or MATERIALIZED VIEW */
    char **statements;
    int count, room;
    int after; /* from here on: what must wait until the rights it was born with are taken away */
};

struct pg_views {
    struct view *list; /* each stands over earlier ones */
    int count, room;
};

/* Over the column itself, then over those: each as deep as its longest way down. */
static const char FIND[] =
    "WITH RECURSIVE base AS (SELECT a.attrelid, a.attnum FROM pg_attribute a WHERE a.attrelid = "
    "to_regclass(quote_ident($1)) AND a.attname = $2 AND NOT a.attisdropped), over (oid, depth) AS ("
    "SELECT r.ev_class, 1 FROM base JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = "
    "base.attrelid AND d.refobjsubid = base.attnum AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r "
    "ON r.oid = "
    "d.objid AND r.rulename = '_RETURN' AND r.ev_class <> base.attrelid "
    "UNION "
    "SELECT r.ev_class, over.depth + 1 FROM over JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND "
    "d.refobjid = "
    "over.oid AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = "
    "'_RETURN' AND "
    "r.ev_class <> over.oid WHERE over.depth < 200) "
    "SELECT c.oid::text, format('%I.%I', n.nspname, c.relname), CASE c.relkind WHEN 'm' THEN 'MATERIALIZED "
    "VIEW' ELSE "
    "'VIEW' END FROM (SELECT oid, max(depth) AS depth FROM over GROUP BY oid) v JOIN pg_class c ON c.oid = "
    "v.oid JOIN "
    "pg_namespace n ON n.oid = c.relnamespace ORDER BY v.depth, c.oid";

/* $1 is its oid, $2 its name, $3 its kind. */
static const char DESCRIBE[] =
    "SELECT s FROM ("
    "SELECT 10 AS part, 0 AS n, format('CREATE %s %s%s%s AS %s%s', $3::text, $2::text, ' WITH (' || "
    "array_to_string(c.reloptions, "
    "', ') || ')', ' TABLESPACE ' || quote_ident(t.spcname), rtrim(pg_get_viewdef(c.oid), ';'), CASE WHEN "
    "c.relkind = 'm' "
    "THEN CASE WHEN c.relispopulated THEN ' WITH DATA' ELSE ' WITH NO DATA' END END) AS s FROM pg_class c "
    "LEFT JOIN "
    "pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = $1::oid "
    "UNION ALL SELECT 20, d.adnum, format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', $2::text, "
    "a.attname, "
    "pg_get_expr(d.adbin, d.adrelid)) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND "
    "a.attnum = "
    "d.adnum WHERE d.adrelid = $1::oid "
    "UNION ALL SELECT 30, i.indexrelid::bigint, pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE "
    "i.indrelid = $1::oid "
    "UNION ALL SELECT 31, i.indexrelid::bigint, format('ALTER MATERIALIZED VIEW %s CLUSTER ON %I', $2::text, "
    "c.relname) FROM "
    "pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid AND i.indisclustered "
    "UNION ALL SELECT 32, x.oid::bigint, pg_get_statisticsobjdef(x.oid) FROM pg_statistic_ext x WHERE "
    "x.stxrelid = $1::oid "
    "UNION ALL SELECT 40, r.oid::bigint, pg_get_ruledef(r.oid) FROM pg_rewrite r WHERE r.ev_class = $1::oid "
    "AND r.rulename "
    "<> '_RETURN' "
    "UNION ALL SELECT 41, g.oid::bigint, pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = "
    "$1::oid AND NOT "
    "g.tgisinternal "
    "UNION ALL SELECT 50, d.objsubid, CASE WHEN d.objsubid = 0 THEN format('COMMENT ON %s %s IS %L', "
    "$3::text, $2::text, "
    "d.description) ELSE format('COMMENT ON COLUMN %s.%I IS %L', $2::text, a.attname, d.description) END "
    "FROM "
    "pg_description d "
    "LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0 WHERE "
    "d.classoid = "
    "'pg_class'::regclass AND d.objoid = $1::oid "
    "UNION ALL SELECT 60, 0, format('GRANT %s ON TABLE %s TO %s%s', x.privilege_type, $2::text, CASE "
    "x.grantee "
    "WHEN 0 THEN "
    "'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, CASE WHEN x.is_grantable AND x.grantee <> "
    "c.relowner THEN ' "
    "WITH GRANT OPTION' END) FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = $1::oid "
    "UNION ALL SELECT 61, a.attnum, format('GRANT %s (%I) ON TABLE %s TO %s%s', x.privilege_type, a.attname, "
    "$2::text, CASE "
    "x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, CASE WHEN "
    "x.is_grantable THEN ' WITH "
    "GRANT OPTION' END) FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = $1::oid "
    "UNION ALL SELECT 70, 0, format('ALTER %s %s OWNER TO %I', $3::text, $2::text, "
    "pg_get_userbyid(c.relowner)) FROM "
    "pg_class c WHERE "
    "c.oid = $1::oid AND pg_get_userbyid(c.relowner) <> current_user"
    ") all_of_it ORDER BY part, n";

/* What ALTER DEFAULT PRIVILEGES gave the new one; it had no such rights, or gets them next. $1 is its name.
 */
static const char BORN_WITH[] =
    "SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s', $1::text, CASE x.grantee WHEN 0 THEN 'PUBLIC' "
    "ELSE "
    "quote_ident(pg_get_userbyid(x.grantee)) END) FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = "
    "$1::regclass AND "
    "x.grantee <> c.relowner";

static bool is_of_rights(const char *statement)
{
    return strncmp(statement, "GRANT ", 6) == 0 || strstr(statement, " OWNER TO ") != NULL;
}

static int on_view(void *ctx, const struct db_val *row, int columns)
{
    struct pg_views *v = ctx;

    (void)columns;
    if (v->count == v->room) {
        v->room = v->room > 0 ? 2 * v->room : 8;
        v->list = xrealloc(v->list, (size_t)v->room * sizeof(*v->list));
    }
    v->list[v->count++] =
        (struct view){ .oid = str_dup(row[0].s), .name = str_dup(row[1].s), .kind = str_dup(row[2].s) };
    return 0;
}

static int on_statement(void *ctx, const struct db_val *row, int columns)
{
    struct view *v = ctx;

    (void)columns;
    if (v->count == v->room) {
        v->room = v->room > 0 ? 2 * v->room : 8;
        v->statements = xrealloc(v->statements, (size_t)v->room * sizeof(*v->statements));
    }
    v->statements[v->count++] = str_dup(row[0].s);
    return 0;
}

static void view_fini(struct view *v)
{
    for (int i = 0; i < v->count; i++)
        free(v->statements[i]);
    free(v->statements);
    free(v->oid);
    free(v->name);
    free(v->kind);
}

void pg_views_free(struct pg_views *views)
{
    if (views == NULL)
        return;
    for (int i = 0; i < views->count; i++)
        view_fini(&views->list[i]);
    free(views->list);
    free(views);
}

static int describe(struct pg *pg, struct view *v, struct err *err)
{
    if (db_run(&pg->db, DESCRIBE, DB_ARGS(dbv_c(v->oid), dbv_c(v->name), dbv_c(v->kind)), on_statement, v,
            NULL, err) < 0)
        return -1;
    while (v->after < v->count && !is_of_rights(v->statements[v->after]))
        v->after++;
    return 0;
}

int pg_views_read(struct pg *pg, const struct db_widening *w, struct pg_views **ret, struct err *err)
{
    struct pg_views *views = *ret = xcalloc(1, sizeof(*views));

    if (db_run(&pg->db, FIND, DB_ARGS(dbv_s(w->table), dbv_s(w->column)), on_view, views, NULL, err) < 0)
        return -1;
    for (int i = 0; i < views->count; i++)
        if (describe(pg, &views->list[i], err) < 0)
            return -1;
    return 0;
}

/* Without CASCADE: what else hangs on one of them is named by the server's refusal. */
int pg_views_drop(struct pg *pg, const struct db_widening *w, const struct pg_views *views, struct err *err)
{
    for (int i = views->count - 1; i >= 0; i--) {
        const struct view *v = &views->list[i];
        char *sql = xasprintf("DROP %s %s", v->kind, v->name);
        int result = pg_widen_step(pg, w, sql, v->name, err);
        free(sql);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int run_from_to(
    struct pg *pg, const struct db_widening *w, const struct view *v, int from, int to, struct err *err)
{
    for (int i = from; i < to; i++)
        if (pg_widen_step(pg, w, v->statements[i], v->name, err) < 0)
            return -1;
    return 0;
}

static int take_rights(struct pg *pg, const struct db_widening *w, const struct view *made, struct err *err)
{
    struct view born = { .name = made->name };
    int result = db_run(&pg->db, BORN_WITH, DB_ARGS(dbv_c(made->name)), on_statement, &born, NULL, err);

    if (result == 0)
        result = run_from_to(pg, w, &born, 0, born.count, err);
    born.name = NULL;
    view_fini(&born);
    return result;
}

int pg_views_make(struct pg *pg, const struct db_widening *w, const struct pg_views *views, struct err *err)
{
    for (int i = 0; i < views->count; i++) {
        const struct view *v = &views->list[i];
        if (run_from_to(pg, w, v, 0, v->after, err) < 0 || take_rights(pg, w, v, err) < 0 ||
            run_from_to(pg, w, v, v->after, v->count, err) < 0)
            return -1;
    }
    return 0;
}
