/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_store.h"

#include <limits.h>
#include <unistd.h>

#include "lib/file_write.h"
#include "lib/log.h"

static int path_in(const char *directory, const char *name, char ret[PATH_MAX])
{
	return str_format(ret, PATH_MAX, "%s/%s", directory, name) < 0
		       ? log_errno(-ENAMETOOLONG, "cannot use directory=%s", directory)
		       : 0;
}

static int write_identity(const char *state_dir, const struct store *store)
{
	char path[PATH_MAX], text[STORE_IDENTITY_SIZE + 1];
	int r;

	r = path_in(state_dir, "store.id", path);
	if (r < 0)
		return r;
	(void)str_format(text, sizeof(text), "%s\n", store_identity(store));
	r = file_write(path, text, strlen(text), 0644, geteuid(), getegid());
	return r < 0 ? log_errno(r, "cannot write file=%s", path) : 0;
}

int daemon_store_open(struct loop *loop, const char *state_dir, const struct daemon_user *user,
		      struct store **ret)
{
	char path[PATH_MAX];
	int r, back;

	r = path_in(state_dir, "store/privlink.db", path);
	if (r == 0)
		r = daemon_user_borrow(user);
	if (r < 0)
		return r;
	r = store_sqlite_open(loop, path, ret);
	if (r < 0)
		log_errno(r, "cannot open the store=%s", path);
	back = daemon_user_return(user);
	if (r == 0)
		r = back;
	return r < 0 ? r : write_identity(state_dir, *ret);
}
