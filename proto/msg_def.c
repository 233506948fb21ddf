#include "proto/msg_def.h"

#include <assert.h>

#include "base/mem.h"

#define NAME_LIMIT 128 /* a STR up to this limit is a name or an address: no NUL inside */

#define FIELD(type, name, need, limit, since) \
    { #name, FIELD_##type, offsetof(struct OWNER, name), need, limit, since },
#define OWNER msg_ready
static const struct field_def ready_fields[] = {
#include "proto/ready.def"
};
#undef OWNER
#define OWNER msg_job
static const struct field_def job_fields[] = {
#include "proto/job.def"
};
#undef OWNER
#define OWNER msg_report
static const struct field_def report_fields[] = {
#include "proto/report.def"
};
#undef OWNER
#define OWNER msg_records
static const struct field_def records_fields[] = {
#include "proto/records.def"
};
#undef OWNER
#define OWNER msg_rows
static const struct field_def rows_fields[] = {
#include "proto/rows.def"
};
#undef OWNER
#define OWNER msg_done
static const struct field_def done_fields[] = {
#include "proto/done.def"
};
#undef OWNER
#define OWNER msg_status
static const struct field_def status_fields[] = {
#include "proto/status.def"
};
#undef OWNER
#define OWNER msg_control
static const struct field_def control_fields[] = {
#include "proto/control.def"
};
#undef OWNER
#define OWNER msg_control_reply
static const struct field_def control_reply_fields[] = {
#include "proto/control_reply.def"
};
#undef OWNER
#define OWNER msg_event
static const struct field_def event_fields[] = {
#include "proto/event.def"
};
#undef OWNER
#define OWNER msg_event_ack
static const struct field_def event_ack_fields[] = {
#include "proto/event_ack.def"
};
#undef OWNER
#define OWNER msg_budget_ask
static const struct field_def budget_ask_fields[] = {
#include "proto/budget_ask.def"
};
#undef OWNER
#define OWNER msg_budget_grant
static const struct field_def budget_grant_fields[] = {
#include "proto/budget_grant.def"
};
#undef OWNER
#undef FIELD

static const struct message_def messages[MSG_TYPE_END] = {
#define MESSAGE(NAME, name, number, version, sender, reader, payload_limit, about) \
    [number] = { #NAME, #name, version, sender, reader, about, payload_limit, offsetof(struct msg, name), \
        name##_fields, ARRAY_SIZE(name##_fields) },
#include "proto/messages.def"
#undef MESSAGE
};

/* msg_decode() remembers what it saw in 64 bits. */
#define MESSAGE(NAME, name, ...) static_assert(ARRAY_SIZE(name##_fields) <= 64, "too many fields");
#include "proto/messages.def"
#undef MESSAGE

const char *const msg_field_types[] = { "U64", "I64", "STR", "BIN", "IDS" };

const struct message_def *msg_def(uint64_t type)
{
    return type < ARRAY_SIZE(messages) && messages[type].name != NULL ? &messages[type] : NULL;
}

const char *msg_name(enum msg_type type)
{
    const struct message_def *def = msg_def(type);

    return def != NULL ? def->name : NULL;
}

enum msg_type msg_type_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        if (messages[i].name != NULL && strcmp(messages[i].name, name) == 0)
            return (enum msg_type)i;
    return MSG_NONE;
}

size_t msg_payload_limit(enum msg_type type)
{
    const struct message_def *def = msg_def(type);

    return def != NULL ? def->payload_limit : 0;
}

const void *msg_field_at(const struct message_def *def, const struct field_def *f, const struct msg *m)
{
    return (const char *)m + def->offset + f->offset;
}

size_t msg_field_size(const struct field_def *f, const void *at)
{
    switch (f->type) {
    case FIELD_U64:
    case FIELD_I64:
        return *(const uint64_t *)at != 0;
    case FIELD_STR:
    case FIELD_BIN:
        return ((const struct str *)at)->n;
    case FIELD_IDS:
        return ((const struct ids *)at)->n;
    }
    return 0;
}

bool msg_field_is_number(const struct field_def *f)
{
    return f->type == FIELD_U64 || f->type == FIELD_I64;
}

bool msg_field_has_nul(const struct field_def *f, const void *at)
{
    const struct str *s = at;

    return f->type == FIELD_STR && f->limit <= NAME_LIMIT && s->n > 0 && memchr(s->p, 0, s->n) != NULL;
}
