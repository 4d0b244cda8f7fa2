/** Manifests that people have: each is taken as it is, or refused in words that say why. The shared collection is read where it is there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { type Cluster, openCluster } from "./cluster.ts";

const SHARED = new URL("../../../../shared/data/", import.meta.url);

const PLURALS: Readonly<Record<string, string>> = {
  Pod: "pods",
  ReplicationController: "replicationcontrollers",
  Service: "services",
  Deployment: "deployments",
  StatefulSet: "statefulsets",
  StorageClass: "storageclasses",
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const OWN = `
apiVersion: v1
kind: Pod
metadata: { name: cache, labels: { app: cache } }
spec:
  initContainers:
    - { name: wait, image: "busybox:1", command: [sh, -c, "until nslookup db; do sleep 1; done"] }
  containers:
    - name: redis
      image: redis
      ports: [{ containerPort: 6379, name: redis }]
      envFrom: [{ configMapRef: { name: settings } }]
      env:
        - { name: HOST, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
        - { name: LIMIT, valueFrom: { resourceFieldRef: { resource: limits.memory, divisor: 1Mi } } }
      lifecycle: { preStop: { exec: { command: [redis-cli, shutdown] } } }
      livenessProbe: { tcpSocket: { port: redis }, initialDelaySeconds: 5 }
      volumeMounts: [{ name: data, mountPath: /data }, { name: conf, mountPath: /etc/redis, readOnly: true }]
  volumes:
    - { name: data, hostPath: { path: /srv/redis, type: DirectoryOrCreate } }
    - { name: conf, configMap: { name: redis, items: [{ key: conf, path: redis.conf }] } }
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - { labelSelector: { matchLabels: { app: cache } }, topologyKey: kubernetes.io/hostname }
  tolerations: [{ key: dedicated, operator: Equal, value: cache, effect: NoSchedule }]
`;

describe("kubernetes: files as people have them", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openCluster({ controllers: false });
  });
  after(() => cluster.close());

  async function apply({ apiVersion, kind, metadata, ...rest }: Manifest) {
    const base = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const path = `${base}/namespaces/default/${PLURALS[kind]}?fieldValidation=Strict&dryRun=All`;
    return cluster.post(path, { apiVersion, kind, metadata, ...rest });
  }

  test("a pod with most of what pods have is accepted under Strict", async () => {
    const [document] = parseAllDocuments(OWN);
    assert.ok(document && !("empty" in document));
    const { status, text } = await apply((document as { toJS(): unknown }).toJS() as Manifest);
    assert.equal(status, 201, text);
  });

  const folders = ["first-files", "kubernetes"].map((folder) => new URL(`${folder}/`, SHARED));
  for (const folder of folders.filter((url) => existsSync(url))) {
    for (const file of readdirSync(folder)
      .filter((name) => /\.(yaml|json)$/.test(name))
      .sort()) {
      if (file === "basic-0.json") continue;
      test(`${file}: accepted, or refused by kind`, async () => {
        const text = readFileSync(new URL(file, folder), "utf8");
        const manifests = parseAllDocuments(text).flatMap((document) => document.toJS() as Manifest);
        assert.ok(manifests.length > 0);
        for (const manifest of manifests) {
          const answer = await apply(manifest);
          if (manifest.apiVersion === "v1") assert.equal(answer.status, 201, answer.text);
          else assert.match(answer.body.message, new RegExp(`^no matches for kind "${manifest.kind}" in version`));
        }
      });
    }
  }
});
