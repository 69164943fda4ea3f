/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain of certificates is looked at up to 64 KiB, and no more of it is kept in memory than the first one's
 * names and dates.
 */
#include "connectivity_tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TRUST_SIZE_MAX	   (4u << 20)
#define HANDSHAKE_SIZE_MAX (64u << 10)
#define NAMES_SHOWN	   3

struct connectivity_trust {
	gnutls_certificate_credentials_t credentials;
};

struct connectivity_tls {
	gnutls_session_t session;
	const char *const *names;
	size_t n_names;
};

void connectivity_fail(struct connectivity_outcome *outcome, const char *code, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	outcome->result = CONNECTIVITY_FAILED;
	(void)str_copy(outcome->code, sizeof(outcome->code), code);
	connectivity_text(text, outcome->text);
}

/* ---- what is trusted ---- */

static int read_all(int fd, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *data = malloc(TRUST_SIZE_MAX);
	size_t used = 0;
	ssize_t n = 1;

	if (!data)
		return -ENOMEM;
	while (fd >= 0 && n > 0 && used < TRUST_SIZE_MAX) {
		n = read(fd, data + used, TRUST_SIZE_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	}
	*ret = TAKE_PTR(data);
	*ret_size = used;
	return 0;
}

int connectivity_trust_new(int fd, struct connectivity_trust **ret)
{
	struct connectivity_trust *trust = calloc(1, sizeof(*trust));
	_cleanup_(freep) char *data = NULL;
	size_t size;

	if (!trust)
		return -ENOMEM;
	if (gnutls_certificate_allocate_credentials(&trust->credentials) < 0 ||
	    read_all(fd, &data, &size) < 0) {
		connectivity_trust_free(trust);
		return -ENOMEM;
	}
	if (size > 0) {
		gnutls_datum_t pem = {(unsigned char *)data, (unsigned int)size};

		(void)gnutls_certificate_set_x509_trust_mem(trust->credentials, &pem, GNUTLS_X509_FMT_PEM);
	}
	*ret = trust;
	return 0;
}

struct connectivity_trust *connectivity_trust_free(struct connectivity_trust *trust)
{
	if (trust && trust->credentials)
		gnutls_certificate_free_credentials(trust->credentials);
	free(trust);
	return NULL;
}

/* ---- sessions ---- */

int connectivity_tls_new(struct connectivity_trust *trust, int fd, const char *const *names, size_t n_names,
			 struct connectivity_tls **ret)
{
	struct connectivity_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->names = names;
	tls->n_names = n_names;
	if (gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0 ||
	    gnutls_set_default_priority(tls->session) < 0 ||
	    gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, trust->credentials) < 0 ||
	    gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, names[0], strlen(names[0])) < 0) {
		connectivity_tls_free(tls);
		return -ENOMEM;
	}
	gnutls_handshake_set_max_packet_length(tls->session, HANDSHAKE_SIZE_MAX);
	gnutls_transport_set_int(tls->session, fd);
	*ret = tls;
	return 0;
}

struct connectivity_tls *connectivity_tls_free(struct connectivity_tls *tls)
{
	if (tls && tls->session)
		gnutls_deinit(tls->session);
	free(tls);
	return NULL;
}

bool connectivity_tls_writes(const struct connectivity_tls *tls)
{
	return gnutls_record_get_direction(tls->session) == 1;
}

/* ---- the certificate ---- */

static void add_text(char *text, size_t size, const char *format, ...) _printf_(3, 4);
static void add_text(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text + used, size - used, format, ap);
	va_end(ap);
}

/* A name may have a byte 0 in it, and ends there. */
static void add_names(gnutls_x509_crt_t crt, char *text, size_t size)
{
	char name[DOMAIN_SIZE];
	unsigned int i = 0;
	int r;

	for (;; i++) {
		size_t length = sizeof(name) - 1;

		r = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &length, NULL);
		if (r != GNUTLS_SAN_DNSNAME || i == NAMES_SHOWN)
			break;
		name[length] = '\0';
		add_text(text, size, "%s%s", i ? ", " : "", name);
	}
	if (i == NAMES_SHOWN && r >= 0)
		add_text(text, size, ", ...");
	if (i == 0) {
		size_t length = sizeof(name) - 1;

		r = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &length);
		name[r < 0 ? 0 : length] = '\0';
		add_text(text, size, "%s", *name ? name : "no name");
	}
}

static void add_date(char *text, size_t size, time_t when)
{
	char date[TIME_TEXT_SIZE];

	time_format(when, date);
	add_text(text, size, "%.10s", date);
}

/* "TLS1.3, certificate of a.test, b.test from 2026-01-01 to 2027-01-01". */
static void describe(const struct connectivity_tls *tls, char *text, size_t size)
{
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session));
	unsigned int n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &n);
	gnutls_x509_crt_t crt;

	add_text(text, size, "%s", version ? version : "TLS");
	if (n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
		add_text(text, size, ", certificate of ");
		add_names(crt, text, size);
		add_text(text, size, " from ");
		add_date(text, size, gnutls_x509_crt_get_activation_time(crt));
		add_text(text, size, " to ");
		add_date(text, size, gnutls_x509_crt_get_expiration_time(crt));
	}
	gnutls_x509_crt_deinit(crt);
}

/* The status of the chain for whichever of the names it is good. */
static unsigned int verify(const struct connectivity_tls *tls)
{
	unsigned int status = GNUTLS_CERT_INVALID;

	for (size_t i = 0; i < tls->n_names; i++) {
		if (gnutls_certificate_verify_peers3(tls->session, tls->names[i], &status) < 0)
			return GNUTLS_CERT_INVALID;
		if (!(status & GNUTLS_CERT_UNEXPECTED_OWNER))
			break;
	}
	return status;
}

static void judge(const struct connectivity_tls *tls, struct connectivity_outcome *ret)
{
	unsigned int status = verify(tls);
	char text[1024] = "";

	describe(tls, text, sizeof(text));
	if (status == 0) {
		ret->result = CONNECTIVITY_OK;
		connectivity_text(text, ret->text);
	} else if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) {
		connectivity_fail(ret, "CertificateExpired", "Not in its time: %s", text);
	} else if (status & GNUTLS_CERT_SIGNER_NOT_FOUND) {
		connectivity_fail(ret, "CertificateUntrusted", "No authority that the instance knows: %s",
				  text);
	} else if (status & GNUTLS_CERT_UNEXPECTED_OWNER) {
		connectivity_fail(ret, "CertificateName", "Not of the endpoint's name: %s", text);
	} else {
		connectivity_fail(ret, "CertificateInvalid", "Not good: %s", text);
	}
}

static void explain(int r, struct connectivity_outcome *ret)
{
	switch (r) {
	case GNUTLS_E_HANDSHAKE_TOO_LARGE:
		connectivity_fail(ret, "CertificateTooLarge", "More than %u KiB of certificates.",
				  HANDSHAKE_SIZE_MAX >> 10);
		break;
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		connectivity_fail(ret, "Closed", "The server closed the connection.");
		break;
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		connectivity_fail(ret, "NotTls", "What came back is no TLS.");
		break;
	default:
		connectivity_fail(ret, "TlsFailed", "%s", gnutls_strerror(r));
		break;
	}
}

int connectivity_tls_go_on(struct connectivity_tls *tls, struct connectivity_outcome *ret)
{
	int r = gnutls_handshake(tls->session);

	if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED)
		return 0;
	if (r == GNUTLS_E_WARNING_ALERT_RECEIVED)
		return 0;
	if (r == 0)
		judge(tls, ret);
	else
		explain(r, ret);
	return 1;
}

static int as_errno(ssize_t r)
{
	if (r >= 0)
		return (int)r;
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED ? -EAGAIN : -EIO;
}

int connectivity_tls_send(struct connectivity_tls *tls, const char *data, size_t size)
{
	return as_errno(gnutls_record_send(tls->session, data, size));
}

int connectivity_tls_receive(struct connectivity_tls *tls, char *data, size_t size)
{
	return as_errno(gnutls_record_recv(tls->session, data, size));
}
