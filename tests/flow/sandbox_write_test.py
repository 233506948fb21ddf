"""Records written through the sandbox's API: what its methods show of them, what its truth says, and what a mirror makes of
it are the same thing."""
import json
import random
import unittest
import urllib.request

from support import truth
from support.harness import ENTITIES, Scenario

# What may be sent for a field of a type: values a portal keeps, cleans or throws away.
VALUES = {
    'string': ['Текст', '', 'a "b" <c> & d\r\nе', '0', ' ', '🔥'],
    'integer': [5, '17', 0, '', -3, '12abc'],
    'double': [1.5, '1000', '0.10', '', '-7.25', '1e3'],
    'char': ['Y', 'N', '1', ''],
    'boolean': ['Y', 'N', 1, 0, ''],
    'date': ['2024-02-29', '2024-03-01T03:00:00+03:00', '31.12.2023', '', 'soon'],
    'datetime': ['2024-02-29T10:00:00+00:00', '2024-02-29 10:00:00', '2024-02-29', ''],
    'money': ['100|RUB', '12.50|USD', '7', '', '5|XXX'],
    'url': ['https://a.example/?a=1&b=2', ''],
    'address': ['Москва|55.7;37.6|12', ''],
    'employee': [1, '7', 0, ''],
    'crm': ['CO_5', 'D_1', ''],
    'crm_contact': [3, 0, ''],
    'crm_company': [2, '0'],
    'iblock_element': [9, ''],
    'iblock_section': [4, ''],
    'user': [3, '5'],
    'resourcebooking': [1, 2],
}
KEPT = 'CATEGORY_ID', 'STAGE_ID', 'STATUS_ID', 'CURRENCY_ID'     # values of their own


class Writes(Scenario):
    def ask(self, sandbox, method, body):
        request = urllib.request.Request(sandbox.url + method, json.dumps(body).encode(), {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())['result']

    def value(self, field, chance):
        kind, multiple = field['type'], field['isMultiple']
        if kind == 'enumeration':
            choices = [item['ID'] for item in field['items']] + ['', '999999']
        elif kind == 'crm_multifield':
            return [{'VALUE': 'a%d@b.ru' % chance.randrange(99), 'VALUE_TYPE': 'WORK'} for _ in range(chance.randrange(3))]
        elif kind == 'file':
            file = {'fileData': ['a.txt', 'eA==']}
            return [file, file] if multiple else file
        else:
            choices = VALUES.get(kind)
        if choices is None:
            return None
        return [chance.choice(choices) for _ in range(chance.randrange(4))] if multiple else chance.choice(choices)

    def fields_of(self, sandbox, method, chance):
        described = self.ask(sandbox, method + '.fields', {})
        names = [n for n in described if n not in KEPT and not described[n]['isReadOnly']]
        sent = {n: self.value(described[n], chance) for n in chance.sample(names, 20)}
        return {n: v for n, v in sent.items() if v is not None}

    def test_a_mirror_holds_what_was_written(self):
        sandbox = self.sandbox(deals=40, contacts=30, companies=20, leads=20)
        for entity, method in zip(ENTITIES, ('crm.deal', 'crm.contact', 'crm.company', 'crm.lead')):
            chance = random.Random('%s %s' % (entity, self.random.random()))
            old = sorted(sandbox.truth(entity))
            for n in range(25):
                fields = self.fields_of(sandbox, method, chance)
                new = self.ask(sandbox, method + '.add', {'fields': fields})
                self.assertIsInstance(new, int)
                self.assertIs(True, self.ask(sandbox, method + '.update', {'id': chance.choice(old), 'fields': fields}))
                if n % 8 == 0:
                    self.assertIs(True, self.ask(sandbox, method + '.delete', {'id': new}))
        pipeline = self.pipeline(sandbox)
        done = pipeline.potok('up', '--once')
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
        truth.check(self, pipeline, sandbox, ENTITIES)

    def test_both_apis_write_one_record(self):
        sandbox = self.sandbox(deals=20, contacts=10, companies=10, leads=10)
        deal = self.ask(sandbox, 'crm.deal.add', {'fields': {'TITLE': 'old', 'UF_CRM_INT': 3}})
        item = self.ask(sandbox, 'crm.item.update', {'entityTypeId': 2, 'id': deal,
                                                     'fields': {'title': 'new', 'ufCrm_INT': 4, 'opportunity': 10.5}})['item']
        self.assertEqual(('new', 4, 10.5), (item['title'], item['ufCrm_INT'], item['opportunity']))
        shown = self.ask(sandbox, 'crm.deal.get', {'id': deal})
        self.assertEqual(('new', '4', '10.50'), (shown['TITLE'], shown['UF_CRM_INT'], shown['OPPORTUNITY']))
        known = sandbox.truth('deals')[deal]
        self.assertEqual(('new', 4, '10.5'), (known['title'], known['uf_crm_int'], known['opportunity']))

    def test_what_was_imported_is_as_old_as_it_says(self):
        sandbox = self.sandbox(deals=20, contacts=10, companies=10, leads=10)
        made, changed = '2026-01-10T10:00:00+00:00', '2026-01-11T12:30:00+03:00'
        told = dict(title='old', createdTime=made, updatedTime=changed, movedTime=made, createdBy=3)
        items = self.ask(sandbox, 'crm.item.batchImport', {'entityTypeId': 2, 'data': [told, dict(told, createdTime='2001-01-01')]})['items']
        self.assertEqual('CRM_FIELD_ERROR_VALUE_NOT_VALID', items[1]['error'], 'older than the one before')
        deal = items[0]['item']['id']
        shown = self.ask(sandbox, 'crm.deal.get', {'id': deal})
        self.assertEqual(('2026-01-10T13:00:00+03:00', changed, '3'), (shown['DATE_CREATE'], shown['DATE_MODIFY'], shown['CREATED_BY_ID']))
        pipeline = self.pipeline(sandbox)
        done = pipeline.potok('up', '--once')
        self.assertEqual(0, done.returncode, done.stdout[-2000:] + done.stderr[-2000:])
        truth.check(self, pipeline, sandbox, ['deals'])
        self.assertEqual(('2026-01-10T10:00:00Z', '2026-01-11T09:30:00Z'),
                         tuple(sandbox.truth('deals')[deal][k] for k in ('date_create', 'date_modify')))


if __name__ == '__main__':
    unittest.main()
