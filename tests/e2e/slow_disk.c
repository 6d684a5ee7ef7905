/* To be preloaded: a disk that takes a second and a half for each sync. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

static int slowly(long call, int file) {
    usleep(1500000);
    return (int)syscall(call, file);
}

int fsync(int file) { return slowly(SYS_fsync, file); }
int fdatasync(int file) { return slowly(SYS_fdatasync, file); }
