/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said about certificates and keys (PEM) before they are used: what is wrong with them, in words,
 * and from when to when they are valid.
 */
#pragma once

#include "util.h"

#define CERTIFICATE_WARN_S    (30 * 86400) /* how long before the end to speak of it */
#define CERTIFICATE_CHAIN_MAX 8

struct certificate {
	char subject[128];  /* its common name */
	int64_t begin, end; /* unix seconds; valid in between */
};

/* The first certificate of the text. -EINVAL: there is none, and `why` (if not NULL) says what is there
 * instead. */
int certificate_read(const char *pem, size_t size, struct certificate *ret, char *why, size_t why_size);

/* The certificates of the text, in PEM, and nothing else of it: no key, no comment. The text is the caller's.
 * -EINVAL: there is none. */
int certificate_extract(const char *pem, size_t size, char **ret, size_t *ret_size);

/* Whether a server can show this chain with this key. -EINVAL: `why` is a sentence about it, without the
 * names of the files. */
int certificate_check_pair(const char *chain, const char *key, struct certificate *ret, char *why,
			   size_t why_size);

enum certificate_state { CERTIFICATE_GOOD, CERTIFICATE_ENDS_SOON, CERTIFICATE_ENDED, CERTIFICATE_NOT_YET };

/* How it stands with its time; in words: "is valid until 2027-01-01 …", "has expired on …". */
enum certificate_state certificate_time(const struct certificate *certificate, int64_t now, char *ret,
					size_t size);
