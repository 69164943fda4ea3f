/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates: ECDSA on P-256, signed with SHA-256, made by GnuTLS. Files appear whole or not at
 * all. Nothing here prints.
 */
#include "cert.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../lib/file_write.h"
#include "../lib/ident.h"
#include "../lib/netaddr.h"

#define CA_DAYS	    3650
#define SERVER_DAYS 825	  /* clients refuse more */
#define BACKDATE_S  86400 /* clocks differ, and are set back */
#define SERIAL_SIZE 16
#define PATH_SIZE   4096

/* ---- files ---- */

static int make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int read_pem(const char *path, gnutls_datum_t *ret)
{
	int r = gnutls_load_file(path, ret);

	return r == GNUTLS_E_FILE_ERROR ? (errno ? -errno : -ENOENT) : r < 0 ? -EIO : 0;
}

/* ---- keys and certificates ---- */

static int key_new(gnutls_x509_privkey_t *ret)
{
	gnutls_x509_privkey_t key;

	if (gnutls_x509_privkey_init(&key) < 0)
		return -ENOMEM;
	if (gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0) {
		gnutls_x509_privkey_deinit(key);
		return -EIO;
	}
	*ret = key;
	return 0;
}

/* The parts that both kinds have. A GnuTLS error. */
static int certificate_fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name,
			    unsigned int days)
{
	uint8_t serial[SERIAL_SIZE], id[64];
	size_t id_size = sizeof(id);
	time_t now = time(NULL);
	int r;

	if (random_bytes(serial, sizeof(serial)) < 0)
		return GNUTLS_E_RANDOM_FAILED;
	serial[0] &= 0x7f; /* a positive number */
	serial[0] |= 0x40;
	r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(crt, now - BACKDATE_S);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)days * 86400);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
						  (unsigned int)strlen(name));
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &id_size);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, id_size);
	return r;
}

static int certificate_sign(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t issuer_key)
{
	return gnutls_x509_crt_sign2(crt, issuer, issuer_key, GNUTLS_DIG_SHA256, 0);
}

static int certificate_export(gnutls_x509_crt_t crt, gnutls_datum_t *ret)
{
	return gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, ret) < 0 ? -EIO : 0;
}

static int certificate_write(gnutls_x509_crt_t crt, const char *path, uid_t uid, gid_t gid)
{
	gnutls_datum_t pem = {0};
	int r;

	r = certificate_export(crt, &pem);
	if (r >= 0)
		r = file_write(path, pem.data, pem.size, 0644, uid, gid);
	gnutls_free(pem.data);
	return r;
}

static int key_write(gnutls_x509_privkey_t key, const char *path, uid_t uid, gid_t gid)
{
	gnutls_datum_t pem = {0};
	int r;

	if (gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem) < 0)
		return -EIO;
	r = file_write(path, pem.data, pem.size, 0600, uid, gid);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return r;
}

/* ---- the authority ---- */

struct authority {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static void authority_done(struct authority *ca)
{
	if (ca->key)
		gnutls_x509_privkey_deinit(ca->key);
	if (ca->crt)
		gnutls_x509_crt_deinit(ca->crt);
	*ca = (struct authority){0};
}

/* -ENOENT: the key or the certificate is missing. -EBADMSG: key and certificate do not belong together. */
static int authority_load(const char *key_path, const char *crt_path, struct authority *ret)
{
	gnutls_datum_t key = {0}, crt = {0};
	uint8_t key_id[64], crt_id[64];
	size_t key_size = sizeof(key_id), crt_size = sizeof(crt_id);
	int r;

	r = read_pem(key_path, &key);
	if (r >= 0)
		r = read_pem(crt_path, &crt);
	if (r >= 0 && (gnutls_x509_privkey_init(&ret->key) < 0 || gnutls_x509_crt_init(&ret->crt) < 0))
		r = -ENOMEM;
	if (r >= 0 && (gnutls_x509_privkey_import(ret->key, &key, GNUTLS_X509_FMT_PEM) < 0 ||
		       gnutls_x509_crt_import(ret->crt, &crt, GNUTLS_X509_FMT_PEM) < 0 ||
		       gnutls_x509_privkey_get_key_id(ret->key, 0, key_id, &key_size) < 0 ||
		       gnutls_x509_crt_get_key_id(ret->crt, 0, crt_id, &crt_size) < 0 ||
		       key_size != crt_size || memcmp(key_id, crt_id, key_size) != 0))
		r = -EBADMSG;
	gnutls_free(key.data);
	gnutls_free(crt.data);
	if (r < 0)
		authority_done(ret);
	return r;
}

/* -EKEYEXPIRED: what it signs now is worth nothing. */
static int authority_check_time(const struct authority *ca)
{
	return gnutls_x509_crt_get_expiration_time(ca->crt) < time(NULL) ? -EKEYEXPIRED : 0;
}

/* The key that an init left before it came to the certificate, or whose certificate was lost: what it signed
 * stays good under the new one. -ENOENT: there is none. */
static int key_load(const char *path, gnutls_x509_privkey_t *ret)
{
	gnutls_datum_t pem = {0};
	int r;

	r = read_pem(path, &pem);
	if (r >= 0 && gnutls_x509_privkey_init(ret) < 0)
		r = -ENOMEM;
	if (r >= 0 && gnutls_x509_privkey_import(*ret, &pem, GNUTLS_X509_FMT_PEM) < 0)
		r = -EBADMSG;
	gnutls_free(pem.data);
	return r;
}

/* On failure the caller's authority_done() releases what there is. */
static int authority_new(const char *name, const char *key_path, struct authority *ret)
{
	int r;

	r = key_load(key_path, &ret->key);
	if (r == -ENOENT)
		r = key_new(&ret->key);
	if (r < 0)
		return r;
	if (gnutls_x509_crt_init(&ret->crt) < 0 || certificate_fill(ret->crt, ret->key, name, CA_DAYS) < 0 ||
	    gnutls_x509_crt_set_basic_constraints(ret->crt, 1, 0) < 0 ||
	    gnutls_x509_crt_set_key_usage(ret->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN) < 0 ||
	    certificate_sign(ret->crt, ret->crt, ret->key) < 0)
		return -EIO;
	return 0;
}

/* The certificate is written last: where it is, the key is. */
static int authority_write(const struct authority *ca, const char *state_dir, const char *key_path,
			   const char *crt_path)
{
	char directory[PATH_SIZE];
	int r;

	if (str_format(directory, sizeof(directory), "%s/ca", state_dir) < 0)
		return -ENAMETOOLONG;
	r = make_directory(state_dir, 0755);
	if (r >= 0)
		r = make_directory(directory, 0700);
	if (r >= 0 && chmod(directory, 0700) < 0)
		r = -errno;
	if (r >= 0)
		r = key_write(ca->key, key_path, geteuid(), getegid());
	if (r >= 0)
		r = certificate_write(ca->crt, crt_path, geteuid(), getegid());
	return r;
}

static int authority_paths(const char *state_dir, char key_path[PATH_SIZE], char crt_path[PATH_SIZE])
{
	if (str_format(key_path, PATH_SIZE, "%s/ca/ca.key", state_dir) < 0 ||
	    str_format(crt_path, PATH_SIZE, "%s/ca.crt", state_dir) < 0)
		return -ENAMETOOLONG;
	return 0;
}

int cert_authority_make(const char *state_dir, const char *name)
{
	char key_path[PATH_SIZE], crt_path[PATH_SIZE];
	struct authority ca = {0};
	int r;

	r = authority_paths(state_dir, key_path, crt_path);
	if (r < 0)
		return r;
	r = authority_load(key_path, crt_path, &ca);
	if (r == 0)
		r = authority_check_time(&ca);
	if (r == -ENOENT && access(crt_path, F_OK) == 0) {
		r = -ENOKEY;
	} else if (r == -ENOENT) {
		r = authority_new(name, key_path, &ca);
		if (r >= 0)
			r = authority_write(&ca, state_dir, key_path, crt_path);
	}
	authority_done(&ca);
	return r;
}

/* ---- names ---- */

int cert_names_add(struct cert_names *names, const char *kind, const char *name)
{
	char *text = NULL;

	if (names->n == CERT_NAMES_MAX)
		return -E2BIG;
	if (asprintf(&text, "%s%s", kind, name) < 0)
		return -ENOMEM;
	names->v[names->n++] = text;
	return 0;
}

int cert_names_parse(struct cert_names *names, const char *text)
{
	_cleanup_(freep) char *copy = strdup(text);
	struct netaddr addr;
	int r = copy ? 0 : -ENOMEM;

	for (char *rest = copy, *one; r >= 0 && (one = strsep(&rest, ","));) {
		if (str_starts(one, "IP:") ? netaddr_parse(one + 3, &addr) < 0
					   : !str_starts(one, "DNS:") || !one[4])
			return -EINVAL;
		r = cert_names_add(names, "", one);
	}
	return r;
}

void cert_names_done(struct cert_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	names->n = 0;
}

/* ---- servers ---- */

static int set_names(gnutls_x509_crt_t crt, const struct cert_names *names)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r >= 0; i++) {
		const char *name = names->v[i];
		struct netaddr addr;
		uint32_t v4;

		if (str_starts(name, "DNS:")) {
			r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name + 4,
								 (unsigned int)strlen(name + 4),
								 GNUTLS_FSAN_APPEND);
		} else if (netaddr_parse(name + 3, &addr) >= 0 && netaddr_is_v4(&addr)) {
			v4 = htonl(netaddr_to_v4(&addr));
			r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &v4, sizeof(v4),
								 GNUTLS_FSAN_APPEND);
		} else {
			r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr.bytes,
								 sizeof(addr.bytes), GNUTLS_FSAN_APPEND);
		}
	}
	return r;
}

static int set_authority(gnutls_x509_crt_t crt, const struct authority *ca)
{
	uint8_t id[64];
	size_t size = sizeof(id);

	if (gnutls_x509_crt_get_subject_key_id(ca->crt, id, &size, NULL) < 0)
		return 0;
	return gnutls_x509_crt_set_authority_key_id(crt, id, size);
}

static int server_certificate(const struct authority *ca, gnutls_x509_privkey_t key, const char *name,
			      const struct cert_names *names, gnutls_x509_crt_t *ret)
{
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	if (certificate_fill(crt, key, name, SERVER_DAYS) < 0 ||
	    gnutls_x509_crt_set_basic_constraints(crt, 0, -1) < 0 ||
	    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) < 0 ||
	    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) < 0 ||
	    set_names(crt, names) < 0 || set_authority(crt, ca) < 0 ||
	    certificate_sign(crt, ca->crt, ca->key) < 0) {
		gnutls_x509_crt_deinit(crt);
		return -EIO;
	}
	*ret = crt;
	return 0;
}

/* The key first: a certificate without its key is never there. */
static int issue_files(const struct authority *ca, const char *directory, const char *name,
		       const struct cert_names *names, uid_t uid, gid_t gid)
{
	char key_path[PATH_SIZE], crt_path[PATH_SIZE];
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r;

	if (str_format(key_path, sizeof(key_path), "%s/%s.key", directory, name) < 0 ||
	    str_format(crt_path, sizeof(crt_path), "%s/%s.crt", directory, name) < 0)
		return -ENAMETOOLONG;
	r = make_directory(directory, 0755);
	if (r >= 0)
		r = key_new(&key);
	if (r >= 0)
		r = server_certificate(ca, key, name, names, &crt);
	if (r >= 0)
		r = key_write(key, key_path, uid, gid);
	if (r >= 0)
		r = certificate_write(crt, crt_path, uid, gid);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}

int cert_issue(const char *state_dir, const char *directory, const char *name, const struct cert_names *names,
	       uid_t uid, gid_t gid)
{
	char key_path[PATH_SIZE], crt_path[PATH_SIZE];
	struct authority ca = {0};
	int r;

	r = authority_paths(state_dir, key_path, crt_path);
	if (r >= 0)
		r = authority_load(key_path, crt_path, &ca);
	if (r >= 0)
		r = authority_check_time(&ca);
	if (r >= 0)
		r = issue_files(&ca, directory, name, names, uid, gid);
	authority_done(&ca);
	return r == -ENOENT && access(crt_path, F_OK) < 0 ? -ENOKEY : r;
}
