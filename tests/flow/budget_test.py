"""All senders of this machine together stay below the portal's request limit, and none waits for ever."""
import json
import os
import select
import socket
import subprocess
import threading
import time
import unittest

from support import truth
from support.harness import BIN, Scenario, wait_for

TARIFF = '10/30'


def ran(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


class Relay:
    """To the portal from another address of this machine."""

    def __init__(self, port, source='127.0.0.2'):
        self.to, self.source = ('127.0.0.1', port), source
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                caller = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.carry, args=(caller, ), daemon=True).start()

    def carry(self, caller):
        with caller, socket.create_connection(self.to, source_address=(self.source, 0)) as portal:
            ways = {caller: portal, portal: caller}
            while True:
                for side in select.select(list(ways), [], [])[0]:
                    try:
                        data = side.recv(1 << 16)
                        ways[side].sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


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

    def fetcher_at(self, pipeline, url, **environment):
        """A second fetcher, whose calls the portal sees from another address."""
        fetcher = subprocess.Popen([BIN + '/potok-fetcher'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=dict(pipeline.environment, POTOK_INSTANCE='2',
                                                                       BITRIX_WEBHOOK_URL=url, **environment))
        self.addCleanup(fetcher.wait, 20)
        self.addCleanup(fetcher.terminate)
        wait_for(lambda: [f['source'] for f in pipeline.status()['fetchers']].count(environment.get('FETCHER_SOURCE', '')) ==
                 (1 if environment else 2), 'two fetchers', 20)
        return fetcher

    def buckets(self, pipeline):
        return {b['source']: b for b in pipeline.status()['portals'][0]['budget']['buckets']}

    def test_fetchers_share_a_bucket_unless_they_call_from_addresses_of_their_own(self):
        """1 request a second and 12 at once, per address; each deal is 1/2500 of a request."""
        sandbox = self.sandbox(tariff='1/12', deals=45000, contacts=5000, companies=10, leads=10)
        relay = Relay(sandbox.port)
        self.addCleanup(relay.socket.close)
        pipeline = self.pipeline(sandbox, BITRIX_TARIFF='1/12', FETCHER_JOBS=2).start()
        pipeline.expect('fetcher.lost')
        url = sandbox.url.replace(':%d/' % sandbox.port, ':%d/' % relay.port)
        fetcher = self.fetcher_at(pipeline, url)
        pipeline.sync('contacts')
        shared = self.buckets(pipeline)
        self.assertEqual([''], list(shared), 'one for both, whatever addresses the portal sees')

        fetcher.terminate()
        fetcher.wait(20)
        relay.source = '127.0.0.3'      # of which the portal knows nothing yet
        self.fetcher_at(pipeline, url, FETCHER_SOURCE='127.0.0.3')
        room = 12 - self.buckets(pipeline)['']['level']
        sandbox.post('reset-stats')
        began = time.monotonic()
        pipeline.sync('deals')
        took = time.monotonic() - began
        stats = sandbox.stats()
        self.assertEqual({'', '127.0.0.3'}, set(self.buckets(pipeline)))
        self.assertEqual(0, stats['refused_503'], stats)
        self.assertGreater(stats['requests'], room + took, 'more than one address may')
        self.assertEqual(45000, pipeline.query('SELECT count(*) FROM crm_deals WHERE _deleted_at IS NULL')[0][0])

    def begin(self, pipeline, *arguments):
        return subprocess.Popen([BIN + '/potok', *arguments], env=pipeline.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


if __name__ == '__main__':
    unittest.main()
