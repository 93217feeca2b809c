"""The storages of a master: FileStorage with blobs, the same with transformed records as zlibstorage writes them, and a real ZEO."""
import os
import signal
import subprocess
import sys
import time
import zlib

from ZEO.ClientStorage import ClientStorage
from ZODB.blob import is_blob_record
from ZODB.FileStorage import FileStorage
from ZODB.serialize import referencesf

KINDS = ('file', 'zlib', 'zeo shared', 'zeo cache')
START_SECONDS = 20


def compressed(data):
    return b'.z' + zlib.compress(data) if data and data[:2] != b'.z' else data


def expanded(data):
    return zlib.decompress(data[2:]) if data and data[:2] == b'.z' else data


class Compressed(FileStorage):
    """Records as zlibstorage writes them; ZODB's own code sees them expanded, as with zlibstorage around it."""

    def store(self, oid, serial, data, version, transaction):
        return super().store(oid, serial, compressed(data), version, transaction)

    def load(self, oid, version=''):
        data, serial = super().load(oid, version)
        return expanded(data), serial

    def loadBefore(self, oid, tid):
        found = super().loadBefore(oid, tid)
        return found and (expanded(found[0]), *found[1:])

    def loadSerial(self, oid, serial):
        return expanded(super().loadSerial(oid, serial))

    def is_blob_record(self, record):
        return is_blob_record(expanded(record))

    def pack(self, seconds, references, gc=None):
        return super().pack(seconds, lambda data, *rest: references(expanded(data), *rest), gc)


class FileMaster:
    """`pack` and `storage` are all that a writer needs."""

    def __init__(self, path, blobs, kind):
        self.storage = (Compressed if kind == 'zlib' else FileStorage)(path, blob_dir=blobs)

    def pack(self, seconds, gc, keep_old):
        self.storage.pack_keep_old = keep_old
        self.storage.pack(seconds, referencesf, gc=gc)

    def close(self):
        pass


class ZeoMaster:
    """A server process with its client; `gc` and `keep_old` are those of its start."""

    def __init__(self, path, blobs, kind, directory, rng):
        self.gc, keep_old = rng.random() < 0.7, rng.random() < 0.5
        socket = os.path.join(directory, 'zeo.socket')
        config = os.path.join(directory, 'zeo.conf')
        with open(config, 'w') as file:
            file.write(f'<zeo>\n  address {socket}\n  pid-filename {config}.pid\n</zeo>\n<filestorage 1>\n  path {path}\n'
                       f'  blob-dir {blobs}\n  pack-gc {self.gc}\n  pack-keep-old {keep_old}\n</filestorage>\n')
        with open(config + '.log', 'w') as log:
            self.process = subprocess.Popen([sys.executable, '-m', 'ZEO.runzeo', '-C', config], stdout=log, stderr=log)
        self._wait(config + '.log')
        shared = kind == 'zeo shared'
        self.storage = ClientStorage(socket, blob_dir=blobs if shared else os.path.join(directory, 'cache'), shared_blob_dir=shared,
                                     wait_timeout=START_SECONDS)

    def _wait(self, log):
        for _ in range(START_SECONDS * 50):
            with open(log) as file:
                output = file.read()
            if 'listening on' in output:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.close()
        raise RuntimeError(f'ZEO does not serve:\n{output}')

    def pack(self, seconds, gc, keep_old):
        self.storage.pack(seconds, wait=True)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def opened_copy(path, blobs, kind):
    """The slave's files as a site would open them: ZODB writes nothing into Data.fs, but may into the blob directory."""
    return (Compressed if kind == 'zlib' else FileStorage)(path, blob_dir=blobs, read_only=True)
