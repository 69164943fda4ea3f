/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes whose marks the devices of this network namespace carry. A node has its own port as long as
 * its agent has run once since the machine started, so its marks tell its name. (Pins and names of namespaces
 * do not: they are shared with nodes that live in network namespaces of their own.)
 */
#pragma once

#include "../ports/port_device.h"

#define NODE_MARKS_MAX 8

struct node_mark {
	char node[PORT_NODE_NAME_MAX + 1];
	char device[IFNAMSIZ]; /* one of them */
	size_t n_devices;
};

struct node_marks {
	struct node_mark v[NODE_MARKS_MAX]; /* more nodes are not told apart: one too many is enough */
	size_t n;
};

/* The nodes whose marks are on devices of this machine. Negative errno of the kernel. */
int node_marks_list(struct node_marks *ret);
/* The instances whose devices carry the node's mark. The array is the caller's. */
int node_marks_instances(const char *node, char (**ret)[ID_SIZE], size_t *ret_n);
/* NULL: the node has none. */
const struct node_mark *node_marks_find(const struct node_marks *marks, const char *node);
/* The first one that is not this node's; NULL: there is none. */
const struct node_mark *node_marks_other(const struct node_marks *marks, const char *node);
