/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to devices: one has been worked on (ports.h), someone has removed one, or changed something at
 * it. While one is worked on nobody looks at links: that would wait until it is over.
 */
#pragma once

#include "../datapath/datapath.h"
#include "../ports/ports.h"
#include "reconcile.h"

struct watch;

/* All borrowed. */
struct watch_parts {
	struct loop *loop;
	struct ports *ports;
	struct datapath *datapath;
	struct netns_files *files;
	struct reconcile *reconcile;
};

/* Looks at all that stands at once, and then every five seconds. `parts` is copied. Negative errno. */
int watch_new(const struct watch_parts *parts, struct watch **ret);
struct watch *watch_free(struct watch *watch);
