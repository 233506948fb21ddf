"""The table of figures: gates decide, both README files hold what the bench wrote."""
import contextlib
import io
import os
import shutil
import tempfile
import unittest

from bench import table
from bench.figures import APART, BENCHES, BY_KEY, FIGURES


class Rows(unittest.TestCase):
    def test_a_gate_is_held_against_the_ratio_or_else_the_value(self):
        for key, value, ratio, ok in (('sync.requests', [123, 300000], [1.05, 121], True), ('sync.requests', [123, 300000], [1.06, 121], False),
                                      ('chain.sqlite', 9, [0.5, 18], True), ('chain.sqlite', 9, [0.49, 18], False),
                                      ('sync.refused', 0, None, True), ('sync.refused', 1, None, False), ('chain.sandbox', 10 ** 6, None, True)):
            with self.subTest(key=key, value=value, ratio=ratio):
                self.assertEqual(ok, table.Row(key, value, ratio).ok)

    def test_numbers_are_written_in_the_reader_s_language(self):
        for value, english, russian in ((52300.4, '52,300', '52\u00a0300'), (127, '127', '127'), (0.912, '0.91', '0,91'), (12.34, '12.3', '12,3'), (0, '0', '0')):
            self.assertEqual([english, russian], [table.number(value, language) for language in (table.ENGLISH, table.RUSSIAN)])

    def test_every_figure_has_its_texts_in_both_languages(self):
        for figure in FIGURES:
            for texts in (figure.name, figure.value, figure.ratio or ('', '')):
                self.assertEqual(2, len(texts), figure.key)
                self.assertEqual(texts[0].count('{}'), texts[1].count('{}'), figure.key)
                self.assertNotIn('|', ''.join(texts))
        self.assertEqual(len(FIGURES), len({f.key for f in FIGURES}))
        self.assertEqual(len(FIGURES), len({f.name[table.RUSSIAN] for f in FIGURES}))

    def test_only_what_is_between_the_marks_is_replaced(self):
        text = 'a\n%s\nold\n%s\nb\n' % (table.BEGIN, table.END)
        self.assertEqual('a\n%s\nnew\n%s\nb\n' % (table.BEGIN, table.END), table.replaced(text, 'new'))


class Readme(unittest.TestCase):
    def test_both_tables_hold_every_figure_of_all_with_its_gate_and_no_unknown_one(self):
        for name, language in table.READMES:
            with open(os.path.join(table.ROOT, name), encoding='utf-8') as f:
                head, rows = table.kept(f.read())
            self.assertEqual(table.head(language), head)
            there = [row[0] for row in rows]
            figures = [f for f in FIGURES if f.key.split('.')[0] not in APART or f.name[language] in there]
            self.assertEqual([[f.name[language], table.gate_text(f, language)] for f in figures], [[row[0], row[3]] for row in rows], name)

    def test_a_bench_writes_its_own_rows_and_leaves_the_others(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, language in table.READMES:
                shutil.copy(os.path.join(table.ROOT, name), folder)
            with contextlib.redirect_stdout(io.StringIO()):
                measured = table.Table()
                measured.row('json.msgpack', 77, 7)
            measured.write(folder)
            for name, language in table.READMES:
                before, after = [], []
                for root, rows in (table.ROOT, before), (folder, after):
                    with open(os.path.join(root, name), encoding='utf-8') as f:
                        rows += table.kept(f.read())[1]
                own = BY_KEY['json.msgpack'].name[language]
                self.assertEqual([row for row in before if row[0] != own], [row for row in after if row[0] != own])
                self.assertIn('77', next(row for row in after if row[0] == own)[1])

    def test_every_bench_is_a_module(self):
        for bench in BENCHES:
            self.assertTrue(os.path.exists(os.path.join(table.ROOT, 'tests', 'bench', bench + '.py')), bench)


if __name__ == '__main__':
    unittest.main()
