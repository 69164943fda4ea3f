/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each handshake gets copies of its own, which GnuTLS frees when it is over; so nothing has to outlive an
 * exchange of the certificate.
 */
#include "tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

static char *present_chain, *present_key;

static void forget(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

int tls_identity_set(const char *chain, const char *key, struct certificate *ret, char *why, size_t why_size)
{
	char *new_chain, *new_key;
	int r;

	r = certificate_check_pair(chain, key, ret, why, why_size);
	if (r < 0)
		return r;
	new_chain = strdup(chain);
	new_key = strdup(key);
	if (!new_chain || !new_key) {
		forget(&new_chain);
		forget(&new_key);
		return -ENOMEM;
	}
	tls_identity_clear();
	present_chain = new_chain;
	present_key = new_key;
	return 0;
}

void tls_identity_clear(void)
{
	forget(&present_chain);
	forget(&present_key);
}

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, (unsigned int)strlen(text)};
}

static int copy_chain(gnutls_pcert_st **ret, unsigned int *ret_n)
{
	gnutls_datum_t pem = datum(present_chain);
	unsigned int n = CERTIFICATE_CHAIN_MAX;
	gnutls_pcert_st *chain = gnutls_calloc(n, sizeof(*chain));

	if (!chain)
		return -1;
	if (gnutls_pcert_list_import_x509_raw(chain, &n, &pem, GNUTLS_X509_FMT_PEM, 0) < 0) {
		gnutls_free(chain);
		return -1;
	}
	*ret = chain;
	*ret_n = n;
	return 0;
}

static int copy_key(gnutls_privkey_t *ret)
{
	gnutls_datum_t pem = datum(present_key);

	if (gnutls_privkey_init(ret) < 0)
		return -1;
	if (gnutls_privkey_import_x509_raw(*ret, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) < 0) {
		gnutls_privkey_deinit(*ret);
		return -1;
	}
	return 0;
}

static int retrieve(_unused_ gnutls_session_t session, _unused_ const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **chain, unsigned int *n, gnutls_ocsp_data_st **ocsp,
		    unsigned int *n_ocsp, gnutls_privkey_t *key, unsigned int *flags)
{
	if (!present_chain || copy_key(key) < 0)
		return -1;
	if (copy_chain(chain, n) < 0) {
		gnutls_privkey_deinit(*key);
		return -1;
	}
	*ocsp = NULL;
	*n_ocsp = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}

struct tls_server {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
};

int tls_server_new(struct tls_server **ret)
{
	struct tls_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	if (gnutls_certificate_allocate_credentials(&server->credentials) < 0 ||
	    gnutls_priority_init(&server->priorities, TLS_PRIORITIES, NULL) < 0) {
		tls_server_free(server);
		return -ENOMEM;
	}
	gnutls_certificate_set_retrieve_function3(server->credentials, retrieve);
	*ret = server;
	return 0;
}

struct tls_server *tls_server_free(struct tls_server *server)
{
	if (!server)
		return NULL;
	if (server->priorities)
		gnutls_priority_deinit(server->priorities);
	if (server->credentials)
		gnutls_certificate_free_credentials(server->credentials);
	free(server);
	return NULL;
}

int tls_session_new(const struct tls_server *server, int fd, struct gnutls_session_int **ret)
{
	static const gnutls_datum_t protocols[] = {{(unsigned char *)"http/1.1", 8}};
	gnutls_session_t session;

	if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return -ENOMEM;
	if (gnutls_priority_set(session, server->priorities) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, server->credentials) < 0 ||
	    gnutls_alpn_set_protocols(session, protocols, ARRAY_SIZE(protocols), 0) < 0) {
		gnutls_deinit(session);
		return -ENOMEM;
	}
	gnutls_transport_set_int(session, fd);
	*ret = session;
	return 0;
}
