/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "ports/files.h"
#include "ports/netns_files.h"
#include "ports/trust.h"
#include "tests/tap.h"
#include "trust_world.h"

static char said[1024]; /* what was logged last */

/* In place of the real one (meson.build). */
void __wrap_log_line(enum log_level level, const char *format, ...) _printf_(2, 3);
void __wrap_log_line(enum log_level level _unused_, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

static void test_copy(const char *scratch)
{
	char host[128], ca[128], copy[128], path[256];
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/host", scratch);
	(void)str_format(ca, sizeof(ca), "%s/ca.crt", scratch);
	(void)str_format(copy, sizeof(copy), "%s/copy", scratch);
	make_host(host);

	tap_is_int(trust_sync(host, ca, copy, &report), 1, "a trust store is copied without a CA");
	tap_ok(has(copy, "certs/11111111.0", "one") && has(copy, "openssl.cnf", "config"),
	       "with files and links");
	tap_ok(!has(copy, "private/key.pem", "secret"), "without the host's private keys");

	put(scratch, "ca.crt", ca_pem);
	tap_is_int(trust_sync(host, ca, copy, &report), 1, "a CA that came is added");
	tap_ok(has(copy, "certs/ca-certificates.crt", "host's bundle\n-----BEGIN"), "to the bundle");
	tap_ok(has(copy, "cert.pem", "host's bundle"), "and where Debian's OpenSSL looks for one file");
	tap_is_int(trust_sync(host, ca, copy, &report), 0, "a second pass writes nothing");

	put(host, "certs/two.pem", "two\n");
	(void)str_format(path, sizeof(path), "%s/certs/one.pem", host);
	(void)unlink(path);
	(void)str_format(path, sizeof(path), "%s/certs/22222222.0", host);
	(void)file_link(path, "two.pem");
	tap_is_int(trust_sync(host, ca, copy, &report), 1,
		   "what the host's administrator changes is followed");
	tap_ok(has(copy, "certs/two.pem", "two") && !has(copy, "certs/one.pem", ""), "added and removed");
	tap_ok(has(copy, "certs/22222222.0", "two"), "links, too");

	(void)unlink(path);
	(void)str_format(path, sizeof(path), "%s/certs/huge.pem", host);
	put(host, "certs/huge.pem", "");
	(void)truncate(path, (off_t)FILE_SIZE_MAX + 1);
	put(host, "certs/ca-certificates.crt", "new bundle\n");
	tap_is_int(trust_sync(host, ca, copy, &report), -EFBIG,
		   "a file of the host's that is too large is an error");
	tap_ok(has(copy, "certs/ca-certificates.crt", "new bundle\n-----BEGIN"),
	       "the bundle has the CA all the same");
	tap_ok(!has(copy, "certs/22222222.0", ""), "and what the host has no more goes");
	(void)unlink(path);
	put(scratch, "ca.crt", "no certificate\n");
	tap_is_int(trust_sync(host, ca, copy, &report), 0, "a CA that is no certificate changes nothing,");
	tap_ok(report.ca == TRUST_CA_BAD && strstr(report.why, "no certificate in PEM"), "and is told");
	tap_ok(has(copy, "certs/ca-certificates.crt", "new bundle\n-----BEGIN"), "and the one before stays");
	put(scratch, "ca.crt", "");
	(void)trust_sync(host, ca, copy, &report);
	tap_ok(report.ca == TRUST_CA_BAD && strstr(report.why, "is empty") &&
		       has(copy, "certs/ca-certificates.crt", "-----BEGIN"),
	       "so it is with one that is empty");
	(void)unlink(ca);
	(void)mkdir(ca, 0755);
	(void)trust_sync(host, ca, copy, &report);
	tap_ok(report.ca == TRUST_CA_BAD && *report.why, "and with one that cannot be read");
	(void)rmdir(ca);

	put(host, "certs/ca-certificates.crt", "newer bundle\n");
	tap_is_int(trust_sync(host, ca, copy, &report), 1, "while the CA is gone the host is followed,");
	tap_ok(report.ca == TRUST_CA_GONE && streq(report.certificate.subject, "privlink local CA"),
	       "that it is gone is told,");
	tap_ok(has(copy, "certs/ca-certificates.crt", "newer bundle\n-----BEGIN") &&
		       has(copy, "cert.pem", "newer bundle"),
	       "and the copy keeps it in all places");
	tap_is_int(trust_sync(host, ca, copy, &report), 0, "for as long as that lasts");
	put(scratch, "ca.crt", spaced_pem);
	tap_is_int(trust_sync(host, ca, copy, &report), 1, "one that comes instead takes its place");
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
	char world[128], host[140], ca[140], copy[140], path[256];
	struct trust_report report;

	(void)str_format(world, sizeof(world), "%s/types", scratch);
	(void)str_format(host, sizeof(host), "%s/host", world);
	(void)str_format(ca, sizeof(ca), "%s/ca.crt", world);
	(void)str_format(copy, sizeof(copy), "%s/copy", world);
	(void)mkdir(world, 0755);
	make_host(host);
	(void)str_format(path, sizeof(path), "%s/extra", host);
	(void)mkdir(path, 0755);
	put(host, "extra/config", "extra\n");
	put(world, "ca.crt", ca_pem);
	(void)trust_sync(host, ca, copy, &report);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *place = strchr(cases[i].name, '/');

		replace_by(cases[i].becomes, world, cases[i].name);
		tap_is_int(trust_sync(host, ca, copy, &report), 1, "%s becomes something else (%o)",
			   cases[i].name, cases[i].becomes);
		tap_ok(type_of(copy, place ? place : ".") == cases[i].is, "it is in the copy as it is to be");
		tap_ok(has(copy, "cert.pem", "host's bundle\n-----BEGIN") &&
			       has(copy, TRUST_CA_FILE, ca_pem) && has(copy, "certs/11111111.0", "one") &&
			       has(copy, "openssl.cnf", "config"),
		       "and all is there");
		tap_is_int(trust_sync(host, ca, copy, &report), 0, "and stays so");
		(void)str_format(path, sizeof(path), "%s/replaced", world);
		(void)file_remove_tree(path);
	}
}

/* The host's certificates go, then all of its trust store; so does the file of the CA. */
static void test_host_without(const char *scratch)
{
	static const char *const gone[] = {"bare-host/certs", "bare-host"};
	char host[128], ca[128], copy[128], path[256];
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/bare-host", scratch);
	(void)str_format(ca, sizeof(ca), "%s/bare-ca.crt", scratch);
	(void)str_format(copy, sizeof(copy), "%s/bare-copy", scratch);
	make_host(host);
	put(scratch, "bare-ca.crt", ca_pem);
	(void)trust_sync(host, ca, copy, &report);
	(void)unlink(ca);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		ino_t certificate = file_of(copy, TRUST_CA_FILE), bundle;

		(void)str_format(path, sizeof(path), "%s/%s", scratch, gone[i]);
		(void)file_remove_tree(path);
		tap_is_int(trust_sync(host, ca, copy, &report), 1, "a host loses %s", gone[i]);
		tap_ok(!has(copy, "certs/one.pem", "") && !has(copy, "certs/11111111.0", ""),
		       "what it had is in the copy no more");
		tap_ok(has(copy, "cert.pem", ca_pem) && !has(copy, "cert.pem", "host's bundle"),
		       "but the CA is");
		bundle = file_of(copy, "cert.pem");
		tap_is_int(trust_sync(host, ca, copy, &report), 0, "a second pass writes nothing");
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
	char host[128], ca[128], copy[128], store[128], path[256];
	struct trust_report report;

	(void)str_format(host, sizeof(host), "%s/%s-host", scratch, name);
	(void)str_format(ca, sizeof(ca), "%s/%s-ca.crt", scratch, name);
	(void)str_format(copy, sizeof(copy), "%s/%s-copy", scratch, name);
	make_host(host);
	(void)str_format(path, sizeof(path), "%s/certs", host);
	(void)str_format(store, sizeof(store), "%s%s%s", *target == '/' ? "" : host,
			 *target == '/' ? "" : "/", target);
	(void)rename(path, store);
	(void)file_link(path, target);
	(void)file_update(ca, ca_pem, strlen(ca_pem), 0644);
	tap_is_int(trust_sync(host, ca, copy, &report), 1, "a host's certificates are a link: %s", name);
	tap_ok(type_of(copy, "certs") == S_IFDIR && has(copy, "certs/11111111.0", "one"),
	       "the copy has a directory of them");
	tap_ok(has(copy, "certs/ca-certificates.crt", "host's bundle\n-----BEGIN") &&
		       has(copy, TRUST_CA_FILE, ca_pem),
	       "with the CA");
	tap_is_int(trust_sync(host, ca, copy, &report), 0, "a second pass writes nothing");
	(void)file_remove_tree(copy);
	(void)mkdir(copy, 0755);
	replace_by_link(copy, "certs", target);
	tap_ok(trust_sync(host, ca, copy, &report) == 1 && type_of(copy, "certs") == S_IFDIR &&
		       has(copy, "certs/11111111.0", "one"),
	       "where the copy has the link, too, it is a directory then");
	tap_ok(count(store) == 3 && has(store, "ca-certificates.crt", "host's bundle") &&
		       !has(store, "ca-certificates.crt", "-----BEGIN"),
	       "and the host trusts whom it did");
	(void)file_remove_tree(store);
	(void)trust_sync(host, ca, copy, &report);
	tap_ok(trust_sync(host, ca, copy, &report) == 0 && count(copy) == 4 &&
		       !has(copy, "certs/one.pem", "") && has(copy, TRUST_CA_FILE, ca_pem),
	       "one that leads nowhere is as good as none");
}

static void test_linked_host(const char *scratch)
{
	char store[128];

	(void)str_format(store, sizeof(store), "%s/store", scratch);
	test_linked_certs(scratch, "absolute", store);
	test_linked_certs(scratch, "relative", "certs.d");
}

/* Into the file itself, as large and as old as before. */
static void change_in_place(const char *directory, const char *name, const char *content)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256];
	struct stat st;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	(void)fstat(fd, &st);
	(void)!write(fd, content, strlen(content));
	(void)futimens(fd, (struct timespec[2]){st.st_atim, st.st_mtim});
}

/* Modes and owners of the copy's, which others changed. */
static void test_modes(struct netns_files *files, const char *copy)
{
	static const struct {
		const char *name;
		mode_t mode, changed;
	} cases[] = {
		{"openssl.cnf", 0644, 0600}, {"certs/one.pem", 0644, 0666},
		{"certs", 0755, 0700},	     {"private", 0700, 0755},
		{".", 0755, 01777},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char path[256];
		struct stat st = {};

		(void)str_format(path, sizeof(path), "%s/%s", copy, cases[i].name);
		(void)chmod(path, cases[i].changed);
		(void)netns_files_refresh(files, false);
		tap_ok(stat(path, &st) == 0 && (st.st_mode & ALLPERMS) == cases[i].mode,
		       "a changed mode is as it was: %s", cases[i].name);
		if (chown(path, 1, 1) < 0)
			continue; /* only root can, but then nobody else could */
		(void)netns_files_refresh(files, false);
		tap_ok(stat(path, &st) == 0 && st.st_uid == geteuid() &&
			       (st.st_mode & ALLPERMS) == cases[i].mode,
		       "and so is an owner");
	}
	(void)netns_files_refresh(files, false);
	tap_is_int(netns_files_refresh(files, false), 0, "then nothing is left to do");
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

/* What the node's own looks find, without a thorough one. */
static void test_mended(const char *scratch)
{
	char host[128], copy[128], path[256], etc_netns[128];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = host, .state_dir = scratch};
	struct netns_files *files;

	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", scratch);
	(void)str_format(host, sizeof(host), "%s/other-host", scratch);
	(void)str_format(copy, sizeof(copy), "%s/ssl", scratch);
	make_host(host);
	if (netns_files_new(&options, &files) < 0)
		abort();
	tap_is_int(netns_files_refresh(files, false), 1, "a node makes its copy");
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", copy);
	(void)unlink(path);
	tap_ok(netns_files_refresh(files, false) == 1 &&
		       has(copy, "certs/ca-certificates.crt", "host's bundle"),
	       "what was removed from it while it was made comes back");
	tap_is_int(netns_files_refresh(files, false), 0, "it stays as it is");
	tap_is_int(netns_files_refresh(files, false), 0, "and as it is");
	(void)str_format(path, sizeof(path), "%s/certs", copy);
	(void)file_remove_tree(path);
	tap_ok(netns_files_refresh(files, false) == 1 && has(copy, "certs/11111111.0", "one"),
	       "what is removed later comes back, too");
	put(copy, "certs/one.pem", "another's");
	tap_ok(netns_files_refresh(files, false) == 1 && has(copy, "certs/one.pem", "one"),
	       "what someone changes is as it was");
	(void)netns_files_refresh(files, false);
	change_in_place(copy, "certs/one.pem", "two");
	tap_ok(netns_files_refresh(files, false) == 1 && has(copy, "certs/one.pem", "one"),
	       "also if its time is set back");
	(void)netns_files_refresh(files, false);
	change_in_place(host, "certs/one.pem", "two");
	tap_ok(netns_files_refresh(files, false) == 1 && has(copy, "certs/one.pem", "two"),
	       "so is the host's followed");
	change_in_place(host, "certs/one.pem", "one");
	(void)netns_files_refresh(files, false);
	test_modes(files, copy);
	(void)file_remove_tree(copy);
	tap_ok(netns_files_refresh(files, false) == 1 && has(copy, "openssl.cnf", "config"),
	       "all of it can go");
	(void)netns_files_refresh(files, false);
	(void)file_remove_tree(host);
	tap_is_int(netns_files_refresh(files, false), 1, "the host's can go, too");
	tap_is_int(netns_files_refresh(files, false), 0, "which is followed once");
	netns_files_free(files);
}

static void make_huge(const char *directory, const char *name)
{
	char path[256];

	put(directory, name, "");
	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	(void)truncate(path, (off_t)FILE_SIZE_MAX + 1);
}

/* What cannot be copied is told by its name, and the CA comes all the same. */
static void test_failed(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	struct trust_report report;
	char etc_netns[128], path[256], want[256];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "failed");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	make_huge(world.host, "certs/ca-certificates.crt");
	tap_ok(trust_sync(world.host, world.ca, world.copy, &report) == -EFBIG &&
		       streq(report.failed, "certs/ca-certificates.crt"),
	       "a bundle that is too large is told");
	tap_ok(has(world.copy, TRUST_CA_FILE, ca_pem) && has(world.copy, "cert.pem", ca_pem) &&
		       report.ca == TRUST_CA_GOOD,
	       "and there is one of the CA");
	put(world.host, "certs/ca-certificates.crt", "host's bundle\n");
	(void)sync_world(&world);
	make_huge(world.host, "certs/ca-certificates.crt");
	put(world.root, "ca.crt", spaced_pem);
	(void)sync_world(&world);
	tap_ok(has(world.copy, "cert.pem", "host's bundle") && has(world.copy, TRUST_CA_FILE, spaced_pem),
	       "one that was copied stays, and the CA is followed");
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", world.host);
	(void)unlink(path);
	(void)mkdir(path, 0755);
	tap_ok(sync_world(&world) == 1 && has(world.copy, "cert.pem", spaced_pem),
	       "a directory is as good as none");
	tap_is_int(sync_world(&world), 0, "a second pass writes nothing");

	(void)str_format(path, sizeof(path), "%s/extra", world.host);
	(void)mkdir(path, 0755);
	(void)str_format(path, sizeof(path), "%s/extra/deep", world.host);
	(void)mkdir(path, 0755);
	make_huge(world.host, "extra/deep/huge");
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)str_format(want, sizeof(want), "%s/extra/deep/huge", world.host);
	tap_ok(netns_files_refresh(files, false) == -EFBIG && streq(netns_files_failed(files), want),
	       "a node tells the file that cannot be copied");
	tap_ok(strstr(said, "instances trust the CA subject=Some CA"), "and the CA");
	*said = '\0';
	(void)netns_files_refresh(files, false);
	tap_is_str(said, "", "once");
	put(world.root, "ca.crt", ca_pem);
	(void)netns_files_refresh(files, false);
	tap_ok(strstr(said, "subject=privlink local CA"), "and another one meanwhile");
	netns_files_free(files);
}

static void write_outside(const char *outside, const char *content)
{
	(void)file_remove_tree(outside);
	(void)file_update(outside, content, strlen(content), 0644);
}

/* And once more, at what was written. */
static int look(struct netns_files *files)
{
	int r = netns_files_refresh(files, false);

	(void)netns_files_refresh(files, false);
	return r;
}

/* What was copied and is no file any more, or whose link leads nowhere, as a node's own looks find it. */
static void test_gone(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], outside[256], copy[140], path[256];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "gone");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(copy, sizeof(copy), "%s/ssl", world.root);
	(void)str_format(outside, sizeof(outside), "%s/outside", world.root);
	(void)str_format(path, sizeof(path), "%s/certs/link.pem", world.host);
	(void)file_link(path, "../../outside");
	write_outside(outside, "linked\n");
	if (netns_files_new(&options, &files) < 0)
		abort();
	tap_ok(look(files) == 1 && has(copy, "certs/link.pem", "linked"), "what a link leads to is copied");
	write_outside(outside, "changed\n");
	tap_ok(look(files) == 1 && has(copy, "certs/link.pem", "changed"), "it changes");
	(void)unlink(outside);
	tap_ok(look(files) == 1 && !type_of(copy, "certs/link.pem"), "it goes");
	write_outside(outside, "linked\n");
	tap_ok(look(files) == 1 && has(copy, "certs/link.pem", "linked"), "it returns");
	(void)unlink(outside);
	(void)mkdir(outside, 0755);
	tap_ok(look(files) == 1 && !type_of(copy, "certs/link.pem"), "it becomes a directory");
	write_outside(outside, "linked\n");
	(void)look(files);
	(void)unlink(path);
	(void)file_link(path, "../certs/link.pem");
	tap_ok(look(files) == 1 && !type_of(copy, "certs/link.pem"), "the link leads to itself");
	(void)str_format(path, sizeof(path), "%s/certs/one.pem", world.host);
	(void)unlink(path);
	(void)mkfifo(path, 0644);
	tap_ok(look(files) == 1 && !type_of(copy, "certs/one.pem"), "a file becomes a pipe");
	(void)look(files);
	tap_is_int(look(files), 0, "and all is well");
	netns_files_free(files);
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
	test_mended(scratch);
	test_gone(scratch);
	test_failed(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
