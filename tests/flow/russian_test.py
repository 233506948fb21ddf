"""Every error that the operator's command may print has its Russian words, and every Russian word an error."""
import glob
import re
import unittest

from support import texts


def sources(*patterns):
    return sorted({path for p in patterns for path in glob.glob(p, root_dir=texts.ROOT)})


GATEWAY = ('services/gateway/rules.c', 'services/gateway/tls.c', 'services/gateway/allow.c', 'shared/run/http_server_tls.c')      # told by its --check
# Where formats must all be known, where they may be, and where the words are that go into them as arguments.
FORMATS = sources('shared/base/config*.c', *('shared/base/%s.c' % n for n in ('setting', 'webhook', 'paths', 'file')),
                  'shared/db/*.c', 'services/potok/*.c', 'services/potok/*/*.c', *GATEWAY)
ANYWHERE = sources('shared/*/*.c', 'services/potok/*.c', 'services/potok/*/*.c', 'services/fetcher/*.c', 'services/writer/*.c',
                   'services/scheduler/access/access.c', *GATEWAY)
WORDS = sources(*('shared/base/%s.c' % n for n in ('webhook', 'config_yaml', 'file')),
                *('shared/db/%s.c' % n for n in ('sqlite_error', 'postgres_error', 'sqlite_file')))
NOT_TOLD = {'no such table', 'no such column', 'has no column named', 'must be owner of ',
            'view ', 'materialized view ', 'table ', 'relation ',           # what is looked for in an engine's own words
            'syncing', 'changing'}                                          # names of cursors
DOING = re.compile(r'[a-z]+ing( [a-z ]+)?')         # "opening", "running a statement": given to pg_fail() and its like
REASONS = re.compile(r'[A-Z][a-z/-]+( [a-z]+)+')    # strerror()


def rows():
    words = texts.tokens(texts.read('services/potok/words/russian.def'))
    for i, word in enumerate(words):
        if word == 'RUSSIAN' and words[i + 1] == '(':
            en, ru = texts.arguments(words, i + 1)
            yield texts.joined(en, texts.MACROS), texts.joined(ru, texts.MACROS)


def told(path):
    """Whole sentences of a file, without the formats of errors."""
    formats = set(texts.formats(path))
    for text in texts.strings(path):
        if text not in formats and text not in NOT_TOLD and re.search(r'[a-z]{2} ', text) and not text.startswith('%s:%'):
            yield text


class Russian(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.rows = list(rows())
        self.table = dict(self.rows)

    def test_each_row_is_russian_and_takes_the_same_arguments(self):
        for en, ru in self.rows:
            self.assertIsNotNone(en)
            self.assertIsNotNone(ru, en)
            self.assertEqual(texts.conversions(en), texts.conversions(ru), en)
        self.assertEqual(len(self.rows), len(self.table), 'a text is there twice')

    def test_each_error_has_its_row(self):
        missing = []
        for path in FORMATS:
            for text in texts.formats(path):
                if texts.says_something(text) and text not in self.table:
                    missing.append((path, text))
        for path in WORDS:
            missing += [(path, text) for text in told(path) if text not in self.table and '  ' not in text]
        for path in sources('shared/db/*.c'):
            missing += [(path, text) for text in texts.strings(path) if DOING.fullmatch(text) and text not in self.table
                        and text not in NOT_TOLD]
        self.assertEqual([], missing, 'add rows to services/potok/words/russian.def')

    def test_each_row_belongs_to_an_error(self):
        said = set()
        for path in ANYWHERE:
            said |= set(texts.formats(path)) | set(texts.strings(path))
        unused = [en for en, _ in self.rows if en not in said and not REASONS.fullmatch(en)]
        self.assertEqual([], unused, 'nobody says this any more')


if __name__ == '__main__':
    unittest.main()
