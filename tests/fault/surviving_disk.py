"""What a power loss leaves of a folder: made from what disk_faults.c logged.

A file keeps all that was written before its last fsync began. Of what was written later any part may be there: none,
all, the beginning, or sectors here and there. A folder keeps its entries in the same way: a name that was made, given away or
removed after the folder's last fsync may be as before or as after, each on its own. So nothing is taken for safe that
POSIX doesn't promise; that real file systems do better in most cases is not relied on.
"""

import os
import struct

HEAD = struct.Struct("<IIIIQq")
OPEN, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, RMDIR, SYNC_BEGIN, SYNC_END, LINK, MAPPED = range(1, 12)
BLOCKS = (512, 4096)


class File:
    """Content that is safe, and what was done to it since."""

    def __init__(self, content=b""):
        self.safe = bytearray(content)
        self.changes = []  # (offset, bytes), or (size, None) where it was truncated
        self.begun = {}    # number of a sync → how many of the changes it covers

    def sync_begins(self, number):
        self.begun[number] = len(self.changes)

    def sync_ends(self, number):
        count = self.begun.pop(number, 0)
        for change in self.changes[:count]:
            apply(self.safe, change)
        self.changes = self.changes[count:]
        self.begun = {other: max(0, covered - count) for other, covered in self.begun.items()}

    def survive(self, rng):
        content = bytearray(self.safe)
        way = rng.choice(("none", "all", "prefix", "some", "some", "sizes"))
        if way == "none":
            return content
        changes = self.changes
        if way == "prefix":
            changes = changes[:rng.randrange(len(changes) + 1)]
        for change in changes:
            if way in ("all", "prefix") or change[1] is None:
                if change[1] is not None or way != "some" or rng.random() < 0.5:
                    apply(content, change)
                continue
            for piece in pieces(change, rng.choice(BLOCKS)):
                if way == "sizes":  # The file has grown, and what should be there was never written.
                    if len(content) < piece[0] + len(piece[1]):
                        apply(content, (piece[0] + len(piece[1]), None))
                elif rng.random() < 0.5:
                    apply(content, piece)
        return content


class Folder:
    """Entries now and the safe ones, with what each name was since."""

    def __init__(self):
        self.now = {}
        self.history = {}  # name → the states since the last fsync, the safe one first; None: not there
        self.begun = {}

    def set(self, name, node):
        self.history.setdefault(name, [self.now.get(name)]).append(node)
        if node is None:
            self.now.pop(name, None)
        else:
            self.now[name] = node

    def sync_begins(self, number):
        self.begun[number] = {name: len(states) - 1 for name, states in self.history.items()}

    def sync_ends(self, number):
        covered = self.begun.pop(number, {})
        for name, index in covered.items():
            states = self.history.get(name)
            if states is None:
                continue
            del states[:min(index, len(states) - 1)]
            for other in self.begun.values():
                if name in other:
                    other[name] = max(0, other[name] - index)
            if len(states) == 1:
                del self.history[name]

    def survive(self, rng):
        entries = dict(self.now)
        way = rng.choice(("safe", "now", "some", "some"))
        for name, states in self.history.items():
            entries[name] = {"safe": states[0], "now": states[-1], "some": rng.choice(states)}[way]
        return {name: node for name, node in entries.items() if node is not None}


def apply(content, change):
    offset, data = change
    if data is None:
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def pieces(change, size):
    """The parts of a write that lie in one block each."""
    offset, data = change
    begin = 0
    while begin < len(data):
        end = min(len(data), begin + size - (offset + begin) % size)
        yield offset + begin, data[begin:end]
        begin = end


class Disk:
    """A folder, all of which is on the disk; then what a log says was done to it."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.nodes = {}  # inode → File or Folder, as of now
        self.folder = self._read(self.root)
        self.mapped = set()
        self.records = self.syncs = 0

    def _read(self, path):
        inode = os.lstat(path).st_ino
        if os.path.isdir(path):
            node = Folder()
            for name in os.listdir(path):
                node.now[name] = self._read(os.path.join(path, name))
        else:
            with open(path, "rb") as file:
                node = File(file.read())
        self.nodes[inode] = node
        return node

    def _parent(self, path):
        """The folder of a path, and the name in it."""
        names = os.path.relpath(path, self.root).split(os.sep)
        folder = self.folder
        for name in names[:-1]:
            folder = folder.now[name]
        return folder, names[-1]

    def replay(self, log, ignore_syncs=False):
        with open(log, "rb") as file:
            content = file.read()
        at = 0
        while at + HEAD.size <= len(content):
            kind, path_size, path2_size, data_size, inode, number = HEAD.unpack_from(content, at)
            end = at + HEAD.size + path_size + path2_size + data_size
            if end > len(content):
                break  # It was killed while it wrote this.
            at += HEAD.size
            path = content[at:at + path_size].decode()
            path2 = content[at + path_size:at + path_size + path2_size].decode()
            data = content[end - data_size:end]
            at = end
            self.records += 1
            if kind in (SYNC_BEGIN, SYNC_END) and ignore_syncs:
                continue
            self._step(kind, path, path2, data, inode, number)

    def _step(self, kind, path, path2, data, inode, number):
        if kind in (RENAME, LINK, UNLINK, RMDIR, OPEN, MKDIR):
            folder, name = self._parent(path)
        if kind == OPEN:
            if name not in folder.now:
                self.nodes[inode] = File()
                folder.set(name, self.nodes[inode])
            if number & os.O_TRUNC:
                folder.now[name].changes.append((0, None))
        elif kind == WRITE:
            self.nodes[inode].changes.append((number, data))
        elif kind == TRUNCATE:
            self.nodes[inode].changes.append((number, None))
        elif kind == MKDIR:
            self.nodes[inode] = Folder()
            folder.set(name, self.nodes[inode])
        elif kind in (UNLINK, RMDIR):
            folder.set(name, None)
        elif kind in (RENAME, LINK):
            new_folder, new_name = self._parent(path2)
            new_folder.set(new_name, folder.now[name])
            if kind == RENAME:
                folder.set(name, None)
        elif kind == SYNC_BEGIN and inode in self.nodes:
            self.nodes[inode].sync_begins(number)
        elif kind == SYNC_END and inode in self.nodes:
            self.syncs += 1
            self.nodes[inode].sync_ends(number)
        elif kind == MAPPED:
            self.mapped.add(path)

    def survive(self, target, rng):
        """Writes what is left into a new folder."""
        self._survive(self.folder, target, rng)

    def _survive(self, node, path, rng):
        if isinstance(node, Folder):
            os.mkdir(path)
            for name, entry in node.survive(rng).items():
                self._survive(entry, os.path.join(path, name), rng)
        else:
            with open(path, "wb") as file:
                file.write(node.survive(rng))
