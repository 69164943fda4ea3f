/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a server's certificate is not trusted.
 */
#pragma once

#include "../lib/util.h"

/* From GnuTLS's verification status: what is wrong with the certificate, and what to do. NULL: nothing that
 * its signature or its time tells, so it is the name. */
const char *cli_trust_refusal(unsigned int status);
