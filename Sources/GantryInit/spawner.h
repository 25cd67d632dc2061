// SPDX-License-Identifier: Apache-2.0
#pragma once

// Serves requests on SPAWN_SOCKET until its other end is closed; the exit code. request.h.
int run_spawner(void);
