#include "cut.h"

#include "proto/job_kind.h"
#include "proto/msg.h"

#include <stdbool.h>

#define SPARE_RECORDS 500  /* ids are not given out quite evenly */
#define OPEN_STEP     1024 /* ids of the left part when nothing above is known */

/* Ids that hold a little less than so many (at least one) jobs' records. */
static uint64_t width_of_jobs(const struct cut_bounds *b, uint64_t jobs)
{
    uint64_t records = jobs * CUT_RECORDS - PAGE_SIZE_RECORDS; /* the last has a command for its end */
    uint64_t less = records / 50 < SPARE_RECORDS ? records / 50 : SPARE_RECORDS;
    double ids = (double)(records - less) * (double)(b->most_id - b->least_id + 1) / (double)b->total;

    return (uint64_t)ids;
}

int cut_ranges(const struct cut_bounds *b, struct cut_range ret[CUT_RANGES_MAX])
{
    uint64_t width = b->most_id >= b->least_id ? b->most_id - b->least_id + 1 : 0;
    uint64_t want = b->total / CUT_RECORDS / 2, step = 0;
    int n = want < 1 ? 1 : want > CUT_RANGES_MAX ? CUT_RANGES_MAX : (int)want;

    if (b->total > width || b->most_id >= RANGE_OPEN)
        n = 1; /* the count is no count of these ids */
    if (n > 1)
        step = width_of_jobs(b, (b->total / (uint64_t)n + CUT_RECORDS / 2) / CUT_RECORDS);
    for (int i = 0; i < n; i++) {
        ret[i].first = i == 0 ? 1 : ret[i - 1].last + 1;
        ret[i].last = i == n - 1 ? RANGE_OPEN : b->least_id + step * (uint64_t)(i + 1) - 1;
    }
    return n;
}

uint64_t cut_share(const struct cut_bounds *b, uint64_t first, uint64_t last)
{
    uint64_t estimate = cut_estimate(b, first, last);
    uint64_t from = first > b->least_id ? first : b->least_id;

    if (estimate == UINT64_MAX || estimate <= 2 * CUT_RECORDS || b->total > b->most_id - b->least_id + 1)
        return 0;

    uint64_t jobs = (estimate + CUT_RECORDS - 1) / CUT_RECORDS;
    uint64_t middle = from + width_of_jobs(b, jobs / 2) - 1;
    return middle >= first && middle < last ? middle : 0;
}

uint64_t cut_estimate(const struct cut_bounds *b, uint64_t first, uint64_t last)
{
    if (b->most_id == 0 || b->most_id < b->least_id)
        return UINT64_MAX;

    uint64_t from = first > b->least_id ? first : b->least_id;
    uint64_t to = last < b->most_id ? last : b->most_id;
    double density = (double)b->total / (double)(b->most_id - b->least_id + 1);

    return to < from ? 0 : (uint64_t)((double)(to - from + 1) * (density < 1 ? density : 1) + 0.999);
}

uint32_t cut_pages(uint64_t estimate, uint64_t record_bytes, uint32_t cap)
{
    uint64_t pages = BATCH_COMMANDS;
    bool ends = estimate == UINT64_MAX || estimate <= CUT_RECORDS - PAGE_SIZE_RECORDS;
    uint64_t most = cap > 0 && cap < BATCH_COMMANDS ? cap : BATCH_COMMANDS;

    if (estimate < CUT_RECORDS)
        pages = (estimate * 125 + PAGE_SIZE_RECORDS * 100 - 1) / (PAGE_SIZE_RECORDS * 100) + 1;
    if (record_bytes > 0 && CUT_ANSWER_BYTES / (record_bytes * PAGE_SIZE_RECORDS) < most)
        most = CUT_ANSWER_BYTES / (record_bytes * PAGE_SIZE_RECORDS);
    if (pages > most)
        pages = most;
    if (ends && pages == BATCH_COMMANDS)
        pages--;
    return pages < 1 ? 1 : (uint32_t)pages;
}

uint32_t cut_pages_within(uint64_t first, uint64_t last, uint32_t pages)
{
    uint64_t most = last < first ? 1 : (last - first + 1) / PAGE_SIZE_RECORDS + 1;

    return most < pages ? (uint32_t)most : pages;
}

uint32_t cut_ids(uint64_t record_bytes, uint32_t most)
{
    uint64_t n = record_bytes > 0 ? CUT_ANSWER_BYTES / record_bytes : most;

    return n < 1 ? 1 : n > most ? most : (uint32_t)n;
}

uint64_t cut_middle(const struct cut_bounds *b, uint64_t first, uint64_t last)
{
    if (last <= first)
        return 0;
    if (last >= RANGE_OPEN)
        return b->most_id == 0      ? first + OPEN_STEP - 1
               : b->most_id < first ? 0
                                    : first + (b->most_id - first) / 2;
    return first + (last - first) / 2;
}
