// SPDX-License-Identifier: Apache-2.0
//
// floor ROOTFS DIRECTORY CGROUP PROGRAM - one container as Benchmarks/crun-bundle describes it, by the system calls
// that it takes and nothing else: no plan, no records, no daemon, no error but the number of the line. What a start
// costs the kernel.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) < 0) {                                                                                              \
            fprintf(stderr, "floor: line %d: %s\n", __LINE__, strerror(errno));                                        \
            _exit(125);                                                                                                \
        }                                                                                                              \
    } while (0)

// Never freed: the program ends soon.
static char *format(const char *a, const char *b) {
    char *text;
    TRY(asprintf(&text, "%s%s", a, b));
    return text;
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    TRY(fd);
    TRY(write(fd, text, strlen(text)));
    close(fd);
}

static const char *const hierarchies[] = {"cpu", "cpuacct", "memory", "pids"};
enum { HIERARCHIES = sizeof hierarchies / sizeof *hierarchies };
static char cgroups[HIERARCHIES][512];

static void make_cgroups(const char *name) {
    for (int i = 0; i < HIERARCHIES; i++) {
        snprintf(cgroups[i], sizeof cgroups[i], "/sys/fs/cgroup/%s/%s", hierarchies[i], name);
        TRY(mkdir(cgroups[i], 0755));
    }
    put(format(cgroups[0], "/cpu.shares"), "1024");
    put(format(cgroups[0], "/cpu.cfs_period_us"), "100000");
    put(format(cgroups[0], "/cpu.cfs_quota_us"), "100000");
    put(format(cgroups[2], "/memory.soft_limit_in_bytes"), "134217728");
    put(format(cgroups[2], "/memory.limit_in_bytes"), "134217728");
    put(format(cgroups[3], "/pids.max"), "100");
}

enum { USUAL = MS_NOSUID | MS_NODEV | MS_NOEXEC };

static void restrict_to_reading(const char *path) {
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0) {
        TRY(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | USUAL, NULL));
    }
}

static void mask(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) {
        return;
    }
    if (S_ISDIR(about.st_mode)) {
        TRY(mount("tmpfs", path, "tmpfs", MS_RDONLY | USUAL, NULL));
    } else {
        TRY(mount("/dev/null", path, NULL, MS_BIND, NULL));
    }
}

// Everything is relative to the new root, which is the working directory.
static void make_mounts(const char *sandbox) {
    TRY(mount("proc", "proc", "proc", USUAL, NULL));
    TRY(mount("sysfs", "sys", "sysfs", MS_RDONLY | USUAL, NULL));
    TRY(mount("tmpfs", "sys/fs/cgroup", "tmpfs", USUAL, "mode=755"));
    for (int i = 0; i < HIERARCHIES; i++) {
        char *target = format("sys/fs/cgroup/", hierarchies[i]);
        TRY(mkdir(target, 0755));
        TRY(mount(cgroups[i], target, NULL, MS_BIND | MS_REC, NULL));
        TRY(mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | USUAL, NULL));
    }
    TRY(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME, "mode=755"));
    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {{"dev/full", 1, 7}, {"dev/null", 1, 3},    {"dev/random", 1, 8},
                 {"dev/tty", 5, 0},  {"dev/urandom", 1, 9}, {"dev/zero", 1, 5}};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        TRY(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    }
    TRY(mkdir("dev/pts", 0755));
    TRY(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"));
    TRY(mkdir("dev/shm", 01777));
    TRY(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
    TRY(symlink("/proc/self/fd", "dev/fd"));
    TRY(symlink("/proc/self/fd/0", "dev/stdin"));
    TRY(symlink("/proc/self/fd/1", "dev/stdout"));
    TRY(symlink("/proc/self/fd/2", "dev/stderr"));
    TRY(symlink("pts/ptmx", "dev/ptmx"));
    TRY(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
    TRY(mount(sandbox, "mnt/mesos/sandbox", NULL, MS_BIND | MS_REC, NULL));
    static const char *const readable[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        restrict_to_reading(readable[i]);
    }
    static const char *const masked[] = {"proc/acpi",       "proc/asound",        "proc/kcore",       "proc/keys",
                                         "proc/key-users",  "proc/latency_stats", "proc/sched_debug", "proc/scsi",
                                         "proc/timer_list", "proc/timer_stats",   "sys/firmware"};
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        mask(masked[i]);
    }
}

static void raise_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    TRY(fd);
    TRY(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

// The set that Gantry and crun give: chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service
// net_raw sys_chroot mknod audit_write setfcap.
static void limit_capabilities(void) {
    const uint64_t kept = 0xa80425fb;
    for (unsigned long number = 0; number < 64; number++) {
        if ((kept >> number & 1) == 0 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
            break;
        }
    }
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{(uint32_t)kept, (uint32_t)kept, 0}, {0, 0, 0}};
    TRY(syscall(SYS_capset, &header, data));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void supervise(const char *lower, const char *directory, char *program) {
    for (int i = 0; i < HIERARCHIES; i++) {
        put(format(cgroups[i], "/tasks"), "0");
    }
    char options[4096];
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,volatile", lower, directory,
             directory);
    TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    TRY(mount("overlay", format(directory, "/root"), "overlay", 0, options));
    TRY(chdir(format(directory, "/root")));
    make_mounts(format(directory, "/sandbox"));
    raise_loopback();
    TRY(sethostname("bench", 5));
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", MNT_DETACH));
    TRY(chdir("/"));
    limit_capabilities();
    pid_t command = vfork();
    TRY(command);
    if (command == 0) {
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    int status;
    TRY(waitpid(command, &status, 0));
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int count, char **words) {
    if (count != 5) {
        return 64;
    }
    const char *directory = words[2];
    static const char *const made[] = {"", "/upper", "/work", "/root", "/sandbox"};
    for (int i = 0; i < 5; i++) {
        TRY(mkdir(format(directory, made[i]), 0755));
    }
    make_cgroups(words[3]);
    struct clone_args args = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    TRY(pid);
    if (pid == 0) {
        supervise(words[1], directory, words[4]);
    }
    int status;
    TRY(waitpid(pid, &status, 0));
    for (int i = 0; i < HIERARCHIES; i++) {
        TRY(rmdir(cgroups[i]));
    }
    // What overlayfs made.
    unlink(format(directory, "/work/work/incompat/volatile/dirty"));
    rmdir(format(directory, "/work/work/incompat/volatile"));
    rmdir(format(directory, "/work/work/incompat"));
    rmdir(format(directory, "/work/work"));
    for (int i = 4; i >= 0; i--) {
        TRY(rmdir(format(directory, made[i])));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
