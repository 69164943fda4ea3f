/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy is changed in place, file by file, each by a rename: a process that has the directory mounted over
 * its /etc/ssl for days sees what the host's administrator adds meanwhile. A new directory for each change
 * would leave it with a removed one.
 *
 * The CA is in the bundle: there GnuTLS, curl and wget look, and by way of cert.pem Debian's OpenSSL and
 * whoever is built on it.
 */
#include "trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

#define CERTS	    "certs"
#define BUNDLE_NAME "ca-certificates.crt"
#define BUNDLE	    CERTS "/" BUNDLE_NAME
#define CA_FILE	    TRUST_CA_FILE

#define PUBLIC (S_IROTH | S_IXOTH) /* a directory that everyone may look into */

struct trust {
	const char *host, *copy;
	char *ca; /* NULL: none */
	size_t ca_size;
	bool changed;
};

/* Neither copied nor removed with what the host has. */
static bool is_ours(const struct trust *trust, const char *relative)
{
	if (streq(relative, CERTS) || streq(relative, BUNDLE))
		return true;
	return trust->ca && (streq(relative, CA_FILE) || streq(relative, "cert.pem"));
}

static int note(struct trust *trust, int r)
{
	if (r > 0)
		trust->changed = true;
	return r < 0 ? r : 0;
}

static int join(char ret[PATH_MAX], const char *directory, const char *name)
{
	int r = str_format(ret, PATH_MAX, "%s%s%s", directory, *directory && *name ? "/" : "", name);

	return r < 0 ? r : 0;
}

/* What stands there and is of another type goes: no rename replaces a directory, what a link leads to is no
 * content of the copy's, and below one it would be written elsewhere. */
static int make_room(struct trust *trust, const char *path, mode_t type)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if ((st.st_mode & S_IFMT) == type)
		return 0;
	trust->changed = true;
	return file_remove_tree(path);
}

static int put_file(struct trust *trust, const char *path, const void *data, size_t size)
{
	int r = make_room(trust, path, S_IFREG);

	return r < 0 ? r : note(trust, file_update(path, data, size, 0644));
}

static int put_link(struct trust *trust, const char *path, const char *target)
{
	int r = make_room(trust, path, S_IFLNK);

	return r < 0 ? r : note(trust, file_link(path, target));
}

static int remove_from_copy(struct trust *trust, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	trust->changed = true;
	return file_remove_tree(path);
}

/* The copy is there for all to read. What they may not read on the host goes from it. */
static int copy_content(struct trust *trust, const char *from, const char *to)
{
	_cleanup_(freep) char *content = NULL;
	size_t size;
	int r = file_read_public(from, &content, &size);

	if (r == -EACCES)
		return remove_from_copy(trust, to);
	return r < 0 ? r : put_file(trust, to, content, size);
}

static int copy_link(struct trust *trust, const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	/* A link that climbs would end elsewhere from the copy's place. */
	if (str_starts(target, "..")) {
		r = copy_content(trust, from, to);
		return r == -ENOENT || r == -EISDIR ? 0 : r;
	}
	return put_link(trust, to, target);
}

static int copy_directory(struct trust *trust, const char *relative);

static int copy_entry(struct trust *trust, const char *relative)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	int r;

	if (is_ours(trust, relative))
		return 0;
	r = join(from, trust->host, relative);
	if (r == 0)
		r = join(to, trust->copy, relative);
	if (r < 0)
		return r;
	if (lstat(from, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return copy_directory(trust, relative);
	if (S_ISLNK(st.st_mode))
		return copy_link(trust, from, to);
	return S_ISREG(st.st_mode) ? copy_content(trust, from, to) : 0;
}

static int empty_entry(struct trust *trust, const char *relative)
{
	char path[PATH_MAX];
	int r;

	if (is_ours(trust, relative))
		return 0;
	r = join(path, trust->copy, relative);
	return r < 0 ? r : remove_from_copy(trust, path);
}

/* Removes from the copy what the host no longer has. */
static int prune_entry(struct trust *trust, const char *relative)
{
	char from[PATH_MAX];
	struct stat st;

	if (join(from, trust->host, relative) < 0 || lstat(from, &st) == 0 || errno != ENOENT)
		return 0;
	return empty_entry(trust, relative);
}

static int each_entry(struct trust *trust, const char *base, const char *relative,
		      int (*callback)(struct trust *trust, const char *relative))
{
	char path[PATH_MAX], child[PATH_MAX];
	struct dirent *entry;
	int first_error = 0, r;
	DIR *dir;

	r = join(path, base, relative);
	if (r < 0)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		r = join(child, relative, entry->d_name);
		if (r == 0)
			r = callback(trust, child);
		if (r < 0 && !first_error)
			first_error = r;
	}
	(void)closedir(dir);
	return first_error;
}

static int set_mode(struct trust *trust, const char *directory, mode_t mode)
{
	struct stat st;

	if (lstat(directory, &st) < 0)
		return -errno;
	if ((st.st_mode & ALLPERMS) == mode)
		return 0;
	trust->changed = true;
	return chmod(directory, mode) < 0 ? -errno : 0;
}

static int make_directory(struct trust *trust, const char *relative, mode_t mode)
{
	char path[PATH_MAX];
	int r = join(path, trust->copy, relative);

	if (r == 0)
		r = make_room(trust, path, S_IFDIR);
	if (r < 0)
		return r;
	if (mkdir(path, mode) == 0)
		trust->changed = true;
	else if (errno != EEXIST)
		return -errno;
	return set_mode(trust, path, mode);
}

/* The host's keys are the host's, and so is what not everyone may look into. */
static bool is_closed(const struct trust *trust, const char *relative)
{
	char path[PATH_MAX];
	struct stat st;

	if (streq(relative, "private") || join(path, trust->host, relative) < 0)
		return true;
	return stat(path, &st) == 0 && (st.st_mode & PUBLIC) != PUBLIC;
}

/* Of a directory that the copy has. */
static int copy_entries(struct trust *trust, const char *relative)
{
	int first_error, r;

	if (is_closed(trust, relative))
		return each_entry(trust, trust->copy, relative, empty_entry);
	first_error = each_entry(trust, trust->host, relative, copy_entry);
	r = each_entry(trust, trust->copy, relative, prune_entry);
	return first_error < 0 ? first_error : r;
}

static int copy_directory(struct trust *trust, const char *relative)
{
	int r = make_directory(trust, relative, is_closed(trust, relative) ? 0700 : 0755);

	return r < 0 ? r : copy_entries(trust, relative);
}

/* The host's bundle and the CA behind it. */
static int write_bundle(struct trust *trust)
{
	_cleanup_(freep) char *bundle = NULL, *content = NULL;
	char path[PATH_MAX];
	size_t size = 0;
	int r;

	r = join(path, trust->host, BUNDLE);
	if (r == 0)
		r = file_read_public(path, &bundle, &size);
	if (r < 0 && r != -ENOENT && r != -EACCES)
		return r;
	content = malloc(size + trust->ca_size + 2);
	if (!content)
		return -ENOMEM;
	if (bundle)
		memcpy(content, bundle, size);
	if (size > 0 && content[size - 1] != '\n')
		content[size++] = '\n';
	if (trust->ca)
		memcpy(content + size, trust->ca, trust->ca_size);
	size += trust->ca_size;
	r = join(path, trust->copy, BUNDLE);
	return r < 0 ? r : put_file(trust, path, content, size);
}

static int write_ca(struct trust *trust)
{
	char path[PATH_MAX];
	int r;

	r = join(path, trust->copy, CA_FILE);
	if (r == 0)
		r = put_file(trust, path, trust->ca, trust->ca_size);
	if (r == 0)
		r = join(path, trust->copy, "cert.pem");
	return r < 0 ? r : put_link(trust, path, BUNDLE);
}

/* Of the file, it takes the certificates only: what else may be in it is not for all to read. */
static int take_ca(struct trust *trust, const char *content, size_t size, struct trust_report *report)
{
	int r = certificate_read(content, size, &report->certificate, report->why, sizeof(report->why));

	return r < 0 ? r : certificate_extract(content, size, &trust->ca, &trust->ca_size);
}

/* -ENOENT: there is none. -EINVAL: it cannot be used. */
static int load_ca(struct trust *trust, const char *path, struct trust_report *report)
{
	_cleanup_(freep) char *content = NULL;
	size_t size;
	int r;

	r = file_read(path, &content, &size);
	if (r == -ENOENT)
		return r;
	if (r < 0) {
		(void)str_copy(report->why, sizeof(report->why), strerror(-r));
		return r == -ENOMEM ? r : -EINVAL;
	}
	return take_ca(trust, content, size, report);
}

/* The certificates of a copy, which are no link. */
static int open_certs(int copy)
{
	return copy < 0 ? copy : file_open_directory(copy, CERTS);
}

/* Nothing, or nothing that was made here. */
static bool is_none(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -ENOTDIR || r == -EISDIR || r == -EUCLEAN || r == -EFBIG ||
	       r == -EINVAL;
}

/* What the copy has of a CA. */
static int load_kept(struct trust *trust, struct trust_report *report)
{
	_cleanup_(closep) int copy = file_open_directory(AT_FDCWD, trust->copy);
	_cleanup_(closep) int certs = open_certs(copy);
	_cleanup_(freep) char *content = NULL;
	size_t size;
	int r = certs < 0 ? certs : file_read_at(certs, TRUST_CA_NAME, &content, &size);

	if (r == 0)
		r = take_ca(trust, content, size, report);
	return is_none(r) ? 0 : r;
}

/* The CA, or what the copy has of it. */
static int find_ca(struct trust *trust, const char *path, struct trust_report *report)
{
	struct trust_report kept = {};
	int r, q;

	r = load_ca(trust, path, report);
	if (r == 0)
		report->ca = TRUST_CA_GOOD;
	if (r != -ENOENT && r != -EINVAL)
		return r;
	q = load_kept(trust, &kept);
	report->certificate = kept.certificate;
	report->ca = r == -EINVAL ? TRUST_CA_BAD : trust->ca ? TRUST_CA_GONE : TRUST_CA_NONE;
	return q;
}

/* The certificates are a directory of the copy's own, whether the host has one, a link to one, or none. A
 * file of the host's that cannot be copied holds up nothing else. */
static int sync_all(struct trust *trust)
{
	int first_error, r;

	r = make_directory(trust, "", 0755);
	if (r == 0)
		r = make_directory(trust, CERTS, 0755);
	if (r < 0)
		return r;
	first_error = copy_entries(trust, "");
	r = copy_entries(trust, CERTS);
	if (first_error == 0)
		first_error = r;
	r = write_bundle(trust);
	if (r == 0 && trust->ca)
		r = write_ca(trust);
	return first_error < 0 ? first_error : r;
}

int trust_open_bundle(const char *copy)
{
	_cleanup_(closep) int fd = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int certs = fd < 0 ? -errno : open_certs(fd);

	return certs < 0 ? certs : file_open(certs, BUNDLE_NAME);
}

int trust_look(const char *ca, const char *copy, struct trust_report *ret)
{
	struct trust trust = {.copy = copy};
	int r;

	*ret = (struct trust_report){};
	r = find_ca(&trust, ca, ret);
	free(trust.ca);
	return r;
}

int trust_sync(const char *host, const char *ca, const char *copy, struct trust_report *ret)
{
	struct trust trust = {.host = host, .copy = copy};
	int r;

	*ret = (struct trust_report){};
	r = find_ca(&trust, ca, ret);
	if (r == 0)
		r = sync_all(&trust);
	free(trust.ca);
	return r < 0 ? r : trust.changed;
}
