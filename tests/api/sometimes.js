// SPDX-License-Identifier: Apache-2.0
// Members of answers that apply to some objects only, or to nothing that privlink has. Any other member of a shape that
// an answer lacks is a fault. A rule is a product, an action, a member's path, and what the object that would
// have it (and the member's path) must be for the member to be left out; without that it may always be.
'use strict';

const rules = [
	// The last page has no token.
	[/./, /./, /^NextToken$/],
	// PrivateLink: what only endpoints of a service of another region have; only those of a service that takes policies;
	// only a zone with IPv6; only one that is served; only one that is being moved from one load balancer to another.
	['privatelink', /Endpoint/, /CrossRegionBandwidth$/, (o) => !o.ServiceRegionId || !o.RegionId || o.ServiceRegionId === o.RegionId],
	['privatelink', /Endpoint/, /PolicyDocument$/],
	['privatelink', 'ListVpcEndpointZones', /ZoneIpv6Address$/],
	['privatelink', 'ListVpcEndpointConnections', /Zones\[\]\.ResourceId$/, (o) => o.ZoneStatus !== 'Connected'],
	['privatelink', 'ListVpcEndpointConnections', /Zones\[\]\.Replaced(EniId|ResourceId)$/, (o) => !/Migrat/.test(o.ZoneStatus)],
	// STS: only a role that was taken on has one.
	['sts', 'GetCallerIdentity', /^RoleId$/, (o) => o.IdentityType !== 'AssumedRoleUser'],
	// VPC: DHCP options, gateways, propagation and addresses of the Internet are none of privlink's.
	['vpc', /^Describe/, /(DhcpOptionsSet(Id|Status)|Ipv[46]GatewayId|AssociatedPropagationSources|Ipv6CidrBlocks|NetworkAclId|CenStatus)$/],
	// A page by its number has no size by token, and the other way round.
	['ecs', /^Describe/, /^(PageNumber|PageSize)$/, (o) => !('PageNumber' in o) && !('PageSize' in o)],
	// ECS: lists of addresses and of ports that rules could name.
	['ecs', 'DescribeSecurityGroupAttribute', /\.(Dest|Source)PrefixListName$|\.PortRangeList(Id|Name)$/],
	// ECS: what describes a rented machine, its price, its image and its disks; an interface in no instance.
	['ecs', 'RunInstances', /^(OrderId|TradePrice)$/],
	['ecs', 'DescribeInstances', /\.(PrivateDnsName|Ipv[46]PrefixSets|Ipv6Sets)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(AdditionalInfo|AutoReleaseTime|ClockOptions|ClusterId|Cpu|CpuOptions)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(CreditSpecification|Dedicated\w+|DeploymentSet\w+|EcsCapacity\w+|EipAddress)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(EnableNVS|ExpiredTime|GPU\w+|HibernationOptions|HpcClusterId|ISP|ImageOptions)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(InstanceTypeFamily|Internet\w+|KeyPairName|LocalStorage\w+|Memory)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(MetadataOptions|OS\w+|PrivateDnsNameOptions|RdmaIpAddress|SaleCycle)$/],
	['ecs', 'DescribeInstances', /Instance\[\]\.(SecurityOptions|SerialNumber|Spot\w+|StoppedMode|VlanId|ResourceGroupId)$/],
	['ecs', /^DescribeSecurityGroup/, /(AvailableInstanceAmount|ServiceID|SnapshotPolicyIds)$/],
	['ecs', 'DescribeNetworkInterfaces', /\.(AssociatedPublicIp|PrivateDnsName|DeleteOnRelease|NetworkInterfaceTrafficMode)$/],
	['ecs', 'DescribeNetworkInterfaces', /\.(Ipv[46]PrefixSets|Queue\w*Number|ServiceID|Attachment\.(DeviceIndex|\w+Index|Trunk\w+))$/],
	['ecs', 'DescribeNetworkInterfaces', /\.Attachment\.InstanceId$/],
	// NLB: why and since when something is protected that is not; addresses of the Internet and of IPv6; packages of bandwidth.
	['nlb', 'CreateLoadBalancer', /^OrderId$/],
	['nlb', /ServerGroup/, /\.HealthCheck(Domain|HttpVersion|Url)$|\.HttpCheckMethod$/, (o) => o.HealthCheckType !== 'HTTP'],
	['nlb', /ServerGroup/, /\.HealthCheck(Exp|Req)$/, (o) => o.HealthCheckType !== 'UDP'],
	['nlb', /ServerGroup/, /\.IpVersionAffinityMode$/],
	// Only TLS has policies, only listeners of many ports a first and a last one, only proxy protocol settings of its own.
	['nlb', /Listener/, /(AlpnPolicy|SecurityPolicyId)$/, (o) => o.ListenerProtocol !== 'TCPSSL'],
	['nlb', /Listener/, /(StartPort|EndPort)$/, (o) => o.ListenerPort !== 0],
	['nlb', /Listener/, /ProxyProtocolV2Config$/, (o) => !o.ProxyProtocolEnabled],
	['nlb', 'GetListenerHealthStatus', /^MaxResults$/],
	['nlb', 'ListTagResources', /\.(AliUid|Category|RegionNo|Scope)$/],
	['nlb', /LoadBalancer/, /ProtectionConfig\.(EnabledTime|Reason)$/, (o) => !o.Enabled && o.Status !== 'ConsoleProtection'],
	['nlb', /LoadBalancer/, /(Allocation|BandwidthPackage)Id$/],
	['nlb', /LoadBalancer/, /(PublicIPv4Address|Ipv4LocalAddresses|Ipv6\w+|PrivateIPv[46]HcStatus|Cps)$/],
];

const fits = (pattern, text) => (pattern instanceof RegExp ? pattern.test(text) : pattern === text);

module.exports = (product, action, place, object) =>
	rules.some(
		([of, by, member, when]) => fits(of, product) && fits(by, action) && fits(member, place) && (!when || when(object)),
	);
