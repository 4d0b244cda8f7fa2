/** Replication controllers, services and endpoints. Notation: schema.ts. */
export const workloadMessages = {
  ReplicationController: `
    apiVersion:s kind:s metadata:ObjectMeta spec:ReplicationControllerSpec
    status:ReplicationControllerStatus
  `,
  ReplicationControllerSpec: "replicas:i selector:{s} template:PodTemplateSpec minReadySeconds:i",
  PodTemplateSpec: "metadata:ObjectMeta spec:PodSpec",
  ReplicationControllerStatus: `
    replicas:i fullyLabeledReplicas:i observedGeneration:l readyReplicas:i availableReplicas:i
    conditions:ReplicationControllerCondition[]@type
  `,
  ReplicationControllerCondition: "type:s status:s lastTransitionTime:T reason:s message:s",
  Service: "apiVersion:s kind:s metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus",
  ServiceSpec: `
    ports:ServicePort[]@port selector:{s} clusterIP:s type:s externalIPs:s[] sessionAffinity:s
    loadBalancerIP:s loadBalancerSourceRanges:s[] externalName:s externalTrafficPolicy:s
    healthCheckNodePort:i publishNotReadyAddresses:b sessionAffinityConfig:SessionAffinityConfig
    ipFamilyPolicy:s clusterIPs:s[] ipFamilies:s[] allocateLoadBalancerNodePorts:b loadBalancerClass:s
    internalTrafficPolicy:s trafficDistribution:s
  `,
  ServicePort: "name:s protocol:s port:i targetPort:I nodePort:i appProtocol:s",
  SessionAffinityConfig: "clientIP:ClientIPConfig",
  ClientIPConfig: "timeoutSeconds:i",
  ServiceStatus: "loadBalancer:LoadBalancerStatus conditions:Condition[]@type",
  LoadBalancerStatus: "ingress:LoadBalancerIngress[]",
  LoadBalancerIngress: "ip:s hostname:s ipMode:s ports:PortStatus[]",
  PortStatus: "port:i protocol:s error:s",
  Endpoints: "apiVersion:s kind:s metadata:ObjectMeta subsets:EndpointSubset[]",
  EndpointSubset: "addresses:EndpointAddress[] notReadyAddresses:EndpointAddress[] ports:EndpointPort[]",
  EndpointAddress: "ip:s targetRef:ObjectReference hostname:s nodeName:s",
  EndpointPort: "name:s port:i protocol:s appProtocol:s",
} as const;
