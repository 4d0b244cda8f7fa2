import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";

/** A pod with its only container changed. */
const withContainer = (container: object, spec: object = {}) =>
  podNamed("bad", { containers: [{ name: "main", image: "busybox:1", ...container }], ...spec });

const service = (spec: object, name = "bad") => ({ kind: "Service", metadata: { name }, spec });

describe("kubernetes: what is refused, in Kubernetes' words", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
    // The first request makes the namespaces.
    await cluster.get("/api/v1/namespaces");
  });
  after(() => cluster.close());

  const rows: readonly { why: string; body: object; at?: string; says: readonly string[] }[] = [
    {
      why: "no image",
      body: podNamed("bad", { containers: [{ name: "main" }] }),
      says: ["spec.containers[0].image: Required value"],
    },
    {
      why: "variables from nothing, from two things, and from something without a name",
      body: withContainer({
        envFrom: [{}, { configMapRef: { name: "a" }, secretRef: { name: "b" } }, { secretRef: {} }],
      }),
      says: [
        'spec.containers[0].envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        'spec.containers[0].envFrom[1]: Invalid value: "": may not have more than one field specified at a time',
        "spec.containers[0].envFrom[2].secretRef.name: Required value",
      ],
    },
    {
      why: "half a GPU",
      body: withContainer({ resources: { limits: { "nvidia.com/gpu": "500m" } } }),
      says: ['spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer'],
    },
    {
      why: "a file mode that is none",
      body: podNamed("bad", {
        containers: [{ name: "main", image: "busybox:1" }],
        volumes: [
          { name: "v", secret: { secretName: "s", defaultMode: 1000, items: [{ key: "a", path: "a", mode: -1 }] } },
        ],
      }),
      says: [
        "spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive",
        "spec.volumes[0].secret.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
      ],
    },
    {
      why: "what nobody here would do",
      body: withContainer(
        {
          livenessProbe: { grpc: { port: 80 } },
          volumeDevices: [{ name: "v", devicePath: "/dev/x" }],
          securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "a" }, procMount: "Unmasked" },
        },
        { schedulingGates: [{ name: "a" }], runtimeClassName: "gvisor", hostUsers: false, os: { name: "windows" } },
      ),
      says: [
        "spec.schedulingGates: Forbidden: not supported",
        "spec.runtimeClassName: Forbidden: not supported",
        "spec.hostUsers: Forbidden: not supported",
        "spec.os.name: Forbidden: not supported",
        "spec.containers[0].volumeDevices: Forbidden: not supported",
        "spec.containers[0].livenessProbe.grpc: Forbidden: not supported",
        "spec.containers[0].securityContext.seccompProfile.type: Forbidden: not supported",
        "spec.containers[0].securityContext.procMount: Forbidden: not supported",
      ],
    },
    {
      why: "DNS settings that are none",
      body: podNamed("bad", {
        containers: [{ name: "main", image: "busybox:1" }],
        dnsPolicy: "None",
        dnsConfig: { searches: ["a_b"] },
        hostPID: true,
        shareProcessNamespace: true,
      }),
      says: [
        "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None",
        'spec.dnsConfig.searches[0]: Invalid value: "a_b": a lowercase RFC 1123 subdomain',
        "spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
      ],
    },
    { why: "no containers", body: podNamed("bad", { containers: [] }), says: ["spec.containers: Required value"] },
    { why: "no spec", body: { kind: "Pod", metadata: { name: "bad" } }, says: ["spec.containers: Required value"] },
    {
      why: "no name",
      body: { kind: "Pod", metadata: {}, spec: { containers: [{ name: "a", image: "b" }] } },
      says: ["metadata.name: Required value: name or generateName is required"],
    },
    {
      why: "a name that climbs out",
      body: podNamed("../../etc"),
      says: [`metadata.name: Invalid value: "../../etc": a lowercase RFC 1123 subdomain must consist of`],
    },
    {
      why: "a name with a newline",
      body: podNamed("a\nb"),
      says: ['metadata.name: Invalid value: "a\\nb": a lowercase RFC 1123 subdomain'],
    },
    {
      why: "two containers of one name",
      body: podNamed("bad", {
        containers: [
          { name: "a", image: "b" },
          { name: "a", image: "b" },
        ],
      }),
      says: ['spec.containers[1].name: Duplicate value: "a"'],
    },
    {
      why: "a port out of range",
      body: withContainer({ ports: [{ containerPort: 70000 }, { containerPort: 80, hostPort: -1 }] }),
      says: [
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        "spec.containers[0].ports[1].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
      ],
    },
    {
      why: "a host port at which hosts hear each other",
      body: withContainer({ ports: [{ containerPort: 80, hostPort: 8472, protocol: "UDP" }] }),
      says: [
        "spec.containers[0].ports[0].hostPort: Invalid value: 8472: 8472/udp is the hosts' own (VXLAN): choose another",
      ],
    },
    {
      why: "a host port at an IPv6 address, or none",
      body: withContainer({
        ports: ["::1", "::ffff:10.0.0.1", "010.0.0.1", "::", "", "127.0.0.1"].map((hostIP, at) => ({
          ...{ containerPort: 80, hostPort: 80 + at, hostIP },
        })),
      }),
      says: ["::1", "::ffff:10.0.0.1", "010.0.0.1"].map(
        (hostIP, at) =>
          `spec.containers[0].ports[${at}].hostIP: Invalid value: "${hostIP}": must be an IPv4 address of the host: pods have no IPv6`,
      ),
    },
    {
      why: "one host port twice, in other words",
      body: withContainer({
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80, hostIP: "0.0.0.0" },
        ],
      }),
      says: ["spec.containers[0].ports[1].hostPort: Duplicate value: 80"],
    },
    {
      why: "negative resources",
      body: withContainer({ resources: { requests: { memory: "-1Gi" } } }),
      says: [
        'spec.containers[0].resources.requests[memory]: Invalid value: "-1Gi": must be greater than or equal to 0',
      ],
    },
    {
      why: "a limit below its request",
      body: withContainer({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
      says: ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    },
    {
      why: "an unknown resource",
      body: withContainer({ resources: { requests: { gpu: "1" } } }),
      says: ["must be a standard resource type or fully qualified"],
    },
    {
      why: "a mount without its volume",
      body: withContainer({ volumeMounts: [{ name: "data", mountPath: "/data" }] }),
      says: ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    },
    {
      why: "a sub path that climbs out",
      body: withContainer(
        { volumeMounts: [{ name: "v", mountPath: "/data", subPath: "../../etc" }] },
        { volumes: [{ name: "v", emptyDir: {} }] },
      ),
      says: ["spec.containers[0].volumeMounts[0].subPath: Invalid value: \"../../etc\": must not contain '..'"],
    },
    {
      why: "two volumes of one name, and one with two sources",
      body: podNamed("bad", {
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "v", emptyDir: {}, hostPath: { path: "/x" } },
        ],
      }),
      says: [
        'spec.volumes[1].name: Duplicate value: "v"',
        "spec.volumes[1].hostPath: Forbidden: may not specify more than 1 volume type",
      ],
    },
    {
      why: "a restart policy of another world",
      body: podNamed("bad", { restartPolicy: "Sometimes" }),
      says: ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    },
    {
      why: "a probe with two actions, and one with none",
      body: withContainer({
        livenessProbe: { tcpSocket: { port: 80 }, exec: { command: ["true"] } },
        readinessProbe: { periodSeconds: 5 },
      }),
      says: [
        "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        "spec.containers[0].readinessProbe: Required value: must specify a handler type",
      ],
    },
    {
      why: "a label value with spaces",
      body: podNamed("bad", {}, { a: "b c" }),
      says: ['metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of'],
    },
    {
      why: "an environment variable from two places",
      body: withContainer({
        env: [
          {
            name: "A",
            valueFrom: { fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } },
          },
          { name: "B=C", value: "" },
        ],
      }),
      says: ["may not have more than one field specified at a time", 'env[1].name: Invalid value: "B=C"'],
    },
    {
      why: "an init container with probes",
      body: podNamed("bad", { initContainers: [{ name: "i", image: "b", livenessProbe: { tcpSocket: { port: 1 } } }] }),
      says: ["spec.initContainers[0].livenessProbe: Forbidden"],
    },
    {
      why: "an extension that is not complete",
      body: podNamed("bad", {
        constraints: [{ type: "in", key: "zone" }, { type: "near" }, { type: "matches", key: "zone", pattern: "(" }],
      }),
      says: [
        "spec.constraints[0].values: Required value",
        'spec.constraints[1].type: Unsupported value: "near"',
        'spec.constraints[2].pattern: Invalid value: "("',
      ],
    },
    {
      why: "a controller whose selector its own pods would not match",
      at: "replicationcontrollers",
      body: rcNamed("bad", 1, { selector: { app: "other" } }),
      says: [
        'spec.template.metadata.labels: Invalid value: {"app":"bad"}: `selector` does not match template `labels`',
      ],
    },
    {
      why: "a controller that wants fewer than none",
      at: "replicationcontrollers",
      body: rcNamed("bad", -1),
      says: ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    },
    {
      why: "a service without ports, and a name that is no DNS label",
      at: "services",
      body: service({}, "1bad"),
      says: ["spec.ports: Required value", 'metadata.name: Invalid value: "1bad": a DNS-1035 label'],
    },
    {
      why: "ports of a service that cannot be told apart",
      at: "services",
      body: service({ ports: [{ port: 80 }, { port: 80 }] }),
      says: ["spec.ports[0].name: Required value", 'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
    },
    {
      why: "an address outside the range",
      at: "services",
      body: service({ clusterIP: "192.168.0.1", ports: [{ port: 80 }] }),
      says: ['spec.clusterIPs: Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1'],
    },
    {
      why: "a config map key that is no file name",
      at: "configmaps",
      body: { kind: "ConfigMap", metadata: { name: "bad" }, data: { "a/b": "1" } },
      says: ['data[a/b]: Invalid value: "a/b": a valid config key must consist of'],
    },
  ];

  for (const { why, body, at = "pods", says } of rows) {
    test(why, async () => {
      const before = cluster.store.revision;
      const answer = await cluster.post(`${NS}/${at}`, body);
      assert.equal(answer.status, 422, answer.text);
      assert.equal(answer.body.reason, "Invalid");
      for (const text of says) assert.ok(answer.body.message.includes(text), `${answer.body.message}\nlacks ${text}`);
      assert.equal(cluster.store.revision, before, "a refusal changes nothing");
      for (const { field, reason } of answer.body.details.causes) {
        assert.match(field, /^(spec|metadata|data|subsets)/);
        assert.match(reason, /^FieldValue/);
      }
    });
  }

  test("a quantity that is none is refused with its field", async () => {
    const { status, body } = await cluster.post(
      `${NS}/pods`,
      withContainer({ resources: { limits: { cpu: "lots" } } }),
    );
    assert.equal(status, 400);
    assert.match(
      body.message,
      /spec.containers\[0\].resources.limits\[cpu\]: quantities must match the regular expression/,
    );
  });

  test("broken JSON, an empty body, a list and a body too large or too deep", async () => {
    for (const [body, status] of [
      ['{"kind": "Pod",', 400],
      ["", 400],
      ["[]", 400],
      ["null", 400],
      [`${"[".repeat(5000)}${"]".repeat(5000)}`, 400],
      [`{"kind":"Pod","metadata":{"name":"${"x".repeat(4 * 1024 * 1024)}"}}`, 413],
    ] as const) {
      const answer = await cluster.post(`${NS}/pods`, body);
      assert.equal(answer.status, status, answer.text.slice(0, 300));
      assert.equal(answer.body.kind, "Status");
    }
  });

  test("quantities are written back in their canonical form, numbers as well", async () => {
    const resources = { requests: { cpu: 0.5, memory: "1024Mi" }, limits: { cpu: "1000m", memory: "2048Mi" } };
    const { body } = await cluster.post(`${NS}/pods?dryRun=All`, withContainer({ resources }));
    assert.deepEqual(body.spec.containers[0].resources, {
      requests: { cpu: "500m", memory: "1Gi" },
      limits: { cpu: "1", memory: "2Gi" },
    });
    assert.equal(body.status.qosClass, "Burstable");
  });

  test("limits alone are requests as well, and make a pod Guaranteed", async () => {
    const resources = { limits: { cpu: "1", memory: "1Gi" } };
    const { body } = await cluster.post(`${NS}/pods?dryRun=All`, withContainer({ resources }));
    assert.deepEqual(body.spec.containers[0].resources.requests, resources.limits);
    assert.equal(body.status.qosClass, "Guaranteed");
  });
});
