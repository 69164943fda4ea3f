/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rows take in memory: endpoints of two zones with all that belongs to them, as CreateVpcEndpoint makes
 * them, in a snapshot, by kind. The budget is that of 100,000 of them in privlinkd (doc/architecture.md).
 * An argument is another number of endpoints.
 */
#include <malloc.h>
#include <stdio.h>

#include "model/snapshot.h"

#include "../tap.h"

#define ENDPOINTS    4096
#define PER_VPC	     10
#define BYTES_BUDGET 3300 /* an endpoint */

static size_t n_endpoints = ENDPOINTS;

static const char *const zone_ids[] = {"cn-hangzhou-h", "cn-hangzhou-i"};

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* As many characters as ids have that the API makes. */
static void name(char ret[ID_SIZE], const char *prefix, size_t number)
{
	(void)str_format(ret, ID_SIZE, "%sbp1%017zu", prefix, number);
}

static void put(struct snapshot *s, enum kind kind, const void *row)
{
	json_t *json = row_to_json(kind, row);
	char key[KEY_SIZE];

	if (!json || row_key(kind, row, key) < 0 || snapshot_apply(s, key, json, 1, 1) < 0) {
		tap_ok(false, "%s is a row", kind_info(kind)->name);
		exit(tap_done());
	}
	json_decref(json);
}

static void put_endpoint(struct snapshot *s, size_t i)
{
	char group[1][ID_SIZE], domain[DOMAIN_SIZE], label[32], vpc[ID_SIZE], service[ID_SIZE];
	struct endpoint row = {.owner = 1000000000000001 + (int64_t)(i / 1000),
			       .region = "cn-hangzhou",
			       .service_region = "cn-hangzhou",
			       .type = "Interface",
			       .ip_version = "IPv4",
			       .payer = "Endpoint",
			       .n_groups = 1,
			       .status = ENDPOINT_ACTIVE,
			       .create_time = 1700000000};
	char service_name[SERVICE_NAME_SIZE];

	name(row.id, "ep-", i);
	name(vpc, "vpc-", i / PER_VPC);
	name(service, "epsrv-", i % 100);
	name(group[0], "sg-", i / PER_VPC);
	(void)str_format(label, sizeof(label), "endpoint-%zu", i);
	(void)str_format(domain, sizeof(domain), "%s.%s.cn-hangzhou.privatelink.aliyuncs.com", row.id,
			 service);
	(void)str_format(service_name, sizeof(service_name), "com.aliyuncs.privatelink.cn-hangzhou.%s",
			 service);
	row.service = service;
	row.vpc = vpc;
	row.name = label;
	row.domain = domain;
	row.service_name = service_name;
	row.groups = (const char(*)[ID_SIZE])group;
	put(s, KIND_ENDPOINT, &row);
}

static void put_connection(struct snapshot *s, size_t i)
{
	char service[ID_SIZE];
	struct connection row = {.status = CONNECTION_CONNECTED,
				 .bandwidth = 3072,
				 .traffic_control = "Scalability",
				 .modified_time = 1700000000};

	name(row.endpoint, "ep-", i);
	name(service, "epsrv-", i % 100);
	row.service = service;
	put(s, KIND_CONNECTION, &row);
}

static void put_zone(struct snapshot *s, size_t i, size_t zone)
{
	char domain[DOMAIN_SIZE], service[ID_SIZE], balancer[ID_SIZE], vswitch[ID_SIZE];
	struct endpoint_zone row = {.status = ZONE_CONNECTED,
				    .addr = netaddr_v4((uint32_t)(0x0a000000 + 2 * i + zone))};

	name(row.endpoint, "ep-", i);
	name(service, "epsrv-", i % 100);
	name(balancer, "nlb-", i % 100);
	name(vswitch, "vsw-", 2 * (i / PER_VPC) + zone);
	row.vswitch = vswitch;
	name(row.port, "eni-", 2 * i + zone);
	(void)str_copy(row.zone, sizeof(row.zone), zone_ids[zone]);
	(void)str_format(domain, sizeof(domain), "%s-%s.%s.cn-hangzhou.privatelink.aliyuncs.com",
			 row.endpoint, row.zone, service);
	row.domain = domain;
	row.resource = balancer;
	put(s, KIND_ENDPOINT_ZONE, &row);
}

static void put_port(struct snapshot *s, size_t i, size_t zone)
{
	char group[1][ID_SIZE], vpc[ID_SIZE], vswitch[ID_SIZE];
	struct port row = {.owner = 1000000000000001 + (int64_t)(i / 1000),
			   .number = (uint32_t)(2 * i + zone + 1),
			   .kind = PORT_ENDPOINT,
			   .region = "cn-hangzhou",
			   .addr = netaddr_v4((uint32_t)(0x0a000000 + 2 * i + zone)),
			   .mtu = 1500,
			   .n_groups = 1,
			   .status = PORT_IN_USE,
			   .create_time = 1700000000};

	name(row.id, "eni-", 2 * i + zone);
	name(vpc, "vpc-", i / PER_VPC);
	name(vswitch, "vsw-", 2 * (i / PER_VPC) + zone);
	row.vpc = vpc;
	row.vswitch = vswitch;
	row.zone = zone_ids[zone];
	name(row.holder, "ep-", i);
	name(group[0], "sg-", i / PER_VPC);
	row.groups = (const char(*)[ID_SIZE])group;
	put(s, KIND_PORT, &row);
}

static void put_address(struct snapshot *s, size_t i, size_t zone)
{
	char vpc[ID_SIZE], vswitch[ID_SIZE];
	struct address row = {
		.vpc = vpc, .addr = netaddr_v4((uint32_t)(0x0a000000 + 2 * i + zone)), .vswitch = vswitch};

	name(vpc, "vpc-", i / PER_VPC);
	name(vswitch, "vsw-", 2 * (i / PER_VPC) + zone);
	name(row.port, "eni-", 2 * i + zone);
	put(s, KIND_ADDRESS, &row);
}

/* All rows of a kind; the bytes that each endpoint takes of them. */
static size_t fill(struct snapshot *s, enum kind kind)
{
	size_t before = in_use(), per_endpoint;

	for (size_t i = 0; i < n_endpoints; i++) {
		if (kind == KIND_ENDPOINT)
			put_endpoint(s, i);
		else if (kind == KIND_CONNECTION)
			put_connection(s, i);
		for (size_t zone = 0; zone < ARRAY_SIZE(zone_ids); zone++) {
			if (kind == KIND_ENDPOINT_ZONE)
				put_zone(s, i, zone);
			else if (kind == KIND_PORT)
				put_port(s, i, zone);
			else if (kind == KIND_ADDRESS)
				put_address(s, i, zone);
		}
	}
	per_endpoint = (in_use() - before) / n_endpoints;
	tap_note("%-14s struct of %zu bytes, %zu bytes an endpoint", kind_info(kind)->name,
		 kind_info(kind)->size, per_endpoint);
	return per_endpoint;
}

int main(int argc, char **argv)
{
	static const enum kind kinds[] = {KIND_ADDRESS, KIND_CONNECTION, KIND_ENDPOINT, KIND_ENDPOINT_ZONE,
					  KIND_PORT};
	struct snapshot *s;
	size_t sum = 0;

	if (argc > 1)
		n_endpoints = (size_t)atol(argv[1]);
	tap_is_int(snapshot_new(&s), 0, "a snapshot is made");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		sum += fill(s, kinds[i]);
	tap_is_int((long long)snapshot_count(s, KIND_PORT, ""), 2 * (long long)n_endpoints,
		   "%zu endpoints have two ENIs each", n_endpoints);
	tap_ok(sum < BYTES_BUDGET, "an endpoint with its zones takes %zu bytes of %d", sum, BYTES_BUDGET);
	s = snapshot_free(s);
	return tap_done();
}
