/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load balancers. One has an ENI with an address in each of its zones; packets reach its servers through
 * endpoints, and the zone's ENI stands for the zone.
 */
#include <strings.h>

#include "../../model/state.h"
#include "../common/balancer.h"
#include "../common/listing.h"
#include "../common/owned.h"
#include "../common/quota.h"
#include "../common/quota_defaults.h"
#include "../common/resource_group.h"
#include "../common/tags.h"
#include "actions.h"

/* What may be said, if it says what is so anyway. */
static int check_served(struct call *call)
{
	const char *type = call_string(call, "LoadBalancerType"),
		   *package = call_string(call, "BandwidthPackageId"),
		   *pay = member_string(json_object_get(call->params, "LoadBalancerBillingConfig"),
					"PayType");

	if (type && type[0] && strcasecmp(type, "network") != 0)
		return nlb_fail_value(call, "LoadBalancerType", "It is Network.");
	if (package && package[0])
		return nlb_fail_value(call, "BandwidthPackageId", "There are no public addresses here.");
	if (pay && pay[0] && strcasecmp(pay, "PostPay") != 0)
		return nlb_fail_value(call, "LoadBalancerBillingConfig.PayType", "It is PostPay.");
	return 0;
}

/* Everything of a new load balancer but its zones. */
static int read_balancer(struct call *call, const struct vpc *vpc, struct load_balancer *ret)
{
	const char *type = call_string(call, "AddressType");
	int r;

	*ret = (struct load_balancer){
		.owner = call->account->uid,
		.intranet = strcasecmp(type, "Intranet") == 0,
		.cross_zone = true,
		.status = LB_PROVISIONING,
		.create_time = call->now,
	};
	if (!ret->intranet)
		return call_fail(call, "OperationDenied.AddressTypeNotSupported");
	r = check_served(call);
	if (r == 0)
		r = balancer_read_protection(call, ret);
	if (r == 0)
		r = read_resource_group(call, "ResourceNotFound.ResourceGroup", ret->resource_group);
	if (r < 0)
		return r;
	(void)str_copy(ret->region, sizeof(ret->region), vpc->region);
	(void)str_copy(ret->vpc, sizeof(ret->vpc), vpc->id);
	call_new_id(call, "nlb-", ret->id);
	return nlb_read_name(call, "LoadBalancerName", ret->name);
}

int balancer_create(struct call *call)
{
	const struct vpc *vpc = owned_vpc(call, call_string(call, "VpcId"));
	struct load_balancer lb;
	int r;

	if (!vpc || vpc->status == VPC_DELETING)
		return call_fail(call, "ResourceNotFound.Vpc");
	r = quota_check_one(call, vpc->owner, QUOTA_BALANCERS, vpc->region);
	if (r < 0)
		return r;
	r = read_balancer(call, vpc, &lb);
	if (r < 0)
		return r;
	r = balancer_set_zones(call, &(struct load_balancer){}, &lb);
	if (r < 0)
		return r;
	r = tags_create(call, lb.id, "loadbalancer");
	if (r < 0)
		return r;
	call_put(call, KIND_LOAD_BALANCER, &lb);
	answer_row(call->answer, call->action->answer, KIND_LOAD_BALANCER, &lb);
	return 0;
}

static void dns_name(const struct load_balancer *lb, char ret[DOMAIN_SIZE])
{
	(void)str_format(ret, DOMAIN_SIZE, "%s.%s.nlb.aliyuncs.com", lb->id, lb->region);
}

static void add_state(const struct call *call, json_t *object, const void *row)
{
	const struct load_balancer *lb = row;
	char name[DOMAIN_SIZE];

	dns_name(lb, name);
	answer_string(object, "DNSName", name);
	balancer_answer_zones(call, object, lb);
}

int balancer_get(struct call *call)
{
	const void *lb;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, &lb);
	if (r < 0)
		return r;
	answer_object_row(call, call->answer, call->action->answer, KIND_LOAD_BALANCER, lb);
	add_state(call, call->answer, lb);
	return 0;
}

static bool in_zone(const struct call *call, const struct load_balancer *lb)
{
	const char *wanted = call_string(call, "ZoneId");

	if (!wanted || !wanted[0])
		return true;
	for (uint32_t i = 0; i < lb->n_zones; i++)
		if (streq(lb->zones[i], wanted))
			return true;
	return false;
}

/* Both spellings are about: answers have the cloud's, its reference the one in lower case. */
static bool either_wanted(const struct call *call, const char *param, const char *word, const char *other)
{
	return filter_text(call, param, word) || filter_text(call, param, other);
}

static bool balancer_there(const struct call *call _unused_, const void *row)
{
	return ((const struct load_balancer *)row)->type == LB_NETWORK;
}

static bool balancer_wanted(const struct call *call, const void *row)
{
	const struct load_balancer *b = row;
	char name[DOMAIN_SIZE];

	dns_name(b, name);
	return filter_list(call, "LoadBalancerIds", b->id) &&
	       filter_list(call, "LoadBalancerNames", b->name) &&
	       filter_text(call, "LoadBalancerStatus", enum_name(lb_status_names, b->status)) &&
	       filter_text(call, "LoadBalancerBusinessStatus", "Normal") &&
	       either_wanted(call, "LoadBalancerType", "Network", "network") &&
	       filter_text(call, "Ipv6AddressType", "") &&
	       filter_text(call, "AddressType", b->intranet ? "Intranet" : "Internet") &&
	       either_wanted(call, "AddressIpVersion", "Ipv4", "ipv4") &&
	       filter_text(call, "DNSName", name) && filter_list(call, "VpcIds", b->vpc) &&
	       filter_resource_group(call, b->resource_group) && in_zone(call, b) && tags_match(call, b->id);
}

int balancer_list(struct call *call)
{
	static const struct list_filter filters[] = {
		{"LoadBalancerIds", REF_COUNT_},
		{"VpcIds", REF_LOAD_BALANCER_VPC, true},
		{},
	};
	static const struct listing listing = {KIND_LOAD_BALANCER, balancer_wanted, add_state, balancer_there,
					       .filters = filters};

	return list_owned(call, &listing);
}

int balancer_update(struct call *call)
{
	struct load_balancer row;
	int r;

	r = nlb_begin(call, KIND_LOAD_BALANCER, &row);
	if (r < 0)
		return r;
	r = nlb_read_name(call, "LoadBalancerName", row.name);
	if (r < 0)
		return r;
	if (call_int(call, "Cps", 0))
		return nlb_fail_value(call, "Cps", "New connections are limited by listener here.");
	row.cross_zone = call_bool(call, "CrossZoneEnabled", row.cross_zone);
	r = balancer_check_change(call, &row);
	if (r < 0)
		return r;
	return nlb_end(call, KIND_LOAD_BALANCER, &row);
}

/* All load balancers are of Intranet, so nothing has to be done to be it. */
int balancer_update_address_type(struct call *call)
{
	const struct load_balancer *lb = NULL;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, (const void **)&lb);
	if (r < 0)
		return r;
	if (lb->status == LB_DELETING)
		return call_fail(call, "IncorrectStatus.loadBalancer");
	if (strcasecmp(call_string(call, "AddressType"), "Intranet") != 0)
		return call_fail(call, "OperationDenied.AddressTypeNotSupported");
	nlb_job(call, lb->id);
	return 0;
}

int balancer_delete(struct call *call)
{
	struct load_balancer row;
	const void *lb;
	int r;

	r = nlb_find(call, KIND_LOAD_BALANCER, &lb);
	if (r < 0)
		return r;
	if (((const struct load_balancer *)lb)->deletion_protected)
		return balancer_fail_protected(call, lb);
	if (snapshot_count_children(call->rows, REF_SERVICE_RESOURCE_RESOURCE, snapshot_id(lb)) > 0)
		return call_fail(call, "ResourceInUse.LoadBalancer");
	r = nlb_delete(call, KIND_LOAD_BALANCER, lb, &row);
	if (r > 0)
		balancer_delete_listeners(call, row.id);
	return MIN(r, 0);
}
