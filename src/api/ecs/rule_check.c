/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the words of a security group's rule to its row. What a row cannot express (a source port, a second
 * address range, prefix lists) is refused: a rule that meant less than it says would let more pass than its
 * author wanted.
 */
#include <stdio.h>
#include <strings.h>

#include "../../model/check.h"
#include "../common/owned.h"
#include "../common/quota_defaults.h"
#include "actions.h"

static const char *const protocols[] = {"TCP", "UDP", "ICMP", "ICMPv6", "GRE", "ALL"};

/* The names of one direction's parameters. */
struct side {
	const char *cidr, *cidr6, *group, *prefix_list;
	const char *missing, *malformed, *malformed6, *mismatch;
	/* The other end, of which a rule can only say "all". */
	const char *far_cidr, *far_cidr6, *far_code;
};

static const struct side sides[] = {
	[SG_INGRESS] = {"SourceCidrIp", "Ipv6SourceCidrIp", "SourceGroupId", "SourcePrefixListId",
			"MissingParameter.Source", "InvalidSourceCidrIp.Malformed", "Ipv6SourceCidrIp",
			"InvalidSourceGroupId.Mismatch", "DestCidrIp", "Ipv6DestCidrIp", "DestIp"},
	[SG_EGRESS] = {"DestCidrIp", "Ipv6DestCidrIp", "DestGroupId", "DestPrefixListId",
		       "MissingParameter.Dest", "InvalidDestCidrIp.Malformed", "Ipv6DestCidrIp",
		       "InvalidDestGroupId.Mismatch", "SourceCidrIp", "Ipv6SourceCidrIp", "SourceIp"},
};

/* NULL also for an empty text. */
static const char *given(const json_t *object, const char *name)
{
	const char *text = member_string(object, name);

	return text && text[0] ? text : NULL;
}

static int read_protocol(struct call *call, const json_t *object, struct sg_rule *ret)
{
	const char *text = given(object, "IpProtocol");

	for (size_t i = 0; text && i < ARRAY_SIZE(protocols); i++) {
		if (strcasecmp(protocols[i], text) != 0)
			continue;
		(void)str_copy(ret->protocol, sizeof(ret->protocol), protocols[i]);
		return 0;
	}
	return call_fail(call, "InvalidIpProtocol.ValueNotSupported");
}

static int read_policy(struct call *call, const json_t *object, struct sg_rule *ret)
{
	const char *text = given(object, "Policy");

	if (!text || strcasecmp(text, "accept") == 0)
		ret->policy = SG_ACCEPT;
	else if (strcasecmp(text, "drop") == 0)
		ret->policy = SG_DROP;
	else
		return call_fail(call, "InvalidPolicy.Malformed");
	return 0;
}

/* A decimal number of at most five digits. */
static int read_number(const char **s, int32_t *ret)
{
	int32_t value = 0;
	int n = 0;

	for (; **s >= '0' && **s <= '9' && n < 5; (*s)++, n++)
		value = value * 10 + (**s - '0');
	if (n == 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int read_priority(struct call *call, const json_t *object, struct sg_rule *ret)
{
	const char *text = given(object, "Priority");
	int32_t value = 1;

	if (text && (read_number(&text, &value) < 0 || *text))
		return call_fail_named(call, "Invalid{Name}.Malformed", "Priority");
	if (value < 1 || value > 100)
		return call_fail(call, "InvalidPriority.ValueNotSupported");
	ret->priority = (uint32_t)value;
	return 0;
}

/* "22/22"; "-1/-1" stands for all ports, and is the only one for protocols without. */
static int parse_port_range(const char *s, int32_t *ret_first, int32_t *ret_last)
{
	int32_t first, last;

	if (streq(s, "-1/-1")) {
		*ret_first = *ret_last = -1;
		return 0;
	}
	if (read_number(&s, &first) < 0 || *s++ != '/' || read_number(&s, &last) < 0 || *s)
		return -EINVAL;
	if (first < 1 || first > last || last > 65535)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static int read_ports(struct call *call, const json_t *object, struct sg_rule *ret)
{
	bool has_ports = streq(ret->protocol, "TCP") || streq(ret->protocol, "UDP");
	const char *text = given(object, "PortRange");

	if (given(object, "PortRangeListId"))
		return call_fail_named(call, "Invalid{Name}.NotFound", "PortRangeListId");
	if (!text && !has_ports)
		text = "-1/-1";
	if (!text)
		return call_fail_detail(call, "InvalidPortRange.Malformed", "A rule for %s has PortRange.",
					ret->protocol);
	if (parse_port_range(text, &ret->port_first, &ret->port_last) < 0)
		return call_fail_detail(call, "InvalidPortRange.Malformed",
					"PortRange is FIRST/LAST, from 1 to 65535, or -1/-1.");
	if (!has_ports && ret->port_first != -1)
		return call_fail_detail(call, "InvalidPortRange.Malformed", "Of %s it is -1/-1.",
					ret->protocol);
	text = given(object, "SourcePortRange");
	if (text && !streq(text, "-1/-1"))
		return call_fail_named(call, "Invalid{Name}.Malformed", "SourcePortRange");
	return 0;
}

/* What the rule says about its own end must be nothing, or everything. */
static int check_far_end(struct call *call, const json_t *object, const struct side *side)
{
	const char *text = given(object, side->far_cidr);

	if (text && !streq(text, "0.0.0.0/0"))
		return call_fail_named(call, "InvalidParam.{name}", side->far_code);
	text = given(object, side->far_cidr6);
	if (text && !streq(text, "::/0"))
		return call_fail_named(call, "InvalidParam.{name}", side->far_code);
	return 0;
}

static int read_cidr(struct call *call, const struct side *side, const char *text, struct sg_rule *ret)
{
	if (netprefix_parse(text, false, &ret->cidr) < 0 || ret->cidr.length < 96 ||
	    !netaddr_is_v4(&ret->cidr.addr))
		return call_fail(call, side->malformed);
	if (streq(ret->protocol, "ICMPv6"))
		return call_fail(call, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address");
	return 0;
}

static int read_cidr6(struct call *call, const struct side *side, const char *text, struct sg_rule *ret)
{
	if (netprefix_parse(text, false, &ret->cidr) < 0 ||
	    (ret->cidr.length >= 96 && netaddr_is_v4(&ret->cidr.addr)))
		return call_fail_named(call, "InvalidParam.{name}", side->malformed6);
	if (streq(ret->protocol, "ICMP"))
		return call_fail(call, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address");
	return 0;
}

static int read_group(struct call *call, const struct side *side, const struct security_group *group,
		      const char *text, struct sg_rule *ret)
{
	const struct security_group *other = owned_security_group(call, text);

	if (!other)
		return call_fail_named(call, "Invalid{Name}.NotFound", side->group);
	if (!streq(other->vpc, group->vpc))
		return call_fail(call, side->mismatch);
	if (streq(other->id, group->id))
		return call_fail(call, "InvalidParamter.Conflict");
	(void)str_copy(ret->other_group, sizeof(ret->other_group), other->id);
	return 0;
}

/* An address range comes before a group if both are given, as the API has it. */
static int read_side(struct call *call, const json_t *object, const struct security_group *group,
		     struct sg_rule *ret)
{
	const struct side *side = &sides[ret->direction];
	const char *text;
	int r;

	r = check_far_end(call, object, side);
	if (r < 0)
		return r;
	text = given(object, side->cidr);
	if (text)
		return read_cidr(call, side, text, ret);
	text = given(object, side->cidr6);
	if (text)
		return read_cidr6(call, side, text, ret);
	text = given(object, side->group);
	if (text)
		return read_group(call, side, group, text, ret);
	if (given(object, side->prefix_list))
		return call_fail_named(call, "Invalid{Name}.NotFound", "PrefixListId");
	return call_fail(call, side->missing);
}

static int read_description(struct call *call, const json_t *object, struct sg_rule *ret)
{
	const char *text = given(object, "Description");
	int n;

	if (!text)
		return 0;
	n = utf8_length(text);
	if (n < 1 || n > 512 || str_starts(text, "http://") || str_starts(text, "https://"))
		return call_fail_named(call, "Invalid{Name}.Malformed", "SecurityGroupDiscription");
	ret->description = text;
	return 0;
}

int rule_check(struct call *call, const json_t *object, const struct security_group *group,
	       enum sg_direction direction, struct sg_rule *ret)
{
	int r;

	*ret = (struct sg_rule){.direction = direction, .create_time = call->now};
	(void)str_copy(ret->group, sizeof(ret->group), group->id);
	r = read_protocol(call, object, ret);
	if (r < 0)
		return r;
	r = read_policy(call, object, ret);
	if (r < 0)
		return r;
	r = read_priority(call, object, ret);
	if (r < 0)
		return r;
	r = read_ports(call, object, ret);
	if (r < 0)
		return r;
	r = read_side(call, object, group, ret);
	if (r < 0)
		return r;
	return read_description(call, object, ret);
}

static bool same_prefix(const struct netprefix *a, const struct netprefix *b)
{
	return a->length == b->length && netaddr_compare(&a->addr, &b->addr) == 0;
}

bool rule_same(const struct sg_rule *a, const struct sg_rule *b)
{
	return a->direction == b->direction && a->policy == b->policy && a->priority == b->priority &&
	       streq(a->protocol, b->protocol) && a->port_first == b->port_first &&
	       a->port_last == b->port_last && same_prefix(&a->cidr, &b->cidr) &&
	       streq(a->other_group, b->other_group);
}
