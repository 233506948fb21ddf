/* rest3.h - REST 3.0 beside the classic methods: /rest/api/…, JSON alone, errors of their own form (facts section 13). What
 * of it has no relation to CRM is here as far as a client of both needs it: tasks read, batch, OpenAPI. Loop
 * thread. */
#pragma once

#include "route.h"

enum rest3_error {
    REST3_OK,
#define REST3_ERROR(id, status, code, message) REST3_##id,
#include "errors.def"
#undef REST3_ERROR
    REST3_METHOD,       /* there is none: refused as classic methods are */
    REST3_ERRORS
};

struct rest3 {
    struct call call;           /* portal, times and bill; `out` gets the JSON of the result, `params` are the query's */
    char detail[128];           /* of the refusal: what is wrong */
    char field[64], text[160];  /* of REST3_REQUEST */
};

typedef enum rest3_error rest3_run(struct rest3 *r);
rest3_run rest3_task_get, rest3_task_list;          /* tasks.c */
enum rest3_error rest3_invalid(struct rest3 *r, const char *field, const char *text);  /* REST3_REQUEST */
enum rest3_error rest3_wrong(struct rest3 *r, enum rest3_error e, const char *what);

/* The whole answer; an error of authorization is refused as ever, so it is returned. */
enum api_error rest3_answer(
    struct portal *p, const struct route *r, const struct portal_request *in, struct portal_answer *ret);
