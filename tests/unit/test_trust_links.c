/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever may write into the copy puts links there, to what is the host's.
 */
#include <fcntl.h>
#include <stdio.h>

#include "ports/trust.h"
#include "tests/tap.h"
#include "trust_world.h"

static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MC4CAQAwBQYDK2VwBCIEIFjT1DOGvB8pGuJjOWXY0mnV4sFfz1qvIQxJm5w3yQ5S\n"
			      "-----END PRIVATE KEY-----\n";

/* A CA's own file may have more in it than is for all to see. */
static void test_content_of_ca(const char *scratch)
{
	struct trust_world world;
	char content[4096];

	make_world(&world, scratch, "content");
	(void)str_format(content, sizeof(content), "a comment\n%s%s%s", ca_pem, key_pem, spaced_pem);
	put(world.root, "ca.crt", content);
	tap_is_int(sync_world(&world), 1, "a CA's file has its key as well");
	tap_ok(has(world.copy, TRUST_CA_FILE, ca_pem) && has(world.copy, "cert.pem", ca_pem) &&
		       has(world.copy, "cert.pem", spaced_pem),
	       "all its certificates are taken");
	tap_ok(!has(world.copy, TRUST_CA_FILE, "PRIVATE") && !has(world.copy, "cert.pem", "PRIVATE") &&
		       !has(world.copy, "cert.pem", "comment"),
	       "and nothing else");
	tap_is_int(sync_world(&world), 0, "a second pass writes nothing");
}

/* The CA's own file is gone: what stands in its place in the copy is not taken for it. */
static void test_link_for_ca(const char *scratch)
{
	struct trust_world world;
	char target[256], content[4096];

	make_world(&world, scratch, "kept");
	(void)sync_world(&world);
	(void)unlink(world.ca);
	(void)str_format(content, sizeof(content), "%s%s", spaced_pem, key_pem);
	put(world.root, "both.pem", content);
	(void)str_format(target, sizeof(target), "%s/both.pem", world.root);
	replace_by_link(world.copy, TRUST_CA_FILE, target);
	tap_is_int(sync_world(&world), 1, "in the place of the CA is a link to a certificate and its key");
	tap_ok(!has(world.copy, "cert.pem", "PRIVATE") && !has(world.copy, "cert.pem", spaced_pem) &&
		       has(world.copy, "cert.pem", ca_pem) && type_of(world.copy, TRUST_CA_FILE) == S_IFREG &&
		       has(world.copy, TRUST_CA_FILE, ca_pem),
	       "which is no CA, and makes room for the one that was kept");

	(void)str_format(target, sizeof(target), "%s/theirs", world.root);
	(void)mkdir(target, 0755);
	put(target, TRUST_CA_NAME, content);
	replace_by_link(world.copy, "certs", target);
	tap_is_int(sync_world(&world), 1, "so it is when the directory is the link");
	tap_ok(has(world.copy, "cert.pem", ca_pem) && !has(world.copy, "cert.pem", spaced_pem),
	       "nobody is trusted for it");
}

static void test_pipe_for_ca(const char *scratch)
{
	struct trust_world world;
	char path[256];

	make_world(&world, scratch, "pipe");
	(void)sync_world(&world);
	(void)unlink(world.ca);
	(void)str_format(path, sizeof(path), "%s/" TRUST_CA_FILE, world.copy);
	(void)unlink(path);
	(void)mkfifo(path, 0644);
	tap_ok(sync_world(&world) == 1 && type_of(world.copy, TRUST_CA_FILE) == S_IFREG,
	       "a pipe in the CA's place makes room for it");
}

/* A tenant's own CA, where the copy has the local one. */
static void test_planted_ca(const char *scratch)
{
	struct trust_world world;
	struct trust_report report;
	struct stat st = {};

	make_world(&world, scratch, "planted");
	(void)unlink(world.ca);
	(void)sync_world(&world);
	put(world.copy, TRUST_CA_FILE, spaced_pem);
	tap_ok(report_world(&world, &report) == 1 && report.ca == TRUST_CA_NONE && report.had_one &&
		       !report.certificate.end,
	       "a CA that somebody puts into the copy of a host without one is none");
	tap_ok(!type_of(world.copy, TRUST_CA_FILE) && !has(world.copy, "certs/ca-certificates.crt", "-----"),
	       "and goes");
	put(world.root, "ca.crt", ca_pem);
	(void)report_world(&world, &report);
	tap_ok(report.ca == TRUST_CA_GOOD && has(world.root, "ca.kept", ca_pem) &&
		       stat(world.kept, &st) == 0 && (st.st_mode & ALLPERMS) == 0600,
	       "a CA is kept where only root can write or read");
	(void)unlink(world.ca);
	put(world.copy, TRUST_CA_FILE, spaced_pem);
	put(world.copy, "certs/ca-certificates.crt", spaced_pem);
	tap_ok(report_world(&world, &report) == 1 && report.ca == TRUST_CA_GONE && !report.had_one &&
		       has(world.copy, TRUST_CA_FILE, ca_pem) && has(world.copy, "cert.pem", ca_pem) &&
		       !has(world.copy, "cert.pem", spaced_pem),
	       "that one is in force when its file is gone, not the one of the copy");
	put(world.root, "ca.kept", "no certificate\n");
	tap_ok(report_world(&world, &report) == 1 && report.ca == TRUST_CA_NONE &&
		       !type_of(world.copy, TRUST_CA_FILE),
	       "what was kept and is no CA is none");
}

/* It is told, and nothing else waits for it. */
static void test_cannot_keep(const char *scratch)
{
	struct trust_world world;
	struct trust_report report;

	make_world(&world, scratch, "cannot");
	(void)mkdir(world.kept, 0700);
	tap_ok(report_world(&world, &report) == -EISDIR && report.keep == -EISDIR,
	       "a CA that cannot be kept is an error");
	tap_ok(has(world.copy, "cert.pem", ca_pem) && has(world.copy, "certs/11111111.0", "one"),
	       "and all is copied");
}

static void test_bundle(const char *scratch)
{
	struct trust_world world;
	char link[256], target[256];
	int fd;

	make_world(&world, scratch, "bundle");
	(void)sync_world(&world);
	(void)str_format(link, sizeof(link), "%s/ssl", world.root);
	(void)file_link(link, world.copy);
	fd = trust_open_bundle(link);
	tap_ok(fd >= 0, "an instance's link to the copy leads to its bundle");
	closep(&fd);
	(void)str_format(target, sizeof(target), "%s/certs/ca-certificates.crt", world.host);
	replace_by_link(world.copy, "certs/ca-certificates.crt", target);
	tap_is_int(trust_open_bundle(link), -ELOOP, "not to one behind a link in the copy");
	(void)sync_world(&world);
	(void)str_format(target, sizeof(target), "%s/certs", world.host);
	replace_by_link(world.copy, "certs", target);
	tap_is_int(trust_open_bundle(link), -ENOTDIR, "nor behind a link to a directory");
}

/* Directories of the copy become links to one of somebody else's. */
static void test_links_in_copy(const char *scratch)
{
	static const char *const names[] = {"linked-copy/certs", "linked-copy/extra", "linked-copy/private",
					    "linked-copy"};
	char host[128], ca[128], kept[128], kept_bundle[128], copy[128], elsewhere[128], path[256];
	const struct trust_paths paths = {
		.host = host, .ca = ca, .kept = kept, .kept_bundle = kept_bundle, .copy = copy};
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/linked-host", scratch);
	(void)str_format(ca, sizeof(ca), "%s/linked-ca.crt", scratch);
	(void)str_format(kept, sizeof(kept), "%s/linked-ca.kept", scratch);
	(void)str_format(kept_bundle, sizeof(kept_bundle), "%s/linked-bundle.kept", scratch);
	(void)str_format(copy, sizeof(copy), "%s/linked-copy", scratch);
	(void)str_format(elsewhere, sizeof(elsewhere), "%s/elsewhere", scratch);
	make_host(host);
	(void)str_format(path, sizeof(path), "%s/extra", host);
	(void)mkdir(path, 0755);
	put(host, "extra/config", "extra\n");
	put(scratch, "linked-ca.crt", ca_pem);
	(void)mkdir(elsewhere, 0755);
	put(elsewhere, "theirs", "theirs\n");
	(void)trust_sync(&paths, &report);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		replace_by_link(scratch, names[i], elsewhere);
		tap_is_int(trust_sync(&paths, &report), 1, "a link in the place of the directory %s goes",
			   names[i]);
		tap_ok(type_of(scratch, names[i]) == S_IFDIR, "it is one again");
		tap_ok(count(elsewhere) == 1 && has(elsewhere, "theirs", "theirs"),
		       "and where the link went nothing was written or removed");
		tap_ok(has(copy, "certs/ca-certificates.crt", "host's bundle\n-----BEGIN") &&
			       has(copy, "extra/config", "extra"),
		       "the copy is whole");
		tap_is_int(trust_sync(&paths, &report), 0, "and stays so");
	}
}

/* Each deeper one by a path that is as short. */
static void make_deep(const char *directory, unsigned int depth)
{
	_cleanup_(closep) int fd = file_open_directory(AT_FDCWD, directory);

	for (unsigned int i = 0; i < depth; i++) {
		int deeper;

		(void)mkdirat(fd, "deeper", 0755);
		(void)mkdirat(fd, "beside", 0755);
		(void)file_update_at(fd, "file", "x", 1, 0644);
		deeper = file_open_directory(fd, "deeper");
		closep(&fd);
		fd = deeper;
	}
}

static void test_deep(const char *scratch)
{
	struct trust_world world;
	char path[256];
	struct trust_report report;
	int looks = 0, r;

	make_world(&world, scratch, "deep");
	(void)sync_world(&world);
	(void)str_format(path, sizeof(path), "%s/certs/deep", world.copy);
	(void)mkdir(path, 0755);
	make_deep(path, 3000);
	for (r = 1; r == 1 && looks < 100; looks++)
		r = sync_world(&world);
	tap_ok(r == 0 && looks < 100, "a tree of 3000 directories, each in the one before, is removed");
	(void)str_format(path, sizeof(path), "%s/certs", world.copy);
	tap_is_int(count(path), 4, "with all that was in it");
	(void)str_format(path, sizeof(path), "%s/down", world.host);
	(void)mkdir(path, 0755);
	make_deep(path, 30);
	tap_ok(report_world(&world, &report) == 1 && has(world.copy, "down/deeper/deeper/file", "x"),
	       "of a deep one of the host's, no more is copied than can be open at once");
	tap_ok(str_starts(report.deep, "down/deeper/deeper/"), "which is told");
	tap_is_int(sync_world(&world), 0, "and is no failure");
	(void)str_format(path, sizeof(path), "%s/%s", world.copy, report.deep);
	(void)mkdir(path, 0755);
	tap_ok(sync_world(&world) == 1 && !type_of(world.copy, report.deep),
	       "what somebody puts into the copy there goes");
}

static void make_many(const char *parent, const char *name, unsigned int n)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", parent, name);
	(void)mkdir(path, 0755);
	for (unsigned int i = 0; i < n; i++) {
		char one[300];

		(void)str_format(one, sizeof(one), "%s/%u", path, i);
		if (i % 3)
			(void)symlink("nowhere", one);
		else
			(void)mkdir(one, 0755);
		if (i % 3 == 0)
			put(one, "file", "x");
	}
}

/* More than is removed at a time, in the places of what is to be there. */
static void test_many(const char *scratch)
{
	static const char *const names[] = {".",       "certs",	      "certs/ca-certificates.crt",
					    "theirs",  TRUST_CA_FILE, "certs/one.pem.privlink-new",
					    "cert.pem"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct trust_world world;
		unsigned int looks = 1;
		char name[16], path[256];

		(void)str_format(name, sizeof(name), "many-%zu", i);
		make_world(&world, scratch, name);
		(void)sync_world(&world);
		(void)str_format(path, sizeof(path), "%s/%s", world.copy, names[i]);
		if (i > 1)
			(void)file_remove_tree(path);
		make_many(world.copy, names[i], 9000);
		put(world.host, "certs/one.pem", "another\n");
		tap_ok(sync_world(&world) == 1 && has(world.copy, "cert.pem", "host's bundle\n-----BEGIN") &&
			       has(world.copy, TRUST_CA_FILE, ca_pem) &&
			       has(world.copy, "certs/one.pem", "another"),
		       "9000 names in copy/%s: all that is to be there is at once", names[i]);
		while (looks < 100 && sync_world(&world) == 1)
			looks++;
		(void)str_format(path, sizeof(path), "%s/certs", world.copy);
		tap_ok(looks > 2 && looks < 100 && count(world.copy) == 4 && count(path) == 4,
		       "all else goes in %u looks", looks);
	}
}

int main(void)
{
	char scratch[64];

	/* Many thousand files, which a disk takes a minute for. */
	(void)str_format(scratch, sizeof(scratch), "/dev/shm/test-trust-links-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	test_content_of_ca(scratch);
	test_link_for_ca(scratch);
	test_pipe_for_ca(scratch);
	test_planted_ca(scratch);
	test_cannot_keep(scratch);
	test_bundle(scratch);
	test_links_in_copy(scratch);
	test_deep(scratch);
	test_many(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
