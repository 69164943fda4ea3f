/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many runs of the shipped object's pl_main on packets of our choice (wrap.bpf.c), and what one costs. To be
 * included by a program's only source file, after tests/bpf/node.h.
 */
#pragma once

#include <sys/mman.h>

#include "bench/wrap_abi.h"

#include "bench/wrap.skel.h"

/* Makes room for that many packets that take turns. */
static inline struct wrap_bpf *wrap_new(uint32_t n_packets)
{
	struct wrap_bpf *wrap = wrap_bpf__open();

	if (!wrap)
		must(-errno, "open the wrapper");
	bpf_map__set_max_entries(wrap->maps.wrap_packets, n_packets);
	must(wrap_bpf__load(wrap), "load the wrapper");
	return wrap;
}

/* The packet of an index, sent from the port in that slot; `vary`: see struct wrap_packet. */
static inline void wrap_put(const struct wrap_bpf *wrap, uint32_t index, uint32_t slot, const struct pkt *p,
			    uint32_t vary)
{
	struct wrap_packet packet = {.slot = slot, .size = p->size, .vary = vary};

	if (p->size >= sizeof(packet.data))
		must(-E2BIG, "packet");
	memcpy(packet.data, p->data, p->size);
	map_put(wrap->maps.wrap_packets, &index, &packet);
}

/* All packets, to be written where the wrapper reads them; munmap() is the caller's. */
static inline struct wrap_packet *wrap_packets(const struct wrap_bpf *wrap, uint32_t n_packets)
{
	void *packets = mmap(NULL, n_packets * sizeof(struct wrap_packet), PROT_READ | PROT_WRITE, MAP_SHARED,
			     bpf_map__fd(wrap->maps.wrap_packets), 0);

	must(packets == MAP_FAILED ? -errno : 0, "map the wrapper's packets");
	return packets;
}

/* Nanoseconds of each of the runs, wrapper included. */
static inline double wrap_call(const struct wrap_bpf *wrap, int program_fd, struct wrap_turns turns,
			       uint32_t repeats)
{
	struct __sk_buff ctx = {0};
	uint8_t frame[WRAP_PACKET_MAX / 2] = {0};
	uint32_t zero = 0;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = repeats);
	map_put(wrap->maps.wrap_program, &zero, &program_fd);
	wrap->data->wrap_turns = turns;
	must(bpf_prog_test_run_opts(bpf_program__fd(wrap->progs.wrap), &opts), "run");
	if (opts.retval == (uint32_t)TC_ACT_UNSPEC)
		must(-EINVAL, "the wrapper did not reach the program");
	return opts.duration;
}

/* Nanoseconds of pl_main alone for each of the runs. */
static inline double wrap_run(const struct wrap_bpf *wrap, const struct node *node, struct wrap_turns turns,
			      uint32_t repeats)
{
	double ns = wrap_call(wrap, bpf_program__fd(node->bpf->progs.pl_main), turns, repeats);

	return ns - wrap_call(wrap, bpf_program__fd(wrap->progs.wrap_empty), turns, repeats);
}
