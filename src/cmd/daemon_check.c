/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_check.h"

#include <stdio.h>

#include "daemon_files.h"
#include "daemon_tls.h"
#include "model/catalogue.h"

static bool catalogue_is_good(const struct daemon_options *options)
{
	struct catalogue *catalogue;
	char why[256] = "";
	int r;

	r = catalogue_load(options->catalogue, &catalogue, why, sizeof(why));
	if (r < 0) {
		log_error("cannot read catalogue=%s: %s", options->catalogue, *why ? why : strerror(-r));
		return false;
	}
	catalogue_free(catalogue);
	return true;
}

static bool tls_is_good(const struct daemon_options *options)
{
	struct daemon_tls tls;
	int r;

	if (!options->certificate || !options->key)
		return true;
	r = daemon_tls_read(options, &tls);
	if (r < 0)
		return false;
	r = daemon_tls_check(&tls);
	daemon_tls_done(&tls);
	return r == 0;
}

static bool addresses_are_good(const struct daemon_options *options)
{
	if (options->no_http && !options->certificate) {
		log_error("nothing to serve: neither a certificate nor plain HTTP");
		return false;
	}
	return options->no_http || daemon_http_allowed(options->http, options->http_anywhere) == 0;
}

int daemon_check(const struct daemon_options *options, int options_result)
{
	struct daemon_user user;
	bool good = options_result == 0;

	/* Every one, so that all faults are told. */
	good &= addresses_are_good(options);
	good &= daemon_user_find(options->user, &user) == 0;
	good &= catalogue_is_good(options);
	good &= tls_is_good(options);
	if (!good)
		return EXIT_FAILURE;
	puts("OK");
	return EXIT_SUCCESS;
}
