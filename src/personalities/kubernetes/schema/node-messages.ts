/** Nodes. Notation: schema.ts. */
export const nodeMessages = {
  Node: "apiVersion:s kind:s metadata:ObjectMeta spec:NodeSpec status:NodeStatus",
  NodeSpec: `
    podCIDR:s externalID:s providerID:s unschedulable:b taints:Taint[] configSource:NodeConfigSource
    podCIDRs:s[]@- podPreemptionPolicy:NodePodPreemptionPolicy
  `,
  Taint: "key:s value:s effect:s timeAdded:T",
  NodeConfigSource: "configMap:ConfigMapNodeConfigSource",
  ConfigMapNodeConfigSource: "namespace:s name:s uid:s resourceVersion:s kubeletConfigKey:s",
  NodePodPreemptionPolicy: "disableResizePreemption:s[]",
  NodeStatus: `
    capacity:{Q} allocatable:{Q} phase:s conditions:NodeCondition[]@type addresses:NodeAddress[]@type
    daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images:ContainerImage[] volumesInUse:s[]
    volumesAttached:AttachedVolume[] config:NodeConfigStatus runtimeHandlers:NodeRuntimeHandler[]
    features:NodeFeatures declaredFeatures:s[] drivers:{DriverReport} dynamicPorts:i[]
  `,
  NodeCondition: "type:s status:s lastHeartbeatTime:T lastTransitionTime:T reason:s message:s",
  NodeAddress: "type:s address:s",
  NodeDaemonEndpoints: "kubeletEndpoint:DaemonEndpoint",
  DaemonEndpoint: "Port:i",
  NodeSystemInfo: `
    machineID:s systemUUID:s bootID:s kernelVersion:s osImage:s containerRuntimeVersion:s
    kubeletVersion:s kubeProxyVersion:s operatingSystem:s architecture:s swap:NodeSwapStatus
  `,
  NodeSwapStatus: "capacity:l",
  ContainerImage: "names:s[] sizeBytes:l",
  AttachedVolume: "name:s devicePath:s",
  NodeConfigStatus: "assigned:NodeConfigSource active:NodeConfigSource lastKnownGood:NodeConfigSource error:s",
  NodeRuntimeHandler: "name:s features:NodeRuntimeHandlerFeatures",
  NodeRuntimeHandlerFeatures: "recursiveReadOnlyMounts:b userNamespaces:b",
  NodeFeatures: "supplementalGroupsPolicy:b",
} as const;
