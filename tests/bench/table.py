"""Rows of figures: held against their gates, printed as Markdown, kept in the README files.

A bench is a module tests/bench/NAME.py with `measure(table, options)`; it calls `table.row(figure, value, ratio)` for each
of its figures in figures.py. `value` is a number or a list of them, `ratio` a number, a list (the ratio first, then what its
text tells besides) or None. options.quick asks for a tenth of the rows, options.rounds for that many rounds (medians).
"""
import json
import os
import re

from bench.figures import BY_KEY, FIGURES

ENGLISH, RUSSIAN = 0, 1
HEAD = ('figure', 'value', 'ratio', 'gate', 'kept'), ('показатель', 'значение', 'отношение', 'порог', 'выдержан')
RULE = '| --- | --: | --: | --: | --- |'
GATES = {'<=': ('at most', 'не больше'), '>=': ('at least', 'не меньше')}
ANSWERS = ('yes', 'NO'), ('да', 'НЕТ')
BEGIN, END = '<!-- bench -->', '<!-- /bench -->'
ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
READMES = ('README.md', ENGLISH), ('README.ru.md', RUSSIAN)


def many(value):
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


def number(value, language):
    """Three figures that mean something: 52,300 · 127 · 8.25 · 0.91; the language's own separators."""
    size = abs(value)
    text = format(value, ',.0f') if size >= 100 or value == int(value) else format(value, '.1f') if size >= 10 else format(value, '.2f')
    return text if language == ENGLISH else text.replace(',', '\N{NO-BREAK SPACE}').replace('.', ',')


def filled(template, numbers, language):
    return template[language].format(*(number(n, language) for n in numbers)) if template else ''


def gate_text(figure, language):
    if figure.gate is None:
        return ''
    sign, bound = figure.gate
    return '%s %s' % (GATES[sign][language], number(bound, language))


class Row:
    def __init__(self, key, value, ratio=None):
        self.figure, self.value, self.ratio = BY_KEY[key], many(value), many(ratio)
        judged = (self.ratio or self.value)[0]
        sign, bound = self.figure.gate or ('<=', judged)
        self.ok = judged <= bound if sign == '<=' else judged >= bound

    def cells(self, language):
        f = self.figure
        answer = ANSWERS[language][not self.ok] if f.gate else ''
        return f.name[language], filled(f.value, self.value, language), \
            filled(f.ratio, self.ratio, language) if self.ratio else '', gate_text(f, language), answer

    def plain(self):
        return {'figure': self.figure.key, 'value': self.value, 'ratio': self.ratio or None, 'gate': self.figure.gate, 'ok': self.ok}


def line(cells):
    return ('| %s |' % ' | '.join(cells)).replace('|  |', '| |')


def head(language):
    return [line(HEAD[language]), RULE]


class Table:
    """Prints each row as it comes; remembers them all."""

    def __init__(self, lines=None):
        self.rows, self.lines = [], lines
        if lines:
            open(lines, 'w').close()
        print('\n'.join(head(ENGLISH)), flush=True)

    def row(self, key, value, ratio=None):
        row = Row(key, value, ratio)
        self.rows.append(row)
        print(line(row.cells(ENGLISH)), flush=True)
        if self.lines:
            with open(self.lines, 'a') as f:
                f.write(json.dumps(row.plain()) + '\n')

    def find(self, key):
        """The row of a figure that this run measured already, or None."""
        return next((row for row in self.rows if row.figure.key == key), None)

    def missed(self, benches):
        """Figures whose gate is missed, and those that should have been measured and were not."""
        wanted = [f.key for f in FIGURES if f.key.split('.')[0] in benches]
        return [r.figure.key for r in self.rows if not r.ok], [k for k in wanted if self.find(k) is None]

    def write(self, root=ROOT):
        """What this run measured; rows of other figures stay as they are."""
        for name, language in READMES:
            path = os.path.join(root, name)
            with open(path, encoding='utf-8') as f:
                text = f.read()
            lines = {cells[0]: line(cells) for cells in kept(text)[1]}
            lines.update((row.figure.name[language], line(row.cells(language))) for row in self.rows)
            table = '\n'.join(head(language) + [lines[f.name[language]] for f in FIGURES if f.name[language] in lines])
            with open(path, 'w', encoding='utf-8') as f:
                f.write(replaced(text, table))


def replaced(text, table):
    before, rest = text.split(BEGIN)
    return before + BEGIN + '\n' + table + '\n' + END + rest.split(END)[1]


def kept(text):
    """The cells of the table between the marks, a list a row, without its head."""
    inside = re.search(re.escape(BEGIN) + r'\n(.*?)\n?' + re.escape(END), text, re.S).group(1)
    lines = inside.split('\n')
    return lines[:2], [[cell.strip() for cell in row[2:-1].split(' | ')] for row in (r.replace('| |', '|  |') for r in lines[2:])]
