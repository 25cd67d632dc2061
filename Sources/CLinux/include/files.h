/* SPDX-License-Identifier: Apache-2.0
 * Files by descriptor: resolution that cannot leave a directory, listing, renaming, attributes, free space. */
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE. O_PATH differs between no two Linux ports that Swift runs on. */
static const int32_t GANTRY_O_PATH = 010000000;

static const uint64_t GANTRY_RESOLVE_NO_XDEV = RESOLVE_NO_XDEV;
static const uint64_t GANTRY_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS;
static const uint64_t GANTRY_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS;
static const uint64_t GANTRY_RESOLVE_BENEATH = RESOLVE_BENEATH;
static const uint64_t GANTRY_RESOLVE_IN_ROOT = RESOLVE_IN_ROOT;

extern long syscall(long number, ...);

/* openat2(2): Linux 5.6; glibc has no function for it. */
static inline int gantry_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how;
    memset(&how, 0, sizeof(how));
    how.flags = flags;
    how.mode = mode;
    how.resolve = resolve;
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

/* getdents64(2). The records: u64 inode, i64 offset, u16 length, u8 type, name with NUL. */
static inline ssize_t gantry_getdents(int directory, void *buffer, size_t size) {
    return syscall(SYS_getdents64, directory, buffer, size);
}

/* renameat2(2) with RENAME_NOREPLACE. */
static inline int gantry_rename_exclusive(int from, const char *name, int to, const char *target) {
    return (int)syscall(SYS_renameat2, from, name, to, target, RENAME_NOREPLACE);
}

/* syncfs(2). */
static inline int gantry_syncfs(int fd) {
    return (int)syscall(SYS_syncfs, fd);
}

/* The flags of ioctl_iflags(2). */
static inline int gantry_inode_flags(int fd, int *flags) {
    return ioctl(fd, FS_IOC_GETFLAGS, flags);
}

static inline int gantry_set_inode_flags(int fd, const int *flags) {
    return ioctl(fd, FS_IOC_SETFLAGS, flags);
}

static const int32_t GANTRY_FS_IMMUTABLE = FS_IMMUTABLE_FL;
static const int32_t GANTRY_FS_APPEND = FS_APPEND_FL;

/* statfs(2): the magic number and the bytes that are left for the superuser. */
static inline int gantry_file_system(int fd, int64_t *magic, uint64_t *free_bytes) {
    struct statfs space;
    if (fstatfs(fd, &space) < 0) {
        return -1;
    }
    *magic = (int64_t)space.f_type;
    *free_bytes = (uint64_t)space.f_bavail * (uint64_t)space.f_bsize;
    return 0;
}

/* Access time left alone, modification time set (utimensat(2)): UTIME_OMIT is a macro that Swift cannot import. */
static inline int gantry_set_modified(int directory, const char *name, int64_t seconds, int64_t nanoseconds) {
    struct timespec times[2];
    memset(times, 0, sizeof(times));
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = (time_t)seconds;
    times[1].tv_nsec = (long)nanoseconds;
    return name == NULL ? futimens(directory, times) : utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

static inline uint64_t gantry_device_number(uint32_t major_number, uint32_t minor_number) {
    return makedev(major_number, minor_number);
}

/* Extended attributes by descriptor (xattr(7)): Swift's Glibc module has no sys/xattr.h. */
static inline int gantry_set_attribute(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0);
}

static inline ssize_t gantry_attribute(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}

static inline ssize_t gantry_attribute_names(int fd, char *names, size_t size) {
    return flistxattr(fd, names, size);
}

#endif
