/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_options.h"

#include "daemon_audit.h"
#include "daemon_files.h"
#include "lib/options.h"

#define MEMBER(m) offsetof(struct daemon_options, m)
#define LISTEN	  "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080"

#define RATE_MAX 1000000
#define RATE	 "a number from 1 to 1000000"

static int check_rate(const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	return value[0] < '0' || value[0] > '9' || *end || n < 1 || n > RATE_MAX ? -EINVAL : 0;
}

/* clang-format off */
static const struct option_row rows[] = {
	{ "config", OPTION_TEXT, MEMBER(config), NULL, "FILE",
	  "read options from FILE: lines \"name = value\", # comments", OPTION_ARGUMENT },
	{ "state-dir", OPTION_TEXT, MEMBER(state_dir), "/var/lib/privlink", "DIR",
	  "where the store and admin.env are" },
	{ "run-dir", OPTION_TEXT, MEMBER(run_dir), "/run/privlink", "DIR", "where feed.sock and privlinkd.pid are" },
	{ "https", OPTION_TEXT, MEMBER(https), "0.0.0.0:8443", "ADDR:PORT",
	  "where HTTPS listens, given a certificate", .check = daemon_listen_check, .expected = LISTEN },
	{ "cert", OPTION_TEXT, MEMBER(certificate), NULL, "FILE", "the API's certificate chain (PEM)" },
	{ "key", OPTION_TEXT, MEMBER(key), NULL, "FILE", "the certificate's key (PEM)" },
	{ "http", OPTION_TEXT, MEMBER(http), "127.0.0.1:8080", "ADDR:PORT",
	  "where plain HTTP listens; loopback only", .check = daemon_listen_check, .expected = LISTEN },
	{ "http-anywhere", OPTION_SWITCH, MEMBER(http_anywhere), NULL, NULL, "let plain HTTP listen on any address" },
	{ "no-http", OPTION_SWITCH, MEMBER(no_http), NULL, NULL, "no plain HTTP" },
	{ "catalogue", OPTION_TEXT, MEMBER(catalogue), PRIVLINK_DATADIR "/catalogue.json", "FILE",
	  "regions, zones and system services" },
	{ "reads-per-minute", OPTION_NUMBER, MEMBER(limits.reads), "1000", "N",
	  "calls of one account to an action that changes nothing, in a region", .check = check_rate,
	  .expected = RATE },
	{ "writes-per-minute", OPTION_NUMBER, MEMBER(limits.writes), "200", "N",
	  "the same of an action that changes something", .check = check_rate, .expected = RATE },
	{ "no-rate-limits", OPTION_SWITCH, MEMBER(no_rate_limits), NULL, NULL,
	  "let accounts call as often as they like" },
	{ "user", OPTION_TEXT, MEMBER(user), "privlink", "NAME", "whom root becomes once all is open" },
	{ "log-level", OPTION_LEVEL, MEMBER(log_level), "info", "LEVEL", "error, warning, info or debug" },
	{ "audit", OPTION_TEXT, MEMBER(audit), "all", "WHAT",
	  "which calls are recorded in DIR/audit: all, changes (all but reads) or none",
	  .check = daemon_audit_level_check, .expected = "all, changes or none" },
	{ "audit-file-size", OPTION_NUMBER, MEMBER(audit_file_mib), "16", "MIB", "how long a file of the audit log gets",
	  .check = daemon_audit_size_check, .expected = "a number of MiB from 1 to 1024" },
	{ "audit-files", OPTION_NUMBER, MEMBER(audit_files), "8", "N",
	  "how many files are kept of changes, of reads and of refused calls each",
	  .check = daemon_audit_files_check, .expected = "a number from 2 to 1000" },
	{ "new-store", OPTION_SWITCH, MEMBER(new_store), NULL, NULL,
	  "make a new store where one is missing, and end; what is left of the old one is set aside", OPTION_ARGUMENT },
	{ "accept-store", OPTION_SWITCH, MEMBER(accept_store), NULL, NULL,
	  "take the store as it is now for the right one, and end; agents hold until told", OPTION_ARGUMENT },
	{ "check", OPTION_SWITCH, MEMBER(check), NULL, NULL,
	  "say whether all of this could be used, and start nothing", OPTION_ARGUMENT },
	{ "help", OPTION_SWITCH, MEMBER(help), NULL, NULL, "print this", OPTION_ARGUMENT },
	{ "version", OPTION_SWITCH, MEMBER(version), NULL, NULL, "print the version", OPTION_ARGUMENT },
};
/* clang-format on */

static const struct option_table table = {.rows = rows, .n = ARRAY_SIZE(rows)};

int daemon_options_read(int argc, char **argv, struct daemon_options *ret)
{
	int r;

	*ret = (struct daemon_options){};
	r = options_read(&table, ret, argc, argv);
	if (!ret->certificate == !ret->key)
		return r;
	log_error("a certificate and its key go together: give both cert and key, or none of them");
	return -EINVAL;
}

void daemon_options_help(void)
{
	puts("privlinkd - the API of privlink\n\nOptions:");
	options_help(&table, stdout);
}

void daemon_options_done(struct daemon_options *options)
{
	options_done(&table, options);
}
