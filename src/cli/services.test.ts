import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceRow } from "../model/service-row.ts";
import { SystemClock } from "../seams/clock.ts";
import { LEFT_OUT, portText, serviceColumns, unknownService } from "./services.ts";
import { renderTable } from "./table.ts";

const kubernetes: ServiceRow = {
  ...{ dialect: "kubernetes", namespace: "shop", name: "web", type: "NodePort", addresses: ["10.96.0.12"] },
  ports: [{ name: "http", protocol: "TCP", port: 80, nodePort: 30_080 }],
  ready: 2,
  endpoints: 3,
};

describe("styr services", () => {
  test("ports are written as kubectl writes them", () => {
    assert.equal(portText({ protocol: "TCP", port: 80 }), "80/TCP");
    assert.equal(portText({ protocol: "UDP", port: 53, nodePort: 30_053 }), "53:30053/UDP");
    assert.equal(portText({ protocol: "TCP", nodePort: 10_001 }), ":10001/TCP");
  });

  test("an unknown one is answered with those that are named like it, and with what to do", () => {
    const failure = unknownService("WEB", [kubernetes, { ...kubernetes, name: "db" }]);
    assert.equal(failure.message, 'there is no service "WEB"; did you mean "shop/web"?');
    assert.equal(failure.next, "styr services");
  });

  test("a row says where it is reached and how many answer", () => {
    const text = renderTable(serviceColumns(new SystemClock()), [kubernetes], { colors: false });
    assert.match(text, /^NAME +DIALECT +TYPE +ADDRESS +PORTS +READY/);
    assert.match(text, /shop\/web +kubernetes +NodePort +10\.96\.0\.12 +80:30080\/TCP +2\/3/);
  });

  test("of a Service of which nodes are not told all, it is said below its row", () => {
    const leftOut = "nodes are told of 1 of its 3 endpoints";
    const options = { colors: false, width: 80, remark: LEFT_OUT };
    const text = renderTable(serviceColumns(new SystemClock()), [{ ...kubernetes, leftOut }, kubernetes], options);
    assert.equal(text.split(leftOut).length, 2);
  });
});
