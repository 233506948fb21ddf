"""Subscriptions of an application are bound, looked at and put right; who has a webhook is told what to paste where."""
import json
import unittest

from support.application import Application
from support.harness import Scenario, free_port, wait_for

PATH = '/api/v1/webhooks/bitrix'
OTHER = 'http://127.0.0.1:9/other'


class Guardian(Application, Scenario):
    def begin(self, *options, events='online', **environment):
        sandbox = self.app_sandbox(*options)
        self.url = 'http://127.0.0.1:%d' % free_port()
        p = self.app_pipeline(sandbox, events, PUBLIC_URL=self.url + ',http://127.0.0.1:9/former',
                              GATEWAY_LISTEN=self.url[7:], BITRIX_APPLICATION_TOKEN=sandbox.token, **environment)
        return sandbox, p

    def ours(self, sandbox):
        return {event for event, handler in self.bound(sandbox) if handler == self.url + PATH}

    def events(self, p):
        return p.status()['portals'][0]['events']

    def test_bound_and_repaired(self):
        """Deals have eight events, contacts seven; what others bound stays, what we bound at a former address goes."""
        sandbox, p = self.begin()
        sandbox.app('event.bind', event='ONCRMDEALADD', handler=OTHER)
        sandbox.app('event.bind', event='ONCRMDEALADD', handler='http://127.0.0.1:9/former' + PATH)
        sandbox.app('event.bind', event='ONCRMDEALUPDATE', handler=self.url + PATH)     # already bound
        p.start()
        self.login(p, sandbox)
        wait_for(lambda: self.events(p)['state'] == 'well', 'all is bound', 15)
        self.assertEqual(15, len(self.ours(sandbox)))
        self.assertIn(('ONCRMDEALADD', OTHER), self.bound(sandbox))
        self.assertNotIn('http://127.0.0.1:9/former' + PATH, {handler for _, handler in self.bound(sandbox)})
        events = self.events(p)
        self.assertEqual((15, 15, 0), (events['wanted'], events['bound'], events['strays']))

        p.sync()
        sandbox.post('change?entity=deals&count=3&kind=update')
        wait_for(lambda: self.events(p)['heard_ms'], 'an event comes in', 15)
        self.assertIn('15 из 15', p.potok('webhooks', LANG='ru_RU.UTF-8', LC_ALL='').stdout)
        self.assertIn('Events bound: 15 of 15', p.potok('webhooks').stdout)

        sandbox.app('event.unbind', event='ONCRMDEALUPDATE', handler=self.url + PATH)
        sandbox.app('event.unbind', event='ONCRMCONTACTADD', handler=self.url + PATH)
        self.assertEqual(13, len(self.ours(sandbox)))
        p.kill('scheduler')
        p.expect('service.died', 'service.ended', 'service.restarted', 'fetcher.lost', 'job.given_up')
        wait_for(lambda: len(self.ours(sandbox)) == 15, 'it looks at its start, and repairs', 15)

    def test_no_rights(self):
        """Told once, with what to do."""
        sandbox, p = self.begin('--quirk', 'no-admin', events='offline')
        p.expect('guardian.unbound')
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
