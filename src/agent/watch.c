/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "../lib/log.h"
#include "../lib/loop.h"

#define LOOK_INTERVAL_MS 5000
#define LOOK_STEP_MS	 20 /* from some ports to the next ones */
#define THOROUGH_MS	 (5 * 60 * 1000)
#define DAILY_MS	 (24 * 60 * 60 * 1000)

struct watch {
	struct watch_parts parts;
	int monitor_fd;
	struct loop_source *devices, *monitor, *look, *inside, *mend;
	bool is_look_due, are_links_due; /* when no device is being worked on any more */
	bool has_looked_at_all;		 /* of the ports, since it began with them … */
	bool is_disturbed;		 /* … and found that some are to be made again */
	bool are_links_lost;		 /* some of what the monitor had to say */
	uint64_t thorough_ms;		 /* when the trust store was looked at thoroughly */
	uint64_t daily_ms;		 /* and when it was said how it stands */
	int trust_error;		 /* with which it could not be copied; 0: it could */
};

static void on_link_gone(void *context, uint32_t ifindex)
{
	struct watch *watch = context;

	if (ports_forget_link(watch->parts.ports, ifindex) == PORT_LINK_NODE)
		reconcile_request(watch->parts.reconcile, false);
}

static void on_lost(void *context, uint32_t number)
{
	const struct watch *watch = context;

	reconcile_mend(watch->parts.reconcile, number);
}

/* Devices that went, or did before and were to pause. */
static void mend(struct watch *watch)
{
	uint64_t pause_ms = ports_each_lost(watch->parts.ports, on_lost, watch);

	if (pause_ms)
		loop_timer_set(watch->mend, pause_ms);
}

static void on_mend(void *context, uint32_t events)
{
	(void)events;
	mend(context);
}

static void read_links(struct watch *watch)
{
	bool are_lost = rtnl_monitor_drain(watch->monitor_fd, on_link_gone, watch) > 0;

	if (are_lost || watch->are_links_lost)
		reconcile_request(watch->parts.reconcile, true);
	watch->are_links_lost = false;
	mend(watch);
}

static void on_link_event(void *context, uint32_t events)
{
	struct watch *watch = context;

	watch->are_links_due = ports_are_busy(watch->parts.ports);
	if (!watch->are_links_due) {
		/* Which may have been put off, for a device that a pass has waited for since. */
		(void)loop_source_set_events(watch->monitor, EPOLLIN);
		read_links(watch);
		return;
	}
	(void)loop_source_set_events(watch->monitor, 0);
	/* That messages were lost is told until somebody takes note of it, whatever is asked for. */
	if (events & EPOLLERR)
		watch->are_links_lost |= rtnl_monitor_has_lost(watch->monitor_fd);
}

static enum netns_files_look next_look(struct watch *watch)
{
	uint64_t now_ms = now_mono_ms();
	bool is_daily = now_ms - watch->daily_ms >= DAILY_MS;

	if (is_daily)
		watch->daily_ms = now_ms;
	else if (now_ms - watch->thorough_ms < THOROUGH_MS)
		return NETNS_FILES_BRIEFLY;
	watch->thorough_ms = now_ms;
	return is_daily ? NETNS_FILES_ALOUD : NETNS_FILES_THOROUGHLY;
}

/* Files and pins: what someone else may have changed under us, as far as a look at it costs nothing. */
static void look_at_files(struct watch *watch)
{
	int r = netns_files_refresh(watch->parts.files, next_look(watch));

	/* It is tried at each look, and each would say the same. */
	if (r < 0 && r != watch->trust_error)
		log_warning("cannot copy the host's trust store file=%s, ignoring: %s",
			    netns_files_failed(watch->parts.files), strerror(-r));
	watch->trust_error = MIN(r, 0);
	if (datapath_repair_pins(watch->parts.datapath) > 0)
		reconcile_request(watch->parts.reconcile, true);
}

/* The same of ports, some at a time: on a node of many it would hold up changes. One pass mends all. */
static void look(struct watch *watch)
{
	if (watch->has_looked_at_all)
		look_at_files(watch);
	watch->is_disturbed |= ports_look(watch->parts.ports, &watch->has_looked_at_all) > 0;
	if (watch->has_looked_at_all && watch->is_disturbed) {
		watch->is_disturbed = false;
		reconcile_request(watch->parts.reconcile, false);
	}
	mend(watch);
	loop_timer_set(watch->look, watch->has_looked_at_all ? LOOK_INTERVAL_MS : LOOK_STEP_MS);
}

static void on_look(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	watch->is_look_due = ports_are_busy(watch->parts.ports);
	if (!watch->is_look_due)
		look(watch);
}

/* What is inside of instances, one at a time. */
static void on_inside(void *context, uint32_t events)
{
	struct watch *watch = context;

	(void)events;
	loop_timer_set(watch->inside, reconcile_look_inside(watch->parts.reconcile));
}

/* Between two devices is the time for what would have waited for the first one. */
static void on_device(void *context, uint32_t events)
{
	struct watch *watch = context;
	char instance[ID_SIZE];
	int r = ports_take_done(watch->parts.ports, instance);

	(void)events;
	reconcile_device(watch->parts.reconcile, r, instance);
	mend(watch); /* it may have gone while it was made */
	if (watch->are_links_due && !ports_are_busy(watch->parts.ports)) {
		watch->are_links_due = false;
		(void)loop_source_set_events(watch->monitor, EPOLLIN);
		read_links(watch);
	}
	if (watch->is_look_due)
		on_look(watch, 0);
	reconcile_go_on(watch->parts.reconcile);
}

int watch_new(const struct watch_parts *parts, struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->parts = *parts;
	watch->has_looked_at_all = true;
	watch->monitor_fd = rtnl_monitor_open();
	r = MIN(watch->monitor_fd, 0);
	if (r == 0)
		r = loop_add_fd(parts->loop, watch->monitor_fd, EPOLLIN, on_link_event, watch,
				&watch->monitor);
	if (r == 0)
		r = loop_add_fd(parts->loop, ports_fd(parts->ports), EPOLLIN, on_device, watch,
				&watch->devices);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_look, watch, &watch->look);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_inside, watch, &watch->inside);
	if (r == 0)
		r = loop_add_timer(parts->loop, on_mend, watch, &watch->mend);
	if (r < 0) {
		watch_free(watch);
		return r;
	}
	look(watch);
	on_inside(watch, 0);
	*ret = watch;
	return 0;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	loop_source_free(watch->mend);
	loop_source_free(watch->inside);
	loop_source_free(watch->look);
	loop_source_free(watch->devices);
	loop_source_free(watch->monitor);
	closep(&watch->monitor_fd);
	free(watch);
	return NULL;
}
