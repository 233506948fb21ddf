"""Services that die while the database is away or the disk is full come back, and nobody gives up: it works again by itself."""
import os
import sys
import time
import unittest

from support import truth
from support.harness import ENTITIES, Scenario, wait_for
from support.killing import WARNINGS
from support.postgres import Server
from support.trouble import FullDisks

SIZES = dict(deals=200, contacts=100, companies=40, leads=60)
AWAY_SECONDS = 12       # longer than five quick exits of a service take
DEAD = 'scheduler', 'writer'


class Outage(Scenario):
    def die_meanwhile(self, pipeline):
        """Those that need the database are killed, and again as soon as they are back."""
        until = time.monotonic() + AWAY_SECONDS
        died = {service: pipeline.pid(service) for service in DEAD}
        for service in DEAD:
            pipeline.kill(service)
        while time.monotonic() < until:
            self.assertTrue(pipeline.alive())
            time.sleep(0.2)
        for service in DEAD:
            self.assertNotEqual(died[service], pipeline.pid(service))

    def works(self, pipeline, sandbox):
        def synced():
            self.assertTrue(pipeline.alive())
            return pipeline.potok('sync', '--full', '--wait', timeout=60).returncode == 0
        began = time.monotonic()
        wait_for(synced, 'it works again by itself', 40, 0.5)
        truth.check(self, pipeline, sandbox, ENTITIES)
        print('%s: whole again after %.1f s' % (self.id(), time.monotonic() - began), file=sys.stderr)

    def test_a_full_disk(self):
        sandbox = self.sandbox(**SIZES)
        home = os.path.join(self.folder, 'h')
        pipeline = self.pipeline(sandbox, DONE_DEADLINE='2s')
        pipeline.start(**FullDisks.environment(self.folder, mirror=home + '/potok.db'))
        pipeline.sync()
        pipeline.expect(*WARNINGS, 'rows.failed', 'database.retry', 'database.waiting', 'takeover.failed', 'service.failed')
        disk = FullDisks(1, self.folder, ['mirror'])
        sandbox.post('change?count=60&kind=mix')
        with open(disk.paths[0], 'w') as f:
            f.write('overwriting too')
        self.die_meanwhile(pipeline)
        disk.good()
        self.works(pipeline, sandbox)

    def test_a_server_that_is_away(self):
        server = Server()
        self.addCleanup(server.close)
        server.execute('CREATE DATABASE potok')
        sandbox = self.sandbox(**SIZES)
        pipeline = self.pipeline(sandbox, postgres=(server, 'potok'), DONE_DEADLINE='2s').start()
        pipeline.sync()
        pipeline.expect(*WARNINGS, 'rows.failed', 'database.retry', 'database.waiting', 'takeover.failed', 'service.failed', 'probe.retry')
        sandbox.post('change?count=60&kind=mix')
        server.stop('immediate')
        self.die_meanwhile(pipeline)
        server.start()
        self.works(pipeline, sandbox)


if __name__ == '__main__':
    unittest.main()
