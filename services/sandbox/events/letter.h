/* letter.h - requests of the portal that are no events: an application opened in a frame (facts section 10), a robot of a
 * business process (9.6). Forms, as PHP writes them. Pure. */
#pragma once

#include "data/attr.h"
#include "event.h"

#include <jansson.h>

struct letter {
    struct letter *next;
    char *url;
    struct buf body;
};

struct letter *letter_new(const char *url);
void letter_free(struct letter *l);

/* Tokens of a pair that was made for whoever opened it; options: of a placement other than DEFAULT, NULL: none. */
struct letter *letter_frame(const char *url, const struct event_from *from, const char *session, const char *placement,
    const char *options);

struct letter_robot {
    enum which w;
    uint32_t id;
    const char *code;           /* of an application's robot; NULL: the built-in "outgoing webhook" */
    const char *event_token;
    const json_t *properties;   /* of an application's robot: texts by name; NULL: none */
    int64_t ts_s;
};
/* {{ID}} in the URL of the built-in one becomes the number. */
struct letter *letter_robot(const char *url, const struct event_from *from, const struct letter_robot *robot);
