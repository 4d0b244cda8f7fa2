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
  answers: (name: string, server: string) => readonly string[] | Error,
  more: readonly NetworkEntry[] = [],
  isService = false,
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
      const answer = answers(one, server);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  const { hop, addresses } = await nameHop(state, view, name, { host: HOST, isService, ...(asker ? { asker } : {}) });
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
    assert.deepEqual(questions.slice(0, 2), ["web.lan @192.0.2.53", "web @192.0.2.53"]);
    assert.ok(
      questions.slice(2).every((question) => question.endsWith(` @${GATEWAY}`)),
      "and this node's server, for whether it has it",
    );
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

  describe("by a host, its units, and pods that ask as it does, where its resolv.conf names another server", () => {
    const WHOLE = "web.default.svc.cluster.local";
    const ours = (name: string, server: string) => (server === GATEWAY && name === WHOLE ? ["10.96.0.9"] : []);
    const unit: NameAsker = { ...pod("fleet"), spec: { hostNetwork: true } };
    const elsewhere = `a's /etc/resolv.conf asks 192.0.2.53 and not this node's server (${GATEWAY}), by which ${WHOLE} is 10.96.0.9`;

    for (const [who, asker] of [["the host", undefined] as const, ["a unit", unit] as const])
      for (const name of ["web.default", WHOLE])
        test(`${who} that asks for ${name} finds nothing, and is told of --host-names`, async () => {
          const { hop, addresses, questions } = await asked(name, asker, ours);
          assert.deepEqual([hop.isOk, addresses], [false, []]);
          assert.ok(questions.includes(`${name} @192.0.2.53`), "it is the host's server that is asked");
          assert.equal(hop.words, `${elsewhere}: processes and units of this host know no names of the cluster`);
          assert.match(hop.advice ?? "", /^start the agent there with --host-names .* or ask for 10\.96\.0\.9$/);
        });

    test("a pod is told of its dnsPolicy", async () => {
      const byDefault = await asked(WHOLE, pod(undefined, { dnsPolicy: "Default" }), ours);
      assert.match(byDefault.hop.words, /: a pod with dnsPolicy "Default" asks as its host does/);
      assert.equal(byDefault.hop.advice, 'dnsPolicy "ClusterFirst" for the pod');
      const onHost = await asked(WHOLE, pod(undefined, { hostNetwork: true }), ours);
      assert.match(onHost.hop.advice ?? "", /^dnsPolicy "ClusterFirstWithHostNet" for the pod, or start the agent/);
    });

    test("a server of the host that gives no answer is blamed, and not this node's", async () => {
      const { hop } = await asked(WHOLE, unit, (name, server) =>
        server === GATEWAY ? ours(name, server) : coded("ECONNREFUSED"),
      );
      assert.match(
        hop.words,
        /^a's \/etc\/resolv\.conf asks 192\.0\.2\.53, which gives no answer, and not this node's/,
      );
      const none = await asked("nosuch.default", unit, (_name, server) =>
        server === GATEWAY ? [] : coded("ETIMEOUT"),
      );
      assert.match(
        none.hop.words,
        /^nothing is named nosuch\.default \(asked as this host asks: .*192\.0\.2\.53, which this host/,
      );
    });

    test("where it passes on whole names of the cluster, as systemd-resolved does, a Service is found by its whole name", async () => {
      const passing = (name: string) => (name === WHOLE ? ["10.96.0.9"] : []);
      const service = await asked("web.default", undefined, passing, [], true);
      assert.deepEqual([service.hop.isOk, service.addresses], [true, ["10.96.0.9"]]);
      assert.match(service.hop.words, /is found here by that name only/);
      const typed = await asked("web.default", undefined, passing);
      assert.deepEqual([typed.hop.isOk, typed.addresses], [false, []]);
      assert.match(typed.hop.advice ?? "", new RegExp(`^ask for ${WHOLE}`));
      assert.equal((await asked(WHOLE, undefined, passing)).hop.words, `${WHOLE} is 10.96.0.9`);
    });

    test("a name that is none of the cluster's is not this node's to answer", async () => {
      const found = await asked("example.org", undefined, (name, server) =>
        server === GATEWAY && name === "example.org" ? ["192.0.2.80"] : [],
      );
      assert.match(
        found.hop.words,
        /^nothing is named example\.org \(asked as this host asks: example\.org, example\.org\.lan\)/,
      );
    });
  });
});
