/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hop of a path can be found to be: the one list of codes. GetEndpointPath answers them, doc/path.md
 * explains them, tests/path/cases.json has a way to each that breaks a link.
 *
 * X(symbol, state, turn, text): "symbol" is the code on the wire; a new code goes to the end of its kind.
 * `turn` says who can mend it: the owner of the endpoint (CONSUMER), of the service (PROVIDER), the operator
 * of the nodes, or that it is only to be waited for (TIME).
 */
#pragma once

/* clang-format off */
#define PATH_CODES(X) \
	/* Instance */ \
	X(InstanceRunning, OK, NOBODY, "the instance runs") \
	X(InstanceStarting, UNKNOWN, TIME, "the instance is being started, and its node has not reported it yet") \
	X(InstanceFailed, BROKEN, OPERATOR, "the instance is not in force at its node") \
	X(InstanceStopped, BROKEN, CONSUMER, "the instance is stopped") \
	X(InstanceDeleting, BROKEN, NOBODY, "the instance is being deleted") \
	X(InstanceInOtherVpc, BROKEN, CONSUMER, "the instance is in another VPC than the endpoint") \
	/* Node */ \
	X(NodeReports, OK, NOBODY, "the instance's node reports") \
	X(NodeLost, BROKEN, OPERATOR, "the instance's node does not report") \
	X(NodeHolds, UNKNOWN, OPERATOR, "the instance's node holds what was in force before") \
	X(NodeUnknown, UNKNOWN, TIME, "the instance's node has not reported since privlinkd started") \
	/* Name */ \
	X(NameAnswers, OK, NOBODY, "the endpoint's name leads to its zones") \
	X(NameAnswersSome, WARN, NOBODY, "the endpoint's name leads to some of its zones") \
	X(NameEmpty, WARN, NOBODY, "the endpoint's name has no address, since no zone is in force") \
	X(NamePlanned, OK, NOBODY, "the name comes with the endpoint") \
	/* GroupOut */ \
	X(OutAllowedByRule, OK, NOBODY, "a rule of the instance's security groups lets it out") \
	X(OutAllowedByDefault, OK, NOBODY, "no rule speaks of it, and basic groups let out by default") \
	X(OutRefusedByRule, BROKEN, CONSUMER, "a rule of the instance's security groups refuses it") \
	X(OutRefusedByDefault, BROKEN, CONSUMER, "no rule lets it out, and advanced groups refuse by default") \
	X(OutDepends, WARN, CONSUMER, "the instance's groups let out to some of the addresses that the zone may get") \
	/* EndpointZone */ \
	X(EniInForce, OK, NOBODY, "the zone's ENI is in force") \
	X(EniNotInName, WARN, NOBODY, "the zone's address is kept out of the name, as its servers do not answer") \
	X(EniCreating, BROKEN, TIME, "the zone's ENI is being made") \
	X(EniMissing, BROKEN, OPERATOR, "the zone's ENI is missing") \
	X(EniPlanned, OK, NOBODY, "the zone's ENI comes with the endpoint") \
	/* GroupIn */ \
	X(InAllowedByRule, OK, NOBODY, "a rule of the endpoint's security groups lets it in") \
	X(InAllowedInside, OK, NOBODY, "both are in one group, whose members reach each other (InnerAccessPolicy)") \
	X(InRefusedByRule, BROKEN, CONSUMER, "a rule of the endpoint's security groups refuses it") \
	X(InRefusedByDefault, BROKEN, CONSUMER, "no rule of the endpoint's security groups lets it in") \
	X(InDepends, WARN, CONSUMER, "the endpoint's groups let some instances of the VPC in") \
	/* GroupOut, GroupIn, BalancerGroup */ \
	X(GroupMissing, BROKEN, CONSUMER, "a security group is missing, and with it all consent") \
	X(TooManyRules, UNKNOWN, NOBODY, "there are more rules than one answer looks at") \
	X(PortUnknown, UNKNOWN, CONSUMER, "no port was named, and the service has no TCP listener to take it from") \
	/* Account */ \
	X(AccountKnown, OK, NOBODY, "the account that the endpoint belongs to") \
	/* Endpoint */ \
	X(EndpointActive, OK, NOBODY, "the endpoint is in force") \
	X(EndpointChanging, WARN, TIME, "a change of the endpoint is not in force yet") \
	X(EndpointCreating, BROKEN, TIME, "the endpoint is being made") \
	X(EndpointFailed, BROKEN, OPERATOR, "the endpoint is not in force at a node") \
	X(EndpointDeleting, BROKEN, NOBODY, "the endpoint is being deleted") \
	X(EndpointWithoutZones, BROKEN, CONSUMER, "the endpoint has no zone") \
	X(EndpointPlanned, OK, NOBODY, "CreateVpcEndpoint would make it") \
	/* Connection */ \
	X(Connected, OK, NOBODY, "the connection is up") \
	X(ConnectionWaiting, BROKEN, PROVIDER, "the connection waits for the provider to accept it") \
	X(ConnectionRefused, BROKEN, PROVIDER, "the provider refused or cut the connection") \
	X(ConnectionConnecting, BROKEN, TIME, "the connection is being made") \
	X(ConnectionDisconnecting, BROKEN, PROVIDER, "the connection is being cut") \
	X(ConnectionDeleting, BROKEN, NOBODY, "the connection is being deleted") \
	X(ConnectionServiceDeleted, BROKEN, CONSUMER, "the service was deleted: the endpoint reaches nothing any more") \
	X(ConnectionMissing, BROKEN, CONSUMER, "the endpoint has no connection") \
	X(ConnectionWillConnect, OK, NOBODY, "the service accepts connections by itself") \
	X(ConnectionWillWait, WARN, PROVIDER, "the provider will have to accept the connection") \
	/* Service */ \
	X(ServiceActive, OK, NOBODY, "the service is there") \
	X(ServiceDeleting, BROKEN, CONSUMER, "the service is being deleted") \
	X(ServiceMissing, BROKEN, CONSUMER, "the service is gone") \
	/* ServiceZone */ \
	X(ZoneConnected, OK, NOBODY, "the zone is connected") \
	X(ZoneAnswers, OK, NOBODY, "the service's side of the zone answers") \
	X(ZoneSilent, BROKEN, PROVIDER, "the service's side of the zone does not answer") \
	X(ZoneUnknown, UNKNOWN, NOBODY, "whether the service's side of the zone answers is not known yet") \
	X(ZoneWaits, UNKNOWN, NOBODY, "the zone comes with the connection") \
	X(ZoneConnecting, BROKEN, TIME, "the zone is being connected") \
	X(ZoneDisconnected, BROKEN, PROVIDER, "the provider cut this zone") \
	X(ZoneDisconnecting, BROKEN, PROVIDER, "this zone is being cut") \
	X(ZoneWithoutResource, BROKEN, PROVIDER, "no load balancer serves the zone") \
	/* LoadBalancer */ \
	X(BalancerActive, OK, NOBODY, "the load balancer runs") \
	X(BalancerStarting, UNKNOWN, TIME, "the load balancer is being made") \
	X(BalancerShifted, WARN, PROVIDER, "the zone is shifted: names do without it while others answer") \
	X(BalancerStopped, BROKEN, PROVIDER, "the load balancer is stopped") \
	X(BalancerDeleting, BROKEN, PROVIDER, "the load balancer is being deleted") \
	X(BalancerFailed, BROKEN, PROVIDER, "the load balancer could not be made") \
	X(BalancerMissing, BROKEN, PROVIDER, "the load balancer is gone") \
	X(BalancerNotInForce, BROKEN, OPERATOR, "a node cannot put the load balancer into force") \
	/* BalancerGroup */ \
	X(BalancerGroupAllows, OK, NOBODY, "the load balancer's security groups let the client in") \
	X(BalancerGroupRefuses, BROKEN, PROVIDER, "the load balancer's security groups refuse the client") \
	X(BalancerGroupDepends, WARN, PROVIDER, "the load balancer's security groups let some clients in") \
	/* Listener */ \
	X(ListenerRunning, OK, NOBODY, "the listener runs") \
	X(ListenerStarting, UNKNOWN, TIME, "the listener is being started") \
	X(ListenerStopped, BROKEN, PROVIDER, "the listener is stopped") \
	X(ListenerMissing, BROKEN, PROVIDER, "the load balancer does not listen on this port") \
	X(ListenerNotInForce, BROKEN, OPERATOR, "a node cannot put the listener into force") \
	/* ServerGroup */ \
	X(ServersHealthy, OK, NOBODY, "all servers are healthy") \
	X(ServersUnprobed, OK, NOBODY, "there are servers, and no health check") \
	X(ServersUnknown, UNKNOWN, TIME, "no health check has said anything yet") \
	X(ServersSomeUnhealthy, WARN, PROVIDER, "some servers get no new flows") \
	X(ServersOtherZones, WARN, PROVIDER, "no server of the zone is healthy: those of other zones stand in") \
	X(ServersUnhealthy, BROKEN, PROVIDER, "all servers fail the health check") \
	X(ServersStopped, BROKEN, PROVIDER, "the servers' instances are stopped") \
	X(ServersWeightZero, BROKEN, PROVIDER, "all servers have weight 0: none gets a new flow") \
	X(ServersGone, BROKEN, PROVIDER, "no interface has the servers' addresses") \
	X(ServersNodeLost, BROKEN, OPERATOR, "the servers' nodes do not report") \
	X(ServersElsewhere, BROKEN, OPERATOR, "the servers are on other nodes than the instance, to which there is no way") \
	X(ServersNone, BROKEN, PROVIDER, "the server group is empty") \
	X(ServersNoneInZone, BROKEN, PROVIDER, "the zone has no server, and those of other zones do not stand in (CrossZoneEnabled)") \
	X(ServerGroupMissing, BROKEN, PROVIDER, "the listener's server group is gone") \
	X(ServersNotInForce, BROKEN, OPERATOR, "a node cannot put the server group into force") \
	X(ServersTooMany, UNKNOWN, NOBODY, "there are more servers than one answer looks at")
/* clang-format on */
