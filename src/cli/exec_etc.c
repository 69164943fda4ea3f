/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance's /etc. Whole directories are laid over each other, never single files over single files: a
 * bind mount on the host's resolv.conf would go away the moment the host renames a new one into its place,
 * and the instance would go on with the host's resolver.
 *
 * overlayfs does it where it exists and takes /etc as a layer (it nests twice at most). Elsewhere /etc
 * becomes a tmpfs: directories are bound, links made again, files copied, and what is the instance's replaces
 * what is the host's.
 */
#include "exec.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/util.h"

/* Where the tmpfs is made ready. The host does not see it covered: the namespace is ours. The instance's /etc
 * has no such directory. */
#define WORKSHOP      "/etc/netns"
#define WORKSHOP_NAME "netns"

static int overlay_etc(const char *over)
{
	char options[PATH_MAX + 64];
	int r;

	r = str_format(options, sizeof(options), "lowerdir=%s:/etc", over);
	if (r < 0)
		return r;
	return mount("overlay", "/etc", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, options) < 0 ? -errno
												  : 0;
}

static int copy_file(int from_dir, const char *name, int to_dir, const struct stat *st)
{
	_cleanup_(closep) int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(closep) int to = -EBADF;
	ssize_t n;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	if (n < 0 || fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from_dir, const char *name, int to_dir)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int bind_directory(const char *from, const char *to, const char *name, int to_dir)
{
	char source[PATH_MAX], target[PATH_MAX];

	if (str_format(source, sizeof(source), "%s/%s", from, name) < 0 ||
	    str_format(target, sizeof(target), "%s/%s", to, name) < 0)
		return -ENAMETOOLONG;
	if (mkdirat(to_dir, name, 0755) < 0)
		return -errno;
	return mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : 0;
}

/* Fills `to` with what is in `from`; names that `to` has already stay as they are. */
static int fill(const char *from, const char *to)
{
	_cleanup_(closep) int to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	struct stat st;
	int r = 0;
	DIR *dir;

	if (to_dir < 0)
		return -errno;
	dir = opendir(from);
	if (!dir)
		return -errno;
	while (r >= 0 && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (streq(name, ".") || streq(name, "..") || streq(name, WORKSHOP_NAME) ||
		    fstatat(to_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		if (S_ISDIR(st.st_mode))
			r = bind_directory(from, to, name, to_dir);
		else if (S_ISLNK(st.st_mode))
			r = copy_link(dirfd(dir), name, to_dir);
		else if (S_ISREG(st.st_mode))
			r = copy_file(dirfd(dir), name, to_dir, &st);
		if (r == -ENOENT)
			r = 0;
	}
	closedir(dir);
	return r;
}

int exec_mirror_etc(const char *over)
{
	_cleanup_(closep) int over_fd = open(over, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char over_path[64];
	int r;

	if (over_fd < 0)
		return -errno;
	(void)str_format(over_path, sizeof(over_path), "/proc/self/fd/%d", over_fd);
	if (mount("tmpfs", WORKSHOP, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m") < 0)
		return -errno;
	r = fill(over_path, WORKSHOP);
	if (r >= 0)
		r = fill("/etc", WORKSHOP);
	if (r >= 0 && mount(WORKSHOP, "/etc", NULL, MS_BIND | MS_REC, NULL) < 0)
		r = -errno;
	if (r < 0)
		(void)umount2(WORKSHOP, MNT_DETACH);
	return r;
}

int exec_mount_etc(const char *over)
{
	if (access(over, F_OK) < 0)
		return -errno;
	return overlay_etc(over) >= 0 ? 0 : exec_mirror_etc(over);
}
