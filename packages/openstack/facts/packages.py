"""The packages that facts are read from: names and versions on PyPI, fetched by pip into a folder and read as archives.

Nothing of them is imported or installed, but oslo.context and pycadf, whose own output the vectors are.
"""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# nova's samples are in its source archive only.
SDISTS = {'nova': '34.0.0'}
WHEELS = {
    'cinder': '29.0.0',
    'neutron': '29.0.0',
    'neutron-lib': '5.0.1',
    'keystone': '30.0.0',
    'ironic': '39.0.0',
    'glance': '33.0.0',
    'designate': '23.0.0',
    'openstack-heat': '27.0.1',
    'octavia': '19.0.0',
    'manila': '23.0.1',
    'magnum': '23.0.0',
    'barbican': '23.0.0',
    'trove': '26.0.0',
    'aodh': '23.0.0',
    'mistral': '23.0.0',
    'masakari': '22.0.0',
    'pycadf': '4.1.0',
}
VERSIONS = {**SDISTS, **WHEELS}


def fetch(folder):
    """Downloads what is missing in `folder`, by exact version."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for kind, packages in (('--no-binary', SDISTS), ('--only-binary', WHEELS)):
        for name, version in packages.items():
            if archive(folder, name) is None:
                print(f'fetching {name} {version}', file=sys.stderr)
                pip = [sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', kind, ':all:', '-d', folder]
                subprocess.run([*pip, f'{name}=={version}'], check=True)


def archive(folder, name):
    """Path of the archive of a package in its version, or None."""
    stem = f'{name.replace("-", "[-_]")}-{re.escape(VERSIONS[name])}'
    found = [path for path in Path(folder).iterdir() if re.match(rf'{stem}([-.].*)?\.(whl|tar\.gz)$', path.name)]
    return found[0] if found else None


class Package:
    """The text files of one package, by their paths inside it."""

    def __init__(self, folder, name):
        self.name, self.version = name, VERSIONS[name]
        path = archive(folder, name)
        self.files = {}
        if path.suffix == '.whl':
            with zipfile.ZipFile(path) as wheel:
                for member in wheel.namelist():
                    if self._wanted(member):
                        self.files[member] = wheel.read(member).decode()
        else:
            with tarfile.open(path) as sdist:
                for member in sdist:
                    inner = member.name.partition('/')[2]
                    if member.isfile() and self._wanted(inner):
                        self.files[inner] = sdist.extractfile(member).read().decode()

    @staticmethod
    def _wanted(path):
        return '/tests/' not in path and (path.endswith('.py') or path.startswith('doc/notification_samples/'))

    def find(self, path, pattern):
        """The one group of a regular expression in a file; fails when the file says it no longer."""
        found = re.search(pattern, self.files[path], re.MULTILINE | re.DOTALL)
        if found is None:
            raise SystemExit(f'{self.name} {self.version}: {path} has no {pattern!r} any more')
        return found[1]
