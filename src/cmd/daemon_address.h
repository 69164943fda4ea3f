/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the daemon listens, for the command line on the same machine: <state-dir>/api.env, readable by all
 * and written anew at each start.
 */
#pragma once

/* Writes the URL of the HTTPS socket, or of plain HTTP's where there is no HTTPS; a descriptor below 0 is
 * none. Logs what fails. */
int daemon_address_write(const char *state_dir, int https_fd, int http_fd);
