/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection that a provider's call names.
 */
#pragma once

#include "../frame/action.h"

/* It, and the objects at its two ends; borrowed. */
struct ends {
	const struct service *service;
	const struct endpoint *endpoint;
	const struct connection *connection;
};

/* By ServiceId, which must be the caller's, and EndpointId; else the call fails. */
int find_ends(struct call *call, struct ends *ret);
