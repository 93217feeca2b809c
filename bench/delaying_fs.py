"""A read-only file system that delays every read like a slow network. Speaks the FUSE protocol with the kernel.

    delaying_fs.py DIRECTORY MOUNTPOINT MILLISECONDS READ_AHEAD_KIB

shows the files of DIRECTORY at MOUNTPOINT until its standard input ends. It prints a line once it is mounted. Each read
request of the kernel is delayed by MILLISECONDS; as over a network, many requests may wait at once. Requests have up to
1 MiB, as with rsize=1048576 on NFS. READ_AHEAD_KIB is how far the kernel reads ahead (NFS: 128 by default since Linux
5.4, 15 times rsize before). Pages stay cached across opens, as on NFS while the file has not changed.

Requires Linux, root, /dev/fuse and Python alone. The numbers are those of the kernel's include/uapi/linux/fuse.h.
"""
import ctypes
import errno
import os
import stat
import struct
import sys
import threading
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH = 1, 2, 3, 14, 15, 17, 18, 25
INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, DESTROY, BATCH_FORGET = 26, 27, 28, 29, 34, 36, 38, 42
NO_REPLY = {FORGET, INTERRUPT, BATCH_FORGET}
ASYNC_READ, MAX_PAGES = 1 << 0, 1 << 22
KEEP_CACHE = 1 << 1
ROOT = 1
REQUEST_BYTES = 1 << 20
PAGE = 4096
SMALLEST_BUFFER = 8192
IN_FLIGHT = 64
CACHED_SECONDS = 3
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
MNT_DETACH = 2

IN_HEADER = struct.Struct('<IIQQIIIHH')
OUT_HEADER = struct.Struct('<IiQ')


class Delaying:
    def __init__(self, directory, mountpoint, seconds):
        self.directory = directory
        self.mountpoint = mountpoint
        self.seconds = seconds
        self.names = {}
        self.device = os.open('/dev/fuse', os.O_RDWR)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def mount(self):
        options = f'fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other,max_read={REQUEST_BYTES}'
        done = self.libc.mount(b'delaying', self.mountpoint.encode(), b'fuse.delaying',
                               MS_RDONLY | MS_NOSUID | MS_NODEV, options.encode())
        if done != 0:
            sys.exit(f'mount: {os.strerror(ctypes.get_errno())}')

    def unmount(self):
        self.libc.umount2(self.mountpoint.encode(), MNT_DETACH)

    def serve(self):
        buffer = bytearray(REQUEST_BYTES)
        while True:
            try:
                request = os.read(self.device, SMALLEST_BUFFER)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            _, opcode, unique, node, *_ = IN_HEADER.unpack_from(request)
            try:
                body, error = self.answer(opcode, node, request[IN_HEADER.size:], buffer), 0
            except OSError as fault:
                body, error = b'', fault.errno
            if opcode not in NO_REPLY:
                self.reply(unique, error, body)

    def reply(self, unique, error, body):
        header = OUT_HEADER.pack(OUT_HEADER.size + len(body), -error, unique)
        try:
            os.writev(self.device, [header, body])
        except FileNotFoundError:
            pass  # The process that asked has been killed.

    def answer(self, opcode, node, body, buffer):
        if opcode == READ:
            handle, offset, size = struct.unpack_from('<QQI', body)
            time.sleep(self.seconds)
            length = os.preadv(handle, [memoryview(buffer)[:size]], offset)
            return memoryview(buffer)[:length]
        if opcode == INIT:
            return self.init(body)
        if opcode == LOOKUP:
            return self.lookup(body.rstrip(b'\0').decode())
        if opcode == GETATTR:
            return struct.pack('<QII', CACHED_SECONDS, 0, 0) + self.attributes(node)
        if opcode == OPEN:
            return struct.pack('<QII', os.open(self.path(node), os.O_RDONLY), KEEP_CACHE, 0)
        if opcode == RELEASE:
            os.close(struct.unpack_from('<Q', body)[0])
            return b''
        if opcode == OPENDIR:
            return struct.pack('<QII', 0, 0, 0)
        if opcode == READDIR:
            return self.listing(struct.unpack_from('<QQ', body)[1])
        if opcode == STATFS:
            return struct.pack('<QQQQQIIII24x', 0, 0, 0, 0, 0, PAGE, 255, PAGE, 0)
        if opcode in (FLUSH, RELEASEDIR, ACCESS, DESTROY) or opcode in NO_REPLY:
            return b''
        raise OSError(errno.ENOSYS, 'not here')

    def init(self, body):
        major, _, read_ahead, flags = struct.unpack_from('<IIII', body)
        return struct.pack('<IIIIHHIIHHI28x', major, 31, read_ahead, flags & (ASYNC_READ | MAX_PAGES),
                           IN_FLIGHT, IN_FLIGHT, PAGE, 1, REQUEST_BYTES // PAGE, 0, 0)

    def lookup(self, name):
        node = os.lstat(os.path.join(self.directory, name)).st_ino + ROOT
        self.names[node] = name
        return struct.pack('<QQQQII', node, 0, CACHED_SECONDS, CACHED_SECONDS, 0, 0) + self.attributes(node)

    def path(self, node):
        return self.directory if node == ROOT else os.path.join(self.directory, self.names[node])

    def attributes(self, node):
        found = os.lstat(self.path(node))
        times = [found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns]
        return struct.pack('<QQQQQQIIIIIIIIII', node, found.st_size, found.st_blocks,
                           *(ns // 10**9 for ns in times), *(ns % 10**9 for ns in times),
                           found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, PAGE, 0)

    def listing(self, offset):
        entries = b''
        for number, name in enumerate(sorted(os.listdir(self.directory)), 1):
            if number > offset:
                info = os.lstat(os.path.join(self.directory, name))
                encoded = name.encode()
                entry = struct.pack('<QQII', info.st_ino + ROOT, number, len(encoded), stat.S_IFMT(info.st_mode) >> 12)
                entries += (entry + encoded).ljust(-(-(len(entry) + len(encoded)) // 8) * 8, b'\0')
        return entries[:PAGE]


def set_read_ahead(mountpoint, kib):
    device = os.stat(mountpoint).st_dev
    with open(f'/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb', 'w') as file:
        file.write(str(kib))


def main(directory, mountpoint, milliseconds, read_ahead_kib):
    served = Delaying(directory, mountpoint, float(milliseconds) / 1000)
    served.mount()
    try:
        for _ in range(IN_FLIGHT):
            threading.Thread(target=served.serve, daemon=True).start()
        set_read_ahead(mountpoint, int(read_ahead_kib))
        print('mounted', flush=True)
        sys.stdin.read()
    finally:
        served.unmount()


main(*sys.argv[1:])
