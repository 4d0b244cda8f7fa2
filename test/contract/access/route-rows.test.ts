/** styr routes: what is not served, or not as it was asked for, says so, and the URL of nothing is shown. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { NetworkPartRow } from "../../../src/model/network-questions.ts";
import { type Pod, pods } from "../../../src/model/pod.ts";
import type { RouteRow } from "../../../src/model/route-row.ts";
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

  test("what a way-in node does not have of a certificate, and that it fails, is said where routes are listed", async () => {
    const tls = { file: "/nope" };
    assert.equal((await expose({ workload: "web", host: "file.example.org", tls })).status, 201);
    said = { state: "working", hostTroubles: { "file.example.org": "/nope is not there" } };
    assert.deepEqual((await row("file.example.org")).words, ["in: /nope is not there"]);
    assert.equal((await row("web.example.org")).words, undefined);
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
