/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A namespace keeps its name by a bind mount of its thread's ns/net on a file under /run/netns. That
 * directory is a shared mount, so that the names are seen in other mount namespaces too; it is made one
 * exactly as iproute2 does it, whoever of the two comes first. This also works where "/" is not a mount point
 * (in a chroot), because only the directory itself is mounted.
 */
#include "netns.h"

#include "../lib/vec.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The calling thread's. ("self" would be the first thread's, whoever asks.) */
#define OWN_NETNS "/proc/thread-self/ns/net"

static bool is_name_valid(const char *name)
{
	return *name && !strchr(name, '/') && !streq(name, ".") && !streq(name, "..");
}

static int name_to_path(const char *name, char ret[PATH_MAX])
{
	int r;

	if (!is_name_valid(name))
		return -EINVAL;
	r = str_format(ret, PATH_MAX, NETNS_DIR "/%s", name);
	return r < 0 ? r : 0;
}

static int make_directory(void)
{
	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;

	/* Not a mount point yet. */
	if (mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0 ? -errno : 0;
}

static int open_checked(const char *path)
{
	_cleanup_(closep) int fd = -EBADF;
	struct statfs fs;

	/* Not blocking: whoever gave the path may have meant a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	return TAKE_FD(fd);
}

/* In a new namespace: prepares it, pins it to the path and returns to the old one. */
static int make_and_pin(const char *path, int (*prepare)(void *context), void *context)
{
	int home_fd, r = 0;

	home_fd = netns_open_own();
	if (home_fd < 0)
		return home_fd;
	if (unshare(CLONE_NEWNET) < 0) {
		r = -errno;
		closep(&home_fd);
		return r;
	}
	if (prepare)
		r = prepare(context);
	if (r == 0 && mount(OWN_NETNS, path, "none", MS_BIND, NULL) < 0)
		r = -errno;
	netns_leave(home_fd);
	return r;
}

int netns_add(const char *name, int (*prepare)(void *context), void *context)
{
	char path[PATH_MAX];
	int fd, r;

	r = name_to_path(name, path);
	if (r < 0)
		return r;
	r = make_directory();
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0);
	if (fd >= 0) {
		(void)close(fd);
	} else if (errno != EEXIST) {
		return -errno;
	} else {
		fd = open_checked(path);
		if (fd >= 0) {
			(void)close(fd);
			return -EEXIST;
		}
		if (fd != -EINVAL && fd != -EACCES)
			return fd;
	}

	r = make_and_pin(path, prepare, context);
	if (r < 0)
		(void)unlink(path);
	return r;
}

int netns_add_name(const char *name, int netns_fd)
{
	char path[PATH_MAX], from[64];
	int fd, r;

	r = name_to_path(name, path);
	if (r == 0)
		r = make_directory();
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	(void)str_format(from, sizeof(from), "/proc/self/fd/%d", netns_fd);
	if (mount(from, path, "none", MS_BIND, NULL) == 0)
		return 0;
	r = -errno;
	(void)unlink(path);
	return r;
}

int netns_remove(const char *name)
{
	char path[PATH_MAX];
	int r;

	r = name_to_path(name, path);
	if (r < 0)
		return r;
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL)
		return -errno;
	return unlink(path) < 0 ? -errno : 0;
}

bool netns_is_there(const char *name)
{
	char path[PATH_MAX];
	struct statfs fs;

	return name_to_path(name, path) == 0 && statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

int netns_open(const char *name)
{
	char path[PATH_MAX];
	int r;

	r = name_to_path(name, path);
	return r < 0 ? r : open_checked(path);
}

int netns_open_path(const char *path)
{
	return open_checked(path);
}

bool netns_is_same(int a_fd, int b_fd)
{
	struct stat a, b;

	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int netns_open_own(void)
{
	int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Numbers of namespaces, so that each is asked for once. */
struct seen {
	ino_t *inodes;
	size_t n, size;
};

static int note_seen(struct seen *seen, int fd)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->inodes[i] == st.st_ino)
			return 0;
	r = VEC_ROOM(seen->inodes, seen->n, seen->size);
	if (r < 0)
		return r;
	seen->inodes[seen->n++] = st.st_ino;
	return 1;
}

int netns_find_process(int (*is_it)(void *context, int netns_fd), void *context)
{
	DIR *dir = opendir("/proc");
	struct seen seen = {};
	struct dirent *entry;
	int found_fd = -ENOENT;

	if (!dir)
		return -errno;
	while (found_fd < 0 && (entry = readdir(dir))) {
		_cleanup_(closep) int fd = -EBADF;
		char path[PATH_MAX];

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    str_format(path, sizeof(path), "/proc/%s/ns/net", entry->d_name) < 0)
			continue;
		fd = open_checked(path);
		if (fd >= 0 && note_seen(&seen, fd) > 0 && is_it(context, fd) > 0)
			found_fd = TAKE_FD(fd);
	}
	(void)closedir(dir);
	free(seen.inodes);
	return found_fd;
}

int netns_enter(int netns_fd, int *ret_home_fd)
{
	_cleanup_(closep) int home_fd = netns_open_own();

	if (home_fd < 0)
		return home_fd;
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	*ret_home_fd = TAKE_FD(home_fd);
	return 0;
}

void netns_leave(int home_fd)
{
	/* Going on in a tenant's namespace would be worse than to stop: everything after it would be done in
	 * the wrong place. It cannot fail with a descriptor of a namespace that this process came from. */
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
	(void)close(home_fd);
}

int netns_each(int (*callback)(void *context, const char *name), void *context)
{
	DIR *dir = opendir(NETNS_DIR);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r >= 0 && (entry = readdir(dir)))
		if (is_name_valid(entry->d_name))
			r = callback(context, entry->d_name);
	(void)closedir(dir);
	return r < 0 ? r : 0;
}
