/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key is on disk (as admin.env.pending) before the account is, and gets its name when the account is
 * durable: a start that is cut off in between leaves nobody locked out, and no key of a store that is not.
 */
#include "daemon_admin.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/admin/actions.h"
#include "daemon_files.h"
#include "lib/file_write.h"
#include "lib/log.h"

#define ADMIN_NAME   "admin.env"
#define PENDING_NAME "admin.env.pending"

static int path_in(const char *directory, const char *name, char ret[PATH_MAX])
{
	return str_format(ret, PATH_MAX, "%s/%s", directory, name) < 0
		       ? log_errno(-ENAMETOOLONG, "cannot use directory=%s", directory)
		       : 0;
}

/* What a key's file says; what it does not say is "" or 0. */
struct admin_file {
	char key_id[ID_SIZE], secret[ID_SIZE];
	int64_t uid;
};

static void take_line(struct admin_file *file, const char *line)
{
	const char *value = strchr(line, '=');

	if (!value)
		return;
	value++;
	if (str_starts(line, "PRIVLINK_ACCESS_KEY_ID="))
		(void)str_copy(file->key_id, sizeof(file->key_id), value);
	else if (str_starts(line, "PRIVLINK_ACCESS_KEY_SECRET="))
		(void)str_copy(file->secret, sizeof(file->secret), value);
	else if (str_starts(line, "PRIVLINK_ACCOUNT_ID="))
		file->uid = strtoll(value, NULL, 10);
}

/* -ENOENT: there is none. */
static int read_admin_file(const char *path, struct admin_file *ret)
{
	char *text = NULL, *rest, *line;
	int r;

	*ret = (struct admin_file){};
	if (access(path, F_OK) < 0)
		return -errno;
	r = daemon_read_file("file", path, &text);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		take_line(ret, line);
	free(text);
	return 0;
}

bool daemon_admin_exists(const char *state_dir)
{
	char path[PATH_MAX];

	return path_in(state_dir, ADMIN_NAME, path) == 0 && access(path, F_OK) == 0;
}

bool daemon_admin_fits(const char *state_dir, const struct store *store)
{
	struct admin_file file;
	char path[PATH_MAX];
	bool fits;

	if (path_in(state_dir, ADMIN_NAME, path) < 0 || read_admin_file(path, &file) < 0)
		return true;
	fits = file.uid == 0 || snapshot_account(store_rows(store), file.uid);
	explicit_bzero(&file, sizeof(file));
	return fits;
}

int daemon_admin_set_aside(const char *state_dir)
{
	char path[PATH_MAX];
	int r;

	r = path_in(state_dir, ADMIN_NAME, path);
	if (r < 0)
		return r;
	r = file_set_aside(path);
	return r < 0 ? log_errno(r, "cannot set aside file=%s", path) : 0;
}

/* ---- the first start ---- */

static int write_pending(const char *path, const struct access_key *key)
{
	char text[512];
	int r;

	(void)str_format(
		text, sizeof(text),
		"PRIVLINK_ACCESS_KEY_ID=%s\nPRIVLINK_ACCESS_KEY_SECRET=%s\nPRIVLINK_ACCOUNT_ID=%lld\n",
		key->id, key->secret, (long long)key->uid);
	r = daemon_write_secret(path, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

struct wait {
	bool done;
	int result;
};

static void wait_done(void *context, int result, _unused_ uint64_t revision)
{
	struct wait *wait = context;

	wait->done = true;
	wait->result = result;
}

static int commit_and_wait(struct loop *loop, struct store *store, struct store_txn *txn)
{
	struct wait wait = {};
	int r = 0;

	store_commit(store, txn, wait_done, &wait);
	while (!wait.done && r >= 0)
		r = loop_turn(loop, -1);
	return r < 0 ? r : wait.result;
}

static int store_administrator(struct loop *loop, struct store *store, const struct account *account,
			       const struct access_key *key)
{
	struct store_txn *txn;
	int r;

	r = store_txn_new(&txn);
	if (r == 0) {
		(void)store_txn_row_put(txn, KIND_ACCOUNT, account);
		(void)store_txn_row_put(txn, KIND_ACCESS_KEY, key);
		r = commit_and_wait(loop, store, txn);
	}
	return r < 0 ? log_errno(r, "cannot store the administrator account") : 0;
}

static int make(struct loop *loop, struct store *store, const char *pending_path)
{
	struct account account;
	struct access_key key;
	int r;

	r = account_new("administrator", true, now_unix_s(), &account);
	if (r == 0)
		r = access_key_new(account.uid, now_unix_s(), &key);
	if (r < 0)
		return log_errno(r, "cannot make the administrator account");
	r = write_pending(pending_path, &key);
	if (r == 0)
		r = store_administrator(loop, store, &account, &key);
	explicit_bzero(&key, sizeof(key));
	return r;
}

/* The key in the pending file becomes the administrator's if it is in the store, and is forgotten if not. */
static int finish_pending(const char *path, const char *pending_path, const struct store *store)
{
	struct admin_file file;
	bool is_known;
	int r;

	r = read_admin_file(pending_path, &file);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	is_known = snapshot_find(store_rows(store), KIND_ACCESS_KEY, file.key_id);
	explicit_bzero(&file, sizeof(file));
	if (!is_known)
		return unlink(pending_path) < 0 ? log_errno(-errno, "cannot remove file=%s", pending_path)
						: 0;
	r = file_move(pending_path, path);
	if (r < 0)
		return log_errno(r, "cannot make file=%s of file=%s", path, pending_path);
	log_info("made the administrator account, its key is in file=%s", path);
	return 0;
}

/* ---- every start ---- */

#define HOW_TO_RENEW "root makes a new key with: privlink admin new-key"

static void tell_of_content(const char *path, const struct store *store)
{
	struct admin_file file;
	int r = read_admin_file(path, &file);

	if (r == -ENOENT)
		log_info("there is no administrator's key in file=%s; " HOW_TO_RENEW, path);
	if (r < 0)
		return; /* said, if it is anything else */
	if (!file.key_id[0] || !file.secret[0])
		log_warning("there is no access key in file=%s although there is a file; " HOW_TO_RENEW,
			    path);
	else if (!snapshot_find(store_rows(store), KIND_ACCESS_KEY, file.key_id))
		log_warning("the access key=%s of file=%s is not in the store any more; " HOW_TO_RENEW,
			    file.key_id, path);
	explicit_bzero(&file, sizeof(file));
}

static void tell_of_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (st.st_mode & 077)
		log_warning("others may read the administrator's key file=%s mode=%03o; chmod 600 it, and "
			    "replace the key with: privlink admin new-key --revoke-others",
			    path, st.st_mode & 07777);
	if (st.st_uid != geteuid())
		log_warning("the administrator's key file=%s belongs to uid=%u; give it to uid=%u with chown",
			    path, st.st_uid, geteuid());
}

int daemon_admin_make(struct loop *loop, const char *state_dir, struct store *store)
{
	char path[PATH_MAX], pending_path[PATH_MAX];
	int r;

	r = path_in(state_dir, ADMIN_NAME, path);
	if (r == 0)
		r = path_in(state_dir, PENDING_NAME, pending_path);
	if (r == 0 && snapshot_count(store_rows(store), KIND_ACCOUNT, "") == 0)
		r = make(loop, store, pending_path);
	if (r == 0)
		r = finish_pending(path, pending_path, store);
	if (r < 0)
		return r;
	tell_of_mode(path);
	tell_of_content(path, store);
	return 0;
}
