"""A pipeline whose portal is reached as an application: its configuration, and the operator's login."""
import hashlib
import os
import re
import subprocess
import urllib.request

from support.harness import BIN

CLIENT = 'local.app.1', 'very:secret'
CALLBACK = 'http://127.0.0.1:9/oauth/callback'
KEY = 'k' * 43


def handler_key(secret=KEY, portal='main'):
    """Of seal.c and handler_key.c, by another implementation of BLAKE2b."""
    def hashed(text, key, size=32):
        return hashlib.blake2b(text, key=key, digest_size=size)
    own = hashed(hashed(secret.encode(), b'potok seal key 1').digest(), b'potok derived key 1').digest()
    return hashed(b'handler:' + portal.encode(), own, 16).hexdigest()


class Application:
    """Mixed into a Scenario."""

    def app_sandbox(self, *options, **sizes):
        sizes = dict(dict(deals=30, contacts=10, companies=5, leads=5, app_client=':'.join(CLIENT), app_redirect=CALLBACK),
                     **sizes)
        return self.sandbox(*options, **sizes)

    def app_pipeline(self, sandbox, events='online', entities='[deals, contacts]', **environment):
        app = sandbox.application()
        path = os.path.join(self.folder, 'potok.yaml')
        with open(path, 'w') as f:
            f.write('portals:\n  main:\n    app:\n      address: http://%s\n      client_id: %s\n      client_secret: %s\n'
                    '      oauth: http://%s\n    events: %s\n    entities: %s\n'
                    % (app['address'], *CLIENT, app['oauth_address'], events, entities))
        environment = dict(dict(POTOK_SECRET_KEY=KEY, POTOK_CONFIG=path), **environment)
        pipeline = self.pipeline(None, **environment)
        pipeline.expect('portal.stopped', 'alarm.raised', 'access.lost')    # until the operator has been there
        return pipeline

    def login(self, pipeline, sandbox):
        """What the operator does: the printed address in the browser, the one it ends at back into the command."""
        potok = subprocess.Popen([BIN + '/potok', 'portal', 'login'], env=pipeline.environment, text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = ''
        while 'oauth/authorize' not in printed:
            line = potok.stdout.readline()
            self.assertTrue(line, printed)
            printed += line
        url = re.search(r'http://\S+', printed).group(0)
        status, back = sandbox.answer_of(urllib.request.Request(url))
        self.assertEqual(302, status, back)
        out, _ = potok.communicate(back + '\n', timeout=30)
        self.assertEqual(0, potok.returncode, printed + out)

    def bound(self, sandbox, offline=None):
        """{(event, handler or connector)} of the application."""
        return {(b['event'], b['handler'] or b.get('connector_id', '')) for b in sandbox.app('event.get')['result']
                if offline is None or bool(int(b['offline'])) == offline}
