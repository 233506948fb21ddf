"""Every method the sandbox answers is in the table of its README, and every one in the table answers."""
import itertools
import json
import os
import re
import unittest
import urllib.error
import urllib.request
import xml.etree.ElementTree

from support.harness import Scenario
from support.quirks import rows_of, table

README = os.path.join(os.path.dirname(__file__), '..', '..', 'services', 'sandbox', 'README.md')
PROVENANCE = os.path.join(os.path.dirname(README), 'provenance.md')


def expand(name):
    """crm.{deal,lead}.{list,get} as the names it stands for."""
    parts = [p[1:-1].split(',') if p.startswith('{') else [p] for p in re.findall(r'\{[^}]*\}|[^{]+', name)]
    return [''.join(p) for p in itertools.product(*parts)]


def documented():
    """{method: (facts section, oddities)} of the table under "## Methods"."""
    with open(README) as f:
        text = f.read().split('\n## Methods\n')[1].split('\n## ')[0]
    table = text.split('\n| Method | Facts |')[1].split('\n\n')[0]
    rows = {}
    for line in table.split('\n')[2:]:
        cells = [c.strip() for c in line.strip('| ').split(' | ')]
        for code in re.findall(r'`([^`]+)`', cells[0]):
            for name in expand(code):
                assert name not in rows, '%s stands in the table twice' % name
                rows[name] = cells[1:]
    return rows


def explained():
    """The methods of which provenance.md tells from whom we know them."""
    with open(PROVENANCE) as f:
        table = f.read().split('\n| Method | From')[1].split('\n\n')[0]
    return [name for line in table.split('\n')[2:] for code in re.findall(r'`([^`]+)`', line.split(' | ')[0]) for name in expand(code)]


class Methods(Scenario):
    def test_the_table_and_the_portal_agree(self):
        sandbox = self.sandbox('--app', '1', deals=10, contacts=10, companies=10, leads=10)
        answered, rows = set(sandbox.app('methods', full=True)['result']), documented()
        self.assertEqual(set(), answered - set(rows), 'methods that the table lacks')
        self.assertEqual(set(), set(rows) - answered, 'methods of the table that nobody answers')
        for name, cells in rows.items():
            self.assertEqual(2, len(cells), name)
            self.assertRegex(cells[0], r'^\d', '%s: a section of the facts' % name)
        names = set(re.findall(r'METHOD\("([^"]+)"', table('methods.def')))
        self.assertLess(20, len(names))
        self.assertEqual(set(), names - answered)

    def test_of_each_method_it_is_told_from_whom_it_is_known(self):
        self.assertEqual(sorted(documented()), sorted(explained()))

    def test_every_switch_and_state_is_told_of(self):
        for path, names in ((README, rows_of('quirks.def', 'QUIRK') + rows_of('app_states.def', 'APP_STATE')),
                            (PROVENANCE, rows_of('quirks.def', 'QUIRK'))):
            with open(path) as f:
                text = f.read()
            self.assertEqual([], [name for name in names if '`%s`' % name not in text], path)

    def test_each_answers_to_its_name_in_any_case(self):
        sandbox = self.sandbox(deals=10, contacts=10, companies=10, leads=10)
        for name in documented():
            with self.subTest(name=name):
                self.assertNotEqual('ERROR_METHOD_NOT_FOUND', self.error_of(sandbox.url + name.upper()))

    def get(self, url, **headers):
        """(status, headers, text)"""
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read().decode()

    def test_headers_and_types_of_the_second_notations(self):
        sandbox = self.sandbox('--app', '1', '--quirk', 'bearer', '--quirk', 'retry-after', deals=60, contacts=1, companies=1,
                               leads=1, tariff='1/3')
        _, headers, text = self.get(sandbox.url + 'crm.deal.list.xml')
        self.assertTrue(headers['Content-Type'].startswith('text/xml'))
        self.assertEqual(50, len(xml.etree.ElementTree.fromstring(text).findall('result/item')))
        address, token = sandbox.application()['address'], sandbox.get('events')['access_token']
        self.assertEqual(200, self.get('http://%s/rest/profile' % address, Authorization='Bearer ' + token)[0])
        status, _, text = self.get('http://%s/rest/api/documentation' % address, Authorization='Bearer ' + token)
        self.assertEqual((401, 'NO_AUTH_FOUND'), (status, json.loads(text)['error']), 'of REST 3.0 nobody shows it')
        answers = [self.get(sandbox.url + 'profile') for _ in range(6)]
        refused = [headers['Retry-After'] for status, headers, _ in answers if status == 503]
        self.assertTrue(refused and set(refused) == {'1'}, refused)

    def error_of(self, url):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.loads(answer.read()).get('error')
        except urllib.error.HTTPError as refused:
            return json.loads(refused.read()).get('error')


if __name__ == '__main__':
    unittest.main()
