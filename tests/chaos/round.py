"""A scenario of chaos: rounds of kills and other troubles, each with the oracle's verdict."""
import json
import os
import signal
import time
import unittest

from support.harness import Scenario, free_port
from support.postgres import Server
from support.realtime import Mirror

ROUND = 25          # kills between two verdicts
SIZES = dict(deals=3000, contacts=1500, companies=500, leads=1000)
ALARM = 'alarm.raised'       # what goes wrong here long enough is told, rightly
PG_GONE = 'rows.failed', 'database.waiting'     # what a server that goes away may say besides


STRIKES = 'SIGKILL', 'SIGTERM', 'SIGSTOP'    # what a service is struck with; all else in a verdict are faults


class Chaos(Scenario):
    """One scenario. `name`, `about` and `databases` are its line in the table, `warnings` what it may say besides what every
    storm may; `kills` and `database` are set before it runs."""
    name = about = ''
    databases = 'sqlite', 'postgresql'
    warnings = ()
    kills, database, server, short = ROUND, 'sqlite', None, False
    number, ended = 0, False

    def runTest(self):
        self.done, self.struck, self.last = 0, {}, ''
        signal.signal(signal.SIGALRM, self.too_long)
        signal.signal(signal.SIGTERM, self.told)
        signal.alarm(240 + 15 * self.kills)
        try:
            self.scenario()
        finally:
            signal.alarm(0)

    def too_long(self, *_):
        raise AssertionError('%s did not end by itself' % self.name)

    def told(self, *_):
        Chaos.ended = True
        raise AssertionError('%s was told to end' % self.name)

    def id(self):
        return 'chaos.%s.%s' % (self.name, self.database)

    def scenario(self):
        raise NotImplementedError

    # ---- what scenarios use ----

    def rounds(self):
        """How many kills each round has, all together `kills`."""
        return [min(ROUND, self.kills - done) for done in range(0, self.kills, ROUND)]

    def postgres(self):
        """(server, database) where the mirror is to be, or None."""
        if self.database == 'sqlite':
            return None
        if Chaos.server is None:
            Chaos.server = Server()
        Chaos.number += 1
        name = 'chaos%d' % Chaos.number
        Chaos.server.execute('CREATE DATABASE %s' % name)
        return Chaos.server, name

    def mirror(self, **more):
        sizes = {kind: n // 8 for kind, n in SIZES.items()} if self.short else SIZES
        mirror = Mirror(self, free_port(), sizes=sizes, postgres=self.postgres(), **more)
        mirror.pipeline.expect(ALARM, *self.warnings)
        return mirror

    def verdict(self, struck, verdict):
        """A round is over, and the oracle found no difference."""
        self.done += 1
        for kind, count in struck.items():
            self.struck[kind] = self.struck.get(kind, 0) + count
        self.last = verdict
        print('%s %s on %s, round %d: %s, %s' % (time.strftime('%H:%M:%S'), self.name, self.database, self.done,
                                                 json.dumps(struck), verdict), flush=True)

    # ---- its line in the summary ----

    def strikes(self):
        """How many of each kind, in the order of STRIKES."""
        return [self.struck.get(how, 0) for how in STRIKES]

    def faults(self):
        return ', '.join('%s %d' % pair for pair in sorted(self.struck.items()) if pair[0] not in STRIKES)


def close():
    if Chaos.server:
        Chaos.server.close()


def run(cls, database, kills, seed, short=False):
    """The scenario as it ended, its unittest result, and the seconds it took."""
    scenario = cls()
    scenario.database, scenario.kills, scenario.short = database, kills, short
    before = os.environ.get('SEED')
    if seed:
        os.environ['SEED'] = str(seed)
    began, result = time.monotonic(), unittest.TestResult()
    try:
        scenario.run(result)
    finally:
        if seed and before is None:
            del os.environ['SEED']
    return scenario, result, time.monotonic() - began
