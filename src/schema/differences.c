/* SPDX-License-Identifier: Apache-2.0 */
#include "differences.h"

#include <stddef.h>

#define CODE(action, what, why)                                                                              \
	{                                                                                                    \
		CODE_NOT_ANSWERED, (action), (what), (why)                                                   \
	}
#define PARAM(action, what, why)                                                                             \
	{                                                                                                    \
		PARAMETER_REFUSED, (action), (what), (why)                                                   \
	}

#define KEPT(action, what, why)                                                                              \
	{                                                                                                    \
		PARAMETER_KEPT, (action), (what), (why)                                                      \
	}

#define FEWER(action, what, why)                                                                             \
	{                                                                                                    \
		PARAMETER_BOUNDED, (action), (what), (why)                                                   \
	}

#define DONE(action, what, why)                                                                              \
	{                                                                                                    \
		DONE_OTHERWISE, (action), (what), (why)                                                      \
	}

#define TOLD(action, what, why)                                                                              \
	{                                                                                                    \
		TOLD_OTHERWISE, (action), (what), (why)                                                      \
	}

#define NO_NAMES      "a private name is given by the catalogue, never by a call"
#define ONE_BY_ONE    "calls on one object are carried out one after the other, none is turned away"
#define TAKEN	      "it is taken while another change is on its way, and in force with that"
#define NO_TEMPORARY  "protection is from calls by temporary keys of others, and there are none"
#define NO_MONEY      "nothing is charged, so nothing is locked for money"
#define NO_MONEY_PAID "nothing is charged"
#define BY_NUMBER     "each number that can be used up has a code of its own"
#define POLICY	      "who serves the calls looks into them, not the data path"
#define IPV4	      "endpoints have IPv4 addresses"
#define ONE_IN_ZONE   "each zone that a service serves has a resource that is allocated automatically"
#define PLAIN	      "what is missing is MissingServiceId, MissingRegionId and so on"
#define NETWORK	      "Network, as the cloud answers, and not network: clients compare it with case"
#define NINETY_TAGS   "no more than 90 tags in a call, counted for each: a call is one transaction"
#define CAPITAL_IPV4  "Ipv4, as the cloud answers, and not ipv4: clients compare it with case"

/* clang-format off */
const struct difference privatelink_differences[] = {
	CODE(NULL, "GenerateResourceIdFailed", "ids are drawn until one is free"),
	CODE(NULL, "OperationDenied.PrivateDomainNotSupport", NO_NAMES),
	CODE(NULL, "OperationDenied.PrivateDomainStatusNotSupport", NO_NAMES),
	CODE(NULL, "OperationDenied.PrivateServiceDomainBusinessStatus", NO_NAMES),
	CODE(NULL, "DependencyViolation.PrivateDnsName", NO_NAMES),
	CODE(NULL, "InvalidParam.PrivateDnsName", NO_NAMES),
	CODE(NULL, "Conflict.ServiceName", NO_NAMES),
	CODE(NULL, "OperationDenied.EndpointProtected", NO_TEMPORARY),
	CODE(NULL, "EndpointProtected", NO_TEMPORARY),
	CODE(NULL, "IncorrectBusinessStatus.VpcEndpoint", NO_MONEY),
	CODE(NULL, "IncorrectBusinessStatus.VpcEndpointService", NO_MONEY),
	CODE(NULL, "ResourceNotFound.NatGateway", "NAT gateways are no resources of services"),
	CODE(NULL, "VpcTunnelNotFound", "there are no tunnels that a caller could name"),
	CODE(NULL, "VpcNatServiceException", "addresses are translated on the node, by no other service"),

	CODE(NULL, "SecurityGroupTypeNotSupport", "both types of security groups are taken"),

	CODE("OpenPrivateLinkService", "AccountTypeRestricted", "accounts are of one type"),
	CODE("OpenPrivateLinkService", "InvalidAccountStatus.NotEnoughBalance", NO_MONEY),

	PARAM("CreateVpcEndpoint", "AddressIpVersion", "all but IPv4: " IPV4),
	PARAM("CreateVpcEndpoint", "EndpointType", "all but Interface: load balancers of other types are not served"),
	PARAM("CreateVpcEndpoint", "Zone.N.Ipv6Address", "all but an empty one: " IPV4),
	PARAM("AddZoneToVpcEndpoint", "Ipv6Address", "all but an empty one: " IPV4),
	PARAM("UpdateVpcEndpointAttribute", "AddressIpVersion", "all but IPv4: " IPV4),
	CODE("CreateVpcEndpoint", "EndpointExist", "two endpoints may have one name"),
	CODE("CreateVpcEndpoint", "CheckServiceLinkRoleError", "no role is needed"),
	CODE("CreateVpcEndpoint", "IncorrectStatus.VpcEndpointService",
	     "a service that is being made or changed takes connections; one that is being deleted is EndpointServiceDeleted"),
	CODE("CreateVpcEndpoint", "QuotaMisMatched", BY_NUMBER),
	CODE("CreateVpcEndpoint", "EndpointServiceResourceNotFound", ONE_IN_ZONE),
	CODE("GetVpcEndpointAttribute", "EndpointConnectionNotFound", "an endpoint that goes and has lost its connection is EndpointNotFound"),
	CODE("UpdateVpcEndpointAttribute", "EndpointLocked", TAKEN),
	CODE("UpdateVpcEndpointAttribute", "EndpointConnectionOperationDenied", TAKEN),
	CODE("DeleteVpcEndpoint", "EndpointOperationDenied", "deleting twice is no error"),
	CODE("AddZoneToVpcEndpoint", "EndpointConnectionOperationDenied", TAKEN),
	CODE("AddZoneToVpcEndpoint", "EndpointDuplicated", "a zone that is there is EndpointZoneDuplicated"),
	CODE("AddZoneToVpcEndpoint", "EndpointServiceResourceNotFound", ONE_IN_ZONE),
	CODE("AddZoneToVpcEndpoint", "QuotaMisMatched", BY_NUMBER),
	CODE("RemoveZoneFromVpcEndpoint", "EndpointLocked", TAKEN),
	CODE("RemoveZoneFromVpcEndpoint", "EndpointConnectionOperationDenied", TAKEN),

	CODE("AttachSecurityGroupToVpcEndpoint", "EndpointLocked", TAKEN),
	CODE("AttachSecurityGroupToVpcEndpoint", "EndpointConnectionOperationDenied", TAKEN),
	CODE("DetachSecurityGroupFromVpcEndpoint", "EndpointConnectionOperationDenied", TAKEN),

	CODE("CreateVpcEndpointService", "EndpointServiceExist", "ids are new, and services have no names to choose"),
	CODE("CreateVpcEndpointService", "VSwitchNotFound", "a load balancer keeps its vSwitches from being deleted"),
	CODE("CreateVpcEndpointService", "NeedOpenProduct", "opening the product is demanded by no other call"),
	CODE("UpdateVpcEndpointServiceAttribute", "MissingParam.{name}", PLAIN),
	CODE("UpdateVpcEndpointServiceAttribute", "EndpointServiceLocked", ONE_BY_ONE),
	CODE("UpdateVpcEndpointServiceResourceAttribute", "EndpointServiceLocked", ONE_BY_ONE),
	CODE("DeleteVpcEndpointService", "EndpointServiceDependenceViolation", "resources are detached with the service"),
	CODE("DeleteVpcEndpointService", "DeleteFailedDueToEndpointExist",
	     "connected endpoints are EndpointServiceConnectionDependence, others do not hold it up"),
	CODE("AttachResourceToVpcEndpointService", "VSwitchNotFound", "a load balancer keeps its vSwitches from being deleted"),
	CODE(NULL, "LoadBalancerNotSupportPrivateLink", "every load balancer that could be made serves endpoints"),
	CODE("DetachResourceFromVpcEndpointService", "EndpointServiceResourceCannotRemove",
	     "what is in use is EndpointServiceConnectionDependence, and all else can be detached"),

	CODE("EnableVpcEndpointZoneConnection", "EndpointConnectionOperationDenied", "IncorrectStatus.VpcEndpointConnection says it"),
	CODE("EnableVpcEndpointZoneConnection", "EndpointOperationDenied", "IncorrectStatus.VpcEndpoint says it"),
	CODE("EnableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpoint", "EndpointConnectionNotFound says it"),
	CODE("EnableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpointConnection", "EndpointConnectionNotFound says it"),
	CODE("EnableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpointService", "EndpointServiceNotFound says it"),
	CODE("DisableVpcEndpointZoneConnection", "EndpointConnectionOperationDenied", "IncorrectStatus.VpcEndpointConnection says it"),
	CODE("DisableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpoint", "EndpointConnectionNotFound says it"),
	CODE("DisableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpointConnection", "EndpointConnectionNotFound says it"),
	CODE("DisableVpcEndpointZoneConnection", "ResourceNotFound.VpcEndpointService", "EndpointServiceNotFound says it"),
	CODE("UpdateVpcEndpointConnectionAttribute", "EndpointNotFound", "EndpointConnectionNotFound says it"),
	CODE("UpdateVpcEndpointConnectionAttribute", "OperationDenied.VpcNatServiceResourceTypeNotSupportBandwidth",
	     "all types of load balancers have a limit"),
	CODE("UpdateVpcEndpointConnectionAttribute", "UpdateBandWidthUnSupported", "all types of load balancers have a limit"),
	CODE("UpdateVpcEndpointZoneConnectionResourceAttribute", "EndpointNotFound", "EndpointConnectionNotFound says it"),
	CODE("DisableVpcEndpointConnection", "EndpointConnectionOperationDenied", "cutting is refused in no state"),

	CODE("TagResources", "MissingTagValueParam", "a tag without a value has an empty one"),
	CODE("ListTagResources", "MissingTagValueParam", "a key without a value asks for every value"),
	CODE("UntagResources", "IllegalTagValueParam", "it takes no values"),
	CODE("UntagResources", "IllegalTagKeyParam", "what is no key is no tag's, and there is nothing to take away"),
	CODE("UntagResources", "TagInfoNotExist", "taking away what is not there is no error, so that a call may be repeated"),
	CODE("UntagResources", "DuplicatedTagKey", "a key twice is the key once"),
	CODE("ChangeResourceGroup", "NoPermission.ChangeResourceGroup", "whose the object is may move it"),
	CODE("ChangeResourceGroup", "MissingParameter.ResourceRegionId", "ids tell the region; clients do not send it"),
	CODE("ChangeResourceGroup", "SystemError", "what fails inside is InternalError, with 500"),

	FEWER("TagResources", "ResourceId", NINETY_TAGS),
	FEWER("UntagResources", "ResourceId", NINETY_TAGS),

	KEPT("CreateVpcEndpoint", "PolicyDocument", POLICY),
	KEPT("UpdateVpcEndpointAttribute", "PolicyDocument", POLICY),
	KEPT("CreateVpcEndpoint", "ProtectedEnabled", NO_TEMPORARY),
	KEPT("CreateVpcEndpointService", "Payer", NO_MONEY_PAID),

	DONE("UpdateVpcEndpointZoneConnectionResourceAttribute", "ResourceReplaceMode",
	     "Force leaves the old resource in the service, where others may have it: DetachResourceFromVpcEndpointService takes it out"),
	{0},
};

const struct difference nlb_differences[] = {
	TOLD("GetLoadBalancerAttribute", "LoadBalancerType", NETWORK),
	TOLD("GetLoadBalancerAttribute", "AddressIpVersion", CAPITAL_IPV4),
	TOLD("ListLoadBalancers", "LoadBalancerType", NETWORK),
	TOLD("ListLoadBalancers", "AddressIpVersion", CAPITAL_IPV4),
	TOLD("ListServerGroups", "AddressIPVersion", CAPITAL_IPV4),
	TOLD("ListServerGroups", "Scheduler", "Tch, as the cloud answers, and not tch: clients compare it with case"),
	{0},
};
/* clang-format on */
