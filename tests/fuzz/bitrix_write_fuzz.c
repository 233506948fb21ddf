/* What was kept of a write, and what a portal may say of it: never a crash; what is taken reads back the same
 * and comes to an end; an answer that nobody understands never counts as "certainly not done". */
#include "connectors/bitrix_write_answer.h"

#include "base/json.h"
#include "base/mem.h"
#include "support/fuzz.h"

#include <stdlib.h>

static const struct write_task tasks[] = {
    { .kind = WRITE_ADD, .type_id = 2, .originator = STR("potok"), .origin = STR("1"), .fields = STR("{}") },
    { .kind = WRITE_ADD,
        .type_id = 128,
        .originator = STR("potok"),
        .origin = STR("1"),
        .fields = STR("{}") },
    { .kind = WRITE_ROWS, .type_id = 3, .id = 1, .fields = STR("{\"PHONE\":[{\"VALUE\":\"12\"}]}") },
    { .kind = WRITE_UPDATE, .type_id = 3, .id = 1, .fields = STR("{}") },
    { .kind = WRITE_DELETE, .type_id = 4, .id = 1 },
    { .kind = WRITE_BIND, .event = STR("E"), .handler = STR("https://a/b") },
    { .kind = WRITE_UNBIND, .event = STR("E"), .offline = true, .connector = STR("potok") },
};

static void same(const struct bitrix_write *w)
{
    struct bitrix_write again;
    struct buf a, b;

    buf_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    bitrix_write_encode(w, &a);
    EXPECT(!a.failed && bitrix_write_decode(&again, buf_view(&a), NULL) == 0);
    bitrix_write_encode(&again, &b);
    EXPECT(str_eq(buf_view(&a), buf_view(&b)));
    buf_fini(&a);
    buf_fini(&b);
}

/* The same answer to all, to sendings and looks: it comes to an end, or goes on waiting. */
static void live(struct bitrix_write *w, const struct write_heard *heard, const struct write_found *found)
{
    int64_t now_ms = 0;

    for (int i = 0; i < 50; i++) {
        const struct write_step step = bitrix_write_next(w, now_ms);

        EXPECT(step.until_ms >= now_ms);
        switch (step.act) {
        case WRITE_DO_SEND:
            same(w);
            bitrix_write_sent(w);
            bitrix_write_answered(w, &WRITE_PACE, heard, now_ms);
            break;
        case WRITE_DO_LOOK:
            bitrix_write_looked(w, &WRITE_PACE, found, now_ms);
            break;
        case WRITE_DO_WAIT:
            EXPECT(step.until_ms != INT64_MAX);
            now_ms = step.until_ms;
            break;
        default:
            return;
        }
    }
}

static void answer(const struct write_task *t, int status, const json_t *body, const char *key)
{
    const struct bitrix_said said = bitrix_said(status, body, key, key != NULL);
    struct bitrix_write w;
    struct write_heard heard;
    struct write_found found;

    bitrix_write_hear(t, &said, &heard);
    bitrix_write_find(t, &said, &found);
    EXPECT(
        said.is_error || said.skipped || (status >= 300 && status <= 399) || heard.verdict != WRITE_WAS_NOT);
    EXPECT(heard.verdict != WRITE_WAS_DONE || t->kind != WRITE_ADD || heard.id > 0);
    EXPECT(found.seen != WRITE_SEEN || t->kind != WRITE_ADD || found.id > 0);
    bitrix_write_init(&w, t->kind);
    live(&w, &heard, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 302, 400, 401, 404, 429, 500, 503 };
    const struct str bytes = { (const char *)data, size };
    struct bitrix_write w;
    char *room = xcalloc(1, size + JSON_PADDING);
    json_t *body;

    if (size > 0)
        memcpy(room, data, size);
    body = bitrix_said_json(room, size);

    if (bitrix_write_decode(&w, bytes, NULL) == 0) {
        const struct write_heard heard = { .verdict = WRITE_WAS_LOST };
        const struct write_found found = { .seen = WRITE_SEEN_NOT };

        bitrix_write_resumed(&w, &WRITE_PACE, 0);
        EXPECT(w.state != WRITE_SENDING);
        live(&w, &heard, &found);
    }
    for (size_t t = 0; t < ARRAY_SIZE(tasks); t++) { /* blanks behind the text choose the status */
        answer(&tasks[t], statuses[size % ARRAY_SIZE(statuses)], body, NULL);
        answer(&tasks[t], statuses[size % ARRAY_SIZE(statuses)], body, "a");
    }
    json_decref(body);
    free(room);
    return 0;
}
