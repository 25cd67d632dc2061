# SPDX-License-Identifier: Apache-2.0
# To be sourced: one private instance of gantryd, with everything that it keeps below one directory and below one
# cgroup. Used by the demonstration and by the benchmarks.
# shellcheck shell=bash

# instance_begin BIN DIRECTORY: names the instance and removes what an interrupted run of it left. Fails when another
# run uses the directory now.
instance_begin() {
    instance_bin=$1
    instance_directory=$2
    instance_host=unix://$instance_directory/gantryd.sock
    instance_cgroup=$(basename "$instance_directory")
    instance_cgroup=gantry-${instance_cgroup#gantry-}
    instance_pid=
    instance_lock || return
    local marker=$instance_directory/.gantry-instance
    if [ ! -e "$marker" ] && [ -n "$(ls -A "$instance_directory")" ]; then
        echo "error: $instance_directory holds something that is not an instance's, and would be removed" >&2
        echo "  hint:  name another directory with GANTRY_RUN_DIR" >&2
        return 73
    fi
    : >"$marker"
    instance_sweep
    : >"$marker"
}

# Makes the directory and locks it for as long as this shell lives. What lives longer must not inherit
# the descriptor: a killed run would leave its lock.
instance_lock() {
    while :; do
        mkdir -p "$instance_directory"
        exec {instance_lock}<"$instance_directory"
        # What an interrupted run had just started may hold it for a moment.
        if ! flock -w 5 "$instance_lock"; then
            echo "error: another run uses $instance_directory" >&2
            echo "  hint:  wait for it, or name another directory with GANTRY_RUN_DIR" >&2
            return 75
        fi
        # The run that had it may have removed it in between.
        [ "$instance_directory" -ef "/proc/self/fd/$instance_lock" ] && return 0
        exec {instance_lock}<&-
    done
}

# The last call: nothing of the instance is left.
instance_end() {
    instance_stop >/dev/null 2>&1 || true
    instance_sweep
    rmdir "$instance_directory"
}

# The instance's cgroup in every hierarchy of this machine.
instance_cgroups() {
    local type mount rest
    while read -r _ mount type rest; do
        case $type in cgroup | cgroup2) [ ! -d "$mount/$instance_cgroup" ] || echo "$mount/$instance_cgroup" ;; esac
    done </proc/self/mounts
}

instance_mounts() { awk -v below="$instance_directory/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo; }

# The pids of the daemon's session and of everything in the instance's cgroups.
instance_processes() {
    {
        [ ! -s "$instance_directory/session" ] || ps -e -o sid=,pid=,stat= |
            awk -v sid="$(cat "$instance_directory/session")" '$1 == sid && $3 !~ /^Z/ { print $2 }'
        local cgroup
        for cgroup in $(instance_cgroups); do find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null; done
    } | sort -nu
}

# Ends and removes what an interrupted run left. Silent when there is nothing.
instance_sweep() {
    local left=() pid
    # A pid may have been given to somebody else since: the session counts only if its leader still is our daemon.
    if [ -s "$instance_directory/session" ]; then
        pid=$(cat "$instance_directory/session")
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "--root $instance_directory " ||
            rm -f "$instance_directory/session"
    fi
    mapfile -t left < <(instance_processes)
    if [ ${#left[@]} -gt 0 ] || [ -n "$(instance_cgroups)" ]; then
        echo "An earlier run was interrupted: ending its ${#left[@]} processes and removing what it left." >&2
    fi
    for pid in "${left[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    for pid in "${left[@]}"; do timeout 10 tail -s 0.02 --pid="$pid" -f /dev/null || true; done
    instance_mounts | sort -r | while IFS= read -r mount; do umount "$mount" || umount -l "$mount"; done
    instance_remove_cgroups
    find "$instance_directory" -xdev -mindepth 1 -delete
}

instance_remove_cgroups() {
    local cgroup
    for cgroup in $(instance_cgroups); do find "$cgroup" -depth -type d -exec rmdir {} + || true; done
}

# Starts the daemon and returns when it says that it is ready.
instance_start() {
    local line
    # A session of its own: all that the daemon starts can be found by it, and an interrupt at the terminal is ours.
    exec {instance_output}< <(exec setsid "$instance_bin/gantryd" --root "$instance_directory" \
        --host "$instance_host" --cgroup-root "$instance_cgroup" 2>"$instance_directory/log" </dev/null {instance_lock}<&-)
    instance_pid=$!
    echo "$instance_pid" >"$instance_directory/session"
    while IFS= read -r -t 30 -u "$instance_output" line; do
        case $line in *ready*) return 0 ;; esac
    done
    echo "error: gantryd did not become ready; the end of its log:" >&2
    tail -n 20 "$instance_directory/log" >&2
    return 1
}

# Stops the daemon as its service manager would, and waits for its end. Returns its exit status.
instance_stop() {
    local status=0
    [ -n "$instance_pid" ] || return 0
    kill -TERM "$instance_pid" 2>/dev/null || true
    timeout 30 tail -s 0.02 --pid="$instance_pid" -f /dev/null || return 1
    wait "$instance_pid" || status=$?
    instance_pid=
    return $status
}
