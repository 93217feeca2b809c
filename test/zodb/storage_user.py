"""A program that uses a Data.fs in place: one question per line on stdin, one answer per line on stdout, both JSON.

grow      commits this many megabytes of random data
open      opens it as ZEO does, read-write, and keeps it open
lock      takes its lock with zc.lockfile, and keeps it
release   closes what open or lock holds
"""
import json
import logging
import os
import sys

import zc.lockfile
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage
from ZODB.utils import z64

MEGABYTE = 1 << 20
kept = []


def grow(path, megabytes):
    storage = FileStorage(path)
    for _ in range(megabytes):
        meta = TransactionMetaData('grower')
        storage.tpc_begin(meta)
        storage.store(storage.new_oid(), z64, os.urandom(MEGABYTE), '', meta)
        storage.tpc_vote(meta)
        storage.tpc_finish(meta)
    storage.close()
    return {'size': os.path.getsize(path)}


def open_storage(path):
    storage = FileStorage(path)
    kept.append(storage)
    return {'opensAt': storage._pos}


def lock(path):
    kept.append(zc.lockfile.LockFile(path + '.lock'))
    return {}


def release():
    while kept:
        kept.pop().close()
    return {}


QUESTIONS = {'grow': grow, 'open': open_storage, 'lock': lock, 'release': release}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = QUESTIONS[question.pop('ask')](**question)
        except Exception as error:
            answer = {'error': type(error).__name__, 'message': str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
