/** Endpoint slices, ingresses and network policies. Notation: schema.ts. */
export const networkMessages = {
  EndpointSlice: "apiVersion:s kind:s metadata:ObjectMeta addressType:s endpoints:Endpoint[] ports:EndpointPort[]",
  Endpoint: `
    addresses:s[] conditions:EndpointConditions hostname:s targetRef:ObjectReference deprecatedTopology:{s}
    nodeName:s zone:s hints:EndpointHints
  `,
  EndpointConditions: "ready:b serving:b terminating:b",
  EndpointHints: "forZones:ForZone[] forNodes:ForNode[]",
  ForZone: "name:s",
  ForNode: "name:s",
  Ingress: "apiVersion:s kind:s metadata:ObjectMeta spec:IngressSpec status:IngressStatus",
  IngressSpec: "ingressClassName:s defaultBackend:IngressBackend tls:IngressTLS[] rules:IngressRule[]",
  IngressBackend: "service:IngressServiceBackend resource:TypedLocalObjectReference",
  IngressServiceBackend: "name:s port:ServiceBackendPort",
  ServiceBackendPort: "name:s number:i",
  IngressTLS: "hosts:s[] secretName:s",
  IngressRule: "host:s http:HTTPIngressRuleValue",
  HTTPIngressRuleValue: "paths:HTTPIngressPath[]",
  HTTPIngressPath: "path:s pathType:s backend:IngressBackend",
  IngressStatus: "loadBalancer:IngressLoadBalancerStatus hostsSince:{s}",
  IngressLoadBalancerStatus: "ingress:IngressLoadBalancerIngress[]",
  IngressLoadBalancerIngress: "ip:s hostname:s ports:IngressPortStatus[]",
  IngressPortStatus: "port:i protocol:s error:s",
  IngressClass: "apiVersion:s kind:s metadata:ObjectMeta spec:IngressClassSpec",
  IngressClassSpec: "controller:s parameters:IngressClassParametersReference",
  IngressClassParametersReference: "apiGroup:s kind:s name:s scope:s namespace:s",
  NetworkPolicy: "apiVersion:s kind:s metadata:ObjectMeta spec:NetworkPolicySpec",
  NetworkPolicySpec: `
    podSelector:LabelSelector ingress:NetworkPolicyIngressRule[] egress:NetworkPolicyEgressRule[] policyTypes:s[]
  `,
  NetworkPolicyIngressRule: "ports:NetworkPolicyPort[] from:NetworkPolicyPeer[]",
  NetworkPolicyEgressRule: "ports:NetworkPolicyPort[] to:NetworkPolicyPeer[]",
  NetworkPolicyPeer: "podSelector:LabelSelector namespaceSelector:LabelSelector ipBlock:IPBlock",
  NetworkPolicyPort: "protocol:s port:I endPort:i",
  IPBlock: "cidr:s except:s[]",
} as const;
