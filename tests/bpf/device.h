/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet tests' node on real devices: entry programs and guards on veths and taps.
 */
#pragma once

#include "node.h"

#include "bpf/pl_entry.h"

static inline void device_attach(int ifindex, enum bpf_tc_attach_point point, int program_fd)
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

static inline int device_entry_load(struct node *node, uint32_t slot)
{
	struct bpf_insn insns[PL_ENTRY_INSNS];
	int fd;

	pl_entry_build(insns, slot, bpf_map__fd(node->bpf->maps.pl_entry));
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "pl_port", "Dual BSD/GPL", insns, PL_ENTRY_INSNS, NULL);
	must(fd, "entry program");
	return fd;
}

/* The packets of all ports go to the program from now on. */
static inline void device_start(struct node *node)
{
	int fd = bpf_program__fd(node->bpf->progs.pl_main);
	uint32_t zero = 0;

	map_put(node->bpf->maps.pl_entry, &zero, &fd);
}

/* The port of a slot gets its device. */
static inline void device_hang(struct node *node, uint32_t slot, int ifindex, uint8_t delivery)
{
	const struct bpf_program *guard =
		delivery == PL_PORT_TAP ? node->bpf->progs.pl_guard_tap : node->bpf->progs.pl_guard_veth;
	int entry_fd = device_entry_load(node, slot);
	struct pl_port port;

	must(bpf_map_lookup_elem(bpf_map__fd(node->bpf->maps.pl_ports), &slot, &port), "pl_ports");
	port.ifindex = ifindex;
	port.delivery = delivery;
	map_put(node->bpf->maps.pl_ports, &slot, &port);
	device_attach(ifindex, BPF_TC_INGRESS, entry_fd);
	device_attach(ifindex, BPF_TC_EGRESS, bpf_program__fd(guard));
	close(entry_fd);
}
