/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes of servers in group sgp-1 on 127.0.0.1: servers' sockets, and turns of the loop until something is
 * known of them. Include it in the test's only source file.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/tap.h"

#include "agent/health.h"

#define TURN_MS 5

static int n_changed;

static void on_changed(void *context _unused_, uint32_t events _unused_)
{
	n_changed++;
}

/* A socket on 127.0.0.1; listens if backlog >= 0. */
static int make_socket(int backlog, uint16_t *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) < 0 ||
	    (backlog >= 0 && listen(fd, backlog) < 0) || getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
		exit(EXIT_FAILURE);
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

static struct plan_probe probe(const char *server, uint16_t port)
{
	struct plan_probe p = {
		.group = "sgp-1",
		.server_port = 443,
		.probe_addr = netaddr_v4(INADDR_LOOPBACK),
		.probe_port = port,
		.interval_ms = 40,
		.timeout_ms = 100,
		.healthy_threshold = 2,
		.unhealthy_threshold = 3,
	};

	(void)str_copy(p.server_id, sizeof(p.server_id), server);
	return p;
}

_unused_ static struct plan_probe_key key_of(const struct plan_probe *probe)
{
	struct plan_probe_key key = {.server_port = probe->server_port, .backend = probe->backend};

	(void)str_copy(key.group, sizeof(key.group), probe->group);
	(void)str_copy(key.server_id, sizeof(key.server_id), probe->server_id);
	return key;
}

_unused_ static bool fits_always(void *context _unused_, const struct plan_touched *touched _unused_)
{
	return true;
}

/* As many groups as *context says. */
_unused_ static bool fits_in(void *context, const struct plan_touched *touched)
{
	return touched->server_groups.n <= *(const size_t *)context;
}

static enum plan_health state_of(struct health *health, const char *server_id)
{
	struct server server = {.group = "sgp-1", .port = 443};

	(void)str_copy(server.server_id, sizeof(server.server_id), server_id);
	return health_of(health, &server);
}

static bool wait_within(struct loop *loop, struct health *health, const char *server, enum plan_health state,
			uint64_t ms)
{
	uint64_t end_ms = now_mono_ms() + ms;

	while (state_of(health, server) != state && now_mono_ms() < end_ms)
		(void)loop_turn(loop, 50);
	return state_of(health, server) == state;
}

/* Runs the loop until the server is in the state, or for a minute. */
_unused_ static bool wait_for(struct loop *loop, struct health *health, const char *server,
			      enum plan_health state)
{
	return wait_within(loop, health, server, state, 60000);
}

_unused_ static void turn_for(struct loop *loop, uint64_t ms)
{
	uint64_t end_ms = now_mono_ms() + ms;

	do
		(void)loop_turn(loop, TURN_MS);
	while (now_mono_ms() < end_ms);
}

static size_t n_results(struct health *health)
{
	struct health_result *results;
	size_t n;

	if (health_results(health, &results, &n) < 0)
		exit(EXIT_FAILURE);
	free(results);
	return n;
}

/* Runs the loop until so many servers have a result, or for a minute. */
_unused_ static void wait_for_results(struct loop *loop, struct health *health, size_t n)
{
	for (int i = 0; i < 12000 && n_results(health) < n; i++)
		(void)loop_turn(loop, TURN_MS);
}
