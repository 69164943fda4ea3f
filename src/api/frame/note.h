/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the audit log says of a request: noted while it is looked at, and told when it is answered.
 */
#pragma once

#include "../../audit/audit.h"
#include "../../http/server.h"
#include "../../model/snapshot.h"
#include "../../schema/schema.h"
#include "auth.h"

struct note {
	int64_t time_ms;
	uint64_t begin_mono_ms;
	char address[64], key_id[128], user_agent[AUDIT_TEXT_SIZE];
	bool https;
	int64_t account;    /* 0: unknown */
	char user[ID_SIZE]; /* whose key it is; "": the account's own */
	bool is_signed;
	const struct product_info *product; /* NULL: unknown, as the action */
	const struct action *action;
	char action_name[128], version[32]; /* as the caller has written them */
};

/* When it came, and from where. */
void note_begin(struct note *note, const struct server_request *request);
/* What the caller says of itself, once the parameters can be read; whose key it is that it names. */
void note_caller(struct note *note, const struct server_request *request, const struct params *query,
		 const struct params *form, const struct snapshot *rows);
/* Its signature was right: it is this call that is carried out. */
void note_signed(struct note *note, const struct auth_call *call);
/* `code` NULL: it succeeded. `audit` NULL: nobody wants to know. */
void note_end(const struct note *note, struct audit *audit, const char *request_id,
	      const struct params *query, const struct params *form, unsigned int status, const char *code);
