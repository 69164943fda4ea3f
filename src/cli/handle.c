/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in place of ids. What a parameter names shows in its own name; a value that has not the form of such
 * an id is looked up among the account's objects of that kind, before the call is made.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>

#define ID_TAIL_MIN   16 /* characters behind the prefix; ids have 20 */
#define CANDIDATES    10 /* shown of a name that several have */
#define PARAMETERS_OF 4

/* A kind of object, and how it is listed. */
struct handle {
	const char *what, *prefix;
	const char *parameters[PARAMETERS_OF];
	const char *of_product; /* of the command whose parameter it is; NULL: any */
	const char *product, *action;
	const char *filter; /* the parameter that asks for a name; NULL: all are asked for */
	const char *name, *other_name, *status; /* members of an entry */
};

static const struct handle handles[] = {
	{"endpoint",
	 "ep-",
	 {"EndpointId"},
	 NULL,
	 "privatelink",
	 "ListVpcEndpoints",
	 "EndpointName",
	 "EndpointName",
	 NULL,
	 "EndpointStatus"},
	{"endpoint service",
	 "epsrv-",
	 {"ServiceId"},
	 NULL,
	 "privatelink",
	 "ListVpcEndpointServices",
	 NULL,
	 "ServiceDescription",
	 "ServiceName",
	 "ServiceStatus"},
	{"VPC", "vpc-", {"VpcId"}, NULL, "vpc", "DescribeVpcs", "VpcName", "VpcName", NULL, "Status"},
	{"vSwitch",
	 "vsw-",
	 {"VSwitchId"},
	 NULL,
	 "vpc",
	 "DescribeVSwitches",
	 "VSwitchName",
	 "VSwitchName",
	 NULL,
	 "Status"},
	{"security group",
	 "sg-",
	 {"SecurityGroupId", "SourceGroupId", "DestGroupId"},
	 NULL,
	 "ecs",
	 "DescribeSecurityGroups",
	 "SecurityGroupName",
	 "SecurityGroupName",
	 NULL,
	 "SecurityGroupType"},
	{"instance",
	 "i-",
	 {"InstanceId", "ServerId"},
	 NULL,
	 "ecs",
	 "DescribeInstances",
	 "InstanceName",
	 "InstanceName",
	 NULL,
	 "Status"},
	{"classic load balancer",
	 "lb-",
	 {"LoadBalancerId"},
	 "slb",
	 "slb",
	 "DescribeLoadBalancers",
	 "LoadBalancerName",
	 "LoadBalancerName",
	 NULL,
	 "LoadBalancerStatus"},
	{"load balancer",
	 "nlb-",
	 {"LoadBalancerId", "ResourceId"},
	 NULL,
	 "nlb",
	 "ListLoadBalancers",
	 "LoadBalancerNames.1",
	 "LoadBalancerName",
	 NULL,
	 "LoadBalancerStatus"},
	{"server group",
	 "sgp-",
	 {"ServerGroupId"},
	 NULL,
	 "nlb",
	 "ListServerGroups",
	 "ServerGroupNames.1",
	 "ServerGroupName",
	 NULL,
	 "ServerGroupStatus"},
	{"resource group",
	 "rg-",
	 {"ResourceGroupId"},
	 NULL,
	 "resourcemanager",
	 "ListResourceGroups",
	 NULL,
	 "Name",
	 "DisplayName",
	 "Status"},
};

bool cli_is_id(const char *value, const char *prefix)
{
	const char *tail = value + strlen(prefix);

	return str_starts(value, prefix) && strlen(tail) >= ID_TAIL_MIN &&
	       strspn(tail, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(tail);
}

bool cli_is_address(const char *value)
{
	struct netaddr unused;

	return netaddr_parse(value, &unused) == 0;
}

/* The last word of "Zone.2.VSwitchId" and of "SecurityGroupId.1". */
static bool is_called(const char *parameter, const char *name)
{
	size_t length = strlen(parameter);
	const char *last;

	while (length > 0 && isdigit((unsigned char)parameter[length - 1]))
		length--;
	length -= length > 0 && length < strlen(parameter) && parameter[length - 1] == '.';
	for (last = parameter + length; last > parameter && last[-1] != '.';)
		last--;
	return (size_t)(parameter + length - last) == strlen(name) && strncmp(last, name, strlen(name)) == 0;
}

static const struct handle *handle_of(const struct cli_command *command, const char *parameter)
{
	for (size_t i = 0; i < ARRAY_SIZE(handles); i++) {
		const struct handle *handle = &handles[i];

		if (handle->of_product && !streq(handle->of_product, command->product))
			continue;
		for (size_t k = 0; k < PARAMETERS_OF && handle->parameters[k]; k++)
			if (is_called(parameter, handle->parameters[k]))
				return handle;
	}
	return NULL;
}

/* Ids, several with commas between them, too; and what is no name: an address of a server. */
static bool is_known(const struct handle *handle, const char *value)
{
	char first[64];

	if (str_format(first, sizeof(first), "%.*s", (int)strcspn(value, ","), value) < 0)
		return false;
	if (streq(handle->prefix, "nlb-") && cli_is_id(first, "lb-"))
		return true;
	if (streq(handle->prefix, "i-") && (cli_is_id(first, "eni-") || cli_is_address(first)))
		return true;
	return !*value || cli_is_id(first, handle->prefix);
}

/* The account's objects, or those of the name where the API can be asked for it. */
static int list_objects(struct cli *cli, const struct handle *handle, const char *region, const char *name,
			json_t **ret)
{
	const struct action *action = action_find(product_by_name(handle->product)->product, handle->action);
	struct params params = {};
	int r;

	r = params_add(&params, "RegionId", region);
	if (r == 0 && handle->filter)
		r = params_add(&params, handle->filter, name);
	if (r == 0 && action->paging && action->paging->results_max)
		r = params_add(&params, "MaxResults", action->paging->results_max >= 100 ? "100" : "50");
	r = r < 0 ? cli_fail("out of memory") : cli_call(cli, handle->product, handle->action, &params, ret);
	params_done(&params);
	return r;
}

static bool has_name(const struct handle *handle, const json_t *entry, const char *name)
{
	const char *one = json_string_value(json_object_get(entry, handle->name));
	const char *other =
		handle->other_name ? json_string_value(json_object_get(entry, handle->other_name)) : NULL;

	return (one && streq(one, name)) || (other && streq(other, name));
}

static void print_candidate(const struct handle *handle, const json_t *entry, const struct cli_view *view)
{
	_cleanup_(freep) char *id = cli_value_text(entry, view->columns[0].path);
	_cleanup_(freep) char *name = cli_value_text(entry, handle->name);
	_cleanup_(freep) char *status = cli_value_text(entry, handle->status);

	fprintf(stderr, "  %s  %s  %s\n", id ?: "", name ?: "", status ?: "");
}

/* The id of the one that has the name; else says what there is. */
static int choose(struct cli *cli, const struct handle *handle, const char *name, const json_t *entries,
		  const struct cli_view *view, char **ret)
{
	const json_t *found = NULL;
	size_t n = 0;
	char whose[128];

	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (!has_name(handle, json_array_get(entries, i), name))
			continue;
		found = json_array_get(entries, i);
		n++;
	}
	if (n == 1) {
		*ret = cli_value_text(found, view->columns[0].path);
		return *ret ? CLI_OK : cli_fail("out of memory");
	}
	cli_whose(cli, whose, sizeof(whose));
	if (n == 0)
		return cli_fail("there is no %s \"%s\" of %s", handle->what, name, whose);
	(void)cli_fail("\"%s\" is the name of %zu: say which by its id (%s of %s)", name, n, handle->what,
		       whose);
	for (size_t i = 0, shown = 0; i < json_array_size(entries) && shown < CANDIDATES; i++) {
		if (!has_name(handle, json_array_get(entries, i), name))
			continue;
		print_candidate(handle, json_array_get(entries, i), view);
		shown++;
	}
	return CLI_FAILED;
}

static int resolve(struct cli *cli, const struct handle *handle, const char *region, char **value)
{
	const struct product_info *product = product_by_name(handle->product);
	json_t *answer = NULL;
	struct cli_view view;
	char *id = NULL;
	int r;

	r = list_objects(cli, handle, region, *value, &answer);
	if (r != CLI_OK)
		return r;
	cli_view_of(action_find(product->product, handle->action), true, &view);
	r = choose(cli, handle, *value, cli_value_at(answer, view.list), &view, &id);
	json_decref(answer);
	if (r == CLI_OK) {
		free(*value);
		*value = id;
	}
	return r;
}

int cli_resolve_names(struct cli *cli, const struct cli_command *command, struct params *params)
{
	const char *region = params_get(params, "RegionId");
	const char *type = params_get(params, "ResourceType");
	int r = CLI_OK;

	for (size_t i = 0; i < params->n && r == CLI_OK; i++) {
		const struct handle *handle = handle_of(command, params->v[i].name);

		/* What tags hang on, and what is moved between groups, may be anything. */
		if (handle && is_called(params->v[i].name, "ResourceId") && (!type || !streq(type, "nlb")))
			continue;
		if (handle && !is_known(handle, params->v[i].value))
			r = resolve(cli, handle, region, &params->v[i].value);
	}
	return r;
}

int cli_instance_id(struct cli *cli, const char *name, char **ret)
{
	const struct cli_command command = {.product = "ecs"};
	struct params params = {};
	int r;

	r = params_add(&params, "RegionId", cli->region);
	if (r == 0)
		r = params_add(&params, "InstanceId", name);
	r = r < 0 ? cli_fail("out of memory") : cli_resolve_names(cli, &command, &params);
	if (r == CLI_OK) {
		*ret = strdup(params_get(&params, "InstanceId"));
		r = *ret ? CLI_OK : cli_fail("out of memory");
	}
	params_done(&params);
	return r;
}

void cli_whose(struct cli *cli, char *ret, size_t size)
{
	struct cli_reply reply = {};
	struct params params = {};
	const char *account = NULL;

	if (cli_send(cli, product_by_name("sts"), "GetCallerIdentity", &params, &reply) == 0)
		account = json_string_value(json_object_get(reply.body, "AccountId"));
	(void)str_format(ret, size, "account %s in region %s", account ?: "(unknown)", cli->region);
	cli_reply_done(&reply);
}
