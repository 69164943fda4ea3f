/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privlink exec: runs a command inside an instance, with the instance's host name, resolver and trust store
 * and no one else's.
 *
 * The command gets a mount namespace of its own: /etc is the host's with the instance's files on top, the
 * sockets of the host's name services are hidden, /sys shows the instance's devices (and nothing of the
 * host's BPF file system); and a UTS namespace of its own, so that what it does to its host name is not done
 * to the host's. Then it enters the instance's network namespace and becomes the command, so that signals,
 * terminal and exit status are the command's own.
 */
#include "exec.h"
#include "cli.h"
#include "trust.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_DIR "/run/netns"

/* Libraries that do not look at the system's trust store by themselves are told where it is. curl, wget and
 * GnuTLS need no telling. */
static const struct {
	const char *name, *value;
} environment[] = {
	{"SSL_CERT_FILE", CLI_SYSTEM_CA},      /* OpenSSL, Python's ssl, Go */
	{"REQUESTS_CA_BUNDLE", CLI_SYSTEM_CA}, /* Python's requests, which brings its own */
	{"NODE_EXTRA_CA_CERTS", CLI_SYSTEM_CA},
};

/* What the host's user set for the host's network is not for the instance. */
static const char *const forgotten[] = {
	"http_proxy",	"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	"no_proxy",	"NO_PROXY",    "HTTP_PROXY",  "ftp_proxy", "CURL_CA_BUNDLE",
	"SSL_CERT_DIR", "LOCALDOMAIN", "RES_OPTIONS",
};

static bool is_instance_id(const char *id)
{
	if (!str_starts(id, "i-") || strlen(id) > 39)
		return false;
	for (const char *c = id; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	return true;
}

static int open_netns(const char *id)
{
	char path[PATH_MAX];
	int fd;

	(void)str_format(path, sizeof(path), NETNS_DIR "/%s", id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Mounts of our own: what we mount reaches nobody else, what the host mounts later still reaches us.
 *
 * Inside a chroot "/" need not be a mount point, and its propagation cannot be set by that name. Joining the
 * mount namespace that we are in puts us at its real root, where it can; then we go back to where we were. */
static int own_mounts(void)
{
	_cleanup_(closep) int root = -EBADF, ns = -EBADF;

	if (unshare(CLONE_NEWNS) < 0)
		return cli_fail("cannot make a mount namespace: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0)
		return CLI_OK;
	if (errno != EINVAL)
		return cli_fail("cannot make mounts private: %s", strerror(errno));
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (root < 0 || ns < 0 || setns(ns, CLONE_NEWNS) < 0)
		return cli_fail("cannot leave the chroot for a moment: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return cli_fail("cannot make mounts private: %s", strerror(errno));
	if (fchdir(root) < 0 || chroot(".") < 0)
		return cli_fail("cannot return into the chroot: %s", strerror(errno));
	return CLI_OK;
}

/* An empty directory in place of one that has sockets of the host's name services. */
static int hide(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=755") == 0)
		return CLI_OK;
	return cli_fail("cannot hide the host's name service in %s: %s", path, strerror(errno));
}

/* Where it cannot be hidden the command does not run: the host's names would be taken for the instance's. */
static int hide_name_services(void)
{
	static const char *const places[] = {"/run/nscd", "/var/run/nscd", "/run/systemd/resolve"};
	int r = CLI_OK;

	for (size_t i = 0; i < ARRAY_SIZE(places) && r == CLI_OK; i++)
		r = hide(places[i]);
	return r;
}

/* Shows the devices of the network namespace that we are in. Without it only tools that read /sys are misled.
 */
static void renew_sysfs(void)
{
	(void)mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* The first line of the instance's /etc/hostname, or its id: not the host's name in any case. */
static void read_host_name(const char *etc, const char *id, char ret[HOST_NAME_MAX + 1])
{
	char path[PATH_MAX];
	FILE *file = NULL;

	if (str_format(path, sizeof(path), "%s/hostname", etc) >= 0)
		file = fopen(path, "re");
	if (!file || !fgets(ret, HOST_NAME_MAX + 1, file))
		ret[0] = '\0';
	if (file)
		(void)fclose(file);
	ret[strcspn(ret, " \t\r\n")] = '\0';
	if (!*ret)
		(void)str_copy(ret, HOST_NAME_MAX + 1, id);
}

/* A shell takes the variable for its host name, where there is one. */
static int own_host_name(const char *etc, const char *id)
{
	char name[HOST_NAME_MAX + 1];

	read_host_name(etc, id, name);
	if (unshare(CLONE_NEWUTS) < 0 || sethostname(name, strlen(name)) < 0)
		return cli_fail("cannot take the host name %s: %s", name, strerror(errno));
	if (getenv("HOSTNAME") && setenv("HOSTNAME", name, 1) < 0)
		return cli_fail("%s", strerror(errno));
	return CLI_OK;
}

static int enter(const char *id)
{
	_cleanup_(closep) int netns = open_netns(id);
	char cwd[PATH_MAX], etc[PATH_MAX];
	int r;

	if (netns == -ENOENT)
		return cli_fail("no instance %s on this node", id);
	if (netns < 0)
		return cli_fail("cannot open " NETNS_DIR "/%s: %s", id, strerror(-netns));
	if (!getcwd(cwd, sizeof(cwd)))
		(void)str_copy(cwd, sizeof(cwd), "/");
	r = own_mounts();
	if (r != CLI_OK)
		return r;
	if (setns(netns, CLONE_NEWNET) < 0)
		return cli_fail("cannot enter instance %s: %s", id, strerror(errno));
	renew_sysfs();
	r = hide_name_services();
	if (r != CLI_OK)
		return r;
	(void)str_format(etc, sizeof(etc), "/etc/netns/%s", id);
	r = own_host_name(etc, id);
	if (r != CLI_OK)
		return r;
	r = exec_mount_etc(etc);
	if (r < 0)
		return cli_fail("cannot give instance %s its files of %s: %s", id, etc, strerror(-r));
	if (chdir(cwd) < 0 && chdir("/") < 0)
		return cli_fail("cannot change to /: %s", strerror(errno));
	return CLI_OK;
}

static int become(char **command)
{
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(forgotten); i++)
		(void)unsetenv(forgotten[i]);
	for (size_t i = 0; i < ARRAY_SIZE(environment); i++)
		if (setenv(environment[i].name, environment[i].value, 1) < 0)
			return cli_fail("%s", strerror(errno));
	execvp(command[0], command);
	error = errno;
	(void)cli_fail("cannot run %s: %s", command[0], strerror(error));
	return error == ENOENT ? 127 : 126;
}

/* An id, or the name of an instance of the caller's. */
static int find_instance(struct cli *cli, const char *name, char **ret)
{
	int r;

	if (!isalpha((unsigned char)*name))
		return cli_usage("exec %s: expected an instance, i-… or its name", name);
	if (is_instance_id(name))
		r = (*ret = strdup(name)) ? CLI_OK : cli_fail("out of memory");
	else
		r = cli_config_load(cli) < 0 ? CLI_FAILED : cli_instance_id(cli, name, ret);
	return r != CLI_OK || is_instance_id(*ret) ? r : cli_fail("%s is no instance", *ret);
}

int cli_run_exec(struct cli *cli, int argc, char **argv)
{
	_cleanup_(freep) char *id = NULL;
	int command = 1, r;

	if (argc > 1 && streq(argv[1], "--"))
		command = 2;
	if (argc < 1 || !*argv[0])
		return cli_usage("exec needs an instance");
	if (command >= argc)
		return cli_usage("exec needs a command: privlink exec %s -- COMMAND", argv[0]);
	if (geteuid() != 0)
		return cli_fail("exec needs root");
	r = find_instance(cli, argv[0], &id);
	if (r == CLI_OK)
		r = enter(id);
	return r == CLI_OK ? become(argv + command) : r;
}
