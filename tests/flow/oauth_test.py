"""A portal that is reached as an application: access by an event or a login, tokens renewed in mid-sync, lost and given anew."""
import json
import os
import signal
import subprocess
import urllib.parse
import urllib.request
import unittest

from support import truth
from support.harness import BIN, ENTITIES, Scenario, free_port, wait_for
from support.killing import freeze_scheduler

KEY = 'oauth-test-key-of-forty-characters-0123456789'
SIZES = dict(deals=900, contacts=300, companies=100, leads=200)
# Where access was lost the portal stands still, and says so.
STOPPED = 'portal.stopped', 'sync.failed', 'access.lost'


class Oauth(Scenario):
    def setUp(self):
        super().setUp()
        self.secrets = set()

    def connect(self, quirks=(), environment=None, **options):
        """A sandbox with an application, and a pipeline that has no access yet."""
        port = free_port()
        self.gateway = 'http://127.0.0.1:%d' % port
        options = dict(SIZES, app=1, app_redirect=self.gateway + '/oauth/callback', **options)
        if quirks:
            options['quirk'] = list(quirks)
        self.portal = self.sandbox(**options)
        app = self.portal.application()
        config = os.path.join(self.folder, 'potok.yaml')
        with open(config, 'w') as f:
            f.write('portals:\n  main:\n    app:\n      oauth: http://%s\n' % app['oauth_address'])
        settings = dict(BITRIX_DOMAIN='http://' + app['address'], BITRIX_CLIENT_ID=app['client_id'],
                        BITRIX_CLIENT_SECRET=app['client_secret'], POTOK_SECRET_KEY=KEY, POTOK_CONFIG=config,
                        GATEWAY_LISTEN='127.0.0.1:%d' % port, LOG_LEVEL='DEBUG')
        self.secrets.update([app['client_secret'], KEY])
        pipeline = self.pipeline(None, **dict(settings, **(environment or {})))
        pipeline.expect(*STOPPED)
        return pipeline.start()

    def shown(self, pipeline):
        return json.loads(pipeline.potok('portal', '--json').stdout)['portals'][0]

    def state(self, pipeline):
        return self.shown(pipeline)['state']

    def note(self):
        app = self.portal.application()
        self.secrets.update(app[name] for name in ('access_token', 'refresh_token', 'application_token'))
        return app

    def login(self, pipeline, callback=None):
        """As an operator does it: the command prints an address, the browser goes there and is sent back."""
        process = subprocess.Popen([BIN + '/potok', 'portal', 'login'], env=pipeline.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with process:
            line = next(line.strip() for line in process.stdout if '/oauth/authorize/' in line)
            status, back = self.portal.answer_of(urllib.request.Request(line))
            self.assertEqual(302, status, back)
            self.secrets.add(urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)['code'][0])
            if callback:
                callback(back)
            else:
                with urllib.request.urlopen(back, timeout=20) as page:
                    text = page.read().decode()
                self.assertIn('вернитесь в терминал', text)
                self.assertIn('return to the terminal', text)
            printed = process.stdout.read()
            self.assertEqual(0, process.wait(30), printed)
        self.note()
        return printed

    def no_secret_is_kept_in_plain(self, pipeline):
        """Files of the database, the spool and the logs."""
        self.note()
        found = []
        for folder, _, names in os.walk(pipeline.home):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, 'rb') as f:
                        data = f.read()
                    found += [(name, secret[:6]) for secret in self.secrets if secret.encode() in data]
        with open(pipeline.output.name, 'rb') as f:
            data = f.read()
        found += [('up.out', secret[:6]) for secret in self.secrets if secret.encode() in data]
        self.assertEqual([], found)

    def exact(self, pipeline):
        pipeline.sync()
        truth.check(self, pipeline, self.portal, ENTITIES)

    # ---- given, taken back

    def test_installed_by_an_event_and_removed_by_one(self):
        pipeline = self.connect()
        self.assertEqual('none', self.state(pipeline))
        wait_for(lambda: pipeline.status()['portals'][0]['state'] == 'unconnected', 'it waits for its access', 20)
        status = pipeline.status()
        self.assertIn('potok portal login main', status['portals'][0]['error'])
        self.assertEqual(([], []), (status['alarms'], [r for r in status['runs'] if r['state'] == 'failed']))
        shown = pipeline.potok('status', LANG='ru_RU.UTF-8')
        self.assertIn('ждёт подключения', shown.stdout)
        self.assertIn('приложение ещё не подключено к порталу: potok portal login main', shown.stdout)
        done = pipeline.potok('sync', '--wait', timeout=60)     # nobody knows for how long: it does not wait
        self.assertEqual(1, done.returncode)
        self.assertIn('potok portal login main', done.stderr)
        self.assertEqual([], [e for e in pipeline.log() if e['event'] in STOPPED + ('alarm.raised', )])
        self.portal.install(self.gateway + '/webhook/bitrix')
        wait_for(lambda: self.state(pipeline) == 'good', 'the portal is connected', 20)
        self.note()
        self.exact(pipeline)        # what failed for want of access began by itself; this joins it
        member = self.portal.application()['member_id']
        self.assertEqual(member, self.shown(pipeline)['member_id'])
        self.assertEqual(1, self.portal.application()['refreshed'], 'what an event brings is proved once')

        pipeline.expect('access.refused')      # a stranger's: nothing of it is believed
        number = self.shown(pipeline)['number']
        form = {'event': 'ONAPPINSTALL', 'auth[domain]': self.portal.application()['address'],
                'auth[access_token]': 'a' * 32, 'auth[refresh_token]': 'b' * 32, 'auth[application_token]': 'c' * 32}
        with urllib.request.urlopen(self.gateway + '/webhook/bitrix', urllib.parse.urlencode(form).encode()) as answer:
            self.assertEqual('success', json.load(answer)['status'])
        wait_for(lambda: any(e['event'] == 'access.refused' for e in pipeline.log()), 'it is refused', 20)
        self.assertEqual((number, 'good'), (self.shown(pipeline)['number'], self.state(pipeline)))

        self.portal.app('event.bind', event='ONAPPUNINSTALL', handler=self.gateway + '/webhook/bitrix')
        self.portal.uninstall()
        wait_for(lambda: self.state(pipeline) == 'lost', 'the application is removed', 20)
        self.assertIn('removed', self.shown(pipeline)['error'])
        self.no_secret_is_kept_in_plain(pipeline)

    def test_connected_by_a_login_and_told_apart(self):
        pipeline = self.connect()
        status, page = self.portal.answer_of(urllib.request.Request(self.gateway + '/oauth/callback?code=x&state=y'))
        self.assertEqual(403, status)
        self.assertIn('potok portal login', page)
        self.login(pipeline)
        self.exact(pipeline)
        self.assertEqual(0, pipeline.stop())
        pipeline.start()                                # tokens outlive us
        self.exact(pipeline)
        self.assertEqual(0, self.portal.application()['refreshed'])
        refused = pipeline.potok('up', '--once', POTOK_SECRET_KEY='another-key-of-more-than-thirty-two-letters', timeout=60)
        self.assertEqual(2, refused.returncode, refused.stderr)
        self.assertEqual(0, pipeline.potok('portal', 'logout').returncode)
        self.assertEqual('lost', self.state(pipeline))
        self.assertNotIn('portal.stopped', pipeline.potok('alarms', '--json').stdout, 'who did it needs no alarm')
        self.login(pipeline, lambda back: self.assertEqual(
            0, pipeline.potok('portal', 'login', '--code', back).returncode))   # pasted, without the gateway
        self.assertEqual('good', self.state(pipeline))
        self.exact(pipeline)
        self.no_secret_is_kept_in_plain(pipeline)

    def test_a_login_says_why_it_waits(self):
        pipeline = self.connect()
        pipeline.expect('access.waits')
        self.portal.token_endpoint_fault('html502', 100000)

        def back_and_forth(back):
            urllib.request.urlopen(back, timeout=20).close()
            wait_for(lambda: pipeline.status()['portals'][0]['access'], 'the scheduler has a reason to tell', 20)
            host = self.portal.application()['oauth_address'].split(':')[0]
            self.assertIn(host, pipeline.potok('status').stdout)
            self.assertIn('came to nothing: ' + host, pipeline.potok('portal').stdout)
            self.assertIn(host, self.shown(pipeline)['login_error'])
            self.assertRegex(pipeline.potok('doctor').stdout, r'not connected.*; %s.*HTTP 502' % host)
            wait_for(lambda: pipeline.status()['portals'][0]['access']['failed'] > 2, 'it was tried again', 20)
            self.portal.post('faults/clear')

        self.assertIn('no success yet: 127.0.0.1', self.login(pipeline, back_and_forth))
        self.assertIsNone(pipeline.status()['portals'][0]['access'])
        self.assertNotIn('came to nothing', pipeline.potok('portal').stdout)
        self.assertIsNone(self.shown(pipeline)['login_error'])

    def test_installed_by_somebody_who_is_no_administrator(self):
        """A mirror of what one employee may see is none: it waits for an administrator, or the operator's word."""
        pipeline = self.connect(['no-admin'])
        pipeline.expect('access.refused')
        self.portal.install(self.gateway + '/webhook/bitrix')
        refused = wait_for(lambda: [e for e in pipeline.log() if e['event'] == 'access.refused'], 'it is refused', 20)
        self.assertIn('no administrator of the portal', refused[0]['details']['error'])
        self.assertEqual('none', self.state(pipeline))
        self.assertEqual([], pipeline.query('SELECT 1 FROM potok_token WHERE sealed IS NOT NULL'))
        wait_for(lambda: not pipeline.query('SELECT 1 FROM potok_offer'), 'it is dealt with', 10)
        self.assertEqual([], pipeline.query('SELECT 1 FROM potok_run'))
        self.no_secret_is_kept_in_plain(pipeline)
        self.login(pipeline)            # the operator knows who it is
        self.exact(pipeline)

    def test_a_gateway_about_to_go_takes_no_installation(self):
        pipeline = self.connect()
        self.assertEqual(0, pipeline.potok('spool', 'drain', 'gateway.1', timeout=60).returncode)
        form = {'event': 'ONAPPINSTALL', 'auth[domain]': self.portal.application()['address'],
                'auth[access_token]': 'a' * 32, 'auth[refresh_token]': 'b' * 32, 'auth[application_token]': 'c' * 32}
        status, answer = self.portal.answer_of(
            urllib.request.Request(self.gateway + '/webhook/bitrix', urllib.parse.urlencode(form).encode()))
        self.assertEqual((503, 'draining'), (status, answer['reason']))
        self.assertEqual('none', self.state(pipeline))

    def post(self, **form):
        with urllib.request.urlopen(self.gateway + '/webhook/bitrix', urllib.parse.urlencode(form).encode()) as answer:
            return json.load(answer)['status']

    def test_no_event_waits_for_what_the_server_says_of_an_installation(self):
        token = 't' * 32
        pipeline = self.connect(environment=dict(BITRIX_APPLICATION_TOKEN=token))
        self.login(pipeline)
        self.exact(pipeline)
        pipeline.expect('access.waits', 'access.refused', 'service.died', 'service.restarted', 'fetcher.lost', 'job.given_up')
        sender = {'auth[domain]': self.portal.application()['address'], 'auth[application_token]': token}
        self.portal.token_endpoint_fault('html502', 100000)
        for n in range(12):     # nobody can tell what they are worth: the newest are kept
            self.assertEqual('success', self.post(**sender, **{
                'event': 'ONAPPINSTALL', 'auth[access_token]': 'a' * 32, 'auth[refresh_token]': '%032d' % n}))
        record = min(self.portal.truth('deals'))
        self.portal.post('set?entity=deals&id=%d' % record, {'TITLE': 'not behind it'})
        self.assertEqual('success', self.post(**sender, **{'event': 'ONCRMDEALUPDATE', 'data[FIELDS][ID]': str(record)}))
        wait_for(lambda: pipeline.query('SELECT title FROM crm_deals WHERE id = ?', record)[0]['title'] == 'not behind it',
                 'the change is a row', 15)
        wait_for(lambda: json.loads(pipeline.potok('spool', 'stats', '--json').stdout)[0]['waiting'] == 0,
                 'all is acknowledged', 10)

        def kept():
            return pipeline.query('SELECT count(*) AS n FROM potok_offer')[0]['n']
        wait_for(lambda: kept() <= 9, 'those of the newest are kept', 10)
        pipeline.kill('scheduler')
        self.assertGreater(kept(), 0)
        self.portal.post('faults/clear')
        wait_for(lambda: kept() == 0, 'they are taken up again, and refused', 40)
        self.assertEqual('good', self.state(pipeline))

    def test_an_installation_outlives_a_scheduler_that_could_not_ask(self):
        pipeline = self.connect()
        pipeline.expect('access.waits', 'service.died', 'service.restarted', 'fetcher.lost', 'job.given_up')
        self.portal.token_endpoint_fault('html502', 100000)
        self.portal.install(self.gateway + '/webhook/bitrix')
        wait_for(lambda: pipeline.query('SELECT 1 FROM potok_offer'), 'it is kept', 10)
        wait_for(lambda: json.loads(pipeline.potok('spool', 'stats', '--json').stdout)[0]['waiting'] == 0, 'and acknowledged', 10)
        pipeline.kill('scheduler')
        self.portal.post('faults/clear')
        wait_for(lambda: self.state(pipeline) == 'good', 'the portal is connected', 40)
        self.exact(pipeline)
        self.assertFalse(pipeline.query('SELECT 1 FROM potok_offer'))
        self.no_secret_is_kept_in_plain(pipeline)

    def installed_and_not_proved(self):
        """What the event brought is spent by then: the database holds what the OAuth server gave for it."""
        pipeline = self.connect()
        pipeline.expect('access.waits', 'service.died', 'service.restarted', 'fetcher.lost', 'job.given_up')
        self.portal.fault('html502', 100000)        # `profile`, too
        self.portal.token_endpoint_fault('latency', 1, ms=1500)
        self.portal.install(self.gateway + '/webhook/bitrix')
        self.brought = wait_for(lambda: self.offers(pipeline), 'it is kept', 10)
        wait_for(lambda: self.portal.application()['refreshed'], 'the OAuth server spent what was brought', 20)
        return pipeline

    def offers(self, pipeline):
        return [bytes(row['sealed']) for row in pipeline.query('SELECT sealed FROM potok_offer')]

    def successor(self, pipeline):
        return wait_for(lambda: self.offers(pipeline) not in ([], self.brought), 'the successor of what was brought is kept', 10)

    def goes_on(self, pipeline):
        self.portal.post('faults/clear')
        wait_for(lambda: self.state(pipeline) == 'good', 'the portal is connected', 60)
        self.exact(pipeline)
        wait_for(lambda: not pipeline.query('SELECT 1 FROM potok_offer'), 'it is dealt with', 10)
        self.assertEqual([], [e for e in pipeline.log() if e['event'] == 'access.refused'])
        self.no_secret_is_kept_in_plain(pipeline)

    def test_an_installation_outlives_a_scheduler_that_could_not_prove_it(self):
        pipeline = self.installed_and_not_proved()
        self.successor(pipeline)
        self.assertTrue(pipeline.kill('scheduler'))
        self.goes_on(pipeline)

    def test_an_installation_outlives_a_stop_before_it_is_proved(self):
        pipeline = self.installed_and_not_proved()
        self.successor(pipeline)
        self.assertEqual(0, pipeline.stop())
        pipeline.start()
        self.goes_on(pipeline)

    def test_an_installation_outlives_a_stop_while_the_server_is_asked(self):
        pipeline = self.installed_and_not_proved()      # its answer is still under way
        self.assertEqual(0, pipeline.stop())
        self.successor(pipeline)
        pipeline.start()
        self.goes_on(pipeline)

    # ---- renewed

    def renewing(self, pipeline, what='access'):
        """A renewal whose answer takes its time."""
        self.login(pipeline)
        self.exact(pipeline)
        self.portal.token_endpoint_fault('latency', 1, ms=5000)
        self.portal.expire_tokens(what)
        self.portal.post('change?count=5&kind=update')
        self.assertEqual(0, pipeline.potok('sync').returncode)
        asked = 'refreshed' if what == 'access' else 'refused'
        wait_for(lambda: self.portal.application()[asked], 'the server has spent the old refresh token, or refuses it', 20)

    def stays(self, pipeline, state, number, error=None):
        """The answer comes, and changes nothing."""
        def shown():
            now = self.shown(pipeline)
            return now['state'], now['number']
        wait_for(lambda: shown() != (state, number) or any(e['event'] == 'access.late' for e in pipeline.log()),
                 'the answer comes', 20)
        self.assertEqual((state, number), shown())
        self.assertEqual([(number, error)], [tuple(r) for r in pipeline.query('SELECT number, error FROM potok_token')])

    def test_a_logout_holds_whatever_a_renewal_brings(self):
        pipeline = self.connect()
        self.renewing(pipeline)
        self.assertEqual(0, pipeline.potok('portal', 'logout').returncode)
        self.stays(pipeline, 'lost', 2, 'the operator took the access back')
        self.assertEqual([b''], [bytes(r[0]) for r in pipeline.query('SELECT sealed FROM potok_token')])
        self.login(pipeline)
        self.exact(pipeline)

    def a_login_holds(self, what):
        pipeline = self.connect()
        self.renewing(pipeline, what)
        self.login(pipeline)
        self.stays(pipeline, 'good', 2)
        self.assertEqual('ok', pipeline.status()['portals'][0]['state'])
        self.exact(pipeline)
        self.assertEqual([], [e for e in pipeline.log() if e['event'] in STOPPED])

    def test_a_login_holds_whatever_pair_a_renewal_brings(self):
        self.a_login_holds('access')

    def test_a_login_holds_although_a_renewal_is_refused(self):
        self.a_login_holds('all')

    def test_a_pair_that_a_deposed_scheduler_kept_is_taken_up(self):
        """It alone has the successor of what the OAuth server spent; the next one was told that there is none."""
        pipeline = self.connect(environment=dict(SCHEDULERS='2', SCHEDULER_TAKEOVER='2s'))
        pipeline.expect('lease.lost', 'fetcher.lost', 'job.given_up', 'bus.peer_lost')
        self.renewing(pipeline)
        holder = pipeline.query('SELECT holder FROM potok_lease')[0]['holder']
        active = freeze_scheduler(pipeline, 1 if holder.startswith('scheduler.1') else 2)
        try:
            wait_for(lambda: pipeline.query('SELECT error FROM potok_token')[0]['error'], 'the next one is refused', 40)
            self.assertEqual('stopped', pipeline.status()['portals'][0]['state'])
        finally:
            os.kill(active, signal.SIGCONT)
        wait_for(lambda: self.shown(pipeline)['number'] == 2, 'the first one keeps its pair', 20)
        wait_for(lambda: pipeline.status()['portals'][0]['state'] == 'ok', 'and the next one finds it', 20)
        self.assertEqual('good', self.state(pipeline))
        self.assertTrue(any(e['event'] == 'access.found' for e in pipeline.log()))
        self.exact(pipeline)
        wait_for(lambda: all(a['gone_ms'] for a in json.loads(pipeline.potok('alarms', '--json').stdout)),
                 'nothing is wrong any more', 20)

    def test_tokens_that_live_two_seconds(self):
        pipeline = self.connect(app_token_life=2, environment=dict(PORTAL_PARALLEL='2'))
        self.login(pipeline)
        for _ in range(2):
            self.portal.fault('latency', 20, ms=400)
            self.exact(pipeline)
        app = self.note()
        self.assertGreaterEqual(app['refreshed'], 1)
        renewed = [e for e in pipeline.log() if e['event'] == 'access.renewed']
        self.assertEqual(app['refreshed'], len(renewed), 'one call an expiry')
        self.no_secret_is_kept_in_plain(pipeline)

    def test_a_server_that_is_away_and_one_that_says_no(self):
        pipeline = self.connect()
        self.login(pipeline)
        self.exact(pipeline)
        pipeline.expect('access.waits')
        self.portal.token_endpoint_fault('html502', 3)
        self.portal.expire_tokens('access')
        self.portal.post('change?count=30&kind=update')
        self.exact(pipeline)
        self.assertEqual(1, self.portal.application()['refreshed'])

        self.portal.expire_tokens('all')
        done = pipeline.potok('sync', '--full', '--wait', timeout=60)
        self.assertEqual(1, done.returncode)
        self.assertIn('potok portal login', done.stdout + done.stderr)
        self.assertEqual('lost', self.state(pipeline))
        pipeline.expect('access.refused')       # any employee may bring tokens; they wait for nothing else than this
        form = {'event': 'ONAPPINSTALL', 'auth[domain]': self.portal.application()['address'], 'auth[access_token]': 'a' * 32,
                'auth[refresh_token]': self.note()['refresh_token'], 'auth[application_token]': 'c' * 32}
        urllib.request.urlopen(self.gateway + '/webhook/bitrix', urllib.parse.urlencode(form).encode()).close()
        wait_for(lambda: any('there was access before' in json.dumps(e) for e in pipeline.log()), 'it is refused', 20)
        self.assertEqual('lost', self.state(pipeline))
        self.login(pipeline)
        self.exact(pipeline)
        self.no_secret_is_kept_in_plain(pipeline)

    def test_stopped_while_new_tokens_are_under_way(self):
        pipeline = self.connect()
        self.login(pipeline)
        self.exact(pipeline)
        self.portal.token_endpoint_fault('latency', 1, ms=1500)
        self.portal.expire_tokens('access')
        self.portal.post('change?count=30&kind=update')
        self.assertEqual(0, pipeline.potok('sync').returncode)
        wait_for(lambda: self.portal.application()['refreshed'], 'the server has spent the old refresh token', 20)
        self.assertEqual(0, pipeline.stop())
        self.assertEqual((2, 'good'), (self.shown(pipeline)['number'], self.state(pipeline)))
        pipeline.start()
        self.exact(pipeline)
        self.assertEqual(1, self.portal.application()['refreshed'])

    def killed_before_new_tokens_are_kept(self, quirks=()):
        pipeline = self.connect(quirks)
        self.login(pipeline)
        self.exact(pipeline)
        self.assertEqual(0, pipeline.stop())
        points = os.path.join(self.folder, 'points')
        with open(points, 'w') as f:
            f.write('scheduler.after_renew')
        self.portal.expire_tokens('access')
        pipeline.expect('service.died', 'service.restarted', 'bus.peer_lost')
        pipeline.start(POTOK_CRASH_AT=points)
        pipeline.potok('sync', timeout=60)
        wait_for(lambda: not os.path.exists(points), 'it died between the server and the database', 30)
        return pipeline

    def test_killed_before_new_tokens_are_kept_and_the_old_ones_are_spent(self):
        pipeline = self.killed_before_new_tokens_are_kept()
        wait_for(lambda: self.state(pipeline) == 'lost', 'the server says that they are spent', 30)
        self.assertIn('potok portal login', self.shown(pipeline)['error'])
        self.login(pipeline)
        self.exact(pipeline)

    def test_killed_before_new_tokens_are_kept_and_the_old_ones_work(self):
        pipeline = self.killed_before_new_tokens_are_kept(['spent-refresh'])
        wait_for(lambda: self.shown(pipeline)['number'] == 2, 'they are renewed by the old one', 30)
        self.exact(pipeline)
        self.no_secret_is_kept_in_plain(pipeline)


if __name__ == '__main__':
    unittest.main()
