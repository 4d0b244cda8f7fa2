/** What a pod reports. Notation: schema.ts. */
export const podStatusMessages = {
  PodStatus: `
    phase:s conditions:PodCondition[]@type message:s reason:s hostIP:s podIP:s startTime:T
    containerStatuses:ContainerStatus[] qosClass:s initContainerStatuses:ContainerStatus[]
    nominatedNodeName:s podIPs:PodIP[]@ip ephemeralContainerStatuses:ContainerStatus[] resize:s
    resourceClaimStatuses:PodResourceClaimStatus[] hostIPs:HostIP[]@ip observedGeneration:l
    extendedResourceClaimStatus:PodExtendedResourceClaimStatus allocatedResources:{Q}
    resources:ResourceRequirements
    nodeAllocatableResourceClaimStatuses:NodeAllocatableResourceClaimStatus[]
    volumeHealth:PodVolumeHealth[] networkAddress:s
  `,
  PodCondition: "type:s status:s lastProbeTime:T lastTransitionTime:T reason:s message:s observedGeneration:l",
  ContainerStatus: `
    name:s state:ContainerState lastState:ContainerState ready:b restartCount:i image:s imageID:s
    containerID:s started:b allocatedResources:{Q} resources:ResourceRequirements
    volumeMounts:VolumeMountStatus[] user:ContainerUser allocatedResourcesStatus:ResourceStatus[]
    stopSignal:s healthResults:HealthResult[] unit:UnitState children:ChildContainer[]
  `,
  ContainerState: "waiting:ContainerStateWaiting running:ContainerStateRunning terminated:ContainerStateTerminated",
  ContainerStateWaiting: "reason:s message:s",
  ContainerStateRunning: "startedAt:T",
  ContainerStateTerminated: "exitCode:i signal:i reason:s message:s startedAt:T finishedAt:T containerID:s",
  VolumeMountStatus: "name:s mountPath:s readOnly:b recursiveReadOnly:s volumeStatus:VolumeStatus",
  VolumeStatus: "image:ImageVolumeStatus",
  ImageVolumeStatus: "imageRef:s",
  ContainerUser: "linux:LinuxContainerUser",
  LinuxContainerUser: "uid:l gid:l supplementalGroups:l[]",
  ResourceStatus: "name:s resources:ResourceHealth[]",
  ResourceHealth: "resourceID:s health:s message:s",
  PodIP: "ip:s",
  PodResourceClaimStatus: "name:s resourceClaimName:s",
  HostIP: "ip:s",
  PodExtendedResourceClaimStatus: "requestMappings:ContainerExtendedResourceRequest[] resourceClaimName:s",
  ContainerExtendedResourceRequest: "containerName:s resourceName:s requestName:s",
  NodeAllocatableResourceClaimStatus: `
    resourceClaimName:s containers:s[] mapping:NodeAllocatableMappedResources[]
    overhead:NodeAllocatableOverheadResources[]
  `,
  NodeAllocatableMappedResources: "name:s quantity:Q",
  NodeAllocatableOverheadResources: "name:s perPod:Q perContainer:Q",
  PodVolumeHealth: "name:s healthConditions:VolumeHealthCondition[] lastTransitionTime:T",
  VolumeHealthCondition: "status:s reason:s message:s",
} as const;
