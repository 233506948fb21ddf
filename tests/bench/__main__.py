"""./dev bench [NAME | all] [--quick] [--rounds N] [--json FILE] [--write]: the figures, each against its gate.

Figures are ratios against a limit or a rival of the same run, medians of the rounds. Exit 1 when a gate is missed or a
figure could not be measured. --write (not with --quick) puts the rows into README.md and README.ru.md; those of other benches
stay as they are. `all` leaves out gateway and freshness, which have minutes of their own.
"""
import argparse
import importlib
import sys
import time
import traceback

from bench.figures import APART, BENCHES
from bench.table import Table


def options():
    arguments = argparse.ArgumentParser(prog='./dev bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('bench', nargs='?', default='all', choices=BENCHES + ('all',))
    arguments.add_argument('--quick', action='store_true', help='a tenth of the rows, one round')
    arguments.add_argument('--rounds', type=int, help='rounds of each figure, whose median counts (3; 1 with --quick)')
    arguments.add_argument('--json', metavar='FILE', help='the rows as JSON lines, too')
    arguments.add_argument('--write', action='store_true', help='put the table into the README files')
    given = arguments.parse_args()
    given.rounds = given.rounds or (1 if given.quick else 3)
    if given.write and given.quick:
        arguments.error('--write wants figures of a full run')
    return given


def main():
    given = options()
    benches = tuple(b for b in BENCHES if b not in APART) if given.bench == 'all' else (given.bench,)
    table = Table(given.json)
    for name in benches:
        began = time.monotonic()
        try:
            importlib.import_module('bench.' + name).measure(table, given)
        except Exception:   # the other benches still tell theirs; its figures count as not measured
            traceback.print_exc()
        print('bench: %s took %.0f s' % (name, time.monotonic() - began), file=sys.stderr, flush=True)
    missed, absent = table.missed(benches)
    for what, keys in (('missed its gate', missed), ('was not measured', absent)):
        for key in keys:
            print('bench: %s %s' % (key, what), file=sys.stderr)
    if given.write and not absent:
        table.write()
    return 1 if missed or absent else 0


if __name__ == '__main__':
    sys.exit(main())
