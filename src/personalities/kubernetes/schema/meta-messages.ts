/** Metadata, references, and the small kinds. Notation: schema.ts. */
export const metaMessages = {
  ObjectMeta: `
    name:s generateName:s namespace:s selfLink:s uid:s resourceVersion:s generation:l
    creationTimestamp:T deletionTimestamp:T deletionGracePeriodSeconds:l labels:{s} annotations:{s}
    ownerReferences:OwnerReference[]@uid finalizers:s[]@- managedFields:ManagedFieldsEntry[]
  `,
  OwnerReference: "kind:s name:s uid:s apiVersion:s controller:b blockOwnerDeletion:b",
  ManagedFieldsEntry: "manager:s operation:s apiVersion:s time:T fieldsType:s fieldsV1:any subresource:s",
  LabelSelector: "matchLabels:{s} matchExpressions:LabelSelectorRequirement[]",
  LabelSelectorRequirement: "key:s operator:s values:s[]",
  LocalObjectReference: "name:s",
  ObjectReference: "kind:s namespace:s name:s uid:s apiVersion:s resourceVersion:s fieldPath:s",
  TypedLocalObjectReference: "apiGroup:s kind:s name:s",
  TypedObjectReference: "apiGroup:s kind:s name:s namespace:s",
  Condition: "type:s status:s observedGeneration:l lastTransitionTime:T reason:s message:s",
  DeleteOptions: `
    apiVersion:s kind:s gracePeriodSeconds:l preconditions:Preconditions orphanDependents:b
    propagationPolicy:s dryRun:s[] ignoreStoreReadErrorWithClusterBreakingPotential:b
  `,
  Preconditions: "uid:s resourceVersion:s",
  Scale: "apiVersion:s kind:s metadata:ObjectMeta spec:ScaleSpec status:ScaleStatus",
  ScaleSpec: "replicas:i",
  ScaleStatus: "replicas:i selector:s",
  Binding: "apiVersion:s kind:s metadata:ObjectMeta target:ObjectReference",
  Event: `
    apiVersion:s kind:s metadata:ObjectMeta involvedObject:ObjectReference reason:s message:s
    source:EventSource firstTimestamp:T lastTimestamp:T count:i type:s eventTime:T series:EventSeries
    action:s related:ObjectReference reportingComponent:s reportingInstance:s
  `,
  EventSource: "component:s host:s",
  EventSeries: "count:i lastObservedTime:T",
  Namespace: "apiVersion:s kind:s metadata:ObjectMeta spec:NamespaceSpec status:NamespaceStatus",
  NamespaceSpec: "finalizers:s[]",
  NamespaceStatus: "phase:s conditions:NamespaceCondition[]@type",
  NamespaceCondition: "type:s status:s lastTransitionTime:T reason:s message:s",
  Secret: "apiVersion:s kind:s metadata:ObjectMeta data:{B} type:s stringData:{s} immutable:b",
  ConfigMap: "apiVersion:s kind:s metadata:ObjectMeta data:{s} binaryData:{B} immutable:b",
} as const;
