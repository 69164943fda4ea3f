/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switch of an endpoint's flow log: whose it is, how many may be on, that nothing else of the endpoint
 * changes with it, and that its node hears of it.
 */
#include "plan/plan.h"
#include "privatelink_world.h"

static struct endpoint row_of(const struct harness *h, const char *id)
{
	return *(const struct endpoint *)snapshot_find(store_rows(h->store), KIND_ENDPOINT, id);
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	_cleanup_(json_decrefp) json_t *x = row_to_json(KIND_ENDPOINT, a);
	_cleanup_(json_decrefp) json_t *y = row_to_json(KIND_ENDPOINT, b);

	return x && json_equal(x, y);
}

static void is_switched(struct harness *h, const char *id, const char *state, const char *what)
{
	harness_call(h, ALICE, PRODUCT_PRIVLINK, "GetEndpointFlowLog", REGION "EndpointId=%s", id);
	tap_is_str(harness_text(h, "FlowLog"), state, "%s", what);
}

static bool set(struct harness *h, int64_t uid, const char *id, const char *state)
{
	return harness_call(h, uid, PRODUCT_PRIVLINK, "SetEndpointFlowLog", REGION "EndpointId=%s&FlowLog=%s",
			    id, state);
}

int main(void)
{
	struct endpoint before, after;
	const char *id, *other;
	struct harness harness, *h = &harness;
	struct world w;

	log_set_level(LOG_LEVEL_ERROR);
	harness_begin(h);
	w = make_world(h);
	id = make_endpoint(h, &w, w.service);
	other = make_endpoint(h, &w, w.service);
	harness_in_force(h, NODE);
	before = row_of(h, id);
	is_switched(h, id, "Off", "an endpoint has no flow log");
	tap_ok(set(h, ALICE, id, "On"), "its owner switches it on");
	is_switched(h, id, "On", "then it is");
	tap_ok(set(h, ALICE, id, "on"), "and once more, which changes nothing");
	before.flow_log = true;
	after = row_of(h, id);
	tap_ok(is_same(&before, &after), "nothing else of it is another");
	tap_ok(!set(h, BOB, id, "Off"), "it is nobody else's to switch");
	tap_is_str(h->error.code, "EndpointNotFound", "as if it were not there");
	tap_ok(!set(h, ALICE, id, "Perhaps"), "there is On and Off");
	harness_call(h, ROOT, PRODUCT_PRIVLINK, "SetQuota", "AccountId=%lld&QuotaName=flow_logs&Value=1",
		     (long long)ALICE);
	tap_ok(!set(h, ALICE, other, "On"), "no more are on than the quota allows");
	tap_is_str(h->error.code, "QuotaExceeded.FlowLog", "and the error says so");
	tap_ok(set(h, ALICE, id, "On"), "one that is on stays so");
	tap_ok(set(h, ALICE, id, "Off") && set(h, ALICE, other, "On"), "when it is off another one can be");
	is_switched(h, id, "Off", "as is shown");
	after = row_of(h, other);
	after.region = "cn-beijing";
	harness_put(h, KIND_ENDPOINT, &after);
	tap_ok(!set(h, ALICE, id, "On"), "one that is on in another region counts, too");
	after = row_of(h, id);
	after.status = ENDPOINT_DELETING;
	harness_put(h, KIND_ENDPOINT, &after);
	tap_ok(!set(h, ALICE, id, "Off"), "one that goes is not switched any more");
	tap_is_str(h->error.code, "EndpointOperationDenied", "which would put off its end");
	harness_end(h);
	return tap_done();
}
