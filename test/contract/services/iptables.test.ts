import assert from "node:assert/strict";
import { test } from "node:test";
import { IptablesFirewall } from "../../../src/network/services/iptables/iptables-firewall.ts";
import { describeKernelRules } from "./kernel-suite.ts";
import { endpoints, NETWORK, Stage, service, until } from "./stage.ts";

describeKernelRules(
  "iptables",
  (commands) => new IptablesFirewall(commands, NETWORK),
  [
    ["iptables", "-t", "nat", "-F"],
    ["iptables", "-F"],
  ],
  [["iptables-save"]],
);

test("jumps that Docker puts before ours when it starts are noticed, and ours are first again", async () => {
  const stage = new Stage((commands) => new IptablesFirewall(commands, NETWORK));
  try {
    const web = service("default/web");
    await stage.all(web, endpoints(web, []));
    const host = stage.space.host(1);
    host.run("iptables", ["-N", "DOCKER-USER"]);
    host.run("iptables", ["-A", "DOCKER-USER", "-j", "ACCEPT"]);
    host.run("iptables", ["-I", "FORWARD", "1", "-j", "DOCKER-USER"]);
    const jumps = () => host.run("iptables", ["-S", "FORWARD"]).output.match(/-j \S+/g) ?? [];
    await until(
      () => jumps()[0]?.includes("svc-") === true,
      () => `our jump: ${jumps().join(" ")}`,
    );
    assert.deepEqual(jumps().length, 2);
    assert.match(stage.dial(stage.pods.client, "tcp", "10.96.0.10", 80)[0] ?? "", /^ECONNREFUSED/);
  } finally {
    await stage.close();
  }
});
