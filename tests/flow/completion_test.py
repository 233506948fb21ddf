"""`potok completion bash`: the script as bash runs it, asked like a person presses Tab."""
import re
import subprocess
import unittest

from support.harness import BIN, ENTITIES, Scenario

ASK = '''
source /dev/stdin <<< "$1"; shift
complete -p potok >/dev/null || exit 3
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_potok && printf '%s\\n' "${COMPREPLY[@]}"
'''


class Completion(Scenario):
    def setUp(self):
        super().setUp()
        self.asked = self.pipeline(None)
        done = self.asked.potok('completion', 'bash')
        self.assertEqual(0, done.returncode, done.stderr)
        self.script = done.stdout

    def complete(self, *words, **environment):
        done = subprocess.run(['bash', '--norc', '-u', '-c', ASK, 'bash', self.script, BIN + '/potok', *words], text=True,
                              env=dict(self.asked.environment, **environment), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        self.assertEqual(('', 0), (done.stderr, done.returncode), self.script)
        return done.stdout.split()

    def test_every_command_and_every_option(self):
        commands = re.findall(r'^  (\w+)  ', self.asked.potok('help').stdout, re.M)
        self.assertIn('schema', commands)
        self.assertEqual(sorted(commands), sorted(self.complete('')))
        for command in commands:
            told = self.asked.potok('help', command).stdout
            options = set(re.findall(r'^  (?:-\w, )?(--[a-z-]+)', told, re.M)) | {'--help'}
            self.assertEqual(options, set(self.complete(command, '--')), command)

    def test_words_where_they_belong(self):
        for words, expected in (
                (('sy',), ['sync']),
                (('--v',), ['--version']),
                (('sync', ''), list(ENTITIES)),
                (('sync', 'deals', 'le'), ['leads']),
                (('schema', 'accept', 'com'), ['companies']),
                (('schema', 'w'), ['widen']),
                (('schema', '--format', ''), ['table', 'markdown', 'json']),
                (('schema', '--format', '=', 'm'), ['markdown']),
                (('schema', '--format', '='), ['table', 'markdown', 'json']),
                (('logs', '-l', 'W'), ['WARNING']),
                (('logs', 'fe'), ['fetcher']),
                (('config', ''), ['check', 'show', 'moved']),
                (('help', 'stat'), ['status']),
                (('up', ''), []),
                (('nonsense', ''), [])):
            self.assertEqual(expected, self.complete(*words), words)

    def test_portals_come_from_the_configuration(self):
        path = self.folder + '/potok.yaml'
        with open(path, 'w') as f:
            for name in 'main', 'office':
                f.write('%s  %s:\n    url: https://%s.example/rest/1/abcdefabcdefabcd/\n    prefix: %s_\n'
                        % ('portals:\n' if name == 'main' else '', name, name, name))
        self.assertEqual(['main', 'office'], self.complete('sync', '--portal', '', POTOK_CONFIG=path))
        self.assertEqual(['office'], self.complete('schema', '--portal', 'o', POTOK_CONFIG=path))

    def test_only_bash_is_spoken(self):
        done = self.asked.potok('completion', 'fish')
        self.assertEqual(2, done.returncode)
        self.assertIn('bash', done.stderr)


if __name__ == '__main__':
    unittest.main()
