// SPDX-License-Identifier: Apache-2.0
#include "spawner.h"

#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "spawner") == 0) {
        // Containers see this command line as process 1's.
        memset(arguments[1], 0, strlen(arguments[1]));
        return run_spawner();
    }
    static const char usage[] = "gantry-init is started by gantryd.\n";
    ssize_t ignored = write(STDERR_FILENO, usage, sizeof usage - 1);
    (void)ignored;
    return 64;
}
