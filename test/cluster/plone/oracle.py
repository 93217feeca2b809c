"""oracle.py DATA.FS BLOBS: what load-main.ts has written into a Data.fs, or into a file of lost transactions. Prints one JSON object:

    written  {id: [tids of the transactions in which an item has the title that this write has given it]}
    deleted  {path: [tids]}
    blobs    {SHA-256: [tids]}
    missing  [the blobs of which there is no file: OID TID]

Stock ZODB, read-only; no code of Plone. An item is known by the class of its record: the catalog has titles too.
"""

import hashlib
import json
import re
import sys

from ZODB.blob import FilesystemHelper, is_blob_record
from ZODB.FileStorage import FileStorage

CLASS = b"plone.app.contenttypes.content"


def main(path, blobs):
    storage = FileStorage(path, read_only=True)
    files = FilesystemHelper(blobs)
    out = {"written": {}, "deleted": {}, "blobs": {}, "missing": []}
    for transaction in storage.iterator():
        tid = transaction.tid.hex()
        note = re.fullmatch(r"/Plone(/.*)/DELETE_application_json_", transaction.description.decode("utf-8", "replace"))
        if note:
            out["deleted"].setdefault(note[1], []).append(tid)
        for record in transaction:
            data = record.data
            if not data:
                continue
            if is_blob_record(data):
                try:
                    with open(files.getBlobFilename(record.oid, transaction.tid), "rb") as stored:
                        out["blobs"].setdefault(hashlib.sha256(stored.read()).hexdigest(), []).append(tid)
                except OSError:
                    out["missing"].append(f"{record.oid.hex()} {tid}")
            elif CLASS in data[:100]:
                for found in re.findall(rb"(?s)title.{2,16}?mark(\d+)end", data):
                    out["written"].setdefault(int(found), []).append(tid)
    print(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
