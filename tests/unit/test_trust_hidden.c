/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever may write into the copy hides a CA of his own there, or keeps there what is to go: while the host's
 * bundle cannot be read, or behind more than is removed at a time.
 */
#include <fcntl.h>
#include <stdio.h>

#include "ports/trust.h"
#include "tests/tap.h"
#include "trust_world.h"

/* What somebody writes into the copy's bundle while the host's cannot be read. */
static void test_unread_bundle(const char *scratch)
{
	struct trust_world world;
	char content[4096], path[256];
	struct stat st = {};

	make_world(&world, scratch, "unread");
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", world.host);
	(void)str_format(content, sizeof(content), "%s%s", spaced_pem, ca_pem);
	put(world.root, "ca.crt", content);
	(void)sync_world(&world);
	make_huge(world.host, "certs/ca-certificates.crt");
	tap_ok(sync_world(&world) == -EFBIG && has(world.copy, "cert.pem", "host's bundle\n-----BEGIN") &&
		       has(world.copy, "cert.pem", content),
	       "while the host's bundle cannot be read, it is as it was");
	tap_ok(stat(world.kept_bundle, &st) == 0 && (st.st_mode & ALLPERMS) == 0600,
	       "and is kept where only root can write or read");
	put(world.root, "ca.crt", ca_pem);
	(void)sync_world(&world);
	tap_ok(has(world.copy, "cert.pem", "host's bundle\n-----BEGIN") &&
		       has(world.copy, "cert.pem", ca_pem) && !has(world.copy, "cert.pem", spaced_pem),
	       "a CA that is in force no more goes, if another stays behind it");
	put(world.copy, "certs/ca-certificates.crt", content);
	(void)sync_world(&world);
	tap_ok(has(world.copy, "cert.pem", "host's bundle\n-----BEGIN") &&
		       has(world.copy, "cert.pem", ca_pem) && !has(world.copy, "cert.pem", spaced_pem),
	       "so does somebody's, before the one that is in force");
	(void)unlink(world.ca);
	(void)unlink(world.kept);
	put(world.copy, "certs/ca-certificates.crt", content);
	for (int i = 0; i < 2; i++) {
		(void)sync_world(&world);
		tap_ok(has(world.copy, "certs/ca-certificates.crt", "host's bundle") &&
			       !has(world.copy, "certs/ca-certificates.crt", "-----BEGIN"),
		       "without a CA there is none, whoever it is of");
	}
	(void)chmod(path, 0600);
	(void)sync_world(&world);
	(void)chmod(path, 0644);
	tap_ok(sync_world(&world) == -EFBIG && !has(world.copy, "certs/ca-certificates.crt", "host's"),
	       "of one that was closed meanwhile nothing is kept");
}

/* One more than is removed at a time, and each at little cost. */
static void make_links(const char *parent, const char *name)
{
	char path[256];
	int fd;

	(void)str_format(path, sizeof(path), "%s/%s", parent, name);
	(void)mkdir(path, 0755);
	fd = file_open_directory(AT_FDCWD, path);
	for (unsigned int i = 0; i < 5001; i++) {
		(void)str_format(path, sizeof(path), "%u", i);
		(void)symlinkat("nowhere", fd, path);
	}
	closep(&fd);
}

static unsigned int n_breaths;

static void on_breath(void *context)
{
	(void)context;
	n_breaths++;
}

/* Somebody's CA, as OpenSSL finds it, and so much beside it or elsewhere that removing takes many looks. */
static void test_hidden_ca(const char *scratch)
{
	static const char *const names[] = {"theirs", "certs/theirs", "certs", "certs/one.pem"};
	const struct breath breath = {.take = on_breath};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct trust_world world;
		struct trust_paths paths;
		struct trust_report report;
		char name[16], certs[256], path[256];
		ino_t top;

		(void)str_format(name, sizeof(name), "hidden-%zu", i);
		make_world(&world, scratch, name);
		(void)sync_world(&world);
		top = file_of(world.copy, ".");
		(void)str_format(certs, sizeof(certs), "%s/certs", world.copy);
		(void)str_format(path, sizeof(path), "%s/%s", world.copy, names[i]);
		(void)unlink(path);
		make_links(world.copy, names[i]);
		put(certs, "22222222.0", spaced_pem);
		paths = paths_of(&world);
		paths.breath = &breath;
		n_breaths = 0;
		tap_ok(trust_sync(&paths, &report) == 1 && !type_of(certs, "22222222.0"),
		       "5001 names in copy/%s: somebody's CA goes at once", names[i]);
		tap_is_int(count(certs), 4, "and certificates are those that are to be there");
		tap_ok(file_of(world.copy, ".") == top && has(certs, "11111111.0", "one") &&
			       has(world.copy, "cert.pem", "host's bundle\n-----BEGIN"),
		       "in the directory that instances have");
		tap_ok(n_breaths >= 5000, "a breath is taken at each name that is removed: %u", n_breaths);
	}
}

/* Where nobody's CA is in force and the host has no such name: somebody's, with so much beside it that not
 * all goes at once. */
static void test_hidden_cert_pem(const char *scratch)
{
	static const char *const names[] = {".", "many-0", "many-1", "many-2"};
	struct trust_world world;

	make_world(&world, scratch, "hidden-pem");
	(void)unlink(world.ca);
	(void)sync_world(&world);
	put(world.copy, "cert.pem", spaced_pem);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_links(world.copy, names[i]);
	tap_ok(sync_world(&world) == 1 && !type_of(world.copy, "cert.pem"),
	       "somebody's cert.pem goes at once, whatever else has to");
	tap_ok(count(world.copy) > 10, "which does not");
	make_links(world.copy, "cert.pem");
	tap_ok(sync_world(&world) == 1 && !type_of(world.copy, "cert.pem"),
	       "so does a directory of that name with 5001 names");
	put(world.host, "cert.pem", "the host's\n");
	tap_ok(sync_world(&world) == 1 && has(world.copy, "cert.pem", "the host's\n"),
	       "one that the host has is copied");
	make_links(world.copy, "many-0");
	(void)sync_world(&world);
	tap_ok(has(world.copy, "cert.pem", "the host's\n"), "and stays");
}

/* What others may not read any more, in front of and behind as much. */
static void test_closed_among_many(const char *scratch)
{
	static const char *const names[] = {"1.key", "2.key", "3.key", "4.key", "5.key", "6.key"};
	struct trust_world world;
	char path[256];
	unsigned int n_left = 0;

	make_world(&world, scratch, "among");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)str_format(path, sizeof(path), "%s/many-%zu", world.host, i / 3);
		(void)mkdir(path, 0755);
		put(world.host, names[i], "secret\n");
	}
	(void)sync_world(&world);
	make_links(world.copy, "many-0");
	make_links(world.copy, "many-1");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)str_format(path, sizeof(path), "%s/%s", world.host, names[i]);
		(void)chmod(path, 0600);
	}
	(void)sync_world(&world);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		n_left += type_of(world.copy, names[i]) != 0;
	tap_is_int(n_left, 0, "files that were closed go at once, whatever else has to");
}

int main(void)
{
	char scratch[64];

	(void)str_format(scratch, sizeof(scratch), "/tmp/test-trust-hidden-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	test_unread_bundle(scratch);
	test_hidden_ca(scratch);
	test_hidden_cert_pem(scratch);
	test_closed_among_many(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
