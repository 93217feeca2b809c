"""ZODB's fsIndex as judge: one JSON question a line on stdin, one JSON answer a line on stdout.

Entries are base64: 8 bytes of oid, 8 bytes of position each.
"""
import base64
import json
import sys

from ZODB.fsIndex import fsIndex
from ZODB.utils import p64
from ZODB.utils import u64


def save(question):
    """What fsIndex.save writes, to question['path']."""
    entries = base64.b64decode(question['entries'])
    index = fsIndex()
    for at in range(0, len(entries), 16):
        index[entries[at:at + 8]] = u64(entries[at + 8:at + 16])
    index.save(question['end'], question['path'])
    return {}


def load(question):
    """What fsIndex.load makes of question['path']."""
    loaded = fsIndex.load(question['path'])
    entries = b''.join(oid + p64(position) for oid, position in loaded['index'].items())
    return {'end': loaded['pos'], 'entries': base64.b64encode(entries).decode()}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        answer = save(question) if question['ask'] == 'save' else load(question)
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
