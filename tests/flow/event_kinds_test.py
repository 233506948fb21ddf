"""Every kind of event that the vendor documents (facts section 9), posted in its documented form: it is a mark of its record, an
order to learn the fields or to read the queue, noted as the application's, or counted as unknown and answered so. Nothing is
acknowledged without one of these."""
import contextlib
import json
import re
import signal
import sqlite3
import unittest
import urllib.parse
import urllib.request

from support.application import Application
from support.harness import Scenario, wait_for
from support.quirks import table

TOKEN = 't' * 32
MIRRORED = {'DEAL': 'deals', 'CONTACT': 'contacts', 'COMPANY': 'companies', 'LEAD': 'leads'}
RECORD = 'ADD', 'UPDATE', 'DELETE'
FIELDS = 'USERFIELDADD', 'USERFIELDUPDATE', 'USERFIELDDELETE', 'USERFIELDSETENUMVALUES'
DOCUMENTS = {'ONCRMDOCUMENTGENERATORDOCUMENT' + verb for verb in RECORD}

# Kinds of 9.2 whose data is data[FIELDS][ID]; entities that are not mirrored.
OTHER_RECORDS = [
    *('ONCRM%s%s' % (stem, verb) for verb in RECORD for stem in (
        'QUOTE', 'INVOICE', 'ACTIVITY', 'PRODUCT', 'PRODUCTPROPERTY', 'PRODUCTSECTION', 'REQUISITE', 'BANKDETAIL', 'MEASURE', 'CURRENCY',
        'DEALRECURRING', 'INVOICERECURRING', 'TIMELINECOMMENT', 'TYPE', 'TYPEUSERFIELD')),
    'ONCRMINVOICESETSTATUS', 'ONCRMDEALRECURRINGEXPOSE', 'ONCRMINVOICERECURRINGEXPOSE', 'ONCRMADDRESSREGISTER',
    'ONCRMADDRESSUNREGISTER', 'ONCRMTYPEUSERFIELDSETENUMVALUES', *sorted(DOCUMENTS)]
ITEMS = ['ONCRMDYNAMICITEM%s%s' % (verb, type_id) for verb in RECORD for type_id in ('', '_156', '_31', '_2')]
TASKS = ['ONTASK' + verb for verb in RECORD] + ['ONTASKCOMMENT' + verb for verb in RECORD]
CALLS = ['ONVOXIMPLANTCALLINIT', 'ONVOXIMPLANTCALLSTART', 'ONVOXIMPLANTCALLEND', 'ONEXTERNALCALLSTART', 'ONEXTERNALCALLBACKSTART']
NOTED = ['ONAPPPAYMENT', 'ONAPPTEST', 'ONAPPMETHODCONFIRM']
ACCESS = ['ONAPPINSTALL', 'ONAPPUNINSTALL']
QUEUE, UPDATED = 'ONOFFLINEEVENT', 'ONAPPUPDATE'

# Documents of robots (9.6): (document_id[1], document_id[2], entity or None).
ROBOTS = [
    ('CCrmDocumentDeal', 'DEAL_%d', 'deals'), ('CCrmDocumentLead', 'LEAD_%d', 'leads'),
    ('CCrmDocumentContact', 'CONTACT_%d', 'contacts'), ('CCrmDocumentCompany', 'COMPANY_%d', 'companies'),
    ('Bitrix\\Crm\\Integration\\BizProc\\Document\\Dynamic', 'DYNAMIC_156_%d', None),
    ('Bitrix\\Crm\\Integration\\BizProc\\Document\\SmartInvoice', 'SMART_INVOICE_%d', None),
    ('Bitrix\\Crm\\Integration\\BizProc\\Document\\Quote', 'QUOTE_%d', None),
]


def data_of(event, number):
    """Its data as documented."""
    if event.startswith('ONTASKCOMMENT'):
        return {'data[FIELDS_BEFORE]': 'undefined', 'data[FIELDS_AFTER][ID]': number, 'data[FIELDS_AFTER][MESSAGE_ID]': number,
                'data[FIELDS_AFTER][TASK_ID]': 7, 'data[IS_ACCESSIBLE_BEFORE]': 'N', 'data[IS_ACCESSIBLE_AFTER]': 'undefined'}
    if event.startswith('ONTASK'):
        return {'data[FIELDS_BEFORE][ID]': number, 'data[FIELDS_AFTER][ID]': number, 'data[IS_ACCESSIBLE_BEFORE]': 'N',
                'data[IS_ACCESSIBLE_AFTER]': 'Y'}
    if event in CALLS:
        return {'data[CALL_ID]': 'A%d' % number, 'data[CALL_TYPE]': 2, 'data[PHONE_NUMBER]': '+70000000000'}
    if event == 'ONUSERADD':
        return {'data[ID]': number, 'data[ACTIVE]': 'Y', 'data[EMAIL]': 'a@b.example'}
    if event.startswith('ONCRMDYNAMICITEM'):
        return {'data[FIELDS][ID]': number, 'data[FIELDS][ENTITY_TYPE_ID]': 156}
    if 'USERFIELD' in event:
        return {'data[FIELDS][ID]': number, 'data[FIELDS][ENTITY_ID]': 'CRM_DEAL', 'data[FIELDS][FIELD_NAME]': 'UF_CRM_NEW'}
    if event == 'ONCRMDEALMOVETOCATEGORY':
        return {'data[FIELDS][ID]': number, 'data[FIELDS][CATEGORY_ID]': 2, 'data[FIELDS][STAGE_ID]': 'C2:NEW'}
    if event == 'ONAPPTEST':
        return {'data[QUERY][any]': 'data', 'data[LANGUAGE_ID]': 'ru'}
    if event in ('ONAPPINSTALL', 'ONAPPUPDATE'):
        return {'data[VERSION]': 1, 'data[ACTIVE]': 'Y', 'data[INSTALLED]': 'Y', 'data[LANGUAGE_ID]': 'ru'}
    if event == 'ONAPPUNINSTALL':
        return {'data[LANGUAGE_ID]': 'ru', 'data[CLEAN]': 0}
    if event == QUEUE:
        return {'data': ''}
    return {'data[FIELDS][ID]': number}


class Kinds(Application, Scenario):
    def open(self, pipeline):
        self.p = pipeline.start()
        self.address = wait_for(lambda: next((e['details']['address'] for e in self.p.log()
                                              if e.get('event') == 'gateway.listening'), None), 'the gateway listens')
        self.number = 900000
        self.seen = set()

    @contextlib.contextmanager
    def still(self):
        """Nobody reads what is marked: marks and orders stay to be seen."""
        self.p.expect('fetcher.lost', 'job.given_up', 'fetcher.none')
        self.p.kill('fetcher', how=signal.SIGSTOP)
        try:
            yield
        finally:
            self.p.kill('fetcher', how=signal.SIGCONT)

    def send(self, form, domain):
        self.number += 1
        form = dict(form, **{'ts': 1736405807, 'auth[domain]': domain, 'auth[member_id]': 'a' * 32, 'auth[application_token]': TOKEN})
        with urllib.request.urlopen('http://%s/api/v1/webhooks/bitrix' % self.address, urllib.parse.urlencode(form).encode()) as answer:
            return json.loads(answer.read())

    def post(self, event, domain='127.0.0.1', **auth):
        """(status, reason) of the answer; self.number is its record."""
        self.seen.add(event)
        answer = self.send(dict(data_of(event, self.number + 1), event=event, event_handler_id=201, **auth), domain)
        return answer['status'], answer['reason']

    def counted(self, reason):
        with urllib.request.urlopen('http://%s/metrics' % self.address) as answer:
            found = re.search(r'^webhook_processed_total\{status="%s"\} (\d+)' % reason, answer.read().decode(), re.M)
        return int(found.group(1)) if found else 0

    def marked(self, entity, number):
        wait_for(lambda: self.p.query('SELECT 1 FROM potok_mark WHERE entity = ? AND id = ?', entity, number),
                 'a mark of %s %d' % (entity, number), 10, 0.01)

    def ordered(self, entity):
        """Its fields are to be learnt; the order is taken back, so that the next one is seen."""
        wait_for(lambda: self.p.query("SELECT 1 FROM potok_cursor WHERE name = 'fields' AND entity = ?", entity),
                 'an order to learn the fields of ' + entity, 10, 0.01)
        with contextlib.closing(sqlite3.connect(self.p.db_path, timeout=20)) as connection, connection:
            connection.execute("DELETE FROM potok_cursor WHERE name = 'fields' AND entity = ?", (entity,))

    def skipped(self, events):
        """Answered as skipped, counted as unknown, kept for people."""
        before, marks = self.counted('unknown'), self.p.query('SELECT count(*) FROM potok_mark')[0][0]
        for event in events:
            with self.subTest(event):
                self.assertEqual(('skipped', 'unknown'), self.post(event))
        self.assertEqual(len(events), self.counted('unknown') - before)
        with contextlib.closing(sqlite3.connect('file:%s/spool/gateway.1.db?mode=ro' % self.p.home, uri=True)) as spool:
            kept = {row[0] for row in spool.execute('SELECT name FROM odd')}
        self.assertEqual(set(), set(events) - kept)
        self.assertEqual(marks, self.p.query('SELECT count(*) FROM potok_mark')[0][0])

    def whole(self):
        """What the sandbox can send is all among them."""
        rows = table('events.def')
        stems = re.findall(r'^(?:RECORD|ITEM)_EVENTS\("(\w+)"', rows, re.M)
        names = set(re.findall(r'^EVENT\("(\w+)"', rows, re.M)) | {'ONCRM%s%s' % (s, v) for s in stems for v in RECORD}
        self.assertEqual(set(), names - self.seen - set(ACCESS) - {QUEUE})

    def test_a_webhooks(self):
        portal = self.sandbox(deals=5, contacts=5, companies=5, leads=5)
        self.open(self.pipeline(portal, BITRIX_APPLICATION_TOKEN=TOKEN))
        self.p.sync()
        with self.still():
            self.records_and_fields()
            self.skipped(OTHER_RECORDS + ITEMS + TASKS + CALLS + ['ONUSERADD', 'ONSOMETHINGNEW'] +
                         ['ONCRM%s%s' % (stem, verb) for stem in ('QUOTE', 'INVOICE', 'REQUISITE') for verb in FIELDS])
            self.noted(NOTED + ACCESS + [UPDATED])
        self.whole()

    def records_and_fields(self):
        for stem, entity in MIRRORED.items():
            for verb in RECORD + (('MOVETOCATEGORY',) if stem == 'DEAL' else ()):
                with self.subTest(stem + verb):
                    self.assertEqual(('success', 'taken'), self.post('ONCRM%s%s' % (stem, verb)))
                    self.marked(entity, self.number)
            for verb in FIELDS:
                with self.subTest(stem + verb):
                    self.assertEqual(('success', 'taken'), self.post('ONCRM%s%s' % (stem, verb)))
                    self.ordered(entity)

    def noted(self, events):
        before = self.counted('app')
        for event in events:
            with self.subTest(event):
                self.assertEqual('app', self.post(event)[1])
        self.assertEqual(len(events), self.counted('app') - before)

    def test_robots(self):
        portal = self.sandbox(deals=5, contacts=5, companies=5, leads=5)
        self.open(self.pipeline(portal, BITRIX_APPLICATION_TOKEN=TOKEN))
        self.p.sync()
        with self.still():
            told = [self.robot(kind, document, entity, keys) for kind, document, entity in ROBOTS
                    for keys in (('[0]', '[1]', '[2]'), ('[]', '[]', '[]'))]
        self.assertEqual(told.count('unknown'), self.counted('unknown'))

    def robot(self, kind, document, entity, keys):
        """Posts what an application's robot posts; the reason of the answer."""
        self.number += 1
        document %= self.number
        form = [('document_id' + key, part) for key, part in zip(keys, ('crm', kind, document))] + [
            ('document_type[0]', 'crm'), ('document_type[1]', kind), ('document_type[2]', document.split('_')[0]),
            ('event_token', 'x|y|z'), ('workflow_id', '5d1'), ('code', 'robot'), ('properties[NAME]', 'value'), ('use_subscription', 'N'),
            ('timeout_duration', 0), ('auth[domain]', '127.0.0.1'), ('auth[application_token]', TOKEN)]
        with self.subTest((document, keys)):
            with urllib.request.urlopen('http://%s/webhook/bitrix' % self.address, urllib.parse.urlencode(form).encode()) as answer:
                told = json.loads(answer.read())
            self.assertEqual(('success', 'taken') if entity else ('skipped', 'unknown'), (told['status'], told['reason']))
            if entity:
                self.marked(entity, self.number)
            return told['reason']

    def rebound(self, portal, domain):
        """An update takes an application's subscriptions away."""
        wait_for(lambda: len(self.bound(portal, offline=True)) == 15, 'the queue is bound', 15)
        bound = self.bound(portal, offline=True)
        self.assertEqual({'count': 1}, portal.app('event.unbind', event='ONCRMDEALUPDATE', event_type='offline',
                                                  auth_connector='potok')['result'])
        self.assertEqual(('success', 'taken'), self.post(UPDATED, domain))
        wait_for(lambda: self.bound(portal, offline=True) == bound, 'it is bound again', 15)

    def test_an_applications(self):
        """Those of the application itself, where it is one: an installation is access, the queue is read, an
        update has its subscriptions looked at."""
        portal = self.app_sandbox('--application-token', TOKEN)
        self.open(self.app_pipeline(portal, 'offline', OFFLINE_SECONDS=600, BITRIX_APPLICATION_TOKEN=TOKEN))
        portal.install('http://%s/webhook/bitrix' % self.address)
        self.p.sync()
        domain = portal.application()['address']

        def read():
            return self.p.status()['portals'][0]['events']['queue']['read_ms']
        last = wait_for(read, 'the first reading of the queue', 15)
        self.assertEqual(('success', 'taken'), self.post(QUEUE, domain))
        wait_for(lambda: read() != last, 'the queue is read', 15)
        self.noted(NOTED)
        self.rebound(portal, domain)
        self.assertEqual(('success', 'taken'), self.post('ONAPPUNINSTALL', domain))
        wait_for(lambda: json.loads(self.p.potok('portal', '--json').stdout)['portals'][0]['state'] == 'lost', 'access is gone', 15)


if __name__ == '__main__':
    unittest.main()
