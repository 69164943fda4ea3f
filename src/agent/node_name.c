/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said outranks what is recorded, that outranks what the kernel shows, and the host's name comes
 * last. Whatever is chosen, devices of another node must not be here: they have the names that this node's
 * devices need, and belong to instances that only the other node's agent looks after.
 */
#include "node_name.h"

#include <stdio.h>

int node_name_of_host(const char *host_name, char ret[PORT_NODE_NAME_MAX + 1])
{
	size_t n = strspn(host_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	n = MIN(n, (size_t)PORT_NODE_NAME_MAX);
	memcpy(ret, host_name, n);
	ret[n] = '\0';
	return node_name_is_good(ret) ? 0 : -EINVAL;
}

static int choose(const struct node_name_sources *sources, char ret[PORT_NODE_NAME_MAX + 1], char *why,
		  size_t size)
{
	const char *name = NULL, *from = "";

	if (sources->given)
		name = sources->given, from = "--node";
	else if (sources->recorded)
		name = sources->recorded->name, from = "node.json";
	else if (sources->marks->n > 0)
		name = sources->marks->v[0].node, from = "the marks of its devices";
	else if (sources->kept)
		name = sources->kept, from = "the rows that are kept in its run directory";
	if (name) {
		(void)snprintf(why, size, "%s", from);
		return str_copy(ret, PORT_NODE_NAME_MAX + 1, name) < 0 ? -EINVAL : 0;
	}
	(void)snprintf(why, size, "the host's name");
	if (node_name_of_host(sources->host, ret) == 0)
		return 0;
	(void)snprintf(why, size, "the host's name \"%s\" is no name for a node: start with --node NAME once",
		       sources->host);
	return -EINVAL;
}

static int refuse(const struct node_name_sources *sources, const char *name, const struct node_mark *other,
		  char *why, size_t size)
{
	if (sources->given && sources->recorded && streq(sources->recorded->name, other->node))
		(void)snprintf(
			why, size,
			"this node is %s (%s/node.json), and devices here carry its mark (%s and others, "
			"%zu in all): start without --node, or take them away first: "
			"privlink-agent --remove --node %s",
			other->node, sources->state_dir, other->device, other->n_devices, other->node);
	else
		(void)snprintf(
			why, size,
			"this node is %s, and devices here carry the mark of node %s (%s and others, %zu "
			"in all): if the machine is that node, start once with --node %s, else take them "
			"away first: privlink-agent --remove --node %s",
			name, other->node, other->device, other->n_devices, other->node, other->node);
	return -EEXIST;
}

int node_name_decide(const struct node_name_sources *sources, char ret[PORT_NODE_NAME_MAX + 1], char *ret_why,
		     size_t why_size)
{
	const struct node_mark *other;
	int r = choose(sources, ret, ret_why, why_size);

	if (r < 0)
		return r;
	other = node_marks_other(sources->marks, ret);
	return other ? refuse(sources, ret, other, ret_why, why_size) : 0;
}
