/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the data path and user space agree on: the keys and values of the configuration's maps, and the
 * numbers in them. (Those of security
 * groups stand in pl_abi_policy.h; those of open flows in pl_abi_flow.h, and have a version of their own.)
 * Seen by bpf/, src/plan, src/datapath and the tests; nothing else.
 *
 * Addresses of both families take 16 bytes (an IPv4 address is ::ffff:a.b.c.d) everywhere but in the IPv4
 * flow table. Addresses and L4 ports are big endian (__be…), everything else is host order. Every hole is a
 * named pad, always zero: keys are compared as bytes.
 *
 * An agent that finds pinned tables of another PL_ABI_VERSION, or of other sizes, fills tables of its own
 * from the plan before its program takes over. Whatever changes here raises the version, and rows grow at
 * their end. (But for a pad that becomes a field, where zero means what was done before: every program can
 * have the rows of every agent.) What comes first in a row of a port, an ENI or a backend stays as it is for
 * ever: up to the number, or to the backend's L4 port. By it the next agent, or the last, knows which number
 * has which slot or index, and open flows hold on to those. So do a slot's account, where it stands in
 * pl_limits, a server's key, and its row up to `until`.
 */
#pragma once

#include "pl_abi_policy.h"

#define PL_ABI_VERSION 6

/* Slots: one number space on a node for local ports and endpoint ENIs; slot 0 is the service port (VPC 0). */
#define PL_SLOT_SERVICE 0
#define PL_SLOT_NONE	0xffffffffu

/* VPC numbers are 24 bits (the VNI). */
#define PL_VPC_NODES	0 /* the nodes' own: DNS and probe sockets */
#define PL_VPC_RESERVED 1

#define PL_NAT_PROBES	    16	 /* source ports tried for a new flow */
#define PL_NAT_PORT_FIRST   1024 /* translated source ports are taken from here up to 65535 */
#define PL_ICMP_PER_S	    100	 /* ICMP errors that a port may cause or send, one after the other */
#define PL_ICMP_BURST	    50	 /* and at once */
#define PL_ANSWERS_PER_S    1000 /* refusals that a port is told, and how many at once */
#define PL_ANSWERS_BURST    250
#define PL_GSO_SIZE_MIN	    64	 /* bytes of payload in a segment: no fewer may be asked for */
#define PL_GSO_SEGMENTS_MAX 1024 /* of one packet: 64 KB in the smallest */
#define PL_GSO_CUT_MIN	    1024 /* as the first of these, of what is to be cut into fragments */

/* Default sizes of the maps; user space may set others before it loads the object. */
#define PL_SLOTS_MAX	 65536 /* pl_ports, pl_generations */
#define PL_PLACES_MAX	 131072
#define PL_ENIS_MAX	 32768
#define PL_LISTENERS_MAX 32768
#define PL_BACKENDS_MAX	 65536
#define PL_SERVERS_MAX	 131072
#define PL_MAGLEV_MAX	 2097152
#define PL_TALLIES_MAX	 131072
#define PL_CPS_MAX	 16384

/* Rates that nobody sets: generous, and what keeps one tenant's flood from the others. */
#define PL_PORT_OPENS_PER_S	50000  /* new flows of one port */
#define PL_ENI_OPENS_PER_S	100000 /* new flows of one endpoint's ENI, of all its consumers on the node */
#define PL_PORT_QUESTIONS_PER_S 1000   /* of one port to the resolver */
/* What may come at once, as time at the allowed rate: many ticks of the clock; and for bytes longer than TCP
 * waits after a loss (0.2 s), or it would never catch up with that. */
#define PL_OPENS_BURST_NS 1000000000ull
#define PL_DNS_BURST_NS	  500000000ull
#define PL_BYTES_BURST_NS 250000000ull
#define PL_BYTES_BEGUN_NS 1000000000ull	  /* of datagrams in fragments that have begun */
#define PL_LIMIT_DEBT_NS  10000000000ull  /* beyond the burst; a packet is up to 8.7 s of questions */
#define PL_LIMIT_NONE_NS  600000000000ull /* more than that nobody has spent: it is no debt */
#define PL_DNS_TCP_BYTES  64		  /* of a stream to the resolver that cost as much as a question */
#define PL_PROXIES_MAX	  196608 /* some ENIs have a row for each choice of ids, of which there are seven */

struct pl_addr {
	__be32 w[4];
};

/* pl_ports: array by slot. A zero number means: no such port. The entry program of a port's device puts the
 * slot into skb->cb[0]. */
enum {
	PL_PORT_VETH = 0, /* delivered by bpf_redirect_peer */
	PL_PORT_TAP =
		1, /* delivered by bpf_redirect to egress, with skb->mark = PL_MARK_OURS ^ sender's slot */
};
#define PL_PORT_F_SERVICE (1u << 0) /* the port of VPC 0: only DNS answers and probes leave it */
/* The egress guard of a tap lets pass what has this mark, with the sender's slot in it, and has come in by
 * the device of that slot's port: the mark alone could be set by any program of the node that may set marks.
 */
#define PL_MARK_OURS 0x706c0000u

struct pl_port {
	__u32 number; /* the store's number of the port; 0: free. The service port has number 0xffffffff */
	__u32 vpc;
	__u32 ifindex; /* node side device */
	__u8 delivery; /* PL_PORT_VETH, PL_PORT_TAP */
	__u8 flags;
	__u16 mtu;
	struct pl_addr addr;
	__u8 mac[6]; /* of the instance's side */
	__u16 zone;  /* the node's own index of the zone, for counters and affinity */
	struct pl_addr
		service_addr; /* its address in VPC 0: 198.18.0.0 + slot, source of its DNS questions */
	__u32 set;	      /* pl_sets: its groups, its policy and what it is a member of */
	__u32 pad;
};

/* pl_places: (VPC, address) -> what lives there. Missing: nothing does (PL_DROP_NO_PLACE). */
enum {
	PL_PLACE_PORT = 1,    /* a port of this node: id is its slot */
	PL_PLACE_REMOTE = 2,  /* a port of another node: id is that node's number (overlay, later) */
	PL_PLACE_ENI = 3,     /* an endpoint ENI: id is its slot */
	PL_PLACE_NAT = 4,     /* a translated source address of this node */
	PL_PLACE_GATEWAY = 5, /* gateway of a vSwitch: answers echo, nothing else */
	PL_PLACE_DNS = 6,     /* the VPC's DNS address: answered by the service port */
	PL_PLACE_PROBE = 7,   /* VPC 0 only: id is an index of pl_backends, the L4 port is kept */
	PL_PLACE_VIP = 8,     /* address of a load balancer: nothing answers it inside its own VPC yet */
};

struct pl_place_key {
	__u32 vpc;
	struct pl_addr addr;
};

struct pl_place {
	__u32 kind;
	__u32 id;
};

/* pl_enis: hash by slot. */
#define PL_ENI_F_CONNECTED (1u << 0) /* the connection and the zone are (to be) connected */

struct pl_eni {
	__u32 number; /* the store's number of the ENI's port */
	__u32 vpc;
	__u32 flags;
	__u32 zone;
	__u32 target; /* pl_listener_key.target: the load balancer and zone that serve this ENI */
	__u32 limit;  /* slot of its limits, its own, if its flows have one of bytes; else 0 */
	struct pl_addr addr;
	__u8 mac[6];
	__u16 pad;
	__u32 set;	    /* pl_sets: its groups */
	__u32 balancer_set; /* those of its load balancer, whose consent is needed, too; 0: it has none */
};

#define PL_LISTENER_F_ILL (1u << 0) /* none of its servers is well, so the table names ill ones */

/* pl_listeners: what a (load balancer, zone) listens on. A target is the agent's own number for that pair. */
struct pl_listener_key {
	__u32 target;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 pad;
};

struct pl_listener {
	__u32 table_first; /* where its Maglev table starts in pl_maglev */
	__u32 table_size;  /* 0: no backend at all (PL_DROP_NO_BACKEND) */
	__u32 idle_s;	   /* idle time-out of an open flow; 0: the protocol's */
	__u16 mss;	   /* clamp; 0: none (later) */
	__u8 proxy;	   /* PL_PROXY_…: what a PROXY header says; 0: none is sent */
	__u8 pad;
	__u32 vpc;     /* of the servers: a backend of another one is not chosen */
	__u32 open_ns; /* what a new flow costs an ENI here (1 s / Cps); 0: no limit */
	__u32 flags;   /* PL_LISTENER_F_… */
	__u32 pad2;
	__u64 group; /* pl_server_key.group: whose servers they are */
};

/* What the PROXY header (version 2) in front of a connection says: the client's address and port, the ENI's,
 * and of three ids those that the listener wants. Each is a TLV with a subtype and the id's text. */
#define PL_PROXY_ON	  1
#define PL_PROXY_VPC	  2
#define PL_PROXY_ENDPOINT 4
#define PL_PROXY_SERVICE  8
#define PL_PROXY_IDS	  (PL_PROXY_VPC | PL_PROXY_ENDPOINT | PL_PROXY_SERVICE)
#define PL_PROXY_PARTS	  (PL_PROXY_ON | PL_PROXY_IDS)
#define PL_PROXY_ADDRS	  16 /* bytes in front of the addresses */
#define PL_PROXY_SIZE_MIN 28 /* bytes of a header without ids */
#define PL_PROXY_TLV_TYPE 0xe1
#define PL_PROXY_TLV_HEAD 4  /* bytes: type, length, subtype */
#define PL_PROXY_ID_MAX	  29 /* characters of an id */
#define PL_PROXY_TLVS_MAX (3 * (PL_PROXY_TLV_HEAD + PL_PROXY_ID_MAX))

/* pl_proxies: the ids of an endpoint's ENI as they stand in headers, for each choice of its listeners. Ready
 * made by the agent: a header is copied together. */
struct pl_proxy_key {
	__u32 slot;  /* of the ENI */
	__u32 parts; /* pl_listener.proxy */
};

struct pl_proxy {
	__u32 size;			  /* bytes of tlvs */
	__u8 tlvs[PL_PROXY_TLVS_MAX + 1]; /* zero behind the last one */
};

/* pl_maglev: flat array of pl_backends indexes, in regions that the agent gives out. A table is written into
 * a free region first, then its listener row is switched. */

/* pl_backends: hash by the agent's own index. */
struct pl_backend {
	struct pl_addr addr;
	__u32 vpc;
	__u32 slot; /* PL_PLACE_PORT slot of the port that has the address; PL_SLOT_NONE: on another node, or
		       nowhere */
	__u32 node; /* number of that other node (later) */
	__be16 port;
	__u16 zone;
	__be32 nat_first; /* translated sources: nat_count addresses from here, in the backend's VPC, this
			     node's own */
	__u32 nat_count;
};

/* pl_servers: hash by server group and server: whether a server may keep the flows that it has. Missing: it
 * is not in the group (any more): its datagrams go to another one, its connections stay. */
enum {
	PL_SERVER_WELL = 1,
	PL_SERVER_ILL = 2,     /* keeps connections; datagrams, too, while no server is well */
	PL_SERVER_LEAVING = 3, /* removed, or without weight: keeps connections */
	PL_SERVER_GONE = 4,    /* keeps nothing */
};

struct pl_server_key {
	__u64 group; /* a hash of the group's id: the same after each start */
	struct pl_addr addr;
	__be16 port;
	__u16 pad[3];
};

struct pl_server {
	__u8 state;
	__u8 drains; /* when it leaves, its connections end drain_s seconds later; else they stay */
	__u16 drain_s;
	__u32 until; /* for the agent alone, which finds it here after a restart. LEAVING: when it is gone;
			GONE: since when; monotonic milliseconds, low 32 bits. 0: it does not drain */
};

/* pl_generations: array by slot. It only ever rises, by one, after any change that concerns the slot (its
 * groups, their rules, its ENI's connection, listeners and their servers, its port's address or device), also
 * across restarts of the agent. `due` rises before the first row changes: where the two differ, a change was
 * broken off. A flow remembers the sum of the generations of its three slots (sender, judge, receiver) and is
 * judged again when that sum has changed. */

struct pl_generation {
	__u32 now, due;
};

/* Accounts: the node's own numbers of those that have ports or endpoints here, from 1 on; 0: nobody's. */
#define PL_ACCOUNTS_MAX 65535

/* pl_limits: array by slot of a port or an ENI. What each costs, in ns: one second divided by the rate. 0: no
 * limit. And whose account's share its flows take, beside its own. */
struct pl_limit {
	__u32 open_ns;	/* a new flow */
	__u32 kbyte_ns; /* 1,024 bytes of its flows, in each direction */
	__u32 dns_ns;	/* a question to the resolver */
	__u16 account;
	__u16 pad;
};

/* pl_buckets: array by slot; the program's own. When all that was let through will have been paid for, in ns
 * of the kernel's ticks. A row of its own line: ports run on different CPUs. */
struct pl_buckets {
	__u64 open_at, up_at, down_at, dns_at;
	__u64 pad[4];
};

/* pl_cps: LRU hash of such a word by ENI and listener, for listeners with a limit. */
struct pl_cps_key {
	__u32 eni;	/* slot */
	__u32 listener; /* L4 port << 16 | protocol, host order */
};

/* pl_reasons: per-CPU array of struct pl_count by reason; names and texts stand in pl_reasons.h. How many
 * there are is no part of the layout. */
struct pl_count {
	__u64 packets, bytes;
};

/* pl_tallies: hash of struct pl_count by an endpoint ENI's slot, one of its listeners and what is counted:
 * what the flow rows cannot tell. Where no listener is known yet, its port and protocol are 0. Counts only
 * rise while a slot has one owner; the agent deletes those of a slot that is free, and of a listener that is
 * gone, of which it keeps the sum. How long the list of reasons is changes nothing here. */
#define PL_TALLY_OPENED 0	   /* packets: flows that were opened */
#define PL_TALLY_ENDED	1	   /* what the rows of flows that the program took away had counted */
#define PL_TALLY_OUT	(1u << 16) /* with a reason or ENDED: from the service, not to it */

#define PL_TALLY_SLOT	  0xffffu /* of pl_tally_key.slot: the slot; above it the listener's port */
#define PL_TALLY_WHAT	  0xffu	  /* of pl_tally_key.what: one of the first two, else a drop's reason */
#define PL_TALLY_PORT	  16	  /* from this bit on, of slot */
#define PL_TALLY_PROTOCOL 8	  /* likewise, of what: the listener's */

#define PL_SLOT_TALLIES 3 /* OPENED, and ENDED in both directions: rows of a slot in pl_slot_tallies */

struct pl_tally_key {
	__u32 slot;
	__u32 what;
};

/* pl_fragments: hash by slot of the datagrams that a port has begun lately, of which more fragments may come.
 * Known by the program alone. */
#define PL_FRAGMENTS	      32   /* datagrams of a port at a time */
#define PL_FRAGMENT_WAYS      4	   /* rows among which each has its own */
#define PL_FRAGMENT_MS	      5000 /* that a fragment may come after the first */
#define PL_FRAGMENT_SILENT_MS 250  /* after which one that is not finished makes room */
/* Bytes that a port, and all ports of an account, may have sent of datagrams without finishing them, how many
 * more each fragment counts for (a receiver pays for a buffer, however few bytes are in it), and how long
 * receivers keep those. */
#define PL_FRAGMENT_OPEN	 524288
#define PL_FRAGMENT_ACCOUNT_OPEN 1048576
#define PL_FRAGMENT_BUFFER	 1024
#define PL_FRAGMENT_KEPT_S	 30

struct pl_fragment {
	__be32 saddr, daddr;
	__be16 sport, dport; /* as in the flow's key */
	__be16 id, new_id;   /* IP's identification, as it comes and as it leaves */
	/* 8 bytes that change together where a fragment passes in order */
	__u8 protocol;
	__u8 is_echo; /* it was answered on the spot */
	__u16 next;   /* where the next one begins, in units of 8 bytes; PL_FRAGMENT_NONE: one was left out */
	__u32 size;   /* bytes that are owed for it; 0: it is finished. (Of an echo: whether it is not) */
	/* 8 bytes that change together where a row is taken for another datagram */
	__u32 seen; /* milliseconds of the kernel's monotonic clock */
	__u32 tag;  /* hash of all others but `next` and `size`; PL_FRAGMENT_TAKEN: it is being written */
};

#define PL_FRAGMENT_NONE    0xffff
#define PL_FRAGMENT_PASSING 0x8000 /* and a CPU's number: the next one passes there */
#define PL_FRAGMENT_CPU	    0x3fff
#define PL_FRAGMENT_TAKEN   1

struct pl_fragments {
	struct pl_fragment rows[PL_FRAGMENTS];
	__u64 open; /* when receivers will have forgotten what was not finished: ns of the monotonic clock */
};

/* pl_config: array of one. Both versions keep their places for ever. */
#define PL_CONFIG_F_NO_MSS (1u << 0) /* no listener has an Mss; 0: that is not known */

struct pl_config {
	__u32 abi_version;
	__u32 node; /* number of this node */
	__u8 gateway_mac[6];
	__u16 mtu_low;		/* the least MTU of a port; 0: any packet may be too large for its receiver */
	__be32 dns_addr;	/* the DNS socket's address in VPC 0 */
	__u32 hz;		/* kernel ticks per second, for the sweep's time-outs */
	__u32 underlay_ifindex; /* later */
	__be32 underlay_addr;	/* later */
	__u32 flow_version;	/* PL_FLOW_VERSION of the flow tables that belong to this; 0: 1 */
	__u32 flags;		/* PL_CONFIG_F_… */
};

#define PL_ASSERT(cond, what) _Static_assert(cond, what)
PL_ASSERT(sizeof(struct pl_port) == 64, "pl_port");
PL_ASSERT(sizeof(struct pl_place_key) == 20, "pl_place_key");
PL_ASSERT(sizeof(struct pl_eni) == 56, "pl_eni");
PL_ASSERT(sizeof(struct pl_listener_key) == 8, "pl_listener_key");
PL_ASSERT(sizeof(struct pl_listener) == 40, "pl_listener");
PL_ASSERT(sizeof(struct pl_proxy_key) == 8, "pl_proxy_key");
PL_ASSERT(sizeof(struct pl_proxy) == 104, "pl_proxy");
PL_ASSERT(sizeof(struct pl_server_key) == 32, "pl_server_key");
PL_ASSERT(sizeof(struct pl_server) == 8, "pl_server");
PL_ASSERT(sizeof(struct pl_backend) == 40, "pl_backend");
PL_ASSERT(sizeof(struct pl_generation) == 8, "pl_generation");
PL_ASSERT(sizeof(struct pl_limit) == 16, "pl_limit");
PL_ASSERT(__builtin_offsetof(struct pl_limit, account) == 12, "pl_limit.account");
PL_ASSERT(sizeof(struct pl_buckets) == 64, "pl_buckets");
PL_ASSERT(sizeof(struct pl_cps_key) == 8, "pl_cps_key");
PL_ASSERT(sizeof(struct pl_config) == 40, "pl_config");
PL_ASSERT(sizeof(struct pl_tally_key) == 8, "pl_tally_key");
PL_ASSERT(PL_SLOTS_MAX <= PL_TALLY_SLOT + 1, "pl_tally_key.slot");
PL_ASSERT(sizeof(struct pl_fragment) == 32, "pl_fragment");
PL_ASSERT(__builtin_offsetof(struct pl_fragment, seen) % 8 == 0, "pl_fragment: seen and tag in one word");
