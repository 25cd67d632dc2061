// SPDX-License-Identifier: Apache-2.0
//
// The step table. To add a step:
//   1. a message in proto/gantry/init/v1/plan.proto and a number in Step.kind;
//   2. a row here: the number, the name (stable, reports carry it), and a schema that has one letter
//      for each field of the message (plan.h explains the letters). The reader decodes and checks
//      the message by this schema, for the whole plan, before the first step runs;
//   3. a function `step_NAME` in the file of its concept, declared in steps.h. It takes its fields
//      by their numbers (step->field[1].text ...), does one thing, and gives 0 or
//      `return fail(errno, "what failed on ", subject, NULL)`;
//   4. in Tests/InitTests: one test of the effect and one of the failure's report.
#include "steps.h"

static const struct step_kind table[] = {
    {2, "propagation", "Uo", step_propagation},
    {3, "overlay_root", "tTooT", step_overlay_root},
    {4, "bind_root", "tb", step_bind_root},
    {5, "mount", "ttUT", step_mount},
    {6, "bind", "ttbUbbb", step_bind},
    {7, "directory", "tu", step_directory},
    {8, "device", "tuuu", step_device},
    {9, "symbolic_link", "tt", step_symbolic_link},
    {10, "mask", "t", step_mask},
    {11, "cgroup_namespace", "", step_cgroup_namespace},
    {12, "pivot_root", "", step_pivot_root},
    {13, "hostname", "t", step_hostname},
    {14, "loopback", "", step_loopback},
    {15, "resource_limit", "uUU", step_resource_limit},
    {16, "working_directory", "tb", step_working_directory},
    {17, "identity", "iiNb", step_identity},
    {18, "capabilities", "UUUUU", step_capabilities},
    {19, "no_new_privileges", "", step_no_new_privileges},
    {20, "execute", "tTTb", step_execute},
    {21, "terminal", "", step_terminal},
    {22, "seccomp", "Bu", step_seccomp},
    {23, "attributes", "tUUUb", step_attributes},
    {24, "file", "tuiiB", step_file},
    {25, "command", "tTT", step_command},
    {26, "park", "T", step_park},
    {27, "attach", "utb", step_attach},
};

const struct step_kind *step_kind_of(uint32_t number) {
    // The numbers follow each other from 2 on.
    return number >= 2 && number - 2 < sizeof table / sizeof *table ? &table[number - 2] : NULL;
}
