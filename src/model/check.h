/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's rules for values: names, descriptions, CIDR blocks, addresses of a vSwitch. Pure.
 */
#pragma once

#include "rows.h"

/* 2 to 128 characters (code points of valid UTF-8), first a letter or Chinese character, then also digits,
 * '-', '_'
 * ('.' and ':' too if `loose`, as ECS and VPC allow). */
bool check_name(const char *s, bool loose);
/* 2 to 256 characters (code points), not starting with http:// or https://. */
bool check_description(const char *s);
/* ClientToken: 1 to 64 ASCII characters. */
bool check_client_token(const char *s);
/* Valid UTF-8 without control characters; its length in code points, or -EINVAL. */
int utf8_length(const char *s);

/* Whether a region is in mainland China, across whose border endpoints do not reach their services. */
bool region_in_mainland(const char *region);

/* CIDR block of a VPC: mask 8 to 28, not overlapping 0.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16,
 * 198.18.0.0/15, 224.0.0.0/4 or 240.0.0.0/4. */
bool check_vpc_cidr(const struct netprefix *cidr);
/* Of a vSwitch: mask 16 to 29, inside the VPC's. */
bool check_vswitch_cidr(const struct netprefix *cidr, const struct netprefix *vpc_cidr);

/* A vSwitch keeps its first address and its last three. */
bool vswitch_address_reserved(const struct netprefix *cidr, const struct netaddr *addr);
/* The gateway: last address but two (.253 of a /24). */
struct netaddr vswitch_gateway(const struct netprefix *cidr);
/* How many addresses it can give out: 252 of a /24. */
uint32_t vswitch_capacity(const struct netprefix *cidr);

#define NAT_RANGE_SIZE 16 /* addresses of a range */
#define NAT_RANGES_MAX ((0x400000 - 0x10000) / NAT_RANGE_SIZE)
/* The index-th /28 of 100.64.0.0/10 without 100.100.0.0/16; -ERANGE when they are used up. */
int nat_range_at(uint32_t index, struct netprefix *ret);
/* Its index, or that of the one that it lies in; -ERANGE: it is in none. */
int nat_range_index(const struct netprefix *range, uint32_t *ret);
/* A locally administered unicast MAC from a port's number. */
struct mac port_mac(uint32_t number);
/* The number that it was made from; 0: it is no such MAC. */
uint32_t port_mac_number(const struct mac *mac);
