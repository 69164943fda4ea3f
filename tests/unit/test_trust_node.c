/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node's looks find of its copy of the trust store, and what they say.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include "lib/log.h"
#include "ports/netns_files.h"
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

static unsigned int n_refused, n_to_refuse; /* how often a name is taken already */

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	if (n_refused == n_to_refuse)
		return __real_renameat(from_fd, from, to_fd, to);
	n_refused++;
	errno = ENOTEMPTY;
	return -1;
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
		(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
		tap_ok(stat(path, &st) == 0 && (st.st_mode & ALLPERMS) == cases[i].mode,
		       "a changed mode is as it was: %s", cases[i].name);
		if (chown(path, 1, 1) < 0)
			continue; /* only root can, but then nobody else could */
		(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
		tap_ok(stat(path, &st) == 0 && st.st_uid == geteuid() &&
			       (st.st_mode & ALLPERMS) == cases[i].mode,
		       "and so is an owner");
	}
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 0, "then nothing is left to do");
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
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 1, "a node makes its copy");
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", copy);
	(void)unlink(path);
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 &&
		       has(copy, "certs/ca-certificates.crt", "host's bundle"),
	       "what was removed from it while it was made comes back");
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 0, "it stays as it is");
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 0, "and as it is");
	(void)str_format(path, sizeof(path), "%s/certs", copy);
	(void)file_remove_tree(path);
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 && has(copy, "certs/11111111.0", "one"),
	       "what is removed later comes back, too");
	put(copy, "certs/one.pem", "another's");
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 && has(copy, "certs/one.pem", "one"),
	       "what someone changes is as it was");
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	change_in_place(copy, "certs/one.pem", "two");
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 && has(copy, "certs/one.pem", "one"),
	       "also if its time is set back");
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	change_in_place(host, "certs/one.pem", "two");
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 && has(copy, "certs/one.pem", "two"),
	       "so is the host's followed");
	change_in_place(host, "certs/one.pem", "one");
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	test_modes(files, copy);
	(void)file_remove_tree(copy);
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == 1 && has(copy, "openssl.cnf", "config"),
	       "all of it can go");
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	(void)file_remove_tree(host);
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 1, "the host's can go, too");
	tap_is_int(netns_files_refresh(files, NETNS_FILES_BRIEFLY), 0, "which is followed once");
	netns_files_free(files);
}

/* What cannot be copied is told by its name, and the CA comes all the same. */
static void test_failed(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	struct trust_report report;
	char etc_netns[128], path[256], want[256], bundle[1000];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "failed");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	make_huge(world.host, "certs/ca-certificates.crt");
	tap_ok(report_world(&world, &report) == -EFBIG && streq(report.failed, "certs/ca-certificates.crt"),
	       "a bundle that is too large is told");
	tap_ok(has(world.copy, TRUST_CA_FILE, ca_pem) && has(world.copy, "cert.pem", ca_pem) &&
		       report.ca == TRUST_CA_GOOD,
	       "and there is one of the CA");
	(void)str_format(bundle, sizeof(bundle), "host's bundle%0500d\n", 0);
	put(world.host, "certs/ca-certificates.crt", bundle);
	(void)sync_world(&world);
	make_huge(world.host, "certs/ca-certificates.crt");
	(void)sync_world(&world);
	tap_ok(has(world.copy, "cert.pem", bundle) && has(world.copy, "cert.pem", ca_pem),
	       "one that was copied stays,");
	put(world.root, "ca.crt", spaced_pem);
	for (int i = 0; i < 2; i++) {
		tap_is_int(sync_world(&world), -EFBIG, "while the CA is that one");
		tap_ok(has(world.copy, "cert.pem", spaced_pem) && !has(world.copy, "cert.pem", ca_pem) &&
			       has(world.copy, "cert.pem", bundle) &&
			       has(world.copy, TRUST_CA_FILE, spaced_pem),
		       "another one is followed");
	}
	put(world.host, "certs/ca-certificates.crt", bundle);
	(void)sync_world(&world);
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
	tap_ok(netns_files_refresh(files, NETNS_FILES_BRIEFLY) == -EFBIG &&
		       streq(netns_files_failed(files), want),
	       "a node tells the file that cannot be copied");
	tap_ok(strstr(said, "instances trust the CA subject=Some CA"), "and the CA");
	*said = '\0';
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
	tap_is_str(said, "", "once");
	put(world.root, "ca.crt", ca_pem);
	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
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
	int r = netns_files_refresh(files, NETNS_FILES_BRIEFLY);

	(void)netns_files_refresh(files, NETNS_FILES_BRIEFLY);
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

/* Begins to notice what happens to a file. */
static int attend(const char *directory, const char *name, uint32_t events)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	if (inotify_add_watch(fd, path, events) < 0)
		abort();
	return fd;
}

/* Whether something has, since it was asked last; not that the file went. */
static bool happened(int fd)
{
	struct inotify_event event;
	bool ret = false;

	while (read(fd, &event, sizeof(event)) == sizeof(event))
		ret |= !(event.mask & IN_IGNORED);
	return ret;
}

/* Where links of the host lead, changes count if it is copied. */
static void test_targets(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	_cleanup_(closep) int fd = -EBADF;
	char etc_netns[128], outside[256], path[300];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "targets");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(outside, sizeof(outside), "%s/outside", world.root);
	(void)mkdir(outside, 0755);
	put(outside, "linked.pem", "linked\n");
	(void)str_format(path, sizeof(path), "%s/linked.pem", outside);
	replace_by_link(world.host, "certs/absolute.pem", path);
	replace_by_link(world.host, "certs/directory", "../../outside");
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)look(files);
	fd = attend(world.host, "openssl.cnf", IN_OPEN);
	put(outside, "linked.pem", "changed\n");
	put(outside, "other.pem", "other\n");
	(void)look(files);
	tap_ok(!happened(fd), "of where a link leads that is copied as one, nothing is noticed");
	replace_by_link(world.host, "certs/climbing.pem", "../../outside/linked.pem");
	(void)look(files);
	tap_ok(happened(fd), "that one comes is");
	put(outside, "linked.pem", "linked\n");
	(void)look(files);
	tap_ok(happened(fd), "and so is a change behind one that is copied by content");
	netns_files_free(files);
}

/* What the host has and instances do without is said once. */
static void test_left_out(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	_cleanup_(closep) int fd = -EBADF;
	char etc_netns[128], path[1000];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "left");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)look(files);
	*said = '\0';
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", world.host);
	(void)chmod(path, 0640);
	(void)look(files);
	tap_ok(strstr(said, "not every user") && strstr(said, path), "a bundle that is closed is said: %s",
	       said);
	*said = '\0';
	put(world.host, "certs/one.pem", "another\n");
	(void)look(files);
	tap_is_str(said, "", "once");
	(void)netns_files_refresh(files, NETNS_FILES_ALOUD);
	(void)str_format(path, sizeof(path), "%s/d", world.host);
	while (strlen(path) < strlen(world.host) + 40) {
		(void)mkdir(path, 0755);
		(void)strcat(path, "/d");
	}
	tap_ok(look(files) == 1 && strstr(said, "too many directories"), "so is a tree that is too deep");
	*said = '\0';
	fd = attend(world.host, "openssl.cnf", IN_OPEN);
	(void)look(files);
	tap_ok(!happened(fd), "which takes no other look at all that is there");
	tap_is_str(said, "", "and is said once, too");
	netns_files_free(files);
}

/* Deeper than the certificates, as far as it is copied. */
static void test_deeper(const char *scratch)
{
	static const char *const names[] = {"certs/java", "certs/java/deep", "extra", "extra/deep",
					    "extra/deep/deep"};
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], copy[140];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "deeper");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(copy, sizeof(copy), "%s/ssl", world.root);
	if (netns_files_new(&options, &files) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[256], file[140];

		(void)str_format(path, sizeof(path), "%s/%s", world.host, names[i]);
		(void)mkdir(path, 0755);
		(void)str_format(file, sizeof(file), "%s/cacerts", names[i]);
		put(world.host, file, "one\n");
		(void)look(files);
		change_in_place(copy, file, "two");
		tap_ok(look(files) == 1 && has(copy, file, "one"), "what is changed in copy/%s is as it was",
		       names[i]);
		change_in_place(world.host, file, "two");
		tap_ok(look(files) == 1 && has(copy, file, "two"), "the host's is followed");
		(void)str_format(path, sizeof(path), "%s/%s", world.host, file);
		(void)chmod(path, 0640);
		tap_ok(look(files) == 1 && !type_of(copy, file), "and goes when it is closed");
	}
	netns_files_free(files);
}

/* Somebody makes a file of the copy a large one. */
static void test_larger(const char *scratch)
{
	struct trust_world world;
	_cleanup_(closep) int fd = -EBADF;
	char path[256];

	make_world(&world, scratch, "larger");
	(void)sync_world(&world);
	fd = attend(world.copy, "openssl.cnf", IN_ACCESS);
	(void)sync_world(&world);
	tap_ok(happened(fd), "a file of the same size is read to be compared");
	(void)str_format(path, sizeof(path), "%s/openssl.cnf", world.copy);
	(void)truncate(path, (off_t)FILE_SIZE_MAX);
	tap_ok(sync_world(&world) == 1 && !happened(fd) && has(world.copy, "openssl.cnf", "config"),
	       "one of another size is not read before it is written anew");
}

/* What is removed is written again as fast: each name that it could be moved to is taken. */
static void test_removal_ends(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], path[256];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "writer");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)look(files);
	(void)str_format(path, sizeof(path), "%s/ssl/certs/theirs", world.root);
	(void)mkdir(path, 0755);
	put(path, "file", "x");
	*said = '\0';
	n_to_refuse = 10000000;
	netns_files_remove_copy(files);
	tap_ok(n_refused > 0 && n_refused < n_to_refuse, "the removal of a copy that is written ends");
	tap_ok(strstr(said, "cannot remove all of") && strstr(said, "/ssl"), "and says what stays: %s", said);
	n_to_refuse = n_refused;
	*said = '\0';
	netns_files_remove_copy(files);
	tap_ok(!type_of(world.root, "ssl") && !*said, "once more it goes");
	netns_files_free(files);
}

/* A node as an older version left it, without a file of its CA: what the copy has may be anybody's. */
static void test_kept(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], copy[140];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "old");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(copy, sizeof(copy), "%s/ssl", world.root);
	make_host(copy);
	put(copy, TRUST_CA_FILE, ca_pem);
	(void)unlink(world.ca);
	if (netns_files_new(&options, &files) < 0)
		abort();
	tap_ok(netns_files_check_ca(files) == 0 && strstr(said, "none is kept"),
	       "that a CA is gone and none is kept is said by a check");
	*said = '\0';
	tap_ok(look(files) == 1 && !has(copy, "cert.pem", ca_pem) && strstr(said, "none is kept"),
	       "and at the start; the one of the copy is not taken over");
	*said = '\0';
	put(copy, TRUST_CA_FILE, spaced_pem);
	tap_ok(look(files) == 1 && !type_of(copy, TRUST_CA_FILE), "later one just goes");
	tap_is_str(said, "", "without a word");
	put(copy, TRUST_CA_FILE, spaced_pem);
	(void)netns_files_refresh(files, NETNS_FILES_ALOUD);
	tap_ok(strstr(said, "no CA"), "also when all is said again");
	put(world.root, "ca.crt", ca_pem);
	(void)look(files);
	(void)unlink(world.ca);
	tap_ok(look(files) == 0 && strstr(said, "instances keep") && strstr(said, world.kept),
	       "of one that was there once, what is kept is named");
	tap_is_int(netns_files_check_ca(files), -EINVAL, "a check fails for it");
	(void)unlink(world.kept);
	tap_ok(look(files) == 1 && !has(copy, "cert.pem", ca_pem),
	       "if that is removed, too, the CA is no more");
	put(world.root, "ca.crt", ca_pem);
	(void)look(files);
	netns_files_remove_copy(files);
	tap_ok(!type_of(world.root, "ssl") && !type_of(world.root, "ca.kept") &&
		       !type_of(world.root, "bundle.kept") && type_of(world.root, "ca.crt"),
	       "what is made goes with the node, and not the CA");
	(void)mkdir(world.kept, 0700);
	tap_ok(look(files) == -EISDIR && streq(netns_files_failed(files), world.kept),
	       "where it cannot be kept, that is told");
	(void)rmdir(world.kept);
	(void)look(files);
	(void)unlink(world.kept_bundle);
	(void)mkdir(world.kept_bundle, 0700);
	tap_ok(netns_files_refresh(files, NETNS_FILES_THOROUGHLY) == -EISDIR &&
		       streq(netns_files_failed(files), world.kept_bundle) &&
		       has(copy, "cert.pem", "host's bundle"),
	       "so it is with the host's bundle");
	(void)rmdir(world.kept_bundle);
	(void)look(files);
	tap_ok(type_of(world.root, "bundle.kept") == S_IFREG,
	       "what a thorough look failed at is done at the next look");
	netns_files_free(files);
}

/* Through a mapping of the file, which tells its time at the first page only. */
static char *map_file(const char *directory, const char *name)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[256], *ret;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ret == MAP_FAILED)
		abort();
	return ret;
}

static void test_mapped(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], copy[140], *mapped;
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "mapped");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(copy, sizeof(copy), "%s/ssl", world.root);
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)look(files);
	mapped = map_file(copy, "certs/one.pem");
	*mapped = 'o'; /* as it was */
	(void)look(files);
	*mapped = 'x';
	*said = '\0';
	tap_ok(netns_files_refresh(files, NETNS_FILES_THOROUGHLY) == 1 && has(copy, "certs/one.pem", "one"),
	       "what is written through a mapping is found by a thorough look");
	tap_is_str(said, "", "without a word");
	(void)munmap(mapped, 1);
	netns_files_free(files);
}

/* The host's bundle is read wherever its link leads. */
static void test_linked_bundle(const char *scratch)
{
	struct trust_world world;
	struct netns_files *files;
	char etc_netns[128], copy[140], path[256], target[256];
	const struct netns_files_options options = {
		.directory = etc_netns, .host_ssl = world.host, .state_dir = world.root};

	make_world(&world, scratch, "linked-bundle");
	(void)str_format(etc_netns, sizeof(etc_netns), "%s/netns", world.root);
	(void)str_format(copy, sizeof(copy), "%s/ssl", world.root);
	if (netns_files_new(&options, &files) < 0)
		abort();
	(void)str_format(target, sizeof(target), "%s/bundle.pem", world.root);
	(void)str_format(path, sizeof(path), "%s/certs/ca-certificates.crt", world.host);
	put(world.root, "bundle.pem", "one bundle");
	(void)file_link(path, target);
	(void)look(files);
	(void)look(files);
	tap_ok(look(files) == 0 && has(copy, "certs/ca-certificates.crt", "one bundle"),
	       "a bundle behind an absolute link is copied");
	put(world.root, "bundle.pem", "another");
	tap_ok(look(files) == 1 && has(copy, "certs/ca-certificates.crt", "another"),
	       "and that it is another one is seen at once");
	netns_files_free(files);
}

int main(void)
{
	char scratch[64];

	(void)str_format(scratch, sizeof(scratch), "/tmp/test-trust-node-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	test_mended(scratch);
	test_gone(scratch);
	test_failed(scratch);
	test_left_out(scratch);
	test_targets(scratch);
	test_deeper(scratch);
	test_larger(scratch);
	test_removal_ends(scratch);
	test_kept(scratch);
	test_mapped(scratch);
	test_linked_bundle(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
