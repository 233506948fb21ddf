/* The same answers in other notations: XML, plain JSON, other times and headers (facts
 * sections 1.1, 1.2, 2.1, 16). */
#include "services/sandbox/methods/json_out.h"
#include "services/sandbox/methods/xml_out.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk, bool app)
{
    struct portal_options o = ask_options();

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    o.events.app = app;
    return ask_open_with(o);
}

/* A GET of the webhook; the answer's body and headers are checked by what they hold. */
static struct portal_answer get(struct portal *p, const char *method, const char *authorization)
{
    struct portal_answer answer;
    char path[300];

    snprintf(path, sizeof(path), authorization != NULL ? "/rest/%s%s" : "/rest/1/%s/%s",
        authorization != NULL ? "" : p->secret, method);
    portal_answer(p,
        &(struct portal_request){ .method = "GET",
            .path = path,
            .query = STR(""),
            .body = STR(""),
            .content_type = "",
            .remote = "127.0.0.1",
            .authorization = authorization },
        &answer);
    return answer;
}

static void answer_has(struct portal_answer *answer, int status, const char *type, const char *part)
{
    CHECK_EQ(answer->status, status);
    CHECK_HAS(answer->content_type, type);
    CHECK_HAS(buf_cstr(&answer->body), part);
}

TEST(members_become_elements)
{
    static const struct {
        const char *json, *xml;
    } cases[] = {
        { "{\"result\":{\"ID\":\"1\",\"a\":null,\"b\":true,\"c\":false}}",
            "<result><ID>1</ID><a></a><b>1</b><c></c></result>" },
        { "{\"result\":[\"x\",{\"y\":2}]}", "<result><item>x</item><item><y>2</y></item></result>" },
        { "{\"result\":[]}", "<result></result>" },
        { "{\"result\":{\"a b\":1,\"5\":2,\">ID\":3}}",
            "<result><a_b>1</a_b><item>2</item><_ID>3</_ID></result>" },
        { "{\"result\":\"a & b <c> \\\"d\\\" 'e' \\u0001Ж\"}",
            "<result>a &amp; b &lt;c&gt; &quot;d&quot; &#039;e&#039; Ж</result>" },
        { "{\"result\":1.5,\"total\":3}", "<result>1.5</result><total>3</total>" },
    };
    char expected[500];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *j = json_loads(cases[i].json, 0, NULL);
        struct buf out;
        buf_init(&out, 10000);
        xml_out(&out, j);
        snprintf(expected, sizeof(expected),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><response>%s</response>", cases[i].xml);
        CHECK_STR(buf_cstr(&out), expected);
        buf_fini(&out);
        json_decref(j);
    }
}

TEST(a_suffix_asks_for_xml)
{
    struct portal *p = open_with(NULL, false);
    struct portal_answer answer = get(p, "profile.XML", NULL);

    answer_has(&answer, 200, "text/xml", "<response><result><ID>1</ID><ADMIN>1</ADMIN><NAME>Анна</NAME>");
    CHECK_HAS(buf_cstr(&answer.body), "</result><time><start>");
    buf_fini(&answer.body);
    answer = get(p, "crm.deal.get.xml", NULL);
    answer_has(&answer, 400, "text/xml",
        "<response><error></error><error_description>ID is not defined or "
        "invalid.</error_description></response>");
    buf_fini(&answer.body);
    ask_close(p);
}

TEST(plain_json_says_the_same)
{
    struct buf text;

    buf_init(&text, 1000);
    buf_str(&text, "\"a\\/b \\u0026 \\u0027 \\u0022 \\u003C\\u003E \\\\/ \\\\u0026 \\u0416 \\n\"");
    json_out_plain(&text);
    CHECK_STR(buf_cstr(&text), "\"a/b & ' \\\" <> \\\\/ \\\\u0026 \\u0416 \\n\"");
    buf_fini(&text);
    char *bodies[2];
    for (int plain = 0; plain < 2; plain++) {
        struct portal *p = open_with(plain ? "json-plain" : NULL, false);
        json_t *rows =
            ask_done(ask(p, "crm.contact.list", "{\"order\":{\"ID\":\"ASC\"},\"select\":[\"*\"]}"));
        bodies[plain] = json_dumps(rows, JSON_COMPACT);
        struct portal_answer answer = get(p, "profile", NULL);
        CHECK_HAS(buf_cstr(&answer.body), plain ? "\"Europe/Moscow\"" : "\"Europe\\/Moscow\"");
        buf_fini(&answer.body);
        json_decref(rows);
        ask_close(p);
    }
    CHECK_STR(bodies[0], bodies[1]);
    free(bodies[0]);
    free(bodies[1]);
}

TEST(operating_seconds_have_three_states)
{
    static const struct {
        const char *quirk, *operating;
        bool text;
    } cases[] = { { NULL, "0.0", false }, { "operating-zero", "0", false }, { "reset-iso", "0.0", true } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = open_with(cases[i].quirk, false);
        json_decref(ask(p, "crm.deal.list", NULL));
        json_t *answer = ask(p, "crm.deal.list", NULL);
        const json_t *time = json_object_get(answer, "time");
        const double spent = json_number_value(json_object_get(time, "operating"));
        CHECK_EQ(spent > 0, strcmp(cases[i].operating, "0") != 0);
        CHECK_EQ(json_is_string(json_object_get(time, "operating_reset_at")), cases[i].text);
        if (cases[i].text)
            CHECK_HAS(json_string_value(json_object_get(time, "operating_reset_at")), "+03:00");
        json_decref(answer);
        ask_close(p);
    }
}

TEST(a_refusal_may_say_when_to_come_again)
{
    for (int told = 0; told < 2; told++) {
        struct portal_options o = ask_options();
        o.tariff = "1/1";
        o.quirks = told ? quirk_bit("retry-after") : 0;
        struct portal *p = ask_open_with(o);
        for (int i = 0; i < 3; i++) {
            struct portal_answer answer = get(p, "profile", NULL);
            CHECK_EQ(answer.status, i < 2 ? 200 : 503);
            CHECK_STR(answer.headers, i == 2 && told ? "Retry-After: 1\n" : "");
            buf_fini(&answer.body);
        }
        ask_close(p);
    }
}

TEST(a_webhook_may_need_https_and_a_token_does_not)
{
    struct portal *p = open_with("https-required", true);
    struct portal_answer answer = get(p, "profile", NULL);

    answer_has(
        &answer, 400, "json", "{\"error\":\"INVALID_REQUEST\",\"error_description\":\"Https required.\"}");
    buf_fini(&answer.body);
    json_decref(ask_done(ask_app(p, "profile", NULL)));
    p->events.tls = true;
    json_decref(ask_done(ask(p, "profile", NULL)));
    ask_close(p);
}

TEST(a_token_in_a_header_counts_where_it_is_taken)
{
    char header[80];

    for (int taken = 0; taken < 2; taken++) {
        struct portal *p = open_with(taken ? "bearer" : NULL, true);
        snprintf(header, sizeof(header), "bearer %s", ask_token(p));
        struct portal_answer answer = get(p, "profile", header);
        answer_has(&answer, taken ? 200 : 401, "json", taken ? "\"ID\":\"1\"" : "NO_AUTH_FOUND");
        buf_fini(&answer.body);
        answer = get(p, "profile", "Bearer nonsense");
        answer_has(&answer, 401, "json", taken ? "invalid_token" : "NO_AUTH_FOUND");
        buf_fini(&answer.body);
        answer = get(p, "profile", "Basic x");
        answer_has(&answer, 401, "json", "NO_AUTH_FOUND");
        buf_fini(&answer.body);
        ask_close(p);
    }
}

TEST_MAIN(CASE(members_become_elements), CASE(a_suffix_asks_for_xml), CASE(plain_json_says_the_same),
    CASE(operating_seconds_have_three_states), CASE(a_refusal_may_say_when_to_come_again),
    CASE(a_webhook_may_need_https_and_a_token_does_not), CASE(a_token_in_a_header_counts_where_it_is_taken))
