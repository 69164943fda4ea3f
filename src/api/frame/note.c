/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call whose signature is not right is told with the account of the key that it names, so that this account
 * sees that somebody tries it; that it is not its own call stands beside. It counts as refused, whatever it
 * asked for; so does one that was refused because there were too many, or a flood would push out others'
 * lines.
 */
#include "note.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "../../audit/event.h"
#include "../../sign/sign.h"

/* "" where it is not to be had: of a Unix socket, or when the connection is gone. */
static void read_address(int fd, char *ret, size_t size)
{
	struct sockaddr_storage address = {};
	socklen_t length = sizeof(address);
	const void *bytes;

	*ret = '\0';
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&address, &length) < 0)
		return;
	if (address.ss_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)&address)->sin6_addr;
	else if (address.ss_family == AF_INET)
		bytes = &((const struct sockaddr_in *)&address)->sin_addr;
	else
		return;
	if (!inet_ntop(address.ss_family, bytes, ret, (socklen_t)size))
		*ret = '\0';
}

/* As much of it as fits. */
static void copy(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text ? text : "");
}

void note_begin(struct note *note, const struct server_request *request)
{
	*note = (struct note){
		.time_ms = audit_now_ms(), .begin_mono_ms = now_mono_ms(), .https = request->tls};
	read_address(request->fd, note->address, sizeof(note->address));
	copy(note->user_agent, sizeof(note->user_agent), server_header(request, "user-agent"));
}

/* By the scheme of signing, in a header or in a parameter: the other one is nobody's word. */
static const char *said(const struct server_request *request, const struct params *query,
			const struct params *form, const char *header, const char *name)
{
	const char *text;

	if (server_header(request, "authorization"))
		return server_header(request, header);
	text = params_get(query, name);
	return text ? text : params_get(form, name);
}

static void take_action(struct note *note, const char *action, const char *version)
{
	copy(note->action_name, sizeof(note->action_name), action);
	copy(note->version, sizeof(note->version), version);
	note->product = product_by_version(note->version);
	note->action = note->product ? action_find(note->product->product, note->action_name) : NULL;
}

/* The three schemes name the key in one of three places. */
static void read_key(struct note *note, const struct server_request *request, const struct params *query,
		     const struct params *form)
{
	const char *authorization = server_header(request, "authorization");
	static const char roa[] = "acs ";
	struct sign_acs3 parts;

	if (!authorization) {
		const char *id = params_get(query, "AccessKeyId");

		copy(note->key_id, sizeof(note->key_id), id ? id : params_get(form, "AccessKeyId"));
	} else if (strncasecmp(authorization, roa, strlen(roa)) == 0) {
		copy(note->key_id, sizeof(note->key_id), authorization + strlen(roa));
		note->key_id[strcspn(note->key_id, ":")] = '\0';
	} else if (sign_acs3_parse(authorization, &parts) == 0) {
		copy(note->key_id, sizeof(note->key_id), parts.key_id);
	}
}

void note_caller(struct note *note, const struct server_request *request, const struct params *query,
		 const struct params *form, const struct snapshot *rows)
{
	const struct access_key *key;

	read_key(note, request, query, form);
	key = snapshot_find(rows, KIND_ACCESS_KEY, note->key_id);
	note->account = key ? key->uid : 0;
	copy(note->user, sizeof(note->user), key ? key->user : NULL);
	take_action(note, said(request, query, form, "x-acs-action", "Action"),
		    said(request, query, form, "x-acs-version", "Version"));
}

void note_signed(struct note *note, const struct auth_call *call)
{
	note->account = call->uid;
	copy(note->user, sizeof(note->user), call->user);
	copy(note->key_id, sizeof(note->key_id), call->key);
	take_action(note, call->action, call->version);
	note->is_signed = true;
}

static enum audit_kind kind_of(const struct note *note, const char *code)
{
	if (!note->is_signed || (code && str_starts(code, "Throttling")))
		return AUDIT_REFUSED;
	return note->action && note->action->flags & ACTION_CHANGES ? AUDIT_CHANGE : AUDIT_READ;
}

void note_end(const struct note *note, struct audit *audit, const char *request_id,
	      const struct params *query, const struct params *form, unsigned int status, const char *code)
{
	const char *region = params_get(query, "RegionId");
	const struct audit_event event = {
		.kind = kind_of(note, code),
		.time_ms = note->time_ms,
		.duration_ms = (int64_t)(now_mono_ms() - note->begin_mono_ms),
		.request_id = request_id,
		.account = note->account,
		.is_signed = note->is_signed,
		.user = note->user[0] ? note->user : NULL,
		.key_id = note->key_id,
		.product = note->product ? note->product->name : NULL,
		.version = note->version,
		.action = note->action_name,
		.region = region ? region : params_get(form, "RegionId"),
		.address = note->address,
		.user_agent = note->user_agent,
		.https = note->https,
		.query = query,
		.form = form,
		.status = status,
		.code = code,
	};

	if (audit)
		audit_add(audit, &event);
}
