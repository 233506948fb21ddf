/* clock.h - the two clocks, never mixed. Tests move them: POTOK_CLOCK_OFFSET_MS shifts the wall clock of a
 * process; clock_set() fixes both in unit tests. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);   /* since some start; for deadlines */
uint64_t clock_wall_ms(void);   /* Unix time; for people and for what outlives the process */
void clock_set(uint64_t mono_ms, uint64_t wall_ms);     /* tests: both stand still from here on; 0,0 = real again */

#define CLOCK_ISO_SIZE 25       /* "2026-11-21T02:37:00.123Z" */
void clock_iso(uint64_t wall_ms, char ret[static CLOCK_ISO_SIZE]);
/* Local-independent calendar: days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t clock_days(int year, unsigned month, unsigned day);
void clock_date(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day);
/* "2024-08-30T14:29:00+02:00" (offset or Z required; fraction allowed, cut to ms; years 0001..9999 also in UTC; no
 * leap seconds) to Unix ms and the offset in minutes (NULL allowed). false if it is not one. */
bool clock_parse_iso(const char *p, size_t n, int64_t *ret_ms, int *ret_offset_min);
