import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { PortPlan, ServicePlan } from "./plan-service.ts";
import { flowsToForget, UdpFlows } from "./udp-flows.ts";

const target = (address: string) => ({ address, port: 53, isHere: false });

function planOf(keeps: readonly string[], more: Partial<PortPlan> = {}): ServicePlan {
  const targets = keeps.map(target);
  const port: PortPlan = {
    ...{ id: "default/dns:dns/udp", protocol: "udp", addresses: ["10.96.0.53"], port: 53, keeps },
    ...{ inside: targets, outside: targets, isOutsideLocal: false, ...more },
  };
  return { id: "default/dns", ports: [port] };
}

describe("UDP flows that the kernel has to forget:", () => {
  test("those to an endpoint that left, at each address of the Service", () => {
    assert.deepEqual(
      flowsToForget(
        planOf(["10.42.0.1", "10.42.0.2"], { nodePort: 30053 }),
        planOf(["10.42.0.2"], { nodePort: 30053 }),
      ),
      [
        ["--orig-dst", "10.96.0.53", "--orig-port-dst", "53", "--dst-nat", "10.42.0.1"],
        ["--orig-port-dst", "30053", "--dst-nat", "10.42.0.1"],
      ],
    );
  });

  test("none while an endpoint comes, or takes nothing new", () => {
    assert.deepEqual(flowsToForget(planOf(["10.42.0.1"]), planOf(["10.42.0.1", "10.42.0.2"])), []);
    assert.deepEqual(flowsToForget(planOf(["10.42.0.1"]), planOf(["10.42.0.1"], { inside: [] })), []);
  });

  test("all of a Service that is gone", () => {
    assert.equal(flowsToForget(planOf(["10.42.0.1", "10.42.0.2"]), undefined).length, 2);
  });

  test("those to a node port on which nobody was before", () => {
    assert.deepEqual(flowsToForget(undefined, planOf(["10.42.0.1"], { nodePort: 30053 })), [
      ["--orig-port-dst", "30053"],
    ]);
  });

  test("where conntrack is missing it is said, and what else is to be done is done", async () => {
    const missing: Commands = {
      run: () => Promise.reject(new CommandError("there is no conntrack on this host", true)),
    };
    const flows = new UdpFlows(missing);
    await flows.forget([["--orig-dst", "10.96.0.53"]]);
    assert.match(flows.words ?? "", /UDP clients .* there is no conntrack on this host \(install conntrack\)/);
  });
});
