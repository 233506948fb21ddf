"""The table of figures: gates decide, both README files hold what the bench wrote."""
import os
import unittest

from bench import table
from bench.figures import BENCHES, FIGURES


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
    def test_both_tables_hold_every_figure_with_its_gate_and_no_other(self):
        for name, language in table.READMES:
            with open(os.path.join(table.ROOT, name), encoding='utf-8') as f:
                head, rows = table.kept(f.read())
            self.assertEqual(table.head(language), head)
            self.assertEqual([[f.name[language], table.gate_text(f, language)] for f in FIGURES], [[row[0], row[3]] for row in rows], name)

    def test_every_bench_is_a_module(self):
        for bench in BENCHES:
            self.assertTrue(os.path.exists(os.path.join(table.ROOT, 'tests', 'bench', bench + '.py')), bench)


if __name__ == '__main__':
    unittest.main()
