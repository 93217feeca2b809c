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

    def undone(self, tid):
        """The blobs of a transaction that undoes the one with this tid: what each was before it."""
        return {oid: self.before(oid, tid) for oid, revisions in self.revisions.items() if (oid, tid) in self.contents}

    def before(self, oid, tid):
        older = [content for each, content in self.revisions[oid] if each < tid]
        return older[-1] if older else None
