import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type Cluster, openCluster, podNamed, rcNamed } from "./cluster.ts";

const NS = "/api/v1/namespaces/default";

/** A JSON object with one of its values, anywhere, replaced by something else. */
function damaged(whole: object): fc.Arbitrary<unknown> {
  const paths: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]) => {
    paths.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) walk(item, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(whole, []);
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, "", "x".repeat(300), -1, 1e300, 0.5, [], {}, [null], { $patch: "delete" }, "\u0000", "../x"),
  );
  return fc.tuple(fc.constantFrom(...paths), value).map(([path, put]) => {
    const set = (node: unknown, at: readonly (string | number)[]): unknown => {
      const [key, ...rest] = at;
      if (key === undefined) return put;
      if (Array.isArray(node)) return node.with(Number(key), set(node[Number(key)], rest));
      return { ...(node as object), [key]: set((node as Record<string, unknown>)[String(key)], rest) };
    };
    return set(whole, path);
  });
}

const POD = podNamed("whole", {
  restartPolicy: "Always",
  hostNetwork: false,
  nodeSelector: { disk: "ssd" },
  volumes: [
    { name: "v", emptyDir: { sizeLimit: "1Gi" } },
    { name: "s", secret: { secretName: "s", items: [{ key: "a", path: "b" }] } },
  ],
  initContainers: [{ name: "init", image: "busybox:1", restartPolicy: "Always" }],
  containers: [
    {
      name: "main",
      image: "busybox:1",
      command: ["a"],
      env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
      ports: [{ name: "http", containerPort: 80, hostPort: 80, protocol: "TCP" }],
      resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } },
      livenessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
      lifecycle: { preStop: { exec: { command: ["b"] } } },
      volumeMounts: [{ name: "v", mountPath: "/v", subPath: "x" }],
      healthChecks: [
        { tcpSocket: { port: 1 }, intervalSeconds: 1, timeoutSeconds: 1, graceSeconds: 1, killAfterFailures: 1 },
      ],
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: { topologyKey: "x", labelSelector: { matchLabels: { a: "b" } } } },
      ],
    },
  },
  tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute" }],
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "x", whenUnsatisfiable: "DoNotSchedule" }],
  constraints: [{ type: "apart", topologyKey: "x", pods: { by: "labels", selector: { matchLabels: { a: "b" } } } }],
  restartBackoff: { initialMs: 1, factor: 2, maxMs: 10 },
});

const WHOLE: readonly (readonly [string, object])[] = [
  ["pods", POD],
  ["replicationcontrollers", rcNamed("whole", 1)],
  [
    "services",
    {
      kind: "Service",
      metadata: { name: "whole", labels: { a: "b" } },
      spec: { type: "NodePort", selector: { a: "b" }, ports: [{ name: "a", port: 80, targetPort: "http" }] },
    },
  ],
  ["secrets", { kind: "Secret", metadata: { name: "whole" }, data: { a: "YQ==" }, stringData: { b: "c" } }],
  ["configmaps", { kind: "ConfigMap", metadata: { name: "whole" }, data: { a: "b" }, binaryData: { c: "YQ==" } }],
  [
    "endpoints",
    {
      kind: "Endpoints",
      metadata: { name: "whole" },
      subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 1 }] }],
    },
  ],
  [
    "events",
    {
      kind: "Event",
      metadata: { name: "whole" },
      involvedObject: { kind: "Pod", name: "a", namespace: "default" },
      reason: "x",
    },
  ],
];

describe("kubernetes: nonsense is refused and never met as a bug", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
  });
  after(() => cluster.close());

  const isAnAnswer = (status: number, text: string, input: unknown) =>
    assert.ok(
      status < 500 && (status < 300 || text.includes('"Failure"')),
      `${status} ${text}\nfor ${JSON.stringify(input)}`,
    );

  for (const [plural, whole] of WHOLE) {
    test(`${plural}: an object with any one value damaged is accepted or refused`, async () => {
      const { status, text } = await cluster.post(`${NS}/${plural}?dryRun=All`, whole);
      assert.equal(status, 201, text);
      await fc.assert(
        fc.asyncProperty(damaged(whole), async (body) => {
          const answer = await cluster.post(`${NS}/${plural}?dryRun=All`, JSON.stringify(body));
          isAnAnswer(answer.status, answer.text, body);
        }),
        { numRuns: 250 },
      );
    });

    test(`${plural}: patched with a damaged object it is accepted or refused`, async () => {
      const created = await cluster.post(`${NS}/${plural}`, whole);
      assert.equal(created.status, 201, created.text);
      await fc.assert(
        fc.asyncProperty(
          damaged(whole),
          fc.constantFrom("merge" as const, "strategic" as const),
          async (body, type) => {
            const answer = await cluster.patch(`${NS}/${plural}/whole?dryRun=All`, type, JSON.stringify(body));
            isAnAnswer(answer.status, answer.text, body);
          },
        ),
        { numRuns: 150 },
      );
    });
  }

  test("any query is answered or refused", async () => {
    const name = fc.constantFrom(
      "labelSelector",
      "fieldSelector",
      "limit",
      "continue",
      "resourceVersion",
      "resourceVersionMatch",
      "dryRun",
      "fieldValidation",
      "gracePeriodSeconds",
      "propagationPolicy",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, fc.string())), async (pairs) => {
        const query = new URLSearchParams(pairs).toString();
        const listed = await cluster.get(`${NS}/pods?${query}`);
        assert.ok(listed.status < 500 || listed.status === 504, `${listed.status} ${listed.text} for ${query}`);
        const deleted = await cluster.delete(`${NS}/pods/absent?${query}`);
        assert.ok(deleted.status >= 400 && deleted.status < 500, `${deleted.status} ${deleted.text} for ${query}`);
      }),
    );
  });
});
