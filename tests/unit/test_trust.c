/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/files.h"
#include "ports/trust.h"
#include "tests/tap.h"
#include "trust_world.h"

static void test_copy(const char *scratch)
{
	char host[128], ca[128], kept[128], kept_bundle[128], copy[128], path[256];
	const struct trust_paths paths = {
		.host = host, .ca = ca, .kept = kept, .kept_bundle = kept_bundle, .copy = copy};
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/host", scratch);
	(void)str_format(ca, sizeof(ca), "%s/ca.crt", scratch);
	(void)str_format(kept, sizeof(kept), "%s/ca.kept", scratch);
	(void)str_format(kept_bundle, sizeof(kept_bundle), "%s/bundle.kept", scratch);
	(void)str_format(copy, sizeof(copy), "%s/copy", scratch);
	make_host(host);

	tap_is_int(trust_sync(&paths, &report), 1, "a trust store is copied without a CA");
	tap_ok(has(copy, "certs/11111111.0", "one") && has(copy, "openssl.cnf", "config"),
	       "with files and links");
	tap_ok(!has(copy, "private/key.pem", "secret"), "without the host's private keys");

	put(scratch, "ca.crt", ca_pem);
	tap_is_int(trust_sync(&paths, &report), 1, "a CA that came is added");
	tap_ok(has(copy, "certs/ca-certificates.crt", "host's bundle\n-----BEGIN"), "to the bundle");
	tap_ok(has(copy, "cert.pem", "host's bundle"), "and where Debian's OpenSSL looks for one file");
	tap_is_int(trust_sync(&paths, &report), 0, "a second pass writes nothing");

	put(host, "certs/two.pem", "two\n");
	(void)str_format(path, sizeof(path), "%s/certs/one.pem", host);
	(void)unlink(path);
	(void)str_format(path, sizeof(path), "%s/certs/22222222.0", host);
	(void)file_link(path, "two.pem");
	tap_is_int(trust_sync(&paths, &report), 1, "what the host's administrator changes is followed");
	tap_ok(has(copy, "certs/two.pem", "two") && !has(copy, "certs/one.pem", ""), "added and removed");
	tap_ok(has(copy, "certs/22222222.0", "two"), "links, too");

	(void)unlink(path);
	(void)str_format(path, sizeof(path), "%s/certs/huge.pem", host);
	put(host, "certs/huge.pem", "");
	(void)truncate(path, (off_t)FILE_SIZE_MAX + 1);
	put(host, "certs/ca-certificates.crt", "new bundle\n");
	tap_is_int(trust_sync(&paths, &report), -EFBIG, "a file of the host's that is too large is an error");
	tap_ok(has(copy, "certs/ca-certificates.crt", "new bundle\n-----BEGIN"),
	       "the bundle has the CA all the same");
	tap_ok(!has(copy, "certs/22222222.0", ""), "and what the host has no more goes");
	(void)unlink(path);
	put(scratch, "ca.crt", "no certificate\n");
	tap_is_int(trust_sync(&paths, &report), 0, "a CA that is no certificate changes nothing,");
	tap_ok(report.ca == TRUST_CA_BAD && strstr(report.why, "no certificate in PEM"), "and is told");
	tap_ok(has(copy, "certs/ca-certificates.crt", "new bundle\n-----BEGIN"), "and the one before stays");
	put(scratch, "ca.crt", "");
	(void)trust_sync(&paths, &report);
	tap_ok(report.ca == TRUST_CA_BAD && strstr(report.why, "is empty") &&
		       has(copy, "certs/ca-certificates.crt", "-----BEGIN"),
	       "so it is with one that is empty");
	(void)unlink(ca);
	(void)mkdir(ca, 0755);
	(void)trust_sync(&paths, &report);
	tap_ok(report.ca == TRUST_CA_BAD && *report.why, "and with one that cannot be read");
	(void)rmdir(ca);

	put(host, "certs/ca-certificates.crt", "newer bundle\n");
	tap_is_int(trust_sync(&paths, &report), 1, "while the CA is gone the host is followed,");
	tap_ok(report.ca == TRUST_CA_GONE && streq(report.certificate.subject, "privlink local CA"),
	       "that it is gone is told,");
	tap_ok(has(copy, "certs/ca-certificates.crt", "newer bundle\n-----BEGIN") &&
		       has(copy, "cert.pem", "newer bundle"),
	       "and the copy keeps it in all places");
	tap_is_int(trust_sync(&paths, &report), 0, "for as long as that lasts");
	put(scratch, "ca.crt", spaced_pem);
	tap_is_int(trust_sync(&paths, &report), 1, "one that comes instead takes its place");
	tap_ok(report.ca == TRUST_CA_GOOD && has(copy, TRUST_CA_FILE, spaced_pem) &&
		       !has(copy, "certs/ca-certificates.crt", "MIIBdTCC"),
	       "and the other is gone");
}

/* Puts in the place of `name` what is no file, no directory or no link. */
static void replace_by(mode_t type, const char *directory, const char *name)
{
	char path[256], old[256];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	(void)str_format(old, sizeof(old), "%s/replaced", directory);
	(void)rename(path, old);
	if (type == S_IFDIR) {
		(void)mkdir(path, 0755);
		put(path, "inside", "inside\n");
	} else if (type == S_IFREG) {
		put(directory, name, "file\n");
	} else {
		(void)file_link(path, old); /* with the same content */
	}
}

static void test_other_types(const char *scratch)
{
	static const struct {
		const char *name;
		mode_t is, becomes;
	} cases[] = {
		{"copy", S_IFDIR, S_IFREG},
		{"copy/certs", S_IFDIR, S_IFREG},
		{"copy/private", S_IFDIR, S_IFREG},
		{"copy/extra", S_IFDIR, S_IFREG},
		{"copy/extra/config", S_IFREG, S_IFDIR},
		{"copy/certs/one.pem", S_IFREG, S_IFDIR},
		{"copy/certs/one.pem", S_IFREG, S_IFLNK},
		{"copy/certs/11111111.0", S_IFLNK, S_IFDIR},
		{"copy/certs/11111111.0", S_IFLNK, S_IFREG},
		{"copy/certs/ca-certificates.crt", S_IFREG, S_IFDIR},
		{"copy/certs/ca-certificates.crt", S_IFREG, S_IFLNK},
		{"copy/" TRUST_CA_FILE, S_IFREG, S_IFDIR},
		{"copy/cert.pem", S_IFLNK, S_IFDIR},
		{"copy/cert.pem", S_IFLNK, S_IFREG},
		{"host/extra", S_IFREG, S_IFREG},
		{"host/extra", S_IFLNK, S_IFLNK},
		{"host/extra", S_IFDIR, S_IFDIR},
	};
	char world[128], host[140], ca[140], kept[140], kept_bundle[140], copy[140], path[256];
	const struct trust_paths paths = {
		.host = host, .ca = ca, .kept = kept, .kept_bundle = kept_bundle, .copy = copy};
	struct trust_report report;

	(void)str_format(world, sizeof(world), "%s/types", scratch);
	(void)str_format(host, sizeof(host), "%s/host", world);
	(void)str_format(ca, sizeof(ca), "%s/ca.crt", world);
	(void)str_format(kept, sizeof(kept), "%s/ca.kept", world);
	(void)str_format(kept_bundle, sizeof(kept_bundle), "%s/bundle.kept", world);
	(void)str_format(copy, sizeof(copy), "%s/copy", world);
	(void)mkdir(world, 0755);
	make_host(host);
	(void)str_format(path, sizeof(path), "%s/extra", host);
	(void)mkdir(path, 0755);
	put(host, "extra/config", "extra\n");
	put(world, "ca.crt", ca_pem);
	(void)trust_sync(&paths, &report);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *place = strchr(cases[i].name, '/');

		replace_by(cases[i].becomes, world, cases[i].name);
		tap_is_int(trust_sync(&paths, &report), 1, "%s becomes something else (%o)", cases[i].name,
			   cases[i].becomes);
		tap_ok(type_of(copy, place ? place : ".") == cases[i].is, "it is in the copy as it is to be");
		tap_ok(has(copy, "cert.pem", "host's bundle\n-----BEGIN") &&
			       has(copy, TRUST_CA_FILE, ca_pem) && has(copy, "certs/11111111.0", "one") &&
			       has(copy, "openssl.cnf", "config"),
		       "and all is there");
		tap_is_int(trust_sync(&paths, &report), 0, "and stays so");
		(void)str_format(path, sizeof(path), "%s/replaced", world);
		(void)file_remove_tree(path);
	}
}

/* The host's certificates go, then all of its trust store; so does the file of the CA. */
static void test_host_without(const char *scratch)
{
	static const char *const gone[] = {"bare-host/certs", "bare-host"};
	char host[128], ca[128], kept[128], kept_bundle[128], copy[128], path[256];
	const struct trust_paths paths = {
		.host = host, .ca = ca, .kept = kept, .kept_bundle = kept_bundle, .copy = copy};
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/bare-host", scratch);
	(void)str_format(ca, sizeof(ca), "%s/bare-ca.crt", scratch);
	(void)str_format(kept, sizeof(kept), "%s/bare-ca.kept", scratch);
	(void)str_format(kept_bundle, sizeof(kept_bundle), "%s/bare-bundle.kept", scratch);
	(void)str_format(copy, sizeof(copy), "%s/bare-copy", scratch);
	make_host(host);
	put(scratch, "bare-ca.crt", ca_pem);
	(void)trust_sync(&paths, &report);
	(void)unlink(ca);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		ino_t certificate = file_of(copy, TRUST_CA_FILE), bundle;

		(void)str_format(path, sizeof(path), "%s/%s", scratch, gone[i]);
		(void)file_remove_tree(path);
		tap_is_int(trust_sync(&paths, &report), 1, "a host loses %s", gone[i]);
		tap_ok(!has(copy, "certs/one.pem", "") && !has(copy, "certs/11111111.0", ""),
		       "what it had is in the copy no more");
		tap_ok(has(copy, "cert.pem", ca_pem) && !has(copy, "cert.pem", "host's bundle"),
		       "but the CA is");
		bundle = file_of(copy, "cert.pem");
		tap_is_int(trust_sync(&paths, &report), 0, "a second pass writes nothing");
		tap_ok(certificate && file_of(copy, TRUST_CA_FILE) == certificate &&
			       file_of(copy, "cert.pem") == bundle,
		       "the files of CA and bundle stay the same ones");
		tap_ok(report.ca == TRUST_CA_GONE && report.certificate.end,
		       "that the CA's own file is gone is all that is told");
	}
}

/* The host's certificates are a link to a directory. */
static void test_linked_certs(const char *scratch, const char *name, const char *target)
{
	char host[128], ca[128], kept[128], kept_bundle[128], copy[128], store[128], path[256];
	const struct trust_paths paths = {
		.host = host, .ca = ca, .kept = kept, .kept_bundle = kept_bundle, .copy = copy};
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/%s-host", scratch, name);
	(void)str_format(ca, sizeof(ca), "%s/%s-ca.crt", scratch, name);
	(void)str_format(kept, sizeof(kept), "%s/%s-ca.kept", scratch, name);
	(void)str_format(kept_bundle, sizeof(kept_bundle), "%s/%s-bundle.kept", scratch, name);
	(void)str_format(copy, sizeof(copy), "%s/%s-copy", scratch, name);
	make_host(host);
	(void)str_format(path, sizeof(path), "%s/certs", host);
	(void)str_format(store, sizeof(store), "%s%s%s", *target == '/' ? "" : host,
			 *target == '/' ? "" : "/", target);
	(void)rename(path, store);
	(void)file_link(path, target);
	(void)file_update(ca, ca_pem, strlen(ca_pem), 0644);
	tap_is_int(trust_sync(&paths, &report), 1, "a host's certificates are a link: %s", name);
	tap_ok(type_of(copy, "certs") == S_IFDIR && has(copy, "certs/11111111.0", "one"),
	       "the copy has a directory of them");
	tap_ok(has(copy, "certs/ca-certificates.crt", "host's bundle\n-----BEGIN") &&
		       has(copy, TRUST_CA_FILE, ca_pem),
	       "with the CA");
	tap_is_int(trust_sync(&paths, &report), 0, "a second pass writes nothing");
	(void)file_remove_tree(copy);
	(void)mkdir(copy, 0755);
	replace_by_link(copy, "certs", target);
	tap_ok(trust_sync(&paths, &report) == 1 && type_of(copy, "certs") == S_IFDIR &&
		       has(copy, "certs/11111111.0", "one"),
	       "where the copy has the link, too, it is a directory then");
	tap_ok(count(store) == 3 && has(store, "ca-certificates.crt", "host's bundle") &&
		       !has(store, "ca-certificates.crt", "-----BEGIN"),
	       "and the host trusts whom it did");
	(void)file_remove_tree(store);
	(void)trust_sync(&paths, &report);
	tap_ok(trust_sync(&paths, &report) == 0 && count(copy) == 4 && !has(copy, "certs/one.pem", "") &&
		       has(copy, TRUST_CA_FILE, ca_pem),
	       "one that leads nowhere is as good as none");
}

static void test_linked_host(const char *scratch)
{
	char store[128];

	(void)str_format(store, sizeof(store), "%s/store", scratch);
	test_linked_certs(scratch, "absolute", store);
	test_linked_certs(scratch, "relative", "certs.d");
}

/* What the host has in place of its certificates are none. */
static void test_no_certs(const char *scratch)
{
	static const char *const words[] = {"a file", "a link to itself", "a link below a file"};
	static const char *const targets[] = {NULL, "certs", "openssl.cnf/certs"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct trust_world world;
		char name[16];

		(void)str_format(name, sizeof(name), "none-%zu", i);
		make_world(&world, scratch, name);
		(void)sync_world(&world);
		replace_by_link(world.host, "certs", targets[i] ? targets[i] : "");
		if (!targets[i])
			put(world.host, "certs", "file\n");
		tap_ok(sync_world(&world) == 1 && !has(world.copy, "certs/one.pem", "") &&
			       has(world.copy, "cert.pem", ca_pem) &&
			       has(world.copy, TRUST_CA_FILE, ca_pem) &&
			       has(world.copy, "openssl.cnf", "config"),
		       "%s where the host had certificates is as good as none", words[i]);
		tap_is_int(sync_world(&world), 0, "a second pass writes nothing");
	}
}

int main(void)
{
	char scratch[64];

	(void)str_format(scratch, sizeof(scratch), "/tmp/test-trust-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	test_copy(scratch);
	test_other_types(scratch);
	test_host_without(scratch);
	test_linked_host(scratch);
	test_no_certs(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
