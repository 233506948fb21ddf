"""Everything that may be wrong with an application as a whole (the sandbox's app_states.def): the portal says it, the client stops and
says what to do; once it is put right, a sync goes on with the tokens there are, or after a login."""
import collections
import json
import unittest

from support import truth
from support.application import Application
from support.harness import ALL, Scenario, wait_for
from support.quirks import rows_of

MIRRORED = 'deals', 'contacts'
State = collections.namedtuple('State', 'code word renewing')

# What methods answer to a token; the word that people are told; the same when the state is met while tokens are renewed (None: the
# token endpoint knows nothing of it, and gives new ones).
STATES = {
    'uninstalled':     State('ERROR_OAUTH', 'install it, then potok portal login', 'not installed'),
    'not-found':       State('APPLICATION_NOT_FOUND', 'install it, then potok portal login', 'not installed'),
    'unpaid':          State('PAYMENT_REQUIRED', 'plan', 'plan'),
    'no-tariff':       State('ACCESS_DENIED', 'plan', None),
    'low-tariff':      State('ACCESS_DENIED', 'plan', None),
    'user-context':    State('ACCESS_DENIED', 'potok portal login', None),
    'user-inactive':   State('authorization_error', 'another one does it: potok portal login', None),
    'user-denied':     State('user_access_error', "give the application's user access", None),
    'confirm-waiting': State('METHOD_CONFIRM_WAITING', 'must confirm', None),
    'confirm-denied':  State('METHOD_CONFIRM_DENIED', 'refused the call', None),
    'portal-gone':     State('PORTAL_DELETED', 'deleted or closed', 'nothing is there'),
}


class States(Application, Scenario):
    def open(self, **environment):
        self.portal = self.app_sandbox(deals=40, contacts=20)
        self.potok = self.app_pipeline(self.portal, BITRIX_TARIFF='1000/5000', **environment)
        self.potok.expect('sync.failed')
        self.potok.start()
        self.login(self.potok, self.portal)
        self.potok.sync()

    def access(self):
        return json.loads(self.potok.potok('portal', '--json').stdout)['portals'][0]['state']

    def test_an_installation_that_is_not_finished(self):
        """Methods answer, events do not come: what changed is found by date."""
        self.open(SYNC_INCREMENTAL_SECONDS=1)
        self.portal.app_state('unfinished')
        self.assertFalse(self.portal.app('app.info')['result']['INSTALLED'])
        self.portal.post('change?entity=deals&count=5&kind=update')
        wait_for(lambda: not truth.differences(self.potok, self.portal, 'deals'), 'the rows follow', 15)

    def told(self):
        """What a sync says when it fails, and the status."""
        self.portal.post('change?entity=deals&count=5&kind=mix')
        done = self.potok.potok('sync', '--full', '--wait', timeout=30)
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertNotIn('webhook', done.stdout + done.stderr)
        wait_for(lambda: self.potok.status()['portals'][0]['state'] == 'stopped', 'the portal is stopped', 10)
        return done.stdout + done.stderr + self.potok.status()['portals'][0]['error']

    def well_again(self):
        self.portal.app_state('installed')
        if self.access() == 'lost' and self.potok.potok('sync', '--full', '--wait', timeout=30).returncode != 0:
            self.login(self.potok, self.portal)
        self.potok.sync()
        truth.check(self, self.potok, self.portal, MIRRORED)

    def test_the_table_is_whole(self):
        self.assertEqual(set(rows_of('app_states.def', 'APP_STATE')), set(STATES) | {'installed', 'unfinished'})

    def test_met_by_a_method(self):
        self.open()
        for name, state in STATES.items():
            with self.subTest(name):
                self.portal.app_state(name)
                token = self.portal.application()['access_token']
                self.assertEqual(state.code, self.portal.ask('profile', {'auth': token})[1]['error'])
                said = self.told()
                self.assertIn(state.code, said)
                self.assertIn(state.word, said)
                self.well_again()

    def test_met_while_tokens_are_renewed(self):
        """The token ended in the same moment: the portal says no more than that, the rest is the token endpoint's word."""
        self.open()
        for name, state in STATES.items():
            if not state.renewing and not ALL:
                continue        # new tokens are given: as met by a method
            with self.subTest(name):
                self.portal.app_state(name)
                self.portal.fault('expired401', 1, method='batch')
                self.assertIn(state.renewing or state.word, self.told())
                self.well_again()


if __name__ == '__main__':
    unittest.main()
