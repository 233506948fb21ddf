/* cut.h - how an id space is cut into ranges and how many pages a range may still need. Pure; any thread. */
#pragma once

#include <stdint.h>

#define CUT_RANGES_MAX   8
#define CUT_RECORDS      (50 * 50) /* what one job can read */
#define CUT_ANSWER_BYTES (6 * 1024 * 1024)

struct cut_range {
    uint64_t first, last; /* inclusive; last RANGE_OPEN = no upper bound */
};

struct cut_bounds { /* what the probe told; most_id 0 = nothing known */
    uint64_t least_id, most_id;
    uint64_t total; /* records: an estimate */
};

/* Ranges over the known ids, touching without gap: the first begins at 1, the last is open. All but the last
 * are as wide as holds a little less than so many whole jobs: a few records too many would cost a call of
 * their own. Returns how many (1..CUT_RANGES_MAX). */
int cut_ranges(const struct cut_bounds *b, struct cut_range ret[CUT_RANGES_MAX]);
/* Records expected in [first, last] at the known density; UINT64_MAX = nothing is known. */
uint64_t cut_estimate(const struct cut_bounds *b, uint64_t first, uint64_t last);
/* Pages to ask for: what the estimate needs, at most what keeps an answer near CUT_ANSWER_BYTES
 * (record_bytes: a record's usual size, 0 = unknown), at most cap (0 = 50). 1..50; with all 50 no command is
 * left to ask where the range ends, so that its end costs another call: not where the end may well be
 * reached. */
uint32_t cut_pages(uint64_t estimate, uint64_t record_bytes, uint32_t cap);
/* Of these pages so many as [first, last] can fill, and the one that shows its end: where a page in the middle is not full,
 * some portals begin the next one with the first record they have, which may be the very one that this range avoids. */
uint32_t cut_pages_within(uint64_t first, uint64_t last, uint32_t pages);
/* Ids to ask for by id in one job, 1..most, by the usual size of a record. */
uint32_t cut_ids(uint64_t record_bytes, uint32_t most);
/* The last id of a left part worth about half of the calls of [first, last], again a little less than whole
 * jobs; 0 = not worth it (two calls or fewer, or nothing is known). */
uint64_t cut_share(const struct cut_bounds *b, uint64_t first, uint64_t last);
/* The last id of the left half of [first, last]; 0 = a single id, or an open range above all
 * known ids: cannot be split. */
uint64_t cut_middle(const struct cut_bounds *b, uint64_t first, uint64_t last);
