/* What a portal answered to each method of a call: text of JSON, or its error. Whoever asked decides what an
 * error of one of them means; only a credential that is no longer valid fails them all. */
#include "connectors/bitrix_reading.h"
#include "connectors/bitrix_rule.h"

#include "base/mem.h"

#include <stdlib.h>

struct answered {
    struct call_answer list[BATCH_COMMANDS];
    struct bitrix_error errors[BATCH_COMMANDS];
    size_t at[BATCH_COMMANDS + 1]; /* in `text`: where each result begins */
    struct buf text;
};

static int read_command(struct bitrix_reading *r, struct answered *x, int i, struct err *err)
{
    struct str result = bitrix_part_of(r, PART_RESULT, i), error = bitrix_part_of(r, PART_ERROR, i);
    const struct bitrix_rule *rule;
    struct wire w;

    x->list[i].key = r->ask.calls.list[i].key;
    if (error.n == 0 && result.n == 0)
        return bitrix_nonsense(r, err, "neither result nor error of command %d", i);
    if (error.n == 0) {
        wire_init(&w, result.p, result.n);
        wire_json(&w, &x->text);
        return 0;
    }
    bitrix_error_read(&x->errors[i], error);
    rule = bitrix_rule_of(200, str_of(x->errors[i].code), str_of(x->errors[i].text));
    if (rule->says == SAYS_EXPIRED)
        return bitrix_refused(r, i, 200, &x->errors[i], err);
    x->list[i].kind = str_of(err_kind_name(rule->kind));
    x->list[i].code = str_of(x->errors[i].code);
    x->list[i].text = str_of(x->errors[i].text);
    return 0;
}

int bitrix_read_calls(struct bitrix_reading *r, struct err *err)
{
    struct answered *x = xcalloc(1, sizeof(*x));
    int result = 0;

    buf_init(&x->text, CALL_ANSWERS_BYTES_MAX);
    for (int i = 0; i < r->ask.commands && result == 0; i++) {
        result = read_command(r, x, i, err);
        x->at[i + 1] = x->text.n;
    }
    for (int i = 0; i < r->ask.commands && result == 0; i++)
        x->list[i].result = (struct str){ x->text.p + x->at[i], x->at[i + 1] - x->at[i] };
    if (result == 0)
        call_answers_encode(x->list, r->ask.commands, &r->a->answers);
    if (result == 0 && (x->text.failed || r->a->answers.failed))
        result = err_set(err, ERR_LIMIT, "the answers are over %d bytes", CALL_ANSWERS_BYTES_MAX);
    buf_fini(&x->text);
    free(x);
    return result;
}
