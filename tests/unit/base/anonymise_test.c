#include "base/anonymise.h"

#include "base/mem.h"
#include "support/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t key[32] = "a key of the test";

static char *turned_by(const uint8_t with[static 32], const char *text, enum anon_rule of_result)
{
    struct anonymise a;
    struct err err;
    struct buf out;

    anonymise_keyed(&a, with);
    anonymise_field(&a, STR("UF_CRM_LIST"), STR("enumeration"));
    anonymise_field(&a, STR("UF_CRM_LINK"), STR("crm"));
    anonymise_field(&a, STR("UF_CRM_TEXT"), STR("string"));
    buf_init(&out, 1 << 20);
    CHECK_OK(anonymise_json(&a, str_of(text), of_result, &out, &err), err);
    char *ret = xstrdup(buf_cstr(&out));
    buf_fini(&out);
    anonymise_fini(&a);
    return ret;
}

static char *turned(const char *text)
{
    return turned_by(key, text, ANON_TEXT);
}

/* Letters of ASCII and their case, digits, everything else as it is; signs beyond ASCII as "?". */
static void shape(const char *text, char *ret)
{
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        *ret++ = (char)(isupper(c) ? 'A' : islower(c) ? 'a' : isdigit(c) ? '9' : c >= 0x80 ? '?' : c);
    }
    *ret = '\0';
}

TEST(what_is_structure_stays_to_the_byte)
{
    static const char *const texts[] = {
        "{}",
        "{\"result\":[],\"total\":0,\"next\":50,\"time\":{\"start\":1778747192.91,\"finish\":1778747193,"
        "\"duration\":0.62,\"processing\":0,\"date_start\":\"2026-05-14T10:26:32+02:00\",\"operating\":0.0}}",
        " {\"result\" : [ "
        "{\"ID\":\"17\",\"STAGE_ID\":\"C1:NEW\",\"COMPANY_ID\":null,\"CONTACT_ID\":\"0\",\"OPENED\":"
        "\"Y\",\"IS_NEW\":true,\"COMMENTS\":\"\",\"OPPORTUNITY\":\"0.00\",\"CURRENCY_ID\":\"RUB\",\"X\":[]} "
        "] }\n",
        "{\"result\":[{\"UF_CRM_LIST\":[\"45\",57],\"UF_CRM_LINK\":\"CO_12\",\"UF_CRM_FLAG\":\"1\"}]}",
        "{\"error\":\"\",\"error_description\":\"Not found.\"}",
        "{\"error\":\"INVALID_CREDENTIALS\",\"error_description\":\"Invalid request credentials\"}",
        "{\"error\":0,\"error_description\":\"Доступ запрещён\"}",
        "{\"result\":{\"result\":[],\"result_total\":{\"p00\":812},\"result_next\":{\"p00\":50},\"result_"
        "time\":"
        "{\"p00\":{\"start\":17.5,\"date_finish\":\"2026-05-14T10:26:32+02:00\",\"operating\":3.25}}}}",
        "{\"result\":{\"STAGE_ID\":{\"type\":\"crm_status\",\"isRequired\":false,\"title\":\"Стадия\","
        "\"statusType\":"
        "\"DEAL_STAGE\"}}}",
        "{\"result\":[{\"PHONE\":[{\"ID\":\"8\",\"VALUE_TYPE\":\"WORK\",\"TYPE_ID\":\"PHONE\"}],\"PARENT_ID_"
        "31\":7}]}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *out = turned(texts[i]);
        CHECK_STR(texts[i], out);
        free(out);
    }
}

TEST(what_is_personal_keeps_its_shape_and_nothing_else)
{
    static const char *const texts[] = {
        "{\"TITLE\":\"Big order, Smith\"}",
        "{\"NAME\":\"Smith\",\"BIRTHDATE\":\"soon enough\"}",
        "{\"PHONE\":[{\"VALUE\":\"+7 (900) 123-45-67\"}]}",
        "{\"EMAIL\":[{\"VALUE\":\"john.smith@example.com\"}]}",
        "{\"OPPORTUNITY\":\"9875421.34\"}",
        "{\"OPPORTUNITY\":-9875421.34}",
        "{\"REVENUE\":7.25E+11}",
        "{\"somethingNew\":\"nobody thought of it\"}",
        "{\"title\":\"Order of Smith\"}",
        "{\"error_description\":\"Smith is not allowed\"}",
        "{\"UF_CRM_LIST\":\"a free text\"}",
        "{\"UF_CRM_9\":\"5612478\"}",
        "{\"ID\":\"no id at all\"}",
        "{\"STAGE_ID\":\"two words\"}",
        "{\"result\":\"plain words\"}",
        "{\"result\":{\"UF_CRM_9\":{\"listLabel\":\"Passport of the client\",\"title\":\"Private\"}}}",
        "{\"result\":{\"time\":{\"note\":\"seen by Smith\"}}}",
        "[\"words\",[\"more words\"]]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *out = turned(texts[i]), was[400], is[400];
        shape(texts[i], was);
        shape(out, is);
        CHECK_STR(was, is);
        for (const char *part =
                 "Smith\0Big\0order\0987\0john\0example.com\0nobody\0allowed\0passport\0words\0seen\0";
             *part != '\0'; part += strlen(part) + 1)
            CHECK(strstr(out, part) == NULL);
        free(out);
    }
}

TEST(letters_are_replaced_by_letters_of_their_alphabet_and_case)
{
    char *out = turned("\"Ёж Привет İü 中文 한 😀 №5\"");
    struct str left = { out + 1, strlen(out) - 2 };

    CHECK_EQ(strlen("Ёж Привет İü 中文 한 😀 №5"), left.n);
    CHECK(strstr(out, "Привет") == NULL && strstr(out, "中") == NULL && strstr(out, "한") == NULL);
    CHECK(strstr(out, " 😀 №") != NULL);
    CHECK((unsigned char)out[1] == 0xD0 && (unsigned char)out[2] >= 0x90 && (unsigned char)out[2] <= 0xAF);
    free(out);
}

TEST(escapes_stay_escapes_of_the_same_kind)
{
    char *out = turned("{\"TITLE\":\"\\u0418\\u0432\\u0430\\u043D \\/ \\\"x\\\" "
                       "\\u003Cb\\u003E\\r\\n\\ud83d\\ude00 \\ud83d\"}");

    CHECK_HAS(out, "{\"TITLE\":\"\\u04");
    CHECK_HAS(out, " \\/ \\\"");
    CHECK_HAS(out, "\\\" \\u003Cb\\u003E\\r\\n\\ud83d\\ude00 \\ud83d\"}");
    CHECK(strstr(out, "0418") == NULL);
    free(out);
}

TEST(markup_stays_and_what_it_encloses_does_not)
{
    char *out = turned(
        "\"<p class=\\\"warm\\\">Smith &amp; Co<br /></p> [b]Smith[/b] https://smith.example/x?auth=77abc "
        "mailto:smith <smith> &smith;\"");

    CHECK_HAS(out, "\"<p class=\\\"");
    CHECK_HAS(out, " &amp; ");
    CHECK_HAS(out, "<br /></p> [b]");
    CHECK_HAS(out, "[/b] https://");
    CHECK_HAS(out, " mailto:");
    CHECK(strstr(out, "mith") == NULL && strstr(out, "warm") == NULL && strstr(out, "77abc") == NULL);
    free(out);
}

TEST(amounts_keep_what_matters_to_a_reader_of_numbers)
{
    static const struct {
        const char *text, *head, *tail;
    } cases[] = {
        { "\"1200.50|RUB\"", "\"", "0|RUB\"" },
        { "\"500.00\"", "\"", ".00\"" },
        { "\"0.07\"", "\"0.0", "\"" },
        { "\"-3\"", "\"-", "\"" },
        { "\"9223372036854775807\"", "\"", "\"" },
        { "1.50", "", "0" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *out = turned(cases[i].text);
        CHECK_EQ(strlen(cases[i].text), strlen(out));
        CHECK(strcmp(cases[i].text, out) != 0);
        CHECK(strncmp(out, cases[i].head, strlen(cases[i].head)) == 0);
        CHECK_STR(cases[i].tail, out + strlen(out) - strlen(cases[i].tail));
        free(out);
    }
    char *out = turned("9223372036854775807");
    CHECK(strtoull(out, NULL, 10) < 9223372036854775807ULL && strlen(out) == 19);
    free(out);
}

TEST(dates_of_standard_fields_move_together_and_others_alone)
{
    char *out =
        turned("[{\"DATE_CREATE\":\"2024-08-30T14:29:00+03:00\",\"CLOSEDATE\":\"2024-08-31\",\"BIRTHDATE\":"
               "\"1980-02-29T03:00:00+03:00\",\"TIMESTAMP_X\":\"24.08.2023 13:19:39\",\"MOVED_TIME\":"
               "\"0000-00-00 00:00:00\",\"UF_CRM_9\":\"0001-01-01\",\"BEGINDATE\":\"2024-13-45\"}]");
    int year, month, day, year2, month2, day2;

    CHECK(strstr(out, "2024-08-30") == NULL && strstr(out, "1980-02-29") == NULL &&
          strstr(out, "24.08.2023") == NULL);
    CHECK_EQ(3, sscanf(strstr(out, "DATE_CREATE") + 14, "%d-%d-%d", &year, &month, &day));
    CHECK_EQ(3, sscanf(strstr(out, "CLOSEDATE") + 12, "%d-%d-%d", &year2, &month2, &day2));
    CHECK(year2 >= 2023 && (day2 == day + 1 || day2 == 1));
    CHECK_HAS(out, "T14:29:00+03:00\"");
    CHECK_HAS(out, "T03:00:00+03:00\"");
    CHECK_HAS(out, " 13:19:39\"");
    CHECK_HAS(out, "\"0000-00-00 00:00:00\"");
    free(out);
}

TEST(the_same_value_gets_the_same_replacement_however_it_is_written)
{
    char *out = turned(
        "[\"Иванов\",\"\\u0418\\u0432\\u0430\\u043d\\u043e\\u0432\",{\"NAME\":\"Иванов\"},5125,\"5125\"]");
    char *other = turned("[\"Иванов\"]");
    char first[13] = { 0 };

    memcpy(first, out + 2, 12);
    CHECK_HAS(strstr(out, "NAME"), first);
    CHECK_HAS(other, first);
    const char *number = strchr(out, '}') + 2;
    CHECK(strncmp(number, number + 6, 4) == 0);
    char *by_other_key =
        turned_by((const uint8_t *)"another key of 32 bytes, as it is", "[\"Иванов\"]", ANON_TEXT);
    CHECK(strstr(by_other_key, first) == NULL);
    free(out);
    free(other);
    free(by_other_key);
}

TEST(names_of_members_stay_unless_they_are_no_names)
{
    char *out =
        turned("{\"UF_CRM_1\":{\"12\":null,\"79001234567\":null,\"john@smith.example\":null,\"\":null}}");

    CHECK_HAS(out, "{\"UF_CRM_1\":{\"12\":null,\"");
    CHECK_HAS(out, "\"\":null}}");
    CHECK(strstr(out, "7900") == NULL && strstr(out, "smith") == NULL);
    free(out);
}

TEST(a_plain_result_stays_where_the_caller_says_what_it_is)
{
    char *out = turned_by(key, "{\"result\":[\"crm.deal.list\",\"two words\"]}", ANON_CODE);
    CHECK_HAS(out, "[\"crm.deal.list\",\"");
    CHECK(strstr(out, "words") == NULL);
    free(out);
    out = turned_by(key, "{\"result\":\"2026-05-14T10:26:32+02:00\"}", ANON_TIME);
    CHECK_HAS(out, "2026-05-14T10:26:32+02:00");
    free(out);
}

TEST(what_is_no_json_is_told_and_leaves_nothing_behind)
{
    struct anonymise a;
    struct err err;
    struct buf out;

    anonymise_keyed(&a, key);
    buf_init(&out, 100);
    buf_str(&out, "x");
    CHECK_EQ(-1, anonymise_json(&a, STR("{\"a\":\"b\""), ANON_TEXT, &out, &err));
    CHECK_EQ(1, out.n);
    anonymise_text(&a, STR("<html><body>Smith\xCF\xF0</body></html>"), &out);
    CHECK_HAS(buf_cstr(&out), "x<html><body>");
    CHECK_HAS(buf_cstr(&out), "\xFF\xFF</body></html>");
    CHECK(strstr(buf_cstr(&out), "Smith") == NULL);
    buf_fini(&out);
    anonymise_fini(&a);
}

TEST_MAIN(CASE(what_is_structure_stays_to_the_byte), CASE(what_is_personal_keeps_its_shape_and_nothing_else),
    CASE(letters_are_replaced_by_letters_of_their_alphabet_and_case),
    CASE(escapes_stay_escapes_of_the_same_kind), CASE(markup_stays_and_what_it_encloses_does_not),
    CASE(amounts_keep_what_matters_to_a_reader_of_numbers),
    CASE(dates_of_standard_fields_move_together_and_others_alone),
    CASE(the_same_value_gets_the_same_replacement_however_it_is_written),
    CASE(names_of_members_stay_unless_they_are_no_names),
    CASE(a_plain_result_stays_where_the_caller_says_what_it_is),
    CASE(what_is_no_json_is_told_and_leaves_nothing_behind))
