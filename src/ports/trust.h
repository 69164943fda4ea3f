/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the host's trust store (/etc/ssl) with one more CA in it, for the instances.
 */
#pragma once

#include "../lib/breath.h"
#include "../lib/certificate.h"

#define TRUST_DEPTH_MAX 16 /* directories within each other; what is in more of them is not copied */
#define TRUST_CA_NAME	"privlink-ca.pem"
#define TRUST_CA_FILE	"certs/" TRUST_CA_NAME /* in the copy */

struct trust_paths {
	const char *host;	 /* its trust store */
	const char *ca;		 /* the file of the CA */
	const char *kept;	 /* what was in it when it was good last; nobody but root may write there */
	const char *kept_bundle; /* what was in the host's bundle when it could be read last; likewise */
	const char *copy;
	const struct breath *breath; /* is taken between names; NULL: none */
};

/* How it stands with the CA. One that is gone or bad is in the copy as it was kept. */
enum trust_ca { TRUST_CA_NONE, TRUST_CA_GOOD, TRUST_CA_GONE, TRUST_CA_BAD };

struct trust_report {
	bool is_known; /* how it stands with the CA, also if something else failed */
	enum trust_ca ca;
	char why[160];	    /* why it is bad */
	bool had_one;	    /* there was none to keep, but the copy had one */
	const char *unkept; /* the first of the two files that could not be kept; NULL: both are */
	int keep;	    /* the error with which it could not */
	struct certificate certificate; /* that the copy has; end 0: none */
	char failed[512];		/* the first name in the store that could not be copied; "": none */
	char closed[64]; /* the store ("."), its certificates or its bundle: others may not read it */
	char deep[512];	 /* the first directory that is too deep to be copied; "": none */
};

/* Only looks at the CA, as trust_sync() would. */
int trust_look(const struct trust_paths *paths, struct trust_report *ret);

/* Makes `copy` equal to `host` plus the certificate `ca`, which is kept. One that is missing from the start
 * is none; of one that is missing now, or cannot be read, the copy has what was kept: never what it had
 * itself, since whoever may write there would make a CA. So it is with a bundle of the host's that cannot be
 * read. What others may not read on the host is not copied,
 * nor is its directory `private`, nor what is too deep. 0: it was so already; 1: something was
 * written. -EFBIG: a file is too large, and the others were copied; other errors as from the system. */
int trust_sync(const struct trust_paths *paths, struct trust_report *ret);

/* Opens the bundle of a copy, or of a link to one, to be read; the descriptor is the caller's. Whoever may
 * write into the copy may have put links there: they are not followed (-ELOOP). */
int trust_open_bundle(const char *copy);
