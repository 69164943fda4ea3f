/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the program says of flows of endpoints whose flow log is on: a record where one ends, and one where an
 * attempt to open one is refused. Both tables are pinned: what is said while no agent runs is read by the
 * next one.
 */
#pragma once

#include "pl_abi_flow.h"

#define PL_LOG_BUFFER_SIZE   (1024 * 1024) /* bytes of records that nobody has read yet */
#define PL_LOG_ENDED_PER_S   1000	   /* records of flows that end, of one ENI, … */
#define PL_LOG_ENDED_BURST   4000	   /* … and at once */
#define PL_LOG_REFUSED_PER_S 10		   /* the same of attempts that are refused */
#define PL_LOG_REFUSED_BURST 100

/* pl_logged: array by slot of an ENI. */
struct pl_logged {
	__u32 on; /* the agent's: its flows are told of */
	__u32 pad;
	__u64 ended_at, refused_at; /* the program's: buckets, as in pl_buckets */
	__u64 lost; /* the program's: records that were too many in a second, or found no room */
	__u64 told; /* the agent's: of these it has written down */
};

enum {
	PL_LOG_ENDED = 1,
	PL_LOG_REFUSED,
};

enum { /* pl_log_record.how; the first is the bit of PL_END_… */
       PL_LOG_FORCED =
	       1, /* it lived, and was ended: by a refusal, by another SYN, or because it was asked for */
       PL_LOG_ASKED = 4,   /* … by the agent: its port or ENI is gone */
       PL_LOG_NO_BACK = 8, /* the numbers of the way back are not known */
};

struct pl_log_record {
	__u64 time;		 /* CLOCK_MONOTONIC, ns */
	struct pl_flow4_key key; /* of the opening packet */
	__be32 saddr, daddr;	 /* as the server sees it; zeros: it was refused */
	__be16 sport, dport;
	__u32 eni;		    /* slots: of the ENI, … */
	__u32 client;		    /* … of the port that opened it, … */
	__u32 server;		    /* … of the server's port; PL_SLOT_NONE: not known */
	__u32 opened;		    /* jiffies, low 32 bits; 0: not known */
	__u64 packets[2], bytes[2]; /* to the service, and from it */
	__u16 reason;		    /* of a refusal, also of a flow that was open; 0: there is none */
	__u8 what;		    /* PL_LOG_ENDED, PL_LOG_REFUSED */
	__u8 how;		    /* PL_LOG_FORCED, … */
	__u8 state;		    /* pl_flow4.state of the opening row */
	__u8 pad[3];
	__u32 seen; /* jiffies, low 32 bits: when the last packet passed */
	__u32 pad2;
};

PL_ASSERT(sizeof(struct pl_logged) == 40, "pl_logged");
PL_ASSERT(sizeof(struct pl_log_record) == 104, "pl_log_record");
