"""The real ZODB as a long-lived judge: one question per line on stdin, one answer per line on stdout, both JSON.

read   the result of a read-only FileStorage for a file, and of a scan of it without any index
serve  whether a read-write FileStorage, as ZEO opens it, opens a copy unchanged: nothing truncated, nothing set aside
"""
import glob
import io
import json
import logging
import os
import shutil
import sys
import tempfile

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import read_index
from ZODB.fsIndex import fsIndex


def scan(path):
    """Committed end, last committed tid and number of objects, from the bytes alone."""
    # In memory, so that the answer is about one moment even if the file grows.
    with open(path, 'rb') as stream:
        file = io.BytesIO(stream.read())
    file.name = path
    index = fsIndex()
    end, _, _ = read_index(file, path, index, {}, read_only=True)
    if end > 4:
        file.seek(end - 8)
        length = int.from_bytes(file.read(8), 'big')
        file.seek(end - 8 - length)
        tid = file.read(8).hex()
    else:
        tid = '0' * 16
    return {'committedEnd': end, 'lastTid': tid, 'oids': len(index), 'size': len(file.getbuffer())}, index


def read(path):
    answer, index = scan(path)
    storage = FileStorage(path, read_only=True)
    try:
        answer['indexUsed'] = bool(getattr(storage, '_used_index', 0))
        answer['indexRight'] = list(storage._index.items()) == list(index.items())
        answer['opensAt'] = storage._pos
    finally:
        storage.close()
    return answer


def serve(path):
    scratch = tempfile.mkdtemp(prefix='syncpozo-judge-')
    try:
        copy = os.path.join(scratch, 'Data.fs')
        shutil.copyfile(path, copy)
        if os.path.exists(path + '.index'):
            shutil.copyfile(path + '.index', copy + '.index')
        answer, index = scan(copy)
        storage = FileStorage(copy)
        try:
            answer['opensAt'] = storage._pos
            answer['indexUsed'] = bool(getattr(storage, '_used_index', 0))
            answer['indexRight'] = list(storage._index.items()) == list(index.items())
        finally:
            storage.close()
        answer['sizeAfter'] = os.path.getsize(copy)
        answer['setAside'] = len(glob.glob(copy + '.tr*'))
        return answer
    finally:
        shutil.rmtree(scratch)


QUESTIONS = {'read': read, 'serve': serve}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = QUESTIONS[question['ask']](question['path'])
        except Exception as error:
            answer = {'error': type(error).__name__, 'message': str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
