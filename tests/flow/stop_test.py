"""Told to end, it ends: at any moment."""
import os
import signal
import socket
import time
import unittest

from support.harness import ALL_SERVICES, wait_for
from support.stopping import SOON_SECONDS, Stopping

EARLY = 10              # stops at random moments of a start


class Stop(Stopping):
    def test_at_any_moment_of_a_start(self):
        pipeline = self.pipeline(self.sandbox())
        for i in range(EARLY):
            once, how = ['--once'] * (i % 2), self.random.choice((signal.SIGTERM, signal.SIGINT))
            up = self.begin(pipeline, *once)
            time.sleep(self.random.uniform(0, 0.4))
            self.ends(up, how)
            self.assertEqual([], [s for s in ALL_SERVICES if self.lives(pipeline.pid(s))])

    def test_while_it_waits_for_a_database(self):
        with socket.create_server(('127.0.0.1', 0), backlog=64) as silent:
            pipeline = self.pipeline(self.sandbox())
            for how in signal.SIGTERM, signal.SIGINT:
                up = self.begin(pipeline, DATABASE_URL='postgresql://127.0.0.1:%d/x' % silent.getsockname()[1])
                silent.accept()[0].close()      # it is at it; refused, it tries again
                kept = silent.accept()[0]
                self.assertEqual(128 + how, self.ends(up, how))
                kept.close()

    def test_rows_that_no_writer_takes_do_not_keep_the_mapper(self):
        pipeline = self.pipeline(self.sandbox(deals=8000), DONE_DEADLINE='2s', ALARM_AFTER='10m').start()
        pipeline.expect('service.died', 'job.given_up', 'job.retry', 'bus.peer_lost')
        writer, mapper = pipeline.pid('writer'), pipeline.pid('mapper')
        os.kill(writer, signal.SIGSTOP)
        pipeline.potok('sync', 'deals', '--full')

        def stuck():
            told = [s['detail'] for s in pipeline.status()['services'] if s['service'] == 'mapper' and 'detail' in s]
            return told and told[0]['waiting']
        try:
            wait_for(stuck, 'rows wait in the mapper', 20)
            began = time.monotonic()
            os.kill(mapper, signal.SIGTERM)
            wait_for(lambda: not self.lives(mapper), 'it ends', SOON_SECONDS, 0.02)
            self.assertLess(time.monotonic() - began, SOON_SECONDS)
        finally:
            os.kill(writer, signal.SIGCONT)
        pipeline.sync('deals', timeout=60)

if __name__ == '__main__':
    unittest.main()
