/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a connectivity test. Which there are, and at what they aim, is decided when the test is made,
 * from rows; a node says of each how it went, by its number, and nothing else. All are kept in the test's own
 * row as one text, a line each.
 */
#pragma once

#include "snapshot.h"

enum connectivity_kind {
	CONNECTIVITY_NAME,    /* the VPC's resolver knows the name, and says the endpoint's addresses */
	CONNECTIVITY_PING,    /* an ENI answers an echo request */
	CONNECTIVITY_CONNECT, /* an ENI's port takes a TCP connection */
	CONNECTIVITY_TLS,     /* it shows a certificate of the endpoint's name that the instance trusts */
	CONNECTIVITY_HEAD,    /* it answers HEAD / */
};

enum connectivity_result {
	CONNECTIVITY_NONE, /* none yet */
	CONNECTIVITY_OK,
	CONNECTIVITY_FAILED,
	CONNECTIVITY_SKIPPED,
};

extern const char *const connectivity_kind_names[], *const connectivity_result_names[];

#define CONNECTIVITY_NAMES_MAX	    2 /* the endpoint's own, and its service's private one */
#define CONNECTIVITY_ZONE_STEPS	    4
#define CONNECTIVITY_STEPS_MAX	    (CONNECTIVITY_NAMES_MAX + CONNECTIVITY_ZONE_STEPS * ENDPOINT_ZONES_MAX)
#define CONNECTIVITY_TEXT_SIZE	    201
#define CONNECTIVITY_CODE_SIZE	    WORD_SIZE
#define CONNECTIVITY_PORT_TEXT	    (NETADDR_TEXT_SIZE + 6)
#define CONNECTIVITY_LATENCY_MAX_US 100000000u

/* How a step went. */
struct connectivity_outcome {
	enum connectivity_result result;
	char code[CONNECTIVITY_CODE_SIZE]; /* letters and digits; "": it is Ok */
	char text[CONNECTIVITY_TEXT_SIZE]; /* ASCII, printable */
	uint32_t latency_us;		   /* 0: of no meaning */
};

struct connectivity_step {
	enum connectivity_kind kind;
	char target[DOMAIN_SIZE]; /* a name, an address, or an address and port */
	char zone[ZONE_SIZE];	  /* "": of none */
	struct connectivity_outcome outcome;
};

/* A service's port whose test goes on with TLS, with HEAD. */
bool connectivity_port_has_tls(uint32_t port);
bool connectivity_port_has_http(uint32_t port);

/* The steps of a test of this endpoint, which have no outcome yet; their number. `ret` has room for
 * CONNECTIVITY_STEPS_MAX. */
size_t connectivity_plan(const struct snapshot *rows, const struct endpoint *endpoint, uint32_t port,
			 struct connectivity_step *ret);

/* As the row keeps them. Any that connectivity_plan() made and connectivity_outcome_is_good() holds of fit.
 */
int connectivity_write(const struct connectivity_step *steps, size_t n, char ret[CONNECTIVITY_STEPS_SIZE]);
/* -EBADMSG: the text is none of ours. */
int connectivity_read(const char *text, struct connectivity_step *ret, size_t *ret_n);

/* Whether it can be kept as it is: someone else wrote it. */
bool connectivity_outcome_is_good(const struct connectivity_outcome *outcome);
/* The text with '?' in place of what cannot be kept, cut if it is too long. */
void connectivity_text(const char *text, char ret[CONNECTIVITY_TEXT_SIZE]);

/* "Reachable": every zone's port is open and no step failed but for pings, which a group may well refuse.
 * "Unreachable": no zone's port is open. "Partial": anything else. */
const char *connectivity_verdict(const struct connectivity_step *steps, size_t n);
