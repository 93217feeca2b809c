"""Scenes with two faults at once, made by real ZODB. Each prints one line of JSON: the scene, how its syncs ended, the markers
that are anywhere in the slave's directory, and what FileStorage loads from the slave.

usage: two_faults.py DIRECTORY PROGRAM...   (PROGRAM: the command line of syncpozo)
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import transaction
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.utils import p64
from ZODB.utils import z64

HEADER = 23
TID_LAST_BYTE = 7
LENGTH_LAST_BYTE = 15
STATUS_BYTE = 16


class Scene:
    def __init__(self, directory, program):
        self.directory = directory
        self.program = program
        self.master = os.path.join(directory, 'master', 'Data.fs')
        self.slave = os.path.join(directory, 'slave', 'Data.fs')
        self.ends = []

    def begin(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in (self.master, self.slave):
            os.makedirs(os.path.dirname(path))
        self.ends = []

    def commit(self, path, first, last, pack=False):
        """Transactions with a marker each; seven objects, so each pack leaves records out."""
        db = DB(FileStorage(path))
        root = db.open().root()
        for number in range(7):
            root.setdefault('k%d' % number, PersistentMapping())
        for number in range(first, last):
            root['k%d' % (number % 7)]['v'] = 'MARK-%04d-' % number + 'x' * 100
            transaction.get().note('description number %d' % number)
            transaction.commit()
        if pack:
            time.sleep(0.01)
            db.pack(time.time())
        db.close()

    def store(self, oids, pack=False):
        """A transaction for each oid, without the records of a DB."""
        storage = FileStorage(self.master, pack_gc=False)
        for oid in oids:
            meta = TransactionMetaData()
            storage.tpc_begin(meta)
            try:
                serial = storage.getTid(p64(oid))
            except KeyError:
                serial = z64
            storage.store(p64(oid), serial, os.urandom(5000), '', meta)
            storage.tpc_vote(meta)
            storage.tpc_finish(meta)
        if pack:
            time.sleep(0.01)
            storage.pack(time.time(), lambda data, oids=None: [])
        storage.close()

    def positions(self, path):
        storage = FileStorage(path, read_only=True)
        found = [record._tpos for record in storage.iterator()]
        storage.close()
        return found

    def flip(self, path, at):
        with open(path, 'r+b') as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def flip_data(self, path, transaction_at):
        with open(path, 'rb') as file:
            self.flip(path, file.read().index(b'xxxx', transaction_at) + 5)

    def flip_oid(self, path, at):
        with open(path, 'rb') as file:
            file.seek(at + 17)
            lengths = struct.unpack('>HHH', file.read(6))
        self.flip(path, at + HEADER + sum(lengths) + 7)

    def cut(self, at):
        os.truncate(self.slave, at)
        for name in ('.lock', '.index'):
            if os.path.exists(self.slave + name):
                os.remove(self.slave + name)

    def sync(self, *more):
        paths = [self.master, self.slave, '--status-file', os.path.join(self.directory, 'status')]
        run = subprocess.run([*self.program, 'sync', *paths, '--json', *more], capture_output=True, text=True)
        answer = json.loads(run.stdout)
        self.ends.append([run.returncode, answer['action'], answer['reason']])

    def end(self, name):
        markers = set()
        for each in os.listdir(os.path.dirname(self.slave)):
            with open(os.path.join(os.path.dirname(self.slave), each), 'rb') as file:
                markers |= set(re.findall(rb'MARK-\d+-', file.read()))
        kept = [each for each in os.listdir(os.path.dirname(self.slave)) if 'only-here' in each]
        line = {'scene': name, 'ends': self.ends, 'markers': sorted(each.decode() for each in markers), 'kept': len(kept)}
        print(json.dumps(line), flush=True)


def own_in_a_cut_slave(scene):
    scene.begin()
    scene.commit(scene.master, 0, 40)
    scene.sync()
    at = scene.positions(scene.slave)[-6]
    scene.cut(at)
    scene.commit(scene.slave, 900, 902)
    scene.flip(scene.slave, at + LENGTH_LAST_BYTE)
    scene.sync()
    scene.end('own transactions in a cut slave, and a flipped length')


def flip_and_pack(scene):
    flips = {
        'description': lambda at: scene.flip(scene.slave, at + HEADER + 2),
        'tid': lambda at: scene.flip(scene.slave, at + TID_LAST_BYTE),
        'oid': lambda at: scene.flip_oid(scene.slave, at),
    }
    for what, flip in flips.items():
        for has_old in (True, False):
            scene.begin()
            scene.commit(scene.master, 0, 30)
            scene.sync()
            flip(scene.positions(scene.slave)[-3])
            scene.commit(scene.master, 30, 33, pack=True)
            if not has_old:
                os.remove(scene.master + '.old')
            scene.sync()
            scene.sync()
            scene.end('a flipped bit in a %s, and a pack' % what)


def rot_and_full(scene):
    scene.begin()
    scene.commit(scene.master, 0, 30)
    scene.sync()
    at = scene.positions(scene.master)
    scene.flip_data(scene.master, at[-2])
    scene.cut(at[-3])
    scene.sync()
    scene.sync('--full')
    scene.end('rot of the master where the slave was cut')
    scene.begin()
    scene.commit(scene.master, 0, 30)
    scene.sync()
    at = scene.positions(scene.master)
    scene.flip_data(scene.master, at[-2])
    scene.flip(scene.slave, at[15] + LENGTH_LAST_BYTE)
    scene.sync('--full')
    scene.end('rot of the master where the slave cannot be read')


def pack_of_packed(scene):
    scene.begin()
    scene.store([*range(1, 13), 90, 90], pack=True)
    scene.store(range(20, 28))
    scene.sync()
    scene.flip(scene.slave, scene.positions(scene.slave)[5] + HEADER + 42 + 50)
    scene.store([91, 91], pack=True)
    scene.sync()
    scene.end('a flipped bit, and a pack of a file that was packed before')
    scene.begin()
    scene.store(range(1, 21))
    scene.sync()
    scene.cut(os.path.getsize(scene.slave) * 30 // 100)
    scene.store([91, 91], pack=True)
    scene.sync()
    scene.end('a cut slave, and a pack')


def status_and_tid(scene):
    scene.begin()
    scene.store([1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9])
    scene.sync('--chunk-size', '4KiB')
    at = scene.positions(scene.slave)
    scene.flip(scene.slave, at[2] + STATUS_BYTE)
    scene.flip(scene.slave, at[4] + TID_LAST_BYTE)
    scene.store([10], pack=True)
    scene.sync('--chunk-size', '4KiB')
    scene.end('a flipped status and a flipped tid, and a pack')


def two_flips_and_full(scene):
    scene.begin()
    scene.commit(scene.master, 0, 30)
    scene.sync()
    at = scene.positions(scene.slave)
    scene.flip(scene.slave, at[3] + HEADER + 2)
    scene.flip_data(scene.slave, at[9])
    scene.sync('--full')
    scene.end('two flipped bits of the slave')


if __name__ == '__main__':
    scene = Scene(sys.argv[1], sys.argv[2:])
    for play in (own_in_a_cut_slave, flip_and_pack, rot_and_full, pack_of_packed, status_and_tid, two_flips_and_full):
        play(scene)
