/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may see and use what: the caller's own endpoints and services, and whom a whitelist admits.
 */
#pragma once

#include "../common/walk.h"
#include "../frame/action.h"

/* The caller's endpoint in the call's region; NULL: there is none. */
const struct endpoint *owned_endpoint(const struct call *call, const char *id);
/* The caller's service in the call's region; an administrator also has the system's. */
const struct service *owned_service(const struct call *call, const char *id);
/* All services that owned_service() finds, to be walked; the caller's (walk_done()). -ENOMEM. */
int owned_services(const struct call *call, struct walk *ret);
/* Whether each endpoint has its connection, and each connection its endpoint. They come together and go
 * together; an endpoint with more parts than a transaction has room for loses its connection first. */
bool all_are_connected(const struct call *call);
/* Whether the account may connect to the service: it is its own, the system's, or its whitelist says so. */
bool service_admits(const struct call *call, const struct service *service);
/* All services of the region that admit the caller, to be walked; the caller's (walk_done()). Services of
 * others are not counted as looked at: how many these are is not the caller's doing. -ENOMEM. */
int admitting_services(const struct call *call, const char *region, struct walk *ret);
/* Fails the call when the service is being deleted or is gone (NULL), else returns 0. */
int check_service_there(struct call *call, const struct service *service);
/* Whether a connection was accepted: "Waiting", "Refused" or "Accepted"; a word of our own
 * (AcceptanceStatus), since the API's says Disconnected for the first two. */
const char *acceptance_word(const struct connection *connection);
