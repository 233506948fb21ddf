"""Told to end, it ends: whatever stands still."""
import signal
import time
import unittest

from support.harness import wait_for
from support.postgres import Server
from support.stopping import Pipe, Stopping


class StopLate(Stopping):
    def test_a_service_that_stands_still_is_killed_and_told(self):
        pipeline = self.pipeline(self.sandbox(), STOP_TIMEOUT='1s').start()
        pipeline.expect('service.killed')
        self.assertTrue(pipeline.kill('mapper', how=signal.SIGSTOP))
        self.assertEqual(0, self.ends(pipeline.up, signal.SIGTERM, 12))
        self.assertEqual(['mapper.1'], [e['details']['instance'] for e in pipeline.log() if e['event'] == 'service.killed'])
        self.assertIn('mapper.1: did not end in time and was killed', pipeline.printed())

    def test_a_database_that_falls_silent(self):
        server = Server()
        self.addCleanup(server.close)
        server.execute('CREATE DATABASE potok')
        way = Pipe(server.port)
        self.addCleanup(way.close)
        url = server.url('potok').replace(':%d/' % server.port, ':%d/' % way.address)
        pipeline = self.pipeline(self.sandbox(), DATABASE_URL=url).start()
        pipeline.expect('service.stop_forced', 'database.retry', 'job.retry', 'job.given_up')
        pipeline.sync('leads')
        way.frozen = True
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 1.5, 'the scheduler asks it for something')
        self.assertEqual(0, self.ends(pipeline.up, signal.SIGTERM, 8))
        self.assertEqual([], [e for e in pipeline.log() if e['event'] == 'service.killed'])

if __name__ == '__main__':
    unittest.main()
