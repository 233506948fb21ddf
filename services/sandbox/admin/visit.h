/* visit.h - one request to an admin route; shared by admin.c (routes, what can be seen), edit.c
 * (changes), events.c (events), app.c (the application) and post.c (frames, robots). */
#pragma once

#include "portal.h"

#include <jansson.h>

struct visit {
    struct portal *portal;
    const json_t *params;       /* of the query */
    struct str body;
    const char *rest;           /* of the path after the route: "deals" */
    struct portal_answer *answer;
};

void visit_refuse(struct visit *v, int status, const char *text);
void visit_fine(struct visit *v);               /* {"ok":true} */
struct str visit_param(const struct visit *v, const char *name, const char *fallback);
bool visit_count(const struct visit *v, const char *name, uint64_t fallback, uint64_t *ret);    /* false: no number */
int visit_which(struct visit *v);               /* the entity of the path or of entity=; -1 was answered */

void visit_change(struct visit *v);
void visit_change_rate(struct visit *v);
void visit_set(struct visit *v);
void visit_hide(struct visit *v);
void visit_add_field(struct visit *v);
void visit_delete_field(struct visit *v);
void visit_rename_field(struct visit *v);
void visit_retype_field(struct visit *v);
void visit_edit_items(struct visit *v);

void visit_show_events(struct visit *v);
void visit_out_event_stats(struct buf *out, struct portal *p);
void visit_add_handler(struct visit *v);
void visit_drop_handlers(struct visit *v);
void visit_event_faults(struct visit *v);
void visit_release_events(struct visit *v);
void visit_lag(struct visit *v);

void visit_show_app(struct visit *v);
void visit_install(struct visit *v);
void visit_update_app(struct visit *v);
void visit_uninstall(struct visit *v);
void visit_app_state(struct visit *v);
void visit_expire(struct visit *v);
void visit_revoke(struct visit *v);
void visit_open_app(struct visit *v);
void visit_run_robot(struct visit *v);
void visit_rename(struct visit *v);
void visit_overload(struct visit *v);
