/** styr routes: what is not served, or not as it was asked for, says so, and the URL of nothing is shown. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Actor } from "../../../src/http/actor.ts";
import { ACME_ORDERS_NAME, type AcmeOrders, acmeOrders } from "../../../src/model/acme-orders.ts";
import { type AcmeRefusal, acmeRefusals } from "../../../src/model/acme-refusal.ts";
import { DEFAULT_CLUSTER_SETTINGS } from "../../../src/model/cluster-settings.ts";
import { type Exposure, exposures } from "../../../src/model/exposure.ts";
import { ingresses } from "../../../src/model/ingress.ts";
import type { NetworkPartRow } from "../../../src/model/network-questions.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import type { EventRow } from "../../../src/model/reports.ts";
import type { RouteRow } from "../../../src/model/route-row.ts";
import { recordEvent } from "../../../src/store/record-event.ts";
import { echoAccess } from "../../cli/server.ts";
import { addNode } from "./nodes.ts";
import { ADMIN, openStage, type Stage } from "./stage.ts";

describe("routes say what is wrong:", () => {
  let stage: Stage;
  let said: Omit<NetworkPartRow, "name"> = { state: "working" };
  const others = new Map<string, () => Omit<NetworkPartRow, "name"> | Error>();
  before(async () => {
    const network = async (node: string) => {
      const answer = others.get(node)?.() ?? said;
      if (answer instanceof Error) throw answer;
      return { revision: 1, appliedRevision: 1, peers: [], parts: [{ name: "way in", ...answer }] };
    };
    stage = await openStage({ nodeAccess: { ...echoAccess, network } });
    await addPod("web", [{ containerPort: 80 }]);
    await addPod("mute", []);
    await addPod("late", []);
    for (const name of ["web", "mute"]) await runPod(name);
  });
  after(() => stage.close());

  async function addPod(name: string, ports: readonly object[]): Promise<void> {
    const made = await stage.ask(ADMIN, "POST", "/api/v1/namespaces/default/pods", {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
      spec: { containers: [{ name: "c", image: "x", ports }] },
    });
    assert.equal(made.status, 201, made.text);
  }

  async function runPod(name: string): Promise<void> {
    await stage.store.update((tx) => {
      const pod = tx.get(pods, `default/${name}`) as Pod;
      tx.update(pods, { ...pod, status: { ...pod.status, phase: "Running", hostIP: "192.0.2.1", podIP: "10.42.0.5" } });
    });
  }

  function backendOf(name: string, port: unknown = 80) {
    const service = { name, port: typeof port === "number" ? { number: port } : { name: port } };
    return { http: { paths: [{ path: "/", pathType: "Prefix", backend: { service } }] } };
  }

  const expose = (body: object) => stage.ask(ADMIN, "POST", "/styr/v1/exposures", body);
  async function row(host: string): Promise<RouteRow> {
    const { body } = await stage.ask(ADMIN, "GET", "/styr/v1/routes");
    return body.routes.find((each: RouteRow) => each.host === host);
  }
  async function urls(name: string): Promise<readonly string[]> {
    const { body } = await stage.ask(ADMIN, "GET", `/styr/v1/workloads/${name}`);
    return body.workload.urls;
  }

  test("no node is a way in: nothing is served, and no URL leads anywhere", async () => {
    assert.equal((await expose({ workload: "web", host: "web.example.org" })).status, 201);
    const { isServed, words } = await row("web.example.org");
    assert.deepEqual([isServed, words], [false, ["no node is a way in"]]);
    assert.ok(!(await urls("web")).includes("http://web.example.org"));
    await addNode(stage, "in", { "styrmann.dev/way-in": "true" });
    assert.equal((await row("web.example.org")).isServed, true);
    assert.equal((await urls("web"))[0], "http://web.example.org");
  });

  test("an authority's terms that nobody has accepted: no certificate is on its way, and what would help", async () => {
    const { body } = await expose({ workload: "web", host: "acme.example.org", tls: { acme: true } });
    assert.match(String(body.route.words), /no certificate is ordered: .* styr settings set acme-terms-accepted=true/);
    assert.equal(body.route.isServed, true);
    const set = await stage.ask(ADMIN, "PATCH", "/styr/v1/settings", { acmeTermsAccepted: true });
    assert.equal(set.status, 200, set.text);
    assert.equal((await row("acme.example.org")).words, undefined);
  });

  test("a host that waits for its first order says for what, and until when", async () => {
    const untilMs = Math.ceil(Date.now() / 1_000 + 600) * 1_000;
    const rest = { untilMs, why: "too many new orders" };
    const spec = { directory: DEFAULT_CLUSTER_SETTINGS.acmeDirectory, orders: [], rest };
    await stage.store.update((tx) =>
      tx.create<AcmeOrders>(acmeOrders, {
        ...{ apiVersion: acmeOrders.apiVersion, kind: "AcmeOrders", metadata: { name: ACME_ORDERS_NAME }, spec },
      }),
    );
    const until = new Date(untilMs).toISOString().replace(".000", "");
    assert.deepEqual((await row("acme.example.org")).words, [
      `no certificate yet: the authority takes no further orders of anybody (too many new orders); ordered at ${until}`,
    ]);
    await stage.store.update((tx) => tx.remove(acmeOrders, ACME_ORDERS_NAME));
  });

  test("why an authority gave no certificate is said with the route; and the events of its workload, its host and its Ingress", async () => {
    const { acmeDirectory, acmeEmail } = DEFAULT_CLUSTER_SETTINGS;
    const made = await stage.ask(ADMIN, "POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "shopfront" } },
      spec: { rules: [{ host: "shop.example.org", ...backendOf("web") }], tls: [{ hosts: ["shop.example.org"] }] },
    });
    assert.equal(made.status, 201, made.text);
    await stage.store.update((tx) => {
      for (const host of ["acme.example.org", "shop.example.org"])
        tx.create<AcmeRefusal>(acmeRefusals, {
          ...{ apiVersion: acmeRefusals.apiVersion, kind: "AcmeRefusal", metadata: { name: host } },
          spec: {
            ...{ host, directory: acmeDirectory, email: acmeEmail, failures: 1, why: "nobody is there" },
            againAtMs: Date.UTC(2030, 0, 1),
          },
        });
      const asker = [tx.get(exposures, "acme.example.org"), tx.get(ingresses, "default/shopfront")];
      for (const each of asker)
        recordEvent(tx, each as Exposure, {
          ...{ type: "Warning", reason: "CertificateRefused", component: "acme" },
          message: `no certificate for ${each?.metadata.name}`,
        });
    });
    const words = "no certificate yet: nobody is there; tried again at 2030-01-01T00:00:00Z";
    for (const host of ["acme.example.org", "shop.example.org"]) assert.ok((await row(host)).words?.includes(words));
    const said = async (name: string, as: Actor = ADMIN) => {
      const { body } = await stage.ask(as, "GET", `/styr/v1/events?workload=${name}`);
      return (body.events ?? []).flatMap(({ reason, message }: EventRow) =>
        reason === "CertificateRefused" ? [message] : [],
      );
    };
    for (const name of ["web", "acme.example.org"])
      assert.deepEqual(await said(name), ["no certificate for acme.example.org"]);
    for (const name of ["shopfront", "default/shopfront", "shop.example.org"])
      assert.deepEqual(await said(name), ["no certificate for shopfront"]);
    const bob: Actor = { name: "bob", roles: [], rolesIn: { other: ["operator"] } };
    assert.deepEqual(await said("shopfront", bob), []);
  });

  test("a Service that can never answer: it has not that port, or is another's name", async () => {
    const services = "/api/v1/namespaces/default/services";
    const meta = { apiVersion: "v1", kind: "Service" };
    await stage.ask(ADMIN, "POST", services, {
      ...{ ...meta, metadata: { name: "back" } },
      spec: { selector: { app: "back" }, ports: [{ name: "http", port: 80 }] },
    });
    await stage.ask(ADMIN, "POST", services, {
      ...{ ...meta, metadata: { name: "ext" } },
      spec: { type: "ExternalName", externalName: "example.com", ports: [{ port: 80 }] },
    });
    const backends = {
      "fine.example.org": ["back", 80],
      "named.example.org": ["back", "http"],
      "badport.example.org": ["back", 81],
    };
    const rules = Object.entries({
      ...backends,
      "badname.example.org": ["back", "web"],
      "ext.example.org": ["ext", 80],
    });
    const made = await stage.ask(ADMIN, "POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "ports" } },
      spec: { rules: rules.map(([host, [name, port]]) => ({ host, ...backendOf(String(name), port) })) },
    });
    assert.equal(made.status, 201, made.text);
    const said = async (host: string) => [(await row(host)).isServed, (await row(host)).words?.[0]];
    assert.deepEqual(await said("fine.example.org"), [true, undefined]);
    assert.deepEqual(await said("named.example.org"), [true, undefined]);
    const no = "Service default/back has no TCP port";
    assert.deepEqual(await said("badport.example.org"), [false, `${no} 81: it has 80 (http)`]);
    assert.deepEqual(await said("badname.example.org"), [false, `${no} web: it has 80 (http)`]);
    const ext = "Service default/ext is an ExternalName, to which no request is sent";
    assert.deepEqual(await said("ext.example.org"), [false, ext]);
    for (const name of ["ports", "shopfront"])
      await stage.ask(ADMIN, "DELETE", `/apis/networking.k8s.io/v1/namespaces/default/ingresses/${name}`);
  });

  test("what a way-in node does not have of a certificate, and that it fails, is said where routes are listed", async () => {
    const tls = { file: "/nope" };
    assert.equal((await expose({ workload: "web", host: "file.example.org", tls })).status, 201);
    said = { state: "working", hostTroubles: { "file.example.org": "/nope is not there" } };
    assert.deepEqual((await row("file.example.org")).words, ["in: /nope is not there"]);
    assert.equal((await row("web.example.org")).words, undefined);
    const why = "192.0.2.9:80 is the way in of in itself";
    said = { state: "working", routeTroubles: { "web.example.org/": why, "web.example.org/x/": "another" } };
    assert.deepEqual((await row("web.example.org")).words, [why]);
    said = { state: "failing", words: "HAProxy is not there" };
    const { body } = await stage.ask(ADMIN, "GET", "/styr/v1/routes");
    assert.deepEqual(body.wayIn, [{ node: "in", trouble: "HAProxy is not there" }]);
  });

  test("served is what a way in serves: one that serves nothing, or not this host, is named with its reason", async () => {
    const answer = async (): Promise<readonly [boolean, string]> => {
      const { isServed, words } = await row("web.example.org");
      return [isServed, String(words ?? "")];
    };
    const words = "port 80 is taken by python3 (pid 7)";
    said = { state: "failing", words, facts: { routes: 0 } };
    assert.deepEqual(await answer(), [false, `no way in serves it: in: ${words}`]);
    said = { state: "working", lateHosts: { "web.example.org": "new routes wait" } };
    assert.deepEqual(await answer(), [false, "no way in serves it: in: new routes wait"]);
    said = { state: "failing", words: "ENOSPC", facts: { routes: 3 }, lateHosts: { "other.example.org": "ENOSPC" } };
    assert.deepEqual(await answer(), [true, ""], "what it served before it serves on");
    said = { state: "working" };
    others.set("second", () => ({ state: "off", words: "this node is no way in" }));
    await addNode(stage, "second", { "styrmann.dev/way-in": "true" });
    assert.deepEqual(await answer(), [true, "not served by second: this node is no way in"]);
    others.set("second", () => new Error("second is not connected: is the host on?"));
    assert.deepEqual(await answer(), [true, "not served by second: second is not connected: is the host on?"]);
    others.set("second", () => ({ state: "working" }));
    assert.deepEqual(await answer(), [true, ""]);
  });

  test("an Ingress of a class that there is not is listed with that; one of another controller's class is its own", async () => {
    for (const name of ["nobodys", "theirs"])
      await stage.ask(ADMIN, "POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
        ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name } },
        spec: { ingressClassName: name, defaultBackend: { service: { name: "x", port: { number: 80 } } } },
      });
    await stage.ask(ADMIN, "POST", "/apis/networking.k8s.io/v1/ingressclasses", {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name: "theirs" } },
      spec: { controller: "example.org/theirs" },
    });
    const { body } = await stage.ask(ADMIN, "GET", "/styr/v1/routes");
    const found = body.routes.filter(({ source }: RouteRow) => source.startsWith("Ingress "));
    assert.deepEqual(
      found.map(({ source, isServed, words }: RouteRow) => [source, isServed, words]),
      [["Ingress default/nobodys", false, ["its class is nobodys, which there is not; ours is styrmann"]]],
    );
  });

  test("copies that run and say no port are refused, and said of what was exposed before they ran", async () => {
    const { status, text } = await expose({ workload: "mute", host: "mute.example.org" });
    assert.deepEqual([status, /mute says no port where it answers: add --port NUMBER/.test(text)], [400, true]);
    assert.equal((await expose({ workload: "mute", host: "mute.example.org", port: 80 })).status, 201);
    assert.equal((await row("mute.example.org")).isServed, true);
    assert.equal((await expose({ workload: "late", host: "late.example.org" })).status, 201);
    await runPod("late");
    const { isServed, words } = await row("late.example.org");
    assert.deepEqual(
      [isServed, words],
      [false, ["late says no port where it answers: styr expose it with --port NUMBER"]],
    );
  });
});
