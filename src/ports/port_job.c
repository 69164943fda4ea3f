/* SPDX-License-Identifier: Apache-2.0 */
#include "port_job.h"

static int remove_devices(const struct port_job *job)
{
	const struct port_programs *programs = &job->env->programs;
	int r = port_device_remove(job->env, &job->mark, job->ifindex);

	return r < 0 || !job->port.number || !programs->sweep
		       ? r
		       : programs->sweep(programs->context, job->port.slot);
}

void port_job_run(void *context)
{
	struct port_job *job = context;

	job->step = "";
	job->r = job->is_removal ? remove_devices(job)
				 : port_device_sync(job->env, &job->port, &job->ifindex, &job->step);
}
