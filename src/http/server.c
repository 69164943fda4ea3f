/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is let in. Connections stand in one list, that which waits longest for a request first. When there is
 * no room, the first one whose request is not just being carried out goes.
 */
#include "server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/log.h"
#include "connection.h"
#include "tls.h"

#define ACCEPTS_PER_TURN 16
/* Before accepting is tried again, when the process has no descriptor for it. */
#define ACCEPT_PAUSE_MS 100

/* Whom the bound per address counts together. */
static bool read_address(const struct sockaddr_storage *peer, struct netaddr *ret)
{
	*ret = (struct netaddr){};
	if (peer->ss_family == AF_INET) {
		*ret = netaddr_v4(ntohl(((const struct sockaddr_in *)peer)->sin_addr.s_addr));
		return true;
	}
	if (peer->ss_family != AF_INET6)
		return false;
	memcpy(ret->bytes, &((const struct sockaddr_in6 *)peer)->sin6_addr, sizeof(ret->bytes));
	if (!netaddr_is_v4(ret))
		memset(ret->bytes + 8, 0, 8);
	return true;
}

static bool is_from(const struct connection *c, const struct netaddr *address)
{
	return !address || (c->has_address && netaddr_compare(&c->address, address) == 0);
}

/* Whether there is room for one more of them all (NULL) or of an address; the oldest that is not busy makes
 * it. */
static bool make_room(struct server *server, const struct netaddr *address, unsigned int max)
{
	struct connection *oldest = NULL;
	unsigned int n = 0;

	for (struct connection *c = server->first; c; c = c->next) {
		if (!is_from(c, address))
			continue;
		n++;
		if (!oldest && c->phase != PHASE_HANDLED)
			oldest = c;
	}
	if (n < max)
		return true;
	if (!oldest)
		return false;
	connection_free(oldest);
	return true;
}

static bool admit(struct server *server, const struct netaddr *address)
{
	const struct server_options *options = &server->options;

	if (address && options->connections_per_address_max > 0 &&
	    !make_room(server, address, options->connections_per_address_max))
		return false;
	return make_room(server, NULL, options->connections_max);
}

/* No descriptor is left: who came before makes room, or they wait. */
static void out_of_descriptors(struct server *server)
{
	if (server->first && make_room(server, NULL, 0))
		return;
	log_warning("cannot accept connections: no descriptors are left");
	(void)loop_source_set_events(server->ready, 0);
	loop_timer_set(server->pause, ACCEPT_PAUSE_MS);
}

static void accept_again(void *context, _unused_ uint32_t events)
{
	struct server *server = context;

	(void)loop_source_set_events(server->ready, EPOLLIN);
}

static void callers_came(void *context, _unused_ uint32_t events)
{
	struct server *server = context;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer = {};
		socklen_t size = sizeof(peer);
		struct netaddr address;
		bool has_address;
		int fd = accept4(server->options.listen_fd, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				out_of_descriptors(server);
			return;
		}
		has_address = read_address(&peer, &address);
		if (!admit(server, has_address ? &address : NULL))
			(void)close(fd);
		else if (connection_new(server, fd, has_address ? &address : NULL) < 0)
			log_debug("http: cannot take a connection");
	}
}

int server_new(struct loop *loop, const struct server_options *options, server_handler handler, void *context,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server) {
		(void)close(options->listen_fd);
		return -ENOMEM;
	}
	*server = (struct server){.loop = loop, .options = *options, .handler = handler, .context = context};
	r = options->tls ? tls_server_new(&server->tls) : 0;
	if (r == 0)
		r = loop_add_fd(loop, options->listen_fd, EPOLLIN, callers_came, server, &server->ready);
	if (r == 0)
		r = loop_add_timer(loop, accept_again, server, &server->pause);
	if (r < 0) {
		server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	while (server->first)
		connection_free(server->first);
	loop_source_free(server->ready);
	loop_source_free(server->pause);
	closep(&server->options.listen_fd);
	tls_server_free(server->tls);
	free(server);
	return NULL;
}
