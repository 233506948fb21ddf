#include "services/sandbox/methods/params.h"
#include "services/sandbox/methods/multipart.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

static void check_query(const char *query, const char *want)
{
    json_t *params = json_object();

    params_add_query(params, str_of(query));
    char *got = json_dumps(params, JSON_COMPACT);
    CHECK_STR(got, want);
    free(got);
    json_decref(params);
}

TEST(queries_become_trees_as_php_makes_them)
{
    static const struct {
        const char *query, *want;
    } cases[] = {
        { "", "{}" },
        { "a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}" },
        { "a", "{\"a\":\"\"}" },
        { "a=1&a=2", "{\"a\":\"2\"}" },
        { "filter[>ID]=100", "{\"filter\":{\">ID\":\"100\"}}" },
        { "filter%5B%3EID%5D=100", "{\"filter\":{\">ID\":\"100\"}}" },
        { "FILTER[%3E%3DPRICE]=15", "{\"FILTER\":{\">=PRICE\":\"15\"}}" },
        { "select[]=ID&select[]=NAME", "{\"select\":{\"0\":\"ID\",\"1\":\"NAME\"}}" },
        { "select[0]=ID&select[1]=NAME", "{\"select\":{\"0\":\"ID\",\"1\":\"NAME\"}}" },
        { "f[PHONE][0][VALUE]=1&f[PHONE][0][VALUE_TYPE]=WORK",
            "{\"f\":{\"PHONE\":{\"0\":{\"VALUE\":\"1\",\"VALUE_TYPE\":\"WORK\"}}}}" },
        { "filter[@ID][]=1&filter[@ID][]=2", "{\"filter\":{\"@ID\":{\"0\":\"1\",\"1\":\"2\"}}}" },
        { "a=x+y%20z", "{\"a\":\"x y z\"}" },
        { "a=100%&b=%zz", "{\"a\":\"100%\",\"b\":\"%zz\"}" },
        { "a=b=c", "{\"a\":\"b=c\"}" },
        { "a.b=1&c d=2", "{\"a_b\":\"1\",\"c_d\":\"2\"}" },
        { "a[b=1", "{\"a_b\":\"1\"}" },
        { "a=1&a[b]=2", "{\"a\":{\"b\":\"2\"}}" },
        { "&&a=1&", "{\"a\":\"1\"}" },
        { "[x]=1&=2", "{}" },
        { "a[x]junk[y]=1", "{\"a\":{\"x\":\"1\"}}" },
        { "cmd[p]=crm.deal.list%3Ffilter%255B%253EID%255D%3D5",
            "{\"cmd\":{\"p\":\"crm.deal.list?filter%5B%3EID%5D=5\"}}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_query(cases[i].query, cases[i].want);
}

TEST(nesting_beyond_the_limit_is_left_out)
{
    char query[PARAMS_DEPTH_MAX * 3 + 64] = "a";
    json_t *params = json_object();

    for (int i = 0; i < PARAMS_DEPTH_MAX + 5; i++)
        strcat(query, "[b]");
    strcat(query, "=1&ok=2");
    params_add_query(params, str_of(query));
    CHECK_STR(json_string_value(params_get(params, "ok")), "2");
    json_decref(params);
}

TEST(query_and_json_body_are_merged_and_names_have_no_case)
{
    json_t *params = json_object();

    params_add_query(params, STR("bx24_request_id=1&START=-1"));
    CHECK(params_add_json(params, STR("{\"FILTER\":{\">ID\":5},\"start\":0}")));
    CHECK_EQ(params_int(params_get(params, "start")), 0);
    CHECK(params_is_array(params_get(params, "filter")));
    CHECK(!params_add_json(params, STR("{\"a\":")));
    CHECK(!params_add_json(params, STR("")));
    json_decref(params);
}

TEST(numbers_are_read_as_intval_does)
{
    static const struct {
        const char *json;
        int64_t want;
    } cases[] = { { "\"12abc\"", 12 }, { "\"$result[a][49][ID]\"", 0 }, { "\"\"", 0 }, { "7", 7 },
        { "true", 1 }, { "null", 0 }, { "\"-3\"", -3 }, { "\"99999999999999999999\"", INT64_MAX },
        { "1.9", 1 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *v = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        CHECK_EQ(params_int(v), cases[i].want);
        json_decref(v);
    }
}

TEST(arrays_and_objects_are_walked_alike)
{
    json_t *v = json_loads("[\"a\",\"b\"]", 0, NULL), *item;
    struct params_walk walk = { .of = v };
    const char *key;

    CHECK(params_next(&walk, &key, &item));
    CHECK_STR(key, "0");
    CHECK(params_next(&walk, &key, &item));
    CHECK_STR(json_string_value(item), "b");
    CHECK(!params_next(&walk, &key, &item));
    json_decref(v);
}

#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\""

TEST(forms_of_several_parts_are_pairs_too)
{
    static const struct {
        const char *type, *body, *want; /* NULL: refused */
    } cases[] = {
        { "multipart/form-data; boundary=b",
            PART("a") "\r\n\r\n1+%20\r\n" PART("f[x][]") "\r\n\r\n\r\n--b--\r\n",
            "{\"a\":\"1+%20\",\"f\":{\"x\":{\"0\":\"\"}}}" },
        { "multipart/form-data; boundary=\"b\"; charset=utf-8",
            PART("a") "\r\nContent-Type: text/plain\r\n\r\nx\r\ny--b\r\n--b--", "{\"a\":\"x\\r\\ny--b\"}" },
        { "multipart/form-data; boundary=b", PART("a") "; filename=\"x\"\r\n\r\nbytes\r\n--b--", "{}" },
        { "multipart/form-data; boundary=b", PART("a") "\r\n\r\nnever ends", NULL },
        { "multipart/form-data; boundary=b", PART("a"), NULL },
        { "multipart/form-data; boundary=b", "", NULL },
        { "multipart/form-data; boundary=", PART("a") "\r\n\r\n1\r\n--b--", NULL },
        { "multipart/form-data", PART("a") "\r\n\r\n1\r\n--b--", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *params = json_object();
        CHECK_EQ(multipart_add(params, cases[i].type, str_of(cases[i].body)), cases[i].want != NULL);
        char *got = json_dumps(params, JSON_COMPACT);
        CHECK_STR(cases[i].want ? got : "", cases[i].want ? cases[i].want : "");
        free(got);
        json_decref(params);
    }
}

TEST_MAIN(CASE(forms_of_several_parts_are_pairs_too), CASE(queries_become_trees_as_php_makes_them),
    CASE(nesting_beyond_the_limit_is_left_out), CASE(query_and_json_body_are_merged_and_names_have_no_case),
    CASE(numbers_are_read_as_intval_does), CASE(arrays_and_objects_are_walked_alike))
