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

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

#define CERTS	    "certs"
#define BUNDLE	    "ca-certificates.crt"
#define REMOVE_MAX  5000 /* steps at a time: whoever may write into the copy may have put anything there */
#define MODE_PUBLIC (S_IROTH | S_IXOTH) /* a directory that everyone may look into */

struct trust {
	const struct trust_paths *paths;
	char *ca; /* NULL: none */
	size_t ca_size;
	bool changed;
	unsigned int steps; /* that are left to remove something */
	struct trust_report *report;
};

/* A directory of the trust store. Whoever may write into the copy may put a link in its place at any time:
 * everything in it is reached by the descriptor. */
struct place {
	enum { PLACE_TOP, PLACE_CERTS, PLACE_OTHER } kind;
	const char *path; /* below the store */
	unsigned int depth;
	int host; /* negative: there is none, or others may not look into it */
	int copy;
};

/* Neither copied nor removed with what the host has. */
static bool is_ours(const struct trust *trust, const struct place *place, const char *name)
{
	if (place->kind == PLACE_TOP)
		return streq(name, CERTS) || (trust->ca && streq(name, "cert.pem"));
	if (place->kind == PLACE_CERTS)
		return streq(name, BUNDLE) || (trust->ca && streq(name, TRUST_CA_NAME));
	return false;
}

/* Nothing, or something that cannot be what was asked for. */
static bool is_missing(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -ENOTDIR || r == -EISDIR || r == -EUCLEAN;
}

static int first_error(int r, int q)
{
	return r < 0 ? r : q;
}

static int note(struct trust *trust, int r)
{
	if (r > 0)
		trust->changed = true;
	return r < 0 ? r : 0;
}

/* Remembers the first name with which something went wrong, which is the innermost one. */
static int note_failure(struct trust *trust, const struct place *place, const char *name, int r)
{
	char *failed = trust->report->failed;

	if (r < 0 && r != -EAGAIN && !*failed)
		(void)str_format(failed, sizeof(trust->report->failed), "%s%s%s", place->path,
				 *place->path ? "/" : "", name);
	return r;
}

/* Remembers the first, which is the one that has the others in it. */
static void note_closed(struct trust *trust, const char *name)
{
	if (!*trust->report->closed)
		(void)str_copy(trust->report->closed, sizeof(trust->report->closed), name);
}

/* What is no directory goes at once. Of one, what there is no time for is removed at the next looks. */
static int remove_from_copy(struct trust *trust, int directory, const char *name)
{
	int r = 0;

	if (unlinkat(directory, name, 0) < 0) {
		if (errno == ENOENT)
			return 0;
		r = file_remove_some(directory, name, &trust->steps, trust->paths->breath);
	}
	trust->changed = true;
	return r == -EAGAIN ? 0 : r;
}

/* What stands there and is of another type goes: no rename replaces a directory, and what a link leads to is
 * no content of the copy's. */
static int make_room(struct trust *trust, int directory, const char *name, mode_t type)
{
	struct stat st;
	int r;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if ((st.st_mode & S_IFMT) == type)
		return 0;
	r = remove_from_copy(trust, directory, name);
	return r == 0 && trust->steps == 0 ? file_move_aside(directory, name) : r;
}

static int put_file(struct trust *trust, const struct place *place, const char *name, const void *data,
		    size_t size)
{
	int r = make_room(trust, place->copy, name, S_IFREG);

	return r < 0 ? r : note(trust, file_update_at(place->copy, name, data, size, 0644));
}

static int put_link(struct trust *trust, const struct place *place, const char *name, const char *target)
{
	int r = make_room(trust, place->copy, name, S_IFLNK);

	return r < 0 ? r : note(trust, file_link_at(place->copy, name, target));
}

/* The copy is there for all to read. What they may not read on the host goes from it, and so does what is
 * there no more: where a link led, or where a file was. */
static int copy_content(struct trust *trust, const struct place *place, const char *name)
{
	_cleanup_(freep) char *content = NULL;
	size_t size;
	int r = file_read_public(place->host, name, &content, &size);

	if (r == -EACCES || is_missing(r))
		return remove_from_copy(trust, place->copy, name);
	return r < 0 ? r : put_file(trust, place, name, content, size);
}

static int copy_link(struct trust *trust, const struct place *place, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(place->host, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	/* A link that climbs would end elsewhere from the copy's place. */
	if (str_starts(target, ".."))
		return copy_content(trust, place, name);
	return put_link(trust, place, name, target);
}

static int copy_directory(struct trust *trust, const struct place *parent, const char *name);

static int copy_entry(struct trust *trust, const struct place *place, const char *name)
{
	struct stat st;

	if (is_ours(trust, place, name))
		return 0;
	if (fstatat(place->host, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return copy_directory(trust, place, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(trust, place, name);
	return copy_content(trust, place, name);
}

/* Removes from the copy what the host has not. */
static int prune_entry(struct trust *trust, const struct place *place, const char *name)
{
	struct stat st;

	if (is_ours(trust, place, name))
		return 0;
	if (place->host >= 0 &&
	    (fstatat(place->host, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT))
		return 0;
	if (trust->steps == 0)
		return -EAGAIN;
	trust->steps--;
	return remove_from_copy(trust, place->copy, name);
}

struct walk {
	struct trust *trust;
	const struct place *place;
	int (*callback)(struct trust *trust, const struct place *place, const char *name);
};

static int on_entry(void *context, int directory, const char *name)
{
	const struct walk *walk = context;

	(void)directory;
	breathe(walk->trust->paths->breath);
	return note_failure(walk->trust, walk->place, name, walk->callback(walk->trust, walk->place, name));
}

static int each_entry(struct trust *trust, const struct place *place, int directory,
		      int (*callback)(struct trust *trust, const struct place *place, const char *name))
{
	struct walk walk = {.trust = trust, .place = place, .callback = callback};

	return file_each(directory, on_entry, &walk);
}

static int copy_entries(struct trust *trust, const struct place *place)
{
	int r = place->host < 0 ? 0 : each_entry(trust, place, place->host, copy_entry);
	int q = each_entry(trust, place, place->copy, prune_entry);

	return first_error(r, q == -EAGAIN ? 0 : q);
}

static int own(struct trust *trust, int directory, mode_t mode)
{
	struct stat st;

	if (fstat(directory, &st) < 0)
		return -errno;
	if ((st.st_mode & ALLPERMS) == mode && st.st_uid == geteuid())
		return 0;
	trust->changed = true;
	return fchown(directory, geteuid(), (gid_t)-1) < 0 || fchmod(directory, mode) < 0 ? -errno : 0;
}

/* Makes a directory of the copy and opens it. */
static int open_copy(struct trust *trust, int parent, const char *name, mode_t mode)
{
	_cleanup_(closep) int fd = -EBADF;
	int r = make_room(trust, parent, name, S_IFDIR);

	if (r < 0)
		return r;
	if (mkdirat(parent, name, mode) == 0)
		trust->changed = true;
	else if (errno != EEXIST)
		return -errno;
	fd = file_open_directory(parent, name);
	if (fd < 0)
		return fd;
	r = own(trust, fd, mode);
	return r < 0 ? r : TAKE_FD(fd);
}

static bool has_mode(int directory, mode_t mode)
{
	struct stat st;

	return fstat(directory, &st) == 0 && (st.st_mode & mode) == mode;
}

/* Opens a directory of the host's that everyone may look into. Of what we may not look into ourselves (a
 * disk of the network knows no root) others are not told either. 1: it is there, and is not public. */
static int open_public(int parent, const char *name, int flags, mode_t mode, int *ret)
{
	_cleanup_(closep) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);

	if (fd < 0)
		return errno == EACCES ? 1 : -errno;
	if (!has_mode(fd, mode))
		return 1;
	*ret = TAKE_FD(fd);
	return 0;
}

/* Nothing of one that is deeper than directories can be open at once. */
static int leave_out(struct trust *trust, const struct place *parent, const char *name, const char *path)
{
	if (!*trust->report->deep)
		(void)str_copy(trust->report->deep, sizeof(trust->report->deep), path);
	return remove_from_copy(trust, parent->copy, name);
}

/* The host's keys are the host's, and so is what not everyone may look into. */
static int copy_directory(struct trust *trust, const struct place *parent, const char *name)
{
	_cleanup_(closep) int host = -EBADF, copy = -EBADF;
	bool is_private = parent->kind == PLACE_TOP && streq(name, "private");
	char path[PATH_MAX];
	struct place place = {.kind = PLACE_OTHER, .path = path, .depth = parent->depth + 1};
	int r = str_format(path, sizeof(path), "%s%s%s", parent->path, *parent->path ? "/" : "", name);

	if (r < 0)
		return r;
	if (place.depth > TRUST_DEPTH_MAX)
		return leave_out(trust, parent, name, path);
	r = is_private ? 0 : open_public(parent->host, name, O_NOFOLLOW, MODE_PUBLIC, &host);
	if (r < 0)
		return r;
	copy = open_copy(trust, parent->copy, name, host < 0 ? 0700 : 0755);
	if (copy < 0)
		return copy;
	place.host = host;
	place.copy = copy;
	return copy_entries(trust, &place);
}

/* A bundle and the CA behind it. */
static int put_bundle(struct trust *trust, const struct place *certs, const char *bundle, size_t size)
{
	_cleanup_(freep) char *content = malloc(size + trust->ca_size + 2);

	if (!content)
		return -ENOMEM;
	if (bundle)
		memcpy(content, bundle, size);
	if (size > 0 && content[size - 1] != '\n')
		content[size++] = '\n';
	if (trust->ca)
		memcpy(content + size, trust->ca, trust->ca_size);
	return put_file(trust, certs, BUNDLE, content, size + trust->ca_size);
}

/* For root alone: whoever could write there would make a CA. */
static void keep(struct trust *trust, const char *path, const void *data, size_t size)
{
	int r = file_update(path, data, size, 0600);

	if (r < 0 && !trust->report->unkept) {
		trust->report->unkept = path;
		trust->report->keep = r;
	}
}

/* The host's, or while that cannot be read, what was kept of it: never the copy's. */
static int find_bundle(struct trust *trust, const struct place *certs, char **ret, size_t *ret_size)
{
	int r = certs->host < 0 ? 0 : file_read_public(certs->host, BUNDLE, ret, ret_size);

	if (r == -EACCES)
		note_closed(trust, CERTS "/" BUNDLE);
	if (is_missing(r) || r == -EACCES)
		r = 0;
	if (r == 0)
		keep(trust, trust->paths->kept_bundle, *ret ? *ret : "", *ret_size);
	else
		(void)file_read_at(AT_FDCWD, trust->paths->kept_bundle, ret, ret_size);
	return r;
}

static int write_bundle(struct trust *trust, const struct place *certs)
{
	_cleanup_(freep) char *bundle = NULL;
	size_t size = 0;
	int r = find_bundle(trust, certs, &bundle, &size);

	return first_error(r, put_bundle(trust, certs, bundle, size));
}

static int write_ca(struct trust *trust, const struct place *top, const struct place *certs)
{
	int r = put_file(trust, certs, TRUST_CA_NAME, trust->ca, trust->ca_size);

	return r < 0 ? r : put_link(trust, top, "cert.pem", CERTS "/" BUNDLE);
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

/* -ENOENT: there is none, or not what was kept here. */
static int load_kept(struct trust *trust, struct trust_report *report)
{
	_cleanup_(freep) char *content = NULL;
	size_t size;
	int r = file_read_at(AT_FDCWD, trust->paths->kept, &content, &size);

	if (r == 0)
		r = take_ca(trust, content, size, report);
	return is_missing(r) || r == -EFBIG || r == -EINVAL ? -ENOENT : r;
}

static bool has_ca_in_copy(const struct trust *trust)
{
	_cleanup_(closep) int copy = file_open_directory(AT_FDCWD, trust->paths->copy);
	_cleanup_(closep) int certs = open_certs(copy);
	struct stat st;

	return certs >= 0 && fstatat(certs, TRUST_CA_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The CA, or what was kept of it. */
static int find_ca(struct trust *trust, struct trust_report *report)
{
	struct trust_report kept = {};
	int r, q;

	r = load_ca(trust, trust->paths->ca, report);
	if (r == 0)
		report->ca = TRUST_CA_GOOD;
	if (r != -ENOENT && r != -EINVAL)
		return r;
	q = load_kept(trust, &kept);
	report->certificate = kept.certificate;
	report->ca = r == -EINVAL ? TRUST_CA_BAD : trust->ca ? TRUST_CA_GONE : TRUST_CA_NONE;
	report->had_one = q == -ENOENT && has_ca_in_copy(trust);
	return q == -ENOENT ? 0 : q;
}

/* Opens the host's store or its certificates, also behind a link. Others need not list them: each file in
 * them is looked at by itself. */
static int open_host(struct trust *trust, int parent, const char *name, const char *path, int *ret)
{
	int r = open_public(parent, name, 0, S_IXOTH, ret);

	if (r > 0)
		note_closed(trust, path);
	return r > 0 || is_missing(r) ? 0 : r;
}

/* Whatever cannot be copied holds up nothing else. */
static int sync_content(struct trust *trust, const struct place *top, const struct place *certs)
{
	int r = note_failure(trust, certs, BUNDLE, write_bundle(trust, certs));

	if (trust->ca)
		r = first_error(r, note_failure(trust, certs, TRUST_CA_NAME, write_ca(trust, top, certs)));
	return first_error(r, copy_entries(trust, certs));
}

/* The certificates are a directory of the copy's own, whether the host has one, a link to one, or none.
 * -EAGAIN: there was too much to be removed. */
static int sync_certs(struct trust *trust, const struct place *top, int host)
{
	_cleanup_(closep) int copy = open_copy(trust, top->copy, CERTS, 0755);
	const struct place certs = {
		.kind = PLACE_CERTS, .path = CERTS, .depth = 1, .host = host, .copy = copy};
	int r;

	if (copy < 0)
		return copy;
	r = sync_content(trust, top, &certs);
	return trust->steps == 0 ? -EAGAIN : r;
}

/* Too much to be removed makes room for a new directory: no CA of somebody's hides behind it. (The top is to
 * stay the one that instances have.) */
static int renew_certs(struct trust *trust, const struct place *top, int host)
{
	int r = file_move_aside(top->copy, CERTS);

	trust->steps = REMOVE_MAX;
	return r < 0 ? r : sync_certs(trust, top, host);
}

/* By this name OpenSSL finds whom to trust: while it is not ours or the host's, somebody's goes, whatever
 * else has to. */
static int prune_cert_pem(struct trust *trust, const struct place *top)
{
	int r;

	trust->steps = REMOVE_MAX;
	r = prune_entry(trust, top, "cert.pem");
	if (r == 0 && trust->steps == 0)
		r = file_move_aside(top->copy, "cert.pem");
	return note_failure(trust, top, "cert.pem", r);
}

/* The certificates first: who puts a CA there shall not win time by what he puts elsewhere. */
static int sync_places(struct trust *trust, const struct place *top, int host_certs)
{
	int r = sync_certs(trust, top, host_certs);

	if (r == -EAGAIN)
		r = renew_certs(trust, top, host_certs);
	r = first_error(r == -EAGAIN ? 0 : r, prune_cert_pem(trust, top));
	trust->steps = REMOVE_MAX;
	return first_error(r, copy_entries(trust, top));
}

static int sync_all(struct trust *trust)
{
	_cleanup_(closep) int host = -EBADF, host_certs = -EBADF, copy = -EBADF;
	int r = open_host(trust, AT_FDCWD, trust->paths->host, ".", &host);

	if (r == 0 && host >= 0)
		r = open_host(trust, host, CERTS, CERTS, &host_certs);
	if (r < 0)
		return r;
	copy = open_copy(trust, AT_FDCWD, trust->paths->copy, 0755);
	if (copy < 0)
		return copy;
	return sync_places(trust, &(struct place){.kind = PLACE_TOP, .path = "", .host = host, .copy = copy},
			   host_certs);
}

int trust_open_bundle(const char *copy)
{
	_cleanup_(closep) int fd = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int certs = fd < 0 ? -errno : open_certs(fd);

	return certs < 0 ? certs : file_open(certs, BUNDLE);
}

int trust_look(const struct trust_paths *paths, struct trust_report *ret)
{
	struct trust trust = {.paths = paths};
	int r;

	*ret = (struct trust_report){};
	r = find_ca(&trust, ret);
	free(trust.ca);
	return r;
}

int trust_sync(const struct trust_paths *paths, struct trust_report *ret)
{
	struct trust trust = {.paths = paths, .steps = REMOVE_MAX, .report = ret};
	int r;

	*ret = (struct trust_report){};
	r = find_ca(&trust, ret);
	ret->is_known = r == 0;
	if (r == 0 && ret->ca == TRUST_CA_GOOD)
		keep(&trust, paths->kept, trust.ca, trust.ca_size);
	if (r == 0)
		r = sync_all(&trust);
	r = first_error(r, ret->keep);
	free(trust.ca);
	return r < 0 ? r : trust.changed;
}
