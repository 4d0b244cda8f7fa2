import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { CLUSTER_SETTINGS_NAME, type ClusterSettings, clusterSettings } from "../../../src/model/cluster-settings.ts";
import { type Cluster, openCluster } from "./cluster.ts";

const NETWORKING = "/apis/networking.k8s.io/v1";
const INGRESSES = `${NETWORKING}/namespaces/default/ingresses`;
const POLICIES = `${NETWORKING}/namespaces/default/networkpolicies`;
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

const toWeb = { service: { name: "web", port: { number: 80 } } };

function ingress(spec: object, metadata: object = {}): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "web", ...metadata }, spec };
}

const withPath = (path: object) => ingress({ rules: [{ host: "example.org", http: { paths: [path] } }] });

function policy(spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "web" }, spec };
}

const blockAt = (at: number) => ({ ipBlock: { cidr: `10.${at >> 8}.${at & 255}.0/24` } });

function slice(more: object): object {
  const base = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "web" } };
  return { ...base, addressType: "IPv4", endpoints: [], ports: [], ...more };
}

interface Refusal {
  readonly why: string;
  readonly path: string;
  readonly body: object;
  readonly words: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    why: "an ingress that leads nowhere",
    path: INGRESSES,
    body: ingress({}),
    words:
      /Ingress\.networking\.k8s\.io "web" is invalid: spec: Invalid value: \[\]: either `defaultBackend` or `rules` must be specified/,
  },
  {
    why: "a path without its type",
    path: INGRESSES,
    body: withPath({ path: "/", backend: toWeb }),
    words: /spec\.rules\[0\]\.http\.paths\[0\]\.pathType: Required value: pathType must be specified/,
  },
  {
    why: "a path type that there is not",
    path: INGRESSES,
    body: withPath({ path: "/", pathType: "Regex", backend: toWeb }),
    words: /pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"/,
  },
  {
    why: "a path that does not begin at the root",
    path: INGRESSES,
    body: withPath({ path: "shop", pathType: "Prefix", backend: toWeb }),
    words: /paths\[0\]\.path: Invalid value: "shop": must be an absolute path/,
  },
  {
    why: "a path that climbs",
    path: INGRESSES,
    body: withPath({ path: "/a/../b", pathType: "Exact", backend: toWeb }),
    words: /must not contain '\/\.\.\/'/,
  },
  {
    why: "an address for a host",
    path: INGRESSES,
    body: ingress({ rules: [{ host: "192.0.2.1" }] }),
    words: /spec\.rules\[0\]\.host: Invalid value: "192\.0\.2\.1": must be a DNS name, not an IP address/,
  },
  {
    why: "a star in the middle",
    path: INGRESSES,
    body: ingress({ rules: [{ host: "a.*.org" }] }),
    words: /a wildcard DNS-1123 subdomain must start with '\*\.'/,
  },
  {
    why: "a backend without a port",
    path: INGRESSES,
    body: ingress({ defaultBackend: { service: { name: "web" } } }),
    words: /spec\.defaultBackend: Required value: port name or number is required/,
  },
  {
    why: "a port by name and by number",
    path: INGRESSES,
    body: ingress({ defaultBackend: { service: { name: "web", port: { name: "http", number: 80 } } } }),
    words: /cannot set both port name & port number/,
  },
  {
    why: "a backend that is no service",
    path: INGRESSES,
    body: ingress({ defaultBackend: { resource: { kind: "Bucket", name: "b" } } }),
    words: /spec\.defaultBackend\.resource: Forbidden: not supported/,
  },
  {
    why: "two classes",
    path: INGRESSES,
    body: ingress(
      { defaultBackend: toWeb, ingressClassName: "a" },
      { annotations: { "kubernetes.io/ingress.class": "b" } },
    ),
    words: /must match `ingressClassName` when both are specified/,
  },
  {
    why: "a peer of nobody",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ from: [{}] }] }),
    words:
      /NetworkPolicy\.networking\.k8s\.io "web" is invalid: spec\.ingress\[0\]\.from\[0\]: Required value: must specify a peer/,
  },
  {
    why: "a peer of two kinds",
    path: POLICIES,
    body: policy({ podSelector: {}, egress: [{ to: [{ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }] }] }),
    words: /spec\.egress\[0\]\.to\[0\]: Forbidden: may not specify both ipBlock and another peer/,
  },
  {
    why: "a range that is none",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/99" } }] }] }),
    words: /ipBlock\.cidr: Invalid value: "10\.0\.0\.0\/99": must be a valid CIDR value/,
  },
  {
    why: "an exception from outside the range",
    path: POLICIES,
    body: policy({
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["192.0.2.0/24"] } }] }],
    }),
    words: /except\[0\]: Invalid value: "192\.0\.2\.0\/24": must be a strict subset of `cidr`/,
  },
  {
    why: "an exception that is the whole range",
    path: POLICIES,
    body: policy({
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }] }],
    }),
    words: /must be a strict subset of `cidr`/,
  },
  {
    why: "an end before its beginning",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ ports: [{ port: 90, endPort: 80 }] }] }),
    words: /endPort: Invalid value: 80: must be greater than or equal to `port`/,
  },
  {
    why: "an end of a named port",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ ports: [{ port: "http", endPort: 80 }] }] }),
    words: /may not be specified when `port` is non-numeric/,
  },
  {
    why: "an end of nothing",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ ports: [{ endPort: 80 }] }] }),
    words: /may not be specified when `port` is not specified/,
  },
  {
    why: "a protocol that there is not",
    path: POLICIES,
    body: policy({ podSelector: {}, ingress: [{ ports: [{ protocol: "ICMP" }] }] }),
    words: /protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"/,
  },
  {
    why: "a type of policy that there is not",
    path: POLICIES,
    body: policy({ podSelector: {}, policyTypes: ["Forward"] }),
    words: /spec\.policyTypes\[0\]: Unsupported value: "Forward"/,
  },
  {
    why: "a slice of no type",
    path: SLICES,
    body: slice({ addressType: undefined }),
    words: /EndpointSlice\.discovery\.k8s\.io "web" is invalid: addressType: Required value/,
  },
  {
    why: "an endpoint without an address",
    path: SLICES,
    body: slice({ endpoints: [{ addresses: [] }] }),
    words: /endpoints\[0\]\.addresses: Required value: must contain at least 1 address/,
  },
  {
    why: "an endpoint on each node's loopback",
    path: SLICES,
    body: slice({ endpoints: [{ addresses: ["127.0.0.1"] }] }),
    words: /may not be in the loopback range/,
  },
  {
    why: "an endpoint where clouds keep their keys",
    path: SLICES,
    body: slice({ endpoints: [{ addresses: ["169.254.169.254"] }] }),
    words: /may not be in the link-local range/,
  },
  {
    why: "an IPv6 address in a slice of IPv4",
    path: SLICES,
    body: slice({ endpoints: [{ addresses: ["2001:db8::1"] }] }),
    words: /must be a valid IPv4 address/,
  },
  {
    why: "two ports of one name",
    path: SLICES,
    body: slice({ ports: [{ port: 1 }, { port: 2 }] }),
    words: /ports\[1\]\.name: Duplicate value: ""/,
  },
];

describe("kubernetes: ingresses, network policies, endpoint slices", () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster({ controllers: false });
  });
  afterEach(() => cluster.close());

  test("an annotation that would keep others out, and is not done, is said at once: it is not served", async () => {
    const warned = async (name: string, said: object, more: object = {}) => {
      const annotations = Object.fromEntries(
        Object.entries(said).map(([key, value]) => [
          key.includes("/") ? key : `nginx.ingress.kubernetes.io/${key}`,
          value,
        ]),
      );
      const body = ingress({ defaultBackend: toWeb, ...more }, { name, annotations });
      const answer = await cluster.post(INGRESSES, body);
      assert.equal(answer.status, 201, answer.text);
      return answer.headers.get("warning");
    };
    assert.match(
      (await warned("a", { "auth-type": "basic" })) ?? "",
      /not served: without auth-type, which is not done/,
    );
    assert.match((await warned("b", { "whitelist-source-range": "10.0.0" })) ?? "", /10\.0\.0.* is no address/);
    assert.match((await warned("c", { "proxy-body-size": "8m" })) ?? "", /proxy-body-size is not done/);
    assert.equal(await warned("d", { "whitelist-source-range": "10.0.0.0/8" }), null);
    assert.match(
      (await warned("f", { "haproxy.org/auth-type": "basic-auth" })) ?? "",
      /not served: without haproxy\.org\/auth-type, which is not done/,
    );
    assert.match((await warned("g", { "haproxy.org/timeout-client": "9s" })) ?? "", /timeout-client is not done/);
    assert.equal(await warned("h", { "haproxy.org/allow-list": "10.0.0.0/8" }), null);
    assert.equal(await warned("e", { "auth-type": "basic" }, { ingressClassName: "another" }), null);
  });

  for (const { why, path, body, words } of refusals)
    test(`refused: ${why}`, async () => {
      const answer = await cluster.post(path, body);
      assert.equal(answer.status, 422, answer.text);
      assert.match(answer.body.message, words);
      assert.match(answer.body.details.group, /^(networking|discovery)\.k8s\.io$/);
    });

  test("paths of an Ingress, and routes of a namespace, are bounded; what is stored may be changed otherwise", async () => {
    const paths = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ path: `/${at}`, pathType: "Prefix", backend: toWeb }));
    const of = (count: number, name: string) =>
      ingress({ rules: [{ host: `${name}.example.org`, http: { paths: paths(count) } }] }, { name });
    const large = await cluster.post(INGRESSES, of(1001, "large"));
    assert.equal(large.status, 422);
    assert.match(large.body.message, /spec\.rules: Too many: 1001: must have at most 1000 items/);
    await cluster.store.update((tx) =>
      tx.create<ClusterSettings>(clusterSettings, {
        ...{ apiVersion: clusterSettings.apiVersion, kind: "ClusterSettings" },
        ...{ metadata: { name: CLUSTER_SETTINGS_NAME }, spec: { routesPerNamespace: 12 } },
      }),
    );
    assert.equal((await cluster.post(INGRESSES, of(10, "a"))).status, 201);
    const second = await cluster.post(INGRESSES, of(3, "b"));
    assert.equal(second.status, 403, second.text);
    assert.match(
      second.body.message,
      /may have 12 routes .*routes-per-namespace\): there are 10, and this would be 3 more/,
    );
    assert.equal((await cluster.post(INGRESSES, of(2, "b"))).status, 201);
    const patch = (spec: object) => cluster.patch(`${INGRESSES}/b`, "merge", { spec });
    assert.equal((await patch({ defaultBackend: toWeb })).status, 403);
    assert.equal((await patch({ tls: [{ secretName: "b" }] })).status, 200);
    assert.equal((await patch({ tls: [{ hosts: ["b.example.org"] }] })).status, 200);
    const unserved = await patch({ tls: [{ hosts: ["c.example.org"] }] });
    assert.equal(unserved.status, 403, "a certificate would be ordered for it");
    const many = (hosts: number) => Array.from({ length: hosts }, (_, at) => `h${at}.example.org`);
    const named = await patch({ tls: [{ hosts: many(1001) }] });
    assert.match(named.body.message, /spec\.tls: Too many: 1001: must have at most 1000 items/);
    const ruled = await patch({ rules: many(1001).map((host) => ({ host })), defaultBackend: toWeb });
    assert.match(ruled.body.message, /spec\.rules: Too many: 1001: must have at most 1000 items/);
  });

  test("what a NetworkPolicy asks for, and those of a namespace together, is bounded; what is stored may be changed otherwise", async () => {
    const of = (count: number, name: string, peer: (at: number) => object = blockAt) => ({
      ...policy({ podSelector: {}, ingress: [{ from: Array.from({ length: count }, (_, at) => peer(at)) }] }),
      metadata: { name },
    });
    const wide = (at: number) => ({
      namespaceSelector: { matchExpressions: [{ key: `k${at}`, operator: "DoesNotExist" }] },
    });
    for (const large of [of(1000, "large"), of(100, "large", wide)]) {
      const answer = await cluster.post(POLICIES, large);
      assert.equal(answer.status, 422);
      assert.match(answer.body.message, /spec: Too many: 1\d+: must have at most 1000 items: rules, peers and ports/);
    }
    await cluster.store.update((tx) =>
      tx.create<ClusterSettings>(clusterSettings, {
        ...{ apiVersion: clusterSettings.apiVersion, kind: "ClusterSettings" },
        ...{ metadata: { name: CLUSTER_SETTINGS_NAME }, spec: { policyPeersPerNamespace: 42 } },
      }),
    );
    assert.equal((await cluster.post(POLICIES, of(10, "a"))).status, 201);
    const second = await cluster.post(POLICIES, of(11, "b"));
    assert.equal(second.status, 403, second.text);
    const words =
      /may have 42 peers and ports .*policy-peers-per-namespace.*\): the others have 21, and this one wants 22/;
    assert.match(second.body.message, words);
    assert.equal((await cluster.post(POLICIES, of(1, "b", wide))).status, 403);
    assert.equal((await cluster.post(POLICIES, of(10, "b"))).status, 201);
    const patch = (body: object) => cluster.patch(`${POLICIES}/b`, "merge", body);
    assert.equal((await patch({ spec: { egress: [{ ports: [{ port: 53 }] }] } })).status, 403);
    assert.equal((await patch({ metadata: { labels: { a: "b" } } })).status, 200);
    assert.equal((await cluster.put(`${POLICIES}/b`, of(1, "b"))).status, 200);
    assert.equal((await cluster.delete(`${POLICIES}/a`)).status, 200);
    assert.equal((await cluster.post(POLICIES, of(10, "c"))).status, 201);
  });

  test("an ingress is created, read, listed, watched, changed and deleted, under its group", async () => {
    const spec = {
      ingressClassName: "styrmann",
      rules: [{ host: "*.example.org", http: { paths: [{ path: "/shop", pathType: "Prefix", backend: toWeb }] } }],
      tls: [{ hosts: ["*.example.org"], secretName: "cert" }],
    };
    const made = await cluster.post(INGRESSES, ingress(spec));
    assert.equal(made.status, 201, made.text);
    assert.deepEqual([made.body.spec, made.body.status], [spec, { loadBalancer: {} }]);

    const list = await cluster.get(INGRESSES);
    assert.deepEqual(
      [list.body.kind, list.body.apiVersion, list.body.items.length],
      ["IngressList", "networking.k8s.io/v1", 1],
    );
    assert.equal((await cluster.get(`${NETWORKING}/ingresses`)).body.items.length, 1);

    const changed = await cluster.patch(`${INGRESSES}/web`, "strategic", { spec: { tls: null } });
    assert.deepEqual([changed.status, changed.body.spec.tls, changed.body.metadata.generation], [200, undefined, 2]);
    const reported = await cluster.patch(`${INGRESSES}/web/status`, "merge", {
      status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
    });
    assert.deepEqual(reported.body.status.loadBalancer.ingress, [{ ip: "192.0.2.1" }]);
    const put = await cluster.put(`${INGRESSES}/web`, ingress({ defaultBackend: toWeb }));
    assert.deepEqual([put.status, put.body.spec], [200, { defaultBackend: toWeb }]);

    assert.equal((await cluster.delete(`${INGRESSES}/web`)).status, 200);
    const gone = await cluster.get(`${INGRESSES}/web`);
    assert.equal(gone.status, 404);
    assert.equal(gone.body.message, 'ingresses.networking.k8s.io "web" not found');
    assert.deepEqual(gone.body.details, { name: "web", group: "networking.k8s.io", kind: "ingresses" });
  });

  test("an ingress without a class is of the class that is marked as everybody's", async () => {
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    const ours = {
      kind: "IngressClass",
      metadata: { name: "ours", annotations },
      spec: { controller: "example.org/in" },
    };
    assert.equal((await cluster.post(`${NETWORKING}/ingressclasses`, ours)).status, 201);
    const made = await cluster.post(INGRESSES, ingress({ defaultBackend: toWeb }));
    assert.equal(made.body.spec.ingressClassName, "ours");
    const annotated = { name: "other", annotations: { "kubernetes.io/ingress.class": "nginx" } };
    const other = await cluster.post(INGRESSES, ingress({ defaultBackend: toWeb }, annotated));
    assert.equal(other.body.spec.ingressClassName, undefined);
    const moved = await cluster.patch(`${NETWORKING}/ingressclasses/ours`, "merge", {
      spec: { controller: "a.org/b" },
    });
    assert.match(moved.body.message, /spec\.controller: Invalid value: "a\.org\/b": field is immutable/);
  });

  test("a network policy without types is about what comes in, and about what goes out when it says something of it", async () => {
    const plain = await cluster.post(POLICIES, policy({ podSelector: { matchLabels: { app: "web" } } }));
    assert.deepEqual([plain.status, plain.body.spec.policyTypes], [201, ["Ingress"]]);
    await cluster.delete(`${POLICIES}/web`);
    const both = await cluster.post(
      POLICIES,
      policy({ egress: [{ ports: [{ port: 53 }, { port: "dns", protocol: "UDP" }] }] }),
    );
    assert.deepEqual(both.body.spec, {
      podSelector: {},
      egress: [
        {
          ports: [
            { port: 53, protocol: "TCP" },
            { port: "dns", protocol: "UDP" },
          ],
        },
      ],
      policyTypes: ["Ingress", "Egress"],
    });
    const shut = await cluster.patch(`${POLICIES}/web`, "merge", { spec: { egress: [], policyTypes: ["Egress"] } });
    assert.deepEqual([shut.body.spec.egress, shut.body.spec.policyTypes], [[], ["Egress"]]);
  });

  test("a slice's type stays, its ports have names and protocols", async () => {
    const made = await cluster.post(
      SLICES,
      slice({ ports: [{ port: 80 }], endpoints: [{ addresses: ["192.0.2.1"] }] }),
    );
    assert.deepEqual(made.body.ports, [{ port: 80, name: "", protocol: "TCP" }]);
    const changed = await cluster.patch(`${SLICES}/web`, "merge", { addressType: "FQDN", endpoints: [] });
    assert.match(changed.body.message, /addressType: Invalid value: "FQDN": field is immutable/);
  });

  test("another version of a kind, and a kind at another's path, are told where it is served", async () => {
    const old = await cluster.get("/apis/extensions/v1beta1/namespaces/default/ingresses");
    assert.match(
      old.body.message,
      /^no matches for kind "Ingress" in version "extensions\/v1beta1".*in version "networking\.k8s\.io\/v1": Ingress/,
    );
    const body = { ...ingress({ defaultBackend: toWeb }), apiVersion: "networking.k8s.io/v1beta1" };
    const stale = await cluster.post(INGRESSES, body);
    assert.equal(stale.status, 400);
    assert.match(
      stale.body.message,
      /^Ingress in version "networking\.k8s\.io\/v1beta1" cannot be handled as a Ingress/,
    );
    const misplaced = await cluster.post(POLICIES, ingress({ defaultBackend: toWeb }));
    assert.match(misplaced.body.message, /send it to the path of ingresses instead/);
    assert.equal((await cluster.get("/apis/networking.k8s.io/v1/namespaces/default/pods")).status, 404);
  });

  test("who may not is told with the group", async () => {
    const viewer = { name: "eve", roles: ["viewer" as const] };
    const answer = await cluster.post(INGRESSES, ingress({ defaultBackend: toWeb }), { actor: viewer });
    assert.equal(answer.status, 403);
    assert.match(
      answer.body.message,
      /^ingresses\.networking\.k8s\.io is forbidden: User "eve" cannot create resource "ingresses" in API group "networking\.k8s\.io" in the namespace "default"/,
    );
  });
});
