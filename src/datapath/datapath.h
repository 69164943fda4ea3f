/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF side of a node: programs and maps, loaded once, pinned, adopted by the next agent; their rows, made
 * equal to the plan. Open flows survive everything here, also a change of the tables' layout.
 */
#pragma once

#include "../lib/breath.h"
#include "../plan/failures.h"
#include "../plan/plan_slice.h"
#include "attach.h"

struct datapath;

struct datapath_options {
	const char *bpffs; /* where pins go: <bpffs>/<node>/; mounted if it is not */
	const char *node;
	enum attach_mode attach;
	const uint32_t *ifindexes; /* of the node's ports, as far as they are there already */
	size_t n_ifindexes;
	uint64_t memory;      /* bytes that the tables' sizes go by; 0: as in the object */
	struct breath breath; /* is taken between the rows of a sync */
};

/* Loads the programs, adopts the maps of the same layout that are pinned, or that programs on the ports still
 * hold, or makes new ones, and switches all ports to the new program: at once, or, if the configuration that
 * is in force has another layout, with datapath_take_over(). Logs what is missing when it cannot. */
int datapath_open(const struct datapath_options *options, struct datapath **ret);
/* Lets go of the descriptors; all that is pinned stays in force. */
struct datapath *datapath_free(struct datapath *datapath);
/* Takes away all pins of the node (and with them its programs, maps and links). Logs. */
int datapath_remove_pins(const struct datapath_options *options);

/* Pins again what someone else has unpinned, so that the next agent finds it. 1: something was missing, and
 * the links of ports may be, too. Logs. */
int datapath_repair_pins(struct datapath *datapath);

/* After a sync that knew of all ports: puts the tables in force, if they are new ones that were made beside
 * those of another layout; else it does nothing. Until then the program before this one goes on with the old
 * tables. Logs. */
int datapath_take_over(struct datapath *datapath);

/* Tells the plan which numbers the tables in force use, and which slots rest until a whole round over all
 * flows, since something is left of their owners. Before the first plan. */
int datapath_adopt_indexes(struct datapath *datapath, struct plan_indexes *indexes);
/* The node's number, for pl_config with the next sync. */
void datapath_set_node(struct datapath *datapath, uint32_t number);

/* For port_env.programs: `context` is the datapath. They log nothing (but with the first port, the node's
 * own, that this kernel lacks something), and leave all of it alone but what attaches programs. */
int datapath_attach(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery);
enum port_check datapath_check(void *context, uint32_t slot, uint32_t ifindex, uint8_t delivery);
int datapath_sweep_slot(void *context, uint32_t slot);
/* Removes links whose device is gone. */
int datapath_sweep_links(struct datapath *datapath);

/* Makes the tables equal to the plan and the node's port. With `full`, or after an error, the kernel's
 * tables are dumped first. An object for which there is no room goes into `failures`, and all else is
 * written; of addresses that are no single object's (a gateway's, say) that is their VPC. Any error that is
 * returned is logged. */
int datapath_sync(struct datapath *datapath, const struct plan *plan, const struct plan_port *service,
		  bool full, struct failures *failures);
/* Whether slices can be put in force at all: the last sync went well, and nothing has to be found out by one.
 */
bool datapath_takes_slices(const struct datapath *datapath);
/* The same for what a slice of the plan has changed. 1: it cannot be done by itself; then, and after an
 * error, datapath_sync() has to follow. */
int datapath_sync_slices(struct datapath *datapath, const struct plan *plan, const struct plan_patch *patch);
/* When, by now_mono_ms(), rows of the last sync change by themselves and it is to be made again; 0: never. */
uint64_t datapath_due_ms(const struct datapath *datapath);

/* What is not in the kernel's tables as it was written: bytes that can be handed on. */
#define DATAPATH_DOUBT_KEY_SIZE 32
struct datapath_doubtful {
	uint32_t what;
	uint8_t key[DATAPATH_DOUBT_KEY_SIZE];
};
/* A negative result ends the search. */
typedef int (*datapath_doubt)(void *context, const struct datapath_doubtful *doubtful);
/* Compares all tables with what was written, after a sync or slices that went well. Writes nothing, and reads
 * nothing but the kernel's tables, so that a child process can do it while its parent goes on; what the
 * parent writes meanwhile is doubtful then, too. Takes as long as that takes. */
int datapath_find_doubts(struct datapath *datapath, const struct plan *plan, datapath_doubt call,
			 void *context);
/* The descriptors that it reads by. */
#define DATAPATH_DOUBT_FDS 10
void datapath_doubt_fds(struct datapath *datapath, int ret[DATAPATH_DOUBT_FDS]);
/* Whether that one thing is not as it was written, by what is so now. */
bool datapath_has_doubt(struct datapath *datapath, const struct plan *plan,
			const struct datapath_doubtful *doubtful);
/* The table's name. */
const char *datapath_doubt_name(struct datapath *datapath, const struct datapath_doubtful *doubtful);

/* What user space asks of the data path. */
struct datapath_counter {
	const char *name, *text;
	bool is_drop;
	uint64_t packets, bytes;
};
/* All reasons, in their order, summed over the CPUs. The array is the caller's. */
int datapath_counters(struct datapath *datapath, struct datapath_counter **ret, size_t *ret_n);
/* Rows of open flows. While an older table is emptied, those in there are as of the last round. */
int datapath_flow_count(const struct datapath *datapath, uint64_t *ret);
/* Goes on with a round over all flows, for some milliseconds: it moves what is left in a flow table of
 * another layout, reads what the flows of each ENI come to, and has flows ended whose port or ENI is gone.
 * (Idle flows end by themselves.) 1: there is more to do, to be called again soon; 0: the round is over, and
 * has ended that many flows. -EAGAIN: before the first sync there is nothing to read. Any error ends the
 * round. */
int datapath_read_flows(struct datapath *datapath, uint64_t *ret_ended);

enum { DATAPATH_IN, DATAPATH_OUT }; /* to an endpoint's service, and from it */
#define DATAPATH_REASONS_MAX 64

/* What an endpoint ENI's flows come to. All but `open` rises for as long as the slot has one owner (it may
 * seem to fall when flows end during a reading, and is right with the next one), from where it happens to
 * stand when the agent starts: only differences of readings say something. A reading takes a while, and reads
 * what was opened before what is open: a flow that opens meanwhile is open already, and opened with the next.
 */
struct datapath_tally {
	uint64_t packets[2], bytes[2]; /* of flows, delivered */
	uint64_t dropped_packets[2], dropped_bytes[2];
	uint64_t opened, open;		      /* flows: that were opened; that are open now */
	uint64_t drops[DATAPATH_REASONS_MAX]; /* packets, by the reason's number */
};
/* The name of a reason to drop; NULL: the number is none's. */
const char *datapath_drop_name(size_t reason);
/* Calls for each slot of which anything was counted, as the last round that went well has read it. */
typedef void (*datapath_tally_callback)(void *context, uint32_t slot, const struct datapath_tally *tally);
void datapath_tallies(const struct datapath *datapath, datapath_tally_callback callback, void *context);

#define DATAPATH_LISTENERS_MAX                                                                               \
	16384 /* of all ENIs, that are counted each by itself; others with their ENI alone */

/* The same for each listener of such a slot. What is dropped before its listener is known is in the slot's
 * numbers alone; theirs never fall. */
typedef void (*datapath_listener_callback)(void *context, uint32_t slot, uint8_t protocol, uint16_t port,
					   const struct datapath_tally *tally);
void datapath_listener_tallies(const struct datapath *datapath, datapath_listener_callback callback,
			       void *context);
