"""
A small rejoin without any care for speed, for two purposes: it shows that the judge lets a correct one pass, and, with a
fault, that the judge finds it. All other commands are the real ones.

It copies nothing by the program's ways: fork by comparing all transactions, the lost file by ZODB's iterator, no role.
"""
import json
import os
import random

from ZODB.blob import LAYOUTS
from ZODB.fsIndex import fsIndex
from ZODB.FileStorage.format import DataHeader, TxnHeader
from ZODB.utils import p64, u64, z64

from program import KILLED, Answer, Program
from reading import committed_bytes, read, transactions, write

FAULTS = ('exports nothing', 'not the last', 'cuts first', 'cuts too little', 'another text', 'one too many', 'no blobs', 'no index',
          'writes the master', 'reads twice')


def program(name):
    fault = name.partition(':')[2] or None
    if fault not in (None, *FAULTS):
        raise SystemExit(f'a fault is one of: {FAULTS}')
    return StandIn(fault)


class Killed(Exception):
    pass


class StandIn(Program):
    def __init__(self, fault):
        self.fault, self.steps, self.position = fault, None, 0

    def may_serve(self, side, peer=None):
        """As it should answer: the real one has no role of the stand-in's to read."""
        refuses = side is not side.world.serving and (peer or side.knows)
        return Answer('may-serve', 3 if refuses else 0, '', '')

    def killed_rejoin(self, rng, master, slave, *options):
        return self.rejoin(master, slave, *options, steps=random.Random(rng.random()).randrange(4))

    def counted_rejoin(self, master, slave, *options):
        answer = self.rejoin(master, slave, *options)
        return answer, (2 if self.fault == 'reads twice' else 1) * self.read, ''

    def rejoin(self, master, slave, *options, steps=9):
        self.steps = steps
        if slave in getattr(slave.world, 'servers', ()):
            return Answer('rejoin', 5, '', '')
        try:
            return self.run(master, slave, '--dry-run' in options)
        except Killed:
            return Answer('rejoin', KILLED, '', '')

    def step(self):
        """A kill comes before this step."""
        if self.steps == 0:
            raise Killed
        self.steps -= 1

    def run(self, master, slave, is_dry):
        ours, theirs = transactions(slave.path), transactions(master.path)
        common = 0
        while common < min(len(ours), len(theirs)) and ours[common].is_like(theirs[common]):
            common += 1
        lost = ours[common:]
        fork = ours[common - 1].end if common else 4
        answer = Answer('rejoin', 0, json.dumps({'action': 'rewind', 'lost': {'transactions': len(lost)} if lost else None}), '')
        if is_dry:
            return answer
        steps = [lambda: self.export(slave, lost, ours[common - 1]), lambda: self.cut(slave, fork), lambda: self.copy(master, slave, fork)]
        if self.fault == 'cuts first':
            steps[:2] = reversed(steps[:2])
        for step in steps:
            self.step()
            step()
        answer.code = self.code
        return answer

    def export(self, slave, lost, newest_common):
        if self.fault == 'exports nothing' or not lost:
            return
        stem = os.path.join(slave.directory, f'lost-{lost[0].tid.hex()}-{lost[-1].tid.hex()}')
        exported = lost[:-1] if self.fault == 'not the last' else lost
        write(stem + '.fs', thin_file([newest_common, *lost] if self.fault == 'one too many' else exported, self.fault == 'another text'))
        write(stem + '.json', json.dumps({'transactions': [{}] * len(lost)}).encode())
        write(stem + '.txt', b'')
        for each in lost:
            commit = slave.world.acknowledged.get(each.commit)
            for oid, content in commit.blobs.items() if commit and self.fault != 'no blobs' else ():
                path = os.path.join(stem + '.blobs', LAYOUTS['bushy'].getBlobFilePath(oid, each.tid))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write(path, content)

    def cut(self, slave, fork):
        for suffix in ('.index', '.dat', '.role', '.refusal'):
            if os.path.exists(slave.path + suffix):
                os.remove(slave.path + suffix)
        if self.fault != 'cuts too little':
            os.truncate(slave.path, fork)

    def copy(self, master, slave, fork):
        data = committed_bytes(master.path)
        self.read = len(data) - fork
        if self.fault == 'writes the master':
            write(master.path + '.touched', b'')
        with open(slave.path, 'r+b') as file:
            file.seek(0, os.SEEK_END)
            file.write(data[file.tell():])
        self.call('on', '--status-file', slave.status_file)
        answer = self.sync(master, slave)
        self.call('index', slave.path)
        self.code = answer.code
        if self.fault == 'no index':
            index = fsIndex.load(slave.path + '.index')
            index['index'][z64] = index['index'].get(p64(u64(max(index['index'].keys()))))
            index['index'].save(index['pos'], slave.path + '.index')


def thin_file(lost, is_spoiled):
    """FS30 of these transactions, back pointers replaced by data."""
    out, newest = bytearray(b'FS30'), {}
    for each in lost:
        user, description, extension = each.texts
        if is_spoiled:
            user = b'x' * len(user)
        start, head = len(out), 23 + len(user) + len(description) + len(extension)
        body = bytearray()
        for oid, data in each.sequence:
            header = DataHeader(oid, each.tid, newest.get(oid, 0), start, 0, len(data or b''))
            newest[oid] = start + head + len(body)
            body += header.asString() + (data if data is not None else z64)
        length = head + len(body)
        header = TxnHeader(each.tid, length, each.status, len(user), len(description), len(extension))
        header.user, header.descr, header.ext = user, description, extension
        out += header.asString() + body + p64(length)
    return bytes(out)
