"""Subscriptions whose binding nobody answered: they are looked at when the portal's own time for it is over, and only what is
missing then is bound. PORTAL_CALL_LIMIT is a second here instead of sixty; 15 s for the way remain."""
import collections
import os
import time
import unittest

from support.application import Application
from support.harness import Scenario, free_port, wait_for

WAIT = 1 + 15


class Bind(Application, Scenario):
    def begin(self, *expected):
        sandbox = self.app_sandbox()
        url = 'http://127.0.0.1:%d' % free_port()
        p = self.app_pipeline(sandbox, 'online', PUBLIC_URL=url, GATEWAY_LISTEN=url[7:], PORTAL_CALL_LIMIT='1s',
                              BITRIX_APPLICATION_TOKEN=sandbox.token)
        p.expect('guardian.unbound', *expected)
        p.start()
        return sandbox, p

    def events(self, p):
        return p.status()['portals'][0]['events']

    def test_what_was_done_and_denied_is_not_done_again(self):
        sandbox, p = self.begin()
        sandbox.post('fault?kind=after-commit&times=7&method=event.bind')
        sandbox.post('fault?kind=command&times=8&method=event.bind')
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'partly', 'nobody knows', 15)
        began = time.monotonic()
        self.assertEqual((15, 0), (self.events(p)['wanted'], self.events(p)['bound']))
        self.assertEqual(7, len(self.bound(sandbox)))
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', WAIT + 8)
        self.assertGreater(time.monotonic() - began, WAIT - 2)
        self.assertEqual(15, len(self.bound(sandbox)))
        bound = [e['details']['new'] for e in p.log() if e['event'] in ('events.bound', 'events.repaired')]
        self.assertEqual([8], bound)

    @unittest.skipUnless(os.environ.get('POTOK_TESTS') == 'all', 'the same of a whole call: ./dev test --all')
    def test_a_whole_call_that_lands_late_is_not_made_again(self):
        sandbox, p = self.begin('job.retry', 'portal.unwell')
        sandbox.post('fault?kind=latency&ms=1500&times=1000&method=batch')
        self.login(p, sandbox)
        wait_for(lambda: self.bindings(sandbox)['event.get'], 'it looks', 15)
        sandbox.post('faults/clear')        # before it has the answer, and binds
        sandbox.post('fault?kind=late&ms=4000&as=html502&times=3&method=batch')
        wait_for(lambda: self.events(p)['state'] == 'partly', 'nobody knows', 15)
        self.assertEqual(0, self.bindings(sandbox)['event.bind'])
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', WAIT + 8)
        self.assertEqual(15, self.bindings(sandbox)['event.bind'])
        self.assertEqual(15, len(self.bound(sandbox)))

    def turned_away(self, how, *expected):
        """While event.get is under way, the token ends or the portal moves: the call that binds is refused at the door."""
        sandbox, p = self.begin(*expected)
        sandbox.post('fault?kind=latency&ms=1500&times=1000&method=batch')
        self.login(p, sandbox)
        wait_for(lambda: self.bindings(sandbox)['event.get'], 'it looks', 15)
        sandbox.post('faults/clear')
        how(sandbox)
        wait_for(lambda: self.events(p)['state'] not in ('looking', 'none'), 'it ends', 15)
        self.assertEqual(('well', 15, ''), tuple(self.events(p)[k] for k in ('state', 'bound', 'error')), 'at once, by the same call')
        self.assertEqual(15, len(self.bound(sandbox)))
        self.assertEqual(15, self.bindings(sandbox)['event.bind'])
        self.assertNotEqual('stopped', p.status()['portals'][0]['state'])
        self.assertFalse([e for e in p.log() if e['event'] in ('guardian.unbound', 'sync.failed')])
        p.sync()

    def test_a_token_that_ends_stops_nothing(self):
        self.turned_away(lambda sandbox: sandbox.expire_tokens('access'))

    def test_a_portal_that_moves_stops_nothing(self):
        self.turned_away(lambda sandbox: sandbox.rename(), 'portal.moved')

    def bindings(self, sandbox):
        return collections.Counter({name: method['calls'] for name, method in sandbox.stats()['by_method'].items()})


if __name__ == '__main__':
    unittest.main()
