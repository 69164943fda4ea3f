/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_reload.h"

#include "lib/log.h"
#include "lib/notify.h"

#define LOOK_INTERVAL_MS (24 * 60 * 60 * 1000)

struct daemon_reload {
	struct daemon_reader *reader;
	struct loop_source *hangup, *look;
	bool https;
};

static int take_tls(const struct daemon_reload *reload, const struct daemon_tls *tls)
{
	int r = 0;

	if (tls->certificate && !reload->https)
		log_warning("a certificate is configured now: restart privlinkd to serve HTTPS");
	else if (!tls->certificate && reload->https)
		log_warning("no certificate is configured any more: HTTPS goes on with the one that stands, "
			    "until privlinkd is restarted");
	else if (tls->certificate)
		r = daemon_tls_use(tls);
	return r;
}

static void was_read(void *context, int result, enum log_level level, const struct daemon_tls *tls)
{
	const struct daemon_reload *reload = context;

	if (result == 0)
		result = take_tls(reload, tls);
	if (result < 0) {
		log_error("nothing was reloaded, the settings and the certificate that stand stay in use: "
			  "mend what is wrong and reload privlinkd again");
		notify_send("READY=1\nSTATUS=Serving; the last reload failed (see the log)");
		return;
	}
	log_set_level(level);
	log_info("reloaded certificate and log level (other settings count from the next start)");
	notify_send("READY=1\nSTATUS=Serving");
}

static void on_hangup(void *context, _unused_ uint32_t signal_number)
{
	struct daemon_reload *reload = context;

	log_info("reading the settings again");
	notify_reloading();
	daemon_reader_ask(reload->reader);
}

static void on_look(void *context, _unused_ uint32_t events)
{
	struct daemon_reload *reload = context;

	daemon_tls_look();
	loop_timer_set(reload->look, LOOK_INTERVAL_MS);
}

int daemon_reload_new(struct loop *loop, struct daemon_reader *reader, bool https, struct daemon_reload **ret)
{
	struct daemon_reload *reload = calloc(1, sizeof(*reload));
	int r;

	if (!reload) {
		daemon_reader_free(reader);
		return -ENOMEM;
	}
	*reload = (struct daemon_reload){.reader = reader, .https = https};
	r = daemon_reader_listen(reader, loop, was_read, reload);
	if (r == 0)
		r = loop_add_signal(loop, SIGHUP, on_hangup, reload, &reload->hangup);
	if (r == 0)
		r = loop_add_timer(loop, on_look, reload, &reload->look);
	if (r < 0) {
		daemon_reload_free(reload);
		return log_errno(r, "cannot listen to SIGHUP");
	}
	loop_timer_set(reload->look, LOOK_INTERVAL_MS);
	*ret = reload;
	return 0;
}

struct daemon_reload *daemon_reload_free(struct daemon_reload *reload)
{
	if (!reload)
		return NULL;
	loop_source_free(reload->hangup);
	loop_source_free(reload->look);
	daemon_reader_free(reload->reader);
	free(reload);
	return NULL;
}
