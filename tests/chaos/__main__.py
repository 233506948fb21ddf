"""Services are killed and stopped at random while other things go wrong; exact at the end, or exit 1."""
import argparse
import sys
import time

from chaos.bus import Bus
from chaos.clock import Clock
from chaos.database import Database
from chaos.disk import Disk
from chaos.events import Events, Lag, Lost
from chaos.portal import Portal
from chaos.power import Power
from chaos.round import STRIKES, Chaos, close, run
from chaos.schedulers import Schedulers
from chaos.several import Several
from chaos.syncs import Syncs
from support.postgres import programs

SCENARIOS = Syncs, Events, Lag, Lost, Bus, Schedulers, Several, Database, Disk, Clock, Portal, Power
DATABASES = {'sqlite': ('sqlite',), 'postgresql': ('postgresql',), 'both': ('sqlite', 'postgresql')}
KILLS, LONG = 200, 1010     # --long: 1,000 at least, and power is cut in whole rounds only


def arguments():
    about = '\n'.join('  %-10s %s' % (s.name, s.about) for s in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog='./dev chaos', formatter_class=argparse.RawDescriptionHelpFormatter,
        description='%s\n\n%s\n\nEvery scenario ends by itself: the last kill, rest, the oracle\'s verdict.' % (__doc__, about))
    parser.add_argument('names', nargs='*', metavar='NAME', help='default: all')
    parser.add_argument('--kills', type=int, help='strikes of all scenarios together (%d): SIGKILL, SIGTERM, SIGSTOP' % KILLS)
    parser.add_argument('--long', action='store_true', help='%d kills, on both databases' % LONG)
    parser.add_argument('--database', choices=sorted(DATABASES), help='sqlite unless --long')
    parser.add_argument('--short', action='store_true', help='small portals')
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args()
    unknown = set(given.names) - {s.name for s in SCENARIOS} - {'all'}
    if unknown:
        parser.error('no such scenario: %s' % ' '.join(sorted(unknown)))
    return given


def chosen(given):
    """[(scenario, database)] in their order."""
    databases = DATABASES[given.database or ('both' if given.long else 'sqlite')]
    wanted = [s for s in SCENARIOS if not given.names or 'all' in given.names or s.name in given.names]
    return [(s, d) for s in wanted for d in databases if d in s.databases]


def shares(total, parts):
    """Kills of each, all together the total."""
    return [total // parts + (n < total % parts) for n in range(parts)]


def line(*cells):
    return '%-10s %-10s %6s %7s %7s %7s %7s %-28s %11s %8s %7s' % cells


HEAD = line('scenario', 'database', 'rounds', 'strikes', *STRIKES, 'faults', 'differences', 'seed', 'seconds')


def line_of(done, bad, seconds):
    return line(done.name, done.database, done.done, sum(done.strikes()), *done.strikes(), done.faults(), 'FAILED' if bad else 0,
                done.seed, '%.0f' % seconds)


def in_all(struck):
    """"12 strikes (SIGKILL 7, SIGTERM 3, SIGSTOP 2)" of the scenarios' strikes."""
    kinds = [sum(kind) for kind in zip(*struck)] or [0] * len(STRIKES)
    return '%d strikes (%s)' % (sum(kinds), ', '.join('%s %d' % pair for pair in zip(STRIKES, kinds)))


def main():
    given = arguments()
    plan = chosen(given)
    if any(d == 'postgresql' for _, d in plan):
        programs()      # says what is missing before anything is begun
    kills = given.kills or (LONG if given.long else KILLS)
    began, lines, failures, struck = time.monotonic(), [], [], []
    try:
        for (scenario, database), share in zip(plan, shares(kills, len(plan))):
            if share == 0 or Chaos.ended:
                continue
            done, result, seconds = run(scenario, database, share, given.seed, given.short)
            bad = [text for _, text in result.failures + result.errors]
            failures += [(done, text) for text in bad]
            struck.append(done.strikes())
            lines.append(line_of(done, bad, seconds))
            for text in bad:
                print(text, flush=True)
    finally:
        close()
    print('\n' + HEAD)
    print('\n'.join(lines))
    print('%s in %.0f s, %s' % (in_all(struck), time.monotonic() - began, '%d of %d scenarios failed' % (
        len({id(done) for done, _ in failures}), len(lines)) if failures else 'no difference'))
    for done, text in failures:
        print('\n%s on %s: again with ./dev chaos %s --database %s --kills %d --seed %d\n%s' % (
            done.name, done.database, done.name, done.database, done.kills, done.seed, text.strip().split('\n')[-1][:500]))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
