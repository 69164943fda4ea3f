/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One directory for each instance, as iproute2 looks for it. All of them share one copy of the host's trust
 * store; it is looked at again only when something about the host's or the copy has changed, which a sum over
 * names and times of all that is in them tells at the cost of some hundred stat calls. What that cannot tell
 * (who writes by a mapping of a file leaves no time) is for thorough looks.
 */
#include "netns_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/log.h"
#include "files.h"
#include "trust.h"

/* So many names of a store; others show by the time of their directory, when they come or go. */
#define STAMP_MAX 20000

static const char resolv_conf[] = "# Written by privlink-agent: the resolver of this VPC.\n"
				  "nameserver 100.100.2.136\n"
				  "nameserver 100.100.2.138\n"
				  "options timeout:1 attempts:2\n";

static const char nsswitch_conf[] =
	"# Written by privlink-agent: names come from files and the VPC's resolver.\n"
	"passwd:         files\n"
	"group:          files\n"
	"shadow:         files\n"
	"gshadow:        files\n"
	"\n"
	"hosts:          files dns\n"
	"networks:       files\n"
	"\n"
	"protocols:      db files\n"
	"services:       db files\n"
	"ethers:         db files\n"
	"rpc:            db files\n"
	"\n"
	"netgroup:       nis\n";

struct netns_files {
	struct breath breath;
	char directory[PATH_MAX / 2];
	char host_ssl[PATH_MAX / 2];
	char copy[PATH_MAX / 2];
	char ca[PATH_MAX / 2];
	char kept[PATH_MAX / 2];
	char kept_bundle[PATH_MAX / 2];
	uint64_t stamp;		       /* of what the copy was made from; 0: not made */
	uint64_t copy_stamp;	       /* of the copy, when it was found to be whole; 0: not yet */
	struct trust_report said_last; /* how it stood when it was last said */
	bool said;
	char failed[PATH_MAX]; /* what of the host's could not be copied last */
};

int netns_files_new(const struct netns_files_options *options, struct netns_files **ret)
{
	struct netns_files *files = calloc(1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	if (str_copy(files->directory, sizeof(files->directory), options->directory) < 0 ||
	    str_copy(files->host_ssl, sizeof(files->host_ssl), options->host_ssl) < 0 ||
	    str_format(files->copy, sizeof(files->copy), "%s/ssl", options->state_dir) < 0 ||
	    str_format(files->ca, sizeof(files->ca), "%s/ca.crt", options->state_dir) < 0 ||
	    str_format(files->kept, sizeof(files->kept), "%s/ca.kept", options->state_dir) < 0 ||
	    str_format(files->kept_bundle, sizeof(files->kept_bundle), "%s/bundle.kept", options->state_dir) <
		    0) {
		free(files);
		return -ENAMETOOLONG;
	}
	*ret = files;
	return 0;
}

int netns_files_of_host(const char *state_dir, struct netns_files **ret)
{
	const struct netns_files_options options = {
		.directory = "/etc/netns",
		.host_ssl = "/etc/ssl",
		.state_dir = state_dir,
	};

	return netns_files_new(&options, ret);
}

void netns_files_set_breath(struct netns_files *files, struct breath breath)
{
	files->breath = breath;
}

struct netns_files *netns_files_free(struct netns_files *files)
{
	free(files);
	return NULL;
}

static int write_in(const char *directory, const char *name, const char *content)
{
	char path[PATH_MAX];
	int r = str_format(path, sizeof(path), "%s/%s", directory, name);

	if (r >= 0)
		r = file_update(path, content, strlen(content), 0644);
	return r < 0 ? r : 0;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* `ip netns exec` leaves a process the node's own host name, which must be found as well. */
static void write_node_name(const char *host_name, char *ret, size_t size)
{
	char name[HOST_NAME_MAX + 1] = "";

	ret[0] = '\0';
	if (gethostname(name, sizeof(name) - 1) < 0 || !*name || strpbrk(name, " \t\n#") ||
	    strcasecmp(name, host_name) == 0 || strcasecmp(name, "localhost") == 0)
		return;
	(void)str_format(ret, size, "# The node, as `ip netns exec` calls it:\n127.0.1.1\t%s\n::1\t%s\n",
			 name, name);
}

static int write_names(const char *directory, const char *host_name, const struct netaddr *addr)
{
	char hosts[1024], hostname[HOST_NAME_MAX + 2], node[3 * HOST_NAME_MAX], text[NETADDR_TEXT_SIZE];
	int r;

	netaddr_format(addr, text);
	write_node_name(host_name, node, sizeof(node));
	(void)str_format(hosts, sizeof(hosts),
			 "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "%s\t%s\n%s",
			 text, host_name, node);
	(void)str_format(hostname, sizeof(hostname), "%s\n", host_name);
	r = write_in(directory, "hosts", hosts);
	return r == 0 ? write_in(directory, "hostname", hostname) : r;
}

int netns_files_write(struct netns_files *files, const char *instance, const char *host_name,
		      const struct netaddr *addr)
{
	char directory[PATH_MAX], path[PATH_MAX];
	int r;

	if (str_format(directory, sizeof(directory), "%s/%s", files->directory, instance) < 0 ||
	    str_format(path, sizeof(path), "%s/ssl", directory) < 0)
		return -ENAMETOOLONG;
	r = make_directory(files->directory);
	if (r < 0)
		return r;
	r = make_directory(directory);
	if (r < 0)
		return r;
	r = write_in(directory, "resolv.conf", resolv_conf);
	if (r < 0)
		return r;
	r = write_in(directory, "nsswitch.conf", nsswitch_conf);
	if (r < 0)
		return r;
	r = write_names(directory, host_name, addr);
	if (r < 0)
		return r;
	r = file_link(path, files->copy);
	return r < 0 ? r : 0;
}

bool netns_files_are_there(const struct netns_files *files, const char *instance)
{
	static const char *const names[] = {"resolv.conf", "nsswitch.conf", "hosts", "ssl"};
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_format(path, sizeof(path), "%s/%s/%s", files->directory, instance, names[i]) < 0 ||
		    lstat(path, &st) < 0)
			return false;
	return true;
}

void netns_files_remove(struct netns_files *files, const char *instance)
{
	char directory[PATH_MAX];

	if (*instance && !strchr(instance, '/') && !str_starts(instance, ".") &&
	    str_format(directory, sizeof(directory), "%s/%s", files->directory, instance) > 0)
		(void)file_remove_tree(directory);
}

/* What netns_files_write() made: its trust store is a link to our copy. */
static bool is_ours(const struct netns_files *files, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	if (name[0] == '.' || str_format(path, sizeof(path), "%s/%s/ssl", files->directory, name) < 0)
		return false;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return streq(target, files->copy);
}

int netns_files_each(struct netns_files *files, int (*callback)(void *context, const char *instance),
		     void *context)
{
	DIR *dir = opendir(files->directory);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r >= 0 && (entry = readdir(dir)))
		if (is_ours(files, entry->d_name))
			r = callback(context, entry->d_name);
	(void)closedir(dir);
	return r < 0 ? r : 0;
}

/* A sum over what is seen of a trust store. */
struct stamp {
	uint64_t sum;
	unsigned int names; /* that are left to be looked at */
	bool is_host;	    /* its links are followed, as far as the copy does */
	struct breath breath;
};

static void mix(struct stamp *stamp, const void *data, size_t size)
{
	/* FNV-1a */
	for (const uint8_t *p = data, *end = p + size; p < end; p++)
		stamp->sum = (stamp->sum ^ *p) * UINT64_C(0x100000001b3);
}

static void mix_stat(struct stamp *stamp, const struct stat *st)
{
	/* Whoever changes something can set the time of that back, but not the time at which he did so. */
	mix(stamp, &st->st_ctim, sizeof(st->st_ctim));
	mix(stamp, &st->st_mtim, sizeof(st->st_mtim));
	mix(stamp, &st->st_mode, sizeof(st->st_mode));
	mix(stamp, &st->st_size, sizeof(st->st_size));
	mix(stamp, &st->st_ino, sizeof(st->st_ino));
}

static void mix_path(struct stamp *stamp, const char *path, int nofollow)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, nofollow) < 0)
		mix(stamp, "-", 1);
	else
		mix_stat(stamp, &st);
}

/* What a link of the host leads to, where that is copied (trust.c): of what is no file, only that it is none.
 * Elsewhere it may lead to a disk of the network that does not answer, or to what changes all the time. */
static void mix_target(struct stamp *stamp, int directory, const char *name)
{
	char target[3] = "";
	struct stat st;

	if (readlinkat(directory, name, target, sizeof(target) - 1) < 0 || !streq(target, ".."))
		return;
	if (fstatat(directory, name, &st, 0) < 0)
		mix(stamp, "-", 1);
	else if (S_ISREG(st.st_mode))
		mix_stat(stamp, &st);
	else
		mix(stamp, "+", 1);
}

/* Certificates are looked at by themselves, and of the host's keys nothing is copied. */
static bool is_looked_into(const char *name, unsigned int depth)
{
	return depth > 0 ? depth < TRUST_DEPTH_MAX : !streq(name, "certs") && !streq(name, "private");
}

static void mix_directory(struct stamp *stamp, int parent, const char *name, unsigned int depth,
			  int nofollow);

static void mix_entry(struct stamp *stamp, int directory, const char *name, unsigned int depth)
{
	struct stat st;

	mix(stamp, name, strlen(name));
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	mix_stat(stamp, &st);
	if (S_ISLNK(st.st_mode) && stamp->is_host)
		mix_target(stamp, directory, name);
	if (S_ISDIR(st.st_mode) && is_looked_into(name, depth))
		mix_directory(stamp, directory, name, depth + 1, O_NOFOLLOW);
}

static void mix_directory(struct stamp *stamp, int parent, const char *name, unsigned int depth, int nofollow)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		closep(&fd);
		return;
	}
	while (stamp->names > 0 && (entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		stamp->names--;
		breathe(&stamp->breath);
		mix_entry(stamp, fd, entry->d_name, depth);
	}
	(void)closedir(dir);
}

/* Of a trust store, its certificates first. Both may be links on the host. */
static struct stamp stamp_of(const char *store, bool is_host, struct breath breath)
{
	struct stamp stamp = {.sum = UINT64_C(0xcbf29ce484222325),
			      .names = STAMP_MAX,
			      .is_host = is_host,
			      .breath = breath};
	char certs[PATH_MAX];

	(void)str_format(certs, sizeof(certs), "%s/certs", store);
	mix_path(&stamp, store, is_host ? 0 : AT_SYMLINK_NOFOLLOW);
	mix_path(&stamp, certs, is_host ? 0 : AT_SYMLINK_NOFOLLOW);
	mix_directory(&stamp, AT_FDCWD, certs, 1, is_host ? 0 : O_NOFOLLOW);
	mix_directory(&stamp, AT_FDCWD, store, 0, is_host ? 0 : O_NOFOLLOW);
	return stamp;
}

static uint64_t host_stamp(const struct netns_files *files)
{
	struct stamp stamp = stamp_of(files->host_ssl, true, files->breath);
	char bundle[PATH_MAX];

	/* Which is read wherever a link leads. */
	(void)str_format(bundle, sizeof(bundle), "%s/certs/ca-certificates.crt", files->host_ssl);
	mix_path(&stamp, bundle, 0);
	mix_path(&stamp, files->ca, 0);
	mix_path(&stamp, files->kept, AT_SYMLINK_NOFOLLOW);
	return stamp.sum ? stamp.sum : 1;
}

static uint64_t copy_stamp(const struct netns_files *files)
{
	struct stamp stamp = stamp_of(files->copy, false, files->breath);

	return stamp.sum ? stamp.sum : 1;
}

static void speak_of_time(const struct netns_files *files, const struct certificate *certificate)
{
	char words[128];

	if (certificate->end &&
	    certificate_time(certificate, now_unix_s(), words, sizeof(words)) != CERTIFICATE_GOOD)
		log_warning("the CA that instances trust %s file=%s: remove the file and run privlink ca "
			    "init, which "
			    "makes a new certificate for the same key",
			    words, files->ca);
}

static void speak_of_ca(const struct netns_files *files, const struct trust_report *report)
{
	const char *has = report->certificate.end ? "instances keep the one that they have"
						  : "instances trust whom the host trusts";

	switch (report->ca) {
	case TRUST_CA_NONE:
		/* At the start only: afterwards it is what somebody put into the copy. */
		if (report->had_one && !files->said)
			log_warning("the CA is gone file=%s, and none is kept file=%s (the one that the copy "
				    "of the trust store has may be anybody's): %s; put the file back and "
				    "reload privlink-agent",
				    files->ca, files->kept, has);
		else
			log_info("no CA file=%s: %s", files->ca, has);
		break;
	case TRUST_CA_GOOD:
		log_info("instances trust the CA subject=%s file=%s", report->certificate.subject, files->ca);
		break;
	case TRUST_CA_GONE:
		log_warning(
			"the CA is gone file=%s: %s; put the file back (or remove file=%s to take it from "
			"them, too) and reload privlink-agent",
			files->ca, has, files->kept);
		break;
	case TRUST_CA_BAD:
		log_warning("cannot use the CA file=%s: %s; %s", files->ca, report->why, has);
		break;
	}
	speak_of_time(files, &report->certificate);
}

static bool is_same(const struct trust_report *a, const struct trust_report *b)
{
	return a->ca == b->ca && streq(a->why, b->why) &&
	       streq(a->certificate.subject, b->certificate.subject) &&
	       a->certificate.begin == b->certificate.begin && a->certificate.end == b->certificate.end;
}

/* What the host's administrator would miss in an instance. */
static void say_left_out(const struct netns_files *files, const struct trust_report *report, bool again)
{
	const struct trust_report *last = &files->said_last;

	if (*report->closed && (again || !streq(report->closed, last->closed)))
		log_warning("not every user of the host may read file=%s/%s: instances do without it",
			    files->host_ssl, report->closed);
	if (*report->deep && (again || !streq(report->deep, last->deep)))
		log_warning("too many directories within each other file=%s/%s: instances do without it",
			    files->host_ssl, report->deep);
}

/* Once, and when it is another one. */
static void say(struct netns_files *files, const struct trust_report *report, bool again)
{
	if (!report->is_known)
		return;
	say_left_out(files, report, again);
	if (again || !files->said || !is_same(report, &files->said_last))
		speak_of_ca(files, report);
	files->said_last = *report;
	files->said = true;
}

static struct trust_paths paths_of(const struct netns_files *files)
{
	return (struct trust_paths){.host = files->host_ssl,
				    .ca = files->ca,
				    .kept = files->kept,
				    .kept_bundle = files->kept_bundle,
				    .copy = files->copy,
				    .breath = &files->breath};
}

/* The name of what could not be copied or kept. */
static void note_failed(struct netns_files *files, const struct trust_report *report)
{
	if (!*report->failed && report->unkept)
		(void)str_copy(files->failed, sizeof(files->failed), report->unkept);
	else
		(void)str_format(files->failed, sizeof(files->failed), "%s%s%s", files->host_ssl,
				 *report->failed ? "/" : "", report->failed);
}

int netns_files_refresh(struct netns_files *files, enum netns_files_look look)
{
	const struct trust_paths paths = paths_of(files);
	uint64_t stamp = host_stamp(files), copy = copy_stamp(files);
	struct trust_report report;
	int r;

	if (stamp == files->stamp && copy == files->copy_stamp && look == NETNS_FILES_BRIEFLY)
		return 0;
	r = trust_sync(&paths, &report);
	say(files, &report, look == NETNS_FILES_ALOUD);
	note_failed(files, &report);
	/* What failed is tried at the next look, however brief. */
	files->stamp = r < 0 ? 0 : stamp;
	if (r < 0)
		return r;
	/* What was written is looked at once more: someone may have removed it meanwhile. */
	files->copy_stamp = r == 0 ? copy : 0;
	return r;
}

const char *netns_files_failed(const struct netns_files *files)
{
	return files->failed;
}

int netns_files_check_ca(const struct netns_files *files)
{
	const struct trust_paths paths = paths_of(files);
	struct trust_report report;
	int r;

	r = trust_look(&paths, &report);
	if (r < 0)
		return log_errno(r, "cannot look at the CA file=%s", files->ca);
	if (report.ca == TRUST_CA_GONE || report.ca == TRUST_CA_BAD || report.had_one)
		speak_of_ca(files, &report);
	else
		speak_of_time(files, &report.certificate);
	return report.ca == TRUST_CA_GONE || report.ca == TRUST_CA_BAD ? -EINVAL : 0;
}

static void remove_or_say(const char *path)
{
	int r = file_remove_tree(path);

	if (r < 0)
		log_warning("cannot remove all of file=%s, ignoring (is something still writing there?): %s",
			    path, strerror(-r));
}

void netns_files_remove_copy(struct netns_files *files)
{
	files->stamp = files->copy_stamp = 0;
	remove_or_say(files->copy);
	remove_or_say(files->kept);
	remove_or_say(files->kept_bundle);
}
