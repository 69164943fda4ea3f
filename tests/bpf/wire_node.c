/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node of wire.sh and offload.py: the data path on real devices, without an agent. It puts the world of
 * node.h into the maps, hangs entry programs and egress guards on the devices that are named (veths, and taps
 * where SLOT=DEVICE ends with ":tap"), says "ready", and stays until its input ends. A line with a reason's
 * name is answered with its count.
 *
 * Usage: wire_node direct|helpers SLOT=DEVICE[:tap]…
 */
#include <net/if.h>

#include "node.h"

#include "bpf/pl_entry.h"

static void attach(int ifindex, enum bpf_tc_attach_point point, int program_fd)
{
	int r;

	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = 1, .priority = 1,
		    .flags = BPF_TC_F_REPLACE);

	r = bpf_tc_hook_create(&hook);
	must(r == -EEXIST ? 0 : r, "clsact");
	hook.attach_point = point;
	must(bpf_tc_attach(&hook, &opts), "attach");
}

static int entry_load(struct node *node, uint32_t slot)
{
	struct bpf_insn insns[PL_ENTRY_INSNS];
	int fd;

	pl_entry_build(insns, slot, bpf_map__fd(node->bpf->maps.pl_entry));
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "pl_port", "Dual BSD/GPL", insns, PL_ENTRY_INSNS, NULL);
	must(fd, "entry program");
	return fd;
}

/* "16=pl10": the port of a slot gets its device. */
static void hang(struct node *node, char *argument)
{
	uint32_t slot = strtoul(argument, NULL, 10);
	char *device = strchr(argument, '='), *kind = strchr(argument, ':');
	const struct bpf_program *guard =
		kind ? node->bpf->progs.pl_guard_tap : node->bpf->progs.pl_guard_veth;
	struct pl_port port;
	int entry_fd, ifindex;

	if (kind)
		*kind = '\0';
	ifindex = device ? (int)if_nametoindex(device + 1) : 0;
	must(ifindex ? 0 : -ENODEV, argument);
	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_ports), &slot, &port), "pl_ports");
	port.ifindex = ifindex;
	port.delivery = kind ? PL_PORT_TAP : PL_PORT_VETH;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	entry_fd = entry_load(node, slot);
	attach(ifindex, BPF_TC_INGRESS, entry_fd);
	attach(ifindex, BPF_TC_EGRESS, bpf_program__fd(guard));
	close(entry_fd);
}

static uint64_t count_by_name(const struct node *node, const char *name)
{
	for (int i = 0; i < PL_REASON_MAX; i++)
		if (strcmp(reason_name(i), name) == 0)
			return node_count(node, i).packets;
	return 0;
}

int main(int argc, char *argv[])
{
	struct node *node;
	uint32_t zero = 0;
	char line[64];
	int main_fd;

	if (argc < 3) {
		fprintf(stderr, "usage: wire_node direct|helpers SLOT=DEVICE[:tap]...\n");
		return EXIT_FAILURE;
	}
	libbpf_set_print(NULL); /* it calls a qdisc that exists an error */
	node = node_new(&(struct node_options){.helpers = strcmp(argv[1], "helpers") == 0});
	main_fd = bpf_program__fd(node->bpf->progs.pl_main);
	map_put(node->bpf->maps.pl_entry, &zero, &main_fd);
	for (int i = 2; i < argc; i++)
		hang(node, argv[i]);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		printf("%llu\n", (unsigned long long)count_by_name(node, line));
		fflush(stdout);
	}
	node_free(node);
	return EXIT_SUCCESS;
}
