/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a service lets in, which the API lists by an action of its own: accounts and ARNs, each in pages.
 */
#include "cli.h"

static int add_users(struct cli *cli, const char *service, const char *type, const char *list,
		     const char *member, json_t *texts)
{
	const struct action *action =
		action_find(product_by_name("privatelink")->product, "ListVpcEndpointServiceUsers");
	struct cli_view view = {};
	struct params params = {0};
	json_t *answer = NULL;
	int r;

	r = params_add(&params, "RegionId", cli->region);
	if (r == 0)
		r = params_add(&params, "ServiceId", service);
	if (r == 0)
		r = params_add(&params, "UserListType", type);
	if (r == 0)
		r = str_copy(view.list, sizeof(view.list), list);
	r = r < 0 ? cli_fail("%s", strerror(-r))
		  : cli_call_pages(cli, "privatelink", action, &view, &params, &answer);
	params_done(&params);
	for (size_t i = 0; r == CLI_OK && i < json_array_size(json_object_get(answer, list)); i++) {
		_cleanup_(freep) char *text =
			cli_value_text(json_array_get(json_object_get(answer, list), i), member);

		if (!text || json_array_append_new(texts, json_string(text)) < 0)
			r = cli_fail("out of memory");
	}
	json_decref(answer);
	return r;
}

int cli_add_whitelist(struct cli *cli, json_t *answer, json_t *entries _unused_)
{
	const char *service = json_string_value(json_object_get(answer, "ServiceId"));
	json_t *texts = json_array();
	int r = service && texts ? CLI_OK : cli_fail("out of memory");

	if (r == CLI_OK)
		r = add_users(cli, service, "Users", "Users", "UserId", texts);
	if (r == CLI_OK)
		r = add_users(cli, service, "UserARNs", "UserARNs", "UserARN", texts);
	if (json_object_set_new(answer, CLI_WHITELIST, texts) < 0 && r == CLI_OK)
		r = cli_fail("out of memory");
	return r;
}
