/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink version.
 */
#include "cli.h"

#include <stdio.h>

int cli_run_version(struct cli *cli _unused_, int argc _unused_, char **argv _unused_)
{
	puts("privlink " PRIVLINK_VERSION);
	return CLI_OK;
}
