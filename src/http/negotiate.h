/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller says of the form in which it would have an answer. Pure.
 */
#pragma once

#include <stdbool.h>

/* Whether the value of Accept-Encoding takes gzip. NULL (it says nothing): it does not. */
bool negotiate_takes_gzip(const char *accept_encoding);

/* Whether the value of If-None-Match (NULL: absent) names this entity tag, which is given with its quotes;
 * weak ones count, too. */
bool negotiate_has_tag(const char *if_none_match, const char *tag);

/* Whether the value of Accept (NULL: absent) names this media type itself, and not only by "*". */
bool negotiate_names_type(const char *accept, const char *type);
