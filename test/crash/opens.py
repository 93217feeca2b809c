"""What a server's FileStorage, opened read-write, makes of files: a list of paths per line on stdin, the answers on stdout.

The files are throw-away copies: FileStorage changes them, and then they are removed.
index  writes the index beside a file, as a server does at shutdown
"""
import glob
import io
import json
import logging
import os
import sys

from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import read_index
from ZODB.fsIndex import fsIndex


class Opened(FileStorage):
    def _save_index(self):
        """Only the answer remains."""


def opens(path):
    storage = Opened(path)
    try:
        answer = {'opensAt': storage._pos, 'indexUsed': bool(storage._used_index), 'indexRight': True}
        if storage._used_index:
            answer['indexRight'] = list(storage._index.items()) == list(scanned(path).items())
        return answer
    finally:
        storage.close()


def scanned(path):
    with open(path, 'rb') as stream:
        file = io.BytesIO(stream.read())
    file.name = path
    index = fsIndex()
    read_index(file, path, index, {}, read_only=True)
    return index


def make_index(path):
    FileStorage(path).close()
    for beside in ('.tmp', '.lock'):
        os.remove(path + beside)
    return {}


def judged(path):
    try:
        return opens(path)
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}
    finally:
        for beside in glob.glob(path + '*'):
            os.remove(beside)


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        if 'index' in question:
            answer = make_index(question['index'])
        else:
            answer = [judged(path) for path in question['paths']]
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
