/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GnuTLS reads; the sentences are ours.
 */
#include "certificate.h"

#include <gnutls/x509.h>
#include <stdio.h>

static int say(char *why, size_t size, const char *text)
{
	if (why)
		(void)str_copy(why, size, text);
	return -EINVAL;
}

static bool is_blank(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

static gnutls_datum_t datum(const char *text, size_t size)
{
	return (gnutls_datum_t){(unsigned char *)text, (unsigned int)size};
}

/* ---- certificates ---- */

static void fill(gnutls_x509_crt_t crt, struct certificate *ret)
{
	char name[sizeof(ret->subject)];
	size_t size = sizeof(name);

	*ret = (struct certificate){.begin = gnutls_x509_crt_get_activation_time(crt),
				    .end = gnutls_x509_crt_get_expiration_time(crt)};
	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0)
		(void)str_copy(ret->subject, sizeof(ret->subject), name);
}

/* Why there is no certificate. */
static int no_certificate(const char *pem, size_t size, char *why, size_t why_size)
{
	if (is_blank(pem, size))
		return say(why, why_size, "the certificate's file is empty");
	if (memmem(pem, size, "PRIVATE KEY-----", strlen("PRIVATE KEY-----")))
		return say(why, why_size,
			   "the certificate's file holds a private key and "
			   "no certificate (are the two swapped?)");
	return say(why, why_size, "the certificate's file holds no certificate in PEM that can be read");
}

static int load_chain(const char *pem, size_t size, gnutls_x509_crt_t **ret, unsigned int *ret_n, char *why,
		      size_t why_size)
{
	const gnutls_datum_t input = datum(pem, size);
	int r;

	/* An empty input is no error for GnuTLS. */
	r = is_blank(pem, size) ? -1
				: gnutls_x509_crt_list_import2(ret, ret_n, &input, GNUTLS_X509_FMT_PEM, 0);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	return r < 0 || *ret_n == 0 ? no_certificate(pem, size, why, why_size) : 0;
}

static void free_chain(gnutls_x509_crt_t *chain, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
}

int certificate_read(const char *pem, size_t size, struct certificate *ret, char *why, size_t why_size)
{
	gnutls_x509_crt_t *chain = NULL;
	unsigned int n = 0;
	int r;

	r = load_chain(pem, size, &chain, &n, why, why_size);
	if (r < 0)
		return r;
	fill(chain[0], ret);
	free_chain(chain, n);
	return 0;
}

/* Adds a certificate to a text. */
static int append(gnutls_x509_crt_t crt, char **text, size_t *size)
{
	gnutls_datum_t pem = {};
	char *longer;

	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) < 0)
		return -ENOMEM;
	longer = realloc(*text, *size + pem.size + 1);
	if (longer) {
		memcpy(longer + *size, pem.data, pem.size);
		*size += pem.size;
		longer[*size] = '\0';
		*text = longer;
	}
	gnutls_free(pem.data);
	return longer ? 0 : -ENOMEM;
}

int certificate_extract(const char *pem, size_t size, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *text = NULL;
	gnutls_x509_crt_t *chain = NULL;
	size_t text_size = 0;
	unsigned int n = 0;
	int r;

	r = load_chain(pem, size, &chain, &n, NULL, 0);
	for (unsigned int i = 0; i < n && r == 0; i++)
		r = append(chain[i], &text, &text_size);
	free_chain(chain, n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_size = text_size;
	return 0;
}

/* ---- keys ---- */

static int load_key(const char *pem, gnutls_x509_privkey_t *ret, char *why, size_t why_size)
{
	const gnutls_datum_t input = datum(pem, strlen(pem));

	if (is_blank(pem, strlen(pem)))
		return say(why, why_size, "the key's file is empty");
	if (strstr(pem, "ENCRYPTED"))
		return say(why, why_size,
			   "the key is encrypted (a daemon has nobody to ask for the password)");
	if (gnutls_x509_privkey_init(ret) < 0)
		return -ENOMEM;
	if (gnutls_x509_privkey_import(*ret, &input, GNUTLS_X509_FMT_PEM) == 0)
		return 0;
	gnutls_x509_privkey_deinit(*ret);
	*ret = NULL;
	if (strstr(pem, "BEGIN CERTIFICATE"))
		return say(why, why_size,
			   "the key's file holds a certificate and no key (are the two swapped?)");
	return say(why, why_size, "the key's file holds no private key in PEM that can be read");
}

static bool belong_together(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t crt_id[64], key_id[64];
	size_t crt_size = sizeof(crt_id), key_size = sizeof(key_id);

	return gnutls_x509_crt_get_key_id(crt, 0, crt_id, &crt_size) == 0 &&
	       gnutls_x509_privkey_get_key_id(key, 0, key_id, &key_size) == 0 && crt_size == key_size &&
	       memcmp(crt_id, key_id, key_size) == 0;
}

int certificate_check_pair(const char *chain_pem, const char *key_pem, struct certificate *ret, char *why,
			   size_t why_size)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t *chain = NULL;
	unsigned int n = 0;
	int r;

	r = load_chain(chain_pem, strlen(chain_pem), &chain, &n, why, why_size);
	if (r == 0)
		r = load_key(key_pem, &key, why, why_size);
	if (r == 0 && n > CERTIFICATE_CHAIN_MAX)
		r = say(why, why_size, "the certificate's chain is longer than 8 certificates");
	if (r == 0 && !belong_together(chain[0], key))
		r = say(why, why_size, "the key does not belong to the certificate");
	if (r == 0)
		fill(chain[0], ret);
	if (key)
		gnutls_x509_privkey_deinit(key);
	free_chain(chain, n);
	return r;
}

/* ---- time ---- */

enum certificate_state certificate_time(const struct certificate *certificate, int64_t now, char *ret,
					size_t size)
{
	char when[TIME_TEXT_SIZE];

	time_format(certificate->begin > now ? certificate->begin : certificate->end, when);
	if (certificate->begin > now) {
		(void)str_format(ret, size, "is not valid before %s (is the clock right?)", when);
		return CERTIFICATE_NOT_YET;
	}
	if (certificate->end < now) {
		(void)str_format(ret, size, "has expired on %s", when);
		return CERTIFICATE_ENDED;
	}
	if (certificate->end - now <= CERTIFICATE_WARN_S) {
		(void)str_format(ret, size, "expires on %s, in %lld days", when,
				 (long long)(certificate->end - now) / 86400);
		return CERTIFICATE_ENDS_SOON;
	}
	(void)str_format(ret, size, "is valid until %s", when);
	return CERTIFICATE_GOOD;
}
