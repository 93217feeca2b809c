"""ZODB's index as judge: one JSON question per line on stdin, one JSON answer per line on stdout.

save    writes the output of fsIndex.save for entries: base64, 8 bytes of oid and 8 bytes of position each
load    returns the result of fsIndex.load for a file
scan    writes the index of a Data.fs that FileStorage builds when there is none
scan and open  scan, and whether FileStorage uses the index beside a Data.fs, and whether its last transaction has an
        object twice
"""
import base64
import json
import logging
import sys

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import read_index
from ZODB.fsIndex import fsIndex
from ZODB.utils import p64
from ZODB.utils import u64


def save(question):
    entries = base64.b64decode(question['entries'])
    index = fsIndex()
    for at in range(0, len(entries), 16):
        index[entries[at:at + 8]] = u64(entries[at + 8:at + 16])
    index.save(question['end'], question['path'])
    return {}


def load(question):
    loaded = fsIndex.load(question['path'])
    entries = b''.join(oid + p64(position) for oid, position in loaded['index'].items())
    return {'end': loaded['pos'], 'entries': base64.b64encode(entries).decode()}


def scan(question):
    index = fsIndex()
    with open(question['data'], 'rb') as file:
        end, _, _ = read_index(file, question['data'], index, {}, read_only=True)
    index.save(end, question['path'])
    return {}


def opens(question):
    storage = FileStorage(question['data'], read_only=True)
    try:
        # An empty transaction may be the last one: then all are read.
        oids = last_oids(storage, storage.lastTransaction()) or last_oids(storage, None)
        return {'used': bool(storage._used_index), 'twice': len(set(oids)) < len(oids)}
    finally:
        storage.close()


def last_oids(storage, start):
    oids = []
    for transaction in storage.iterator(start):
        oids = [record.oid for record in transaction] or oids
    return oids


def scan_and_open(question):
    return {**scan(question), **opens(question)}


QUESTIONS = {'save': save, 'load': load, 'scan': scan, 'scan and open': scan_and_open}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(QUESTIONS[question['ask']](question)), flush=True)


if __name__ == '__main__':
    main()
