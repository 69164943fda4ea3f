/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy documents of endpoints.
 */
#pragma once

#include "../frame/action.h"

/* The parameter PolicyDocument, if it is there and not empty, into the row. Fails the call if the service
 * takes none, or it is none. */
int policy_read(struct call *call, const struct service *service, struct endpoint *row);
/* The member PolicyDocument: the endpoint's, or what the service does without one; none where it takes none.
 * `service` may be NULL. */
void policy_answer(json_t *object, const struct endpoint *endpoint, const struct service *service);
