/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API daemon. Order of start: options; a process that stays behind to read files again; what only root
 * can open (directories, pid file, sockets, certificate); the store, as the user it belongs to; the first
 * account's key, once, for root to read; then root is given up for good; then the parts that serve. They stop
 * in the reverse order.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/admin/socket.h"
#include "api/frame/http.h"
#include "control/control.h"
#include "daemon_address.h"
#include "daemon_admin.h"
#include "daemon_audit.h"
#include "daemon_check.h"
#include "daemon_files.h"
#include "daemon_nonces.h"
#include "daemon_options.h"
#include "daemon_refuse.h"
#include "daemon_reload.h"
#include "daemon_store.h"
#include "exit_status.h"
#include "feed/server.h"
#include "http/tls.h"
#include "lib/descriptors.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/pid_file.h"
#include "metrics/metrics.h"
#include "model/catalogue.h"

struct daemon {
	struct daemon_options options;
	struct daemon_user user;
	int pid_fd, state_fd, https_fd, http_fd, feed_fd;
	struct daemon_reader *reader;
	struct daemon_reload *reload;
	struct loop *loop;
	struct loop_source *terminate, *interrupt;
	struct catalogue *catalogue;
	struct store *store;
	struct nonces *nonces;
	struct audit *audit;
	struct metrics *metrics;
	struct control *control;
	struct run_environment environment;
	struct http *http;
	struct feed_server *feed;
	bool needs_settings; /* it ends, and starting again does not help */
};

static void stop(void *context, uint32_t signal_number)
{
	struct daemon *d = context;

	log_info("stopping signal=%u", signal_number);
	notify_send("STOPPING=1\nSTATUS=Stopping");
	loop_exit(d->loop, EXIT_SUCCESS);
}

static int start_loop(struct daemon *d)
{
	int r;

	(void)signal(SIGPIPE, SIG_IGN);
	r = loop_new(&d->loop);
	if (r == 0)
		r = loop_add_signal(d->loop, SIGTERM, stop, d, &d->terminate);
	if (r == 0)
		r = loop_add_signal(d->loop, SIGINT, stop, d, &d->interrupt);
	return r < 0 ? log_errno(r, "cannot start the loop") : 0;
}

/* What was read and is wrong stays so until an operator comes. All else may be over when the daemon is
 * started again: a fault of the machine's, or a file that is not there, whose disk may come late. */
static int judge_settings(struct daemon *d, int r)
{
	d->needs_settings = r == -EINVAL || r == -EPERM || r == -EFBIG || r == -ENAMETOOLONG;
	return r;
}

static int load_catalogue(struct daemon *d)
{
	char why[256] = "";
	int r;

	r = catalogue_load(d->options.catalogue, &d->catalogue, why, sizeof(why));
	if (r < 0)
		log_error("cannot read catalogue=%s: %s", d->options.catalogue, *why ? why : strerror(-r));
	return judge_settings(d, r);
}

static int path_in(const char *directory, const char *name, char ret[PATH_MAX])
{
	return str_format(ret, PATH_MAX, "%s/%s", directory, name) < 0
		       ? log_errno(-ENAMETOOLONG, "cannot use directory=%s", directory)
		       : 0;
}

static int make_directories(struct daemon *d)
{
	int r;

	r = daemon_directory(d->options.state_dir, 0755, NULL);
	return r < 0 ? r : daemon_directory(d->options.run_dir, 0755, NULL);
}

static int use_certificate(const struct daemon_options *options)
{
	struct daemon_tls tls;
	int r;

	r = daemon_tls_read(options, &tls);
	if (r < 0)
		return r;
	r = daemon_tls_use(&tls);
	daemon_tls_done(&tls);
	return r;
}

static int open_https(struct daemon *d)
{
	int r = judge_settings(d, use_certificate(&d->options));

	return r < 0 ? r : daemon_listen_tcp(d->options.https, &d->https_fd);
}

static int open_http(struct daemon *d)
{
	int r = judge_settings(d, daemon_http_allowed(d->options.http, d->options.http_anywhere));

	return r < 0 ? r : daemon_listen_tcp(d->options.http, &d->http_fd);
}

static int open_tcp(struct daemon *d)
{
	const struct daemon_options *options = &d->options;
	int r = options->certificate ? open_https(d) : 0;

	if (r == 0 && !options->no_http)
		r = open_http(d);
	if (r == 0 && d->https_fd < 0 && d->http_fd < 0)
		r = judge_settings(
			d, log_errno(-EINVAL, "nothing to serve: neither a certificate nor plain HTTP"));
	return r;
}

/* One privlinkd for each run directory. */
static int take_pid_file(const char *path, int *ret_fd)
{
	int r = pid_file_take(path, ret_fd);
	char why[128];

	if (r >= 0)
		return 0;
	if (r == -EBUSY)
		return log_errno(r, "another privlinkd has pid file=%s", path);
	pid_file_reason(path, r, why, sizeof(why));
	log_error("cannot take pid file=%s: %s", path, why);
	return r;
}

/* And for each state directory: what stands beside the store is written before the store is opened. Where
 * directories cannot be locked (some network's), the store's own lock is left. */
static int take_state(const char *directory, int *ret_fd)
{
	int r = pid_file_lock_directory(directory, ret_fd);

	if (r == -EBUSY)
		return log_errno(r, "another privlinkd has state directory=%s", directory);
	if (r < 0)
		log_warning("cannot lock state directory=%s, ignoring: %s", directory, strerror(-r));
	return 0;
}

/* What nobody else may have while we look at the store. */
static int open_directories(struct daemon *d)
{
	char pid_path[PATH_MAX];
	int r;

	r = daemon_user_find(d->options.user, &d->user);
	if (r == 0)
		r = make_directories(d);
	if (r == 0)
		r = path_in(d->options.run_dir, "privlinkd.pid", pid_path);
	if (r == 0)
		r = take_pid_file(pid_path, &d->pid_fd);
	return r < 0 ? r : take_state(d->options.state_dir, &d->state_fd);
}

static int open_sockets(struct daemon *d)
{
	char feed_path[PATH_MAX];
	int r;

	r = path_in(d->options.run_dir, "feed.sock", feed_path);
	if (r == 0)
		r = open_tcp(d);
	if (r == 0)
		r = daemon_listen_unix(feed_path, &d->feed_fd);
	if (r == 0)
		r = daemon_address_write(d->options.state_dir, d->https_fd, d->http_fd);
	return r;
}

static uint64_t live_revision(const void *control)
{
	return control_live_revision(control);
}

static uint64_t reached(const void *control, enum kind kind, const void *row)
{
	return control_reached(control, kind, row);
}

static struct control_node node_state(const void *control, const char *node)
{
	return control_node(control, node);
}

static const char *failure(const void *control, const char *key)
{
	return control_failure_reason(control, key);
}

static int start_http(struct daemon *d)
{
	static const struct rate_limits none = {};
	int r;

	d->environment = (struct run_environment){.store = d->store,
						  .catalogue = d->catalogue,
						  .live_revision = live_revision,
						  .reached = reached,
						  .node_state = node_state,
						  .failure = failure,
						  .control = d->control,
						  .audit = d->audit,
						  .metrics = d->metrics};
	r = http_new(d->loop, &d->environment, TAKE_PTR(d->nonces),
		     d->options.no_rate_limits ? &none : &d->options.limits, &d->http);
	if (r == 0 && d->https_fd >= 0) {
		r = http_listen(d->http, TAKE_FD(d->https_fd), true);
		if (r == 0)
			log_info("serving https=%s", d->options.https);
	}
	if (r == 0 && d->http_fd >= 0) {
		r = http_listen(d->http, TAKE_FD(d->http_fd), false);
		if (r == 0)
			log_info("serving http=%s", d->options.http);
	}
	return r < 0 ? log_errno(r, "cannot serve the API") : 0;
}

static int start_services(struct daemon *d)
{
	int r;

	r = control_bootstrap(d->store, d->catalogue, d->loop);
	if (r < 0)
		return r;
	r = daemon_audit_open(&d->options, d->loop, &d->audit);
	if (r < 0)
		return r;
	r = metrics_new(METRICS_MEMORY_MAX, &d->metrics);
	if (r == 0)
		r = control_new(d->loop, d->store, &d->control);
	if (r < 0)
		return log_errno(r, "cannot start control");
	r = daemon_reload_new(d->loop, TAKE_PTR(d->reader), d->https_fd >= 0, &d->reload);
	if (r == 0)
		r = start_http(d);
	if (r < 0)
		return r;
	r = feed_server_new(d->loop, d->store, d->control, TAKE_FD(d->feed_fd), admin_handle, &d->feed);
	if (r < 0)
		return log_errno(r, "cannot serve the feed");
	feed_server_set_metrics(d->feed, d->metrics);
	return 0;
}

static int open_store(struct daemon *d)
{
	int r;

	r = daemon_store_open(d->loop, &d->options, &d->user, &d->store);
	return r < 0 ? r : daemon_admin_make(d->loop, d->options.state_dir, d->store);
}

static int serve(struct daemon *d)
{
	int r;

	r = open_sockets(d);
	if (r == 0)
		r = daemon_nonces_open(d->options.state_dir, &d->nonces);
	if (r == 0)
		r = open_store(d);
	if (r < 0)
		return r;
	daemon_audit_directory(&d->options, &d->user);
	r = daemon_user_become(&d->user);
	return r < 0 ? r : start_services(d);
}

static int start(struct daemon *d)
{
	int r;

	if (descriptors_raise_limit() < 0) /* for as many connections as the servers allow */
		log_warning("cannot raise the limit of open files, ignoring");
	r = start_loop(d);
	if (r == 0)
		r = load_catalogue(d);
	if (r == 0)
		r = open_directories(d);
	if (r < 0)
		return r;
	daemon_refuse_forget(d->options.run_dir);
	r = daemon_store_check(&d->options);
	if (r < 0)
		return r;
	return daemon_store_only(&d->options) ? open_store(d) : serve(d);
}

static void finish(struct daemon *d)
{
	/* Calls that wait for the end of the turn get it, and their answers. */
	if (d->store)
		(void)loop_turn(d->loop, 0);
	feed_server_free(d->feed);
	http_free(d->http);
	daemon_reload_free(d->reload);
	daemon_reader_free(d->reader);
	nonces_free(d->nonces);
	control_free(d->control);
	metrics_free(d->metrics);
	store_free(d->store);
	audit_free(d->audit); /* after the last call is answered */
	catalogue_free(d->catalogue);
	loop_source_free(d->terminate);
	loop_source_free(d->interrupt);
	loop_free(d->loop);
	closep(&d->https_fd);
	closep(&d->http_fd);
	closep(&d->feed_fd);
	if (d->pid_fd >= 0 && ftruncate(d->pid_fd, 0) < 0)
		log_warning("cannot empty the pid file, ignoring");
	closep(&d->pid_fd);
	closep(&d->state_fd);
	tls_identity_clear();
}

static int status_of(const struct daemon *d, int r)
{
	if (r == 0)
		return EXIT_SUCCESS;
	if (d->needs_settings)
		return EXIT_SETTINGS_REFUSED;
	return r == -EUCLEAN ? EXIT_STORE_REFUSED : EXIT_FAILURE;
}

static int run(struct daemon *d, int argc, char **argv)
{
	int r;

	log_set_level(d->options.log_level);
	r = daemon_reader_start(argc, argv, &d->reader);
	if (r == 0)
		r = start(d);
	if (r == 0 && !daemon_store_only(&d->options)) {
		notify_send("READY=1\nSTATUS=Serving");
		r = loop_run(d->loop);
	}
	finish(d);
	return status_of(d, r);
}

int main(int argc, char **argv)
{
	struct daemon d = {.pid_fd = -EBADF,
			   .state_fd = -EBADF,
			   .https_fd = -EBADF,
			   .http_fd = -EBADF,
			   .feed_fd = -EBADF};
	int r, status = EXIT_SUCCESS;

	(void)umask(022);
	(void)signal(SIGHUP, SIG_IGN); /* until there is something to reload */
	notify_begin();
	r = daemon_options_read(argc, argv, &d.options);
	if (d.options.help)
		daemon_options_help();
	else if (d.options.version)
		puts("privlinkd " PRIVLINK_VERSION);
	else if (d.options.check)
		status = daemon_check(&d.options, r);
	else
		status = r < 0 ? EXIT_SETTINGS_REFUSED : run(&d, argc, argv);
	daemon_options_done(&d.options);
	return status;
}
