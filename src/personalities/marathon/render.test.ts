import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodStatus } from "../../model/pod.ts";
import { instanceOf } from "./instance.ts";
import { type RenderView, renderTask } from "./render.ts";
import { definitionOf } from "./test-app.ts";
import { MARATHON_ANNOTATION } from "./translate.ts";

const VIEW: RenderView = {
  ...{ podsOf: () => [], deploymentsOf: () => [], nodeLabels: () => ({}), nodeAddress: () => "192.0.2.1" },
};

function addressesOf(network: object, status: Partial<PodStatus>): unknown {
  const app = definitionOf({ id: "/shop/cart", container: { docker: { image: "a:1" } }, networks: [network] });
  const annotations = { [MARATHON_ANNOTATION.stagedAt]: app.version, [MARATHON_ANNOTATION.version]: app.version };
  const metadata = { name: "cart-1", uid: "u1", resourceVersion: "1", generation: 1, creationTimestamp: app.version };
  const pod: Pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { ...metadata, annotations } },
    ...{ spec: { containers: [{ name: "app" }], nodeName: "n1" } },
    status: { phase: "Running", hostIP: "192.0.2.1", ...status },
  };
  const task = renderTask(instanceOf(pod, app), app, VIEW) as { readonly ipAddresses: unknown };
  return task.ipAddresses;
}

const at = (ipAddress: string) => [{ ipAddress, protocol: "IPv4" }];

test("ipAddresses of a task: the pod network's, that of a network of the user's, or the host's", () => {
  const named = { mode: "container", name: "theirs" };
  assert.deepEqual(addressesOf({ mode: "container", name: "styrmann" }, { podIP: "10.42.0.5" }), at("10.42.0.5"));
  assert.deepEqual(addressesOf(named, { networkAddress: "172.20.0.5" }), at("172.20.0.5"));
  assert.deepEqual(addressesOf(named, {}), []);
  assert.deepEqual(addressesOf({ mode: "host" }, { podIP: "192.0.2.1" }), at("192.0.2.1"));
});
