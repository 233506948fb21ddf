/* anonymise_date.h - the forms in which portals write days: 2024-08-30, with T or a blank and a time behind
 * it, and 30.08.2024 likewise. For anonymise.c only. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* ret_days as clock_days(). False: no such form, or no day of the calendar. */
bool anon_date_parse(const char *text, int64_t *ret_days);
/* The same form with another day; days that leave the years 1..9999 turn back into them. */
void anon_date_set(char *text, int64_t days);
