/* mask.c - takes secrets out of text before it is shown. Errs on the side of masking: a log that hides a word
 * too many is read all the same, a leaked webhook is a portal lost. */
#include "base/log.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#define MASK "(masked)"

struct mask {
    struct str text;
    size_t i; /* read up to here */
    struct buf *out;
};

static const char *const secret_queries[] = {
    "auth",
    "access_token",
    "refresh_token",
    "client_secret",
    "code",
    "application_token",
    "token",
    "password",
    "key",
};

static bool starts(const struct mask *m, size_t at, const char *word)
{
    size_t n = strlen(word);

    return m->text.n - at >= n && str_case_eq((struct str){ m->text.p + at, n }, (struct str){ word, n });
}

/* What ends a piece of a URL, in a URL as in free text. */
static bool is_end(char c)
{
    return (unsigned char)c <= 0x20 || c == '/' || c == '?' || c == '#' || c == '&' || c == '"' ||
           c == '\'' || c == '<' || c == '>' || c == ')' || c == ',' || c == ';' || c == '|';
}

static size_t piece_end(const struct mask *m, size_t from)
{
    while (from < m->text.n && !is_end(m->text.p[from]))
        from++;
    return from;
}

static void copy_to(struct mask *m, size_t end)
{
    buf_add(m->out, m->text.p + m->i, end - m->i);
    m->i = end;
}

/* What is masked already stays as it is: an error text may pass here twice. */
static void hide_to(struct mask *m, size_t end)
{
    if (starts(m, m->i, MASK))
        end = m->i + strlen(MASK);
    if (end > m->i)
        buf_str(m->out, MASK);
    m->i = end;
}

static bool is_number(struct str s)
{
    uint64_t ignored;

    return str_u64(s, &ignored);
}

/* After "/rest/": "<user>/<secret>/", "api/<user>/<secret>/", or a secret whose user number was forgotten. A
 * first piece with a dot is a method (crm.deal.list), which follows when the token is in the query. */
static void mask_rest(struct mask *m)
{
    copy_to(m, m->i + strlen("/rest/"));
    if (starts(m, m->i, "api/"))
        copy_to(m, m->i + strlen("api/"));

    size_t end = piece_end(m, m->i);
    struct str first = { m->text.p + m->i, end - m->i };
    if (first.n == 0 || memchr(first.p, '.', first.n))
        return;
    if (first.n >= 8 && !is_number(first)) {
        hide_to(m, end);
        return;
    }
    if (end < m->text.n && m->text.p[end] == '/') {
        copy_to(m, end + 1);
        hide_to(m, piece_end(m, m->i));
    }
}

/* After "://": "user:password@". Where the colon begins no port number, the password may hold what should
 * have been percent-encoded: then it goes up to the last '@' of the word. */
static void mask_authority(struct mask *m)
{
    copy_to(m, m->i + strlen("://"));

    size_t colon = 0, at = 0, i = m->i;
    bool maybe_port = true;
    for (; i < m->text.n && (unsigned char)m->text.p[i] > 0x20 && m->text.p[i] != '"'; i++) {
        char c = m->text.p[i];

        if (strchr("/?#", c) && maybe_port)
            break;
        if (c == '@')
            at = i;
        if (c == ':' && !colon)
            colon = i + 1;
        else if (colon && !at && (c < '0' || c > '9'))
            maybe_port = false;
    }
    if (colon && at >= colon) {
        copy_to(m, colon);
        hide_to(m, at);
    }
}

static bool is_secret(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(secret_queries); i++)
        if (str_case_eq(name, str_of(secret_queries[i])))
            return true;
    return false;
}

/* After '?' or '&': "name=value"; "auth[access_token]=value" counts by its last word. */
static void mask_query(struct mask *m)
{
    copy_to(m, m->i + 1);

    size_t equals = m->i;
    while (equals < m->text.n && m->text.p[equals] != '=' && !is_end(m->text.p[equals]))
        equals++;
    if (equals == m->text.n || m->text.p[equals] != '=')
        return;

    size_t from = m->i, to = equals;
    for (size_t i = from; i < to; i++)
        if (m->text.p[i] == '[')
            from = i + 1;
    if (to > from && m->text.p[to - 1] == ']')
        to--;
    if (is_secret((struct str){ m->text.p + from, to - from })) {
        copy_to(m, equals + 1);
        hide_to(m, piece_end(m, m->i));
    }
}

/* As mask_query(), of an address that is a value of a query itself: "%3Fkey%3D0123%26a%3Db". */
static void mask_encoded(struct mask *m)
{
    copy_to(m, m->i + strlen("%3F"));

    size_t equals = m->i;
    while (equals < m->text.n && m->text.p[equals] != '%' && !is_end(m->text.p[equals]))
        equals++;
    if (!starts(m, equals, "%3D") || !is_secret((struct str){ m->text.p + m->i, equals - m->i }))
        return;
    copy_to(m, equals + strlen("%3D"));
    size_t end = m->i;
    while (end < m->text.n && !is_end(m->text.p[end]) && !starts(m, end, "%26") && !starts(m, end, "%23"))
        end++;
    hide_to(m, end);
}

/* After "/bot": "<number>:<secret>" of Telegram. */
static void mask_bot(struct mask *m)
{
    size_t i = m->i + strlen("/bot");

    while (i < m->text.n && m->text.p[i] >= '0' && m->text.p[i] <= '9')
        i++;
    if (i == m->i + strlen("/bot") || i == m->text.n || m->text.p[i] != ':')
        return;
    copy_to(m, i + 1);
    hide_to(m, piece_end(m, m->i));
}

void text_mask(struct str text, struct buf *out)
{
    struct mask m = { text, 0, out };
    size_t next;

    for (size_t i = 0; i < text.n; i = next) {
        char c = text.p[i];

        next = i + 1;
        if (c != '/' && c != ':' && c != '?' && c != '&' && c != '%')
            continue;
        copy_to(&m, i);
        if (starts(&m, i, "/rest/"))
            mask_rest(&m);
        else if (starts(&m, i, "/bot"))
            mask_bot(&m);
        else if (starts(&m, i, "://"))
            mask_authority(&m);
        else if (c == '?' || c == '&')
            mask_query(&m);
        else if (starts(&m, i, "%3F") || starts(&m, i, "%26"))
            mask_encoded(&m);
        if (m.i > next)
            next = m.i; /* behind what was hidden */
    }
    copy_to(&m, text.n);
}

void url_mask(struct str url, char *ret, size_t size)
{
    struct buf out;

    if (size == 0)
        return;
    buf_init(&out, url.n * (sizeof(MASK) + 1) + 1);
    text_mask(url, &out);

    const char *shown = buf_cstr(&out);
    size_t n = utf8_cut(shown, out.n, size - 1);
    memcpy(ret, shown, n);
    ret[n] = '\0';
    buf_fini(&out);
}
