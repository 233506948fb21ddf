"""All senders of this machine together stay below the portal's request limit, and none waits for ever."""
import json
import os
import subprocess
import unittest

from support import truth
from support.harness import BIN, Scenario, wait_for

TARIFF = '10/30'


def ran(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


class Budget(Scenario):
    def two_portals(self, sandbox):
        """The same portal configured twice, each with tables of its own."""
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n' + ''.join(
                '  %s:\n    url: %s\n    tariff: %s\n    prefix: %s_\n    entities: [deals]\n'
                % (name, sandbox.url, TARIFF, prefix) for name, prefix in (('main', 'crm'), ('other', 'other'))))
        return self.pipeline(None, POTOK_CONFIG=path)

    def granted(self, pipeline):
        return sum(s['granted'] for p in pipeline.status()['portals'] for s in p['budget']['senders'])

    def test_two_portals_of_one_host_and_a_verify_are_never_refused(self):
        sandbox = self.sandbox(tariff=TARIFF, deals=30000, contacts=10, companies=10, leads=10)
        pipeline = self.two_portals(sandbox).start()
        pipeline.sync('deals')
        sandbox.post('reset-stats')
        syncing = self.begin(pipeline, 'sync', '--full', '--wait', '--json')
        code, out, err = ran(self.begin(pipeline, 'verify', '--json'))
        self.assertEqual(0, code, out[-1000:] + err[-1000:])
        self.assertTrue(json.loads(out)['equal'])
        self.assertEqual(json.loads(out)['requests'], self.granted(pipeline), 'each was asked for')
        code, out, err = ran(syncing)
        self.assertEqual(0, code, out[-1000:] + err[-1000:])
        stats = sandbox.stats()
        self.assertEqual(0, stats['refused_503'], stats)
        self.assertGreater(stats['requests'], 40, 'more than the burst was needed')
        truth.check(self, pipeline, sandbox, ['deals'])
        self.assertEqual(30000, pipeline.query('SELECT count(*) FROM other_deals WHERE _deleted_at IS NULL')[0][0])

    def test_a_verify_outlives_the_scheduler_and_counts_with_the_next(self):
        sandbox = self.sandbox(tariff=TARIFF, deals=60000, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, BITRIX_TARIFF=TARIFF).start()
        pipeline.expect('service.died', 'fetcher.lost', 'job.given_up')
        pipeline.sync('deals')
        sandbox.post('reset-stats')
        verify = self.begin(pipeline, 'verify', 'deals', '--json')
        for n in range(2):
            wait_for(lambda: sandbox.stats()['requests'] >= 10 * (n + 1) or verify.poll() is not None, 'some calls')
            pipeline.kill('scheduler')
            wait_for(pipeline.answers, 'the next scheduler')
            pipeline.potok('sync', 'deals', '--full')
        code, out, err = ran(verify)
        self.assertEqual(0, code, out[-1000:] + err[-1000:])
        self.assertEqual(0, sandbox.stats()['refused_503'], sandbox.stats())

    def test_a_verify_works_where_no_scheduler_runs(self):
        sandbox = self.sandbox(tariff=TARIFF, deals=400, contacts=10, companies=10, leads=10)
        pipeline = self.pipeline(sandbox, BITRIX_TARIFF=TARIFF).start()
        pipeline.sync('deals')
        pipeline.stop()
        answer = pipeline.potok('verify', 'deals', '--json')
        self.assertEqual(0, answer.returncode, answer.stdout + answer.stderr)
        self.assertTrue(json.loads(answer.stdout)['equal'])
        self.assertEqual(0, sandbox.stats()['refused_503'])

    def begin(self, pipeline, *arguments):
        return subprocess.Popen([BIN + '/potok', *arguments], env=pipeline.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


if __name__ == '__main__':
    unittest.main()
