"""What was committed: the content of every revision of every blob, registered by the writer, and never read from a file."""


class Registry:
    """
    `revisions`: {oid: [(tid, content)]} in the order of commits; content is None where the creation was undone.
    An entry that a pack removed stays: only what a Data.fs names is ever looked up.
    """

    def __init__(self):
        self.revisions = {}
        self.contents = {}
        self.tids = []
        self.count = 0

    def next_marker(self):
        self.count += 1
        return b'{B%06d}' % self.count

    def transaction(self, tid, blobs):
        """A transaction that is finished, with its blobs: {oid: content}."""
        self.tids.append(tid)
        for oid, content in blobs.items():
            self.revisions.setdefault(oid, []).append((tid, content))
            self.contents[oid, tid] = content

    def current(self, oid):
        return self.revisions[oid][-1][1]

    def undone(self, records):
        """
        The blobs of an undo: {oid: content}. Which revision came back is ZODB's decision: of an object that is garbage, a pack may leave an
        older revision alone, to which an undo then leads.
        """
        return {each.oid: self.contents[each.oid, each.data_txn] if each.data else None for each in records if each.oid in self.revisions}
