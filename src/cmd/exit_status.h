/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With what the daemons end, besides EXIT_SUCCESS and EXIT_FAILURE.
 */
#pragma once

/* The store needs an operator: starting again does not help (sysexits.h: EX_DATAERR). The unit file's
 * RestartPreventExitStatus= names it, too. */
#define EXIT_STORE_REFUSED 65
/* So do the settings, what they name, or who a node is (EX_CONFIG). */
#define EXIT_SETTINGS_REFUSED 78
