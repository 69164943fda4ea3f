/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log as the options want it, in <state-dir>/audit.
 */
#pragma once

#include "audit/audit.h"
#include "daemon_files.h"
#include "daemon_options.h"

/* "all", "changes", "none"; "1" to AUDIT_FILE_MIB_MAX; "2" to AUDIT_FILES_MAX: -EINVAL for anything else. */
#define AUDIT_FILE_MIB_MAX 1024
#define AUDIT_FILES_MAX	   1000
int daemon_audit_level_check(const char *value);
int daemon_audit_size_check(const char *value);
int daemon_audit_files_check(const char *value);

/* The directory, as long as there is root to give it to the user. What fails is logged, and the log says
 * later what it cannot write. */
void daemon_audit_directory(const struct daemon_options *options, const struct daemon_user *user);
/* Once the user is who writes. Logs what fails. */
int daemon_audit_open(const struct daemon_options *options, struct loop *loop, struct audit **ret);
