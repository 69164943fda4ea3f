/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line says when it cannot do what it was told to.
 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>

static void complain(const char *format, va_list ap)
{
	fputs("privlink: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

int cli_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return CLI_FAILED;
}
