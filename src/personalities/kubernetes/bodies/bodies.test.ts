import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseQuantity } from "../../../lib/quantity.ts";
import { type FieldType, messageNames, messageOf } from "../schema/schema.ts";
import { decodeObject } from "./decode.ts";
import { scanJson } from "./json-scan.ts";
import { canonicalQuantity } from "./quantity.ts";
import { parseBody } from "./read-body.ts";

describe("quantities", () => {
  for (const [text, canonical] of [
    ["1000m", "1"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["1024Mi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["1000k", "1M"],
    ["1e3", "1e3"],
    ["1000E-3", "1"],
    ["0", "0"],
    ["-1Gi", "-1Gi"],
    ["-0", "0"],
    ["0.0000000001", "1n"],
    ["128974848", "128974848"],
    ["100E", "9223372036854775807"],
  ] as const) {
    test(`${text} is written ${canonical}`, () => assert.equal(canonicalQuantity(text), canonical));
  }

  for (const text of ["", "lots", "1x", "1 Gi", "--1", "1e", "1e999999999", "Ki", "1KiB", "0x10", "１"]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(canonicalQuantity(text), undefined));
  }

  test("the canonical form is its own canonical form and means the same", () => {
    const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti", "e3", "E-2");
    const digits = fc.tuple(fc.nat(1_000_000), fc.option(fc.nat(999)));
    fc.assert(
      fc.property(digits, suffix, ([whole, fraction], unit) => {
        const text = `${whole}${fraction === null ? "" : `.${fraction}`}${unit}`;
        const canonical = canonicalQuantity(text);
        assert.ok(canonical !== undefined, text);
        assert.equal(canonicalQuantity(canonical), canonical);
        const [value, again] = [parseQuantity(text) ?? 0, parseQuantity(canonical) ?? -1];
        // Rounded up to a whole nano-unit.
        assert.ok(again - value <= 1e-9 + 1e-9 * value && again >= value * (1 - 1e-9), `${text} became ${canonical}`);
      }),
    );
  });

  test("any text is a quantity or is not, and nothing else happens", () => {
    fc.assert(fc.property(fc.string(), (text) => void canonicalQuantity(text)));
  });
});

describe("scanning JSON", () => {
  test("keys given twice are named by their path", () => {
    const text = '{"a":{"b":1,"b":2},"l":[{"x":1},{"x":1,"x":2}],"a":0,"q\\"":1,"q\\u0022":2}';
    assert.deepEqual(scanJson(text).duplicates, ["a.b", "l[1].x", "a", 'q"']);
  });

  test("what JSON.stringify writes has no key twice, and is as deep as it is", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        assert.deepEqual(scanJson(JSON.stringify(value)), { duplicates: [], depth: depthOf(value) });
      }),
    );
  });
});

describe("the table of fields", () => {
  test("it is closed: every message that a field names is there", () => {
    const named = (type: FieldType): readonly string[] => {
      if (type.is === "message") return [type.message];
      return type.is === "scalar" ? [] : named(type.of);
    };
    const names = messageNames();
    assert.ok(names.length > 150);
    for (const name of names)
      for (const type of messageOf(name).values()) for (const other of named(type)) messageOf(other);
  });

  test("the merge keys are those of Kubernetes' own description", () => {
    const keyed = messageNames().flatMap((name) =>
      [...messageOf(name)].flatMap(([field, type]) => {
        if (type.is !== "list" || type.merge.by === "atomic") return [];
        return [`${name}.${field}:${type.merge.by === "key" ? type.merge.key : "set"}`];
      }),
    );
    for (const expected of [
      "PodSpec.containers:name",
      "PodSpec.initContainers:name",
      "PodSpec.ephemeralContainers:name",
      "PodSpec.imagePullSecrets:name",
      "PodSpec.schedulingGates:name",
      "PodSpec.volumes:name",
      "PodSpec.resourceClaims:name",
      "PodSpec.hostAliases:ip",
      "PodSpec.topologySpreadConstraints:topologyKey",
      "Container.env:name",
      "Container.ports:containerPort",
      "Container.volumeMounts:mountPath",
      "Container.volumeDevices:devicePath",
      "ServiceSpec.ports:port",
      "PodStatus.conditions:type",
      "PodStatus.podIPs:ip",
      "PodStatus.hostIPs:ip",
      "NodeStatus.conditions:type",
      "NodeStatus.addresses:type",
      "NodeSpec.podCIDRs:set",
      "ObjectMeta.ownerReferences:uid",
      "ObjectMeta.finalizers:set",
      "ReplicationControllerStatus.conditions:type",
      "ServiceStatus.conditions:type",
      "NamespaceStatus.conditions:type",
    ]) {
      assert.ok(keyed.includes(expected), expected);
    }
    assert.ok(!keyed.some((entry) => /tolerations|taints|args|command|envFrom/.test(entry)));
  });
});

describe("decoding", () => {
  test("any JSON is decoded or refused with 400; what is decoded decodes to itself", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("metadata", "spec", "status", "x", "__proto__"), fc.jsonValue()),
        (value) => {
          try {
            const { object } = decodeObject(value, "Pod");
            assert.deepEqual(decodeObject(object, "Pod"), { object, unknown: [] });
          } catch (error) {
            assert.equal((error as { reason?: string }).reason, "BadRequest", String(error));
          }
        },
      ),
    );
  });

  test("any text as JSON or YAML is a body or a refusal", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        fc.constantFrom("json" as const, "yaml" as const),
        (text, format) => {
          try {
            parseBody(text, format);
          } catch (error) {
            assert.equal((error as Error).name, "ApiError", `${JSON.stringify(text)}: ${String(error)}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
