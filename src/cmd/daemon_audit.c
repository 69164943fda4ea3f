/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_audit.h"

#include <limits.h>

#define MIB	 (1024 * 1024)
#define FREE_MIN (64 * MIB) /* what is left on the disk for the store */

static const char *const levels[] = {[AUDIT_NONE] = "none", [AUDIT_CHANGES] = "changes", [AUDIT_ALL] = "all"};

static int level_parse(const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (streq(value, levels[i]))
			return (int)i;
	return -EINVAL;
}

static int number_check(const char *value, unsigned long min, unsigned long max)
{
	size_t length = strlen(value);
	unsigned long number;

	if (length == 0 || length > 9 || strspn(value, "0123456789") != length)
		return -EINVAL;
	number = strtoul(value, NULL, 10);
	return number < min || number > max ? -EINVAL : 0;
}

int daemon_audit_level_check(const char *value)
{
	return MIN(level_parse(value), 0);
}

int daemon_audit_size_check(const char *value)
{
	return number_check(value, 1, AUDIT_FILE_MIB_MAX);
}

int daemon_audit_files_check(const char *value)
{
	return number_check(value, 2, AUDIT_FILES_MAX);
}

static int path_of(const struct daemon_options *options, char ret[PATH_MAX])
{
	int r = str_format(ret, PATH_MAX, "%s/audit", options->state_dir);

	return r < 0 ? log_errno(-ENAMETOOLONG, "cannot use directory=%s", options->state_dir) : 0;
}

void daemon_audit_directory(const struct daemon_options *options, const struct daemon_user *user)
{
	char path[PATH_MAX];

	if (level_parse(options->audit) != AUDIT_NONE && path_of(options, path) == 0)
		(void)daemon_directory(path, 0700, user);
}

int daemon_audit_open(const struct daemon_options *options, struct loop *loop, struct audit **ret)
{
	const struct audit_settings settings = {
		.level = (enum audit_level)level_parse(options->audit),
		.file_size_max = (uint64_t)options->audit_file_mib * MIB,
		.files_max = options->audit_files,
		.free_min = FREE_MIN,
	};
	char path[PATH_MAX];
	int r;

	r = path_of(options, path);
	if (r < 0)
		return r;
	r = audit_new(loop, path, &settings, ret);
	return r < 0 ? log_errno(r, "cannot keep an audit log") : 0;
}
