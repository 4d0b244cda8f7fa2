/** What an agent may count on of any control plane: the store in its own process, or a connection of whatever quality. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Assignments } from "../../../src/agent/control.ts";
import { configMaps } from "../../../src/model/config-map.ts";
import { events } from "../../../src/model/event.ts";
import type { Heartbeat } from "../../../src/model/heartbeat.ts";
import { nodes } from "../../../src/model/node.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import { secrets } from "../../../src/model/secret.ts";
import { testNode } from "../../../src/scheduling/test-objects.ts";
import { createPod, NODE, remoteStage, reportOf, type Stage, storeStage, Told } from "./stage.ts";
import { PERFECT } from "./wire.ts";

const HOSTILE = { delayMs: [1, 400], loss: 0.2, duplicate: 0.2, reorder: 0.1 } as const;

const implementations: readonly { readonly name: string; readonly open: () => Promise<Stage> }[] = [
  { name: "the store itself", open: storeStage },
  { name: "a connection over a perfect link", open: () => remoteStage(PERFECT) },
  { name: "a connection over a link that loses, doubles, delays and reorders", open: () => remoteStage(HOSTILE) },
];

const BEAT: Heartbeat = { node: NODE, bootId: "b1", session: "s1", sequence: 1, health: "ok" };

function watch({ control }: Stage): { readonly told: Told; readonly stop: () => void } {
  const told = new Told();
  const stopping = new AbortController();
  control.watchPods(NODE, (assignments) => told.take(assignments), stopping.signal);
  return { told, stop: () => stopping.abort() };
}

for (const { name, open } of implementations) {
  describe(`control: ${name}`, () => {
    test("a watch begins with everything bound to the node, even if that is nothing", async () => {
      const stage = await open();
      const empty = watch(stage);
      await stage.until(() => empty.told.batches.length > 0, "the first batch");
      assert.deepEqual(empty.told.batches[0], { type: "all", pods: [] });
      await createPod(stage.store, "mine");
      await createPod(stage.store, "not-mine", "n2");
      const { told } = watch(stage);
      await stage.until(() => told.batches.length > 0, "the first batch");
      assert.equal(told.batches[0]?.type, "all");
      assert.deepEqual(
        told.batches[0]?.pods.map(({ metadata }) => metadata.name),
        ["mine"],
      );
    });

    test("then it brings what changes, what is newly bound, and what has gone", async () => {
      const stage = await open();
      const { told } = watch(stage);
      await stage.until(() => told.batches.length > 0, "the first batch");
      const pod = await createPod(stage.store, "web");
      const other = await createPod(stage.store, "other");
      await stage.until(() => told.agrees(stage.store) && told.pods.size === 2, "both pods are known");
      const label = { ...pod, metadata: { ...pod.metadata, labels: { changed: "yes" } } };
      await stage.store.update((tx) => tx.update(pods, label));
      await stage.store.update((tx) => tx.remove(pods, "default/other"));
      await stage.until(() => told.agrees(stage.store), "the changes are known");
      assert.equal(told.pods.get(pod.metadata.uid)?.metadata.labels?.changed, "yes");
      assert.equal(told.pods.has(other.metadata.uid), false);
    });

    test("a pod that takes the name of one that has gone is another pod", async () => {
      const stage = await open();
      const first = await createPod(stage.store, "web");
      const { told } = watch(stage);
      await stage.until(() => told.pods.size === 1, "the first pod");
      // Both reach the watcher in one batch.
      const removed = stage.store.update((tx) => tx.remove(pods, "default/web"));
      const second = await createPod(stage.store, "web");
      await removed;
      await stage.until(() => told.agrees(stage.store), "the second pod only");
      assert.deepEqual([...told.pods.keys()], [second.metadata.uid]);
      assert.notEqual(first.metadata.uid, second.metadata.uid);
    });

    test("a watch that has ended hears nothing more, and a new one begins with everything again", async () => {
      const stage = await open();
      const first = watch(stage);
      await stage.until(() => first.told.batches.length > 0, "the first batch");
      first.stop();
      const heard = first.told.batches.length;
      await createPod(stage.store, "web");
      const second = watch(stage);
      await stage.until(() => second.told.agrees(stage.store) && second.told.pods.size === 1, "the new watch has it");
      assert.equal(second.told.batches[0]?.type, "all");
      await stage.clock.advance(10_000);
      assert.equal(first.told.batches.length, heard);
    });

    test("what is reported is in the store when the promise resolves, events once", async () => {
      const stage = await open();
      const pod = await createPod(stage.store, "web");
      const event = {
        podKey: "default/web",
        podUid: pod.metadata.uid,
        type: "Normal",
        reason: "Up",
        message: "",
      } as const;
      await stage.over(stage.control.report([reportOf(pod, { phase: "Running" })], [event]));
      assert.equal(stage.store.get(pods, "default/web")?.status.phase, "Running");
      assert.deepEqual(
        stage.store.list(events).map(({ reason, count }) => [reason, count]),
        [["Up", 1]],
      );
    });

    test("of reports made one after another the last one stays, whatever overtakes what", async () => {
      const stage = await open();
      const pod = await createPod(stage.store, "web");
      const said = Array.from({ length: 12 }, (_, at) =>
        stage.control.report([reportOf(pod, { phase: "Running", message: `${at}` })], []),
      );
      await stage.over(Promise.all(said));
      assert.equal(stage.store.get(pods, "default/web")?.status.message, "11");
    });

    test("a report that cannot be written rejects with the reason, and can be made again", async () => {
      const stage = await open();
      const pod = await createPod(stage.store, "web");
      stage.journal.refuseWith = "the disk is full";
      const report = [reportOf(pod, { phase: "Running" })];
      await assert.rejects(stage.over(stage.control.report(report, [])), /disk is full/);
      stage.journal.refuseWith = undefined;
      await stage.over(stage.control.report(report, []));
      assert.equal(stage.store.get(pods, "default/web")?.status.phase, "Running");
    });

    test("a node registers, and again when something changed", async () => {
      const stage = await open();
      await stage.over(stage.control.registerNode(testNode({ name: NODE, cpu: "2" })));
      await stage.over(stage.control.registerNode(testNode({ name: NODE, cpu: "8" })));
      assert.equal(stage.store.get(nodes, NODE)?.status.capacity.cpu, "8");
    });

    test("values of secrets and config maps that its pods use are given, and undefined when there are none", async () => {
      const stage = await open();
      const meta = (name: string) => ({ name, namespace: "default" });
      await stage.store.update((tx) => {
        const data = { password: Buffer.from("geheim").toString("base64") };
        tx.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: meta("s"), data });
        tx.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: meta("c"), data: { color: "blue" } });
      });
      const main = { name: "main", image: "busybox" };
      const secretKeyRef = { name: "s", key: "password" };
      await createPod(stage.store, "web", NODE, {
        containers: [{ ...main, env: [{ name: "P", valueFrom: { secretKeyRef } }] }],
        initContainers: [{ ...main, envFrom: [{ configMapRef: { name: "not-there", optional: true } }] }],
        volumes: [{ name: "v", configMap: { name: "c" } }],
      });
      const values = (kind: "Secret" | "ConfigMap", of: string) =>
        stage.over(stage.control.keyValues(kind, "default", of));
      assert.deepEqual(await values("Secret", "s"), { password: "geheim" });
      assert.deepEqual(await values("ConfigMap", "c"), { color: "blue" });
      assert.equal(await values("ConfigMap", "not-there"), undefined);
    });

    test("a heartbeat is answered by the leases, and a goodbye reaches them", async () => {
      const stage = await open();
      stage.leases.answer = { renewed: false, known: false, terms: { heartbeatMs: 700 } };
      assert.deepEqual(await stage.over(stage.control.heartbeat(BEAT)), stage.leases.answer);
      assert.deepEqual(stage.leases.beats[0], BEAT);
      await stage.over(stage.control.goodbye({ node: NODE, session: "s1", why: "reboot" }));
      assert.deepEqual(stage.leases.goodbyes, [{ node: NODE, session: "s1", why: "reboot" }]);
    });

    test("hundreds of pods come as one batch", async () => {
      const stage = await open();
      await stage.store.update((tx) => {
        for (let at = 0; at < 400; at++) {
          const annotations = { text: "x".repeat(1000) };
          tx.create<Pod>(pods, {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: `p${at}`, namespace: "default", annotations },
            spec: { containers: [{ name: "main", image: "busybox" }], nodeName: NODE },
            status: { phase: "Pending" },
          });
        }
      });
      const batches: Assignments[] = [];
      stage.control.watchPods(NODE, (batch) => batches.push(batch), new AbortController().signal);
      await stage.until(() => batches.length > 0, "the pods");
      assert.equal(batches[0]?.type, "all");
      assert.equal(batches[0]?.pods.length, 400);
    });
  });
}

test("a control plane in the agent's own process never has it give up exclusive pods", async () => {
  const stage = await storeStage();
  assert.equal((await stage.control.heartbeat(BEAT)).terms.exclusiveMs, undefined);
});
