/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs, and names. A job is a row without content that is put in the transaction of the
 * change it stands for: it has succeeded when all live nodes have reported that revision, and not before.
 */
#include "actions.h"

#include "../../model/check.h"
#include "../common/limits.h"

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

void nlb_job(struct call *call)
{
	struct job job = {.owner = call->account->uid, .create_time = call->now};

	make_room(call);
	call_new_id(call, "job-", job.id);
	call_put(call, KIND_JOB, &job);
	answer_string(call->answer, "JobId", job.id);
}

int nlb_read_name(struct call *call, const char *param, char ret[NAME_SIZE])
{
	const char *text = call_string(call, param);

	if (text && text[0] && (!check_name(text, true) || str_copy(ret, NAME_SIZE, text) < 0))
		return call_fail_named(call, "IllegalParam.{name}", param);
	return 0;
}

int nlb_job_status(struct call *call)
{
	const struct job *job = snapshot_find(call->rows, KIND_JOB, call_string(call, "JobId"));

	if (!job || job->owner != call->account->uid)
		return call_fail(call, "ResourceNotFound.Job");
	answer_string(call->answer, "Status",
		      call->live_revision >= job->meta.modified ? "Succeeded" : "processing");
	return 0;
}
