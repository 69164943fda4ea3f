/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apart from the rest of the command line, because GnuTLS has a `union params` of its own.
 */
#include "trust.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_PEM (1024 * 1024)

/* The file's text, the caller's. */
static int read_text(const char *path, char **ret, size_t *ret_size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_PEM)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read(fd, text, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	*ret_size = (size_t)n;
	*ret = TAKE_PTR(text);
	return 0;
}

int cli_certificate_load(const char *path, struct certificate *ret, char *why, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	size_t length = 0;
	int r;

	r = read_text(path, &text, &length);
	return r < 0 ? r : certificate_read(text, length, ret, why, size);
}

const char *cli_trust_refusal(unsigned int status, bool is_own)
{
	static const struct {
		unsigned int bit;
		const char *text, *own;
	} refusals[] = {
		{GNUTLS_CERT_SIGNER_NOT_FOUND,
		 "the certificate comes from an authority that is not among those to trust (give the right "
		 "ca.crt with --ca or PRIVLINK_CA)",
		 "the certificate comes from another authority than this machine's own, which alone is trusted "
		 "(give the other one's ca.crt with --ca or PRIVLINK_CA; if it is a public one, --ca " CLI_SYSTEM_CA
		 ")"},
		{GNUTLS_CERT_SIGNATURE_FAILURE,
		 "the certificate is not signed by the authority of that name that is to be trusted (was the "
		 "authority made anew? give its present ca.crt with --ca)"},
		{GNUTLS_CERT_NOT_ACTIVATED,
		 "the certificate, or its authority's, is not valid yet (is the clock "
		 "of this machine right?)"},
		{GNUTLS_CERT_EXPIRED,
		 "the certificate, or its authority's, has expired (on the API's machine: "
		 "privlink ca show, privlink ca issue, systemctl reload privlinkd)"},
		{GNUTLS_CERT_SIGNER_NOT_CA, "the certificate is signed by one that is no authority"},
		{GNUTLS_CERT_INSECURE_ALGORITHM,
		 "the certificate is signed in a way that is no longer secure"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (status & refusals[i].bit)
			return is_own && refusals[i].own ? refusals[i].own : refusals[i].text;
	return status ? "the certificate is not valid" : NULL;
}
