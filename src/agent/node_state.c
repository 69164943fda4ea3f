/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that makes no sense is never taken for a new node's: what it said decides who this node is.
 */
#include "node_state.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "../lib/file_write.h"
#include "../ports/files.h"

bool node_name_is_good(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && n <= PORT_NODE_NAME_MAX && !name[n] && *name != '-' && *name != '_';
}

static bool is_hex(const char *text, size_t n)
{
	return strlen(text) == n && !text[strspn(text, "0123456789abcdef")];
}

bool node_store_is_good(const char *store)
{
	return is_hex(store, NODE_STORE_SIZE - 1);
}

bool node_timeline_is_good(const char *timeline)
{
	return is_hex(timeline, NODE_TIMELINE_SIZE - 1);
}

static int path_of(const char *state_dir, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/node.json", state_dir);

	return r < 0 ? -ENAMETOOLONG : 0;
}

static int parse(const json_t *json, struct node_state *ret)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *store = json_string_value(json_object_get(json, "store"));
	const json_t *number = json_object_get(json, "revision");
	json_int_t revision = json_integer_value(number);
	const json_t *part = json_object_get(json, "timeline");
	const char *timeline = part ? json_string_value(part) : "";
	struct node_state state = {};

	if (!name || !node_name_is_good(name) || !store || (*store && !node_store_is_good(store)) ||
	    !timeline || (*timeline && !node_timeline_is_good(timeline)) || !json_is_integer(number) ||
	    revision < 0)
		return -EUCLEAN;
	(void)str_copy(state.name, sizeof(state.name), name);
	(void)str_copy(state.store, sizeof(state.store), store);
	(void)str_copy(state.timeline, sizeof(state.timeline), timeline);
	state.revision = (uint64_t)revision;
	*ret = state;
	return 0;
}

int node_state_load(const char *state_dir, struct node_state *ret)
{
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX];
	json_t *json;
	size_t size;
	int r = path_of(state_dir, path);

	if (r == 0)
		r = file_read(path, &text, &size);
	if (r < 0)
		return r;
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	r = parse(json, ret);
	json_decref(json);
	return r;
}

int node_state_save(const char *state_dir, const struct node_state *state)
{
	char path[PATH_MAX], text[256];
	int r = path_of(state_dir, path), size;

	if (r < 0)
		return r;
	size = str_format(text, sizeof(text),
			  "{\"name\": \"%s\", \"store\": \"%s\", \"timeline\": \"%s\", \"revision\": %llu}\n",
			  state->name, state->store, state->timeline, (unsigned long long)state->revision);
	if (mkdir(state_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	return file_write(path, text, (size_t)size, 0600, geteuid(), getegid());
}

int node_state_remove(const char *state_dir)
{
	char path[PATH_MAX];
	int r = path_of(state_dir, path);

	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
