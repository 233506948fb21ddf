/* A recording that anybody may have sent: the first line describes an exchange, what follows is its answer.
 */
#include "services/sandbox/replay/book.h"
#include "services/sandbox/replay/list.h"
#include "services/sandbox/replay/time.h"

#include "base/buf.h"
#include "base/mem.h"
#include "support/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t n = line ? (size_t)(line - (const char *)data) : size;
    json_t *about = json_loadb((const char *)data, n, 0, NULL),
           *params = json_pack("{s:[s]}", "select", "ID");
    const struct str body = { line ? line + 1 : "", line ? size - n - 1 : 0 };
    struct replay_book b = { .exchanges = NULL };
    struct replay_page page;
    struct err err;
    struct buf out;

    buf_init(&out, 64 << 20);
    char *copy = xmalloc(body.n + 1);
    memcpy(copy, body.p, body.n);
    if (about == NULL)
        free(copy);
    else if (replay_book_add(&b, about, copy, body.n, &err) == 0) {
        replay_book_sort(&b);
        for (int i = 0; i < b.shelf_count; i++)
            if (!replay_list(&b.shelves[i], params, &out, &page) || page.count > REPLAY_PAGE)
                abort();
        replay_time_move(body, false, true, 86400000, &out);
        (void)replay_time_finish(body);
    }
    buf_fini(&out);
    replay_book_free(&b);
    json_decref(params);
    json_decref(about);
    return 0;
}
