/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the store as plain structs. Texts are bounded by the API, so the arrays are honest. A row is a
 * value: copy it, change the copy, put it into a transaction. row.c has the table of fields of each kind,
 * which drives JSON in and out of the store, the feed and much of the API's answers; a field that is not in
 * that table is not kept.
 *
 * Of the kinds that there are many of, texts that are long, rare, or the same in many rows are *shared*: the
 * member is a pointer, and what it points to is borrowed. In a row of the snapshot it is the snapshot's,
 * until that row is changed or goes; a copy of the row has the same pointers. Who sets such a member keeps
 * the text until the row was put, and takes none away. NULL is as good as "" to all that goes by the table of
 * fields, and stands in no row of the snapshot; row_clear() makes a row without any.
 *
 * The key of a row is "<kind>/<id>"; objects that belong to another carry its id in front
 * ("endpoint_zone/ep-…/cn-…-h"), so that a prefix lists them. States are the API's words (reference:
 * ListVpcEndpoints and kin), as enums with names.
 */
#pragma once

#include "../lib/netaddr.h"
#include "../lib/util.h"

#define ID_SIZE		  40  /* longest: "epsrv-" and 20 */
#define KEY_SIZE	  832 /* longest: "tag/<id>/" and 64 characters of UTF-8, percent-encoded */
#define REGION_SIZE	  32
#define ZONE_SIZE	  40
#define NAME_SIZE	  (128 * 4 + 1) /* 128 characters of UTF-8 */
#define TEXT_SIZE	  (256 * 4 + 1) /* descriptions */
#define RULE_TEXT_SIZE	  (512 * 4 + 1) /* that of a security group's rule */
#define DOMAIN_SIZE	  254
#define SERVICE_NAME_SIZE 160
#define PATH_TEXT_SIZE	  256
#define WORD_SIZE	  32
#define POLICY_SIZE	  2049
#define ANSWER_SIZE	  (128 * 1024) /* of a call, for those who repeat it */

/* Whether there is anything in a shared text. */
static inline bool row_has(const char *shared)
{
	return shared && *shared;
}

#define SECURITY_GROUPS_MAX   10 /* per endpoint and per instance */
#define ENDPOINT_ZONES_MAX    10
#define LB_ZONES_MAX	      10
#define NODE_ZONES_MAX	      64
#define VSWITCHES_PER_VPC_MAX 150
#define SERVICE_REGIONS_MAX   64

/* Kept by the store, not part of the JSON: when the row was put for the first and for the last time. */
struct row_meta {
	uint64_t created;
	uint64_t modified;
};

struct account {
	struct row_meta meta;
	int64_t uid; /* 16 digits, below 2^53 */
	char name[NAME_SIZE];
	bool is_admin;
	bool privatelink_open; /* OpenPrivateLinkService was called */
	int64_t create_time;
};

struct access_key { /* id: the key's id */
	struct row_meta meta;
	char id[ID_SIZE];
	char secret[ID_SIZE];
	int64_t uid;
	char user[ID_SIZE]; /* the account's user whose it is; empty: the account's own */
	bool active;
	int64_t create_time;
};

/* Someone who calls for an account, with keys of their own. */
struct ram_user {
	struct row_meta meta;
	char id[ID_SIZE]; /* 18 digits */
	int64_t owner;
	char name[64 + 1];
	char display_name[NAME_SIZE];
	char mobile_phone[WORD_SIZE];
	char email[DOMAIN_SIZE];
	char comments[NAME_SIZE];
	int64_t create_time;
};

/* An account's objects by purpose. The account's default group has no row: objects that name none are in it
 * (resource_group_default() in resource_group.h). */
struct resource_group {
	struct row_meta meta;
	char id[ID_SIZE]; /* rg-… */
	int64_t owner;
	char name[NAME_SIZE];
	char display_name[NAME_SIZE];
	int64_t create_time;
};

struct quota_row { /* a quota that an account has otherwise than others; id: uid and name */
	struct row_meta meta;
	int64_t uid;
	char name[WORD_SIZE * 2];
	int64_t value;
};

struct node {
	struct row_meta meta;
	char name[WORD_SIZE * 2]; /* id */
	uint32_t number;
	char zones[NODE_ZONES_MAX][ZONE_SIZE]; /* empty list: all zones */
	uint32_t n_zones;
	struct netaddr underlay; /* zero: none */
	uint32_t mtu;		 /* of ports made on it */
	int64_t lost_time;	 /* since when it has not reported; 0: it does */
	bool deleting;		 /* with all that is on it */
};

enum vpc_status { VPC_PENDING, VPC_AVAILABLE, VPC_DELETING };

struct vpc {
	struct row_meta meta;
	char id[ID_SIZE];
	uint32_t number; /* the VNI */
	int64_t owner;
	char region[REGION_SIZE];
	const char *name;
	const char *description;
	struct netprefix cidr;
	enum vpc_status status;
	char router_id[ID_SIZE];
	char route_table_id[ID_SIZE];
	char resource_group[ID_SIZE];
	int64_t create_time;
};

enum vswitch_status { VSWITCH_PENDING, VSWITCH_AVAILABLE, VSWITCH_DELETING };

struct vswitch {
	struct row_meta meta;
	char id[ID_SIZE];
	int64_t owner;
	char region[REGION_SIZE];
	char vpc[ID_SIZE];
	char zone[ZONE_SIZE];
	const char *name;
	const char *description;
	struct netprefix cidr;
	enum vswitch_status status;
	int64_t create_time;
};

/* A taken address: "address/<vpc>/<address>". Claimed and released in the transaction that makes or deletes
 * the port, so that an address is never given twice, by whichever copy of the API. */
struct address {
	struct row_meta meta;
	const char *vpc;
	struct netaddr addr;
	const char *vswitch;
	char port[ID_SIZE]; /* eni-… */
};

enum sg_type { SG_NORMAL, SG_ENTERPRISE };

struct security_group {
	struct row_meta meta;
	char id[ID_SIZE];
	int64_t owner;
	char region[REGION_SIZE];
	char vpc[ID_SIZE];
	const char *name;
	const char *description;
	enum sg_type type;
	bool inner_accept; /* InnerAccessPolicy: members of a normal group reach each other */
	char resource_group[ID_SIZE];
	int64_t create_time;
};

enum sg_direction { SG_INGRESS, SG_EGRESS };
enum sg_policy { SG_ACCEPT, SG_DROP };

struct sg_rule { /* "sg_rule/<sg>/<sgr>" */
	struct row_meta meta;
	char id[ID_SIZE];
	char group[ID_SIZE];
	enum sg_direction direction;
	enum sg_policy policy;
	uint32_t priority;	       /* 1..100, 1 wins; drop beats accept */
	char protocol[WORD_SIZE];      /* as the API writes it: TCP, UDP, ICMP, ICMPv6, GRE, ALL */
	int32_t port_first, port_last; /* -1/-1: no ports, or all */
	struct netprefix cidr;	       /* of the other side; unused if other_group is set */
	char other_group[ID_SIZE];
	const char *description;
	int64_t create_time;
};

enum instance_status {
	INSTANCE_PENDING,
	INSTANCE_STARTING,
	INSTANCE_RUNNING,
	INSTANCE_STOPPING,
	INSTANCE_STOPPED,
	INSTANCE_DELETING
};
/* What an instance is on its node. */
enum instance_kind {
	INSTANCE_NETNS,	   /* a network namespace that the agent makes and owns */
	INSTANCE_ATTACHED, /* an existing namespace, by path; the agent adds and removes the interface only */
	INSTANCE_TAP,	   /* a tap device that the agent makes */
};

struct instance {
	struct row_meta meta;
	char id[ID_SIZE]; /* i-… */
	int64_t owner;
	char region[REGION_SIZE];
	char zone[ZONE_SIZE];
	char vpc[ID_SIZE];
	char vswitch[ID_SIZE];
	char node[WORD_SIZE * 2];
	char name[NAME_SIZE];
	char description[TEXT_SIZE];
	char image[NAME_SIZE];
	char type[NAME_SIZE];
	char host_name[NAME_SIZE];
	enum instance_kind kind;
	char path[PATH_TEXT_SIZE]; /* ATTACHED: the namespace's path */
	int64_t process_start; /* ATTACHED by /proc/PID/…: when that process began (proc(5), clock ticks); 0:
				  any */
	char device[WORD_SIZE]; /* name inside; eth0 by default. TAP: the device's name on the node */
	char port[ID_SIZE];	/* its primary ENI */
	char resource_group[ID_SIZE];
	enum instance_status status;
	char failure[TEXT_SIZE]; /* why it is not in force, or why it was stopped; empty: no failure */
	int64_t create_time;
};

enum port_kind { PORT_INSTANCE, PORT_ENDPOINT, PORT_LOAD_BALANCER };
enum port_status { PORT_AVAILABLE, PORT_ATTACHING, PORT_IN_USE, PORT_DETACHING, PORT_DELETING };

/* A network interface (ENI): of an instance, of an endpoint's zone, or of a load balancer's zone. */
struct port {
	struct row_meta meta;
	char id[ID_SIZE]; /* eni-… */
	uint32_t number;  /* no other port has it, nor a MAC made from it */
	int64_t owner;
	enum port_kind kind;
	const char *region;
	const char *zone;
	const char *vpc;
	const char *vswitch;
	struct netaddr addr;
	struct mac mac;
	uint32_t mtu;
	const char (*groups)[ID_SIZE];
	uint32_t n_groups;
	char holder[ID_SIZE]; /* i-…, ep-…, nlb-… or lb-… */
	const char *node;     /* PORT_INSTANCE: where it is; else empty */
	enum port_status status;
	int64_t create_time;
};

enum lb_status {
	LB_PROVISIONING,
	LB_ACTIVE,
	LB_CONFIGURING,
	LB_INACTIVE,
	LB_CREATE_FAILED,
	LB_DELETING,
	LB_STOPPING,
	LB_STARTING
};
/* By which product it is had. What carries its traffic is the same. */
enum lb_type { LB_NETWORK, LB_CLASSIC };

struct load_balancer {
	struct row_meta meta;
	char id[ID_SIZE]; /* nlb-…; lb-…: classic */
	int64_t owner;
	char region[REGION_SIZE];
	char vpc[ID_SIZE];
	char name[NAME_SIZE];
	bool intranet; /* AddressType */
	bool cross_zone;
	char zones[LB_ZONES_MAX][ZONE_SIZE];
	uint32_t n_zones;
	char vswitches[LB_ZONES_MAX][ID_SIZE]; /* one each zone */
	uint32_t n_vswitches;
	char ports[LB_ZONES_MAX][ID_SIZE]; /* eni-…, one each zone */
	uint32_t n_ports;
	char groups[SECURITY_GROUPS_MAX][ID_SIZE]; /* who may reach its listeners; none: everyone */
	uint32_t n_groups;
	char shifted[LB_ZONES_MAX][ZONE_SIZE]; /* zones whose addresses endpoints' names do without */
	uint32_t n_shifted;
	bool deletion_protected;
	char deletion_reason[NAME_SIZE];
	int64_t deletion_time; /* since when it is protected */
	bool modification_protected;
	char modification_reason[NAME_SIZE];
	int64_t modification_time;
	enum lb_status status;
	char resource_group[ID_SIZE];
	int64_t create_time;
	enum lb_type type;
	/* Classic ones only; they have one zone above, that of their address' master. */
	char server_group[ID_SIZE]; /* its servers as they were added, without ports */
	char slave_zone[ZONE_SIZE]; /* empty: none */
	char spec[WORD_SIZE];	    /* slb.s1.small, …; empty: none was given */
	char charge_type[WORD_SIZE];
};

enum listener_status {
	LISTENER_PROVISIONING,
	LISTENER_RUNNING,
	LISTENER_CONFIGURING,
	LISTENER_STOPPING,
	LISTENER_STOPPED,
	LISTENER_STARTING,
	LISTENER_DELETING
};

struct listener {
	struct row_meta meta;
	char id[ID_SIZE]; /* lsn-… */
	int64_t owner;
	char region[REGION_SIZE];
	char load_balancer[ID_SIZE];
	char server_group[ID_SIZE];
	char protocol[WORD_SIZE]; /* TCP, UDP */
	uint32_t port;
	char description[TEXT_SIZE];
	uint32_t idle_timeout_s;
	uint32_t mss;
	uint32_t cps;
	bool proxy_protocol;
	enum listener_status status;
	int64_t create_time;
	uint32_t backend_port; /* of a classic load balancer's: that of all its servers; else 0 */
	/* What PROXY headers say beside addresses. */
	bool proxy_vpc_id;
	bool proxy_endpoint_id;
	bool proxy_service_id;
};

enum server_group_status {
	SERVER_GROUP_CREATING,
	SERVER_GROUP_AVAILABLE,
	SERVER_GROUP_CONFIGURING,
	SERVER_GROUP_DELETING
};

enum probe_type { PROBE_TCP, PROBE_HTTP, PROBE_UDP };

#define PROBE_URL_SIZE	    81 /* 80 characters, of a domain, too */
#define PROBE_DATAGRAM_SIZE 65
#define PROBE_CODES_MAX	    4

struct server_group {
	struct row_meta meta;
	char id[ID_SIZE]; /* sgp-… */
	int64_t owner;
	char region[REGION_SIZE];
	char vpc[ID_SIZE];
	char name[NAME_SIZE];
	bool by_address;	  /* ServerGroupType Ip; else Instance */
	char protocol[WORD_SIZE]; /* TCP, UDP */
	char scheduler[WORD_SIZE];
	bool preserve_client_ip;
	bool drain_enabled;
	uint32_t drain_timeout_s;
	bool health_enabled;
	uint32_t health_port; /* 0: the server's */
	uint32_t health_interval_s;
	uint32_t health_timeout_s;
	uint32_t healthy_threshold;
	uint32_t unhealthy_threshold;
	enum probe_type health_type;
	bool health_by_head, health_http_1_1; /* of probes by HTTP: HEAD in place of GET, HTTP/1.1 of 1.0 */
	bool health_get_given;		      /* that they use GET was said, so it is told of others, too */
	char health_url[PROBE_URL_SIZE];
	char health_domain[PROBE_URL_SIZE];	       /* empty, $SERVER_IP: the server's address */
	char health_codes[PROBE_CODES_MAX][WORD_SIZE]; /* http_2xx, … */
	uint32_t n_health_codes;
	char health_request[PROBE_DATAGRAM_SIZE], health_expect[PROBE_DATAGRAM_SIZE]; /* of probes by UDP */
	enum server_group_status status;
	char resource_group[ID_SIZE];
	int64_t create_time;
	char load_balancer[ID_SIZE]; /* the classic one whose part it is; empty: it is an object of its own */
};

enum server_status { SERVER_ADDING, SERVER_AVAILABLE, SERVER_CONFIGURING, SERVER_REMOVING };

struct server { /* a backend: "server/<sgp>/<server id>/<port>" */
	struct row_meta meta;
	char group[ID_SIZE];
	char server_id[NETADDR_TEXT_SIZE]; /* i-…, eni-… or an address */
	char type[WORD_SIZE];		   /* Ecs, Eni, Ip */
	struct netaddr addr;
	uint32_t
		port; /* 0: of the servers of a classic load balancer; its listeners' groups have the ports */
	uint32_t weight; /* 0..100; 0: none of the new flows */
	char zone[ZONE_SIZE];
	char port_id[ID_SIZE]; /* the ENI that has the address; empty: none does */
	char node[WORD_SIZE * 2];
	char description[TEXT_SIZE];
	enum server_status status;
};

/* What the node that a backend lives on found out: "server_health/<sgp>/<server id>/<port>". */
struct server_health {
	struct row_meta meta;
	char group[ID_SIZE];
	char server_id[NETADDR_TEXT_SIZE];
	uint32_t port;
	char node[WORD_SIZE * 2];
	bool healthy;
	char reason[WORD_SIZE]; /* CONNECT_TIMEOUT, CONNECT_FAILED, …; empty when healthy */
};

enum service_status { SERVICE_CREATING, SERVICE_PENDING, SERVICE_ACTIVE, SERVICE_DELETING };

/* An endpoint service. Those of the catalogue (system services) are rows too, made at first start: owner 0.
 */
struct service {
	struct row_meta meta;
	char id[ID_SIZE]; /* epsrv-… */
	int64_t owner;
	char region[REGION_SIZE];
	char name[SERVICE_NAME_SIZE]; /* com.aliyuncs.privatelink.… */
	char description[TEXT_SIZE];
	char domain[DOMAIN_SIZE];	  /* <epsrv>.<region>.privatelink.aliyuncs.com */
	char private_domain[DOMAIN_SIZE]; /* pai-dlc-vpc.<region>.aliyuncs.com; system services only */
	char product[WORD_SIZE];       /* pai-dlc; the middle of its endpoints' names. Own services: empty */
	char resource_type[WORD_SIZE]; /* slb, alb, nlb, gwlb */
	bool auto_accept;
	bool zone_affinity;
	bool policy_supported;
	char payer[WORD_SIZE];
	char ip_version[WORD_SIZE];			/* IPv4, DualStack */
	uint32_t connect_bandwidth;			/* Mbit/s */
	char regions[SERVICE_REGIONS_MAX][REGION_SIZE]; /* from which endpoints may come, besides its own */
	uint32_t n_regions;
	enum service_status status;
	char resource_group[ID_SIZE];
	int64_t create_time;
};

/* A load balancer's zone that serves: "service_resource/<epsrv>/<nlb>/<zone>". */
struct service_resource {
	struct row_meta meta;
	char service[ID_SIZE];
	char resource[ID_SIZE];
	char type[WORD_SIZE];
	char zone[ZONE_SIZE];
	bool auto_allocated;
};

/* A whitelist entry: "service_user/<epsrv>/<uid or ARN>". */
struct service_user {
	struct row_meta meta;
	char service[ID_SIZE];
	int64_t uid; /* 0: it is an ARN */
	char arn[128];
	const char *region; /* the service's; rows of before lack it in the store, and get it when read */
};

enum endpoint_status { ENDPOINT_CREATING, ENDPOINT_ACTIVE, ENDPOINT_PENDING, ENDPOINT_DELETING };

struct endpoint {
	struct row_meta meta;
	char id[ID_SIZE]; /* ep-… */
	int64_t owner;
	const char *region;
	const char *vpc;
	const char *service;
	const char *service_name;
	const char *service_region;
	uint32_t cross_region_bandwidth; /* Mbit/s; 0: its service is in its own region */
	const char *name;
	const char *description;
	const char *type; /* Interface */
	const char *domain;
	const char (*groups)[ID_SIZE]; /* of its ENIs */
	uint32_t n_groups;
	uint32_t n_attaching;		  /* the last ones of them, which are not in force yet */
	const char (*detaching)[ID_SIZE]; /* no longer of its ENIs, and still in force */
	uint32_t n_detaching;
	const char *ip_version;
	bool zone_affinity;
	bool protected_enabled;
	bool flow_log; /* what becomes of its flows is recorded on their nodes */
	const char *payer;
	enum endpoint_status status;
	const char *failure; /* why it cannot be put in force; empty: no failure */
	const char *policy;  /* as given; empty: everything is allowed */
	char resource_group[ID_SIZE];
	int64_t create_time;
};

enum zone_status {
	ZONE_CREATING,
	ZONE_WAIT,
	ZONE_CONNECTING,
	ZONE_CONNECTED,
	ZONE_DISCONNECTING,
	ZONE_DISCONNECTED,
	ZONE_DELETING,
	ZONE_MIGRATING,
	ZONE_MIGRATED
};

/* "endpoint_zone/<ep>/<zone>": the ENI of a zone and its part of the connection. */
struct endpoint_zone {
	struct row_meta meta;
	char endpoint[ID_SIZE];
	char zone[ZONE_SIZE];
	const char *vswitch;
	char port[ID_SIZE]; /* eni-… */
	struct netaddr addr;
	const char *domain;
	const char *resource;	   /* the load balancer that serves it; empty: none allocated */
	const char *resource_zone; /* in which of its zones; empty: in the one of that name */
	bool resource_chosen;	   /* by the provider, by name */
	/* While it migrates to another load balancer: the ENI and the load balancer that it had. Without an
	 * ENI (Force) the address stays and nothing of the old one does. */
	const char *replaced_port;
	struct netaddr replaced_addr;
	const char *replaced_resource;
	const char *replaced_resource_zone;
	bool retiring; /* Migrated, and the old ENI goes */
	enum zone_status status;
};

enum connection_status {
	CONNECTION_PENDING,
	CONNECTION_CONNECTING,
	CONNECTION_CONNECTED,
	CONNECTION_DISCONNECTING,
	CONNECTION_DISCONNECTED,
	CONNECTION_DELETING,
	CONNECTION_SERVICE_DELETED
};

struct connection { /* "connection/<ep>": an endpoint has one service for life */
	struct row_meta meta;
	char endpoint[ID_SIZE];
	const char *service;
	enum connection_status status;
	bool waiting;	    /* for acceptance: Disconnected on the wire, and not because it was refused */
	uint32_t bandwidth; /* Mbit/s */
	const char *traffic_control;
	int64_t modified_time;
};

enum connectivity_status {
	CONNECTIVITY_PENDING,
	CONNECTIVITY_RUNNING,
	CONNECTIVITY_FINISHED,
	CONNECTIVITY_EXPIRED
};

#define CONNECTIVITY_STEPS_SIZE (14 * 1024)

/* A test of whether an instance reaches an endpoint: what its node is to do, and what it found. */
struct connectivity_test {
	struct row_meta meta;
	char id[ID_SIZE]; /* ct-… */
	int64_t owner;
	char region[REGION_SIZE];
	char endpoint[ID_SIZE];
	char instance[ID_SIZE];
	char node[WORD_SIZE * 2];   /* that is to run it; empty: it has ended */
	char runner[WORD_SIZE * 2]; /* the same node, also afterwards */
	uint32_t port;
	enum connectivity_status status;
	char verdict[WORD_SIZE];	     /* Reachable, Partial, Unreachable; empty: not Finished */
	char failure[TEXT_SIZE];	     /* why it is Expired */
	char steps[CONNECTIVITY_STEPS_SIZE]; /* as connectivity.h writes them */
	int64_t create_time;
	int64_t end_time;
};

#define CONNECTIVITY_WAY_SIZE	   2049
#define CONNECTIVITY_WAY_PARTS_MAX 48

/* "connectivity_way/<ct>/<part>": the path that was known when the test was made, as JSON in ASCII, in parts.
 */
struct connectivity_way {
	struct row_meta meta;
	char test[ID_SIZE];
	uint32_t part; /* 0, 1, … */
	char text[CONNECTIVITY_WAY_SIZE];
};

/* Translated source addresses: "nat_range/<vpc>/<node>", a /28 each, given out by control on first use. */
struct nat_range {
	struct row_meta meta;
	char vpc[ID_SIZE];
	char node[WORD_SIZE * 2];
	struct netprefix range;
};

struct tag { /* "tag/<resource id>/<key, percent-encoded>" */
	struct row_meta meta;
	char resource[ID_SIZE];
	char resource_type[WORD_SIZE];
	char key[64 * 4 + 1];
	char value[128 * 4 + 1];
};

/* "token/<uid>/<product>:<action>/<token, percent-encoded>": the first answer to a call with that
 * ClientToken. */
struct client_token {
	struct row_meta meta;
	int64_t uid;
	char action[64];
	char token[65];
	char digest[65];    /* SHA-256 of the parameters */
	const char *answer; /* JSON */
	int64_t create_time;
};

struct job { /* NLB GetJobStatus: done when its revision is in force of what it is about */
	struct row_meta meta;
	char id[ID_SIZE];
	char subject[ID_SIZE]; /* the load balancer, listener or server group; "": all, in older rows */
	int64_t owner;
	int64_t create_time;
};

/* "counter/<name>": the last number given out (vpc, port, node), or the next one to look at (nat). Those of
 * VPCs and ports begin again after the last one. */
struct counter {
	struct row_meta meta;
	char name[WORD_SIZE];
	uint32_t value;
};
