import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../model/errors.ts";
import { servicePortsOf, withServicePorts } from "./service-ports.ts";
import { bodyOf, definitionOf } from "./test-app.ts";

describe("service ports", () => {
  test("that are 0 get the first free ones from 10000, and given ones stay", () => {
    const app = bodyOf({ cmd: "ls", portDefinitions: [{ port: 0 }, { port: 10001 }, { port: 0 }] });
    assert.deepEqual(servicePortsOf(withServicePorts(app, new Set([10000]))), [10002, 10001, 10003]);
  });

  test("are kept over changes of the app", () => {
    const before = definitionOf({ cmd: "ls", portDefinitions: [{ port: 10_500 }] });
    const app = bodyOf({ cmd: "ls", portDefinitions: [{ port: 0 }] });
    assert.deepEqual(servicePortsOf(withServicePorts(app, new Set(), before)), [10_500]);
  });

  test("run out with an error that says so", () => {
    const taken = new Set(Array.from({ length: 10_000 }, (_, i) => 10_000 + i));
    assert.throws(() => withServicePorts(bodyOf({ cmd: "ls" }), taken), ApiError);
  });
});
