/* call.h - one method being run, alone or as a command of a batch, and the table of methods. */
#pragma once

#include "list.h"
#include "portal.h"

enum api_error {
    API_OK,
#define API_ERROR(id, status, code, text) API_##id,
#include "errors.def"
#undef API_ERROR
    API_ERRORS
};
struct api_error_row {
    int status;
    const char *code, *text;
};
extern const struct api_error_row API[API_ERRORS];

struct call {
    struct portal *portal;
    const struct method *method;
    const json_t *params;
    struct buf *out;                /* the JSON of `result` is appended */
    bool listed;                    /* has a total */
    uint64_t total;
    int64_t next;                   /* -1: no further page */
    uint32_t ids[LIST_PAGE];        /* of a list of records, for $result[x][49][ID] */
    int id_count;
    double cost_s;
    bool nested;                    /* a command of a batch */
    bool unsaid;                    /* it is done, and the answer is an error */
    uint64_t start_ms, finish_ms;   /* wall clock */
    double operating_s;             /* of the method after this call */
    uint64_t reset_ms;              /* when the first of them fall out */
};

typedef enum api_error method_run(struct call *c);

struct method {
    const char *name;               /* lower case */
    method_run *run;
    unsigned scope;                 /* with SCOPE_APP: never by a webhook */
    int which;                      /* entity of a crm.X method */
    int target;                     /* of links: to what; -1 */
};

const struct method *method_find(struct str name);      /* any case; NULL */
const struct method *method_at(size_t n);               /* NULL past the end */
/* The error, with words of its own for this answer instead of those of its row. */
enum api_error call_refuse(const struct call *c, enum api_error e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Checks scope, faults and operating limit, runs, bills. On an error nothing is left in `out`. */
enum api_error call_run(struct call *c);

method_run run_list, run_get;                                       /* records.c */
method_run run_item_list, run_item_get, run_item_add, run_item_update, run_item_delete;        /* item_methods.c */
method_run run_item_import, run_item_batch_import;                  /* import_methods.c */
method_run run_item_fields, run_types;                              /* item_describe.c */
method_run run_add, run_update, run_delete;                         /* classic_write.c */
method_run run_userfield_add, run_userfield_get, run_userfield_update, run_userfield_delete;    /* userfield_methods.c */
method_run run_fields, run_userfields, run_userfield_types;                              /* describe.c */
method_run run_statuses, run_categories;                            /* dictionaries.c */
method_run run_currencies, run_currency_get, run_currency_base, run_currency_fields;           /* currency.c */
method_run run_app_option_get, run_app_option_set, run_user_option_get, run_user_option_set;    /* app_option.c */
method_run run_old_categories, run_old_stages, run_departments, run_user;      /* tables_settings.c */
method_run run_link_add, run_link_delete, run_link_get, run_link_set, run_link_clear;           /* link_methods.c */
method_run run_duplicates;                                          /* duplicate.c */
method_run run_history, run_activities, run_goods, run_requisites, run_addresses;               /* tables_crm.c */
method_run run_tasks, run_calls;                                    /* tables_work.c */
method_run run_comments, run_elapsed;                               /* task_items.c */
method_run run_profile, run_scope, run_server_time, run_methods, run_method_get, run_app_info;     /* general.c */
method_run run_event_bind, run_event_unbind, run_event_get, run_event_test, run_events;        /* event_methods.c */
method_run run_feature;
method_run run_offline_get, run_offline_list, run_offline_clear, run_offline_error;            /* offline_methods.c */
/* Like a call: out, start_ms, finish_ms, operating_s are filled. batch.c */
enum api_error batch_run(struct call *c);

/* The record that the parameter id names; else what is wrong with it (facts section 2.4). */
enum api_error call_record(const struct call *c, enum which w, uint32_t *ret_n);
/* No right to a record: what the method has for it, or what it may look like as well (section 16). */
enum api_error call_denied(const struct portal *p, enum api_error first);
char *call_text(const struct call *c, const char *name);    /* a parameter, to be freed; "" when absent or no text */
enum api_error call_broken(const struct err *err);          /* logs what is the sandbox's own trouble */

void call_out_time(struct buf *out, const struct call *c);          /* the object after "time": */
/* {"error":…,"error_description":…}; detail: text instead of the table's, "" = none */
void call_out_error(const struct portal *p, struct buf *out, enum api_error e, const char *detail, bool in_batch);
/* What a call costs in operating seconds, before the factor (facts 3.2, 4.1: a count of 2.4 million took 50 s). */
#define COST_CALL_S 0.02
#define COST_WRITE_S 0.05
#define COST_ROW_S 0.0002
#define COST_COUNTED_S 0.00002
#define COST_SKIPPED_S 0.00001
