/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node should look like, from the rows that concern it: a pure function. The result is plain sorted
 * arrays; who applies them (datapath, ports, dns, agent/health) dumps what is there, walks both and changes
 * the rest.
 *
 * Numbers that are the node's own (slots, indexes of backends, targets) are kept in struct plan_indexes, so
 * that an object keeps its number from one plan to the next; a restarted agent fills it from the kernel's
 * pinned tables before its first plan.
 */
#pragma once

#include "../lib/breath.h"
#include "../model/catalogue.h"
#include "../model/snapshot.h"
#include "../policy/group_list.h"
#include "bpf/pl_abi.h"

/* The names of VPC 0 and of the node's port. */
#define PLAN_NODE_NETWORK   "198.18.0.0/15"
#define PLAN_DNS_SOCKET	    "198.18.0.2"    /* the agent's DNS socket, on eth0 in VPC 0 */
#define PLAN_DNS_1	    "100.100.2.136" /* what instances ask */
#define PLAN_DNS_2	    "100.100.2.138"
#define PLAN_GATEWAY_MAC    "ee:ff:ff:ff:ff:fe" /* node side of every port */
#define PLAN_SLOTS_MAX	    65536 /* 198.18.0.0 + slot; slots from 16 on, so that low addresses stay free */
#define PLAN_SLOT_FIRST	    16
#define PLAN_BACKENDS_MAX   65535 /* 198.19.0.0 + index is a backend's probe address */
#define PLAN_NAME_TTL_S	    5
#define PLAN_HOST_NAME_SIZE 65 /* as long as Linux takes one */
#define PLAN_HOSTS_DOMAIN                                                                                    \
	"ecs.internal" /* names of instances and of all other interfaces that have no own                    \
			*/

enum plan_health { PLAN_HEALTH_UNKNOWN, PLAN_HEALTHY, PLAN_UNHEALTHY };

struct plan_indexes;
/* No number is given out yet. -ENOMEM. */
int plan_indexes_new(struct plan_indexes **ret);
struct plan_indexes *plan_indexes_free(struct plan_indexes *indexes);
/* Takes over a number found in the kernel's tables. -EEXIST if it is taken by another object. */
int plan_indexes_adopt_slot(struct plan_indexes *indexes, uint32_t port_number, uint32_t slot);
int plan_indexes_adopt_backend(struct plan_indexes *indexes, uint32_t vpc, const struct pl_addr *addr,
			       __be16 port, uint32_t index);
int plan_indexes_adopt_security_group(struct plan_indexes *indexes, const char *id, uint32_t number);
/* The number of the account whose the slot's owner is, which the first plan knows. -ENOMEM. */
int plan_indexes_adopt_account(struct plan_indexes *indexes, uint32_t slot, uint32_t number);
/* The highest slot that anybody has ever had: others are looked for behind it. */
void plan_indexes_adopt_last_slot(struct plan_indexes *indexes, uint32_t slot);
/* Of the slot's owner there is something left in the tables: as long as there are others they are given out
 * before it, unless its owner still wants it, until the rest ends for all. -ENOMEM. */
int plan_indexes_rest_slot(struct plan_indexes *indexes, uint32_t slot);
void plan_indexes_end_rest(struct plan_indexes *indexes);
/* New targets are numbered above it. */
void plan_indexes_adopt_target(struct plan_indexes *indexes, uint32_t target);

struct plan_input {
	const struct snapshot *rows;
	const struct catalogue *catalogue;
	const char *node; /* name of this node */
	/* Local probe results and those in the rows; an unknown server counts as healthy. */
	enum plan_health (*health)(void *context, const struct server *server);
	void *health_context;
	/* ifindex of the node-side device of a local port, 0: not there (yet). The port's row is then left
	 * out. */
	uint32_t (*ifindex)(void *context, uint32_t port_number);
	void *ifindex_context;
	/* Taken between steps; `health` is asked for all servers between two breaths. */
	struct breath breath;
};

/* A port of an instance of this node: what links and namespaces should be there. */
struct plan_port {
	uint32_t number; /* sorted by it; the device is "pl<number in hex>" */
	uint32_t slot;
	enum instance_kind kind;
	char instance[ID_SIZE];		     /* the namespace's name, for INSTANCE_NETNS */
	char path[PATH_TEXT_SIZE];	     /* INSTANCE_ATTACHED */
	int64_t process_start;		     /* INSTANCE_ATTACHED: as in struct instance */
	char device[WORD_SIZE];		     /* inside, or the tap's name */
	char host_name[PLAN_HOST_NAME_SIZE]; /* letters, digits, '-' and '.'; the instance's id if it has no
						other */
	struct mac mac;
	struct netaddr addr;
	uint8_t prefix_length;	  /* as written: 24 */
	struct netprefix network; /* the VPC's */
	struct netaddr gateway;
	uint32_t mtu;
	bool up; /* false: the instance is stopped, its device is down */
	char zone[ZONE_SIZE];
	struct pl_limit limit;
	struct pl_port
		row; /* for pl_ports[slot]; ifindex 0: the device is not there yet, and nothing leads to it */
	struct pl_set set; /* its security groups; their number is the applier's business */
};

struct plan_place {
	struct pl_place_key key;
	struct pl_place value;
	uint32_t uses; /* how many things need it */
};

/* A VPC by its number, which places have. */
struct plan_vpc {
	uint32_t number; /* sorted by it */
	char id[ID_SIZE];
};

struct plan_eni {
	uint32_t slot;
	struct pl_eni value;
	struct pl_limit limit;
	struct pl_set set;	    /* as in plan_port */
	struct pl_set balancer_set; /* all zero: its load balancer has none */
	char endpoint[ID_SIZE];
	char zone[ZONE_SIZE];
	bool is_logged;	    /* what becomes of its flows */
	uint32_t next_slot; /* of the same endpoint (struct plan_part); 0: none */
};

struct plan_listener {
	struct pl_listener_key key;
	struct pl_listener value; /* table_first is the applier's business */
	/* value.table_size indexes of backends. Listeners of the same server group and zone have the same
	 * pointer: one region is enough for them. NULL: no backend at all. */
	uint32_t *table;
};

/* Ids of an ENI for PROXY headers. Sorted by slot, then parts. */
struct plan_proxy {
	struct pl_proxy_key key;
	struct pl_proxy value;
};

struct plan_backend {
	uint32_t index;
	struct pl_backend value;
	uint32_t uses; /* by servers of groups */
};

/* Whether a server of a group may keep the flows that it has. */
struct plan_served {
	struct pl_server_key key;
	struct pl_server value; /* but `until`, which is the applier's business */
	char group[ID_SIZE];
};

/* A security group that someone here is in, or that a rule of such a one names. */
struct plan_security_group {
	uint32_t number;
	char id[ID_SIZE];
	bool has_members; /* else only rules of others name it, and its own are not here */
	struct group_rule
		*rules[2]; /* by direction (PL_DIRECTION_IN, _OUT), settled; at most PL_LIST_RULES_MAX */
	size_t n_rules[2];
	uint32_t *places[2]; /* which of them each row made; as in struct group_rules */
	size_t n_came[2];
};

#define PLAN_PROBE_SIZE 320

struct plan_probe {
	char group[ID_SIZE]; /* with server_id and port: the server's row */
	char server_id[NETADDR_TEXT_SIZE];
	uint32_t server_port;
	uint32_t backend;	   /* index; sorted by it */
	uint32_t vpc;		   /* whose servers they are */
	int64_t owner;		   /* the account whose group it is; 0: no account's */
	struct netaddr probe_addr; /* 198.19.0.0 + index, to connect to from VPC 0 */
	uint32_t probe_port;
	uint32_t interval_ms, timeout_ms, healthy_threshold, unhealthy_threshold;
	enum probe_type type;		  /* TCP: a connect is all */
	char say[PLAN_PROBE_SIZE];	  /* HTTP, UDP: what is sent */
	uint32_t good_classes;		  /* HTTP: bit 2 for codes of 200 to 299, … */
	char expect[PROBE_DATAGRAM_SIZE]; /* UDP: the answer */
	bool silence; /* UDP: any answer is good, none says nothing, and a refusal is bad */
};

/* A name that instances of a VPC can ask for. Names are lower case without the last dot. */
struct plan_name {
	uint32_t vpc; /* sorted by vpc, then name (plan_domain_compare) */
	char name[DOMAIN_SIZE];
	struct netaddr *addrs;	  /* none: the name exists and has no data */
	char (*zones)[ZONE_SIZE]; /* of each address */
	size_t n_addrs;
	bool affinity;		/* the asker's zone comes first */
	bool canonical;		/* what its (only) address is called */
	bool is_shared;		/* a service's: endpoints of a VPC have it together */
	struct plan_name *next; /* of the same endpoint (struct plan_part) or host */
};

/* What an address of a VPC is called. */
struct plan_reverse {
	uint32_t vpc; /* sorted by vpc, then addr */
	struct netaddr addr;
	const struct plan_name *name;
};

/* A domain that is answered here and never forwarded ("pai-dlc-vpc.cn-hangzhou.aliyuncs.com",
 * "cn-hangzhou.privatelink.aliyuncs.com"): names at or below it that are not in the list do not exist. */
struct plan_domain {
	char name[DOMAIN_SIZE];
};

/* An object that cannot be put in force, and why. */
struct plan_failure {
	char key[KEY_SIZE];
	char reason[256];
	bool is_gone; /* what it stands for has ended */
};

struct plan {
	uint64_t revision; /* of the rows it was made from */
	struct plan_port *ports;
	size_t n_ports;
	uint32_t *ports_by_slot; /* indexes of ports, sorted by slot */
	struct plan_place *places;
	size_t n_places;
	struct plan_vpc *vpcs; /* of places, and others that the node is told of */
	size_t n_vpcs;
	struct plan_eni *enis;
	size_t n_enis;
	struct plan_listener *listeners;
	size_t n_listeners;
	struct plan_proxy *proxies;
	size_t n_proxies;
	struct plan_backend *backends;
	size_t n_backends;
	struct plan_served *served; /* sorted by key, as bytes */
	size_t n_served;
	struct plan_security_group *security_groups; /* sorted by number */
	size_t n_security_groups;
	struct plan_probe *probes;
	size_t n_probes;
	struct plan_name **names;
	size_t n_names;
	struct plan_reverse *reverse;
	size_t n_reverse;
	struct plan_domain *domains;
	size_t n_domains;
	struct plan_failure *failures;
	size_t n_failures;
	struct plan_slices *slices; /* what belongs to what, for plan_slice.h alone */
};

/* Makes the plan. Only -ENOMEM can fail as a whole; an object that cannot be planned is in `failures` and the
 * rest goes on. */
int plan_build(const struct plan_input *input, struct plan_indexes *indexes, struct plan **ret);
struct plan *plan_free(struct plan *plan);
/* The same, with breaths: nobody may have it any more. */
struct plan *plan_free_breathing(struct plan *plan, const struct breath *breath);

/* The local port that has this slot, or NULL: who asks the DNS socket. Its VPC's number is row.vpc. */
const struct plan_port *plan_port_by_slot(const struct plan *plan, uint32_t slot);
/* Whether a listener has an Mss: then each SYN has to ask for its own listener's. */
bool plan_has_mss(const struct plan *plan);
/* The id of the VPC with that number; "": the plan knows none. */
const char *plan_vpc_id(const struct plan *plan, uint32_t number);
/* The order of names: from the last character on, so that what is below a name stands together. */
int plan_domain_compare(const char *a, const char *b);
