"""The second forms of facts section 16, one by one: in which position of the walk a portal plays each, and what our client does to
meet it. flow/quirks_test.py and quirks_app_test.py go through the positions; a row of the sandbox's quirks.def that is not here
fails both.

Every quirk has a method met_NAME of the test that plays its position: it shows what the client was really told, or, where the
client calls no such method, that the sandbox answers so.
"""
import collections
import glob
import json
import os
import re
import urllib.request

SANDBOX = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'services', 'sandbox')
NO_CALL = 'no call of the client meets it'
Quirk = collections.namedtuple('Quirk', 'position meets')

FORMS, FIGURES, LOCAL, BILLING, BUCKET, PLAIN = 'forms', 'figures', 'local', 'billing', 'bucket', 'plain'
ONLINE, REFUSALS, QUEUE, GUEST, POOR, KEYLESS = 'online', 'refusals', 'queue', 'guest', 'poor', 'keyless'

QUIRKS = {
    'ascii':            Quirk(FORMS, 'reads \\uXXXX as it reads UTF-8'),
    'numbers':          Quirk(FORMS, 'an id or a number may be a JSON number; inside a JSON value it stays one'),
    'binding-bare':     Quirk(FORMS, 'a binding is a text, with a letter or without'),
    'dealcategory-default': Quirk(FORMS, NO_CALL),
    'local-midnight':   Quirk(FORMS, 'a date is the first ten letters as printed'),
    'total-absent':     Quirk(FORMS, 'never reads total with start=-1'),
    'time-integer':     Quirk(FORMS, 'times may be integers'),
    'no-operating':     Quirk(FORMS, 'plans by the usual cost of a job'),
    'unresolved-empty': Quirk(FORMS, 'believes nothing behind a short page'),
    'scope-403':        Quirk(FORMS, 'batches alone, where it is a command\'s; the code decides, not the status'),
    'method-400':       Quirk(FORMS, NO_CALL + ': an address without the user\'s number is refused unasked'),
    'no-auth-found':    Quirk(FORMS, 'stops, and says that the secret is wrong'),
    'no-handler-id':    Quirk(FORMS, 'events are known by their token'),
    'short-auth':       Quirk(FORMS, 'wants domain and application_token of an event, nothing more'),
    'unchanged-silent': Quirk(FORMS, 'nothing changed, nothing to do'),
    'select-strict':    Quirk(FORMS, 'selects ID by name or by *'),
    'denied-403':       Quirk(FORMS, 'a record that may not be read is neither there nor gone: its row stays, potok_reject tells'),
    'not-found-dot':    Quirk(FORMS, 'with the dot or without, the record is gone'),
    'not-found-own':    Quirk(FORMS, 'no record is read so; a deletion takes each of them for done'),
    'link-touches':     Quirk(FORMS, 'the event is a mark, the row follows'),
    'item-link-null':   Quirk(FORMS, NO_CALL),
    'item-404':         Quirk(FORMS, NO_CALL),
    'item-time-plain':  Quirk(FORMS, NO_CALL),
    'item-names-fine':  Quirk(FORMS, NO_CALL),
    'item-clears':      Quirk(FORMS, NO_CALL),
    'history-text':     Quirk(FORMS, NO_CALL),
    'context-403':      Quirk(FORMS, NO_CALL + ' but `potok record`, which writes it down'),
    'event-context':    Quirk(FORMS, NO_CALL + ': a webhook binds nothing'),
    'option-exception': Quirk(FORMS, NO_CALL),
    'smart-restricted': Quirk(FORMS, NO_CALL),
    'import-silent':    Quirk(FORMS, NO_CALL),
    'comm-classic':     Quirk(FORMS, NO_CALL),
    'item-text':        Quirk(FORMS, NO_CALL),
    'mask-multiple':    Quirk(FORMS, 'multiple fields go by name as well'),
    'blank-literal':    Quirk(FIGURES, 'refers to ids of records alone, which are neither false nor null'),
    'classic-localized': Quirk(LOCAL, 'knows gone and forbidden in Russian, too'),
    'total-hidden':     Quirk(LOCAL, 'a total is an estimate: the list ends with its greatest id'),
    'json-plain':       Quirk(FIGURES, 'reads either'),
    'reset-iso':        Quirk(FIGURES, 'as if it were not told'),
    'denied-credentials': Quirk(FIGURES, 'in a batch, where it is a record\'s; as denied-403'),
    'select-standard':  Quirk(FIGURES, 'always selects'),
    'total-true':       Quirk(FIGURES, 'never reads total with start=-1'),
    'batch-operating':  Quirk(FIGURES, 'notes the envelope\'s figure for "batch"'),
    'errors-200':       Quirk(FIGURES, 'the code decides, not the status'),
    'no-reset':         Quirk(BILLING, 'goes by the figure alone, a little at a time'),
    'batch-pays':       Quirk(BILLING, 'waits for "batch" as for a method'),
    'bucket-strict':    Quirk(BUCKET, 'leaves one request unused'),
    'bucket-continuous': Quirk(BUCKET, 'plans by the slower of the two'),
    'bucket-refused':   Quirk(BUCKET, 'pauses after a refusal'),
    'operating-zero':   Quirk(BUCKET, 'plans by the usual cost of a job'),
    'retry-after':      Quirk(BUCKET, 'pauses as long as it says'),
    'https-required':   Quirk(PLAIN, 'stops, and says that the address must be https'),
    'handler-bare':     Quirk(ONLINE, 'knows its handler without what stands behind it'),
    'license-previous': Quirk(ONLINE, NO_CALL),
    'bearer':           Quirk(ONLINE, NO_CALL + ': it says auth='),
    'no-tokens':        Quirk(ONLINE, 'wants application_token of an event, never its user\'s'),
    'scope-spaces':     Quirk(ONLINE, 'does not look into scope'),
    'token-full':       Quirk(ONLINE, 'reads expires_in alone'),
    'spent-refresh':    Quirk(ONLINE, 'always keeps the newest pair'),
    'grant-401':        Quirk(ONLINE, 'access is lost, and an operator is asked for'),
    'deleted-410':      Quirk(ONLINE, 'stops, and says that the portal is gone'),
    'access-token':     Quirk(ONLINE, NO_CALL + ': it says auth='),
    'token-bare':       Quirk(REFUSALS, 'reads expires_in alone'),
    'client-401':       Quirk(REFUSALS, 'access is lost, and client_secret is named'),
    'not-installed':    Quirk(REFUSALS, 'access is lost, and the installation is named'),
    'bad-code':         Quirk(REFUSALS, 'the login fails and says so'),
    'event-expires':    Quirk(REFUSALS, 'reads tokens of an installation alone, and reckons their end where it is not told'),
    'event-refresh':    Quirk(REFUSALS, 'reads tokens of an installation alone'),
    'offline-merged':   Quirk(QUEUE, 'an event says that something changed, the record says what'),
    'offline-false':    Quirk(QUEUE, 'looks through the entity by date and by all ids'),
    'unbind-any':       Quirk(QUEUE, 'names both, always'),
    'no-queue':         Quirk(POOR, 'takes its events as they come, and says why'),
    'no-connector':     Quirk(KEYLESS, 'takes the queue that has no key'),
    'no-admin':         Quirk(GUEST, 'says once that rights are missing; syncs go on'),
}


def table(name):
    """The text of a table of the sandbox, in whichever of its folders it is."""
    path, = glob.glob(os.path.join(SANDBOX, '**', name), recursive=True)
    with open(path) as f:
        return f.read()


def rows_of(name, macro):
    """Names of a table of the sandbox: MACRO(IDENTIFIER, "name", …)."""
    return re.findall(r'^%s\(\w+, +"([^"]+)"' % macro, table(name), re.M)


class Walk:
    """Mixed into a Scenario that plays positions."""

    def every(self, *positions):
        """Quirks of the positions, in the order of the table."""
        return [name for name, q in QUIRKS.items() if q.position in positions]

    def complete(self, *positions):
        self.assertEqual(rows_of('quirks.def', 'QUIRK'), [n for n in rows_of('quirks.def', 'QUIRK') if n in QUIRKS],
                         'a quirk that is not in the table of support/quirks.py')
        self.assertEqual(set(), set(QUIRKS) - set(rows_of('quirks.def', 'QUIRK')), 'no quirk of the sandbox')
        for name in self.every(*positions):
            self.assertTrue(callable(getattr(self, 'met_' + name.replace('-', '_'), None)), 'met_' + name)

    def met(self, quirks):
        for name in quirks:
            with self.subTest(quirk=name):
                getattr(self, 'met_' + name.replace('-', '_'))()

    def alone(self):
        """Each quirk of the test's positions on a portal and a pipeline of its own."""
        whole = self.folder
        for position in self.POSITIONS:
            for name in self.every(position):
                self.folder = os.path.join(whole, name)
                os.makedirs(self.folder)
                with self.subTest(alone=name):
                    getattr(self, position)([name])
                self.potok.stop()
        self.folder = whole

    def options(self, quirks):
        return [word for name in quirks for word in ('--quirk', name)]

    def call(self, method, **parameters):
        """(status, answer) of a direct call by the webhook."""
        return self.portal.answer_of(urllib.request.Request(
            self.portal.url + method, json.dumps(parameters).encode(), {'Content-Type': 'application/json'}))

    def result(self, method, **parameters):
        status, answer = self.call(method, **parameters)
        self.assertEqual(200, status, answer)
        return answer['result']
