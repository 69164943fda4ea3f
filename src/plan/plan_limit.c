/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates, as the data path takes them: what one of a thing costs in nanoseconds. What the API sets is the
 * bandwidth of a connection and of an endpoint's way to another region, and the new connections of a
 * listener; all else is the node's own protection of its tenants from each other. A limit is for each of an
 * endpoint's ENIs.
 */
#include "plan_build.h"

#define NS_PER_S	    1000000000u
#define NS_OF_KBYTE_AT_MBIT (1024u * 8 * 1000) /* 1,024 bytes at 1 Mbit/s */

uint32_t plan_cost_ns(uint32_t per_s)
{
	return per_s ? MAX(NS_PER_S / per_s, 1u) : 0;
}

struct pl_limit plan_port_limit(void)
{
	return (struct pl_limit){
		.open_ns = plan_cost_ns(PL_PORT_OPENS_PER_S),
		.dns_ns = plan_cost_ns(PL_PORT_QUESTIONS_PER_S),
	};
}

/* Mbit/s; 0: none. A connection that scales is as fast as the node is. */
static uint32_t bandwidth_of(const struct endpoint *endpoint, const struct connection *connection)
{
	uint32_t own = connection && streq(connection->traffic_control, "BandwidthLimit")
			       ? connection->bandwidth
			       : 0;
	uint32_t between = endpoint->cross_region_bandwidth;

	return own && between ? MIN(own, between) : MAX(own, between);
}

struct pl_limit plan_eni_limit(const struct endpoint *endpoint, const struct connection *connection)
{
	uint32_t bandwidth = bandwidth_of(endpoint, connection);

	return (struct pl_limit){
		.open_ns = plan_cost_ns(PL_ENI_OPENS_PER_S),
		.kbyte_ns = bandwidth ? MAX(NS_OF_KBYTE_AT_MBIT / bandwidth, 1u) : 0,
	};
}
