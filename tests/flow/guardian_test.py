"""Subscriptions of an application are bound, looked at and put right; who has a webhook is told what to paste where."""
import json
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request

from support.application import CLIENT, KEY, Application, handler_key
from support.harness import Scenario, free_port, wait_for

PATH = '/api/v1/webhooks/bitrix'
OTHER = 'http://127.0.0.1:9/other'
LATER = 'l' * 43
API_KEY = 'a' * 32


class Guardian(Application, Scenario):
    def begin(self, *options, events='online', **environment):
        sandbox = self.app_sandbox(*options)
        self.url = 'http://127.0.0.1:%d' % free_port()
        p = self.app_pipeline(sandbox, events, **dict(dict(
            PUBLIC_URL=self.url + ',http://127.0.0.1:9/former', GATEWAY_LISTEN=self.url[7:],
            BITRIX_APPLICATION_TOKEN=sandbox.token), **environment))
        return sandbox, p

    def handler(self, secret=KEY):
        return self.url + PATH + '?key=' + handler_key(secret)

    def ours(self, sandbox, secret=KEY):
        return {event for event, handler in self.bound(sandbox) if handler == self.handler(secret)}

    def handlers(self, sandbox):
        return {handler for _, handler in self.bound(sandbox)}

    def send(self, sandbox, url, **form):
        """A change of deal 1, as the portal tells of it."""
        form = dict({'event': 'ONCRMDEALUPDATE', 'data[FIELDS][ID]': '1', 'auth[domain]': sandbox.application()['address']}, **form)
        try:
            with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=20) as answer:
                return answer.status, json.load(answer)['status']
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)['reason']

    def events(self, p):
        return p.status()['portals'][0]['events']

    def test_bound_and_repaired(self):
        """Deals have eight events, contacts seven; what others bound stays, what we bound at a former address goes."""
        sandbox, p = self.begin()
        sandbox.app('event.bind', event='ONCRMDEALADD', handler=OTHER)
        sandbox.app('event.bind', event='ONCRMDEALADD', handler='http://127.0.0.1:9/former' + PATH)
        sandbox.app('event.bind', event='ONCRMDEALUPDATE', handler=self.url + PATH)     # by a Potok that had no key in it
        sandbox.app('event.bind', event='ONCRMDEALDELETE', handler=self.handler())      # already bound
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', 15)
        self.assertEqual(15, len(self.ours(sandbox)))
        self.assertIn(('ONCRMDEALADD', OTHER), self.bound(sandbox))
        self.assertEqual({OTHER, self.handler()}, self.handlers(sandbox))
        events = self.events(p)
        self.assertEqual((15, 15, 0), (events['wanted'], events['bound'], events['strays']))

        p.sync()
        sandbox.post('change?entity=deals&count=3&kind=update')
        wait_for(lambda: self.events(p)['heard_ms'], 'an event comes in', 15)
        self.assertIn('15 из 15', p.potok('webhooks', LANG='ru_RU.UTF-8', LC_ALL='').stdout)
        self.assertIn('Events bound: 15 of 15', p.potok('webhooks').stdout)

        sandbox.app('event.unbind', event='ONCRMDEALUPDATE', handler=self.handler())
        sandbox.app('event.unbind', event='ONCRMCONTACTADD', handler=self.handler())
        self.assertEqual(13, len(self.ours(sandbox)))
        p.kill('scheduler')
        p.expect('service.died', 'service.ended', 'service.restarted', 'fetcher.lost', 'job.given_up')
        wait_for(lambda: len(self.ours(sandbox)) == 15, 'it looks at its start, and repairs', 15)

    def test_a_login_alone_lets_events_in(self):
        """No installation told us the application's token, and nobody entered it: the key in the handler's address is enough."""
        sandbox, p = self.begin(BITRIX_APPLICATION_TOKEN='', API_KEY=API_KEY, LOG_LEVEL='DEBUG')
        for event in 'ONCRMDEALADD', 'ONCRMDEALUPDATE':
            sandbox.app('event.bind', event=event, handler=self.url + PATH)
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', 15)
        self.assertEqual((15, 'bound'), (len(self.ours(sandbox)), self.events(p)['key']))
        self.assertEqual({self.handler()}, self.handlers(sandbox))
        p.sync()
        self.rows_follow(sandbox, p, 'by its key')

        token = {'auth[application_token]': sandbox.token}
        self.assertEqual((200, 'success'), self.send(sandbox, self.handler(), **token))
        for url in self.url + PATH, self.handler('another-secret-that-is-not-ours-at-all'), self.handler() + 'x':
            self.assertEqual((401, 'bad_token'), self.send(sandbox, url, **token))
        self.assertIn('?key=(masked)', p.potok('webhooks').stdout)
        self.assertIn('refused since the start 3: bad_token 3', p.potok('status').stdout)

        old = self.handler()
        self.assertEqual(0, p.stop())
        failed = sandbox.stats()['events']['failed']
        p.environment.update(POTOK_SECRET_KEY=LATER + ',' + KEY)
        p.start()       # rotated: the new one binds, either is taken
        self.assertEqual((200, 'success'), self.send(sandbox, old, **token))
        self.rows_follow(sandbox, p, 'meanwhile')
        wait_for(lambda: self.handlers(sandbox) == {self.handler(LATER)}, 'all is bound to the new one', 15)
        self.assertEqual(15, len(self.ours(sandbox, LATER)))
        self.rows_follow(sandbox, p, 'afterwards')
        self.assertEqual(failed, sandbox.stats()['events']['failed'])
        self.assertEqual((200, 'success'), self.send(sandbox, old, **token))
        self.nowhere(p, handler_key(KEY), handler_key(LATER))

    def test_an_application_installed_anew(self):
        """A token that an installation told counts more than the key, until the operator logs in again: then either does."""
        sandbox, p = self.begin(BITRIX_APPLICATION_TOKEN='', API_KEY=API_KEY)
        p.start()
        former, now = {'auth[application_token]': 'f' * 32}, {'auth[application_token]': sandbox.token}
        self.installed(sandbox, p, former)
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', 15)
        self.assertEqual((401, 'bad_token'), self.send(sandbox, self.handler()))

        def told():     # once the last event that was taken is heard of
            self.assertEqual((401, 'bad_token'), self.send(sandbox, self.handler(), **now))
            return 'potok portal login' in p.potok('webhooks').stdout
        wait_for(told, 'the operator is told what to do', 10)
        self.login(p, sandbox)
        wait_for(lambda: self.send(sandbox, self.handler(), **now)[0] == 200, 'the key is enough', 10)
        self.assertEqual((200, 'success'), self.send(sandbox, self.url + PATH, **former))
        self.assertEqual((401, 'bad_token'), self.send(sandbox, self.url + PATH, **now))

        self.assertEqual((200, 'success'), self.install(sandbox, former), 'the installation says that it is that of today')
        wait_for(lambda: self.send(sandbox, self.handler(), **now)[0] == 401, 'it counts alone again', 10)
        self.assertEqual((200, 'success'), self.send(sandbox, self.url + PATH, **former))

    def install(self, sandbox, token):
        app = sandbox.application()
        return self.send(sandbox, self.url + PATH, event='ONAPPINSTALL', **token, **{
            'auth[access_token]': app['access_token'], 'auth[refresh_token]': app['refresh_token']})

    def installed(self, sandbox, p, token):
        self.assertEqual((200, 'success'), self.install(sandbox, token))
        wait_for(lambda: self.send(sandbox, self.url + PATH, **token)[0] == 200, 'the gateway is told', 10)

    def keeps_the_token(self, sandbox, p):
        """Handlers without a key: what came in before a login comes in after it, and after a restart of all."""
        token = {'auth[application_token]': sandbox.token}
        p.start()
        self.installed(sandbox, p, token)
        self.login(p, sandbox)
        wait_for(lambda: any(e['event'] == 'access.given' and e.get('details', {}).get('number', 0) > 1 for e in p.log()), 'a login', 10)
        wait_for(lambda: self.send(sandbox, self.handler())[0] == 200, 'the key is enough', 10)
        self.assertEqual((200, 'success'), self.send(sandbox, self.url + PATH, **token))
        self.assertEqual(0, p.stop())
        p.start()
        self.assertEqual((200, 'success'), self.send(sandbox, self.url + PATH, **token))
        self.assertEqual((200, 'success'), self.send(sandbox, self.handler()))
        self.login(p, sandbox)      # once more
        p.sync()
        self.rows_follow(sandbox, p, 'by the token of the installation')
        self.assertEqual((401, 'bad_token'), self.send(sandbox, self.url + PATH, **{'auth[application_token]': 'w' * 32}))

        def told():
            self.assertEqual((401, 'bad_token'), self.send(sandbox, self.url + PATH, **{'auth[application_token]': 'w' * 32}))
            return 'known by the application\'s token alone' in p.potok('webhooks').stdout
        wait_for(told, 'what helps is told, and that is no login', 10)

    def test_a_login_where_the_application_binds_by_itself(self):
        sandbox, p = self.begin(BITRIX_APPLICATION_TOKEN='', API_KEY=API_KEY, PUBLIC_URL='')
        for event in 'ONCRMDEALADD', 'ONCRMDEALUPDATE':
            sandbox.app('event.bind', event=event, handler=self.url + PATH)
        self.keeps_the_token(sandbox, p)

    def test_a_login_where_the_portal_drops_the_key(self):
        sandbox, p = self.begin('--quirk', 'handler-bare', BITRIX_APPLICATION_TOKEN='', API_KEY=API_KEY)
        self.keeps_the_token(sandbox, p)

    def test_one_portal_under_two_names(self):
        """Each would take the other's subscriptions and the other's queue for its own: it is refused, with what to do."""
        sandbox, p = self.begin()
        app = sandbox.application()
        with open(os.path.join(self.folder, 'potok.yaml'), 'w') as f:
            f.write('portals:\n' + ''.join(
                '  %s:\n    app:\n      address: http://%s\n      client_id: %s\n      client_secret: %s\n      oauth: http://%s\n'
                '    entities: [%s]\n' % (name, app['address'], *CLIENT, app['oauth_address'], entity)
                for name, entity in (('main', 'deals'), ('more', 'contacts'))))
        refused = p.potok('config', 'check')
        self.assertEqual(1, refused.returncode)
        self.assertIn('portals main and more are one portal', refused.stderr)

    def rows_follow(self, sandbox, p, title):
        record = min(sandbox.truth('deals'))
        sandbox.post('set?entity=deals&id=%d' % record, {'TITLE': title})
        wait_for(lambda: p.query('SELECT title FROM crm_deals WHERE id = ?', record)[0]['title'] == title, 'the change is a row', 15)

    def nowhere(self, p, *secrets):
        """Neither in files of the pipeline nor in what it prints."""
        files = [os.path.join(folder, name) for folder, _, names in os.walk(p.home) for name in names]
        for path in [f for f in files if os.path.isfile(f)] + [p.output.name]:
            with open(path, 'rb') as f:
                data = f.read()
            for secret in secrets:
                self.assertNotIn(secret.encode(), data, path)
        shown = [p.potok(*words).stdout for words in (('webhooks', ), ('webhooks', '--json'), ('status', '--json'), ('portal', ))]
        for secret in secrets:
            self.assertNotIn(secret, ''.join(shown))

    def test_a_portal_that_drops_the_key(self):
        """It keeps addresses without their query: what is bound counts, is not bound for ever, and not unbound."""
        sandbox, p = self.begin('--quirk', 'handler-bare')
        sandbox.app('event.bind', event='ONCRMDEALUPDATE', handler=self.url + PATH)
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', 15)
        events = self.events(p)
        self.assertEqual((15, 15, 'dropped'), (events['wanted'], events['bound'], events['key']))
        self.assertEqual({self.url + PATH}, self.handlers(sandbox))
        p.sync()
        self.rows_follow(sandbox, p, 'by its token')
        self.assertEqual(1, len([e for e in p.log() if e['event'] == 'events.bound']))
        self.assertIn('BITRIX_APPLICATION_TOKEN', p.potok('webhooks').stdout)

    def test_no_rights(self):
        """Told once, with what to do."""
        sandbox, p = self.begin('--quirk', 'no-admin', events='offline')
        p.expect('guardian.unbound', 'offline.failed')
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'refused', 'refused', 15)
        self.assertEqual(1, len([e for e in p.log() if e['event'] == 'guardian.unbound']))
        self.assertIn('an administrator of the portal must install', p.potok('webhooks').stdout)
        self.assertIn('должен установить администратор', p.potok('webhooks', LANG='ru_RU.UTF-8', LC_ALL='').stdout)

    def test_what_to_paste_where(self):
        """Of a webhook, services running or not."""
        sandbox = self.sandbox(deals=5, contacts=5, companies=5, leads=5)
        p = self.pipeline(sandbox)
        text = p.potok('webhooks').stdout
        self.assertIn('PUBLIC_URL=https://potok.example.com', text)
        self.assertNotIn('Tick these events', text)
        p.environment.update(PUBLIC_URL='https://potok.example.com/x/')
        text = p.potok('webhooks').stdout
        for part in ('Developer resources → Other → Outbound webhook', 'https://potok.example.com/x' + PATH, 'ONCRMLEADDELETE',
                     'ONCRMDEALUSERFIELDADD', 'BITRIX_APPLICATION_TOKEN', 'it is not set', 'another pipeline', 'potok up'):
            self.assertIn(part, text)
        self.assertNotIn('MOVETOCATEGORY', text)
        text = p.potok('webhooks', LANG='ru_RU.UTF-8', LC_ALL='').stdout
        for part in ('Разработчикам → Другое → Исходящий вебхук', 'Отметьте события', 'Токен приложения', 'другую воронку'):
            self.assertIn(part, text)
        told = json.loads(p.potok('webhooks', '--json').stdout)
        self.assertEqual(('main', False, 28), (told[0]['portal'], told[0]['app'], len(told[0]['events'])))
        self.assertEqual(2, p.potok('webhooks', 'nobody').returncode)
        p.environment.update(PUBLIC_URL='http://potok.example.com')
        wrong = p.potok('webhooks')
        self.assertEqual(2, wrong.returncode)
        self.assertIn('PUBLIC_URL', wrong.stderr)


if __name__ == '__main__':
    unittest.main()
