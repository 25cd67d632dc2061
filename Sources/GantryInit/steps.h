// SPDX-License-Identifier: Apache-2.0
//
// The functions of the step table, by the file they are in. Each gives 0, or -1 after `fail`.
#pragma once

#include "plan.h"

// root.c
int step_propagation(const struct step *step);
int step_overlay_root(const struct step *step);
int step_bind_root(const struct step *step);
int step_pivot_root(const struct step *step);
// mounts.c
int step_mount(const struct step *step);
int step_bind(const struct step *step);
int step_mask(const struct step *step);
// Before a plan that masks something: opens the host's /dev/null, and makes sure that it is.
int open_null_device(void);
int step_attributes(const struct step *step);
// files.c
int step_directory(const struct step *step);
int step_device(const struct step *step);
int step_symbolic_link(const struct step *step);
int step_file(const struct step *step);
int step_working_directory(const struct step *step);
// identity.c
int step_identity(const struct step *step);
int step_capabilities(const struct step *step);
int step_no_new_privileges(const struct step *step);
int step_seccomp(const struct step *step);
// process.c
int step_cgroup_namespace(const struct step *step);
int step_hostname(const struct step *step);
int step_loopback(const struct step *step);
int step_terminal(const struct step *step);
int step_resource_limit(const struct step *step);
// stage.c
int step_park(const struct step *step);
int step_attach(const struct step *step);
// execute.c
int step_command(const struct step *step);
int step_execute(const struct step *step);

// The last thing before exec, in the command's own process (process.c).
int apply_late_limits(void);
