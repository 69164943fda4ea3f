/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking all away. What is here is told by the kernel: without --node, every node whose mark a device of this
 * network namespace carries is this machine's, and so is the one that is recorded, whatever the host is
 * called by now. Pins of other nodes may be those of nodes in network namespaces of their own: they stay, and
 * are named.
 */
#include "agent.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../ports/ports.h"
#include "agent_lock.h"
#include "node_marks.h"
#include "node_state.h"

struct removal {
	const struct agent_options *options;
	struct netns_files *files;
	char nodes[NODE_MARKS_MAX + 1][PORT_NODE_NAME_MAX + 1];
	int node_fds[NODE_MARKS_MAX + 1]; /* their locks */
	size_t n_nodes, n_locked;
	struct node_marks marks;
};

static bool is_listed(const struct removal *removal, const char *node)
{
	for (size_t i = 0; i < removal->n_nodes; i++)
		if (streq(removal->nodes[i], node))
			return true;
	return false;
}

static void list_node(struct removal *removal, const char *node)
{
	if (!is_listed(removal, node))
		(void)str_copy(removal->nodes[removal->n_nodes++], sizeof(removal->nodes[0]), node);
}

static int list_nodes(struct removal *removal)
{
	struct node_state state;
	int r = node_marks_list(&removal->marks);

	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	if (removal->options->node) {
		list_node(removal, removal->options->node);
		return 0;
	}
	r = node_state_load(removal->options->state_dir, &state);
	if (r == 0)
		list_node(removal, state.name);
	else if (r != -ENOENT)
		log_warning("cannot read file=%s/node.json, going by what carries a mark: %s",
			    removal->options->state_dir, strerror(-r));
	for (size_t i = 0; i < removal->marks.n; i++)
		list_node(removal, removal->marks.v[i].node);
	return 0;
}

/* All of them, before anything is taken away. */
static int lock_nodes(struct removal *removal)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < removal->n_nodes; i++) {
		r = agent_take_node(removal->nodes[i], &removal->node_fds[i]);
		removal->n_locked += r == 0;
	}
	return r;
}

static void unlock_nodes(struct removal *removal)
{
	for (size_t i = 0; i < removal->n_locked; i++)
		closep(&removal->node_fds[i]);
}

static int remove_devices(const struct removal *removal, const char *node)
{
	const struct ports_options options = {.node = node, .files = removal->files};
	struct ports *ports;
	int r = ports_new(&options, &ports);

	if (r < 0)
		return log_errno(r, "cannot look up the node's devices");
	r = ports_remove_all(ports);
	if (r < 0)
		(void)log_errno(r, "cannot remove all devices node=%s", node);
	ports_free(ports);
	return r;
}

static bool has_pins(const struct removal *removal, const char *node)
{
	char path[PATH_MAX];

	return str_format(path, sizeof(path), "%s/%s", removal->options->bpffs, node) >= 0 &&
	       access(path, F_OK) == 0;
}

static int remove_node(const struct removal *removal, const char *node)
{
	const struct datapath_options datapath = {.bpffs = removal->options->bpffs, .node = node};
	const struct node_mark *mark = node_marks_find(&removal->marks, node);
	bool pins = has_pins(removal, node);
	int r, q;

	/* Devices first: without them no program runs, and the pins can go in any order. */
	r = remove_devices(removal, node);
	q = datapath_remove_pins(&datapath);
	r = r < 0 ? r : q;
	if (r == 0)
		agent_forget_node(node);
	if (r == 0)
		log_info("removed node=%s devices=%zu pins=%s", node, mark ? mark->n_devices : 0,
			 pins ? "yes" : "none");
	return r;
}

static void name_other_pins(const struct removal *removal)
{
	DIR *dir = opendir(removal->options->bpffs);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (node_name_is_good(entry->d_name) && !is_listed(removal, entry->d_name))
			log_info("left pins=%s/%s: no device here carries that node's mark; it may "
				 "live in a network namespace of its own and go on while its agent "
				 "is stopped: leave them unless that node is to go from this "
				 "machine (then, in its network namespace: privlink-agent --remove "
				 "--node %s, which refuses while its agent runs)",
				 removal->options->bpffs, entry->d_name, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static void remove_run_files(const struct agent_options *options)
{
	static const char *const names[] = {"agent.sock", "agent.pid", "node.rows"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_format(path, sizeof(path), "%s/%s", options->run_dir, names[i]) >= 0)
			(void)unlink(path);
}

/* What is recorded of the node goes with it. */
static int remove_state(const struct removal *removal)
{
	struct node_state state;
	int r;

	if (removal->options->node && node_state_load(removal->options->state_dir, &state) == 0 &&
	    !streq(state.name, removal->options->node))
		return 0;
	r = node_state_remove(removal->options->state_dir);
	return r < 0 ? log_errno(r, "cannot remove file=%s/node.json", removal->options->state_dir) : 0;
}

static int remove_all(struct removal *removal)
{
	int r = netns_files_of_host(removal->options->state_dir, &removal->files), first_error = 0;

	if (r < 0)
		return log_errno(r, "cannot set up the instances' files");
	for (size_t i = 0; i < removal->n_nodes; i++) {
		r = remove_node(removal, removal->nodes[i]);
		if (r < 0 && !first_error)
			first_error = r;
	}
	netns_files_remove_copy(removal->files);
	netns_files_free(removal->files);
	if (removal->n_nodes == 0)
		log_info("nothing of a node is here: no file=%s/node.json, no device with a mark",
			 removal->options->state_dir);
	if (!removal->options->node)
		name_other_pins(removal);
	return first_error;
}

int agent_remove(const struct agent_options *options)
{
	struct removal removal = {.options = options};
	_cleanup_(closep) int lock_fd = -EBADF;
	int r = 0;

	if (access(options->run_dir, F_OK) == 0)
		r = agent_take_lock(options->run_dir, &lock_fd);
	if (r == 0)
		r = list_nodes(&removal);
	if (r == 0)
		r = lock_nodes(&removal);
	if (r == 0)
		r = remove_all(&removal);
	if (r == 0)
		r = remove_state(&removal);
	if (r == 0)
		remove_run_files(options);
	unlock_nodes(&removal);
	return r;
}
