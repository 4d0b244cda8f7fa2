import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { Flows, flowsToForget, lastingProtocols } from "./flows.ts";
import type { PortPlan, ServicePlan } from "./plan-service.ts";

const UDP = lastingProtocols(true);

const target = (address: string) => ({ address, port: 53, isHere: false });

function planOf(keeps: readonly string[], more: Partial<PortPlan> = {}): ServicePlan {
  const targets = keeps.map(target);
  const port: PortPlan = {
    ...{ id: "default/dns:dns/udp", protocol: "udp", addresses: ["10.96.0.53"], port: 53, keeps },
    ...{ inside: targets, outside: targets, isOutsideLocal: false, ...more },
  };
  return { id: "default/dns", ports: [port] };
}

describe("flows that the kernel has to forget:", () => {
  test("those to an endpoint that left, at each address of the Service", () => {
    assert.deepEqual(
      flowsToForget(
        planOf(["10.42.0.1", "10.42.0.2"], { nodePort: 30053 }),
        planOf(["10.42.0.2"], { nodePort: 30053 }),
        UDP,
      ),
      [
        ["-p", "udp", "--orig-dst", "10.96.0.53", "--orig-port-dst", "53", "--dst-nat", "10.42.0.1"],
        ["-p", "udp", "--orig-port-dst", "30053", "--dst-nat", "10.42.0.1"],
      ],
    );
  });

  test("none while an endpoint comes, or takes nothing new", () => {
    assert.deepEqual(flowsToForget(planOf(["10.42.0.1"]), planOf(["10.42.0.1", "10.42.0.2"]), UDP), []);
    assert.deepEqual(flowsToForget(planOf(["10.42.0.1"]), planOf(["10.42.0.1"], { inside: [] }), UDP), []);
  });

  test("all of a Service that is gone", () => {
    assert.equal(flowsToForget(planOf(["10.42.0.1", "10.42.0.2"]), undefined, UDP).length, 2);
  });

  test("those to a node port on which nobody was before", () => {
    assert.deepEqual(flowsToForget(undefined, planOf(["10.42.0.1"], { nodePort: 30053 }), UDP), [
      ["-p", "udp", "--orig-port-dst", "30053"],
    ]);
  });

  test("of TCP what was never answered, where the rules do not forget it by themselves", () => {
    const [both, one] = [["10.42.0.1", "10.42.0.2"], ["10.42.0.2"]].map((keeps) => planOf(keeps, { protocol: "tcp" }));
    assert.deepEqual(flowsToForget(both, one, UDP), []);
    assert.deepEqual(flowsToForget(both, one, lastingProtocols(false)), [
      [
        ..."-p tcp --state SYN_SENT".split(" "),
        "--orig-dst",
        "10.96.0.53",
        "--orig-port-dst",
        "53",
        "--dst-nat",
        "10.42.0.1",
      ],
    ]);
  });

  test("of many, every one chooses anew, by one command for each protocol", async () => {
    const run: string[] = [];
    const commands: Commands = {
      run: async (program, args) => {
        run.push([program, ...args].join(" "));
        return { exitCode: 1, stdout: "", stderr: "" };
      },
    };
    const left = planOf(Array.from({ length: 60 }, (_, n) => `10.42.1.${n}`));
    await new Flows(commands).forget(flowsToForget(left, undefined, UDP));
    assert.deepEqual(run, ["conntrack -D -p udp --dst-nat"]);
  });

  test("where conntrack is missing it is said, and what else is to be done is done", async () => {
    const missing: Commands = {
      run: () => Promise.reject(new CommandError("there is no conntrack on this host", true)),
    };
    const flows = new Flows(missing);
    await flows.forget([["-p", "udp", "--orig-dst", "10.96.0.53"]]);
    assert.match(flows.words ?? "", /UDP clients .* there is no conntrack on this host \(install conntrack\)/);
  });
});
