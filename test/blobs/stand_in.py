"""
A stand-in for the program, which proves the oracle: it syncs as simply as can be, in the right order, or with one fault.

    python test/blobs/stand_in.py FAULT sync MASTER SLAVE --blobs MASTER_BLOBS:SLAVE_BLOBS ...

It has no hashes, no lock and no fsync, keeps nothing in memory between runs, and reads both sides whole each time. The faults: faults.py.
"""
import argparse
import json
import os
import shutil
import sys
import time

from faults import FAULTS, RIGHT
from oracle import committed_bytes, named
from tree import SUFFIX, Tree, key_of, path_of, read

ATTEMPTS = 8


class Packed(Exception):
    """The master has another file than at the beginning."""


class StandIn:
    def __init__(self, fault, options):
        self.fault, self.full, self.keep = fault, options.full, options.keep_blobs
        self.scrub, self.packed = options.scrub == 'full', False
        self.master, self.slave = os.path.join(options.master, 'Data.fs'), os.path.join(options.slave, 'Data.fs')
        self.source, self.target = options.blobs.split(':')
        self.layout = read(os.path.join(self.source, '.layout')).decode().strip()
        self.figures = {'copied': 0, 'bytes': 0, 'linked': 0, 'removed': 0, 'missing': 0}

    def run(self):
        for _ in range(ATTEMPTS):
            try:
                return self.attempt()
            except (Packed, FileNotFoundError):
                self.packed = True
                time.sleep(0.02)
        return 1, 'failed'

    def attempt(self):
        """One pass over the master's file as it is now; (exit code, action)."""
        inode = os.stat(self.master).st_ino
        data = committed_bytes(self.master)
        # The names of just these bytes: the master may have grown meanwhile.
        self.write(self.slave + '.new', data)
        keys = set(named(self.slave + '.new')[0])
        if os.stat(self.master).st_ino != inode:
            raise Packed
        ours = read(self.slave) if os.path.exists(self.slave) else b''
        rebuild = not data.startswith(ours)
        if self.fault in ('slow', 'no second look'):
            time.sleep(0.12)
        if self.fault == 'current revisions only':
            keys = set({oid: (oid, tid) for oid, tid in sorted(keys)}.values())
        if self.fault == 'usual records only':
            keys = {key for key in keys if b'cZODB.blob\nBlob\nq\x00.\x80\x03N.' in record_of(self.master, key)}
        if self.fault == 'touches the master':
            os.utime(path_of(self.source, sorted(keys)[0], self.layout)) if keys else None
        if self.fault == 'removes before the data':
            self.remove(keys)
        if self.fault == 'data first':
            self.put_data(data)
        if self.fault != 'no layout':
            self.copy(os.path.join(self.source, '.layout'), os.path.join(self.target, '.layout'), counts=False)
        if self.fault == 'blobs by a walk first':
            self.walk()
        if self.fault == 'copies junk':
            self.copy_junk()
        missing = [key for key in sorted(keys) if not self.copy_blob(key, inode)] if self.fault != 'blobs by a walk first' else []
        if missing and self.fault == 'aborts at a missing blob':
            return 1, 'failed'
        if not os.path.exists(self.slave) or ours != data:
            self.put_data(data)
        if (rebuild or self.packed) and self.fault != 'removes nothing':
            self.remove(keys)
        self.figures['missing'] = len(missing) + (self.fault == 'counts wrong' and len(missing) > 0)
        self.figures['copied'] += self.fault == 'wrong figures'
        code = 4 if missing and self.fault != 'hides what is missing' else 0
        return code, 'rebuild' if rebuild else 'append' if ours != data else 'none'

    def put_data(self, data):
        if self.fault == 'not atomic' and os.path.exists(self.slave):
            with open(self.slave, 'wb') as file:
                file.write(data[:len(data) // 2])
                file.flush()
                time.sleep(0.05)
                file.write(data[len(data) // 2:])
            return
        self.write(self.slave + '.new', data)
        os.rename(self.slave + '.new', self.slave)

    def write(self, path, data):
        with open(path, 'wb') as file:
            file.write(data)

    def copy_blob(self, key, inode):
        """True if the slave has it afterwards."""
        source, target = path_of(self.source, key, self.layout), path_of(self.target, key, self.layout)
        if self.fault == 'one name per object':
            source = os.path.join(os.path.dirname(source), max(os.listdir(os.path.dirname(source))))
        if os.path.exists(target) and not (self.scrub and self.differs(source, target)):
            return True
        if self.fault == 'forgets what is missing' and os.path.exists(self.slave) and key in named(self.slave)[0]:
            return True
        try:
            self.copy(source, target)
            return True
        except FileNotFoundError:
            # A pack removes files behind its new Data.fs: then that one decides.
            if self.fault != 'no second look' and os.stat(self.master).st_ino != inode:
                raise Packed from None
            return False

    def differs(self, source, target):
        if self.fault == 'trusts what is there' or not os.path.exists(source):
            return False
        return read(source) != read(target)

    def copy(self, source, target, counts=True):
        if not counts and os.path.exists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if self.fault == 'hard links':
            os.link(source, target)
        elif self.fault == 'not atomic':
            shutil.copyfile(source, target)
        else:
            shutil.copyfile(source, target + '.copy')
            os.chmod(target + '.copy', 0o444)
            os.rename(target + '.copy', target)
        if counts:
            self.figures['copied'] += 1
            self.figures['bytes'] += os.path.getsize(target)

    def walk(self):
        for path, _, names in os.walk(self.source):
            for name in names:
                target = os.path.join(self.target, os.path.relpath(os.path.join(path, name), self.source))
                if name.endswith(SUFFIX) and not os.path.exists(target):
                    self.copy(os.path.join(path, name), target)
        time.sleep(0.05)

    def copy_junk(self):
        for name in Tree(self.source, self.layout).others:
            self.copy(os.path.join(self.source, name), os.path.join(self.target, name), counts=False)

    def remove(self, keys):
        for name in list(Tree(self.target, self.layout).entries):
            key = key_of(name, self.layout)
            own = key is not None and key not in keys and key[1] != b'\xff' * 8
            if own or self.fault == 'removes foreign files' and key is None and name != '.layout':
                self.figures['removed'] += 1
                self.take_away(name)

    def take_away(self, name):
        path, aside = os.path.join(self.target, name), os.path.join(self.target + '.old', name)
        if self.keep and self.fault != 'keeps nothing':
            os.makedirs(os.path.dirname(aside), exist_ok=True)
            os.rename(path, aside)
        else:
            os.remove(path)


def record_of(path, key):
    from ZODB.FileStorage.FileStorage import FileIterator
    return b''.join(record.data or b'' for transaction in FileIterator(path, key[1], key[1]) for record in transaction if record.oid == key[0])


def main():
    parser = argparse.ArgumentParser()
    for name in ('fault', 'sync', 'master', 'slave'):
        parser.add_argument(name)
    for name in ('--blobs', '--status-file', '--scrub', '--blobs-by'):
        parser.add_argument(name)
    for name in ('--json', '--quiet', '--full', '--keep-blobs'):
        parser.add_argument(name, action='store_true')
    options = parser.parse_args()
    fault = options.fault.replace('-', ' ')
    if fault not in FAULTS and fault not in RIGHT:
        parser.error(f'no such fault: {fault}')
    stand_in = StandIn(fault, options)
    code, action = stand_in.run()
    print(json.dumps({'action': action, 'reason': 'stand-in', 'exitCode': code, 'blobs': stand_in.figures}))
    sys.exit(code)


if __name__ == '__main__':
    main()
