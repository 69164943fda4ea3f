/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose objects a list shows: told where it shows none, and where the key is the administrator's, which root
 * gets without asking for it.
 */
#include "cli.h"

#include <stdio.h>

const char *cli_account(struct cli *cli)
{
	struct params params = {0};
	struct cli_reply reply = {0};
	const char *id;

	if (!*cli->account &&
	    cli_send(cli, product_by_name("sts"), "GetCallerIdentity", &params, &reply) == 0) {
		id = json_string_value(json_object_get(reply.body, "AccountId"));
		(void)str_copy(cli->account, sizeof(cli->account), id ? id : "");
	}
	cli_reply_done(&reply);
	return *cli->account ? cli->account : NULL;
}

void cli_say_whose(struct cli *cli, const struct cli_command *command, const json_t *entries)
{
	const struct action *action = cli_action(command);
	/* Many take a region and do not demand it; it always comes from here. */
	bool has_region = !(action->flags & ACTION_NO_REGION) || streq(command->product, "vpc") ||
			  streq(command->product, "nlb");
	bool is_empty = json_array_size(entries) == 0;
	const char *whats = command->whats, *account;
	char region[80] = "";

	if (cli->json || !whats || (!is_empty && (!cli->is_last_resort || command->of_all)))
		return;
	fflush(stdout);
	if (has_region)
		(void)str_format(region, sizeof(region), " in region %s", cli->region);
	if (command->of_all) {
		fprintf(stderr, "No %s%s.\n", whats, region);
		return;
	}
	account = cli_account(cli);
	fprintf(stderr, "%s %s %s account %s%s%s.\n", is_empty ? "No" : "These are the", whats,
		is_empty ? "for" : "of", account ? account : "(unknown)", region,
		cli->is_last_resort ? ", the administrator's (no key was given)" : "");
}
