"""A real ZEO server of a side, and clients that note what was acknowledged to them."""
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from ZEO.ClientStorage import ClientStorage
from ZODB.Connection import TransactionMetaData
from ZODB.utils import z64

from side import BLOB_RECORD, Commit

# Runs the server with a clock that is off by some hours.
SKEWED = 'import sys, time; real, off = time.time, float(sys.argv.pop(1)); time.time = lambda: real() + off; from ZEO.runzeo import main; main()'
STARTS_WITHIN = 30


class Server:
    def __init__(self, side):
        self.side = side
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        config = os.path.join(side.world.directory, f'zeo-{self.port}.conf')
        with open(config, 'w', encoding='utf8') as file:
            file.write(f'<zeo>\n  address 127.0.0.1:{self.port}\n</zeo>\n<filestorage 1>\n  path {side.path}\n'
                       f"{f'  blob-dir {side.blobs}' if side.blobs else ''}\n</filestorage>\n")
        self.log = open(config + '.log', 'wb')
        self.process = subprocess.Popen([sys.executable, '-c', SKEWED, str(side.skew), '-C', config], stdout=self.log, stderr=self.log)
        end = time.monotonic() + STARTS_WITHIN
        while self.process.poll() is None and time.monotonic() < end:
            with socket.socket() as client:
                if client.connect_ex(('127.0.0.1', self.port)) == 0:
                    return
            time.sleep(0.05)
        self.end(signal.SIGKILL)
        raise RuntimeError(f'ZEO does not start, see {config}.log')

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()


class Writer(threading.Thread):
    """Commits until it is stopped or the server is gone. A commit is noted only after its acknowledgement."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.side, self.rng = server, server.side, random.Random(seed)
        self.stopped, self.problem = threading.Event(), None
        self.oids = []
        self.start()

    def run(self):
        cache = os.path.join(self.side.world.directory, f'cache-{self.server.port}-{self.ident}')
        storage = ClientStorage(('127.0.0.1', self.server.port), wait_timeout=20, blob_dir=cache if self.side.blobs else None)
        try:
            while not self.stopped.is_set():
                self.commit(storage)
                time.sleep(self.rng.choice([0, 0, 0.005, 0.05]))
        except Exception as error:
            # The server was ended under it: what it had not answered was never promised.
            self.problem = repr(error)
        finally:
            storage.close()

    def commit(self, storage):
        world = self.side.world
        with world.lock:
            commit = Commit(world.next_number())
        meta = TransactionMetaData('writer', commit.note)
        storage.tpc_begin(meta)
        stored = []
        for _ in range(self.rng.choice([1, 1, 3, 10])):
            oid, serial = self.some_object(storage, stored)
            stored.append(oid)
            if self.side.blobs and serial == z64 and self.rng.random() < 0.2:
                self.store_blob(storage, oid, commit, meta)
                continue
            data = commit.data(self.rng.randbytes(self.rng.choice([10, 300, 20_000])))
            storage.store(oid, serial, data, '', meta)
            commit.stored[oid] = data
        storage.tpc_vote(meta)
        commit.tid = storage.tpc_finish(meta)
        with world.lock:
            self.side.acknowledged(commit)
        self.oids += [(oid, commit.tid) for oid in stored if oid not in commit.blobs]

    def some_object(self, storage, stored):
        """One of its own, so that no other client conflicts; or a new one."""
        if self.oids and self.rng.random() < 0.5:
            place = self.rng.randrange(len(self.oids))
            if self.oids[place][0] not in stored:
                return self.oids.pop(place)
        return storage.new_oid(), z64

    def store_blob(self, storage, oid, commit, meta):
        content = b'{B%06d}' % commit.number + self.rng.randbytes(3000)
        path = os.path.join(self.side.world.directory, f'upload-{commit.number}')
        with open(path, 'wb') as file:
            file.write(content)
        storage.storeBlob(oid, z64, BLOB_RECORD, path, '', meta)
        commit.stored[oid], commit.blobs[oid] = BLOB_RECORD, content
