/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What load balancers, listeners and server groups share: how one is found, changed and deleted, and the job
 * that each change is. A job is a row without content that is put in the transaction of the change it stands
 * for: it has succeeded when the live nodes that its subject concerns have reported that revision, and not
 * before. So a job ends with the state that it stands for, and no node that is behind elsewhere holds it up.
 */
#include "actions.h"

#include <stdarg.h>
#include <stdio.h>

#include "../../model/check.h"
#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "../common/tags.h"
#include "../frame/fill.h"

/* Room for one more job of the account: the oldest is forgotten, as it would be after a day. */
static void make_room(struct call *call)
{
	const struct job *oldest = NULL;
	int64_t uid = call->account->uid;

	if (snapshot_count_owned(call->rows, KIND_JOB, uid, "") < JOBS_PER_ACCOUNT_MAX)
		return;
	for (const struct job *j = NULL; (j = snapshot_owned(call->rows, KIND_JOB, uid, "", j));)
		if (!oldest || j->meta.modified < oldest->meta.modified)
			oldest = j;
	call_delete(call, KIND_JOB, oldest);
}

void nlb_job(struct call *call, const char *subject)
{
	struct job job = {.owner = call->account->uid, .create_time = call->now};

	make_room(call);
	call_new_id(call, "job-", job.id);
	(void)str_copy(job.subject, sizeof(job.subject), subject);
	call_put(call, KIND_JOB, &job);
	answer_string(call->answer, "JobId", job.id);
}

int nlb_fail_value(struct call *call, const char *name, const char *format, ...)
{
	char detail[sizeof(call->error.message)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	call_set_error(call, "IllegalParam.{name}", name, detail);
	return -EBADMSG;
}

int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE])
{
	const char *text = call_string(call, param);

	if (text && text[0] && (!check_name(text, true) || str_copy(ret, NAME_SIZE, text) < 0))
		return nlb_fail_value(
			call, param,
			"It has 2 to 128 characters: first a letter or a Chinese character, then also "
			"digits, '-', '_', '.' and ':'.");
	return 0;
}

int nlb_read_description(struct call *call, const char *param, const char *text, char ret[TEXT_SIZE])
{
	if (text && ((text[0] && !check_description(text)) || str_copy(ret, TEXT_SIZE, text) < 0))
		return nlb_fail_value(
			call, param,
			"It has 2 to 256 characters and begins with neither http:// nor https://.");
	return 0;
}

/* Up to which revision those have come that the job waits for. What is gone is in force as that everywhere.
 */
static uint64_t job_reached(const struct call *call, const struct job *job)
{
	enum kind kind;
	const void *subject;

	if (!*job->subject)
		return call->live_revision;
	subject = snapshot_parent(call->rows, REF_JOB_SUBJECT, job, &kind);
	return subject ? call_reached(call, kind, subject) : UINT64_MAX;
}

int nlb_job_status(struct call *call)
{
	const struct job *job = snapshot_find(call->rows, KIND_JOB, call_string(call, "JobId"));

	if (!job || job->owner != call->account->uid)
		return call_fail(call, "ResourceNotFound.Job");
	answer_string(call->answer, "Status",
		      job_reached(call, job) >= job->meta.modified ? "Succeeded" : "processing");
	return 0;
}

/* What the calls of a kind name it by, and say when there is none, and when it is in the way of itself. */
static const struct sort {
	enum kind kind;
	const char *param, *not_found, *incorrect;
} sorts[] = {
	{KIND_LOAD_BALANCER, "LoadBalancerId", "ResourceNotFound.loadBalancer",
	 "IncorrectStatus.loadBalancer"},
	{KIND_LISTENER, "ListenerId", "ResourceNotFound.listener", "IncorrectStatus.listener"},
	{KIND_SERVER_GROUP, "ServerGroupId", "ResourceNotFound.serverGroup", "IncorrectStatus.serverGroup"},
};

static const struct sort *find_sort(enum kind kind)
{
	const struct sort *sort = sorts;

	while (sort->kind != kind)
		sort++;
	return sort;
}

const void *nlb_owned(const struct call *call, enum kind kind, const char *id)
{
	const void *row = owned_row(call, kind, id);

	return row && !balancer_is_classic(call, kind, row) ? row : NULL;
}

int nlb_find(struct call *call, enum kind kind, const void **ret)
{
	const struct sort *sort = find_sort(kind);

	*ret = nlb_owned(call, kind, call_string(call, sort->param));
	return *ret ? 0 : call_fail(call, sort->not_found);
}

static int event_of(enum kind kind, void *row, enum state_event event)
{
	switch (kind) {
	case KIND_LOAD_BALANCER:
		return load_balancer_event(row, event);
	case KIND_LISTENER:
		return listener_event(row, event);
	default:
		return server_group_event(row, event);
	}
}

int nlb_move(struct call *call, enum kind kind, const void *object, enum state_event event, void *ret)
{
	memcpy(ret, object, kind_info(kind)->size);
	switch (event_of(kind, ret, event)) {
	case 0:
		return 1;
	case -EALREADY:
		return 0;
	default:
		return call_fail(call, find_sort(kind)->incorrect);
	}
}

int nlb_begin(struct call *call, enum kind kind, void *ret)
{
	const void *object;
	int r;

	r = nlb_find(call, kind, &object);
	return r < 0 ? r : nlb_move(call, kind, object, EVENT_MODIFY, ret);
}

int nlb_end(struct call *call, enum kind kind, const void *row)
{
	char key[KEY_SIZE];
	int r;

	r = row_key(kind, row, key);
	if (r < 0)
		return r;
	call_put(call, kind, row);
	answer_row(call->answer, call->action->answer, kind, row);
	nlb_job(call, strchr(key, '/') + 1);
	return 0;
}

int nlb_delete(struct call *call, enum kind kind, const void *object, void *row)
{
	int r;

	r = nlb_move(call, kind, object, EVENT_DELETE, row);
	if (r < 0)
		return r;
	if (r > 0) {
		call_put(call, kind, row);
		tags_drop(call, snapshot_id(object));
	}
	nlb_job(call, snapshot_id(object));
	return r;
}
