/** Styrmann's own fields, which Kubernetes does not have (docs/compatibility.md). Notation: schema.ts. */
export const extensionMessages = {
  Constraint: `
    from:s preferred:i type:s key:s values:s[] than:f pattern:s id:s topologyKey:s pods:PodSelection
    maxSkew:i minDomains:i groups:i total:i count:i orFirst:b nodeName:s
  `,
  PodSelection: "by:s selector:LabelSelector namespaces:s[] glob:s dialect:s",
  RestartBackoff: "initialMs:l factor:f maxMs:l",
  UnreachableRule: "action:s afterMs:l",
  DockerSettings: "parameters:DockerParameter[] network:s",
  DockerParameter: "key:s value:s",
  ProcessSettings: "user:s fetch:FetchedFile[]",
  FetchedFile: "uri:s extract:b executable:b destPath:s",
  UnitSettings: "name:s options:UnitOption[] start:b",
  UnitOption: "section:s name:s value:s",
  HealthCheck: `
    exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction intervalSeconds:i timeoutSeconds:i
    delaySeconds:i graceSeconds:i killAfterFailures:i ignoreHttp1xx:b assignedPort:s
  `,
  HealthResult: "alive:b consecutiveFailures:i firstSuccess:s lastSuccess:s lastFailure:s lastFailureCause:s",
  UnitState: "load:s active:s sub:s result:s message:s",
  ChildContainer: "id:s name:s image:s state:s ports:ChildPort[]",
  ChildPort: "containerPort:i hostPort:i protocol:s",
  DriverReport: "ready:b reason:s version:s",
} as const;
