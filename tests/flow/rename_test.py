"""A portal that is renamed: followed to its new address in mid-sync, over restarts, under either name; never by less safe ways."""
import contextlib
import json
import os
import re
import sqlite3
import unittest

from support import truth
from support.harness import ENTITIES, Scenario, wait_for
from support.listener import Listener

KEY = 'rename-test-key-of-forty-characters-01234567'
SIZES = dict(deals=2500, contacts=300, companies=100, leads=200)


class Rename(Scenario):
    def open(self, **environment):
        self.portal = self.sandbox(**SIZES)
        pipeline = self.pipeline(self.portal, **environment)
        pipeline.expect('portal.moved')
        return pipeline.start()

    def exact(self, pipeline):
        pipeline.sync()
        truth.check(self, pipeline, self.portal, ENTITIES)

    def moves(self, pipeline):
        return [e for e in pipeline.log() if e['event'] == 'portal.moved']

    def host(self, pipeline):
        return pipeline.query('SELECT host FROM potok_lease')[0]['host']

    def test_renamed_in_mid_sync_and_afterwards_under_either_name(self):
        pipeline = self.open(PORTAL_PARALLEL='2')
        self.portal.fault('latency', 30, ms=150)
        self.assertEqual(0, pipeline.potok('sync').returncode)
        wait_for(lambda: pipeline.query('SELECT sum(read) AS n FROM potok_run')[0]['n'], 'the sync reads', 30)
        new = self.portal.rename()
        self.exact(pipeline)
        self.assertEqual(new, self.host(pipeline))
        self.assertEqual(1, len(self.moves(pipeline)))

        self.assertEqual(0, pipeline.stop())
        pipeline.start()                    # the old name is configured, the new one is remembered
        self.portal.post('change?count=30&kind=update')
        self.exact(pipeline)
        self.assertEqual(0, pipeline.stop())
        pipeline.environment['BITRIX_WEBHOOK_URL'] = re.sub(r'//[^/]+', '//' + new, self.portal.url)
        pipeline.start()
        self.portal.post('change?count=30&kind=update')
        self.exact(pipeline)
        self.assertEqual(1, len(self.moves(pipeline)), 'it is told once')

    def test_moves_in_circles_stop_the_portal(self):
        pipeline = self.open()
        pipeline.expect('portal.stopped', 'sync.failed')
        first = self.portal.application()['address']
        self.portal.rename()
        self.exact(pipeline)
        self.portal.fault('redirect302', 1, to='http://' + first)       # which sends us back: two moves
        self.exact(pipeline)
        self.assertEqual(1, len(self.moves(pipeline)), 'noted down where it answered')
        self.portal.fault('redirect302', 1, to='http://' + first)
        done = pipeline.potok('sync', '--full', '--wait', timeout=60)
        self.assertEqual(1, done.returncode)
        self.assertIn('from one address to another', pipeline.potok('status').stdout)

    def test_a_false_redirect_is_not_believed(self):
        pipeline = self.open()
        pipeline.expect('portal.astray', 'portal.unwell', 'job.retry')
        self.exact(pipeline)
        self.portal.fault('redirect302', 1, to='http://127.0.0.1:1')       # nobody answers there
        self.assertEqual(0, pipeline.potok('sync', 'leads', '--full', '--wait', timeout=90).returncode)
        self.assertIsNone(self.host(pipeline))
        self.assertEqual([], self.moves(pipeline))
        self.assertEqual(0, pipeline.stop())
        with contextlib.closing(sqlite3.connect(pipeline.db_path)) as connection, connection:
            connection.execute("UPDATE potok_lease SET host = '127.0.0.1:1'")
        pipeline.start()                    # even a remembered one that has gone is left
        self.exact(pipeline)
        wait_for(lambda: self.host(pipeline) is None, 'the configured address won', 20)
        self.assertEqual(0, pipeline.stop())
        with contextlib.closing(sqlite3.connect(pipeline.db_path)) as connection, connection:
            connection.execute("UPDATE potok_lease SET host = '127.0.0.1:1'")
        self.assertIn('configured address again', pipeline.potok('config', 'moved', 'main').stdout)
        self.assertIsNone(self.host(pipeline))

    def test_what_is_less_safe_is_not_followed(self):
        pipeline = self.open()
        pipeline.expect('portal.stopped', 'sync.failed')
        self.exact(pipeline)
        for to in 'http://elsewhere.example', 'https://user:word@127.0.0.1:1', 'https://elsewhere.example/portal', 'ftp://elsewhere.example':
            self.portal.fault('redirect302', 1, to=to)
            done = pipeline.potok('sync', 'leads', '--full', '--wait', timeout=60)
            self.assertEqual(1, done.returncode, to)
            self.assertIsNone(self.host(pipeline), to)
        self.exact(pipeline)
        self.assertEqual([], self.moves(pipeline))

    def application(self):
        """A pipeline whose portal is reached as an application, which is installed."""
        self.portal = self.sandbox(**dict(SIZES, app=1))
        app = self.portal.application()
        config = os.path.join(self.folder, 'potok.yaml')
        with open(config, 'w') as f:
            f.write('portals:\n  main:\n    app:\n      oauth: http://%s\n' % app['oauth_address'])
        pipeline = self.pipeline(None, BITRIX_DOMAIN='http://' + app['address'], BITRIX_CLIENT_ID=app['client_id'],
                                 BITRIX_CLIENT_SECRET=app['client_secret'], POTOK_SECRET_KEY=KEY, POTOK_CONFIG=config,
                                 GATEWAY_LISTEN='127.0.0.1:0')
        pipeline.expect('portal.moved', 'portal.stopped', 'sync.failed', 'access.lost')
        pipeline.start()
        listen = wait_for(lambda: re.search(r'127\.0\.0\.1:\d+(?=/webhook)', pipeline.potok('status').stdout), 'the gateway listens')
        self.portal.install('http://%s/webhook/bitrix' % listen.group())
        wait_for(lambda: pipeline.query('SELECT 1 FROM potok_token'), 'it is connected', 20)
        self.exact(pipeline)
        return pipeline

    def test_an_application_whose_portal_is_renamed(self):
        pipeline = self.application()
        was = self.portal.application()['address']
        new = self.portal.rename()
        self.portal.expire_tokens('access')
        self.portal.post('change?count=30&kind=update')
        self.exact(pipeline)
        self.assertEqual(new, self.host(pipeline))
        shown = pipeline.potok('status').stdout
        self.assertIn('http://%s (configured: http://%s' % (new, was), shown)

    def alarms(self, pipeline):
        return {a['name']: a['text'] for a in json.loads(pipeline.potok('alarms', '--json').stdout)}

    def test_no_token_of_an_application_goes_to_a_strangers_host(self):
        """The OAuth server is asked once whether the portal is there: it does not say so, and people are called."""
        pipeline = self.application()
        stranger = Listener(host='127.0.0.2')
        self.addCleanup(stranger.close)
        refreshed = self.portal.application()['refreshed']
        self.portal.fault('redirect302', 1000, to='http://' + stranger.address)
        done = pipeline.potok('sync', 'leads', '--full', '--wait', timeout=60)
        self.assertEqual(1, done.returncode)
        self.assertIn(stranger.address, done.stdout + done.stderr)
        self.assertEqual([], stranger.calls, 'nothing at all went there')
        self.assertEqual((None, refreshed + 1), (self.host(pipeline), self.portal.application()['refreshed']))
        for name in 'portal.moved', 'portal.stopped':
            text = wait_for(lambda: self.alarms(pipeline).get(name), name, 10)
            self.assertIn(stranger.address, text)
            self.assertIn('no token', text)
        self.assertNotIn(self.portal.application()['access_token'], json.dumps(list(pipeline.log())))
        self.portal.post('faults/clear')
        self.exact(pipeline)            # the operator looked, and tries again
        self.assertEqual([], stranger.calls)


if __name__ == '__main__':
    unittest.main()
