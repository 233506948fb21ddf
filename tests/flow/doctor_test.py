"""What the operator is told when he asks what is wrong."""
import os
import unittest

from support.harness import Scenario

YAML = '''portals:
  main:
    url: https://a.bitrix24.ru/rest/1/abcdefabcdefabcd/
    prefix: crm_
settings:
  JOBS_UNFINISHED: 3
  FETCHERS: %s
'''


class Settings(Scenario):
    def write(self, text):
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write(text)
        return path

    def test_each_value_is_shown_with_where_it_comes_from(self):
        path = self.write(YAML % 2)
        shown = self.pipeline(None).potok('config', 'show', path, '--origin', JOBS_UNFINISHED='4')
        self.assertEqual(0, shown.returncode, shown.stderr)
        rows = {line.split()[0]: line for line in shown.stdout.splitlines()[1:]}
        for name, where in (('portals.main.url', 'potok.yaml:2:3'), ('portals.main.tariff', 'default'),
                            ('portals.main.entities', 'default'), ('portals.main.prefix', 'potok.yaml:4:5'),
                            ('JOBS_UNFINISHED', 'environment'), ('FETCHERS', 'potok.yaml:7:3'),
                            ('DATABASE_URL', 'environment')):
            self.assertTrue(rows[name].rstrip().endswith(where), rows[name])
        self.assertNotIn('abcdefabcdefabcd', shown.stdout)

    def test_the_number_of_services_may_stand_in_the_file(self):
        told = self.pipeline(None).potok('config', 'check', self.write(YAML % 99))
        self.assertEqual(2, told.returncode, told.stdout)
        self.assertIn('potok.yaml:7:3', told.stderr)


if __name__ == '__main__':
    unittest.main()
