/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_tls.h"

#include "daemon_files.h"
#include "http/tls.h"
#include "lib/log.h"

static struct certificate in_use; /* end 0: none */

static int read_one(const char *what, const char *path, char ret_path[PATH_MAX], char **ret)
{
	int r;

	if (str_copy(ret_path, PATH_MAX, path) < 0)
		return log_errno(-ENAMETOOLONG, "cannot read %s=%s", what, path);
	r = daemon_read_file(what, path, ret);
	if (r == 0)
		return 0;
	log_error("HTTPS needs the %s: put it back or issue another (privlink ca issue), or take cert and "
		  "key out of the settings",
		  what);
	return r;
}

int daemon_tls_read(const struct daemon_options *options, struct daemon_tls *ret)
{
	int r = 0;

	*ret = (struct daemon_tls){};
	if (options->certificate)
		r = read_one("certificate", options->certificate, ret->certificate_path, &ret->certificate);
	if (r == 0 && options->key)
		r = read_one("key", options->key, ret->key_path, &ret->key);
	if (r < 0)
		daemon_tls_done(ret);
	return r;
}

void daemon_tls_done(struct daemon_tls *tls)
{
	free(tls->certificate);
	if (tls->key)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->key);
	tls->certificate = tls->key = NULL;
}

static int refuse(const struct daemon_tls *tls, int r, const char *why)
{
	if (r == -EINVAL)
		log_error("cannot use certificate=%s key=%s: %s", tls->certificate_path, tls->key_path, why);
	else
		(void)log_errno(r, "cannot use certificate=%s", tls->certificate_path);
	return r;
}

static enum certificate_state speak_of_time(const struct certificate *certificate, bool also_good)
{
	char words[128];
	enum certificate_state state = certificate_time(certificate, now_unix_s(), words, sizeof(words));

	if (state != CERTIFICATE_GOOD)
		log_warning("the API's certificate %s subject=%s: issue a new "
			    "one (privlink ca issue) and reload privlinkd",
			    words, certificate->subject);
	else if (also_good)
		log_info("using a certificate that %s subject=%s", words, certificate->subject);
	return state;
}

int daemon_tls_check(const struct daemon_tls *tls)
{
	struct certificate certificate;
	enum certificate_state state;
	char why[256] = "";
	int r;

	r = certificate_check_pair(tls->certificate, tls->key, &certificate, why, sizeof(why));
	if (r < 0)
		return refuse(tls, r, why);
	state = speak_of_time(&certificate, false);
	return state == CERTIFICATE_GOOD || state == CERTIFICATE_ENDS_SOON ? 0 : -EINVAL;
}

static bool is_valid_now(const struct certificate *certificate, char words[128])
{
	enum certificate_state state = certificate_time(certificate, now_unix_s(), words, 128);

	return state == CERTIFICATE_GOOD || state == CERTIFICATE_ENDS_SOON;
}

/* A certificate that clients accept is not given up for one that they refuse. */
static int compare_times(const struct daemon_tls *tls, const struct certificate *fresh)
{
	char words[128], words_in_use[128];

	if (!in_use.end || is_valid_now(fresh, words) || !is_valid_now(&in_use, words_in_use))
		return 0;
	log_error("cannot use certificate=%s: it %s, and the one in use %s and stays: issue a new one "
		  "(privlink ca issue) and reload privlinkd",
		  tls->certificate_path, words, words_in_use);
	return -EINVAL;
}

int daemon_tls_use(const struct daemon_tls *tls)
{
	struct certificate fresh;
	char why[256] = "";
	int r;

	r = certificate_check_pair(tls->certificate, tls->key, &fresh, why, sizeof(why));
	if (r < 0)
		return refuse(tls, r, why);
	r = compare_times(tls, &fresh);
	if (r < 0)
		return r;
	r = tls_identity_set(tls->certificate, tls->key, &in_use, why, sizeof(why));
	if (r < 0)
		return refuse(tls, r, why);
	(void)speak_of_time(&in_use, true);
	return 0;
}

void daemon_tls_look(void)
{
	if (in_use.end)
		(void)speak_of_time(&in_use, false);
}
