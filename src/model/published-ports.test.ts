import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "./pod.ts";
import { publishedPorts } from "./published-ports.ts";

test("a port at all addresses of the host names none, however that is written: what is asked of one address is not asked of it", () => {
  const at = ["", "0.0.0.0", "::", "127.0.0.1"].map((hostIP, n) => ({ containerPort: 80, hostPort: 8080 + n, hostIP }));
  const containers = [{ name: "main", ports: [...at, { containerPort: 80, hostPort: 8079 }] }];
  assert.deepEqual(
    publishedPorts({ spec: { containers } } as unknown as Pod).map(({ hostIP }) => hostIP),
    [undefined, undefined, undefined, "127.0.0.1", undefined],
  );
});
