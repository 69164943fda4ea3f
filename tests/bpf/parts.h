/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a part of the data path is called with: the row that stands under a key.
 */
#pragma once

#include "../../bpf/pl_abi_flow.h"

struct part_call {
	__u8 frame[16]; /* a frame has to begin like one; zero */
	struct pl_flow4_key key;
	__u32 tag;    /* answer: the key's */
	__u32 to_vpc; /* to open: where the flow leads */
	__u32 to_slot;
	__be32 to_addr;
	__u32 reason;		/* to refuse: why */
	struct pl_flow4_key by; /* to tell: under which the row of pl_proxied stands by now */
};
