/* writer_check.h - does a table hold exactly the data? Against a table that no code of Potok wrote: PostgreSQL's own COPY
 * of the texts, SQLite's plain INSERT. Errors: ERR_BUG and the engine's words. One thread. */
#pragma once

#include "bench/writer_data.h"

#define CHECK_SIZE 64

/* The fingerprint of rows 0..rows-1 as the server prints them, from a table `truth` that is made for it. */
int check_truth(const char *url, struct data *d, uint64_t rows, int version, char ret[CHECK_SIZE], struct err *err) MUST_CHECK;
/* The same of a table that is there. */
int check_print(const char *url, const struct data *d, const char *table, char ret[CHECK_SIZE], struct err *err) MUST_CHECK;
/* SQLite: ERR_BUG when live crm_deals of one file and bare of the other differ. */
int check_files(const char *mirror, const char *bare, const struct data *d, struct err *err) MUST_CHECK;
