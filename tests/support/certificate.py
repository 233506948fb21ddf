"""A certificate for 127.0.0.1 that a test makes for itself."""
import os
import subprocess


def certificate(folder, name):
    """Good for thirty days: paths of it and of its key."""
    cert, key = os.path.join(folder, name + '.pem'), os.path.join(folder, name + '.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30',
                    '-subj', '/CN=' + name, '-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return cert, key
