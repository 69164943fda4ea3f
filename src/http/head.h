/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request, read strictly and in place: whatever two readers could understand
 * differently (where a line ends, where the body does) is refused and not repaired. Pure.
 */
#pragma once

#include "../sign/sign.h"

#define HEAD_FIELDS_MAX 100

struct head {
	char *method, *target;
	struct sign_header fields[HEAD_FIELDS_MAX];
	size_t n_fields;
	bool chunked;	 /* the body is */
	uint64_t length; /* else its size */
	bool keep;	 /* the connection is for more requests */
	bool expects;	 /* the body comes once it was asked for (100 Continue) */
};

/* How much of `bytes` is a head, from its first byte to the empty line at its end. 0: it is not complete.
 * -EINVAL: it will never be one (a bare LF, a control character), and `why` says so. `scanned` remembers how
 * far it has looked; 0 at first. */
ssize_t head_end(const char *bytes, size_t size, size_t *scanned, const char **why);

/* Reads a complete head: `text` is changed, and the result points into it. -EINVAL: `why` says what is wrong
 * (static). -EMSGSIZE: too many fields. */
int head_parse(char *text, size_t size, struct head *ret, const char **why);
