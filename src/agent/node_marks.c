/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at the links; a mark names its node first.
 */
#include "node_marks.h"

#include <stdio.h>

/* The node of "privlink/<node>/<kind>/<port>/<instance>". */
static int parse_node(const char *alias, char ret[PORT_NODE_NAME_MAX + 1])
{
	const char *name = alias + strlen("privlink/"), *end;
	struct port_mark mark;

	if (!str_starts(alias, "privlink/") || !(end = strchr(name, '/')) || end == name ||
	    end - name > PORT_NODE_NAME_MAX)
		return -EINVAL;
	memcpy(ret, name, (size_t)(end - name));
	ret[end - name] = '\0';
	return port_mark_parse(ret, alias, &mark);
}

static void note(struct node_marks *marks, const char *node, const char *device)
{
	for (size_t i = 0; i < marks->n; i++)
		if (streq(marks->v[i].node, node)) {
			marks->v[i].n_devices++;
			return;
		}
	if (marks->n == NODE_MARKS_MAX)
		return;
	(void)str_copy(marks->v[marks->n].node, sizeof(marks->v->node), node);
	(void)str_copy(marks->v[marks->n].device, sizeof(marks->v->device), device);
	marks->v[marks->n++].n_devices = 1;
}

int node_marks_list(struct node_marks *ret)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	char node[PORT_NODE_NAME_MAX + 1];
	struct node_marks marks = {};
	struct rtnl *rtnl;
	size_t n;
	int r = rtnl_open(-1, &rtnl);

	if (r < 0)
		return r;
	r = rtnl_link_list(rtnl, &links, &n);
	rtnl_free(rtnl);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (parse_node(links[i].alias, node) == 0)
			note(&marks, node, links[i].name);
	*ret = marks;
	return 0;
}

int node_marks_instances(const char *node, char (**ret)[ID_SIZE], size_t *ret_n)
{
	_cleanup_(freep) struct rtnl_link *links = NULL;
	char(*instances)[ID_SIZE];
	struct port_mark mark;
	size_t n, used = 0;
	struct rtnl *rtnl;
	int r = rtnl_open(-1, &rtnl);

	if (r < 0)
		return r;
	r = rtnl_link_list(rtnl, &links, &n);
	rtnl_free(rtnl);
	if (r < 0)
		return r;
	instances = calloc(n + 1, sizeof(*instances));
	if (!instances)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (port_mark_parse(node, links[i].alias, &mark) == 0 && mark.number != PORT_SERVICE_NUMBER)
			(void)str_copy(instances[used++], ID_SIZE, mark.instance);
	*ret = instances;
	*ret_n = used;
	return 0;
}

const struct node_mark *node_marks_find(const struct node_marks *marks, const char *node)
{
	for (size_t i = 0; i < marks->n; i++)
		if (streq(marks->v[i].node, node))
			return &marks->v[i];
	return NULL;
}

const struct node_mark *node_marks_other(const struct node_marks *marks, const char *node)
{
	for (size_t i = 0; i < marks->n; i++)
		if (!streq(marks->v[i].node, node))
			return &marks->v[i];
	return NULL;
}
