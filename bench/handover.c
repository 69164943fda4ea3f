/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in by one device of a namespace is put into the namespace behind another one, and the other way
 * round, by a program that does nothing else:
 *
 *	handover DEVICE DEVICE
 *
 * It attaches as privlink's does, and hands over as that does. Says "ready", and goes on until it is killed;
 * its links go with it. Only IPv4 is handed over: the kernel answers for neighbours.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if.h>

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS of Linux 6.6; not in Debian 12's headers */

static _Noreturn void die(const char *what, int error)
{
	(void)fprintf(stderr, "handover: %s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

/* Its descriptor. */
static int load_program(unsigned int to)
{
	const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct __sk_buff, protocol)},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_2, .imm = htons(ETH_P_IP), .off = 4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int)to},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_peer},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_OK},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "handover", "Dual BSD/GPL", program,
			       sizeof(program) / sizeof(*program), NULL);

	if (fd < 0)
		die("program", errno);
	return fd;
}

static unsigned int index_of(const char *device)
{
	unsigned int index = if_nametoindex(device);

	if (!index)
		die(device, errno);
	return index;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: handover DEVICE DEVICE\n");
		return EXIT_FAILURE;
	}
	for (int i = 0; i < 2; i++)
		if (bpf_link_create(load_program(index_of(argv[2 - i])), (int)index_of(argv[1 + i]),
				    (enum bpf_attach_type)TCX_INGRESS, NULL) < 0)
			die("attach (needs Linux 6.6)", errno);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
