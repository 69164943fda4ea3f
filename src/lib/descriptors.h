/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many descriptors the process may have.
 */
#pragma once

#define DESCRIPTORS_MAX 65536

/* As many as it may give itself, up to DESCRIPTORS_MAX; a limit that is higher stays. A negative errno: it
 * stays as it was. */
int descriptors_raise_limit(void);
