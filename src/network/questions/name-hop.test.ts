import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { NameAsker } from "../../model/network-questions.ts";
import type { ResolvConf } from "../names/resolv-conf.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostView } from "./host-view.ts";
import { nameHop } from "./name-hop.ts";

const HOST: ResolvConf = { nameservers: ["192.0.2.53"], searches: ["lan"], options: [] };
const GATEWAY = "10.42.0.1";

/** Who was asked for what, and what the hop says. */
async function asked(
  name: string,
  asker: NameAsker | undefined,
  answers: (name: string) => readonly string[] | Error,
  more: readonly NetworkEntry[] = [],
) {
  const state = new NetworkState("a");
  const node = { kind: "node", id: "a", address: "192.0.2.1", podRange: "10.42.0.0/24" } as const;
  state.hear({ type: "all", revision: 1, entries: [node, ...more] }, new Touched());
  const questions: string[] = [];
  const view = new HostView({
    commands: { run: () => Promise.reject(new Error("no program is needed to look a name up")) },
    table: "t",
    connect: () => Promise.reject(new Error("nor a connection")),
    lookUp: (server, one) => {
      questions.push(`${one} @${server}`);
      const answer = answers(one);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  const { hop, addresses } = await nameHop(state, view, name, { host: HOST, ...(asker ? { asker } : {}) });
  return { hop, addresses, questions };
}

const pod = (dialect: string | undefined, spec: NameAsker["spec"] = {}): NameAsker => ({
  metadata: {
    namespace: dialect ?? "shop",
    ...(dialect === undefined ? {} : { annotations: { "styrmann.dev/dialect": dialect } }),
  },
  spec,
});
const nothing = () => [];
const coded = (code: string) => Object.assign(new Error(code), { code });

describe("a name, looked up as a pod would", () => {
  test("a Kubernetes pod: below its namespace, the cluster and the host's own domains, then as it stands", async () => {
    const { questions } = await asked("web", pod(undefined), nothing);
    const below = ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"];
    assert.deepEqual(questions, [...below.map((zone) => `web.${zone} @${GATEWAY}`), `web @${GATEWAY}`]);
  });

  test("an app of Marathon: below its own names first, and with two dots as it stands first", async () => {
    const found = await asked("redis", pod("marathon"), (name) => (name === "redis.fleet.local" ? ["10.42.1.7"] : []));
    assert.deepEqual(found.questions, [`redis.marathon.mesos @${GATEWAY}`, `redis.fleet.local @${GATEWAY}`]);
    assert.deepEqual([found.addresses, found.hop.isOk], [["10.42.1.7"], true]);
    const whole = await asked("web.marathon.mesos", pod("marathon"), nothing);
    assert.equal(whole.questions[0], `web.marathon.mesos @${GATEWAY}`);
  });

  test("with the policy Default as its host asks; of a server that its owner chose nobody asks for it", async () => {
    const { questions } = await asked("web", pod(undefined, { dnsPolicy: "Default" }), nothing);
    assert.deepEqual(questions, ["web.lan @192.0.2.53", "web @192.0.2.53"]);
    const own = await asked(
      "web",
      pod(undefined, { dnsPolicy: "None", dnsConfig: { nameservers: ["127.0.0.1"] } }),
      nothing,
    );
    assert.deepEqual(own.questions, []);
    assert.match(own.hop.words, /the pod asks 127\.0\.0\.1, which its dnsConfig names/);
  });

  for (const code of ["ESERVFAIL", "ETIMEOUT"])
    test(`who does not answer beyond the cluster (${code}) is blamed for it, and asked once`, async () => {
      const { hop, questions } = await asked("nosuch", pod(undefined), (name) =>
        /local$/.test(name) ? [] : coded(code),
      );
      assert.match(hop.words, /^nothing is named nosuch .*it was passed on, and whoever is asked beyond the cluster/);
      assert.deepEqual(questions.slice(3), [`nosuch.lan @${GATEWAY}`]);
    });

  describe("of a Service that names another one", () => {
    const external = (id: string, externalName: string): NetworkEntry => ({
      ...{ kind: "service", id, ports: [], addresses: [], externalName },
      ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    });
    const SERVICES = [
      external("shop/loop", "loop.shop.svc.cluster.local."),
      external("shop/round", "about.shop.svc.cluster.local"),
      external("shop/about", "Round.shop.svc.cluster.local"),
      external("shop/out", "example.com."),
      external("shop/in", "web.marathon.mesos"),
    ];
    const wordsOf = async (name: string, code: string) =>
      (await asked(name, pod(undefined), () => coded(code), SERVICES)).hop.words;

    test("one that leads back to itself has no address, and this node's server is not blamed", async () => {
      const one = "Service shop/loop is an ExternalName, loop.shop.svc.cluster.local, and that leads back to ";
      assert.equal(await wordsOf("loop", "ESERVFAIL"), `${one}loop.shop.svc.cluster.local: there is no address`);
      assert.match(await wordsOf("round", "ESERVFAIL"), /leads back to round\.shop\.svc\.cluster\.local/);
    });

    for (const code of ["ESERVFAIL", "ETIMEOUT"])
      test(`one outside of the cluster, of which nobody knows (${code})`, async () => {
        const words = await wordsOf("out", code);
        assert.match(words, /^Service shop\/out .*: example\.com is asked beyond the cluster, and nobody there/);
      });

    test("one of the cluster's other names is this node's to answer", async () => {
      assert.match(await wordsOf("in", "ETIMEOUT"), /^the name server of this node \(10\.42\.0\.1\) does not answer/);
      assert.match(await wordsOf("in", "ESERVFAIL"), /^the name server of this node .* answers that it failed/);
    });
  });

  test("this node's own server is blamed when it does not answer for the cluster's names", async () => {
    const { hop } = await asked("web", pod(undefined), () => coded("ETIMEOUT"));
    assert.match(hop.words, /^the name server of this node \(10\.42\.0\.1\) does not answer/);
  });
});
