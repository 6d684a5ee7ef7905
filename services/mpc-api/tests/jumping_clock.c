/* To be preloaded: the wall clock of a process, off by as many seconds as the file named in JUMPING_CLOCK says.
 * The monotonic clock stays what it is, as it does when a machine's clock is set. libfaketime 0.9.10, which Debian has,
 * breaks time.sleep of Python 3.11 there (wolfcw/libfaketime#426). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off(void) {
    char text[32] = {0};
    int before = errno, file = open(getenv("JUMPING_CLOCK"), O_RDONLY | O_CLOEXEC);
    long seconds = file >= 0 && read(file, text, sizeof text - 1) > 0 ? atol(text) : 0;
    close(file);
    errno = before;
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += off();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int failed = (int)syscall(SYS_gettimeofday, now, zone);
    if (!failed) now->tv_sec += off();
    return failed;
}

time_t time(time_t *result) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
