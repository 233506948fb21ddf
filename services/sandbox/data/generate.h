/* generate.h - makers of values for the tables of fields: pure functions of record and chance. */
#pragma once

#include "attr.h"

enum comm { COMM_PHONE, COMM_EMAIL, COMM_WEB, COMM_IM, COMM_LINK, COMMS };

/* generate.c: any entity */
attr_make make_id, make_status, make_char, make_integer, make_link, make_user, make_created, make_modified, make_moved,
    make_activity_time, make_constant, make_phrase, make_originator, make_origin, make_utm, make_file;
/* generate_deal.c: money and stages, of leads too */
attr_make make_deal_title, make_category, make_stage, make_stage_semantic, make_stage_new, make_stage_closed,
    make_begin_date, make_close_date, make_currency, make_amount, make_tax, make_lead_title, make_lead_status,
    make_lead_semantic, make_lead_closed, make_revenue;
/* generate_person.c: people, companies, how to reach them */
attr_make make_honorific, make_name, make_second_name, make_last_name, make_birth_date, make_post, make_address,
    make_company_title, make_banking, make_comm, make_has, make_communication_time;
/* generate_text.c: what managers type */
attr_make make_comment;
struct str text_short(const struct record *r, uint64_t h);      /* one line, with the odd sign in it */
struct str text_long(const struct record *r, uint64_t h);       /* BB-code, CRLF, emoji, rarely 60 KB */
/* generate_user.c: user fields by type */
attr_make make_user_field;
