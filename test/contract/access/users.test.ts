/** People and programs with rights in the whole cluster or in some namespaces, and what they see through every dialect. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UserTokens } from "../../../src/api/user-tokens.ts";
import { users } from "../../../src/model/user.ts";
import { ADMIN, type As, openStage, type Stage } from "./stage.ts";

const pod = (name: string) => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
  spec: { containers: [{ name: "main", image: "busybox:1" }] },
});
const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { password: "opensesame" } };

describe("users:", () => {
  let stage: Stage;
  let shopViewer: As;
  let shopOperator: As;
  let fleetOperator: As;
  let appViewer: As;
  const must = async (...args: Parameters<Stage["ask"]>) => {
    const answer = await stage.ask(...args);
    assert.ok(answer.status < 300, `${args[1]} ${args[2]}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const status = async (...args: Parameters<Stage["ask"]>) => (await stage.ask(...args)).status;

  before(async () => {
    stage = await openStage();
    await must(ADMIN, "GET", "/api/v1/namespaces");
    for (const name of ["shop", "mail"]) {
      await stage.namespace(name);
      await must(ADMIN, "POST", `/api/v1/namespaces/${name}/pods`, pod(`${name}-web`));
      await must(ADMIN, "POST", `/api/v1/namespaces/${name}/secrets`, secret);
    }
    await must(ADMIN, "POST", "/v2/apps", { id: "/cart", cmd: "sleep 1" });
    const options = [{ section: "Service", name: "ExecStart", value: "/bin/sleep 100" }];
    await must(ADMIN, "PUT", "/fleet/v1/units/bell.service", { desiredState: "launched", options });
    shopViewer = await stage.user("vera", [{ role: "viewer", namespace: "shop" }]);
    shopOperator = await stage.user("otto", [{ role: "operator", namespace: "shop" }]);
    fleetOperator = await stage.user("flo", [{ role: "operator", namespace: "fleet" }]);
    appViewer = await stage.user("mara", [{ role: "viewer", namespace: "marathon" }]);
  });
  after(() => stage.close());

  test("a viewer in a namespace reads there, and is told in Kubernetes' words where else he may not", async () => {
    assert.equal(await status(shopViewer, "GET", "/api/v1/namespaces/shop/pods"), 200);
    assert.equal(await status(shopViewer, "GET", "/api/v1/namespaces/shop"), 200);
    const refused = await stage.ask(shopViewer, "GET", "/api/v1/pods");
    assert.equal(refused.status, 403);
    assert.deepEqual(
      [refused.body.kind, refused.body.reason, refused.body.message],
      [
        "Status",
        "Forbidden",
        'pods is forbidden: User "vera" cannot list resource "pods" in API group "" at the cluster scope; allowed in the namespaces: shop',
      ],
    );
    const elsewhere = await stage.ask(shopViewer, "GET", "/api/v1/namespaces/mail/pods/mail-web");
    assert.match(elsewhere.body.message, /cannot get resource "pods" in API group "" in the namespace "mail"; allowed/);
    for (const path of ["namespaces/shop/secrets", "nodes", "namespaces", "namespaces/mail"])
      assert.equal(await status(shopViewer, "GET", `/api/v1/${path}`), 403, path);
    assert.equal(await status(shopViewer, "POST", "/api/v1/namespaces/shop/pods", pod("x")), 403);
    assert.equal(await status(shopViewer, "GET", "/v2/apps"), 403);
    assert.equal(await status(shopViewer, "GET", "/fleet/v1/units"), 403);
  });

  test("an operator in a namespace writes and reads secrets there, and nowhere else", async () => {
    assert.equal(await status(shopOperator, "GET", "/api/v1/namespaces/shop/secrets/s"), 200);
    assert.equal(await status(shopOperator, "GET", "/api/v1/namespaces/mail/secrets/s"), 403);
    assert.equal(await status(shopOperator, "DELETE", "/api/v1/namespaces/mail/pods/mail-web"), 403);
    assert.equal(await status(shopOperator, "DELETE", "/api/v1/namespaces/shop"), 403);
    assert.equal(await status(shopOperator, "POST", "/api/v1/namespaces", { metadata: { name: "mine" } }), 403);
    const body = { ...pod("smuggled"), metadata: { name: "smuggled", namespace: "mail" } };
    assert.equal(await status(shopOperator, "POST", "/api/v1/namespaces/shop/pods", body), 400);
    assert.equal(await status(shopOperator, "POST", "/api/v1/namespaces/shop/pods", pod("mine")), 201);
    for (const [method, path] of [
      ["PUT", "/styr/v1/nodes/n1/cordon"],
      ["PATCH", "/styr/v1/settings"],
      ["POST", "/styr/v1/users"],
      ["POST", "/styr/v1/stop"],
      ["GET", "/styr/v1/audit"],
    ] as const)
      assert.equal(await status(shopOperator, method, path, method === "GET" ? undefined : {}), 403, path);
  });

  test("who may write in a namespace alone does not reach the host from there", async () => {
    const container = { name: "main", image: "busybox:1" };
    const cases: readonly [words: RegExp, spec: object][] = [
      [/hostNetwork reaches the host/, { hostNetwork: true }],
      [/volume "root" \(hostPath \/\)/, { volumes: [{ name: "root", hostPath: { path: "/" } }] }],
      [/"main" \(privileged\)/, { containers: [{ ...container, securityContext: { privileged: true } }] }],
      [
        /capability SYS_ADMIN/,
        { containers: [{ ...container, securityContext: { capabilities: { add: ["CHOWN", "SYS_ADMIN"] } } }] },
      ],
      [/"main" \(docker.network host\)/, { containers: [{ ...container, docker: { network: "host" } }] }],
      [/docker.network container:f00/, { containers: [{ ...container, docker: { network: "container:f00" } }] }],
      [/docker.network back-end/, { containers: [{ ...container, docker: { network: "back-end" } }] }],
      [
        /"first" \(docker.network host\)/,
        { initContainers: [{ ...container, name: "first", docker: { network: "host" } }] },
      ],
      [/needs the role admin/, { containers: [{ name: "main", driver: "process", command: ["id"] }] }],
    ];
    const path = "/api/v1/namespaces/shop";
    for (const [at, [words, spec]] of cases.entries()) {
      const template = { metadata: { labels: { a: "b" } }, spec: { containers: [container], ...spec } };
      const one = { ...pod(`reach-${at}`), spec: template.spec };
      const controller = { metadata: { name: `reach-${at}` }, spec: { replicas: 1, selector: { a: "b" }, template } };
      for (const [kind, body] of [
        ["pods", one],
        ["replicationcontrollers", controller],
      ] as const) {
        const refused = await stage.ask(shopOperator, "POST", `${path}/${kind}`, body);
        assert.equal(refused.status, 403, refused.text);
        assert.match(refused.body.message, words);
      }
    }
    const shared = { ...pod("shared"), spec: { containers: [container], hostNetwork: true } };
    assert.equal(await status({ name: "olga", roles: ["operator"] }, "POST", `${path}/pods`, shared), 201);
    await must(ADMIN, "DELETE", `${path}/pods/shared?gracePeriodSeconds=0`);
  });

  test("units are in the namespace fleet, apps in marathon; labels of nodes are above both", async () => {
    assert.equal(await status(fleetOperator, "GET", "/fleet/v1/units/bell.service"), 200);
    assert.equal(await status(fleetOperator, "PATCH", "/fleet/v1/machines", []), 403);
    assert.equal(await status(fleetOperator, "GET", "/v2/apps"), 403);
    assert.equal(await status(appViewer, "GET", "/v2/apps//cart"), 200);
    assert.equal(await status(appViewer, "DELETE", "/v2/apps//cart"), 403);
    assert.equal(await status(appViewer, "GET", "/ping"), 200);
    assert.match((await stage.ask(appViewer, "DELETE", "/v2/apps//cart")).body.message, /"mara" may not write apps/);
  });

  test("rows, what they name, and counts are of what one may see", async () => {
    const names = async (as: As) =>
      (await must(as, "GET", "/styr/v1/workloads")).body.workloads.map(({ name }: { name: string }) => name);
    assert.deepEqual(await names(ADMIN), ["/cart", "bell.service", "mail-web", "mine", "shop-web"]);
    assert.deepEqual(await names(shopViewer), ["mine", "shop-web"]);
    assert.deepEqual(await names(fleetOperator), ["bell.service"]);
    assert.deepEqual(await names(appViewer), ["/cart"]);
    assert.equal(await status(shopViewer, "GET", "/styr/v1/workloads/shop-web/why"), 200);
    const foreign = await stage.ask(shopViewer, "GET", "/styr/v1/workloads/mail-we");
    assert.equal(foreign.status, 404);
    assert.doesNotMatch(foreign.text, /mail-web/, "not even as what could have been meant");
    for (const rest of ["", "/why", "/logs"])
      assert.equal(await status(shopViewer, "GET", `/styr/v1/workloads/mail-web${rest}`), 404, rest);
    const report = (await must(shopViewer, "GET", "/styr/v1/status")).body;
    assert.deepEqual([report.store.objects, report.pods], [{}, { Pending: 2 }]);
    assert.doesNotMatch(JSON.stringify(report), /mail|cart|bell/);
    assert.equal(
      Object.values<number>(report.workloads).reduce((a, b) => a + b, 0),
      2,
    );
  });

  test("services and ingresses are of their namespaces, by every path that leads to them", async () => {
    const service = { metadata: { name: "web" }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } };
    const backend = { service: { name: "web", port: { number: 80 } } };
    const ingress = { metadata: { name: "web" }, spec: { defaultBackend: backend } };
    const [api, networking] = ["/api/v1/namespaces", "/apis/networking.k8s.io/v1/namespaces"];
    assert.equal(await status(shopOperator, "POST", `${api}/shop/services`, service), 201);
    assert.equal(await status(shopOperator, "POST", `${api}/mail/services`, service), 403);
    assert.equal(await status(shopOperator, "POST", `${networking}/shop/ingresses`, ingress), 201);
    assert.equal(await status(shopOperator, "POST", `${networking}/mail/ingresses`, ingress), 403);
    assert.equal(await status(shopViewer, "DELETE", `${networking}/shop/ingresses/web`), 403);
    assert.equal(await status(shopOperator, "GET", "/apis/networking.k8s.io/v1/ingresses"), 403);
    assert.equal(await status(shopOperator, "GET", "/apis/networking.k8s.io/v1/ingressclasses"), 403);
    await must(ADMIN, "POST", `${api}/mail/services`, service);

    const subsets = [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }];
    const byHand = await stage.ask(shopOperator, "POST", `${api}/shop/endpoints`, {
      metadata: { name: "db" },
      subsets,
    });
    assert.equal(byHand.status, 403);
    assert.match(byHand.body.message, /addresses of one's own choice need the role operator in the whole cluster/);
    const slice = { metadata: { name: "db" }, addressType: "IPv4", endpoints: [{ addresses: ["192.0.2.1"] }] };
    const slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
    assert.equal(await status(shopOperator, "POST", slices, slice), 403);
    await must(ADMIN, "POST", slices, slice);
    const label = { metadata: { name: "db", labels: { a: "b" } } };
    assert.equal(
      await status(shopOperator, "PUT", `${slices}/db`, { ...slice, ...label }),
      200,
      "what is there may stay",
    );

    const seen = async (as: As) =>
      (await must(as, "GET", "/styr/v1/services")).body.services
        .filter(({ dialect }: { dialect: string }) => dialect === "kubernetes")
        .map(({ namespace, name }: { namespace: string; name: string }) => `${namespace}/${name}`);
    assert.deepEqual(await seen(shopViewer), ["shop/web"]);
    assert.deepEqual((await seen(ADMIN)).toSorted(), ["mail/web", "shop/web"]);
    assert.deepEqual(await seen(fleetOperator), []);
  });

  test("a watch tells of one's own part only", async () => {
    const response = await stage.raw(shopViewer, "GET", "/styr/v1/workloads?watch=true");
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (pattern: RegExp) => {
      while (!pattern.test(text)) text += (await reader.read()).value ?? assert.fail(`ended without ${pattern}`);
    };
    await until(/synced/);
    await must(ADMIN, "POST", "/api/v1/namespaces/mail/pods", pod("mail-late"));
    await must(ADMIN, "POST", "/api/v1/namespaces/shop/pods", pod("shop-late"));
    await until(/shop-late/);
    assert.doesNotMatch(text, /mail/);
    await reader.cancel();
  });

  test("commands run only where one may run commands", async () => {
    const open = async (as: As) => {
      const request = new Request("https://here:1/styr/v1/workloads/shop-web/exec?command=ls");
      const opened = await stage.plane.mounted.openSocket(request, stage.connect(as));
      return opened instanceof Response ? opened.status : 101;
    };
    assert.equal(await open(shopViewer), 403);
    assert.equal(await open(fleetOperator), 404, "what he does not see");
    // It has no node yet: he got as far as that.
    assert.equal(await open(shopOperator), 409);
  });

  test("objects: hidden kinds are not there, sealed ones are for who may write them, the rest by namespace", async () => {
    for (const kind of ["User", "ClusterTrust", "JoinToken"]) {
      const { status: found, text } = await stage.ask(ADMIN, "GET", `/styr/v1/objects/${kind}`);
      assert.equal(found, 404);
      assert.doesNotMatch(text.replace(kind, ""), /User|ClusterTrust|JoinToken/);
    }
    assert.equal(await status({ name: "v", roles: ["viewer"] }, "GET", "/styr/v1/objects/secret"), 403);
    assert.equal(await status(shopViewer, "GET", "/styr/v1/objects/secret"), 403);
    assert.equal(await status(shopViewer, "GET", "/styr/v1/objects/node"), 403);
    const seen = (await must(shopOperator, "GET", "/styr/v1/objects/secret")).body.objects;
    assert.deepEqual(
      seen.map((one: typeof secret & { metadata: { namespace: string } }) => one.metadata.namespace),
      ["shop"],
    );
    assert.equal(await status(shopOperator, "GET", "/styr/v1/objects/secret/mail%2Fs"), 404);
    const mine = (await must(shopViewer, "GET", "/styr/v1/objects/pod")).text;
    assert.match(mine, /shop-web/);
    assert.doesNotMatch(mine, /mail/);
  });

  test("rights that are given or taken count from the next request on", async () => {
    const as = await stage.user("gina", []);
    assert.equal(await status(as, "GET", "/styr/v1/workloads"), 403);
    await must(ADMIN, "PUT", "/styr/v1/users/gina/grants/viewer?namespace=mail");
    assert.equal(await status(as, "GET", "/api/v1/namespaces/mail/pods"), 200);
    await must(ADMIN, "DELETE", "/styr/v1/users/gina/grants/viewer?namespace=mail");
    assert.equal(await status(as, "GET", "/api/v1/namespaces/mail/pods"), 403);
    assert.equal(await status(ADMIN, "DELETE", "/styr/v1/users/gina/grants/viewer?namespace=mail"), 404);
    const me = await must(as, "GET", "/styr/v1/whoami");
    assert.deepEqual(me.body, { name: "gina", roles: [], rolesIn: {} });
    await must(ADMIN, "DELETE", "/styr/v1/users/gina");
    assert.equal(await status(as, "GET", "/styr/v1/whoami"), 401);
  });

  test("a token that is revoked, mistyped or another's is nobody", async () => {
    const { bearer, id } = await stage.user("tom", [{ role: "viewer" }]);
    assert.equal(await status({ bearer }, "GET", "/styr/v1/nodes"), 200);
    for (const wrong of [
      bearer.slice(0, -1),
      `${bearer}x`,
      bearer.replace(id, "aaaaaaaa"),
      bearer.toUpperCase(),
      "styr-u..",
      "",
    ])
      assert.equal(await status({ bearer: wrong }, "GET", "/styr/v1/nodes"), 401, wrong);
    await must(ADMIN, "DELETE", `/styr/v1/users/tom/tokens/${id}`);
    assert.equal(await status({ bearer }, "GET", "/styr/v1/nodes"), 401);
  });

  test("a token that is over says so, to who has it", async () => {
    const { bearer } = await stage.user("ela", [{ role: "viewer" }], { ttlMs: 60_000 });
    const later = new UserTokens(stage.store, { now: () => Date.now() + 61_000 });
    assert.throws(() => later.actorOf(bearer), /expired at .*; an admin makes a new one: styr user token create ela/);
    assert.equal(later.actorOf(`${bearer.slice(0, -2)}xx`), undefined);
    assert.equal(new UserTokens(stage.store, { now: () => Date.now() }).actorOf(bearer)?.name, "ela");
  });

  test("the secret of a token is nowhere in the store, and its hash in no answer", async () => {
    const { bearer } = await stage.user("sue", [{ role: "admin" }]);
    const stored = JSON.stringify(stage.store.list(users));
    const secretPart = bearer.split(".")[2] ?? assert.fail("no secret");
    assert.ok(!stored.includes(secretPart));
    const hash = stage.store.get(users, "sue")?.spec.tokens[0]?.secretHash ?? assert.fail("no hash");
    for (const path of ["/styr/v1/users", "/styr/v1/users/sue", "/styr/v1/whoami"])
      assert.ok(!(await must({ bearer }, "GET", path)).text.includes(hash), path);
  });

  test("what cannot be meant is refused in words", async () => {
    const cases: readonly [body: unknown, words: RegExp][] = [
      [{ name: "admin" }, /is what another way in is called/],
      [{ name: "Ann Lee" }, /cannot be a user's name/],
      [{ name: "vera" }, /user "vera" is there already/],
      [{ name: "x", grants: [{ role: "king" }] }, /role must be one of: admin, operator, viewer/],
      [{ name: "x", grants: [{ role: "node" }] }, /role must be one of/],
      [{ name: "x", grants: [{ role: "viewer", namespace: "shopp" }] }, /there is no namespace "shopp"/],
      [{ name: "x", grants: "all" }, /grants must be a list/],
      [{ name: "x", grants: [{ role: "viewer", also: 1 }] }, /grants must be a list/],
      [{ name: "x", password: "p" }, /there is no option "password"/],
    ];
    for (const [body, words] of cases) {
      const { status: found, body: said } = await stage.ask(ADMIN, "POST", "/styr/v1/users", body);
      assert.ok(found === 400 || found === 409, String(found));
      assert.match(said.error.message, words);
    }
    for (const ttlMs of [0, -5, 1.5, "1h", 1e15])
      assert.equal(await status(ADMIN, "POST", "/styr/v1/users/vera/tokens", { ttlMs }), 400);
  });
});
