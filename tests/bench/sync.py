"""Full syncs under the portal's limits.

Requests (2 a second, burst 50; with --quick 5 a second). The fewest possible: one to learn fields, bounds and count, then
2,500 records each, which is all that a portal puts into a batch. Time is held against what the limit allows for the
requests that were made: the first `burst` at once, the others at its rate. More requests than needed are the first
figure's matter, not counted twice.

Operating seconds (480 in a window, as portals have; a job costs about 20 of them, which is a page in 0.4 s). What was
used becomes free a whole window later, so by the time of k windows at most (k + 1) * 480 can have been used; that is the
least time held against (the rows are such that only nearly full windows do). A window is 40 s here and ten minutes at a portal. What is lost in each window is the same here as
there, two seconds at most (the portal tells whole ones, and we look a second later): a share 15 times as large as there.

Rounds wait most of their time; those of operating seconds run side by side.
"""
import concurrent.futures
import math
import statistics

from bench import system

ROWS = 300000
OPERATING_ROWS, OPERATING_LIMIT, OPERATING_WINDOW, OPERATING_COST = 220000, 480, 40, 12


def fewest(rows):
    return 1 + math.ceil(rows / 2500)


def under_the_limit(rate, burst):
    with system.folder() as path, system.sandbox(path, deals=ROWS, tariff='%d/%d' % (rate, burst)) as portal, \
            system.pipeline(path, portal, BITRIX_TARIFF='%d/%d' % (rate, burst), OPERATING_LIMIT_SECONDS=0) as running:
        seconds = system.timed_sync(running, 'deals')
        stats = portal.stats()
        copied = int(running.query('SELECT count(*) AS n FROM crm_deals WHERE _deleted_at IS NULL')[0]['n'])
    if copied != ROWS:
        raise RuntimeError('%d of %d deals arrived' % (copied, ROWS))
    return {'requests': stats['requests'], 'seconds': seconds, 'allowed': (stats['requests'] - burst) / rate,
            'refused': stats['refused_503']}


def under_operating_seconds(rows):
    with system.folder() as path, \
            system.sandbox(path, '--operating-limit', str(OPERATING_LIMIT), '--operating-window', str(OPERATING_WINDOW),
                           '--operating-cost', str(OPERATING_COST), deals=rows, tariff='off') as portal, \
            system.pipeline(path, portal, **dict(system.UNLIMITED, OPERATING_LIMIT_SECONDS=OPERATING_LIMIT)) as running:
        seconds = system.timed_sync(running, 'deals')
        stats = portal.stats()
    used = stats['by_method']['crm.deal.list']['operating_s']
    return {'used': used, 'seconds': seconds, 'allowed': (math.ceil(used / OPERATING_LIMIT) - 1) * OPERATING_WINDOW,
            'refused': stats['refused_429']}


def median(rounds, value):
    return statistics.median(value(r) for r in rounds)


def measure(table, options):
    rate = 5 if options.quick else 2
    rounds = [under_the_limit(rate, 50) for _ in range(options.rounds)]
    least = fewest(ROWS)
    table.row('sync.requests', [median(rounds, lambda r: r['requests']), ROWS],
              [median(rounds, lambda r: r['requests'] / least), least])
    table.row('sync.time', median(rounds, lambda r: r['seconds']),
              [median(rounds, lambda r: r['seconds'] / r['allowed']), median(rounds, lambda r: r['allowed'])])
    table.row('sync.refused', sum(r['refused'] for r in rounds))

    rows = OPERATING_ROWS // 2 if options.quick else OPERATING_ROWS
    with concurrent.futures.ThreadPoolExecutor(options.rounds) as pool:
        rounds = list(pool.map(under_operating_seconds, [rows] * options.rounds))
    table.row('sync.operating', [median(rounds, lambda r: r['seconds']), median(rounds, lambda r: r['used'])],
              [median(rounds, lambda r: r['seconds'] / r['allowed']), median(rounds, lambda r: r['allowed'])])
    table.row('sync.operating_refused', sum(r['refused'] for r in rounds))
