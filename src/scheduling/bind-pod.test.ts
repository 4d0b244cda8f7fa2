import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../seams/random.ts";
import { boundPod } from "./bind-pod.ts";
import { nodeInfoOf } from "./node-info.ts";
import { type TestPod, testNode, testPod } from "./test-objects.ts";

const dynamic = { containerPort: 80, dynamicHostPort: true };

function portsOf(pod: TestPod, dynamicPorts: readonly [number, number], seed: number): readonly number[] {
  const node = nodeInfoOf(testNode({ name: "n1", dynamicPorts }), []);
  const bound = boundPod(testPod(pod), node, new SeededRandom(seed), 0);
  return bound.spec.containers.flatMap(({ ports = [] }) => ports.map(({ hostPort = 0 }) => hostPort));
}

describe("dynamic host ports", () => {
  const seeds = Array.from({ length: 40 }, (_, at) => at);

  test("are picked anywhere in the range, so that one just given back is not at once somebody else's", () => {
    const picked = seeds.map((seed) => portsOf({ ports: [dynamic] }, [31000, 31999], seed)[0] ?? 0);
    assert.ok(new Set(picked).size > 20, `only ${new Set(picked).size} different ports in 40 picks`);
    for (const port of picked) assert.ok(port >= 31000 && port <= 31999, String(port));
  });

  test("one number is for both protocols of a port", () => {
    const both = [
      { ...dynamic, name: "a", protocol: "TCP" as const },
      { ...dynamic, name: "a-udp", protocol: "UDP" as const, sharesHostPortOf: "a" },
      { ...dynamic, name: "b", containerPort: 81 },
    ];
    for (const seed of seeds) {
      const [tcp, udp, other] = portsOf({ ports: both }, [31000, 31002], seed);
      assert.equal(udp, tcp);
      assert.notEqual(other, tcp);
    }
  });

  test("differ within a pod, keep off its own fixed ones, and go round at the end of the range", () => {
    const ports = [dynamic, { containerPort: 81, hostPort: 31001 }, { ...dynamic, containerPort: 82 }];
    for (const seed of seeds) {
      const picked = portsOf({ ports }, [31000, 31002], seed);
      assert.deepEqual(picked.toSorted(), [31000, 31001, 31002], `seed ${seed}`);
    }
  });
});
