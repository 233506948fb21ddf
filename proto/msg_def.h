/* msg_def.h - the tables that messages.def and each <name>.def make, for the codec's own files only (msg.c, msg_encode.c,
 * msg_decode.c, msg_print.c). Constant; any thread. */
#pragma once

#include "proto/msg.h"

#define MSG_MAGIC "PTK1"
#define MSG_BODY_MAX ((size_t)32 << 20) /* above every body that its fields' limits allow, and newer ones */

enum field_type { FIELD_U64, FIELD_I64, FIELD_STR, FIELD_BIN, FIELD_IDS };
enum field_need { OPT, REQ };

struct field_def {
    const char *name;
    enum field_type type;
    size_t offset;          /* in the struct of its message */
    enum field_need need;
    uint32_t limit;         /* bytes of STR and BIN, count of IDS; 0 for numbers */
    unsigned since;         /* version that brought it */
};

struct message_def {
    const char *name;       /* NULL: the number is not used */
    const char *file;
    unsigned version;
    const char *sender, *reader, *about;
    size_t payload_limit;
    size_t offset;          /* of its struct in struct msg */
    const struct field_def *fields;
    size_t field_count;
};

extern const char *const msg_field_types[];     /* by enum field_type */

const struct message_def *msg_def(uint64_t type);       /* NULL: the number is not used */
const void *msg_field_at(const struct message_def *def, const struct field_def *f, const struct msg *m);
size_t msg_field_size(const struct field_def *f, const void *at);      /* length or count; of a number 0 or 1 */
bool msg_field_is_number(const struct field_def *f);
/* Names and addresses hold no NUL: they become C strings. */
bool msg_field_has_nul(const struct field_def *f, const void *at);
