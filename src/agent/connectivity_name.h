/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question for the IPv4 addresses of a name, and what of the answer a connectivity test looks at. Pure.
 */
#pragma once

#include "../lib/util.h"

#define CONNECTIVITY_QUERY_SIZE	   (12 + 256 + 4)
#define CONNECTIVITY_ADDRESSES_MAX 16

struct connectivity_addresses {
	unsigned int rcode;
	uint32_t v[CONNECTIVITY_ADDRESSES_MAX]; /* host byte order */
	size_t n;
};

/* The question's size; -EINVAL: it is no name. */
int connectivity_name_ask(const char *name, uint16_t id, uint8_t ret[CONNECTIVITY_QUERY_SIZE]);
/* -EAGAIN: it answers another question; -EBADMSG: it is no answer. */
int connectivity_name_read(const uint8_t *data, size_t size, uint16_t id, struct connectivity_addresses *ret);
