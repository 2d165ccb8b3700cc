/* Stands between the real desk and the machine it runs on: a clock that is wrong, and a disk that
 * refuses, that fails, and that loses what it did not say it has. The desk loads it before the C
 * library and knows nothing of it; a test gives its orders through a file that both have mapped.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* mod.rs, and whoever orders something of the disk, count them from zero. */
struct orders {
    int64_t clock_ahead; /* milliseconds */
    int64_t call;        /* which fails: WRITE, SYNC or CUT */
    int64_t error;       /* how; 0 when the disk is well */
    int64_t after;       /* so many are well before */
    int64_t times;       /* so many fail */
    int64_t failed;      /* how many did */
    int64_t forgets;     /* whether another file keeps what this disk really has */
};
enum { WRITE = 1, SYNC = 2, CUT = 4 };
enum { NEITHER = 0, DATABASE = 1, LOG = 2 };

static struct orders *orders;

__attribute__((constructor)) static void wakes_up(void) {
    const char *path = getenv("COUNTERSIGN_TEST_MACHINE");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped = MAP_FAILED;
    if (file >= 0)
        mapped = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        fprintf(stderr, "the test's machine has no orders\n");
        _exit(99);
    }
    close(file);
    orders = mapped;
}

/* What the C library calls by this name. */
#define REAL(name) ({                                             \
    static __typeof__(&name) real;                                \
    if (!real)                                                    \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);        \
    real;                                                         \
})
#define IS(order) __atomic_load_n(&orders->order, __ATOMIC_SEQ_CST)

static int ends_with(const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

static int which(const char *path) {
    if (ends_with(path, ".db-wal"))
        return LOG;
    return ends_with(path, "countersign.db") ? DATABASE : NEITHER;
}

static int file_of(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return which(path);
}

/* Whether this call fails, and its number among those that do, from one. */
static int64_t fails(int call) {
    if (!IS(error) || IS(call) != call)
        return 0;
    if (__atomic_fetch_sub(&orders->after, 1, __ATOMIC_SEQ_CST) > 0)
        return 0;
    if (__atomic_fetch_sub(&orders->times, 1, __ATOMIC_SEQ_CST) <= 0)
        return 0;
    return __atomic_add_fetch(&orders->failed, 1, __ATOMIC_SEQ_CST);
}

/* What was written and not synced. A sync that fails loses it: the kernel keeps such pages in its
 * cache as if they were on the disk, and never writes them again. */
static struct range { int file; off64_t at; size_t size; } *unsynced;
static size_t count, room;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void wrote(int file, off64_t at, size_t size) {
    pthread_mutex_lock(&one_at_a_time);
    if (count == room) {
        room = room ? 2 * room : 256;
        unsynced = realloc(unsynced, room * sizeof *unsynced);
    }
    unsynced[count++] = (struct range){file, at, size};
    pthread_mutex_unlock(&one_at_a_time);
}

static int really(const char *path) {
    char kept[PATH_MAX + 8];
    snprintf(kept, sizeof kept, "%s.kept", path);
    return open(kept, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void synced(int fd, const char *path, int file, int kept) {
    int to = kept ? really(path) : -1;
    pthread_mutex_lock(&one_at_a_time);
    size_t left = 0;
    for (size_t nth = 0; nth < count; nth++) {
        struct range range = unsynced[nth];
        if (range.file != file) {
            unsynced[left++] = range;
        } else if (kept) {
            char *bytes = malloc(range.size);
            ssize_t read = pread64(fd, bytes, range.size, range.at);
            if (read > 0 && REAL(pwrite64)(to, bytes, read, range.at) != read)
                abort();
            free(bytes);
        }
    }
    count = left;
    pthread_mutex_unlock(&one_at_a_time);
    if (to >= 0)
        close(to);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    char path[PATH_MAX];
    int file = IS(error) || IS(forgets) ? file_of(fd, path) : NEITHER;
    int64_t failed = file ? fails(WRITE) : 0;
    /* A disk that fills up takes a part of what comes first. */
    if (failed == 1 && IS(error) == ENOSPC && size > 1)
        return REAL(pwrite64)(fd, bytes, size / 2, at);
    if (failed) {
        errno = IS(error);
        return -1;
    }
    ssize_t done = REAL(pwrite64)(fd, bytes, size, at);
    if (file && done > 0 && IS(forgets))
        wrote(file, at, done);
    return done;
}

int fsync(int fd) {
    char path[PATH_MAX];
    int file = IS(error) || IS(forgets) ? file_of(fd, path) : NEITHER;
    int64_t failed = file ? fails(SYNC) : 0;
    if (file && IS(forgets))
        synced(fd, path, file, !failed);
    if (failed) {
        errno = IS(error);
        return -1;
    }
    return REAL(fsync)(fd);
}

int ftruncate64(int fd, off64_t size) {
    char path[PATH_MAX];
    int file = IS(error) || IS(forgets) ? file_of(fd, path) : NEITHER;
    if (file && fails(CUT)) {
        errno = IS(error);
        return -1;
    }
    if (file && IS(forgets)) {
        int kept = really(path);
        if (REAL(ftruncate64)(kept, size))
            abort();
        close(kept);
    }
    return REAL(ftruncate64)(fd, size);
}

int unlink(const char *path) {
    if (IS(forgets) && which(path)) {
        char kept[PATH_MAX + 8];
        snprintf(kept, sizeof kept, "%s.kept", path);
        REAL(unlink)(kept);
    }
    return REAL(unlink)(path);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = REAL(clock_gettime)(clock, now);
    if (done == 0 && clock == CLOCK_REALTIME && orders) {
        int64_t ahead = IS(clock_ahead);
        now->tv_sec += ahead / 1000;
        now->tv_nsec += ahead % 1000 * 1000000;
        if (now->tv_nsec < 0) {
            now->tv_nsec += 1000000000;
            now->tv_sec--;
        } else if (now->tv_nsec >= 1000000000) {
            now->tv_nsec -= 1000000000;
            now->tv_sec++;
        }
    }
    return done;
}
