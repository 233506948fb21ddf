"""compose/ and k8s/ against the programs: names of settings, ports, commands, packages, and where a key may stand.

Nothing is started but `--help`. Whether an image is built of it and works: tests/deploy.
"""
import glob
import os
import re
import subprocess
import unittest

from support.harness import BIN

try:
    import yaml
except ImportError:
    yaml = None     # package python3-yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
COMPOSE = sorted(glob.glob(TOP + '/compose/*.yaml'))
K8S = sorted(glob.glob(TOP + '/k8s/*.yaml'))
# variables that no program reads
OF_COMPOSE = {'GATEWAY_PORT', 'GATEWAY_PORT_A', 'GATEWAY_PORT_B', 'POSTGRES_IMAGE', 'POSTGRES_PASSWORD'}
OF_CONFIG = {'BITRIX_WEBHOOK_URL', 'BITRIX_CLIENT_SECRET', 'DATABASE_URL'}     # read from files by the configuration

# Which keys may stand where; a value that is a string is the name of another row, a list of one: each element, True:
# whatever. What these files use of apps/v1 and v1, so that a key at the wrong place is found without a server.
SHAPES = {
    'meta': {'name': True, 'namespace': True, 'labels': True, 'annotations': True},
    'StatefulSet': {'apiVersion': True, 'kind': True, 'metadata': 'meta', 'spec': 'stateful'},
    'stateful': {'serviceName': True, 'replicas': True, 'podManagementPolicy': True, 'updateStrategy': {'type': True},
                 'selector': {'matchLabels': True}, 'template': 'template', 'volumeClaimTemplates': ['claim']},
    'template': {'metadata': 'meta', 'spec': 'pod'},
    'pod': {'terminationGracePeriodSeconds': True, 'automountServiceAccountToken': True, 'securityContext': 'pod_security',
            'affinity': True, 'initContainers': ['container'], 'containers': ['container'], 'volumes': ['volume']},
    'pod_security': {'runAsNonRoot': True, 'runAsUser': True, 'runAsGroup': True, 'fsGroup': True, 'seccompProfile': {'type': True}},
    'container': {'name': True, 'image': True, 'imagePullPolicy': True, 'command': True, 'args': True, 'env': ['env'],
                  'ports': [{'name': True, 'containerPort': True, 'protocol': True}],
                  'lifecycle': {'preStop': 'handler', 'postStart': 'handler'}, 'readinessProbe': 'probe',
                  'livenessProbe': 'probe', 'startupProbe': 'probe', 'resources': {'requests': True, 'limits': True},
                  'securityContext': {'readOnlyRootFilesystem': True, 'allowPrivilegeEscalation': True,
                                      'capabilities': {'drop': True, 'add': True}},
                  'volumeMounts': [{'name': True, 'mountPath': True, 'subPath': True, 'readOnly': True}]},
    'env': {'name': True, 'value': True, 'valueFrom': {'secretKeyRef': {'name': True, 'key': True, 'optional': True}}},
    'handler': {'exec': {'command': True}, 'httpGet': True, 'tcpSocket': True},
    'probe': {'exec': {'command': True}, 'httpGet': True, 'tcpSocket': True, 'periodSeconds': True, 'timeoutSeconds': True,
              'failureThreshold': True, 'initialDelaySeconds': True, 'successThreshold': True},
    'volume': {'name': True, 'secret': {'secretName': True, 'defaultMode': True, 'optional': True, 'items': True},
               'emptyDir': True, 'configMap': True},
    'claim': {'metadata': 'meta', 'spec': {'accessModes': True, 'storageClassName': True, 'resources': {'requests': True}}},
    'Service': {'apiVersion': True, 'kind': True, 'metadata': 'meta',
                'spec': {'type': True, 'clusterIP': True, 'selector': True, 'publishNotReadyAddresses': True,
                         'ports': [{'name': True, 'port': True, 'targetPort': True, 'protocol': True}]}},
}


def text_of(*path):
    with open(os.path.join(TOP, *path)) as f:
        return f.read()


def help_of(program, *arguments):
    done = subprocess.run([os.path.join(BIN, program), *arguments], text=True, stdin=subprocess.DEVNULL, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8'})
    return done.stdout


def services():
    """{name: metrics port} of services.def."""
    return {name: int(port) for name, port in re.findall(r'^SERVICE\((\w+), *(\d+)', text_of('services', 'services.def'), re.M)}


def gateway_port():
    return int(re.search(r'GATEWAY_LISTEN_OPEN\s+"0\.0\.0\.0:(\d+)"', text_of('services', 'ports.h')).group(1))


def documents(paths):
    for path in paths:
        with open(path) as f:
            for document in yaml.safe_load_all(f):
                if document:
                    yield os.path.relpath(path, TOP), document


def misplaced(value, shape, where):
    """Keys that are not known where they stand."""
    if isinstance(shape, str):
        shape = SHAPES[shape]
    if shape is True:
        return []
    if isinstance(shape, list):
        if not isinstance(value, list):
            return ['%s: no list' % where]
        return [m for i, one in enumerate(value) for m in misplaced(one, shape[0], '%s[%d]' % (where, i))]
    if not isinstance(value, dict):
        return ['%s: no map' % where]
    return [m for key, one in value.items()
            for m in (misplaced(one, shape[key], where + '.' + key) if key in shape else ['%s.%s' % (where, key)])]


def containers():
    for path, document in documents(K8S):
        pod = document['spec'].get('template', {}).get('spec', {})
        for container in pod.get('initContainers', []) + pod.get('containers', []):
            yield path, pod, container


def of_potok(service):
    return str(service.get('image', '')).startswith('potok')


def compose_services():
    for path, document in documents(COMPOSE):
        for name, service in document['services'].items():
            if of_potok(service):
                yield '%s: %s' % (path, name), service


@unittest.skipIf(yaml is None, 'needs the package python3-yaml')
class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.known = set(re.findall(r'^SETTING_NAME\((\w+)\)', text_of('shared', 'run', 'settings.def'), re.M))
        told = ''.join(help_of('potok-' + name, '--help') for name in services() if name != 'sandbox')
        cls.from_file = OF_CONFIG | {n[:-len('_FILE')] for n in re.findall(r'or ([A-Z_]+_FILE)\)', told)}

    def settings(self, where, names):
        for name in names:
            good = name in self.known or name.endswith('_FILE') and name[:-len('_FILE')] in self.from_file
            self.assertTrue(good, '%s: no program reads %s' % (where, name))

    def test_every_setting_is_one_that_a_program_reads(self):
        self.settings('compose/Dockerfile', re.findall(r'(?:^ENV |[ ])([A-Z][A-Z_]+)=', '\n'.join(
            line for line in text_of('compose', 'Dockerfile').split('\n') if line.startswith('ENV '))))
        for where, service in compose_services():
            self.settings(where, service.get('environment', {}))
        for path, _, container in containers():
            self.settings(path, [e['name'] for e in container.get('env', [])])

    def test_a_variable_of_compose_is_called_like_its_setting(self):
        for path in COMPOSE:
            with open(path) as f:
                used = set(re.findall(r'\$\{(\w+)', f.read()))
            for name in used - OF_COMPOSE:
                self.settings(os.path.relpath(path, TOP), [name])
            for name in used & OF_COMPOSE:
                self.assertIn(name, text_of('compose', 'README.md'))

    def test_every_port_is_one_where_a_service_listens(self):
        ports = set(services().values()) | {gateway_port()}
        for where, service in compose_services():
            for port in service.get('ports', []):
                self.assertIn(int(str(port).rsplit(':', 1)[-1]), ports, where)
        names = {}
        for path, _, container in containers():
            for port in container.get('ports', []):
                self.assertIn(port['containerPort'], ports, path)
                names.setdefault(path, set()).add(port['name'])
        for path, document in documents(K8S):
            for port in document['spec']['ports'] if document['kind'] == 'Service' else []:
                self.assertIn(port['targetPort'], names[path] | ports, path)

    def commands(self):
        stage = text_of('compose', 'Dockerfile').split('\nFROM ')[-1]
        for line in re.findall(r'\bCMD (.*)', stage):
            yield 'compose/Dockerfile', [re.sub(r'[",\[\]]', ' ', line)]
        self.assertEqual(2, len(re.findall(r'\bCMD ', stage)), 'a health check and a command')
        for where, service in compose_services():
            if 'healthcheck' in service:
                yield where, service['healthcheck']['test']
        for path, _, container in containers():
            for handler in (container.get('readinessProbe'), container.get('lifecycle', {}).get('preStop')):
                self.assertIn('exec', handler or {}, '%s: is there a probe and a preStop?' % path)
                yield path, handler['exec']['command']

    def test_every_command_is_there_with_its_options(self):
        for where, command in self.commands():
            for words in re.findall(r'\bpotok +([\w. -]+)', ' '.join(str(word) for word in command)):
                name, *rest = words.split()
                told = help_of('potok', 'help', name)
                self.assertTrue(told.startswith('potok %s ' % name), '%s: potok %s' % (where, words))
                for word in rest:
                    if not word.isdigit():
                        self.assertIn(word, told, '%s: potok %s' % (where, words))

    def test_a_gateway_has_time_to_hand_over_before_it_is_ended(self):
        for path, pod, container in containers():
            command = container['lifecycle']['preStop']['exec']['command']
            self.assertEqual(['potok', 'spool', 'drain', '--timeout'], command[:4], path)
            self.assertGreaterEqual(pod['terminationGracePeriodSeconds'], int(command[4]) + 15, path)

    def test_no_pod_may_more_than_it_needs(self):
        for path, pod, container in containers():
            self.assertTrue(pod['securityContext']['runAsNonRoot'], path)
            self.assertEqual({'readOnlyRootFilesystem': True, 'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']}},
                             container['securityContext'], path)
            self.assertIs(False, pod.get('automountServiceAccountToken'), path)
            user = re.search(r'useradd .*--uid (\d+)', text_of('compose', 'Dockerfile')).group(1)
            self.assertEqual(int(user), pod['securityContext']['runAsUser'], path)
        for where, service in compose_services():
            self.assertEqual((True, ['ALL'], ['no-new-privileges:true']),
                             (service['read_only'], service['cap_drop'], service['security_opt']), where)

    def test_every_key_stands_where_kubernetes_knows_it(self):
        for path, document in documents(K8S):
            self.assertEqual([], misplaced(document, document['kind'], document['kind']), path)

    def test_every_volume_that_is_mounted_is_there(self):
        for path, document in documents(K8S):
            if document['kind'] != 'StatefulSet':
                continue
            pod = document['spec']['template']['spec']
            there = {v['name'] for v in pod['volumes']} | {c['metadata']['name'] for c in document['spec']['volumeClaimTemplates']}
            self.assertEqual(there, {m['name'] for c in pod['containers'] for m in c['volumeMounts']}, path)
            self.assertEqual(document['spec']['selector']['matchLabels'], document['spec']['template']['metadata']['labels'], path)

    def test_the_image_is_built_of_the_packages_that_dev_installs(self):
        wanted = re.search(r'build_packages=\((.*?)\)', text_of('dev'), re.S).group(1).split()
        stage = text_of('compose', 'Dockerfile').split('\nFROM ')[1]
        self.assertEqual(sorted(wanted), sorted(re.search(r'recommends (.*?[^\\])\n', stage, re.S).group(1).replace('\\\n', ' ').split()))


if __name__ == '__main__':
    unittest.main()
