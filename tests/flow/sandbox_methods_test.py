"""Every method the sandbox answers is in the table of its README, and every one in the table answers."""
import itertools
import json
import os
import re
import unittest
import urllib.error
import urllib.request

from support.harness import Scenario

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
        answered, rows = set(sandbox.app('methods')['result']), documented()
        self.assertEqual(set(), answered - set(rows), 'methods that the table lacks')
        self.assertEqual(set(), set(rows) - answered, 'methods of the table that nobody answers')
        for name, cells in rows.items():
            self.assertEqual(2, len(cells), name)
            self.assertRegex(cells[0], r'^\d', '%s: a section of the facts' % name)
        with open(os.path.join(os.path.dirname(README), 'methods.def')) as f:
            names = set(re.findall(r'METHOD\("([^"]+)"', f.read()))
        self.assertLess(20, len(names))
        self.assertEqual(set(), names - answered)

    def test_of_each_method_it_is_told_from_whom_it_is_known(self):
        self.assertEqual(sorted(documented()), sorted(explained()))

    def test_each_answers_to_its_name_in_any_case(self):
        sandbox = self.sandbox(deals=10, contacts=10, companies=10, leads=10)
        for name in documented():
            with self.subTest(name=name):
                self.assertNotEqual('ERROR_METHOD_NOT_FOUND', self.error_of(sandbox.url + name.upper()))

    def error_of(self, url):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.loads(answer.read()).get('error')
        except urllib.error.HTTPError as refused:
            return json.loads(refused.read()).get('error')


if __name__ == '__main__':
    unittest.main()
