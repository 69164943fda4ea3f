/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins live as long as the mount that they are in, so bpffs is mounted at its usual place, in the mount
 * namespace that the agent shares with the machine.
 */
#include "bpffs.h"

#include <dirent.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define USUAL_PLACE "/sys/fs/bpf"

static int make_directories(const char *path)
{
	char part[PATH_MAX];

	if (str_copy(part, sizeof(part), path) < 0)
		return -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST && access(part, F_OK) < 0)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int bpffs_make_directory(const char *path, const char **ret_what)
{
	bool is_usual = streq(path, USUAL_PLACE) || str_starts(path, USUAL_PLACE "/");
	char mount_point[PATH_MAX];
	int r;

	if (is_usual)
		(void)str_copy(mount_point, sizeof(mount_point), USUAL_PLACE);
	else if (str_copy(mount_point, sizeof(mount_point), path) < 0)
		return -ENAMETOOLONG;

	*ret_what = "cannot make a directory for bpffs (is /sys mounted?)";
	r = make_directories(mount_point);
	if (r < 0)
		return r;
	*ret_what = "cannot mount bpffs";
	if (!is_bpffs(mount_point) &&
	    mount("bpf", mount_point, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		return -errno;
	*ret_what = "cannot make a directory in bpffs";
	r = make_directories(path);
	/* The last other node of this machine may just have removed the one above. */
	return r == -ENOENT ? make_directories(path) : r;
}

/* A bpffs that was mounted for the pins alone goes with them; the usual place is everybody's. */
static int unmount(const char *path)
{
	struct stat here, above;
	char parent[PATH_MAX];

	while (is_bpffs(path) && !streq(path, USUAL_PLACE)) {
		if (str_format(parent, sizeof(parent), "%s/..", path) < 0)
			return -ENAMETOOLONG;
		if (stat(path, &here) < 0 || stat(parent, &above) < 0)
			return -errno;
		if (here.st_dev == above.st_dev)
			return 0;
		if (umount2(path, UMOUNT_NOFOLLOW) < 0)
			return -errno;
	}
	return 0;
}

static int remove_entry(const char *path)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? bpffs_remove_directory(path) : -errno;
}

int bpffs_remove_directory(const char *path)
{
	char pin[PATH_MAX];
	struct dirent *entry;
	int first_error = unmount(path), r;
	DIR *dir;

	if (first_error < 0)
		return first_error;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (str_format(pin, sizeof(pin), "%s/%s", path, entry->d_name) < 0)
			continue;
		r = remove_entry(pin);
		if (r < 0 && !first_error)
			first_error = r;
	}
	(void)closedir(dir);
	if (rmdir(path) < 0 && errno != ENOENT && !first_error)
		first_error = -errno;
	return first_error;
}
