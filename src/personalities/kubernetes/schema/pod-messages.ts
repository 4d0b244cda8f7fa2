/** What a pod asks for. Notation: schema.ts. */
export const podMessages = {
  Pod: "apiVersion:s kind:s metadata:ObjectMeta spec:PodSpec status:PodStatus",
  PodSpec: `
    volumes:Volume[]@name+ containers:Container[]@name restartPolicy:s terminationGracePeriodSeconds:l
    activeDeadlineSeconds:l dnsPolicy:s nodeSelector:{s} serviceAccountName:s serviceAccount:s
    nodeName:s hostNetwork:b hostPID:b hostIPC:b securityContext:PodSecurityContext
    imagePullSecrets:LocalObjectReference[]@name hostname:s subdomain:s affinity:Affinity
    schedulerName:s initContainers:Container[]@name automountServiceAccountToken:b
    tolerations:Toleration[] hostAliases:HostAlias[]@ip priorityClassName:s priority:i
    dnsConfig:PodDNSConfig shareProcessNamespace:b readinessGates:PodReadinessGate[] runtimeClassName:s
    enableServiceLinks:b preemptionPolicy:s overhead:{Q}
    topologySpreadConstraints:TopologySpreadConstraint[]@topologyKey
    ephemeralContainers:EphemeralContainer[]@name setHostnameAsFQDN:b os:PodOS hostUsers:b
    schedulingGates:PodSchedulingGate[]@name resourceClaims:PodResourceClaim[]@name+
    resources:ResourceRequirements hostnameOverride:s schedulingGroup:PodSchedulingGroup
    evictionResponders:EvictionResponder[] constraints:Constraint[] restartBackoff:RestartBackoff
    exclusive:b whenUnreachable:UnreachableRule
  `,
  ObjectFieldSelector: "apiVersion:s fieldPath:s",
  ResourceFieldSelector: "containerName:s resource:s divisor:Q",
  Container: `
    name:s image:s command:s[] args:s[] workingDir:s ports:ContainerPort[]@containerPort
    env:EnvVar[]@name resources:ResourceRequirements volumeMounts:VolumeMount[]@mountPath
    livenessProbe:Probe readinessProbe:Probe lifecycle:Lifecycle terminationMessagePath:s
    imagePullPolicy:s securityContext:SecurityContext stdin:b stdinOnce:b tty:b envFrom:EnvFromSource[]
    terminationMessagePolicy:s volumeDevices:VolumeDevice[]@devicePath startupProbe:Probe
    resizePolicy:ContainerResizePolicy[] restartPolicy:s restartPolicyRules:ContainerRestartRule[]
    driver:s docker:DockerSettings process:ProcessSettings unit:UnitSettings healthChecks:HealthCheck[]
  `,
  ContainerPort: "name:s hostPort:i containerPort:i protocol:s hostIP:s dynamicHostPort:b servicePort:i",
  EnvVar: "name:s value:s valueFrom:EnvVarSource",
  EnvVarSource: `
    fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector
    configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector fileKeyRef:FileKeySelector
    assignedPort:s
  `,
  ConfigMapKeySelector: "name:s key:s optional:b",
  SecretKeySelector: "name:s key:s optional:b",
  FileKeySelector: "volumeName:s path:s key:s optional:b",
  ResourceRequirements: "limits:{Q} requests:{Q} claims:ResourceClaim[]",
  ResourceClaim: "name:s request:s",
  VolumeMount: `
    name:s readOnly:b mountPath:s subPath:s mountPropagation:s subPathExpr:s recursiveReadOnly:s
    bindMountOptions:s[]
  `,
  Probe: `
    exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction
    initialDelaySeconds:i timeoutSeconds:i periodSeconds:i successThreshold:i failureThreshold:i
    terminationGracePeriodSeconds:l
  `,
  ExecAction: "command:s[]",
  HTTPGetAction: "path:s port:I host:s scheme:s httpHeaders:HTTPHeader[] protocol:s",
  HTTPHeader: "name:s value:s",
  TCPSocketAction: "port:I host:s",
  GRPCAction: "port:i service:s mode:s",
  Lifecycle: "postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:s",
  LifecycleHandler: "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction",
  SleepAction: "seconds:l",
  SecurityContext: `
    capabilities:Capabilities privileged:b seLinuxOptions:SELinuxOptions runAsUser:l runAsNonRoot:b
    readOnlyRootFilesystem:b allowPrivilegeEscalation:b runAsGroup:l procMount:s
    windowsOptions:WindowsSecurityContextOptions seccompProfile:SeccompProfile
    appArmorProfile:AppArmorProfile
  `,
  Capabilities: "add:s[] drop:s[]",
  SELinuxOptions: "user:s role:s type:s level:s",
  WindowsSecurityContextOptions: "gmsaCredentialSpecName:s gmsaCredentialSpec:s runAsUserName:s hostProcess:b",
  SeccompProfile: "type:s localhostProfile:s",
  AppArmorProfile: "type:s localhostProfile:s",
  EnvFromSource: "prefix:s configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource",
  ConfigMapEnvSource: "name:s optional:b",
  SecretEnvSource: "name:s optional:b",
  VolumeDevice: "name:s devicePath:s",
  ContainerResizePolicy: "resourceName:s restartPolicy:s",
  ContainerRestartRule: "action:s exitCodes:ContainerRestartRuleOnExitCodes",
  ContainerRestartRuleOnExitCodes: "operator:s values:i[]",
  PodSecurityContext: `
    seLinuxOptions:SELinuxOptions runAsUser:l runAsNonRoot:b supplementalGroups:l[] fsGroup:l
    runAsGroup:l sysctls:Sysctl[] windowsOptions:WindowsSecurityContextOptions fsGroupChangePolicy:s
    seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile supplementalGroupsPolicy:s
    seLinuxChangePolicy:s
  `,
  Sysctl: "name:s value:s",
  Affinity: "nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity",
  NodeAffinity: `
    requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
    preferredDuringSchedulingIgnoredDuringExecution:PreferredSchedulingTerm[]
  `,
  NodeSelector: "nodeSelectorTerms:NodeSelectorTerm[]",
  NodeSelectorTerm: "matchExpressions:NodeSelectorRequirement[] matchFields:NodeSelectorRequirement[]",
  NodeSelectorRequirement: "key:s operator:s values:s[]",
  PreferredSchedulingTerm: "weight:i preference:NodeSelectorTerm",
  PodAffinity: `
    requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[]
    preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]
  `,
  PodAffinityTerm: `
    labelSelector:LabelSelector namespaces:s[] topologyKey:s namespaceSelector:LabelSelector
    matchLabelKeys:s[] mismatchLabelKeys:s[]
  `,
  WeightedPodAffinityTerm: "weight:i podAffinityTerm:PodAffinityTerm",
  PodAntiAffinity: `
    requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm[]
    preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm[]
  `,
  Toleration: "key:s operator:s value:s effect:s tolerationSeconds:l",
  HostAlias: "ip:s hostnames:s[]",
  PodDNSConfig: "nameservers:s[] searches:s[] options:PodDNSConfigOption[]",
  PodDNSConfigOption: "name:s value:s",
  PodReadinessGate: "conditionType:s",
  TopologySpreadConstraint: `
    maxSkew:i topologyKey:s whenUnsatisfiable:s labelSelector:LabelSelector minDomains:i
    nodeAffinityPolicy:s nodeTaintsPolicy:s matchLabelKeys:s[]
  `,
  EphemeralContainer: `
    name:s image:s command:s[] args:s[] workingDir:s ports:ContainerPort[]@containerPort
    env:EnvVar[]@name resources:ResourceRequirements volumeMounts:VolumeMount[]@mountPath
    livenessProbe:Probe readinessProbe:Probe lifecycle:Lifecycle terminationMessagePath:s
    imagePullPolicy:s securityContext:SecurityContext stdin:b stdinOnce:b tty:b envFrom:EnvFromSource[]
    terminationMessagePolicy:s volumeDevices:VolumeDevice[]@devicePath startupProbe:Probe
    resizePolicy:ContainerResizePolicy[] restartPolicy:s restartPolicyRules:ContainerRestartRule[]
    targetContainerName:s
  `,
  PodOS: "name:s",
  PodSchedulingGate: "name:s",
  PodResourceClaim: "name:s resourceClaimName:s resourceClaimTemplateName:s",
  PodSchedulingGroup: "podGroupName:s",
  EvictionResponder: "name:s priority:i",
} as const;
