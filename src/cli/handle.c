/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in place of ids: a parameter that names an object, with a value that is no id, is looked up in the
 * account's list of such objects before the call is made. What is nobody's name and looks like an id is left
 * to the API, which knows better what is wrong with it.
 */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>

#define ID_LENGTH_MIN	 20 /* behind the prefix */
#define ID_LENGTH_MAX	 21
#define CANDIDATES_SHOWN 20

struct handle {
	const char *prefix; /* of its ids; "": they are numbers */
	const char *what, *whats;
	const char *parameters[4]; /* whose values are such ids */
	const char *product, *action, *filter;
	/* Members of the list's entries; NULL: they have none. */
	const char *id, *name, *status, *other_name;
};

static const struct handle handles[] = {
	{"vpc-", "VPC", "VPCs", {"VpcId"}, "vpc", "DescribeVpcs", "VpcName", "VpcId", "VpcName", "Status"},
	{"vsw-",
	 "vSwitch",
	 "vSwitches",
	 {"VSwitchId"},
	 "vpc",
	 "DescribeVSwitches",
	 "VSwitchName",
	 "VSwitchId",
	 "VSwitchName",
	 "Status"},
	{"sg-",
	 "security group",
	 "security groups",
	 {"SecurityGroupId", "SecurityGroupIds", "SourceGroupId", "DestGroupId"},
	 "ecs",
	 "DescribeSecurityGroups",
	 "SecurityGroupName",
	 "SecurityGroupId",
	 "SecurityGroupName",
	 NULL},
	{"i-",
	 "instance",
	 "instances",
	 {"InstanceId"},
	 "ecs",
	 "DescribeInstances",
	 "InstanceName",
	 "InstanceId",
	 "InstanceName",
	 "Status"},
	{"nlb-",
	 "load balancer",
	 "load balancers",
	 {"LoadBalancerId"},
	 "nlb",
	 "ListLoadBalancers",
	 "LoadBalancerNames.1",
	 "LoadBalancerId",
	 "LoadBalancerName",
	 "LoadBalancerStatus"},
	{"lb-",
	 "classic load balancer",
	 "classic load balancers",
	 {"LoadBalancerId"},
	 "slb",
	 "DescribeLoadBalancers",
	 "LoadBalancerName",
	 "LoadBalancerId",
	 "LoadBalancerName",
	 "LoadBalancerStatus"},
	{"rg-",
	 "resource group",
	 "resource groups",
	 {"ResourceGroupId"},
	 "resourcemanager",
	 "ListResourceGroups",
	 NULL,
	 "Id",
	 "Name",
	 "Status"},
	{"sgp-",
	 "server group",
	 "server groups",
	 {"ServerGroupId"},
	 "nlb",
	 "ListServerGroups",
	 "ServerGroupNames.1",
	 "ServerGroupId",
	 "ServerGroupName",
	 "ServerGroupStatus"},
	{"ep-",
	 "endpoint",
	 "endpoints",
	 {"EndpointId"},
	 "privatelink",
	 "ListVpcEndpoints",
	 "EndpointName",
	 "EndpointId",
	 "EndpointName",
	 "EndpointStatus"},
	{"epsrv-",
	 "endpoint service",
	 "endpoint services",
	 {"ServiceId"},
	 "privatelink",
	 "ListVpcEndpointServices",
	 NULL,
	 "ServiceId",
	 "ServiceDescription",
	 "ServiceStatus",
	 "ServiceName"},
	{"",
	 "account",
	 "accounts",
	 {"AccountId"},
	 "privlink",
	 "ListAccounts",
	 NULL,
	 "AccountId",
	 "AccountName",
	 NULL},
};

/* The last word of a parameter's name that is not a number: "Permissions.1.SourceGroupId". */
static void last_word(const char *parameter, char *ret, size_t size)
{
	const char *end = parameter + strlen(parameter), *begin;

	while (end > parameter && (isdigit((unsigned char)end[-1]) || end[-1] == '.'))
		end--;
	for (begin = end; begin > parameter && begin[-1] != '.';)
		begin--;
	(void)str_format(ret, size, "%.*s", (int)(end - begin), begin);
}

static bool holds(const struct handle *handle, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(handle->parameters) && handle->parameters[i]; i++)
		if (streq(handle->parameters[i], word))
			return true;
	return false;
}

/* What the parameter names; two products have load balancers, and each its own. NULL: nothing with a name. */
static const struct handle *handle_of(const char *product, const char *parameter, const char *value)
{
	const struct handle *found = NULL;
	char word[128];

	last_word(parameter, word, sizeof(word));
	/* An address and an interface are servers, too, and have no names. */
	if (streq(word, "ServerId") && !strchr(value, '.') && !strchr(value, ':') &&
	    !str_starts(value, "eni-"))
		(void)str_copy(word, sizeof(word), "InstanceId");
	for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
		if (holds(&handles[i], word) && (!found || streq(handles[i].product, product)))
			found = &handles[i];
	return found;
}

/* A service's resource is a load balancer of that type. */
static const struct handle *balancer_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
		if (streq(handles[i].product, type) && holds(&handles[i], "LoadBalancerId"))
			return &handles[i];
	return NULL;
}

/* What a ResourceId names: where no type stands beside it, a load balancer of any (`other` is the second
 * type), or what is moved to a resource group, which is an endpoint: services have no names. */
static const struct handle *resource_of(const struct params *params, const char *parameter,
					const struct handle **other)
{
	char name[128];
	const char *type;

	if (str_format(name, sizeof(name), "%.*sType", (int)(strlen(parameter) - strlen("Id")), parameter) <
	    0)
		return NULL;
	type = params_get(params, name);
	if (type)
		return balancer_of(type);
	if (params_get(params, "ResourceGroupId"))
		return handle_of("privatelink", "EndpointId", "");
	*other = balancer_of("slb");
	return balancer_of("nlb");
}

static bool is_id(const struct handle *handle, const char *value)
{
	size_t length;

	if (!*handle->prefix)
		return value[strspn(value, "0123456789")] == '\0';
	if (!str_starts(value, handle->prefix))
		return false;
	value += strlen(handle->prefix);
	length = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz");
	return length >= ID_LENGTH_MIN && length <= ID_LENGTH_MAX && value[length] == '\0';
}

static bool is_named(const json_t *entry, const char *member, const char *name)
{
	_cleanup_(freep) char *its = member ? cli_value_text(entry, member) : NULL;

	return its && streq(its, name);
}

/* All of that name (the caller's). Exit code. */
static int find_named(struct cli *cli, const struct handle *handle, const char *name, json_t **ret)
{
	const struct action *action = action_find(product_by_name(handle->product)->product, handle->action);
	struct params params = {0};
	json_t *answer = NULL, *found = json_array();
	const json_t *entries;
	struct cli_view view;
	int r;

	cli_view_of(action, &view);
	r = found ? params_add(&params, "RegionId", cli->region) : -ENOMEM;
	if (r == 0 && handle->filter)
		r = params_add(&params, handle->filter, name);
	r = r < 0 ? cli_fail("%s", strerror(-r))
		  : cli_call_pages(cli, handle->product, action, &view, &params, &answer);
	params_done(&params);
	entries = r == CLI_OK ? cli_value_at(answer, view.list) : NULL;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *entry = json_array_get(entries, i);

		if (is_named(entry, handle->name, name) || is_named(entry, handle->other_name, name))
			(void)json_array_append(found, entry);
	}
	json_decref(answer);
	if (r == CLI_OK)
		*ret = found;
	else
		json_decref(found);
	return r;
}

static int fail_ambiguous(const struct handle *handle, const char *name, const json_t *found)
{
	int r = cli_fail("%zu %s are called %s; give the id of the one that is meant:",
			 json_array_size(found), handle->whats, name);

	for (size_t i = 0; i < json_array_size(found) && i < CANDIDATES_SHOWN; i++) {
		const json_t *entry = json_array_get(found, i);
		_cleanup_(freep) char *id = cli_value_text(entry, handle->id);
		_cleanup_(freep) char *its = cli_value_text(entry, handle->name);
		_cleanup_(freep) char *status = handle->status ? cli_value_text(entry, handle->status) : NULL;

		fprintf(stderr, "  %s  %s  %s\n", id ?: "?", its ?: "?", status ?: "");
	}
	if (json_array_size(found) > CANDIDATES_SHOWN)
		fputs("  …\n", stderr);
	return r;
}

static int fail_none(struct cli *cli, const struct handle *handle, const char *name)
{
	const char *account = cli_account(cli);

	if (!*handle->prefix)
		return cli_fail("no account is called %s", name);
	return cli_fail("no %s is called %s (account %s, region %s)", handle->what, name,
			account ?: "unknown", cli->region);
}

/* `other`: what it names where it names nothing of the first kind; or NULL. */
static int resolve(struct cli *cli, const struct handle *handle, const struct handle *other,
		   struct param *param)
{
	_cleanup_(json_decrefp) json_t *found = NULL;
	char *id;
	int r;

	r = find_named(cli, handle, param->value, &found);
	if (r != CLI_OK)
		return r;
	if (json_array_size(found) == 0 && other) {
		json_decref(found);
		found = NULL;
		r = find_named(cli, other, param->value, &found);
		if (r != CLI_OK)
			return r;
		if (json_array_size(found) > 0)
			handle = other;
	}
	if (json_array_size(found) > 1)
		return fail_ambiguous(handle, param->value, found);
	if (json_array_size(found) == 0)
		return *handle->prefix && str_starts(param->value, handle->prefix)
			       ? CLI_OK
			       : fail_none(cli, handle, param->value);
	id = cli_value_text(json_array_get(found, 0), handle->id);
	if (!id)
		return cli_fail("out of memory");
	free(param->value);
	param->value = id;
	return CLI_OK;
}

int cli_resolve_names(struct cli *cli, const char *product, struct params *params)
{
	int r = CLI_OK;

	for (size_t i = 0; r == CLI_OK && i < params->n; i++) {
		struct param *param = &params->v[i];
		const struct handle *handle, *other = NULL;
		char word[128];

		last_word(param->name, word, sizeof(word));
		handle = streq(word, "ResourceId") ? resource_of(params, param->name, &other)
						   : handle_of(product, param->name, param->value);
		if (handle && *param->value && !is_id(handle, param->value) &&
		    !(other && is_id(other, param->value)))
			r = resolve(cli, handle, other, param);
	}
	return r;
}

int cli_instance_id(struct cli *cli, const char *name, char **ret)
{
	struct params params = {0};
	int r = params_add(&params, "InstanceId", name);

	r = r < 0 ? cli_fail("%s", strerror(-r)) : cli_resolve_names(cli, "ecs", &params);
	if (r == CLI_OK) {
		*ret = strdup(params_get(&params, "InstanceId"));
		r = *ret ? CLI_OK : cli_fail("out of memory");
	}
	params_done(&params);
	return r;
}
