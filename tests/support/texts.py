"""The texts of errors in the C sources: what err_set(), err_code() and err_wrap() are given, and the words that go into them as
arguments. A reader of tokens, not of C: strings beside each other are one, names of macros are looked up."""
import glob
import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
MACROS = {'PRId64': 'ld', 'PRIu64': 'lu', 'STR_FMT': '%.*s'}
CALLS = {'err_set': 2, 'err_code': 3, 'err_wrap': 1, 'REFUSE': 2, 'err_tr': 0}
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|\S', re.S)
CONVERSION = re.compile(r'%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[diouxXcsfgeap])')


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


def tokens(text):
    return [t for t in TOKEN.findall(text) if not t.startswith(('/*', '//'))]


def unquote(token):
    return re.sub(r'\\(.)', lambda m: {'n': '\n', 't': '\t'}.get(m.group(1), m.group(1)), token[1:-1])


def macros(text):
    """#define NAME "text", and texts made of such."""
    found = dict(MACROS)
    for name, body in re.findall(r'^#define (\w+)[ \t]+((?:[^\n\\]|\\\n|\\.)*)$', text, re.M):
        value = joined(tokens(body.replace('\\\n', ' ')), found)
        if value is not None:
            found[name] = value
    return found


def joined(words, names):
    """The text of an argument that is nothing but strings; None: it is something else."""
    text = ''
    for word in words:
        if word[0] == '"':
            text += unquote(word)
        elif word in names:
            text += names[word]
        else:
            return None
    return text if words else None


def arguments(words, start):
    """Of the call whose '(' is at `start`: its arguments as lists of tokens."""
    result, depth = [[]], 0
    for word in words[start:]:
        depth += word in '([{'
        depth -= word in ')]}'
        if depth == 0:
            return result
        if depth == 1 and word == ',':
            result.append([])
        elif not (depth == 1 and word == '('):
            result[-1].append(word)
    return result


def formats(path):
    """Every format that an error is made of."""
    text = read(path)
    names = macros(''.join(read(h) for h in glob.glob(os.path.join(os.path.dirname(path), '*.h'), root_dir=ROOT)) + text)
    words, found = tokens(text), []
    for i, word in enumerate(words[:-1]):
        if word not in CALLS or words[i + 1] != '(':
            continue
        given = arguments(words, i + 1)
        if len(given) <= CALLS[word]:
            continue
        value = joined(given[CALLS[word]], names)
        if value is not None:
            found.append('%s:%u:%u: ' + value if word == 'REFUSE' else value)
    return found


def strings(path):
    """Every string of a file; macros are taken where they are used."""
    text = read(path)
    names, found, run = macros(text), [], []
    words = tokens(re.sub(r'^#define(?:[^\n\\]|\\\n|\\.)*$', '', text, flags=re.M))
    for word in words + [';']:
        if word[0] == '"' or (word in names and word not in MACROS):
            run.append(word)
        elif run:
            found.append(joined(run, names))
            run = []
    return found


def conversions(text):
    return [c for c in CONVERSION.findall(text) if c != '%%']


def says_something(text):
    """Is there a word to be translated, beside conversions, options and names of settings?"""
    return re.search(r'[a-z]{2}', re.sub(r'--\w+', '', CONVERSION.sub(' ', text))) is not None
