/** What both kinds of kernel rules have to do, shown by packets. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { NetworkEntry, ServiceEntry } from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import type { Firewall } from "../../../src/network/services/firewall.ts";
import { ServicesPart } from "../../../src/network/services/services-part.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import type { Commands } from "../../../src/seams/commands.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { NetPlace } from "../../harness/net-space.ts";
import { newsStep } from "./news.ts";
import { endpoints, NETWORK, names, Stage, service, until } from "./stage.ts";

const VIP = "10.96.0.10";

/** `takeAway`: what a careless person types. */
export function describeKernelRules(
  name: string,
  make: (commands: Commands) => Firewall,
  takeAway: readonly (readonly string[])[],
  listing: readonly (readonly string[])[],
): void {
  const list = (place: NetPlace) =>
    listing.flatMap(([program = "", ...args]) => blocksOf(place.run(program, args).output));

  describe(`service addresses by ${name}:`, { concurrency: false }, () => {
    let stage: Stage;
    const web = service("default/web", {
      ports: [
        { name: "http", protocol: "tcp", port: 80, nodePort: 30080 },
        { name: "dns", protocol: "udp", port: 53, nodePort: 30053 },
      ],
    });

    before(async () => {
      stage = new Stage(make);
      const { one, two, far } = stage.pods;
      await Promise.all([
        stage.answer(one, "one", 8080, 9090),
        stage.answer(two, "two", 8080, 9090),
        stage.answer(far, "far", 8080, 9090),
      ]);
    });
    after(() => stage.close());

    const three = () => [
      stage.endpoint(stage.pods.one),
      stage.endpoint(stage.pods.two),
      stage.endpoint(stage.pods.far),
    ];
    const put = (entry: ServiceEntry, list = three()) => stage.all(entry, endpoints(entry, list));
    const dialled = (times = 16) => stage.dial(stage.pods.client, "tcp", VIP, 80, times);

    test("a pod reaches every endpoint at the cluster address, of this host and of the other, and they see the pod's address", async () => {
      await put(web);
      const { client } = stage.pods;
      const [tcp, udp] = [dialled(24), stage.dial(client, "udp", VIP, 53, 24)];
      for (const lines of [tcp, udp]) {
        assert.deepEqual(names(lines), ["far", "one", "two"], lines.join("; "));
        assert.ok(
          lines.every((line) => line.endsWith(` ${client.address}`)),
          lines.join("; "),
        );
      }
    });

    test("a pod reaches itself through its service, from the host's address", async () => {
      const { one } = stage.pods;
      await put(web, [stage.endpoint(one)]);
      const { gateway } = stage.space.host(1);
      assert.deepEqual(
        stage.dial(one, "tcp", VIP, 80, 3),
        [1, 2, 3].map(() => `one ${gateway}`),
      );
    });

    test("a pod reaches itself through a service whose endpoints a person wrote, without a node", async () => {
      const { one } = stage.pods;
      await put(web, [{ address: one.address, state: "ready" }]);
      const { gateway } = stage.space.host(1);
      assert.deepEqual(stage.dial(one, "tcp", VIP, 80, 1), [`one ${gateway}`]);
    });

    test("the host reaches the cluster address, from its address among its pods", async () => {
      await put(web);
      const host = stage.space.host(1);
      const lines = stage.dial(host, "tcp", VIP, 80, 24);
      assert.deepEqual(names(lines), ["far", "one", "two"], lines.join("; "));
      assert.ok(
        lines.every((line) => line.endsWith(` ${host.gateway}`)),
        lines.join("; "),
      );
    });

    test("a node port is at every node; an endpoint of that node sees the client's address, one of another node the first node's", async () => {
      await put(web);
      const host = stage.space.host(1);
      for (const [protocol, port] of [
        ["tcp", 30080],
        ["udp", 30053],
      ] as const) {
        const lines = stage.dial(stage.outside, protocol, host.address, port, 24);
        assert.deepEqual(names(lines), ["far", "one", "two"], lines.join("; "));
        for (const line of lines) {
          const seen = line.startsWith("far") ? host.gateway : stage.outside.address;
          assert.ok(line.endsWith(` ${seen}`), line);
        }
      }
      assert.deepEqual(names(stage.dial(host, "tcp", host.address, 30080, 16)), ["far", "one", "two"]);
    });

    test("a port at which a program of the host listens stays the program's, which is said; when it ends, the service has it", async () => {
      const host = stage.space.host(1);
      const program = await stage.answer(host, "program", 30080);
      const started = [program];
      try {
        await put(web);
        const ask = () => names(stage.dial(stage.outside, "tcp", host.address, 30080, 8));
        assert.deepEqual(ask(), ["program"]);
        const report = stage.sides[0]?.part.report();
        assert.equal(report?.state, "failing");
        assert.match(
          report?.words ?? "",
          /^default\/web does not have tcp\/30080 here: \S+ of this host listens there$/,
        );
        assert.deepEqual(names(stage.dial(stage.outside, "udp", host.address, 30053, 16)).length, 3, "its other port");
        program.kill();
        await until(
          () => stage.sides[0]?.part.report().state === "working",
          () => `the port to be free: ${stage.sides[0]?.part.report().words}`,
        );
        await stage.change(web);
        assert.deepEqual(names(stage.dial(stage.outside, "tcp", host.address, 30080, 24)), ["far", "one", "two"]);
        started.push(await stage.answer(host, "later", 30080));
        await until(
          () => stage.sides[0]?.part.report().state === "failing",
          () => "a program that came later to have its port",
        );
        await stage.change(web);
        assert.deepEqual(ask(), ["later"]);
      } finally {
        for (const each of started) each.kill();
      }
    });

    test("what a host has among its pods is no service's: names are answered there, whatever port is wanted", async () => {
      const dns = { ...web, ports: [{ name: "dns", protocol: "udp" as const, port: 53, nodePort: 53 }] };
      const host = stage.space.host(1);
      const { client } = stage.pods;
      await put(dns);
      assert.deepEqual(names(stage.dial(client, "udp", host.address, 53, 24)), ["far", "one", "two"]);
      assert.match(stage.dial(client, "udp", host.gateway, 53)[0] ?? "", /^ECONNREFUSED/);
      await put(dns, []);
      assert.match(stage.dial(client, "udp", host.address, 53)[0] ?? "", /^ECONNREFUSED/);
    });

    test("of two services that want one node port the older has it, also while nobody answers for it, and the other is named", async () => {
      const older = { ...service("z/web", { addresses: [] }), since: "2026-01-01T00:00:00Z" };
      const ports = [{ name: "http", protocol: "tcp" as const, port: 80, nodePort: 10_180 }];
      const [first, second] = [
        { ...older, ports },
        { ...older, id: "a/dup", since: "2026-01-02T00:00:00Z", ports },
      ];
      const host = stage.space.host(1);
      const { one, two } = stage.pods;
      const ask = () => stage.dial(stage.outside, "tcp", host.address, 10_180, 4);
      await stage.all(second, endpoints(second, [stage.endpoint(two)]));
      assert.deepEqual(names(ask()), ["two"]);
      await stage.change(first, endpoints(first, [stage.endpoint(one)]));
      assert.deepEqual(names(ask()), ["one"]);
      assert.match(
        stage.sides[0]?.part.report().words ?? "",
        /^a\/dup does not have tcp\/10180 here: z\/web has it, which is older$/,
      );
      assert.equal(stage.sides[0]?.part.report().state, "failing");
      await stage.change(endpoints(first, []));
      assert.match(ask()[0] ?? "", /^ECONNREFUSED/);
      await stage.take("service", first.id);
      assert.deepEqual(names(ask()), ["two"]);
      assert.equal(stage.sides[0]?.part.report().state, "working");
    });

    test("external traffic kept local: only this node's endpoints, with the client's address; a node without any refuses", async () => {
      const local = { ...web, externalTraffic: "local" } as const;
      const { one, client } = stage.pods;
      await put(local, [stage.endpoint(one)]);
      const [first, second] = [stage.space.host(1), stage.space.host(2)];
      assert.deepEqual(
        stage.dial(stage.outside, "tcp", first.address, 30080, 2),
        [1, 2].map(() => `one ${stage.outside.address}`),
      );
      assert.match(stage.dial(stage.outside, "tcp", second.address, 30080)[0] ?? "", /^ECONNREFUSED/);
      // What comes from the node's own pods and from itself is not from outside.
      assert.deepEqual(names(stage.dial(stage.pods.farClient, "tcp", second.address, 30080)), ["one"]);
      assert.deepEqual(names(stage.dial(second, "tcp", second.address, 30080)), ["one"]);
      assert.deepEqual(names(stage.dial(client, "tcp", VIP, 80)), ["one"]);
    });

    test("internal traffic kept local: a node without an endpoint refuses its pods", async () => {
      const { one, far, farClient } = stage.pods;
      await put({ ...web, internalTraffic: "local" }, [stage.endpoint(one)]);
      assert.deepEqual(names(dialled(3)), ["one"]);
      assert.match(stage.dial(farClient, "tcp", VIP, 80)[0] ?? "", /^ECONNREFUSED/);
      await put({ ...web, internalTraffic: "local" }, [stage.endpoint(one), stage.endpoint(far)]);
      assert.deepEqual(names(stage.dial(farClient, "tcp", VIP, 80, 6)), ["far"]);
    });

    test("a service without endpoints is refused at once, to pods, to hosts and to who is outside; so is another port of its address", async () => {
      await put(web, []);
      const host = stage.space.host(1);
      const { client } = stage.pods;
      const refusals = [
        ...stage.dial(client, "tcp", VIP, 80),
        ...stage.dial(client, "udp", VIP, 53),
        ...stage.dial(host, "tcp", VIP, 80),
        ...stage.dial(stage.outside, "tcp", host.address, 30080),
        ...stage.dial(stage.outside, "udp", host.address, 30053),
        ...stage.dial(client, "tcp", VIP, 81),
        ...stage.dial(client, "tcp", "10.96.0.99", 80),
      ];
      for (const line of refusals) {
        const [code, ms] = line.split(" ");
        assert.equal(code, "ECONNREFUSED", refusals.join("; "));
        assert.ok(Number(ms) < 500, `${ms} ms`);
      }
      // A UDP sender of the same host is not even let send.
      assert.match(stage.dial(host, "udp", VIP, 53)[0] ?? "", /^(EPERM|ECONNREFUSED)/);
    });

    test("what a host reaches by itself within the service range stays reached, as soon as it is seen; Services with addresses there are named, and the rest is refused as before", async () => {
      const { one, client } = stage.pods;
      const [near, { outside }] = [stage.space.host(1), stage];
      const away = service("default/away", { addresses: ["10.105.0.3"] });
      const part = () => stage.sides[0]?.part.report();
      const hide = ["POSTROUTING", "-o", "eth0", "-s", near.podRange, "-j", "MASQUERADE"];
      const theirs = await stage.answer({ ...outside, address: "0.0.0.0" }, "theirs", 8099);
      try {
        outside.run("ip", ["addr", "add", "10.105.0.3/16", "dev", "eth0"]);
        await stage.all(web, endpoints(web, three()), away, endpoints(away, [stage.endpoint(one)]));
        assert.match(stage.dial(client, "tcp", "10.105.0.3", 80)[0] ?? "", /^one /);
        near.run("ip", ["addr", "add", "10.105.0.1/16", "dev", "eth0"]);
        near.run("iptables", ["-t", "nat", "-A", ...hide]);
        await until(
          () => part()?.state === "failing",
          () => `the link to be seen: ${part()?.words}`,
        );
        assert.equal(
          part()?.words,
          "default/away is not reached at 10.105.0.3 here: this host has 10.105.0.0/16 on eth0; 10.105.0.0/16 on eth0 is part of " +
            "the service range 10.96.0.0/12: what this host reaches there stays so, and no Service has an address of it here",
        );
        await stage.change(web);
        for (const from of [near, client])
          assert.match(stage.dial(from, "tcp", "10.105.0.3", 8099)[0] ?? "", /^theirs /);
        // Not the Service's any more: nobody listens there.
        assert.match(stage.dial(client, "tcp", "10.105.0.3", 80)[0] ?? "", /^ECONNREFUSED/);
        assert.equal(
          stage.dial(outside, "tcp", "10.105.0.1", 30080)[0]?.split(" ").length,
          2,
          "a node port at that address",
        );
        assert.deepEqual(names(dialled(24)), ["far", "one", "two"]);
        assert.match(stage.dial(client, "tcp", "10.96.0.99", 80)[0] ?? "", /^ECONNREFUSED/);
        near.run("ip", ["addr", "del", "10.105.0.1/16", "dev", "eth0"]);
        await until(
          () => part()?.state === "working" && part()?.words === undefined,
          () => `the link to be gone: ${part()?.words}`,
        );
        await stage.change(web);
        assert.match(stage.dial(client, "tcp", "10.105.0.3", 80)[0] ?? "", /^one /);
      } finally {
        theirs.kill();
        near.run("iptables", ["-t", "nat", "-D", ...hide]);
        for (const [place, address] of [
          [outside, "10.105.0.3/16"],
          [near, "10.105.0.1/16"],
        ] as const)
          place.run("ip", ["addr", "del", address, "dev", "eth0"]);
      }
    });

    test("where a link has all of the service range, Services have their addresses and the neighbours theirs", async () => {
      const [near, { outside }] = [stage.space.host(1), stage];
      const theirs = await stage.answer({ ...outside, address: "0.0.0.0" }, "theirs", 8099);
      const words = () => stage.sides[0]?.part.report().words;
      try {
        for (const [place, address] of [
          [outside, "10.100.0.3/8"],
          [near, "10.100.0.1/8"],
        ] as const)
          place.run("ip", ["addr", "add", address, "dev", "eth0"]);
        await put(web);
        await until(
          () => /lies in 10\.0\.0\.0\/8 on eth0/.test(words() ?? ""),
          () => `the link to be seen: ${words()}`,
        );
        await stage.change(web);
        const line = stage.dial(near, "tcp", "10.100.0.3", 8099)[0] ?? "";
        assert.equal(line, "theirs 10.100.0.1");
        assert.deepEqual(names(stage.dial(near, "tcp", VIP, 80, 24)), ["far", "one", "two"]);
        assert.deepEqual(names(dialled(24)), ["far", "one", "two"]);
      } finally {
        theirs.kill();
        outside.run("ip", ["addr", "del", "10.100.0.3/8", "dev", "eth0"]);
        near.run("ip", ["addr", "del", "10.100.0.1/8", "dev", "eth0"]);
        await until(
          () => words() === undefined,
          () => `the link to be gone: ${words()}`,
        );
      }
    });

    test("a server whose address is one of the service range is reached by the way that there is, and Services are, too", async () => {
      const [near, { outside }] = [stage.space.host(1), stage];
      const server = await stage.answer({ ...outside, address: "0.0.0.0" }, "server", 8099);
      const ask = () => stage.dial(near, "tcp", "10.100.0.9", 8099)[0] ?? "";
      const words = () => stage.sides[0]?.part.report().words;
      try {
        outside.run("ip", ["addr", "add", "10.100.0.9/32", "dev", "lo"]);
        near.run("ip", ["route", "add", "default", "via", outside.address]);
        await put(web);
        assert.doesNotMatch(ask(), /^server/, "as any other address that nobody has");
        stage.servers = ["10.100.0.9:7443"];
        await until(
          () => /^10\.100\.0\.9 on the way to a server is part/.test(words() ?? ""),
          () => `it to be said: ${words()}`,
        );
        await stage.change(web);
        assert.match(ask(), /^server /);
        assert.match(stage.dial(near, "tcp", "10.100.0.8", 8099)[0] ?? "", /^ECONNREFUSED/);
        const lines = stage.dial(near, "tcp", VIP, 80, 24);
        assert.deepEqual(names(lines), ["far", "one", "two"], lines.join("; "));
      } finally {
        server.kill();
        stage.servers = [];
        near.run("ip", ["route", "del", "default"]);
        outside.run("ip", ["addr", "del", "10.100.0.9/32", "dev", "lo"]);
        await until(
          () => words() === undefined,
          () => `nothing to be said: ${words()}`,
        );
        await stage.change(web);
      }
    });

    test("draining endpoints take no new connections, unless nobody else is there; waiting ones never, unless that is asked for", async () => {
      const { one, two, far } = stage.pods;
      await put(web, [
        stage.endpoint(one),
        stage.endpoint(two, { state: "draining" }),
        stage.endpoint(far, { state: "waiting" }),
      ]);
      assert.deepEqual(names(dialled()), ["one"]);
      await put(web, [stage.endpoint(two, { state: "draining" }), stage.endpoint(far, { state: "waiting" })]);
      assert.deepEqual(names(dialled()), ["two"]);
      await put({ ...web, publishNotReady: true }, [
        stage.endpoint(two, { state: "draining" }),
        stage.endpoint(far, { state: "waiting" }),
      ]);
      assert.deepEqual(names(dialled()), ["far"]);
    });

    test("endpoints of a lost node get nothing new, as long as there are others", async () => {
      await put(web);
      await stage.lose("n2", true);
      assert.deepEqual(names(dialled(24)), ["one", "two"]);
      await stage.change(endpoints(web, [stage.endpoint(stage.pods.far)]));
      assert.deepEqual(names(dialled(3)), ["far"]);
      await stage.lose("n2", false);
    });

    test("the same node is preferred when that is asked for, and then the same zone", async () => {
      const { one, far } = stage.pods;
      await put({ ...web, prefer: "same-node" }, [stage.endpoint(one), stage.endpoint(far)]);
      assert.deepEqual(names(dialled()), ["one"]);
      assert.deepEqual(names(stage.dial(stage.pods.farClient, "tcp", VIP, 80, 16)), ["far"]);
      await put({ ...web, prefer: "same-zone" }, [
        stage.endpoint(far, { zone: "z1" }),
        stage.endpoint(one, { zone: "z9" }),
      ]);
      assert.deepEqual(names(dialled()), ["far"]);
      await put({ ...web, prefer: "same-zone" }, [
        stage.endpoint(far, { zone: "z8" }),
        stage.endpoint(one, { zone: "z9" }),
      ]);
      assert.deepEqual(names(dialled()), ["far", "one"]);
    });

    test("a client stays with its endpoint when that is asked for, also while others come and go", async () => {
      const sticky = { ...web, affinitySeconds: 100 };
      const { one, two, far } = stage.pods;
      await put(sticky);
      const [mine = ""] = names(dialled(12));
      assert.deepEqual(names(dialled(12)), [mine]);
      const others = [
        { name: "one", pod: one },
        { name: "two", pod: two },
        { name: "far", pod: far },
      ];
      const [other, ...kept] = others.sort((a) => (a.name === mine ? 1 : -1));
      await stage.change(
        endpoints(
          sticky,
          kept.map(({ pod }) => stage.endpoint(pod)),
        ),
      );
      assert.deepEqual(names(dialled(12)), [mine], `without ${other?.name}`);
      await stage.change(endpoints(sticky, three()));
      assert.deepEqual(names(dialled(12)), [mine]);
      await stage.change(
        endpoints(
          sticky,
          others.filter(({ name }) => name !== mine).map(({ pod }) => stage.endpoint(pod)),
        ),
      );
      const [next = ""] = names(dialled(12));
      assert.notEqual(next, mine);
      assert.deepEqual(names(dialled(12)), [next]);
    });

    test("a connection survives what happens to other endpoints, and the draining of its own", async () => {
      const { one, two, far, client } = stage.pods;
      await put(web, [stage.endpoint(one)]);
      const held = stage.hold(client, VIP, 80);
      await held.answers(2);
      await stage.change(endpoints(web, three()));
      await stage.change(
        endpoints(web, [stage.endpoint(one, { state: "draining" }), stage.endpoint(two), stage.endpoint(far)]),
      );
      assert.deepEqual(names(dialled(8)).includes("one"), false);
      assert.deepEqual(names(await held.answers(3)), ["one"]);
    });

    test("a UDP flow goes elsewhere when its endpoint leaves, and stays while others do", async () => {
      const { client } = stage.pods;
      await put(web);
      const ask = () => names(stage.dial(client, "udp", VIP, 53, 1, 40_053))[0] ?? "";
      const mine = ask();
      assert.deepEqual([ask(), ask()], [mine, mine], "one flow");
      const pods = { one: stage.pods.one, two: stage.pods.two, far: stage.pods.far };
      const [first, ...rest] = Object.entries(pods).filter(([name]) => name !== mine);
      const own = pods[mine as keyof typeof pods];
      await stage.change(
        endpoints(
          web,
          [own, ...rest.map(([, pod]) => pod)].map((pod) => stage.endpoint(pod)),
        ),
      );
      assert.equal(ask(), mine, `${first?.[0]} left`);
      await stage.change(
        endpoints(
          web,
          rest.map(([, pod]) => stage.endpoint(pod)),
        ),
      );
      assert.equal(ask(), rest[0]?.[0]);
    });

    describe("an endpoint that is gone without a word:", { concurrency: false }, () => {
      const silence = ["INPUT", "-p", "tcp", "--dport", "8080", "-j", "DROP"];
      const hush = (how: "-A" | "-D") => stage.pods.two.run("iptables", [how, ...silence]);
      before(async () => {
        hush("-A");
      });
      after(() => void hush("-D"));

      test("a connection that it did not answer is another's with its next packet, once it is out", async () => {
        const { one, two, client } = stage.pods;
        await put(web, [stage.endpoint(two)]);
        const held = stage.hold(client, VIP, 80);
        const kernel = () => stage.space.host(1).run("cat", ["/proc/net/nf_conntrack"]).output;
        await until(() => new RegExp(`SYN_SENT .* dst=${VIP} `).test(kernel()), kernel);
        await stage.change(endpoints(web, [stage.endpoint(one)]));
        assert.deepEqual(names(await held.answers(1)), ["one"]);
      });

      test("a client's port that was used for it is no way to it", async () => {
        const { one, two, client } = stage.pods;
        const ask = () => stage.dial(client, "tcp", VIP, 80, 1, 41_080)[0] ?? "";
        await put(web, [stage.endpoint(two)]);
        assert.match(ask(), /^ETIMEDOUT/);
        await stage.change(endpoints(web, [stage.endpoint(one)]));
        assert.match(ask(), /^one /);
      });
    });

    test("what somebody takes away is noticed, and made anew", async () => {
      await put(web);
      const { commands } = stage.space.host(1);
      for (const [program = "", ...args] of takeAway) {
        const before = Number(stage.sides[0]?.part.report().facts?.["made anew"]);
        assert.equal((await commands.run(program, args)).exitCode, 0);
        const deadline = Date.now() + 10_000;
        while (Number(stage.sides[0]?.part.report().facts?.["made anew"]) === before) {
          assert.ok(Date.now() < deadline, `${program} ${args.join(" ")} was not noticed`);
          // Whatever else is heard meanwhile.
          await stage.change(web);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await stage.change(web);
        assert.deepEqual(names(dialled(24)), ["far", "one", "two"]);
      }
    });

    test("where bridged packets do not pass the rules, pods of one node reach each other all the same, seen as the host, and that is said", async () => {
      const { one, client } = stage.pods;
      const host = stage.space.host(1);
      await put(web, [stage.endpoint(one)]);
      const filter = async (value: 0 | 1, seen: string) => {
        host.run("sysctl", ["-w", `net.bridge.bridge-nf-call-iptables=${value}`]);
        const isSaid = () => /bridge-nf-call-iptables is not 1/.test(stage.sides[0]?.part.report().words ?? "");
        await until(
          () => isSaid() === (value === 0),
          () => `the words of ${value}`,
        );
        // The words come before the rules.
        await stage.change(web);
        assert.deepEqual(
          stage.dial(client, "tcp", VIP, 80, 3),
          [1, 2, 3].map(() => `one ${seen}`),
        );
      };
      await filter(0, host.gateway);
      await filter(1, client.address);
    });

    test("a Service of a thousand endpoints is one change like any other", async () => {
      const { one, two } = stage.pods;
      const far = Array.from({ length: 998 }, (_, n) =>
        stage.endpoint(one, { address: `10.240.${n >> 8}.${n & 255}`, state: "draining" }),
      );
      await put(web, [stage.endpoint(one), stage.endpoint(two), ...far]);
      assert.deepEqual(names(dialled()), ["one", "two"]);
      await stage.change(
        endpoints(
          web,
          far.map((endpoint) => ({ ...endpoint, state: "ready" })),
        ),
      );
      await stage.change(endpoints(web, [stage.endpoint(two)]));
      assert.deepEqual(names(dialled(3)), ["two"]);
    });

    test("after many changes the kernel lists what a host that hears of it only now has", async () => {
      for (const seed of [1, 2, 3]) {
        await stage.all();
        const told = new NetworkState("n1");
        const steps = fc
          .sample(newsStep, { numRuns: 15, seed })
          .flatMap((step) => ("entry" in step ? [step.entry] : []));
        for (const entry of [...stage.cluster(), ...steps] as NetworkEntry[]) {
          told.hear({ type: "changed", revision: 1, entries: [entry], removed: [] }, new Touched());
          await stage.change(entry);
        }
        const [near, far] = [stage.space.host(1), stage.space.host(2)];
        const part = new ServicesPart({
          ...{ commands: far.commands, clock: new SystemClock(), log: silentLog, networkName: NETWORK },
          firewall: make(far.commands),
        });
        // What that host has as itself is put aside meanwhile.
        await stage.sides[1]?.part.stop();
        await make(far.commands).remove();
        const touched = new Touched();
        touched.everything();
        await part.apply(told, touched);
        await part.stop();
        assert.deepEqual(list(near), list(far), `seed ${seed}`);
        await make(far.commands).remove();
        await stage.restart(2);
      }
    });

    test("after a restart what is right stays as it is, and what is wrong is mended; then nothing is left", async () => {
      await put(web);
      const { commands } = stage.space.host(1);
      const firewall = make(commands);
      const kernel = await firewall.read();
      await stage.restart(1);
      const { one } = stage.pods;
      await put(web);
      assert.deepEqual(await firewall.read(), kernel);
      await stage.restart(1);
      await put(web, [stage.endpoint(one)]);
      assert.deepEqual(names(dialled(8)), ["one"]);
      const foreign = [
        ["nft", "add", "table", "ip", NETWORK],
        ["nft", "add", "chain", "ip", NETWORK, "pol-others"],
        ["iptables", "-N", `${NETWORK}-others`],
      ];
      for (const [program = "", ...args] of foreign) assert.equal((await commands.run(program, args)).exitCode, 0);
      for (const { part } of stage.sides) await part.remove();
      const left = await commands.run("nft", ["list", "table", "ip", NETWORK]);
      assert.match(left.stdout, /chain pol-others/, "of another part");
      assert.equal((await commands.run("iptables", ["-X", `${NETWORK}-others`])).exitCode, 0, "of another part");
      await commands.run("nft", ["delete", "table", "ip", NETWORK]);
      for (const [program, args] of [
        ["nft", ["list", "ruleset"]],
        ["iptables-save", []],
        ["ip", ["route"]],
      ] as const) {
        const { stdout } = await commands.run(program, args);
        assert.doesNotMatch(stdout, /styr|10\.96\./, stdout);
      }
    });
  });
}

/** Chains, sets and lines of lists, in an order of their own: the kernel lists them as they were made. */
function blocksOf(text: string): readonly string[] {
  if (!text.startsWith("table")) return listLinesSorted(text);
  const blocks = text.replace(/^table.*\n/, "").split(/^\t\}\n/m);
  return blocks.map((block) => (block.includes("elements = {") ? sortedWords(block) : block.trim())).sort();
}

function sortedWords(block: string): string {
  const words = block.split(/,\s+|\{ | \}/).map((word) => word.trim());
  return words
    .filter((word) => word !== "")
    .sort()
    .join("\n");
}

/** Order counts within chains of rules, and not within lists nor between chains. */
function listLinesSorted(text: string): readonly string[] {
  const rules = text.split("\n").filter((line) => line.startsWith("-A"));
  const chainOf = (line: string) => line.split(" ")[1] ?? "";
  const isList = (line: string) => /-(addresses|ports|hairpin|refused|no-ports) /.test(line.slice(0, 40));
  const key = (line: string, at: number) => `${chainOf(line)} ${isList(line) ? line : String(at).padStart(6, "0")}`;
  return rules
    .map((line, at) => ({ line, key: key(line, at) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ line }) => line);
}
