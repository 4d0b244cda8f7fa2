import assert from "node:assert/strict";
import { test } from "node:test";
import { mountApis } from "../../http/mount.ts";
import { AgentMounted } from "./agent-mounted.ts";

test("whoever asks an agent's host for more is told the whole way to a server: its address, the CA's file here, and where a token comes from", async () => {
  const mounted = new AgentMounted(mountApis([]), () => ["https://s1:7443"], "/var/lib/styrmann/pki/ca.crt");
  const request = new Request("http://agent/styr/v1/nodes");
  const connection = {
    ...{ actor: { name: "root", roles: ["admin"] as const }, isLocal: true as const, remoteAddress: "" },
    ...{ signal: AbortSignal.timeout(1000), origin: "http://agent" },
  };
  const { status, body } = await mounted.handle(request, connection).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as { message: string },
  }));
  assert.equal(status, 421);
  assert.match(body.message, /styr --server https:\/\/s1:7443 --ca \/var\/lib\/styrmann\/pki\/ca\.crt --token TOKEN/);
  assert.match(body.message, /styr user token create NAME/);
});
