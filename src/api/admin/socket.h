/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What root on privlinkd's own machine may ask without a key, over the feed's socket: a new key for the
 * administrator, a copy of the store, what the store is.
 */
#pragma once

#include "../../http/server.h"
#include "../../store/store.h"

#define ADMIN_PATH "/admin/v1/"

/* Answers a request whose sender is root. */
void admin_handle(struct store *store, struct server_request *request);
