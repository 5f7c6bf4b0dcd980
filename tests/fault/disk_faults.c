// A disk that can fail, for tests: loaded into a program with LD_PRELOAD, it stands between it and what it does to one
// folder.
//
//   DATELINE_FAULT_ROOT     the folder; nothing else is touched
//   DATELINE_FAULT_LOG      a file to which every change of the folder is appended, with its data, and every fsync:
//                           from it a test makes the folder that a power loss leaves (power_loss.py)
//   DATELINE_FAULT_CONTROL  a file of five 64-bit numbers, which the test maps and changes while the program runs: see
//                           struct control
//   DATELINE_FAULT_BOOT_ID  a file that is read in the place of /proc/sys/kernel/random/boot_id
//
// Room that was taken with fallocate is there: what is written into it does not find the disk full.
//
// A record is in the log once the change is done, and changes are made one at a time, so that the order of the log is
// that of the changes. A sync has two: what was written before it began is safe once it has ended. What is mapped and
// written that way is not seen, but that it was mapped is; SQLite's -shm file is left out, as nothing in it outlives
// the process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define NANOSECONDS 1000000000LL

struct control {
  uint64_t changes;      // Counted here: attempts to change the folder or to force it to disk.
  uint64_t fail_from;    // The first one, counted from 0, that fails, and with it all later ones.
  uint64_t error;        // What they fail with.
  uint64_t failed;       // Counted here: how many did.
  int64_t clock_offset;  // Nanoseconds that CLOCK_REALTIME is ahead of what it is.
};

enum kind { kOpen = 1, kWrite, kTruncate, kRename, kUnlink, kMkdir, kRmdir, kSyncBegin, kSyncEnd, kLink, kMapped };

struct record {
  uint32_t kind;
  uint32_t path_size;
  uint32_t path2_size;
  uint32_t data_size;
  uint64_t inode;
  int64_t number;  // Offset, size, flags or the number of the sync.
};

static char root[PATH_MAX];
static size_t root_size;
static int log_file = -1;
static struct control* control;
static const char* boot_id;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_sync;

// The function that the program would have called.
#define REAL(name)                                  \
  (*__extension__({                                 \
    static __typeof__(name)* real;                  \
    if (real == NULL) *(void**)&real = Real(#name); \
    real;                                           \
  }))

static void* Real(const char* name) {
  // Of those that glibc has twice, the old one would be found.
  void* found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
  if (found == NULL) found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

__attribute__((constructor)) static void Begin(void) {
  const char* folder = getenv("DATELINE_FAULT_ROOT");
  const char* log_path = getenv("DATELINE_FAULT_LOG");
  const char* control_path = getenv("DATELINE_FAULT_CONTROL");
  boot_id = getenv("DATELINE_FAULT_BOOT_ID");
  if (folder != NULL && realpath(folder, root) != NULL) root_size = strlen(root);
  if (log_path != NULL) {
    log_file = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_file < 0) abort();
  }
  if (control_path != NULL) {
    const int file = (int)syscall(SYS_openat, AT_FDCWD, control_path, O_RDWR | O_CLOEXEC, 0);
    void* mapped = REAL(mmap)(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || mapped == MAP_FAILED) abort();
    control = mapped;
  }
}

static int EndsWith(const char* text, const char* end) {
  const size_t size = strlen(text);
  const size_t end_size = strlen(end);
  return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static int Tracked(const char* path) {
  return root_size > 0 && strncmp(path, root, root_size) == 0 && (path[root_size] == '/' || path[root_size] == '\0') &&
         !EndsWith(path, "-shm");
}

// The path of what an open file was when it was opened or last renamed; 0 if it is not in the folder.
static int PathOfFile(int file, char* path) {
  if (root_size == 0) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const int saved = errno;
  const ssize_t size = readlink(link, path, PATH_MAX - 1);
  errno = saved;
  if (size <= 0) return 0;
  path[size] = '\0';
  return Tracked(path);
}

// The same of a path as it is given to the *at functions.
static int PathAt(int folder, const char* name, char* path) {
  if (root_size == 0 || name == NULL) return 0;
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return Tracked(path);
  }
  char base[PATH_MAX];
  if (folder == AT_FDCWD) {
    if (getcwd(base, sizeof base) == NULL) return 0;
  } else if (!PathOfFile(folder, base)) {
    return 0;
  }
  return snprintf(path, PATH_MAX, "%s/%s", base, name) < PATH_MAX && Tracked(path);
}

// Whether this attempt to change the folder is to fail.
static int Fails(void) {
  if (control == NULL) return 0;
  const uint64_t number = __atomic_fetch_add(&control->changes, 1, __ATOMIC_RELAXED);
  if (number < __atomic_load_n(&control->fail_from, __ATOMIC_RELAXED)) return 0;
  __atomic_fetch_add(&control->failed, 1, __ATOMIC_RELAXED);
  errno = (int)__atomic_load_n(&control->error, __ATOMIC_RELAXED);
  return 1;
}

static uint64_t InodeOf(int file) {
  struct stat info;
  return fstat(file, &info) == 0 ? info.st_ino : 0;
}

// Up to where files have room. A few are being written at a time.
static struct {
  uint64_t inode;
  int64_t end;
} rooms[256];

static void SetRoom(uint64_t inode, int64_t end) {
  size_t free_place = 0;
  for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; ++i) {
    if (rooms[i].end == 0) free_place = i;
    if (rooms[i].end == 0 || rooms[i].inode != inode) continue;
    rooms[i].end = end;
    return;
  }
  if (end == 0) return;
  rooms[free_place].inode = inode;
  rooms[free_place].end = end;
}

static int HasRoom(int file, int64_t end) {
  if (control == NULL || __atomic_load_n(&control->error, __ATOMIC_RELAXED) != ENOSPC) return 0;
  const uint64_t inode = InodeOf(file);
  for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; ++i) {
    if (rooms[i].end >= end && rooms[i].inode == inode) return 1;
  }
  return 0;
}

static void Write(enum kind kind, uint64_t inode, int64_t number, const char* path, const char* path2,
                  const struct iovec* data, int count, size_t size) {
  if (log_file < 0) return;
  const int saved = errno;
  struct record head = {.kind = kind, .inode = inode, .number = number, .data_size = (uint32_t)size};
  if (path != NULL) head.path_size = (uint32_t)strlen(path);
  if (path2 != NULL) head.path2_size = (uint32_t)strlen(path2);
  const size_t whole = sizeof head + head.path_size + head.path2_size + size;
  char* bytes = malloc(whole);
  if (bytes == NULL) abort();
  char* end = bytes;
  memcpy(end, &head, sizeof head);
  end += sizeof head;
  if (path != NULL) memcpy(end, path, head.path_size);
  end += head.path_size;
  if (path2 != NULL) memcpy(end, path2, head.path2_size);
  end += head.path2_size;
  for (int i = 0; i < count && size > 0; ++i) {
    const size_t part = data[i].iov_len < size ? data[i].iov_len : size;
    memcpy(end, data[i].iov_base, part);
    end += part;
    size -= part;
  }
  if (syscall(SYS_write, log_file, bytes, whole) != (long)whole) abort();
  free(bytes);
  errno = saved;
}

static uint64_t InodeAt(const char* path) {
  struct stat info;
  return lstat(path, &info) == 0 ? info.st_ino : 0;
}

// --- Opening.

static int OpenAt(int folder, const char* name, int flags, mode_t mode) {
  if (boot_id != NULL && name != NULL && strcmp(name, "/proc/sys/kernel/random/boot_id") == 0) name = boot_id;
  char path[PATH_MAX];
  const int changes = (flags & (O_CREAT | O_TRUNC)) != 0;
  if (!changes || !PathAt(folder, name, path)) return (int)syscall(SYS_openat, folder, name, flags, mode);
  pthread_mutex_lock(&mutex);
  const int makes = (flags & O_TRUNC) != 0 || InodeAt(path) == 0;
  const int file = makes && Fails() ? -1 : (int)syscall(SYS_openat, folder, name, flags, mode);
  if (file >= 0) {
    if (makes) SetRoom(InodeOf(file), 0);
    Write(kOpen, InodeOf(file), flags, path, NULL, NULL, 0, 0);
  }
  pthread_mutex_unlock(&mutex);
  return file;
}

#define OPEN_BODY(folder, name, flags)            \
  mode_t mode = 0;                                \
  if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
    va_list rest;                                 \
    va_start(rest, flags);                        \
    mode = (mode_t)va_arg(rest, int);             \
    va_end(rest);                                 \
  }                                               \
  return OpenAt(folder, name, flags, mode)

EXPORT int open(const char* name, int flags, ...) { OPEN_BODY(AT_FDCWD, name, flags); }
EXPORT int open64(const char* name, int flags, ...) { OPEN_BODY(AT_FDCWD, name, flags | O_LARGEFILE); }
EXPORT int openat(int folder, const char* name, int flags, ...) { OPEN_BODY(folder, name, flags); }
EXPORT int openat64(int folder, const char* name, int flags, ...) { OPEN_BODY(folder, name, flags | O_LARGEFILE); }
EXPORT int creat(const char* name, mode_t mode) { return OpenAt(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }

// What is written goes through write() where it is C++ that writes; C's own buffers are not seen.
static FILE* Fopen(const char* name, const char* mode) {
  if (boot_id != NULL && strcmp(name, "/proc/sys/kernel/random/boot_id") == 0) name = boot_id;
  int flags = 0;
  if (mode[0] == 'w') flags = O_CREAT | O_TRUNC;
  if (mode[0] == 'a') flags = O_CREAT;
  char path[PATH_MAX];
  if (flags == 0 || !PathAt(AT_FDCWD, name, path)) return REAL(fopen64)(name, mode);
  pthread_mutex_lock(&mutex);
  FILE* stream = Fails() ? NULL : REAL(fopen64)(name, mode);
  if (stream != NULL) Write(kOpen, InodeOf(fileno(stream)), flags, path, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return stream;
}
EXPORT FILE* fopen(const char* name, const char* mode) { return Fopen(name, mode); }
EXPORT FILE* fopen64(const char* name, const char* mode) { return Fopen(name, mode); }

EXPORT void* mmap64(void* address, size_t size, int protection, int flags, int file, off64_t offset) {
  char path[PATH_MAX];
  if ((protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0 && file >= 0 && PathOfFile(file, path)) {
    pthread_mutex_lock(&mutex);
    Write(kMapped, InodeOf(file), 0, path, NULL, NULL, 0, 0);
    pthread_mutex_unlock(&mutex);
  }
  return REAL(mmap64)(address, size, protection, flags, file, offset);
}
EXPORT void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  return mmap64(address, size, protection, flags, file, offset);
}

// --- Writing.

static ssize_t WriteAt(int file, const struct iovec* data, int count, int64_t offset) {
  char path[PATH_MAX];
  const int tracked = PathOfFile(file, path);
  if (tracked) {
    pthread_mutex_lock(&mutex);
    int64_t end = offset;
    for (int i = 0; i < count; ++i) end += (int64_t)data[i].iov_len;
    if (!(offset >= 0 && HasRoom(file, end)) && Fails()) {
      pthread_mutex_unlock(&mutex);
      return -1;
    }
  }
  const ssize_t size =
      offset < 0 ? syscall(SYS_writev, file, data, count) : syscall(SYS_pwritev, file, data, (long)count, offset, 0L);
  if (tracked) {
    if (size > 0) {
      const int64_t begin = offset < 0 ? (int64_t)lseek(file, 0, SEEK_CUR) - size : offset;
      Write(kWrite, InodeOf(file), begin, NULL, NULL, data, count, (size_t)size);
    }
    pthread_mutex_unlock(&mutex);
  }
  return size;
}

EXPORT ssize_t write(int file, const void* bytes, size_t size) {
  const struct iovec data = {(void*)bytes, size};
  return WriteAt(file, &data, 1, -1);
}
EXPORT ssize_t writev(int file, const struct iovec* data, int count) { return WriteAt(file, data, count, -1); }
EXPORT ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  const struct iovec data = {(void*)bytes, size};
  return WriteAt(file, &data, 1, offset);
}
EXPORT ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return pwrite64(file, bytes, size, offset);
}
EXPORT ssize_t pwritev64(int file, const struct iovec* data, int count, off64_t offset) {
  return WriteAt(file, data, count, offset);
}
EXPORT ssize_t pwritev(int file, const struct iovec* data, int count, off_t offset) {
  return WriteAt(file, data, count, offset);
}

EXPORT int ftruncate64(int file, off64_t size) {
  char path[PATH_MAX];
  if (!PathOfFile(file, path)) return (int)syscall(SYS_ftruncate, file, size);
  pthread_mutex_lock(&mutex);
  struct stat info;
  const int grows = fstat(file, &info) == 0 && size > info.st_size;
  const int result = grows && Fails() ? -1 : (int)syscall(SYS_ftruncate, file, size);
  if (result == 0) {
    SetRoom(InodeOf(file), 0);
    Write(kTruncate, InodeOf(file), size, NULL, NULL, NULL, 0, 0);
  }
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

static int Allocate(int file, int mode, off64_t offset, off64_t size) {
  char path[PATH_MAX];
  if (!PathOfFile(file, path)) return (int)syscall(SYS_fallocate, file, mode, offset, size);
  pthread_mutex_lock(&mutex);
  const int result = Fails() ? -1 : (int)syscall(SYS_fallocate, file, mode, offset, size);
  struct stat info;
  if (result == 0 && fstat(file, &info) == 0) {
    SetRoom(info.st_ino, offset + size);
    Write(kTruncate, info.st_ino, info.st_size, NULL, NULL, NULL, 0, 0);
  }
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int fallocate64(int file, int mode, off64_t offset, off64_t size) { return Allocate(file, mode, offset, size); }
EXPORT int fallocate(int file, int mode, off_t offset, off_t size) { return Allocate(file, mode, offset, size); }
EXPORT int posix_fallocate64(int file, off64_t offset, off64_t size) {
  return Allocate(file, 0, offset, size) == 0 ? 0 : errno;
}
EXPORT int posix_fallocate(int file, off_t offset, off_t size) { return posix_fallocate64(file, offset, size); }

// --- Names.

EXPORT int renameat2(int old_folder, const char* old_name, int new_folder, const char* new_name, unsigned flags) {
  char old_path[PATH_MAX];
  char new_path[PATH_MAX];
  const int tracked = PathAt(old_folder, old_name, old_path) | PathAt(new_folder, new_name, new_path);
  if (!tracked) return (int)syscall(SYS_renameat2, old_folder, old_name, new_folder, new_name, flags);
  pthread_mutex_lock(&mutex);
  const int result = Fails() ? -1 : (int)syscall(SYS_renameat2, old_folder, old_name, new_folder, new_name, flags);
  if (result == 0) Write(kRename, 0, 0, old_path, new_path, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int renameat(int old_folder, const char* old_name, int new_folder, const char* new_name) {
  return renameat2(old_folder, old_name, new_folder, new_name, 0);
}
EXPORT int rename(const char* old_name, const char* new_name) {
  return renameat2(AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
}

EXPORT int linkat(int old_folder, const char* old_name, int new_folder, const char* new_name, int flags) {
  char old_path[PATH_MAX];
  char new_path[PATH_MAX];
  const int tracked = PathAt(old_folder, old_name, old_path) & PathAt(new_folder, new_name, new_path);
  if (!tracked) return (int)syscall(SYS_linkat, old_folder, old_name, new_folder, new_name, flags);
  pthread_mutex_lock(&mutex);
  const int result = Fails() ? -1 : (int)syscall(SYS_linkat, old_folder, old_name, new_folder, new_name, flags);
  if (result == 0) Write(kLink, InodeAt(new_path), 0, old_path, new_path, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int link(const char* old_name, const char* new_name) {
  return linkat(AT_FDCWD, old_name, AT_FDCWD, new_name, 0);
}

// Room is made, not taken: this works on a full disk.
EXPORT int unlinkat(int folder, const char* name, int flags) {
  char path[PATH_MAX];
  if (!PathAt(folder, name, path)) return (int)syscall(SYS_unlinkat, folder, name, flags);
  pthread_mutex_lock(&mutex);
  const int result = (int)syscall(SYS_unlinkat, folder, name, flags);
  if (result == 0) Write((flags & AT_REMOVEDIR) != 0 ? kRmdir : kUnlink, 0, 0, path, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int unlink(const char* name) { return unlinkat(AT_FDCWD, name, 0); }
EXPORT int rmdir(const char* name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
EXPORT int remove(const char* name) {
  const int result = unlink(name);
  return result != 0 && errno == EISDIR ? rmdir(name) : result;
}

EXPORT int mkdirat(int folder, const char* name, mode_t mode) {
  char path[PATH_MAX];
  if (!PathAt(folder, name, path)) return (int)syscall(SYS_mkdirat, folder, name, mode);
  pthread_mutex_lock(&mutex);
  const int result = InodeAt(path) == 0 && Fails() ? -1 : (int)syscall(SYS_mkdirat, folder, name, mode);
  if (result == 0) Write(kMkdir, InodeAt(path), 0, path, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
EXPORT int mkdir(const char* name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

// --- Forcing to disk.

static int Sync(int file, long call) {
  char path[PATH_MAX];
  if (!PathOfFile(file, path)) return (int)syscall(call, file);
  pthread_mutex_lock(&mutex);
  if (Fails()) {
    pthread_mutex_unlock(&mutex);
    return -1;
  }
  const int64_t number = ++last_sync;
  const uint64_t inode = InodeOf(file);
  Write(kSyncBegin, inode, number, NULL, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  const int result = (int)syscall(call, file);
  pthread_mutex_lock(&mutex);
  if (result == 0) Write(kSyncEnd, inode, number, NULL, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
// sync_file_range and msync promise nothing that outlives a power loss; they are left as they are.
EXPORT int fsync(int file) { return Sync(file, SYS_fsync); }
EXPORT int fdatasync(int file) { return Sync(file, SYS_fdatasync); }

// --- The clock.

static int64_t ClockOffset(void) {
  return control == NULL ? 0 : __atomic_load_n(&control->clock_offset, __ATOMIC_RELAXED);
}

static struct timespec Moved(struct timespec time, int64_t by) {
  const int64_t all = (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec + by;
  struct timespec moved = {all / NANOSECONDS, all % NANOSECONDS};
  if (all < 0) moved = (struct timespec){0, 0};
  return moved;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = REAL(clock_gettime)(clock, time);
  const int64_t offset = ClockOffset();
  if (result == 0 && offset != 0 && clock == CLOCK_REALTIME) *time = Moved(*time, offset);
  return result;
}

// A time to wait until is one of the clock that the program sees.
EXPORT int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* held, const struct timespec* until) {
  const struct timespec moved = Moved(*until, -ClockOffset());
  return REAL(pthread_cond_timedwait)(condition, held, &moved);
}

// Abseil waits this way.
EXPORT long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long arguments[6];
  for (int i = 0; i < 6; ++i) arguments[i] = va_arg(rest, long);
  va_end(rest);
  struct timespec moved;
  if (number == SYS_futex && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0 && arguments[3] != 0 && ClockOffset() != 0) {
    moved = Moved(*(const struct timespec*)arguments[3], -ClockOffset());
    arguments[3] = (long)&moved;
  }
  return REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
