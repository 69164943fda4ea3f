/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Open flows: keys and rows of the flow tables, their sizes and time-outs. They outlive the program that
 * opened them, so they change by other rules than the configuration (pl_abi.h), and have a version of their
 * own.
 *
 * Rows only ever grow, at their end, by multiples of 8 bytes, and a field that is zero means what was done
 * before there was that field. So a program reads the rows of any other, an older one or a newer one: it
 * takes what both have, and zeros for the rest. For that nothing is to be raised. Keys, and what fields mean,
 * are never changed without a new PL_FLOW_VERSION: flows of another version are lost. (Tokens took the upper
 * half of a count that had 64 bits, and states became bits among which the old values are known: rows of
 * before say the same.) A flow table has tokens of its own; a flow that moves to another gets another token.
 */
#pragma once

#include <linux/bpf.h>

#include "pl_abi.h"

#define PL_FLOW_VERSION 1

/* Tokens, each the right to two rows: one for a translated flow, two for one between instances. Powers of
 * two. There are as many rows as the tenants' would need alone, which is a power of two, too, since the
 * kernel has so many hash heads; so as many of theirs as VPC 0 has of its own are never given out. */
#define PL_TOKENS_TENANTS 131072
#define PL_TOKENS_SERVICE 8192 /* VPC 0's own, for probes and DNS */
#define PL_TOKENS_GIVEN	  (PL_TOKENS_TENANTS - PL_TOKENS_SERVICE)
#define PL_FLOWS4_MAX	  (2 * PL_TOKENS_TENANTS)
#define PL_RESTS_MAX	  32768
#define PL_FLOWS6_MAX	  1024 /* small while IPv6 is dropped at the door */

/* Idle time-outs in seconds, by protocol and state; pl_sweep.h applies them. */
#define PL_IDLE_TCP_NEW		60 /* half open: never answered, or the opener has said nothing since */
#define PL_IDLE_TCP_ESTABLISHED 900
#define PL_IDLE_TCP_CLOSING	10 /* both have sent a FIN, or one a RST */
#define PL_IDLE_UDP		120
#define PL_IDLE_UDP_SILENT	900 /* of the opener, while answers go on */
#define PL_IDLE_ICMP		30
#define PL_IDLE_DNS		10 /* questions by UDP */
#define PL_IDLE_PROBE		20 /* health probes by UDP: a later answer is none */
#define PL_REST_UDP		60 /* that a source rests after its server's last datagram */
/* The same while more than three quarters of the tokens are in use, or a quarter of VPC 0's. */
#define PL_EARLY_TCP_NEW     5
#define PL_EARLY_TCP_CLOSING 1

/* Flow tables. One entry per direction, found by what a packet carries when it arrives from a port.
 * `side` tells the two entries of a flow between instances apart: what a sender's port remembers (OUT), and
 * what a receiver's port remembers (IN). Translated flows have OUT entries only, one at each end.
 * An entry's *partner* is the entry of the other direction that was inserted with it; its key is the entry's
 * rewritten tuple turned round, in partner_vpc (and on the other side, between instances). The two live and
 * die together: a translated source port is free only when both are gone. */
#define PL_SIDE_OUT 0
#define PL_SIDE_IN  0x80

struct pl_flow4_key {
	__be32 saddr, daddr;
	__be16 sport, dport; /* ICMP echo: the identifier on the asking side, 0 on the other */
	__u32 vpc_proto;     /* vpc << 8 | side | protocol (below 128) */
};

struct pl_flow6_key {
	struct pl_addr saddr, daddr;
	__be16 sport, dport;
	__u32 vpc_proto;
};

enum {			       /* pl_flow4.kind */
       PL_FLOW_NAT = 1,	       /* consumer -> backend: rewrite and deliver */
       PL_FLOW_NAT_BACK = 2,   /* backend -> consumer */
       PL_FLOW_LOCAL = 3,      /* between instances, as opened: no rewrite of addresses */
       PL_FLOW_LOCAL_BACK = 4, /* between instances, the replies */
};
/* pl_flow4.state: what a flow has come to. All of it stands in the opening direction's row; the other row has
 * what it has told its partner. */
#define PL_STATE_ESTABLISHED (1 << 0) /* the opener spoke again after an answer */
#define PL_STATE_WAS_RESET   (1 << 1) /* a reset was undone, or the client has not heard of the end */
#define PL_STATE_ANSWERED    (1 << 2)
#define PL_STATE_FIN	     (1 << 3) /* of the opener */
#define PL_STATE_FIN_BACK    (1 << 4)
#define PL_STATE_RST	     (1 << 5) /* and nothing from the side that sent it since */
#define PL_STATE_RST_BACK    (1 << 6)
#define PL_STATE_DEAD	     (1 << 7) /* being deleted: no packet may follow it */

/* Any of these in the opening row: the answering side may know nothing of the connection any more. */
#define PL_STATE_IN_DOUBT	  (PL_STATE_RST | PL_STATE_RST_BACK | PL_STATE_WAS_RESET)
#define PL_STATE_MAY_BE_FORGOTTEN (PL_STATE_IN_DOUBT | PL_STATE_FIN_BACK)

/* In rows without a token, of programs before there were any: a FIN in this direction, or a RST in either. */
#define PL_STATE_OLD_CLOSING PL_STATE_WAS_RESET

struct pl_flow4 {
	__be32 saddr, daddr;	   /* to write */
	__be16 sport, dport;	   /* to write */
	__u16 csum_addr, csum_all; /* folded one's-complement differences: addresses; addresses and ports */
	__u8 dst_mac[6], src_mac[6];
	__u32 ifindex; /* node side device of the receiver; 0: another node (later) */
	/* 8 bytes that change together, see pl_flow_change_state() */
	__u8 kind;
	__u8 state;
	__u8 delivery; /* PL_PORT_VETH, PL_PORT_TAP */
	__u8 proxy;    /* of the PROXY header in front of it: PL_PROXY_… of pl_abi.h, and a mark below */
	__u32 tag;  /* hash of the key: tells a reader that the row was given to another flow under its hands
		     */
	__u32 seen; /* jiffies, low 32 bits, written when they changed */
	__u32 slot; /* policy slot that judged it: the port's, or the ENI's; 0: DNS and probes, judged by none
		     */
	__u32 generation; /* the tag, and the sum of the generations that judged it: sender's, slot's and
			     peer's */
	__u32 peer;	  /* slot of the receiving port; PL_SLOT_NONE: another node */
	__u16 limit;	  /* slot of its limit of bytes; 0: it has none */
	__u16 idle_s;	  /* idle time-out when established; 0: the protocol's */
	__u32 partner_vpc;
	/* 64 bytes: what a packet needs ends here */
	__u32 packets; /* of rows before there were tokens it had 64 bits, whose upper half was 0 */
	__u32 token;   /* of the flow, in both of its rows; 0: none */
	__u64 bytes;
};

/* pl_tokens: array of the tenants' tokens, then VPC 0's. Number 0 is never given out. The word says whose
 *hand a token is in:
 *
 *	63 incarnation 36 | 35 class 34 | 33 phase 32 | 31 due 0
 *
 * FREE: nobody's, or its who has just taken it. OPEN: a flow's. BUSY: of the one that has made it so, by a
 * compare-and-swap, to end the flow. `due` (jiffies) is a hint when to look at the row. */
enum { PL_PHASE_FREE, PL_PHASE_BUSY, PL_PHASE_OPEN };
#define PL_TOKEN_INCARNATION 36
#define PL_TOKEN_CLASS	     34
#define PL_TOKEN_PHASE	     32

/* pl_token.owner: the account is that of when the token was taken, whose the slot is by now is another
 * question. */
#define PL_OWNER_NONE	 0xffffffffu
#define PL_OWNER_SLOT	 0xffffu
#define PL_OWNER_ACCOUNT 16 /* from this bit on */

struct pl_token {
	__u64 word;
	struct pl_flow4_key key; /* of the opening row */
	__u32 owner;		 /* slot, and above it the number of its account; PL_OWNER_NONE: nobody's */
	__u32 opened;		 /* when, in jiffies; 0: that is not known */
};

enum { PL_RANGE_TENANTS, PL_RANGE_SERVICE, PL_RANGES };

/* pl_owners: array by slot, of the ENI that a flow goes to, or the port that has opened it; of DNS questions
 * the asking port, of probes the server's. Behind the slots, by pl_owner_of_account(), the accounts whose
 * they are. Tokens that it has, by range; and what the ports of an account owe for fragments (pl_frag.h). */
#define PL_OWNERS_MAX (PL_SLOTS_MAX + PL_ACCOUNTS_MAX + 1)

/* An ENI's or a port's first tokens: for these its account may have a part more than what is free, so that
 * one that floods does not take away the first connections of its tenant's others. How many it has of them is
 * no matter: an account passes its share by no more than that part of what is free then. */
#define PL_SHARE_FIRST	    16
#define PL_SHARE_FIRST_PART 8

struct pl_owner {
	__u32 flows[PL_RANGES];
	__u64 owes_until; /* when receivers will have forgotten it: ns of the monotonic clock. Of accounts */
};

/* The row of an account. Those that follow each other, as numbers are given out, are not of one line: on
 * different CPUs different tenants open flows. */
static inline __u32 pl_owner_of_account(__u16 account)
{
	return PL_SLOTS_MAX + (__u16)(account << 2 | account >> 14);
}

/* pl_uses: array of one. */
struct pl_uses {
	__u32 fresh[PL_RANGES]; /* tokens that have been given out once, by range */
	__u32 used[PL_RANGES];	/* tokens in use, by range */
	__u32 epoch;		/* rises with each new set of tokens, for sources of the last one to rest */
	__u32 pad;
};

/* pl_round: array of one. Whoever writes its row ends the timer. */
struct pl_round {
	struct bpf_timer timer;
	__u32 hand[PL_RANGES]; /* where the timer stands, by range */
	__u64 ended;	       /* flows that it has ended */
};

/* pl_flows4_old: an old flow table is in the first slot from the load on, in the second when no packet is in
 * the program before any more. */
enum { PL_OLD_READ, PL_OLD_EMPTY, PL_OLD_SLOTS };

/* pl_rests: hash by the replies' key: translated sources of datagrams that no other client may get yet for
 * the same server. Each row is in pl_rest_queue once, and counted in pl_rest_counts by its ENI, by its
 * account and in all: these three are made anew together, or none is. */
struct pl_rest {
	__be32 addr; /* of the client that had it */
	__u32 vpc;
	__u32 until; /* jiffies */
	__u32 owner; /* whose share it takes, as pl_token.owner */
};

/* What the agent asks of the data path, as the frame of a run of pl_ask. */
enum { PL_ASK_CARRY, PL_ASK_END };
struct pl_ask {
	__u8 frame[16]; /* a frame has to begin like one; zero */
	__u32 what, pad;
	struct pl_flow4_key key;
};

struct pl_flow6 {
	struct pl_addr saddr, daddr;
	__be16 sport, dport;
	__u16 csum_addr, csum_all;
	__u8 dst_mac[6], src_mac[6];
	__u32 ifindex;
	__u8 kind, state, delivery, proxy;
	__u32 tag, seen, slot, generation, peer;
	__u16 limit, idle_s;
	__u32 partner_vpc;
	__u32 pad[2];
	__u64 packets, bytes;
};

/* pl_flow4.proxy: the lower half says whether packets have to be looked at; zero in both: there is no header.
 */
#define PL_PROXY_MARKS	     0x0f
#define PL_PROXY_DONE	     1 /* the server has the header: only a SYN has to */
#define PL_PROXY_OPEN	     2 /* all have to */
#define PL_PROXY_PARTS_SHIFT 4

/* pl_proxied: where a connection with a PROXY header stands (pl_proxy.h), by the client's key. It lives as
 * long as the rows of pl_flows4, so a SYN that comes late is known from that of a new connection. (In rows of
 * before there was `told` it is zero, and what stands around it is something else.) */
struct pl_proxied {
	__u32 state;  /* changes together with the tag, see pl_proxy_move() */
	__u32 tag;    /* as in pl_flow4 */
	__u32 first;  /* sequence number of the client's first byte; the header ends before it */
	__be32 acked; /* what the client has acknowledged, and its window, as in its packets */
	__be16 window;
	__u8 size;	/* of the header */
	__u8 parts;	/* what it says */
	__u16 sent;	/* when the header was sent last: PL_PROXY_TICK_SHIFT */
	__u8 told;	/* PL_TOLD_…; bits stay, but for what was another connection's */
	__u8 scale : 4; /* of the server's window */
	__u8 turns : 4; /* acknowledgements that became the header so far, up to a limit */
	__u32 known; /* what acknowledges the server's answer, less the header's number: with SYN cookies all
			that it takes for an answer of that minute is as far from its number */
	__u32 known_before; /* of another answer, of this connection or one before; 0: none */
};

#define PL_TOLD_ANSWERS	 (1 << 1) /* the server may have given more than one answer */
#define PL_TOLD_END_BACK (1 << 3) /* it has sent a FIN */
#define PL_TOLD_MEMORY	 (1 << 6) /* `known` and `known_before` are as said above; not in rows of before */
#define PL_TOLD_ANSWER	 (1 << 7) /* `known` is that of its answer */
#define PL_PROXY_TICK_SHIFT                                                                                  \
	24 /* so many bits of ns less: 1,099 s in pl_proxied.sent, no flow is idle for so long */

#define PL_PROXIED_MAX (PL_FLOWS4_MAX / 2) /* one for each translated flow, so that no room is the flows' */

PL_ASSERT(sizeof(struct pl_flow4_key) == 16, "pl_flow4_key");
PL_ASSERT(sizeof(struct pl_flow6_key) == 40, "pl_flow6_key");
PL_ASSERT(sizeof(struct pl_flow4) == 80, "pl_flow4");
PL_ASSERT(__builtin_offsetof(struct pl_flow4, packets) == 64, "pl_flow4: the first 64 bytes");
PL_ASSERT(__builtin_offsetof(struct pl_flow4, bytes) == 72, "pl_flow4.bytes");
PL_ASSERT(sizeof(struct pl_token) == 32, "pl_token");
PL_ASSERT(sizeof(struct pl_owner) == 16, "pl_owner");
PL_ASSERT(2 * (PL_TOKENS_GIVEN - 1 + PL_TOKENS_SERVICE) <= PL_FLOWS4_MAX,
	  "pl_flows4: two rows for each token");
PL_ASSERT(PL_SLOTS_MAX <= PL_OWNER_SLOT + 1, "pl_token.owner");
PL_ASSERT(sizeof(struct pl_ask) == 40, "pl_ask");
PL_ASSERT(__builtin_offsetof(struct pl_flow4, kind) % 8 == 0, "pl_flow4: state and tag in one word");
PL_ASSERT(__builtin_offsetof(struct pl_flow4, tag) == __builtin_offsetof(struct pl_flow4, kind) + 4,
	  "pl_flow4.tag");
PL_ASSERT(sizeof(struct pl_proxied) == 32, "pl_proxied");
PL_ASSERT(sizeof(struct pl_flow6) == 112, "pl_flow6");
PL_ASSERT(__builtin_offsetof(struct pl_flow6, packets) == 96, "pl_flow6: no hole");
