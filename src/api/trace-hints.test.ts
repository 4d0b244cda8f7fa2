import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../model/errors.ts";
import type { TraceHop } from "../model/network-questions.ts";
import { type Pod, pods } from "../model/pod.ts";
import { ANNOTATION } from "../model/well-known.ts";
import type { StyrApiContext } from "./context.ts";
import { withoutUrl, withServicePort } from "./trace-hints.ts";

const node = { metadata: { name: "h3" } };
const app = { metadata: { namespace: "marathon", name: "basic-0" } };
const store = {
  get: (_kind: unknown, name: string) => (name === "h3" ? node : undefined),
  scan: (kind: unknown) => (kind === pods ? [] : [app]),
} as unknown as StyrApiContext["store"];

test("a URL of a host is that host's port; of any other it is said who knows more of it", () => {
  const of = (text: string) => withoutUrl({ store }, text, "TO is …");
  assert.equal(of("http://10.217.140.3:31993/"), "10.217.140.3:31993");
  assert.equal(of("http://h3/x?y"), "h3:80");
  assert.equal(of("https://10.217.140.3"), "10.217.140.3:443");
  assert.equal(of("service/web:http"), "service/web:http");
  assert.throws(
    () => of("http://a1.example.org/"),
    (error) =>
      error instanceof ApiError && error.reason === "BadRequest" && /styr routes.*TO is …$/.test(error.message),
  );
});

test("whoever asks a pod for its service port is told where that is", () => {
  const published = {
    id: "marathon:/basic-0",
    name: "basic-0",
    ports: [{ protocol: "tcp", servicePort: 9000 }],
  };
  const publisher = { kind: { name: "apps" }, tell: () => ({ services: [published], routes: [] }) };
  const publishers = [publisher] as unknown as NonNullable<StyrApiContext["publishers"]>;
  const annotations = { [ANNOTATION.dialect]: "marathon", [ANNOTATION.workload]: "basic-0" };
  const ownerReferences = [{ apiVersion: "marathon/v2", kind: "App", name: "basic-0", uid: "1", controller: true }];
  const metadata = { namespace: "marathon", name: "basic-0-x", annotations, ownerReferences };
  const pod = { metadata } as unknown as Pod;
  const hop: TraceHop = { at: "a", what: "listens", isOk: false, words: "no", advice: "does the program listen?" };
  assert.match(
    withServicePort({ store, publishers }, hop, pod, 9000).advice ?? "",
    /^9000 is its service port.*trace FROM NODE:9000$/,
  );
  assert.equal(withServicePort({ store, publishers }, hop, pod, 9001), hop);
  assert.equal(withServicePort({ store, publishers }, { ...hop, isOk: true }, pod, 9000).advice, hop.advice);
});
