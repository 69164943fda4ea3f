/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health probes from VPC 0 to each backend of this node, through the data path like any other flow: a TCP
 * connect, a request by HTTP, or a datagram that has an answer.
 */
#pragma once

#include "../lib/loop.h"
#include "../plan/plan_slice.h"
#include "health_news.h"

struct health;

/* `changed` is called (from the loop) when a server's state changed; the agent then plans what that touches
 * (health_take_touched()) and reports. */
int health_new(struct loop *loop, int netns_fd, loop_callback changed, void *context, struct health **ret);
struct health *health_free(struct health *health);
/* While the agent starts: what these say of a server when its probe begins was found before, and one result
 * does not overrule it. They are borrowed until they are set to NULL, which says that the start is over: of a
 * server that comes later nothing counts that was found long ago. */
void health_set_rows(struct health *health, const struct snapshot *rows);
/* Starts, goes on with and stops probes as the plan wants; results of servers that stay are kept. */
int health_set_plan(struct health *health, const struct plan *plan);
/* The same of the probes that slices of the plan have changed, and no other one is looked at. -ENOMEM. */
int health_follow(struct health *health, const struct plan *plan, const struct plan_patch *patch);
/* A row says how a server is, or no more. Unless a probe here has found that out itself, which counts before
 * the row, it is handed over like a probe's result, but `changed` is not called for it. Whether it is. */
bool health_hear(struct health *health, const struct snapshot *rows, const struct server_health *row);
/* Adds what results have touched since the last call, as long as it is not many and fits, in the order of
 * health_news_take(). The others stay, and `changed` is called for them a little later; but those that do not
 * fit by themselves wait for health_take_all(). True: there are such. */
bool health_take_touched(struct health *health, health_fits fits, void *context,
			 struct plan_touched *touched);
/* Something was found or heard that nobody has taken yet: health_of() may say other things than it did when
 * the plan was made that is in force. */
bool health_has_news(const struct health *health);
/* All of it is: a plan of the whole is begun, which reads how every server is. */
void health_take_all(struct health *health);
/* For plan_input.health. */
enum plan_health health_of(void *health, const struct server *server);

struct health_result {
	char group[ID_SIZE];
	char server_id[NETADDR_TEXT_SIZE];
	uint32_t port;
	bool healthy;
	char reason[WORD_SIZE]; /* of one that is not healthy; or why it is not known whether it is */
};
/* All known results, for the report, by group, server and port. The array is the caller's. */
int health_results(const struct health *health, struct health_result **ret, size_t *ret_n);
