/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The entry program of a port: writes the port's slot into skb->cb[0] and jumps to slot 0 of pl_entry. It is
 * fixed, so a port's link never has to be replaced; an upgrade writes pl_entry. While pl_entry is empty it
 * drops.
 *
 * Written as instructions because it differs from port to port in one number, and a loader with a compiled
 * object for each of 10,000 ports would be absurd.
 */
#pragma once

#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#define PL_ENTRY_INSNS 8

/* Fills insns; to be loaded as BPF_PROG_TYPE_SCHED_CLS with the licence "Dual BSD/GPL". */
static inline void pl_entry_build(struct bpf_insn insns[static PL_ENTRY_INSNS], __u32 slot, int entry_map_fd)
{
	const struct bpf_insn program[PL_ENTRY_INSNS] = {
		/* r0 = slot; skb->cb[0] = r0 */
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (__s32)slot},
		{.code = BPF_STX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_0,
		 .off = offsetof(struct __sk_buff, cb)},
		/* bpf_tail_call(r1 = skb, r2 = map, r3 = 0) */
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = entry_map_fd},
		{0},
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
		/* the map is empty */
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};

	__builtin_memcpy(insns, program, sizeof(program));
}
