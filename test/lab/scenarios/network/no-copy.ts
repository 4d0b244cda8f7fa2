/** An app that has no copy for a while: what it is reached by is nobody else's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { WEB } from "./begin.ts";

const APP = join(import.meta.dirname, "../../../../examples/guestbook/web.json");
const HOST = "guestbook.example.org";
const PORT = 10_180;

/** Of the namespace `default`, which asks for Marathon's host and for all beside it. */
const INGRESS = JSON.stringify({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "asks-too" } },
  spec: {
    rules: [HOST, "*.example.org"].map((host) => ({
      host,
      http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: WEB, port: { number: 80 } } } }] },
    })),
  },
});

export async function withoutCopy({ cluster }: Scene): Promise<void> {
  const [wayIn, other] = cluster.agents;
  assert.ok(wayIn && other);
  const ask = async (name: string) => {
    const curl = ["curl", "-sS", "-m", "5", "-w", "%{http_code}", "-H", `Host: ${name}`, `http://${wayIn.address}/`];
    return (await cluster.server.must(curl)).slice(-3);
  };
  const scale = (instances: number) =>
    cluster.apply(JSON.stringify({ ...(JSON.parse(readFileSync(APP, "utf8")) as object), instances }));
  let said = "";
  const answers = (name: string, code: string) =>
    until(
      `${name} is answered with ${code}`,
      async () => {
        said = await ask(name);
        return said === code;
      },
      { seen: async () => `${said}\n${await cluster.words("routes")}`, withinMs: 60_000 },
    );
  await answers(HOST, "200");
  await cluster.apply(INGRESS);
  await answers("another.example.org", "200");
  await scale(0);
  await answers(HOST, "503");
  const codes = [];
  for (let turn = 0; turn < 20; turn++) codes.push(await ask(HOST));
  assert.deepEqual(new Set(codes), new Set(["503"]), "never the other one's");
  const refused = await other.run(["curl", "-sS", "-m", "5", `http://${other.address}:${PORT}/`]);
  assert.match(refused.stderr, /Connection refused|Failed to connect to \S+ port \d+ after \d{1,3} ms/);
  assert.match(await cluster.words("services"), /\/guestbook\/web .*10180/);
  await scale(2);
  await answers(HOST, "200");
  const path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/asks-too";
  await cluster.client.must(cluster.server, path, { method: "DELETE" });
}
