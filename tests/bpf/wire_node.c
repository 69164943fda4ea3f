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

#include "device.h"

/* "16=pl10": the port of a slot gets its device. */
static void hang(struct node *node, char *argument)
{
	uint32_t slot = strtoul(argument, NULL, 10);
	char *device = strchr(argument, '='), *kind = strchr(argument, ':');
	int ifindex;

	if (kind)
		*kind = '\0';
	ifindex = device ? (int)if_nametoindex(device + 1) : 0;
	must(ifindex ? 0 : -ENODEV, argument);
	device_hang(node, slot, ifindex, kind ? PL_PORT_TAP : PL_PORT_VETH);
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
	char line[64];

	if (argc < 3) {
		fprintf(stderr, "usage: wire_node direct|helpers SLOT=DEVICE[:tap]...\n");
		return EXIT_FAILURE;
	}
	libbpf_set_print(NULL); /* it calls a qdisc that exists an error */
	node = node_new(&(struct node_options){.helpers = strcmp(argv[1], "helpers") == 0});
	device_start(node);
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
