/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on one port's devices, as a job of another thread (lib/worker.h). The kernel lets whoever attaches a
 * program to a device, or removes a device, wait until all processors have let go of what was there before:
 * some 15 ms for each program, 20 to 50 ms for a removal. It keeps all links locked meanwhile, so whoever
 * asks for a link waits, too.
 *
 * So while a job runs, its port_env (with its socket and the programs behind it) is the job's alone, and the
 * loop's thread leaves links alone.
 */
#pragma once

#include "port_device.h"

struct port_job {
	const struct port_env *env;
	bool is_removal;
	bool is_look;	       /* at a port that stands: as if it were to be made */
	struct plan_port port; /* to be made; of what is to be removed, as it was made (number 0: it never
				  was) */
	struct port_mark mark; /* to be removed */
	uint32_t ifindex;      /* in and out, as in port_device_sync() */
	const char *step;      /* of it */
	int r;
};

/* A worker_job; the context is a struct port_job. */
void port_job_run(void *context);
