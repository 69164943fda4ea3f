/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why the API was not reached. libcurl says at which step it gave up; what people want to know is which
 * setting is the wrong one, so the file of certificates is looked into, and the port is asked whether it
 * speaks the other scheme.
 */
#include "cli.h"

#include <curl/curl.h>

#include "trust.h"

#define PROBE_MS 2000

/* Whether there is anything in the file that could be trusted; if not, that was said. */
static bool trusts_anyone(const char *path)
{
	struct certificate certificate;
	char why[256] = "";
	int r;

	r = cli_certificate_load(path, &certificate, why, sizeof(why));
	if (r < 0)
		(void)cli_fail("cannot read the certificates to trust, %s: %s", path,
			       *why ? why : strerror(-r));
	return r >= 0;
}

static void say_distrust(struct cli *cli, const char *words)
{
	const char *text;
	long status = 0;

	curl_easy_getinfo(cli->curl, CURLINFO_SSL_VERIFYRESULT, &status);
	text = cli_trust_refusal((unsigned int)status, cli->ca_is_own);
	if (!text)
		text = "the certificate is for other names (use one that it is for, or issue one with "
		       "privlink ca issue --san DNS:name,IP:address)";
	(void)cli_fail("cannot trust the API at %s: %s; trusting %s: %s", cli->endpoint, text,
		       cli->ca ? cli->ca : "the system's authorities", words);
}

/* Whether anything answers there by that scheme. Nothing is told to it. */
static bool answers_by(const char *scheme, const char *rest)
{
	_cleanup_(freep) char *url = NULL;
	CURL *curl = curl_easy_init();
	bool answers;

	if (!curl || asprintf(&url, "%s%s", scheme, rest) < 0) {
		curl_easy_cleanup(curl);
		return false;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PROBE_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	answers = curl_easy_perform(curl) == CURLE_OK;
	curl_easy_cleanup(curl);
	return answers;
}

/* Whether that was the cause; then it was said. */
static bool is_other_scheme(const struct cli *cli)
{
	const char *rest = strstr(cli->endpoint, "://");
	bool by_tls = str_starts(cli->endpoint, "https://");

	if (!answers_by(by_tls ? "http" : "https", rest))
		return false;
	if (by_tls)
		(void)cli_fail(
			"cannot reach the API at %s: the port does not speak TLS: its address begins with "
			"http:// (http%s)",
			cli->endpoint, rest);
	else
		(void)cli_fail(
			"cannot reach the API at %s: the port speaks TLS: its address begins with https:// "
			"(https%s)",
			cli->endpoint, rest);
	return true;
}

void cli_say_unreached(struct cli *cli, int code, const char *words)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		if (!cli->ca || trusts_anyone(cli->ca))
			say_distrust(cli, words);
		return;
	case CURLE_SSL_CACERT_BADFILE:
		if (cli->ca && !trusts_anyone(cli->ca))
			return;
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		if (is_other_scheme(cli))
			return;
		break;
	default:
		break;
	}
	(void)cli_fail("cannot reach the API at %s: %s", cli->endpoint, words);
}
