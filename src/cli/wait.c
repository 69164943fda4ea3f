/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --wait: asks for the object's state until it is the wanted one. The first question comes at once and the
 * next ones soon, since on one machine most states last a few milliseconds.
 */
#include "cli.h"

#include <stdio.h>
#include <time.h>

#define FIRST_PAUSE_MS	 20
#define LONGEST_PAUSE_MS 500u

enum { NOT_YET, AS_WANTED, BLOCKED, UNSEEN };

static void pause_ms(unsigned int ms)
{
	const struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&ts, NULL);
}

/* "A=%s&B=c" with the id filled in, and the region. */
static int wait_params(const struct cli *cli, const struct cli_wait *wait, const char *id, struct params *ret)
{
	char query[512], *value;
	int r;

	r = str_copy(query, sizeof(query), wait->query);
	if (r < 0)
		return r;
	for (char *rest = query, *pair; (pair = strsep(&rest, "&"));) {
		char filled[512];
		const char *hole;

		value = strchr(pair, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		hole = strstr(value, "%s");
		r = hole ? str_format(filled, sizeof(filled), "%.*s%s%s", (int)(hole - value), value, id,
				      hole + 2)
			 : str_copy(filled, sizeof(filled), value);
		if (r >= 0)
			r = params_add(ret, pair, filled);
		if (r < 0)
			return r;
	}
	return params_add(ret, "RegionId", cli->region);
}

/* Whether the entry has all the states; the ones it has instead go to `ret_seen`. */
static bool conditions_hold(const json_t *entry, const char *conditions, char *ret_seen, size_t seen_size)
{
	char copy[256], *rest = copy, *pair;
	bool all = true;
	size_t used = 0;

	*ret_seen = '\0';
	if (str_copy(copy, sizeof(copy), conditions) < 0)
		return false;
	while ((pair = strsep(&rest, ","))) {
		char *wanted = strchr(pair, '=');
		_cleanup_(freep) char *text = NULL;
		int n;

		*wanted++ = '\0';
		text = cli_value_text(entry, pair);
		all = all && text && streq(text, wanted);
		n = str_format(ret_seen + used, seen_size - used, "%s%s is %s", used ? ", " : "", pair,
			       text && *text ? text : "absent");
		used += n > 0 ? (size_t)n : 0;
	}
	return all;
}

static bool is_not_found(const struct cli_reply *reply)
{
	const char *code = json_string_value(json_object_get(reply->body, "Code"));

	return code && strstr(code, "NotFound");
}

/* What an entry says of the wait. */
static int judge(const struct cli_wait *wait, const json_t *entry, char *seen, size_t seen_size)
{
	char unused[512];

	if (wait->gone)
		return entry ? NOT_YET : AS_WANTED;
	if (!entry)
		return UNSEEN;
	if (conditions_hold(entry, wait->conditions, seen, seen_size))
		return AS_WANTED;
	return wait->blocked && conditions_hold(entry, wait->blocked, unused, sizeof(unused)) ? BLOCKED
											      : NOT_YET;
}

/* What the entry says of why it is not there yet; told as it comes, since it may be for the caller to mend.
 */
static void tell_reason(const char *id, const json_t *entry, char *told, size_t told_size)
{
	const char *reason = json_string_value(json_object_get(entry, "StatusInfo"));

	if (!reason || streq(reason, told))
		return;
	fprintf(stderr, "privlink: %s: %s\n", id, reason);
	(void)str_format(told, told_size, "%s", reason);
}

/* One look: one of the above, or negative: an error that was printed. */
static int look(struct cli *cli, const struct cli_command *command, const char *id, char *seen,
		size_t seen_size, char *told, size_t told_size)
{
	const struct cli_wait *wait = command->wait;
	const struct product_info *product = product_by_name(wait->product ?: command->product);
	struct params params = {0};
	struct cli_reply reply = {0};
	const json_t *entry;
	struct cli_view view;
	int r;

	cli_view_of(action_find(product->product, wait->action), &view);
	r = wait_params(cli, wait, id, &params);
	if (r >= 0)
		r = cli_send(cli, product, wait->action, &params, &reply);
	params_done(&params);
	if (r < 0)
		return r;
	if (cli_reply_is_error(&reply)) {
		r = AS_WANTED;
		if (!wait->gone || !is_not_found(&reply)) {
			cli_reply_print_error(&reply);
			r = -EBADMSG;
		}
	} else {
		entry = cli_value_at(reply.body, view.list);
		if (json_is_array(entry))
			entry = json_array_get(entry, 0);
		r = judge(wait, entry, seen, seen_size);
		if (r == NOT_YET && !wait->gone)
			tell_reason(id, entry, told, told_size);
	}
	cli_reply_done(&reply);
	return r;
}

int cli_wait_for(struct cli *cli, const struct cli_command *command, const char *id)
{
	unsigned int pause = FIRST_PAUSE_MS;
	char seen[512] = "", told[1100] = "";
	int r;

	for (;;) {
		r = look(cli, command, id, seen, sizeof(seen), told, sizeof(told));
		if (r == UNSEEN)
			return cli_fail("%s cannot be waited for: this account does not see it", id);
		if (r == BLOCKED)
			fprintf(stderr, "privlink: %s: %s\n", id, command->wait->blocked_note);
		if (r != NOT_YET)
			return r > 0 ? CLI_OK : CLI_FAILED;
		if (now_mono_ms() >= cli->deadline_ms)
			break;
		pause_ms(pause);
		pause = MIN(pause * 3 / 2, LONGEST_PAUSE_MS);
	}
	if (command->wait->gone)
		return cli_fail("gave up after %u s: %s is still there", cli->timeout_s, id);
	return cli_fail("gave up after %u s: of %s, %s", cli->timeout_s, id,
			*seen ? seen : "nothing is to be seen");
}
