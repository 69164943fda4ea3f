/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink ca: this machine's certificate authority. Its key is root's alone (<state-dir>/ca/ca.key, in a
 * directory of mode 0700); its certificate is for all (<state-dir>/ca.crt, mode 0644). `issue` makes a key
 * and a certificate for one server, readable by that server's user, so that a daemon without privilege holds
 * its own key and no other.
 */
#include "cli.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "../model/catalogue.h"
#include "cert.h"

static int begin(struct cli *cli)
{
	if (geteuid() != 0)
		return cli_fail("ca needs root: the authority's key is root's alone");
	return cli_config_load(cli) < 0 ? CLI_FAILED : CLI_OK;
}

static int fail_expired(const struct cli *cli)
{
	return cli_fail("the authority's certificate has expired: remove %s/ca.crt and run privlink ca init, "
			"which makes a new one for the same key",
			cli->state_dir);
}

static void default_ca_name(char *ret, size_t size)
{
	char host[65] = "localhost";

	(void)gethostname(host, sizeof(host) - 1);
	if (str_format(ret, size, "privlink CA of %s", host) < 0)
		(void)str_copy(ret, size, "privlink CA");
}

int cli_run_ca_init(struct cli *cli, int argc, char **argv)
{
	char name[64];
	int r;

	default_ca_name(name, sizeof(name));
	for (int i = 0; i < argc; i++) {
		if (!streq(argv[i], "--name") || i + 1 >= argc)
			return cli_usage("ca init: unexpected argument %s", argv[i]);
		if (str_copy(name, sizeof(name), argv[++i]) < 0 || !*name)
			return cli_usage("--name: expected 1 to 63 characters");
	}
	r = begin(cli);
	if (r != CLI_OK)
		return r;
	r = cert_authority_make(cli->state_dir, name);
	if (r == -ENOKEY)
		return cli_fail("%s/ca.crt is there without its key, ca/ca.key: nothing is changed",
				cli->state_dir);
	if (r == -EBADMSG)
		return cli_fail("the authority's key and certificate in %s do not belong together",
				cli->state_dir);
	if (r == -EKEYEXPIRED)
		return fail_expired(cli);
	if (r < 0)
		return cli_fail("cannot make the authority in %s: %s", cli->state_dir, strerror(-r));
	printf("%s/ca.crt\n", cli->state_dir);
	return CLI_OK;
}

/* What the API's certificate is for: this machine, and the API's host names in all regions of the catalogue.
 */
static int add_api_names(struct cert_names *names, const struct catalogue *catalogue)
{
	static const char *const local[] = {"IP:127.0.0.1", "IP:::1", "DNS:localhost"};
	char host[65] = "", wildcard[128];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(local) && r >= 0; i++)
		r = cert_names_add(names, "", local[i]);
	(void)gethostname(host, sizeof(host) - 1);
	if (r >= 0 && *host && !streq(host, "localhost"))
		r = cert_names_add(names, "DNS:", host);
	for (size_t i = 0; i < catalogue->n_regions && r >= 0; i++) {
		(void)str_format(wildcard, sizeof(wildcard), "*.%s.aliyuncs.com", catalogue->regions[i].id);
		r = cert_names_add(names, "DNS:", wildcard);
	}
	return r;
}

struct issue {
	const char *name, *out, *catalogue;
	bool api;
	uid_t uid;
	gid_t gid;
	struct cert_names names;
};

static int set_owner(struct issue *issue, const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return cli_usage("--owner %s: no such user", user);
	issue->uid = entry->pw_uid;
	issue->gid = entry->pw_gid;
	return CLI_OK;
}

static int set_option(struct issue *issue, const char *option, const char *value)
{
	if (streq(option, "--owner"))
		return set_owner(issue, value);
	if (streq(option, "--name"))
		issue->name = value;
	else if (streq(option, "--out"))
		issue->out = value;
	else if (streq(option, "--catalogue"))
		issue->catalogue = value;
	else if (!streq(option, "--san"))
		return cli_usage("ca issue: unknown option %s", option);
	else if (cert_names_parse(&issue->names, value) < 0)
		return cli_usage("--san %s: expected DNS:name or IP:address, separated by commas", value);
	return CLI_OK;
}

static int parse(int argc, char **argv, struct issue *issue)
{
	int r = CLI_OK;

	for (int i = 0; i < argc && r == CLI_OK; i++) {
		if (streq(argv[i], "--api"))
			issue->api = true;
		else if (i + 1 >= argc)
			return cli_usage("ca issue: unexpected argument %s", argv[i]);
		else
			r = set_option(issue, argv[i], argv[i + 1]), i++;
	}
	if (r != CLI_OK)
		return r;
	if (!issue->name || !issue->out)
		return cli_usage("ca issue needs --name and --out");
	if (!*issue->name || strchr(issue->name, '/') || strlen(issue->name) > 64)
		return cli_usage("--name %s: expected 1 to 64 characters without a slash", issue->name);
	if (issue->names.n == 0 && !issue->api)
		return cli_usage("ca issue needs --san or --api");
	return CLI_OK;
}

static int load_api_names(struct issue *issue)
{
	struct catalogue *catalogue;
	char why[256];
	int r;

	r = catalogue_load(issue->catalogue, &catalogue, why, sizeof(why));
	if (r < 0)
		return cli_fail("cannot read the catalogue %s: %s", issue->catalogue,
				r == -EINVAL ? why : strerror(-r));
	r = add_api_names(&issue->names, catalogue);
	catalogue_free(catalogue);
	return r < 0 ? cli_fail("%s", strerror(-r)) : CLI_OK;
}

static int run(struct cli *cli, struct issue *issue)
{
	int r;

	r = begin(cli);
	if (r == CLI_OK && issue->api)
		r = load_api_names(issue);
	if (r != CLI_OK)
		return r;
	r = cert_issue(cli->state_dir, issue->out, issue->name, &issue->names, issue->uid, issue->gid);
	if (r == -ENOKEY)
		return cli_fail("no authority in %s: run privlink ca init first", cli->state_dir);
	if (r == -EBADMSG)
		return cli_fail(
			"the authority's key and certificate in %s do not belong together, or cannot be read",
			cli->state_dir);
	if (r == -EKEYEXPIRED)
		return fail_expired(cli);
	if (r < 0)
		return cli_fail("cannot issue a certificate into %s: %s", issue->out, strerror(-r));
	printf("%s/%s.crt\n", issue->out, issue->name);
	return CLI_OK;
}

int cli_run_ca_issue(struct cli *cli, int argc, char **argv)
{
	struct issue issue = {.catalogue = PRIVLINK_DATADIR "/catalogue.json"};
	int r;

	r = parse(argc, argv, &issue);
	if (r == CLI_OK)
		r = run(cli, &issue);
	cert_names_done(&issue.names);
	return r;
}
