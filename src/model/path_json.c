/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path as the API answers it.
 */
#include "path.h"

#include <stdio.h>

static const char *state_name(enum path_state state)
{
	static const char *const names[] = {
		[PATH_OK] = "Ok", [PATH_WARN] = "Warn", [PATH_UNKNOWN] = "Unknown", [PATH_BROKEN] = "Broken"};

	return names[state];
}

static const char *kind_name(enum path_kind kind)
{
	static const char *const names[] = {
#define PATH_KIND_NAME(name) #name,
		PATH_KINDS(PATH_KIND_NAME)
#undef PATH_KIND_NAME
	};

	return names[kind];
}

static const char *turn_name(enum path_turn turn)
{
	static const char *const names[] = {
		[PATH_TURN_NOBODY] = "Nobody",	   [PATH_TURN_CONSUMER] = "Consumer",
		[PATH_TURN_PROVIDER] = "Provider", [PATH_TURN_OPERATOR] = "Operator",
		[PATH_TURN_TIME] = "Time",	   [PATH_TURN_CALLER] = "Caller",
	};

	return names[turn];
}

static const char *verdict_name(enum path_verdict verdict)
{
	static const char *const names[] = {[PATH_REACHABLE] = "Reachable",
					    [PATH_PARTIAL] = "Partial",
					    [PATH_UNREACHABLE] = "Unreachable"};

	return names[verdict];
}

/* Puts a new reference; -1 when out of memory. */
static int put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

static json_t *hop_json(const struct path_hop *hop)
{
	const struct path_code_info *info = path_code_info(hop->code);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Id", hop->id, "Kind",
				 kind_name(hop->kind), "ResourceId", hop->resource, "ZoneId", hop->zone,
				 "State", state_name(info->state), "Code", info->name, "Text", hop->text);
	int r = json ? 0 : -1;

	if (r == 0 && *hop->rule)
		r = put(json, "SecurityGroupRuleId", json_string(hop->rule));
	if (r == 0 && hop->priority)
		r = put(json, "Priority", json_integer(hop->priority));
	if (r < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *hops_json(const struct path *path)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < path->n_hops; i++)
		if (json_array_append_new(list, hop_json(&path->hops[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *links_json(const struct path *path)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < path->n_links; i++) {
		const char *from = path->hops[path->links[i].from].id, *to = path->hops[path->links[i].to].id;

		if (json_array_append_new(list, json_pack("{s:s, s:s}", "From", from, "To", to)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *zones_json(const struct path *path)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < path->n_zones; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "ZoneId", path->zones[i].zone,
							  "State", state_name(path->zones[i].state))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *cause_json(const struct path *path)
{
	const struct path_hop *hop = &path->hops[path->cause];

	return json_pack("{s:s, s:s, s:s, s:s}", "HopId", hop->id, "Code", path_code_info(hop->code)->name,
			 "Text", hop->text, "Turn", turn_name(path->turn));
}

static json_t *fix_json(const struct path_fix *fix)
{
	json_t *parameters = json_object();

	for (size_t i = 0; parameters && i < fix->n_parameters; i++)
		if (put(parameters, fix->parameters[i].name, json_string(fix->parameters[i].value)) < 0) {
			json_decref(parameters);
			return NULL;
		}
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "Product", fix->product, "Version", fix->version,
			 "Action", fix->action, "RegionId", fix->region, "Parameters", parameters, "Text",
			 fix->text);
}

json_t *path_to_json(const struct path *path)
{
	json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o}", "Verdict", verdict_name(path->verdict),
				 "Protocol", path->protocol, "Zones", zones_json(path), "Hops",
				 hops_json(path), "Links", links_json(path));
	int r = json ? 0 : -1;

	if (r == 0 && path->port)
		r = put(json, "Port", json_integer(path->port));
	if (r == 0 && path->cause >= 0)
		r = put(json, "Cause", cause_json(path));
	if (r == 0 && path->cause >= 0 && path->fix.product)
		r = put(json, "Fix", fix_json(&path->fix));
	if (r < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}
