/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc of an instance, for `privlink exec`.
 */
#pragma once

/* Makes /etc of this mount namespace (which must be the caller's own) the host's /etc with what is in `over`
 * on top. Names in `over` stay covered whatever the host renames in its own /etc later. Negative errno. */
int exec_mount_etc(const char *over);
/* The same without overlayfs: a tmpfs with copies of files and binds of directories. Exported for the test.
 */
int exec_mirror_etc(const char *over);
