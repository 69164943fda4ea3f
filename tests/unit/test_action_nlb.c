/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load balancers and jobs through the framework: life, and every refusal.
 */
#include "nlb_world.h"

#include "api/common/quota_defaults.h"

/* Answers are spelt as the cloud spells them; what asks may be spelt as in its reference, too. */
static void test_spellings(struct harness *h, const char *lb)
{
	static const char *const found[] = {"AddressIpVersion=Ipv4", "AddressIpVersion=ipv4",
					    "LoadBalancerType=Network", "LoadBalancerType=network"};

	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_str(harness_text(h, "LoadBalancerType"), "Network", "its type is told");
	tap_is_str(harness_text(h, "AddressIpVersion"), "Ipv4", "and its version of IP");
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		CALL(h, "ListLoadBalancers", "%s&LoadBalancerIds.1=%s", found[i], lb);
		tap_is_int(harness_count_of(h, "LoadBalancers"), 1, "%s finds it", found[i]);
	}
}

static void test_balancer_life(struct harness *h, const struct world *w)
{
	const char *lb = make_balancer(h, w), *job, *eni;

	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s&ClientToken=ignored", lb);
	tap_is_str(harness_text(h, "LoadBalancerStatus"), "Provisioning",
		   "a new load balancer is Provisioning");
	tap_is_int(harness_count_of(h, "ZoneMappings"), 2, "in two zones");
	tap_is_str(harness_text(h, "ZoneMappings.1.LoadBalancerAddresses.0.PrivateIPv4Address"), "10.0.2.99",
		   "with the wanted address in the second");
	tap_is_int(harness_count_of(h, "SecurityGroupIds"), 0, "lists that have nothing stand there empty");
	eni = harness_keep(h, harness_text(h, "ZoneMappings.0.LoadBalancerAddresses.0.EniId"));
	harness_in_force(h, NODE);
	CALL(h, "GetLoadBalancerAttribute", "LoadBalancerId=%s", lb);
	tap_is_str(harness_text(h, "LoadBalancerStatus"), "Active",
		   "it is Active when the node has reported");
	harness_call(h, ALICE, PRODUCT_ECS, "DescribeNetworkInterfaces", REGION "NetworkInterfaceId.1=%s",
		     eni);
	tap_ok(harness_at(h->answer, "NetworkInterfaceSets.NetworkInterfaceSet.0.ServiceManaged") ==
		       json_true(),
	       "ECS shows its interface as managed");
	harness_refused(h, ALICE, PRODUCT_VPC, "DependencyViolation", "with its interface inside",
			"DeleteVSwitch", "VSwitchId=%s", w->vsw_i);

	CALL(h, "ListLoadBalancers", "LoadBalancerNames.1=front&ZoneId=cn-hangzhou-i&VpcIds.1=%s", w->vpc);
	tap_is_str(harness_text(h, "LoadBalancers.0.LoadBalancerId"), lb,
		   "it is listed by name, zone and VPC");
	CALL(h, "ListLoadBalancers", "LoadBalancerIds.1=nlb-none");
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "an unknown id gives an empty list");
	test_spellings(h, lb);
	CALL(h, "ListLoadBalancers", "Ipv6AddressType=Intranet&LoadBalancerIds.1=%s", lb);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "not by an IPv6 address that it has not");
	CALL(h, "ListLoadBalancers", "AddressIpVersion=DualStack&LoadBalancerIds.1=%s", lb);
	tap_is_int(harness_count_of(h, "LoadBalancers"), 0, "and nothing else");
	tap_ok(CALL(h, "UpdateLoadBalancerAttribute", "LoadBalancerId=%s&LoadBalancerName=back", lb),
	       "it can be renamed");
	job = job_of(h);
	tap_is_str(job_status(h, job), "processing", "which is a job that is processing");
	harness_in_force(h, NODE);
	tap_is_str(job_status(h, job), "Succeeded", "and has Succeeded when the node has reported");
	harness_call(h, BOB, PRODUCT_NLB, "GetJobStatus", "JobId=%s", job);
	tap_is_str(h->error.code, "ResourceNotFound.Job", "another account does not see the job");

	tap_ok(CALL(h, "DeleteLoadBalancer", "LoadBalancerId=%s", lb), "it can be deleted");
	job = job_of(h);
	harness_in_force(h, NODE);
	tap_is_str(job_status(h, job), "Succeeded", "that job ends, too");
	REFUSED(h, "ResourceNotFound.loadBalancer", "a deleted one", "GetLoadBalancerAttribute",
		"LoadBalancerId=%s", lb);
	tap_ok(!snapshot_port(store_rows(h->store), eni), "its interfaces are gone with it");
}

/* $H and $I stand for the vSwitches. */
#define BOTH ZONE(1, "h", "$H") ZONE(2, "i", "$I")

static void fill_in(char *out, const char *form, const struct world *w)
{
	for (const char *s = form; *s; s++) {
		if (*s == '$')
			out = stpcpy(out, *++s == 'H' ? w->vsw_h : w->vsw_i);
		else
			*out++ = *s;
	}
	*out = '\0';
}

static void test_bad_balancers(struct harness *h, const struct world *w)
{
	static const struct {
		const char *code, *why, *zones;
	} cases[] = {
		{"InvalidParameter.ZoneMappings", "one zone", ZONE(1, "h", "$H")},
		{"MissingZoneMappings", "no zone", ""},
		{"MissingParameter.ZoneMappings.2.VSwitchId", "a zone without a vSwitch",
		 ZONE(1, "h", "$H") "&ZoneMappings.2.ZoneId=cn-hangzhou-i"},
		{"DuplicatedParam.ZoneMappings", "a zone twice", ZONE(1, "h", "$H") ZONE(2, "h", "$H")},
		{"Mismatch.VSwitchId", "a vSwitch of another zone", ZONE(1, "h", "$H") ZONE(2, "j", "$I")},
		{"ResourceNotFound.VSwitch", "an unknown vSwitch",
		 ZONE(1, "h", "$H") ZONE(2, "i", "vsw-none")},
		{"ResourceNotFound.Zone", "an unknown zone", ZONE(1, "z", "$H") ZONE(2, "i", "$I")},
		{"ResourceInUse.IP", "a taken address", BOTH "&ZoneMappings.1.PrivateIPv4Address=10.0.1.10"},
		{"IllegalParam.PrivateIPv4Address", "an address outside",
		 BOTH "&ZoneMappings.1.PrivateIPv4Address=10.0.2.10"},
		{"IllegalParam.PrivateIPv4Address", "a broken address",
		 BOTH "&ZoneMappings.1.PrivateIPv4Address=ten"},
		{"IllegalParam.ModificationProtectionConfig.Reason", "a reason of one character",
		 BOTH "&ModificationProtectionConfig.Status=ConsoleProtection"
		      "&ModificationProtectionConfig.Reason=x"},
		{"IllegalParam.DeletionProtectionConfig.Reason", "a reason without protection",
		 BOTH "&DeletionProtectionConfig.Reason=because"},
		{"IllegalParam.LoadBalancerBillingConfig.PayType", "another way to pay",
		 BOTH "&LoadBalancerBillingConfig={\"PayType\":\"PrePay\"}"},
		{"IllegalParam.LoadBalancerType", "another type", BOTH "&LoadBalancerType=gateway"},
		{"IllegalParam.BandwidthPackageId", "a bandwidth package", BOTH "&BandwidthPackageId=cbwp-1"},
		{"IllegalParam.AllocationId", "a public address", BOTH "&ZoneMappings.1.AllocationId=eip-1"},
		{"IllegalParam.Ipv4LocalAddresses", "addresses of its own towards servers",
		 BOTH "&ZoneMappings.1.Ipv4LocalAddresses.1=10.0.1.7"},
		{"DryRunOperation", "a dry run", BOTH "&DryRun=true"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char form[2048];

		fill_in(form, cases[i].zones, w);
		REFUSED(h, cases[i].code, cases[i].why, "CreateLoadBalancer",
			"AddressType=Intranet&VpcId=%s%s", w->vpc, form);
	}
	REFUSED(h, "OperationDenied.AddressTypeNotSupported", "one with a public address",
		"CreateLoadBalancer", "AddressType=Internet&VpcId=%s" ZONES, w->vpc, w->vsw_h, w->vsw_i);
	REFUSED(h, "InvalidParameter.AddressType", "an unknown type", "CreateLoadBalancer",
		"AddressType=Nowhere&VpcId=%s", w->vpc);
	REFUSED(h, "ResourceNotFound.Vpc", "an unknown VPC", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=vpc-none&ZoneMappings.1.ZoneId=a&ZoneMappings.1.VSwitchId=b"
		"&ZoneMappings.2.ZoneId=a&ZoneMappings.2.VSwitchId=b");
	REFUSED(h, "Mismatch.VpcId", "vSwitches of another VPC", "CreateLoadBalancer",
		"AddressType=Intranet&VpcId=%s" ZONES, w->other_vpc, w->vsw_h, w->vsw_i);
}

static size_t count_jobs(struct harness *h)
{
	size_t n = 0;

	for (const struct job *j = NULL; (j = snapshot_next(store_rows(h->store), KIND_JOB, "", j));)
		n += j->owner == ALICE;
	return n;
}

/* Fills the account's jobs up, after one of somebody else. */
static void put_jobs(struct harness *h)
{
	struct job row = {.owner = BOB, .id = "job-bob"};
	size_t n = count_jobs(h);

	harness_put(h, KIND_JOB, &row);
	row.owner = ALICE;
	while (n < JOBS_PER_ACCOUNT_MAX) {
		struct store_txn *txn;
		int done = 0;

		harness_must(store_txn_new(&txn), "transaction");
		for (int i = 0; i < STORE_TXN_OPS_MAX && n < JOBS_PER_ACCOUNT_MAX; i++, n++) {
			(void)str_format(row.id, sizeof(row.id), "job-%zu", n);
			harness_must(store_txn_row_put(txn, KIND_JOB, &row), "job");
		}
		store_commit(h->store, txn, harness_count, &done);
		harness_settle(h);
	}
}

static void test_many_jobs(struct harness *h, const struct world *w)
{
	const struct job *oldest = NULL;
	const char *group = make_group(h, w->vpc, "jobs"), *first, *newest;

	for (const struct job *j = NULL; (j = snapshot_next(store_rows(h->store), KIND_JOB, "", j));)
		if (j->owner == ALICE && (!oldest || j->meta.modified < oldest->meta.modified))
			oldest = j;
	first = harness_keep(h, oldest->id);
	put_jobs(h);
	tap_is_int((long long)count_jobs(h), JOBS_PER_ACCOUNT_MAX, "an account has %d jobs",
		   JOBS_PER_ACCOUNT_MAX);
	tap_ok(CALL(h, "DeleteServerGroup", "ServerGroupId=%s", group), "one more");
	newest = job_of(h);
	tap_is_int((long long)count_jobs(h), JOBS_PER_ACCOUNT_MAX, "takes a place");
	tap_is_str(job_status(h, first), "ResourceNotFound.Job", "that of the oldest");
	tap_is_str(job_status(h, newest), "processing", "while the new one is there");
	tap_ok(snapshot_find(store_rows(h->store), KIND_JOB, "job-bob"), "and another account's, too");
	harness_in_force(h, NODE);
}

static void test_quota(struct harness *h, const struct world *w)
{
	const char *vsw_k = make_vswitch(h, w->vpc, "k", 4);
	int n = (int)snapshot_count(store_rows(h->store), KIND_LOAD_BALANCER, "");

	while (n <= LOAD_BALANCERS_PER_ACCOUNT_MAX &&
	       CALL(h, "CreateLoadBalancer",
		    "AddressType=Intranet&VpcId=%s" ZONE(1, "h", "%s") ZONE(2, "k", "%s"), w->vpc, w->vsw_h,
		    vsw_k))
		n++;
	tap_is_int(n, LOAD_BALANCERS_PER_ACCOUNT_MAX, "an account has as many load balancers as its quota");
	tap_is_str(h->error.code, "QuotaExceeded.LoadBalancersNum", "one more is refused by its code");
}

int main(void)
{
	struct harness h;
	struct world w;

	harness_begin(&h);
	w = make_world(&h);
	test_balancer_life(&h, &w);
	test_bad_balancers(&h, &w);
	test_many_jobs(&h, &w);
	test_quota(&h, &w);
	harness_end(&h);
	return tap_done();
}
