/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API says Disconnected both of a connection that waits for the provider and of one that was refused. The
 * two are not the same to people, so lists say which.
 */
#include "cli.h"

int cli_show_acceptance(struct cli *cli _unused_, json_t *answer _unused_, json_t *entries)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i);
		const char *acceptance = json_string_value(json_object_get(entry, "AcceptanceStatus"));
		const char *status = json_string_value(json_object_get(entry, "ConnectionStatus"));

		if (acceptance && status && streq(status, "Disconnected") && !streq(acceptance, "Accepted") &&
		    json_object_set_new(entry, "ConnectionStatus", json_string(acceptance)) < 0)
			return cli_fail("out of memory");
	}
	return CLI_OK;
}
