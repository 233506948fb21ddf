/* oauth.h - the tokens of one portal: when they are renewed, what each answer of the OAuth server means, when only a person
 * can help (facts section 10). Pure: the clock is an argument, no socket. Loop thread.
 *
 *   NONE --accepted--> GOOD --refused by the portal--> RENEWING --accepted--> GOOD
 *                                                       RENEWING --refused by the server--> LOST --tried again--> RENEWING
 *
 * Renewed when the portal refuses the access token, never by a schedule. One call at a time. A new pair counts when it is
 * in the database, not before. A call whose answer never came may have spent the refresh token: it is tried again with the
 * old one, and what the server says then decides. */
#pragma once

#include "base/access.h"
#include "base/config_app.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define OAUTH_UNPROVED_MOST 3       /* new tokens in a row that the portal refused at once: renewing does not help */
#define OAUTH_BACKOFF_MS 500
#define OAUTH_LOOK_MS 5000           /* without access: how often the database is asked for a pair */
#define OAUTH_BACKOFF_MOST_MS 60000

enum oauth_state { OAUTH_NONE, OAUTH_GOOD, OAUTH_RENEWING, OAUTH_LOST };

struct oauth {
    enum oauth_state state;
    uint64_t number;                /* of the pair, as in the database; jobs carry it */
    struct access pair;             /* owned; secrets */
    bool asking;                    /* a call is under way */
    bool storing;                   /* its answer is on its way to the database */
    bool unconfirmed;               /* an answer never came: the refresh token may be spent */
    unsigned fails;                 /* calls in a row without a decision */
    unsigned unproved;              /* pairs in a row that no answer of the portal proved */
    uint64_t not_before_ms;         /* monotonic */
    bool looking;                   /* the database is asked for a pair, and not for want of this one */
    uint64_t look_ms;               /* monotonic; when it is asked again */
    char error[ERR_TEXT_SIZE];      /* LOST: why; RENEWING: what the last call came to; "" = nothing */
};

/* ---- the state ---- */

/* What the database holds; `error` of potok_token, "" = they were good. Takes nothing over. */
void oauth_loaded(struct oauth *o, uint64_t number, const struct access *pair, const char *error, uint64_t now_ms);
enum oauth_refusal {
    OAUTH_AGAIN,                    /* it was asked with an older token: just again */
    OAUTH_WAIT,                     /* a new one is on its way: again when it is there */
    OAUTH_STOP,                     /* `error` says why nothing helps */
};
/* The portal refused an access token. */
enum oauth_refusal oauth_refused(struct oauth *o, uint64_t token, uint64_t now_ms);
void oauth_proved(struct oauth *o, uint64_t token);             /* the portal took it */
bool oauth_due(const struct oauth *o, uint64_t now_ms);         /* the server is to be asked for a new pair */
void oauth_asked(struct oauth *o);
/* What was asked for by the pair of this number is an answer of today: no login and no removal came between. Any
 * other is let go, whatever it says. */
bool oauth_is_of_today(const struct oauth *o, uint64_t number);
/* There is no access, and another scheduler may have kept some: one that was deposed brings what it asked for late. */
bool oauth_may_be_found(const struct oauth *o, uint64_t now_ms);
void oauth_looks(struct oauth *o);
void oauth_looked(struct oauth *o, uint64_t now_ms);
/* No decision: the server is away, unwell or unreadable. `unanswered`: the request may have reached it. True when it has
 * become worth a warning. */
bool oauth_undecided(struct oauth *o, const char *why, bool unanswered, uint64_t now_ms);
void oauth_stored(struct oauth *o, uint64_t number, const struct access *pair);     /* they are in the database */
void oauth_lost(struct oauth *o, const char *why);              /* the server said no */
/* The application was removed; `number` as in the database, 0 = nothing was ever there. */
void oauth_forgotten(struct oauth *o, uint64_t number);
void oauth_again(struct oauth *o, uint64_t now_ms);             /* LOST, and the operator wants it tried */
void oauth_free(struct oauth *o);
const char *oauth_state_name(enum oauth_state state);           /* "none", "good", "renewing", "lost" */

/* ---- what somebody brings ---- */

/* NULL: it is tried, and the OAuth server's answer decides; else why it is left alone. An event of which nobody knows
 * whether it is the portal's (`by` "stranger") may give access where there never was any, nothing else: it is proved by
 * our client_secret alone, and any user of the portal could send it with rights of his own. */
const char *oauth_judge(const struct oauth *o, const struct access *given);

/* The server's answer knows more than what was brought, but not the application_token: `pair` gets it of the two. A login
 * brings none, and before it the application may have been installed anew, which changes it: the old one is a former one
 * from then on, which counts beside the key of the handler (base/handler_key.h) until an installation tells one. */
void oauth_complete(struct access *pair, const struct access *given, const struct access *had);

/* What is brought by an event is of an administrator: any other user would see less than is mirrored. */
bool oauth_needs_admin(const struct oauth *o, const struct access *given);
enum oauth_rights { OAUTH_ADMIN, OAUTH_USER, OAUTH_UNTOLD };
/* The portal's answer to `profile` (facts section 10), asked with the new access token. */
enum oauth_rights oauth_rights(int status, struct str body);

/* ---- the server ---- */

enum oauth_meaning {
    OAUTH_PAIR,                     /* a new pair of tokens */
    OAUTH_LATER,                    /* no decision: ask again */
    OAUTH_REFUSED,                  /* no; only a person can help */
};
struct oauth_answer {
    enum oauth_meaning meaning;
    struct access pair;             /* owned: access_free() */
    char portal[300];               /* "https://portal/rest/" as the server knows it; "" = not told */
    char code[64];                  /* its word for the error; "" = none */
    char text[ERR_TEXT_SIZE];       /* for people, no secret */
};
/* The form that asks for a pair: by the code when there is one, else by the refresh token. */
void oauth_form(const struct config_app *app, const struct access *by, struct buf *out);
/* What was sent and is nobody's business: servers repeat it in what they say. */
struct oauth_sent {
    const char *secret, *refresh, *code;    /* NULL: was not sent */
};
/* status 0: nobody answered, `why` says how. */
void oauth_read(struct oauth_answer *ret, int status, struct str body, const char *why, const struct oauth_sent *sent,
    uint64_t wall_ms);
/* "https://oauth.bitrix24.tech/oauth/token/": the server the pair names where it is one of Bitrix24's own, else the
 * configured one: client_secret goes nowhere else. Caller frees. */
char *oauth_url(const struct config_app *app, const struct access *pair);
